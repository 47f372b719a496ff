/* Rewriting: the code that stands in the cache for one instruction of the
   application, where a copy of its bytes would not do the same there.

   A rewriter is an emitter with a notebook.  Each function writes what stands
   for one instruction, and notes for every instruction that it writes what
   the application's state is when the thread is interrupted there, so that
   any cache address translates (cache/translate.h).

   Scratch registers are spilled to their own places in the thread's block and
   taken back before the next instruction; the arithmetic flags are not
   touched.  The application's stack is written to only as the application
   would.  Knows no block structure, no locks.  */

#ifndef ARCH_REWRITE_H
#define ARCH_REWRITE_H

#include "arch/decode.h"
#include "arch/emit.h"

/* What the application's PC is, from a note on.  */
enum arch_note_kind
{
  ARCH_NOTE_COPY,       /* APP bytes into the block, and moving with the
                           cache address */
  ARCH_NOTE_AT,         /* APP bytes into the block */
  ARCH_NOTE_EXIT,       /* the target of exit number APP of the fragment */
  ARCH_NOTE_TARGET_RCX, /* in %rcx */
  ARCH_NOTE_TARGET,     /* in context.target */
  ARCH_NOTE_DIFFERENCE, /* %rcx and where segment number APP begins */
  ARCH_NOTE_TURN        /* a turn of a repeated string instruction is done and
                           not yet counted: rewrite_count_turn, with APP as
                           HOW */
};

struct arch_note
{
  uint16_t at;          /* bytes into the code of the fragment */
  uint16_t app;
  uint8_t kind;         /* enum arch_note_kind */
  uint8_t flags_saved : 1;      /* by rewrite_save, to the context */
  uint8_t aside : 1;    /* %rcx is in %r11 */
  uint8_t ruled : 1;    /* what rules do in front of that instruction has been
                           done */
  uint8_t engine : 1;   /* as in C code of the engine's: it has no state */
  uint8_t own : 1;      /* memory is accessed on the engine's behalf: an
                           alignment fault is none of the application's */
  uint16_t spilled;     /* mask of registers that are in the context */
};

/* A read by emitted code whose fault is none of the application's: where to
   go on, both in bytes into the code of the fragment.  In order of AT.  */
struct arch_fault
{
  uint16_t at, to;
};

/* Those of one instruction.  */
#define ARCH_MAX_FAULTS 128

#define ARCH_MAX_NOTES 1024
/* No instruction's rewriting is longer than this.  */
#define ARCH_REWRITE_MAX 128

struct rewriter
{
  struct emit e;
  uint8_t *start;               /* where the fragment's code begins */
  app_pc pc;                    /* of the fragment */
  unsigned n_notes;
  struct arch_note notes[ARCH_MAX_NOTES];
  unsigned n_faults;
  struct arch_fault faults[2 * ARCH_MAX_FAULTS + 1];

  /* Registers that rules use from one instruction to a later one, masks.  */
  unsigned held;                /* by the flavour: ARCH_HELD, or none */
  unsigned lent;                /* of those held, what is a rule's now; the
                                   application's value is in the context */
  unsigned kept;                /* the context has the application's value;
                                   lent is a part of it */
  bool aside;                   /* %rcx is a rule's too: the application's
                                   value is in %r11, which is lent */
  uint64_t constant;            /* in %r10, if lent; 0: not known */
  uint64_t border;              /* in %r10 at each border */

  /* As in a note, for notes to come.  */
  app_pc ruled;                 /* 0: none */
  bool engine, own;
};

/* Note that from here on the state is KIND, APP with the registers in the
   mask SPILLED, and those that are lent, in the context.  */
void rewrite_note (struct rewriter *w, enum arch_note_kind kind,
                   uint64_t app, unsigned spilled);

/* A flavour may hold registers for its rules, those that programs use least.
   At the borders of its fragments, where they are entered and left, the
   application's values are in the context, and %r10 is a constant; so that
   checks in one block after the other need neither spill nor load, which
   would make a chain through memory of all of them.  Where the application
   uses such a register it gets it back, and at the next check or border it is
   taken again.  */
#define ARCH_HELD (1u << ARCH_R10 | 1u << ARCH_R11)

/* Begin at a border; CONSTANT 0: the flavour holds nothing.  */
void rewrite_hold (struct rewriter *w, uint64_t constant);

/* In front of the instruction at PC, with the registers of SPILLED in the
   context besides: take all held registers for a rule; make %r10 CONSTANT;
   put %rcx aside, to %r11.  */
void rewrite_lend (struct rewriter *w, app_pc pc, unsigned spilled);
void rewrite_constant (struct rewriter *w, uint64_t constant);
void rewrite_set_aside (struct rewriter *w, app_pc pc);

/* Give the registers of MASK, %rcx among them, back to the application.  */
void rewrite_give_back (struct rewriter *w, app_pc pc, unsigned mask);
#define REWRITE_ALL ((1u << ARCH_N_GPR) - 1)

/* A border is next.  */
void rewrite_border (struct rewriter *w, app_pc pc, unsigned spilled);

/* Registers that I, which comes next, needs back.  */
unsigned rewrite_needed (const struct rewriter *w, const struct insn *i);

/* I comes next, or came last, with what it needs given back.  */
void rewrite_passes (struct rewriter *w, const struct insn *i);

/* Save the arithmetic flags and the registers of MASK, which has %rax, in
   front of the instruction I, so that what follows may change them.  With
   ALL_FLAGS context.rflags is set too, and MASK has %rsp.  */
void rewrite_save (struct rewriter *w, const struct insn *i, unsigned mask,
                   bool all_flags);

/* From here on rules have done what they do in front of I: a thread that is
   interrupted from now on, before I is done, must not do it again.  To be
   followed by a note.  */
void rewrite_set_ruled (struct rewriter *w, const struct insn *i);

/* From here on, or not any more, a thread that is interrupted goes on, as in C
   code of the engine's: it has to look at context.interrupted afterwards.  To
   be followed by a note.  */
void rewrite_set_engine (struct rewriter *w, bool engine);

/* Note that from here on the state is that behind rewrite_save.  */
void rewrite_saved (struct rewriter *w, const struct insn *i, unsigned mask);

/* Take back what rewrite_save saved; still in front of I.  */
void rewrite_restore (struct rewriter *w, const struct insn *i,
                      unsigned mask);
#define REWRITE_SAVE_MAX 192    /* bytes of code of each */

/* The arithmetic flags as rewrite_save has saved them: RFLAGS with those of
   the word SAVED.  */
uint64_t rewrite_flags (uint64_t rflags, uint64_t saved);

/* True if I can stand in the cache as it is.  */
static inline bool
rewrite_is_copy (const struct insn *i)
{
  return i->branch == INSN_NO_BRANCH
         && !(i->properties
              & (INSN_RIP_RELATIVE | INSN_SEG_GS | INSN_GS_BASE
                 | INSN_SETS_TF));
}

enum rewrite_status
{
  REWRITE_OK,
  REWRITE_UNSUPPORTED   /* nothing was written */
};

/* Write what stands for I, which is no branch and not rewrite_is_copy:
   %rip-relative operands, %gs.  NEAR: the displacement may be re-encoded where
   it reaches.  */
MUST_USE enum rewrite_status rewrite_operand (struct rewriter *w,
                                              const struct insn *i, bool near);

/* The same for any I that is no branch.  */
MUST_USE enum rewrite_status rewrite_insn (struct rewriter *w,
                                           const struct insn *i, bool near);

/* Write the popf I; if it would set the trap flag, control goes to TRAP, in
   front of it.  */
void rewrite_popf (struct rewriter *w, const struct insn *i, cache_pc trap);

/* Push the address after the call I.  SLOT, within 2 GiB, is an aligned
   place of eight bytes in code memory that holds it (filled in by the
   caller), used where the address is not a sign-extended imm32; SPILLED as in
   a note.  */
void rewrite_push_return (struct rewriter *w, const struct insn *i,
                          cache_pc slot, unsigned spilled);
static inline bool
rewrite_push_needs_slot (app_pc address)
{
  return (int64_t) address != (int32_t) address;
}

/* Spill %rcx and load it with where the indirect jump or call I goes.  Leaves
   a note that %rcx is spilled and the PC still that of I.  */
MUST_USE enum rewrite_status rewrite_load_target (struct rewriter *w,
                                                  const struct insn *i,
                                                  bool near);

/* Spill %rcx and pop it as the ret I does.  */
void rewrite_pop_target (struct rewriter *w, const struct insn *i);

/* Where an indirect branch is likely to go to: %rcx, which is spilled, is
   compared with TARGET.  If it differs it is looked for.  If it is the same
   control goes on behind what is emitted, where SEGMENT shall begin;
   rewrite_expected must follow there.  */
void rewrite_expect (struct rewriter *w, app_pc target, unsigned segment);
void rewrite_expected (struct rewriter *w);

/* Look for the target of an indirect branch that is in %rcx, spilled, and go
   there (lookup.h): in line, or by the code at SHARED.  */
void rewrite_lookup (struct rewriter *w);
void rewrite_shared_lookup (struct rewriter *w, cache_pc shared);

/* Leave with the target of an indirect branch that is in %rcx, spilled,
   without looking for it.  */
void rewrite_miss (struct rewriter *w);

/* Emit the branch I so that it is taken to TAKEN; EXIT is the number of that
   exit, EXIT + 1 that of the fall-through path.  Returns the field of four
   bytes, in the writable view, that holds the distance.  For a loop or jrcxz
   the fall-through path is emitted first: FALL is its target, and *FALL_FIELD
   its field; 0 for others.  */
uint8_t *rewrite_conditional (struct rewriter *w, const struct insn *i,
                              unsigned exit, cache_pc taken, cache_pc fall,
                              uint8_t **fall_field);

/* Emit one turn of the repeated string instruction I, which could be copied:
   that of a loop which is taken, to I itself, while there are turns left.  The
   rest as rewrite_conditional, for a loop.  */
uint8_t *rewrite_turn (struct rewriter *w, const struct insn *i,
                       unsigned exit, cache_pc taken, cache_pc fall,
                       uint8_t **fall_field);

/* Count a turn in R, as HOW of a note says.  Returns the number of the exit of
   which the target comes next.  */
unsigned rewrite_count_turn (struct arch_regs *r, unsigned how);

/* Compare the application's N bytes at PC with what they are now, and go to
   CHANGED if they differ; %rcx and %rdx are spilled and taken back.  At most
   REWRITE_VERIFY_MAX bytes of code.  Returns nothing: CHANGED is reached by a
   branch that never changes.  */
void rewrite_verify (struct rewriter *w, app_pc pc, size_t n,
                     cache_pc changed);
#define REWRITE_VERIFY_APP_MAX 64
#define REWRITE_VERIFY_MAX 640

/* jmp TO; returns the field as above.  */
uint8_t *rewrite_jump (struct rewriter *w, cache_pc to);

#endif
