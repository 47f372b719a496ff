/* See decode-sweep.h.  A hash of each distinct instruction is kept, 64 bits
   wide, in an open table that grows.  */

#include "unit.arch/decode-sweep.h"

#include <elf.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

unsigned long sweep_n_met, sweep_n_distinct;

static uint64_t *seen;
static size_t n_slots;

static void
insert (uint64_t *slots, size_t n, uint64_t hash)
{
  size_t k = hash & (n - 1);

  while (slots[k])
    k = (k + 1) & (n - 1);
  slots[k] = hash;
}

static void
grow (void)
{
  size_t n = n_slots ? 2 * n_slots : 1 << 16;
  uint64_t *slots = calloc (n, sizeof *slots);

  for (size_t k = 0; k < n_slots; k++)
    if (seen[k])
      insert (slots, n, seen[k]);
  free (seen);
  seen = slots;
  n_slots = n;
}

static bool
is_new (uint64_t hash)
{
  size_t k;

  if (2 * sweep_n_distinct >= n_slots)
    grow ();
  for (k = hash & (n_slots - 1); seen[k]; k = (k + 1) & (n_slots - 1))
    if (seen[k] == hash)
      return false;
  seen[k] = hash;
  sweep_n_distinct++;
  return true;
}

/* A hash of the instruction without what does not tell it from others.  */
static uint64_t
hash_insn (const struct insn *i, enum insn_status status)
{
  uint64_t h = 0xcbf29ce484222325 + i->length + status * 16;

  for (unsigned k = 0; k < i->length; k++)
    {
      uint8_t byte = i->bytes[k];

      if (k >= i->disp_at && k < i->disp_at + i->disp_size)
        byte = 0;
      if (i->imm_size >= 2 && k >= i->imm_at + 1u)
        byte = 0;
      if (i->target && k >= i->imm_at)
        byte = 0;
      h = (h ^ byte) * 0x100000001b3;
      h ^= h >> 29;
    }
  return h | 1;
}

/* See decode-sweep.h.  */
void
sweep_code (const uint8_t *code, size_t size, app_pc pc, sweep_fn *fn)
{
  size_t at = 0;

  while (at < size)
    {
      struct insn i;
      enum insn_status status = insn_decode (&i, code + at, size - at,
                                             pc + at);
      unsigned step = 0;

      if (status == INSN_TRUNCATED)
        return;
      sweep_n_met++;
      if (is_new (hash_insn (&i, status)))
        step = fn (&i, status, code + at, size - at);
      if (step == 0)
        step = status == INSN_OK ? i.length : 1;
      at += step;
    }
}

/* The image of FILE, if it is ELF for this machine, or NULL; its SIZE.  */
static const uint8_t *
map_elf (const char *file, size_t *size)
{
  int fd = open (file, O_RDONLY);
  const uint8_t *image = MAP_FAILED;
  struct stat st;

  if (fd < 0)
    return NULL;
  if (fstat (fd, &st) == 0 && S_ISREG (st.st_mode)
      && st.st_size > (off_t)sizeof (Elf64_Ehdr))
    image = mmap (NULL, st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
  close (fd);
  if (image == MAP_FAILED)
    return NULL;
  *size = st.st_size;
  if (!memcmp (image, ELFMAG, SELFMAG) && image[EI_CLASS] == ELFCLASS64
      && ((const Elf64_Ehdr *)image)->e_machine == EM_X86_64)
    return image;
  munmap ((void *)image, st.st_size);
  return NULL;
}

/* Section K of IMAGE, if it is code and lies within SIZE bytes.  */
static const Elf64_Shdr *
code_section (const uint8_t *image, size_t size, unsigned k)
{
  const Elf64_Ehdr *eh = (const void *)image;
  const Elf64_Shdr *sh = (const void *)(image + eh->e_shoff);

  if (eh->e_shoff > size || eh->e_shoff + (k + 1) * sizeof *sh > size)
    return NULL;
  sh += k;
  if (sh->sh_type != SHT_PROGBITS || !(sh->sh_flags & SHF_EXECINSTR)
      || sh->sh_offset > size || sh->sh_size > size - sh->sh_offset)
    return NULL;
  return sh;
}

/* See decode-sweep.h.  */
bool
sweep_file (const char *file, sweep_fn *fn)
{
  size_t size;
  const uint8_t *image = map_elf (file, &size);

  if (image == NULL)
    return false;
  for (unsigned k = 0; k < ((const Elf64_Ehdr *)image)->e_shnum; k++)
    {
      const Elf64_Shdr *sh = code_section (image, size, k);

      if (sh != NULL)
        sweep_code (image + sh->sh_offset, sh->sh_size, sh->sh_addr, fn);
    }
  munmap ((void *)image, size);
  return true;
}

/* See decode-sweep.h.  */
bool
sweep_sections (const char *file,
                void (*fn) (const uint8_t *code, size_t size))
{
  size_t size;
  const uint8_t *image = map_elf (file, &size);

  if (image == NULL)
    return false;
  for (unsigned k = 0; k < ((const Elf64_Ehdr *)image)->e_shnum; k++)
    {
      const Elf64_Shdr *sh = code_section (image, size, k);

      if (sh != NULL)
        fn (image + sh->sh_offset, sh->sh_size);
    }
  return true;
}
