/* Code around fragments: exit stubs, far jumps, the lookup of indirect
   branches.

   An indirect branch arrives at the lookup code with its target in %rcx and
   %rcx spilled.  The lookup takes the low 16 bits of the target as an index
   into a table of code addresses and jumps to what it finds there: the prefix
   of a fragment, or arch_lookup_miss.  The prefix compares the whole target
   with its own PC by lea and jrcxz, so that the arithmetic flags stay, and
   goes to the next prefix of the chain, through a slot of data, if it
   differs.

     lookup:  mov  %rdx, %gs:RDX
              mov  %rcx, %gs:TARGET
              movzwl %cx, %ecx
              mov  %gs:TABLE, %rdx
              jmp  *(%rdx,%rcx,8)
     prefix:  mov  %gs:TARGET, %rcx
              mov  $-PC, %rdx
              lea  (%rcx,%rdx), %rcx
              jrcxz 1f
              jmp  *next
     1:       mov  %gs:RCX, %rcx
              mov  %gs:RDX, %rdx
              (the fragment, or a jump to it)

   In traces the lookup stands at the branch itself (rewrite.h), as processors
   predict where an indirect jump goes by its address; blocks share one, as
   there are many and they had better be short.

   What cannot run in line stands in units of 32 bytes, each of one of four
   kinds which its first bytes tell apart (struct arch_unit), so that a PC in
   there can be translated.  */

#ifndef ARCH_LOOKUP_H
#define ARCH_LOOKUP_H

#include "arch/emit.h"

#define ARCH_TABLE_SIZE 65536
#define ARCH_UNIT_SIZE 32
#define ARCH_LOOKUP_CODE_MAX 64
#define ARCH_PREFIX_MAX 64

static inline unsigned
arch_table_index (app_pc pc)
{
  return pc & (ARCH_TABLE_SIZE - 1);
}

/* The code at `lookup' above.  After ARCH_LOOKUP_SPILLED bytes %rdx is
   spilled.  arch_emit_lookup leaves out the two stores.  */
void arch_emit_shared_lookup (struct emit *e);
void arch_emit_lookup (struct emit *e);
#define ARCH_LOOKUP_SPILLED 9

/* A prefix for PC; NEXT is the address of its slot, within 2 GiB.  */
void arch_emit_prefix (struct emit *e, app_pc pc, cache_pc next);

/* Count how often this is passed, in context.heat at the place for PC, and go
   on to TO, within 2 GiB; but the time that the count comes to THRESHOLD,
   leave the cache with EXIT.  From ARCH_COUNTER_SPILLS bytes on %rcx is in
   the context.  */
void arch_emit_counter (struct emit *e, app_pc pc, unsigned threshold,
                        uint32_t exit, cache_pc to);
#define ARCH_COUNTER_SPILLS 9
#define ARCH_COUNTER_MAX 96

static inline unsigned
arch_heat_index (app_pc pc)
{
  return (unsigned) (pc ^ pc >> 10 ^ pc >> 20) & (ARCH_N_HEAT - 1);
}

/* Units.  UNIT is 32 bytes, aligned, in the writable view.  */

/* Leave the cache with EXIT as the number of the exit.  */
void arch_unit_exit (uint8_t *unit, uint32_t exit);
/* Go to TO, anywhere.  */
void arch_unit_jump (uint8_t *unit, cache_pc to);
/* Data: an address of eight bytes at offset 8.  */
void arch_unit_data (uint8_t *unit, uint64_t value);
#define ARCH_UNIT_DATA_AT 8

enum arch_unit_kind
{
  ARCH_UNIT_EXIT, ARCH_UNIT_JUMP, ARCH_UNIT_DATA
};

/* What UNIT is, and the number or address that it was made with.  */
enum arch_unit_kind arch_unit_read (const uint8_t *unit, uint64_t *value);

#endif
