/* See target.h: target_symbol.  A file is looked through for each question:
   whoever asks often keeps the answers.  Everything in it is taken for
   hostile.  */

#include "host/target.h"

#include <elf.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* What is mapped where the address lies.  */
struct place
{
  uint64_t offset;              /* of the address, in the file */
  char path[512];
};

struct file
{
  const uint8_t *bytes;
  size_t size;
};

/* The N bytes at OFFSET of F; null: not all are there.  */
static const void *
piece (const struct file *f, uint64_t offset, uint64_t n)
{
  return offset <= f->size && n <= f->size - offset ? f->bytes + offset : NULL;
}

static bool
find_place (int pid, app_addr addr, struct place *p)
{
  char line[700];
  bool found = false;
  FILE *maps;

  snprintf (line, sizeof line, "/proc/%d/maps", pid);
  maps = fopen (line, "re");
  while (maps != NULL && !found && fgets (line, sizeof line, maps) != NULL)
    {
      unsigned long start, end, offset;

      p->path[0] = 0;
      if (sscanf (line, "%lx-%lx %*s %lx %*s %*s %511[^\n]", &start, &end,
                  &offset, p->path)
            >= 3
          && start <= addr && addr < end)
        {
          p->offset = addr - start + offset;
          found = true;
        }
    }
  if (maps != NULL)
    fclose (maps);
  return found && p->path[0] == '/';
}

static bool
open_file (int pid, const char *path, struct file *f)
{
  char name[600];
  struct stat st;
  void *at = MAP_FAILED;
  int fd;

  snprintf (name, sizeof name, "/proc/%d/root%s", pid, path);
  fd = open (name, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd >= 0 && fstat (fd, &st) == 0 && S_ISREG (st.st_mode)
      && st.st_size > 0)
    at = mmap (NULL, st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
  if (fd >= 0)
    close (fd);
  if (at == MAP_FAILED)
    return false;
  *f = (struct file) { at, st.st_size };
  return true;
}

/* Make an offset in F an address of its own; false: it is not loaded.  */
static bool
own_address (const struct file *f, uint64_t offset, uint64_t *addr)
{
  const Elf64_Ehdr *h = piece (f, 0, sizeof *h);
  const Elf64_Phdr *p
    = h == NULL || memcmp (h->e_ident, ELFMAG, SELFMAG) != 0
        ? NULL
        : piece (f, h->e_phoff, h->e_phnum * (uint64_t) sizeof *p);

  for (unsigned i = 0; p != NULL && i < h->e_phnum; i++)
    if (p[i].p_type == PT_LOAD && offset >= p[i].p_offset
        && offset - p[i].p_offset < p[i].p_filesz)
      {
        *addr = offset - p[i].p_offset + p[i].p_vaddr;
        return true;
      }
  return false;
}

static const Elf64_Shdr *
find_section (const struct file *f, uint32_t type, const Elf64_Shdr **strings)
{
  const Elf64_Ehdr *h = (const void *) f->bytes;
  const Elf64_Shdr *s
    = piece (f, h->e_shoff, h->e_shnum * (uint64_t) sizeof *s);

  for (unsigned i = 0; s != NULL && i < h->e_shnum; i++)
    if (s[i].sh_type == type && s[i].sh_link < h->e_shnum)
      {
        *strings = s + s[i].sh_link;
        return s + i;
      }
  return NULL;
}

/* The function of F that ADDR is in, by its table of TYPE.  */
static bool
find_function (const struct file *f, uint32_t type, uint64_t addr, char *text,
               size_t size)
{
  const Elf64_Shdr *strings, *table = find_section (f, type, &strings);
  const Elf64_Sym *s
    = table == NULL ? NULL : piece (f, table->sh_offset, table->sh_size);
  const char *names
    = s == NULL ? NULL : piece (f, strings->sh_offset, strings->sh_size);

  for (uint64_t i = 0; names != NULL && i < table->sh_size / sizeof *s; i++)
    if (ELF64_ST_TYPE (s[i].st_info) == STT_FUNC && addr >= s[i].st_value
        && addr - s[i].st_value < s[i].st_size
        && s[i].st_name < strings->sh_size)
      {
        snprintf (text, size, "%.*s+%lu",
                  (int) MIN (strings->sh_size - s[i].st_name, 200u),
                  names + s[i].st_name, addr - s[i].st_value);
        return true;
      }
  return false;
}

/* See target.h.  */
void
target_symbol (int pid, app_addr addr, char *text, size_t size)
{
  struct place place;
  struct file f;
  uint64_t own;
  bool named = false;

  snprintf (text, size, "%#lx", addr);
  if (!find_place (pid, addr, &place))
    return;
  if (open_file (pid, place.path, &f))
    {
      named = own_address (&f, place.offset, &own)
              && (find_function (&f, SHT_SYMTAB, own, text, size)
                  || find_function (&f, SHT_DYNSYM, own, text, size));
      munmap ((void *) f.bytes, f.size);
    }
  if (!named)
    snprintf (text, size, "%.200s+%#lx", strrchr (place.path, '/') + 1,
              place.offset);
  for (char *c = text; *c != 0; c++)
    if (*c < ' ' || *c > '~')
      *c = '?';
}
