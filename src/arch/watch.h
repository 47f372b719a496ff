/* Checks of what an instruction is about to access, for watchpoints.

   A table has two planes, each with a byte for each byte of memory, whose
   address is cut to 32 bits (a wide table) or 16.  In the first one a byte is
   not zero if that byte of memory is watched; in the second, if any of the 64
   from there on is.  So a table may say of memory that is not watched that it
   is, when that is 4 GiB away from what is; never the other way.

   The code of a block holds two registers (rewrite.h), and has the address of
   the first plane in %r10.  In front of the instruction stands a check that
   reads as many bytes of that plane as the operand has; or, for operands of
   more than eight, one byte of the second.  It touches no flags:

              mov   %rcx, %r11          (once, until %rcx is wanted)
              lea   OPERAND, %ecx
              mov   (%r10,%rcx), %ecx   (1, 2, 4 or 8 bytes)
              jrcxz 1f
              jmp   rest
     1:

   Behind the block stands for each instruction what is to be done if a check
   finds something: the thread leaves with ARCH_EXIT_WATCH, in front of the
   instruction; then, if it is told so, does a copy of the instruction there,
   leaves again with ARCH_EXIT_WATCHED, and goes on behind the original.

   No state, no locks.  */

#ifndef ARCH_WATCH_H
#define ARCH_WATCH_H

#include "arch/rewrite.h"

/* Bytes of a plane; 64 at the end are those at the start once more.  */
#define ARCH_WATCH_WIDE ((1ul << 32) + 64)
#define ARCH_WATCH_NARROW ((1ul << 16) + 64)
#define ARCH_WATCH_LINE 64

struct arch_watch_table
{
  uint8_t *bytes, *lines;       /* the planes */
  bool wide;
  bool has_fsgsbase;            /* rdfsbase may be used */
  app_addr low, high;           /* nothing is watched outside of these */
};

/* The checks of one instruction, and what is left to do behind the block.  */
#define ARCH_WATCH_MAX_CHECKS (2 * 2 * INSN_MAX_MEM)

struct arch_watch_site
{
  struct insn insn;
  app_pc base;                  /* of the rewriter then */
  unsigned n_jumps;
  uint8_t *jump[ARCH_WATCH_MAX_CHECKS]; /* end of each jump to the rest,
                                           writable */
  bool saved;                   /* rewrite_save was done before they go */
  cache_pc back;                /* behind the instruction; 0: nowhere */
  unsigned lent;                /* and what is there */
  bool aside;
  uint64_t constant;
};

#define ARCH_WATCH_CHECK_MAX 96         /* bytes of code */
#define ARCH_WATCH_REST_MAX 320
#define ARCH_WATCH_LEAVE_MAX 64

/* Set or clear the bytes of T for [START, END).  */
void arch_watch_mark (const struct arch_watch_table *t, app_addr start,
                      app_addr end, bool set);

/* The operand M can be checked by rewrite_watch.  Others have to leave
   always.  */
bool arch_watch_can_check (const struct insn_mem *m, const struct insn *i);

/* Begin S for the checks of I, which comes next.  */
void rewrite_watch_begin (const struct rewriter *w, const struct insn *i,
                          struct arch_watch_site *s);

/* Write a check of the operand M, at most ARCH_WATCH_LINE bytes, with the
   table T, for S.  rewrite_watch_rest is to be called before the fragment is
   finished.  */
void rewrite_watch (struct rewriter *w, struct arch_watch_site *s,
                    const struct insn_mem *m,
                    const struct arch_watch_table *t);

/* The instruction of S has been written, and is no branch.  */
void rewrite_watch_after (const struct rewriter *w,
                          struct arch_watch_site *s);

void rewrite_watch_rest (struct rewriter *w, const struct arch_watch_site *s);

/* The same for an instruction that is a string instruction with a prefix that
   repeats it: go to the rest if what it may touch meets what lies between the
   lowest and the highest thing watched.  TABLE holds the N tables, of which
   number K is to be asked about accesses of the kind ACCESS[K].  False, and
   nothing is written: it cannot be told.  */
MUST_USE bool rewrite_watch_repeated (struct rewriter *w,
                                      struct arch_watch_site *s,
                                      const struct arch_watch_table *table,
                                      const uint8_t *access, unsigned n);
#define ARCH_WATCH_REPEATED_MAX 640     /* bytes of code */

/* Leave in front of I whatever it accesses.  */
void rewrite_watch_leave (struct rewriter *w, const struct insn *i);

#endif
