/* Checks of what an instruction is about to access, for watchpoints.

   A table has a bit for each byte of memory that is watched: of address A it
   is bit A % 8 of the byte A / 8, cut to 32 bits (a wide table) or 16.  So it
   may say of a byte that is not watched that it is; never the other way.

   In front of the instruction stands a quick check, that no bit is set of the
   eight aligned bytes where the operand begins and of as many behind as it can
   reach; it touches no flags.  What it lets through, and what it could not do
   without flags, goes to a second one, exact but for what the table confuses,
   that stands behind the block; and when that finds a bit, the thread leaves
   the cache with ARCH_EXIT_WATCH, in front of the instruction.

     quick:   lea   OPERAND, %rcx
              rorx  $3, %rcx, %rcx
              mov   %ecx, %ecx
              movzwl (%rdx,%rcx), %ecx
              jrcxz 1f
              jmp   rest
     1:

   %rcx and %rdx, which holds the address of the table, are lent to the checks
   (rewrite_lend) until the block ends or the application uses them: spilling
   and loading them around each check would make a chain through memory of
   all the checks in a loop.

   No state, no locks.  */

#ifndef ARCH_WATCH_H
#define ARCH_WATCH_H

#include "arch/rewrite.h"

/* Bytes of a table; 8 at the end are those at the start once more.  */
#define ARCH_WATCH_WIDE ((1ul << 32) + 8)
#define ARCH_WATCH_NARROW ((1ul << 16) + 8)

struct arch_watch_table
{
  uint8_t *bits;
  bool wide;
  bool has_fsgsbase;            /* rdfsbase may be used */
  bool has_bmi2;                /* rorx is there */
  app_addr low, high;           /* nothing is watched outside of these */
};

/* What is left to do behind the block for a check in front of PC.  */
struct arch_watch_site
{
  struct insn_mem mem;
  app_pc pc;
  uint8_t *jump;                /* end of the jump to here, writable */
  cache_pc back;
  unsigned lent;                /* registers, as at BACK */
  const struct arch_watch_table *table;
};

#define ARCH_WATCH_QUICK_MAX 512        /* bytes of code */
#define ARCH_WATCH_REST_MAX 400
#define ARCH_WATCH_LEAVE_MAX 64

/* The processor has what the quick check needs.  */
bool arch_watch_has_bmi2 (void);

/* Set or clear the bits of T for [START, END).  */
void arch_watch_mark (const struct arch_watch_table *t, app_addr start,
                      app_addr end, bool set);

/* The operand M can be checked by rewrite_watch.  Others have to leave
   always.  */
bool arch_watch_can_check (const struct insn_mem *m, const struct insn *i);

/* Write a check of the operand M of I, at most 57 bytes, with the table T.
   True: S has been filled in, and rewrite_watch_rest is to be called for it
   before the fragment is finished.  */
MUST_USE bool rewrite_watch (struct rewriter *w, const struct insn *i,
                             const struct insn_mem *m,
                             const struct arch_watch_table *t,
                             struct arch_watch_site *s);
#define ARCH_WATCH_OPERAND_MAX 57

void rewrite_watch_rest (struct rewriter *w, const struct arch_watch_site *s);

/* I is a string instruction with a prefix that repeats it: leave if what it
   may touch comes near anything watched.  TABLE holds the N tables, of which
   number K is to be asked about accesses of the kind ACCESS[K].  False, and
   nothing is written: it cannot be told.  */
MUST_USE bool rewrite_watch_repeated (struct rewriter *w,
                                      const struct insn *i,
                                      const struct arch_watch_table *table,
                                      const uint8_t *access, unsigned n);
#define ARCH_WATCH_REPEATED_MAX 640     /* bytes of code */

/* Leave in front of I whatever it accesses.  */
void rewrite_watch_leave (struct rewriter *w, const struct insn *i);

#endif
