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

static void
sweep_elf (const uint8_t *image, size_t size, sweep_fn *fn)
{
  const Elf64_Ehdr *eh = (const void *)image;
  const Elf64_Shdr *sh = (const void *)(image + eh->e_shoff);

  if (eh->e_shoff + eh->e_shnum * sizeof *sh > size)
    return;
  for (unsigned k = 0; k < eh->e_shnum; k++)
    if (sh[k].sh_type == SHT_PROGBITS && (sh[k].sh_flags & SHF_EXECINSTR)
        && sh[k].sh_offset + sh[k].sh_size <= size)
      sweep_code (image + sh[k].sh_offset, sh[k].sh_size, sh[k].sh_addr, fn);
}

/* See decode-sweep.h.  */
bool
sweep_file (const char *file, sweep_fn *fn)
{
  int fd = open (file, O_RDONLY);
  struct stat st;
  bool done = false;

  if (fd < 0)
    return false;
  if (fstat (fd, &st) == 0 && S_ISREG (st.st_mode)
      && st.st_size > (off_t)sizeof (Elf64_Ehdr))
    {
      uint8_t *image = mmap (NULL, st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);

      if (image != MAP_FAILED)
        {
          const Elf64_Ehdr *eh = (const void *)image;

          done = !memcmp (image, ELFMAG, SELFMAG)
                 && eh->e_ident[EI_CLASS] == ELFCLASS64
                 && eh->e_machine == EM_X86_64;
          if (done)
            sweep_elf (image, st.st_size, fn);
          munmap (image, st.st_size);
        }
    }
  close (fd);
  return done;
}
