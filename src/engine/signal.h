/* Signals: from the kernel's handler to the application's.

   Every signal with a handler of the application's, and SEGV, BUS, FPE, ILL
   and TRAP always, comes to the engine's handler first, on the engine's
   signal stack.  By where it found the thread:

     emitted code   the application state is translated into the context; the
                    thread goes on in dispatch_run
     enter routine  the same, the context being the state already
     gate           before the call was issued: it is not issued.  After: its
                    result counts
     engine         the signal is noted

   and signal_deliver, called by dispatch with the thread's vector registers
   live, builds the frame.  A fault in engine code outside of the safe copy
   routines is a bug of the engine's: it says so and exits 70.

   Invariants:
   1. The kernel never blocks the synchronous signals and the kick, but in
      signal_block_everything; otherwise its mask is the application's.
   2. `taken' holds at most one signal: while it does, the kernel blocks all
      others but those of 1.
   3. A signal of 1 that was sent (not a fault) is pending (pending.h) until
      the application's mask lets it through, or something waits for it.
   4. SIG_DFL and SIG_IGN of the application are so in the kernel too, but for
      the synchronous signals and the kick, and SIG_DFL where it dumps
      core.  */

#ifndef ENGINE_SIGNAL_H
#define ENGINE_SIGNAL_H

#include "arch/signal-frame.h"
#include "channel/channel.h"
#include "engine/lock.h"
#include "engine/pending.h"

struct thread;

/* The synchronous signals.  */
#define SIGNAL_SYNC                                                           \
  (SIGSET_BIT (RAW_SIGSEGV) | SIGSET_BIT (RAW_SIGBUS)                         \
   | SIGSET_BIT (RAW_SIGFPE) | SIGSET_BIT (RAW_SIGILL)                        \
   | SIGSET_BIT (RAW_SIGTRAP))
#define SIGNAL_NEVER_BLOCKED                                                  \
  (SIGNAL_SYNC | SIGSET_BIT (CHANNEL_KICK_SIGNAL))
#define SIGNAL_UNBLOCKABLE                                                    \
  (SIGSET_BIT (RAW_SIGKILL) | SIGSET_BIT (RAW_SIGSTOP))

/* The actions of a process, shared by threads made with CLONE_SIGHAND.  */
struct sighand
{
  struct lock lock;
  uint32_t users;
  struct linux_sigaction action[RAW_NSIG];
};

/* A thread's part.  */
struct signal_state
{
  struct sighand *sighand;
  linux_sigset mask;            /* the application's */
  linux_sigset suspend_mask;    /* of sigsuspend, ppoll … */
  bool suspended;               /* suspend_mask applies */
  bool have_taken;
  struct frame_stack altstack;  /* the application's */
  struct signal_record taken;
  struct pending pending;
  linux_sigset awaited;         /* by the system call that it is in */
  struct frame_sw vector;       /* how the kernel saves vector registers */
};

/* The kernel's handler for all that needs one (arch/gate.h).  */
void signal_handler (int sig, struct linux_siginfo *info,
                     struct frame_ucontext *uc);

/* Take over the signals of the process at birth: actions as the kernel has
   them, handlers for the synchronous ones, the mask of T, its signal
   stack.  */
void signal_init (struct thread *t);

/* Deliver what waits for T, the calling thread, whose context is the
   application's: builds a frame and moves the context to the handler, or does
   the default action.  Called by dispatch when context.interrupted was set,
   after clearing it.  Not called from signal context.  */
void signal_deliver (struct thread *t);

/* The instruction at T's context raises SIG with si_code CODE and si_addr
   ADDR, as trap number TRAPNO with error code ERROR: invalid opcode (6),
   int3 (3, code SI_KERNEL), a fetch that faults (14), #GP (13) …  Delivered
   before the application goes on.  For trap 3 the context is after the
   instruction, else at it.  */
void signal_raise (struct thread *t, int sig, int code, app_addr addr,
                   unsigned trapno, uint64_t error);

/* How the kernel saves the vector registers of the calling thread T.  */
const struct frame_sw *signal_vector (struct thread *t);

/* Do what the application's action for REC is, for the calling thread T in
   dispatch; the debugger has seen it.  */
void signal_apply (struct thread *t, struct signal_record *rec);

/* Something can be delivered to T, the calling thread, now, or is what its
   system call waits for.  */
MUST_USE bool signal_waits (const struct thread *t);

/* The mask of T that applies now.  */
static inline linux_sigset
signal_mask_now (const struct signal_state *s)
{
  return s->suspended ? s->suspend_mask : s->mask;
}

/* The signals that T would do something with: a look from outside.  */
linux_sigset signal_wanted (const struct thread *t);

/* Send the kick to T: its context.interrupted is set first.  False: there is
   no such thread.  */
bool signal_kick (struct thread *t);

/* Set the application's mask of T, the calling thread, and the kernel's with
   it.  */
void signal_set_mask (struct thread *t, linux_sigset mask);

/* Bring the mask that the kernel has for the calling thread T in line with
   the application's.  */
void signal_mask_sync (struct thread *t);

/* Give the kernel the application's whole mask, for the calling thread T.
   Back by signal_mask_sync.  */
void signal_set_native_mask (struct thread *t);

/* Block all that can be taken for the calling thread, so that what is said of
   have_taken stays true.  Back by signal_mask_sync.  */
void signal_close_mask (void);

/* The part of MASK that the kernel is told.  */
static inline linux_sigset
signal_kernel_mask (linux_sigset mask)
{
  return mask & ~(SIGNAL_NEVER_BLOCKED | SIGNAL_UNBLOCKABLE);
}

/* Block all signals, the synchronous ones too, for the calling thread: around
   clone, and before exit.  Back by signal_mask_sync.  */
void signal_block_everything (void);

/* Give the kernel the action for SIG that goes with the application's in H.
   Returns 0 or -errno.  */
long signal_set_action (const struct sighand *h, int sig);

/* The same as it would be without the engine: for exec and death.  */
long signal_set_native_action (const struct sighand *h, int sig);

/* T, the calling thread, uses its signal stack from now on.  */
void signal_use_stack (const struct thread *t);

/* A child thread T of PARENT, by clone FLAGS, gets its signal state.  False:
   memory is out.  */
MUST_USE bool signal_clone (struct thread *t, const struct thread *parent,
                            uint64_t flags);

/* T is gone: drop its part.  */
void signal_thread_exit (struct thread *t);

/* Issue the call of T, which waits for SET; if one of these is pending with
   the engine, that goes to *REC and the result is SIGNAL_TAKEN.  */
#define SIGNAL_TAKEN (-514L)
long signal_issue_awaiting (struct thread *t, linux_sigset set,
                            struct signal_record *rec);

/* rt_sigreturn: T's context and masks become those of the frame at its stack
   pointer; ends in dispatch.  Returns if the frame cannot be read.  */
void signal_return (struct thread *t);

/* All actions of T's process become SIG_DFL but for those that are SIG_IGN:
   CLONE_CLEAR_SIGHAND, after fork.  */
void signal_clear_actions (struct thread *t);

/* T leaves the engine for good: actions, mask and alternate stack in the
   kernel become the application's, and it runs natively from where its
   context says.  T is its process's only thread.  */
NORETURN void signal_go_native (struct thread *t);

/* The two parts of that for a process with threads: what belongs to the
   process, once all signals are blocked for all of its threads; and what
   belongs to T, the calling thread, which is gone then.  */
void signal_restore_actions (struct thread *t);
NORETURN void signal_leave_native (struct thread *t);

/* T, whose process is about to dump core, leaves the engine, but runs no
   instruction of the application: its tracer holds it where it takes
   CHANNEL_LEFT_SIGNAL.  NR is the system call that it is in; -1: none.
   signal_prepare_leaving makes sure that nothing else comes of that.  */
NORETURN void signal_leave (struct thread *t, int64_t nr);
void signal_prepare_leaving (void);

/* The size that the largest signal frame may need, from the auxiliary
   vector; 0: not told.  */
extern uint64_t signal_frame_max;

/* The alternate stack of T holds SP, as sigaltstack and the kernel's choice
   of a stack see it.  */
MUST_USE bool signal_on_altstack (const struct thread *t, app_addr sp);

#endif
