/* What kind of file a program is, by its first bytes: for the server before
   a birth, and for the engine's exec gate before an exec.  No state.  */

#ifndef COMMON_ELF_H
#define COMMON_ELF_H

#include "common/types.h"

#define ELF_KINDS(X)                                                          \
  X (X86_64, "an x86-64 ELF program")                                         \
  X (SCRIPT, "a script")                                                      \
  X (EMPTY, "an empty file")                                                  \
  X (NO_PROGRAM, "not a program: exec format error")                          \
  X (TRUNCATED, "a truncated ELF file")                                       \
  X (IS_32_BIT, "a 32-bit program, which cannot be run")                      \
  X (FOREIGN, "a program for another architecture")                           \
  X (NOT_RUNNABLE, "an ELF file of a kind that cannot be run")                \
  X (MALFORMED, "a malformed ELF file")

enum elf_kind
{
#define ELF_KIND(NAME, TEXT) ELF_##NAME,
  ELF_KINDS (ELF_KIND)
#undef ELF_KIND
  ELF_N_KINDS
};

/* The bytes of the file header, and as many as elf_kind wants to see.  */
#define ELF_HEADER_SIZE 64

/* Elf64_Ehdr and Elf64_Phdr of elf(5), for rooms without libc's <elf.h>.  */
struct elf_file_header
{
  uint8_t ident[16];
  uint16_t type, machine;
  uint32_t version;
  uint64_t entry, phoff, shoff;
  uint32_t flags;
  uint16_t ehsize, phentsize, phnum, shentsize, shnum, shstrndx;
};

struct elf_program_header
{
  uint32_t type, flags;
  uint64_t offset, vaddr, paddr, filesz, memsz, align;
};

/* The kind of a file that begins with the N bytes at HEAD: all of it, or at
   least ELF_HEADER_SIZE.  ELF_X86_64 says that the header is good.  */
enum elf_kind elf_kind (const void *head, size_t n);

/* Likewise, for the whole file of SIZE bytes at FILE: looks at the program
   headers too, and refuses what could not be loaded as it says.  Every
   number in there is taken for hostile.  */
enum elf_kind elf_examine (const void *file, size_t size);

/* The words for KIND.  */
const char *elf_kind_text (enum elf_kind kind);

/* The name of the interpreter in the SIZE bytes of a script at HEAD, which
   begin with "#!": *START and *LENGTH delimit it.  False: it has none.  */
bool elf_script_interpreter (const char *head, size_t size, size_t *start,
                             size_t *length);

#endif
