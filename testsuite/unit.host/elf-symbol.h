/* Addresses of a program's symbols, as linked, for tests.  */

#ifndef UNIT_HOST_ELF_SYMBOL_H
#define UNIT_HOST_ELF_SYMBOL_H

#include <elf.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The whole file NAME, to be freed; null: it cannot be read.  */
static char *
elf_load (const char *name)
{
  FILE *f = fopen (name, "r");
  char *bytes = NULL;
  long size;

  if (f == NULL)
    return NULL;
  fseek (f, 0, SEEK_END);
  size = ftell (f);
  rewind (f);
  bytes = malloc (size);
  if (bytes != NULL && fread (bytes, 1, size, f) != (size_t) size)
    abort ();
  fclose (f);
  return bytes;
}

static inline uint64_t
elf_entry (const char *name)
{
  char *bytes = elf_load (name);
  uint64_t entry = bytes != NULL ? ((Elf64_Ehdr *) bytes)->e_entry : 0;

  free (bytes);
  return entry;
}

/* The address of SYMBOL; 0: there is none.  */
static uint64_t
elf_symbol (const char *name, const char *symbol)
{
  char *bytes = elf_load (name);
  Elf64_Ehdr *h = (Elf64_Ehdr *) bytes;
  Elf64_Shdr *s = bytes != NULL ? (Elf64_Shdr *) (bytes + h->e_shoff) : NULL;
  uint64_t found = 0;

  for (unsigned i = 0; s != NULL && i < h->e_shnum; i++)
    {
      Elf64_Sym *sym = (Elf64_Sym *) (bytes + s[i].sh_offset);

      if (s[i].sh_type != SHT_SYMTAB)
        continue;
      for (uint64_t n = 0; n < s[i].sh_size / sizeof *sym; n++)
        if (strcmp (bytes + s[s[i].sh_link].sh_offset + sym[n].st_name,
                    symbol) == 0)
          found = sym[n].st_value;
    }
  free (bytes);
  return found;
}

#endif
