/* See elf.h.  Sources: the ELF specification, elf(5), and what the kernel's
   fs/binfmt_elf.c and fs/binfmt_script.c accept.  */

#include "common/elf.h"

#define ET_EXEC 2
#define ET_DYN 3
#define EM_X86_64 62
#define PT_LOAD 1
#define TASK_SIZE 0x7ffffffff000ull

_Static_assert (sizeof (struct elf_file_header) == ELF_HEADER_SIZE, "");

static bool
has_magic (const uint8_t *b, size_t n)
{
  return n >= 4 && b[0] == 0x7f && b[1] == 'E' && b[2] == 'L' && b[3] == 'F';
}

/* See elf.h.  */
enum elf_kind
elf_kind (const void *head, size_t n)
{
  const struct elf_file_header *h = head;
  const uint8_t *b = head;

  if (n == 0)
    return ELF_EMPTY;
  if (n >= 2 && b[0] == '#' && b[1] == '!')
    return ELF_SCRIPT;
  if (!has_magic (b, n))
    return ELF_NO_PROGRAM;
  if (n < 20)
    return ELF_TRUNCATED;
  if (h->ident[5] != 1)         /* little-endian */
    return ELF_FOREIGN;
  if (h->ident[4] == 1)
    return h->machine == 3 || h->machine == EM_X86_64 ? ELF_IS_32_BIT
                                                      : ELF_FOREIGN;
  if (h->machine != EM_X86_64)
    return ELF_FOREIGN;
  if (n < sizeof *h)
    return ELF_TRUNCATED;
  if (h->type != ET_EXEC && h->type != ET_DYN)
    return ELF_NOT_RUNNABLE;
  if (h->ident[4] != 2 || h->phentsize != sizeof (struct elf_program_header)
      || h->phnum == 0)
    return ELF_MALFORMED;
  return ELF_X86_64;
}

/* What is wrong with segment P of a file of SIZE bytes; ELF_X86_64 if
   nothing.  */
static enum elf_kind
examine_segment (const struct elf_program_header *p, size_t size)
{
  if (p->filesz > size || p->offset > size - p->filesz)
    return ELF_TRUNCATED;
  if (p->memsz < p->filesz || p->memsz > TASK_SIZE
      || p->vaddr > TASK_SIZE - p->memsz
      || (p->vaddr - p->offset) % PAGE_SIZE != 0)
    return ELF_MALFORMED;
  return ELF_X86_64;
}

/* Whether the entry point of H lies in segment P.  */
static bool
holds_entry (const struct elf_program_header *p,
             const struct elf_file_header *h)
{
  return h->entry >= p->vaddr && h->entry - p->vaddr < p->memsz
         && (p->flags & 1) != 0;
}

/* See elf.h.  */
enum elf_kind
elf_examine (const void *file, size_t size)
{
  const struct elf_file_header *h = file;
  enum elf_kind kind = elf_kind (file, size);
  bool entry = false;

  if (kind != ELF_X86_64)
    return kind;
  if (h->phoff > size
      || (size - h->phoff) / sizeof (struct elf_program_header) < h->phnum)
    return ELF_TRUNCATED;
  if (h->phoff % 8 != 0)
    return ELF_MALFORMED;
  for (unsigned i = 0; i < h->phnum; i++)
    {
      const struct elf_program_header *p
        = (const void *) ((const char *) file + h->phoff
                          + i * sizeof (struct elf_program_header));

      if (p->type != PT_LOAD)
        continue;
      kind = examine_segment (p, size);
      if (kind != ELF_X86_64)
        return kind;
      entry |= holds_entry (p, h);
    }
  return entry ? ELF_X86_64 : ELF_MALFORMED;
}

/* See elf.h.  */
const char *
elf_kind_text (enum elf_kind kind)
{
  static const char *const texts[ELF_N_KINDS] = {
#define ELF_KIND(NAME, TEXT) [ELF_##NAME] = TEXT,
    ELF_KINDS (ELF_KIND)
#undef ELF_KIND
  };

  return texts[kind];
}

/* See elf.h.  */
bool
elf_script_interpreter (const char *head, size_t size, size_t *start,
                        size_t *length)
{
  size_t i = 2, end;

  while (i < size && (head[i] == ' ' || head[i] == '\t'))
    i++;
  end = i;
  while (end < size && head[end] != ' ' && head[end] != '\t'
         && head[end] != '\n' && head[end] != 0)
    end++;
  *start = i;
  *length = end - i;
  return end > i && end < size;
}
