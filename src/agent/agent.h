/* Agent expressions compiled to native code, to stand inline at a point.

   The code that agent_compile writes is one rule's: a breakpoint's condition,
   or a tracepoint's action.  It is position-independent but for its exits.

   At its entry:
   - %gs:0 is the thread's struct arch_context; the arithmetic flags have been
     saved, to CONTEXT_RFLAGS if info.rflags_read;
   - of the general registers, all in agent_clobbers () and in info.gpr_read
     have been saved to CONTEXT_GPR, each in its own place; if info.has_calls
     that is all sixteen.

   At an exit the registers of agent_clobbers () hold anything, %rsp included,
   the arithmetic flags too, and DF is clear if info.has_calls; the owner takes
   them back from the context.  The application's stack has not been touched:
   what does not fit into registers lies below CONTEXT_ENGINE_RSP.  At the
   error exit CONTEXT_SPILL (0) is an enum agent_error and CONTEXT_SPILL (1)
   the address or number that it is about; CONTEXT_SPILL (0) and (1) are
   otherwise left alone unless info.has_calls.

   Faults: a read of memory that faults is in FAULTS; whoever gets the signal
   (SIGSEGV or SIGBUS) looks the PC up with agent_fault_exit, and goes on at
   the address that it says, registers unchanged.

   A loop in an expression is cut off after AGENT_MAX_LOOPS jumps backwards,
   with an error.

   No state, no locks, no allocation.  agent_fault_exit may run in signal
   context, and so may what is compiled.  */

#ifndef AGENT_AGENT_H
#define AGENT_AGENT_H

#include "agent/bytecode.h"
#include "arch/emit.h"

#define AGENT_MAX_LOOPS 100000

enum agent_error
{
  AGENT_NO_ERROR,
#define AGENT_ERROR(NAME, SENTENCE) AGENT_##NAME,
#include "agent/errors.def"
#undef AGENT_ERROR
  AGENT_N_ERRORS
};

/* What compiled code calls, on the engine's stack, with all of the
   application's general registers in CONTEXT; vector registers are still the
   application's and must be left so.  COOKIE is agent_request.cookie.  Each
   returns AGENT_NO_ERROR, or what the expression shall end with.  A hook that
   is null refuses every expression that needs it (BYTECODE_BAD_OPERAND; for
   READ_REGISTER BYTECODE_BAD_REGISTER).  */
struct agent_hooks
{
  /* Record SIZE bytes at ADDR, or a string of at most SIZE, if not 0.  */
  enum agent_error (*trace) (struct arch_context *context, uint64_t cookie,
                             app_addr addr, uint64_t size);
  enum agent_error (*trace_string) (struct arch_context *context,
                                    uint64_t cookie, app_addr addr,
                                    uint64_t size);
  /* Trace state variable NUMBER: record it, get it, set it.  */
  enum agent_error (*trace_variable) (struct arch_context *context,
                                      uint64_t cookie, uint64_t number);
  enum agent_error (*get_variable) (struct arch_context *context,
                                    uint64_t cookie, uint64_t number,
                                    uint64_t *value);
  enum agent_error (*set_variable) (struct arch_context *context,
                                    uint64_t cookie, uint64_t number,
                                    uint64_t value);
  /* Print FORMAT with its arguments ARGS, as many as it has directives.  */
  enum agent_error (*print) (struct arch_context *context, uint64_t cookie,
                             const char *format, const uint64_t *args);
  /* The value of GDB's register NUMBER, which is not a general one, a segment
     or rip, rflags, fs_base, gs_base, orig_rax.  */
  enum agent_error (*read_register) (struct arch_context *context,
                                     uint64_t cookie, uint64_t number,
                                     uint64_t *value);
};

/* Where compiled code goes.  Null: to the end of what is written, where the
   owner goes on.  Others lie within 2 GiB.  An action, for which value is not
   asked, takes YES.  */
struct agent_exits
{
  cache_pc yes, no, error;
};

struct agent_request
{
  const uint8_t *bytes;         /* stay where they are if they have a printf */
  size_t length;
  bool want_value;              /* a condition: go to YES or NO by the value */
  bool has_fsgsbase;            /* the processor and the kernel let rdfsbase */
  app_pc pc;                    /* of the point: what $rip is; 0: what the
                                   context says */
  const struct agent_hooks *hooks;      /* stays */
  uint64_t cookie;
  struct agent_exits exits;
};

/* A read that may fault, and where to go on then; offsets from the start of
   the code.  */
struct agent_fault
{
  uint32_t at, exit;
};

struct agent_code
{
  cache_pc start;
  uint32_t size;
  uint32_t n_faults;
  struct agent_fault *faults;   /* in order; the owner's array, with room for
                                   info.n_refs */
};

/* Look at the expression of R and fill in INFO and MAP (bytecode.h).  */
MUST_USE enum bytecode_refusal agent_verify (const struct agent_request *r,
                                             struct bytecode_map *map,
                                             struct bytecode_info *info);

/* Registers that the code for INFO changes, a mask by enum arch_gpr.  */
unsigned agent_clobbers (const struct bytecode_info *info);

/* An upper bound of the bytes that agent_compile writes for INFO.  */
size_t agent_code_max (const struct bytecode_info *info);

/* Write the code for R, which agent_verify has accepted with MAP and INFO, to
   E, and fill in *CODE, whose faults array the caller has set.  Refuses only
   with BYTECODE_UNREACHABLE.  */
MUST_USE enum bytecode_refusal agent_compile (const struct agent_request *r,
                                              struct bytecode_map *map,
                                              const struct bytecode_info *info,
                                              struct emit *e,
                                              struct agent_code *code);

/* Where to go on after a fault at PC; null if that is no read of CODE's.  */
cache_pc agent_fault_exit (const struct agent_code *code, cache_pc pc);

/* The sentence for ERROR.  */
const char *agent_sentence (enum agent_error error);

#endif
