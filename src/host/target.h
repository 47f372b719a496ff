/* What a debugger knows: processes, threads, registers, memory, points.

   The facade between the protocol side (src/gdbstub) and the process side
   (src/host).  The real one drives the engine over the channel; the unit
   tests of the stub link a scripted fake with the same functions.

   The model is that of an all-stop debugger over any number of processes:

   1. Either every process is stopped, or the target runs: since the last
      target_resume no event has been taken.
   2. target_next_event returns an event only when every thread of every
      process has come to a stop (a thread inside a system call counts).
      Events that come up meanwhile are kept, and come out after the next
      resume of their thread, unless it is gone by then, or they are of no
      interest any more: a breakpoint that has been removed, a step of a thread
      that is to go on.
   3. Registers, memory, points, signals and options may be asked for and
      changed while stopped.  While running only target_interrupt,
      target_send_signal, target_kill, target_next_event, target_event_fd,
      the lists and target_close are allowed; reading and writing memory is
      tried.  Anything else answers TARGET_RUNNING.
   4. A thread is named by its kernel id, a process by its leader's, both as
      the server's pid namespace has them.  Signals are Linux's numbers.

   One thread of the server calls all of this; nothing blocks for longer than
   a stop of the processes takes, and every wait has a limit.  */

#ifndef HOST_TARGET_H
#define HOST_TARGET_H

#include "arch/regs.h"

struct target;
struct channel_options;

#define TARGET_XSAVE_MAX 11008  /* as CHANNEL_XSAVE_MAX */
#define TARGET_SIGINFO_SIZE 128
#define TARGET_N_SIGNALS 64

/* Why something was refused; target_refusal_text has a sentence for each.  */
#define TARGET_REFUSALS(X)                                                    \
  X (OK, "done")                                                              \
  X (NO_PROCESS, "no such process")                                           \
  X (NO_THREAD, "no such thread")                                             \
  X (RUNNING, "the target is running")                                        \
  X (FAULT, "memory cannot be accessed")                                      \
  X (UNSUPPORTED, "not supported")                                            \
  X (BAD_ARGUMENT, "an argument makes no sense")                              \
  X (TOO_MANY, "there is no room for more")                                   \
  X (NO_PROGRAM, "the program cannot be found")                               \
  X (BAD_PROGRAM, "the program cannot be run")                                \
  X (ENDED, "the process has ended during startup")                           \
  X (NOT_PERMITTED, "the system does not permit it")                          \
  X (LOST, "the process does not answer")

enum target_refusal
{
#define TARGET_REFUSAL(NAME, TEXT) TARGET_##NAME,
  TARGET_REFUSALS (TARGET_REFUSAL)
#undef TARGET_REFUSAL
  TARGET_N_REFUSALS
};

/* The sentence of R, without capital or full stop.  */
const char *target_refusal_text (enum target_refusal r);

/* Set a target with no process up.  OPTIONS are the engine's, for each
   process to come; NULL: the defaults for a debugger.  They are copied.  */
MUST_USE enum target_refusal
target_create (struct target **t, const struct channel_options *options);

/* Give T up.  Processes that are left are killed if KILL, else they are
   detached and run on.  */
void target_destroy (struct target *t, bool kill);

/* A readable descriptor means: target_next_event has something to do.  While
   stopped it is another one than while T runs, and what is to be done is for
   processes that nobody debugs any more, which exec, fork and die.  */
int target_event_fd (const struct target *t);

/* Wait until PID, which target_detach has let go, has died, if it was born of
   target_spawn; else return at once.  */
void target_join (struct target *t, int pid);

/* A longer explanation of the last refusal ("prog: Permission denied"), or
   an empty string.  Valid until the next call.  */
const char *target_explanation (const struct target *t);


/* Birth and death.  */

/* A program to be run.  Strings and arrays are used during the call only.  */
struct target_program
{
  const char *const *argv;      /* NULL-terminated; argv[0] is looked up in
                                   PATH if it has no slash */
  const char *const *envp;      /* NULL-terminated; NULL: the server's */
  const char *cwd;              /* NULL: the server's */
  const char *const *wrapper;   /* NULL-terminated words put in front of argv,
                                   each of which execs on; NULL: none */
  bool startup_with_shell;      /* by "$SHELL -c exec ...", argv quoted */
  bool disable_randomization;
  const char *tty;              /* its controlling terminal; NULL: none is
                                   set up */
  int stream[3];                /* descriptors of the server's to become 0, 1
                                   and 2; -1: the terminal, if there is one,
                                   or the server's own.  They are left open
                                   in the server */
};

/* Run PROGRAM in a process group of its own, and leave it stopped at its
   first instruction (past shell and wrapper, at the dynamic loader's entry).
   The id goes to *PID.  All other processes must be stopped.  */
MUST_USE enum target_refusal
target_spawn (struct target *t, const struct target_program *program,
              int *pid);

/* Kill PID with SIGKILL and wait until it is gone; no event tells of it.
   May be called while running.  */
MUST_USE enum target_refusal target_kill (struct target *t, int pid);

/* Let PID run on with no debugger; SIGNAL (or 0) is delivered to the thread
   that stopped.  Its points are removed.  It leaves the lists.  A child of
   vfork goes native at its exec.  */
MUST_USE enum target_refusal target_detach (struct target *t, int pid,
                                            int signal);

/* Send SIGNAL to PID's process group as a terminal would, or, when TID is
   not 0, to that thread.  The program sees it, or the debugger stops for it,
   as for any signal.  */
MUST_USE enum target_refusal target_send_signal (struct target *t, int pid,
                                                 int tid, int signal);


/* Who is there.  */

/* Put up to MAX ids into PIDS (TIDS), oldest first, and return how many
   there are in all.  An unknown PID has no threads.  The child of a fork is
   unknown until the event that tells of it.  */
size_t target_processes (struct target *t, int *pids, size_t max);
size_t target_threads (struct target *t, int pid, int *tids, size_t max);

/* The process of thread TID; 0: there is none.  */
int target_thread_process (struct target *t, int tid);

/* The CPU that TID last ran on; -1: not known.  */
int target_thread_core (struct target *t, int tid);

/* Put TID's name, as /proc/PID/comm has it, into NAME; empty: not known.  */
void target_thread_name (struct target *t, int tid, char *name, size_t size);

/* The absolute name of the file that PID runs, as the server sees it.  */
MUST_USE enum target_refusal target_exec_file (struct target *t, int pid,
                                               char *name, size_t size);

/* PID's auxiliary vector, in the kernel's format.  *LENGTH in: room in AUXV;
   out: bytes written.  */
MUST_USE enum target_refusal target_auxv (struct target *t, int pid,
                                          void *auxv, size_t *length);


/* Registers and memory.  */

/* All of a thread's registers.  XSAVE is an image in the standard format
   (SDM volume 1, 13.4) with a valid header; a component whose bit in
   XSTATE_BV is clear has its initial value whatever the bytes say.
   XSAVE_SIZE 0: no vector state is to be had.  */
struct target_regs
{
  struct arch_regs regs;
  uint32_t xsave_size;
  uint8_t xsave[TARGET_XSAVE_MAX] __attribute__ ((aligned (64)));
};

MUST_USE enum target_refusal target_regs_read (struct target *t, int tid,
                                               struct target_regs *regs);

/* Give TID the registers REGS; it takes them when it goes on.  A thread that
   waits in a system call leaves it, as by a signal whose handler returns to
   the new state, with the kernel's rules for restarting by orig_rax.  A
   change of nothing changes nothing.  */
MUST_USE enum target_refusal
target_regs_write (struct target *t, int tid, const struct target_regs *regs);

/* The siginfo of the signal that TID stopped for, in the kernel's format.
   NO_THREAD when there is none.  What is written is delivered with it.  */
MUST_USE enum target_refusal
target_siginfo_read (struct target *t, int tid,
                     uint8_t info[TARGET_SIGINFO_SIZE]);
MUST_USE enum target_refusal
target_siginfo_write (struct target *t, int tid,
                      const uint8_t info[TARGET_SIGINFO_SIZE]);

/* Read (write) up to LENGTH bytes of PID's memory as the application has it,
   and return how many could be: fewer than LENGTH when there is a fault
   behind them, 0 for an unknown process.  What belongs to the engine is not
   there.  A write goes through read-only and execute-only protection, and
   tells the engine.  */
size_t target_memory_read (struct target *t, int pid, app_addr addr,
                           void *buffer, size_t length);
size_t target_memory_write (struct target *t, int pid, app_addr addr,
                            const void *buffer, size_t length);

/* Whether [START, END) of PID's address space is, in part or whole, the
   engine's, and so not to be shown in a list of mappings.  */
bool target_memory_hidden (struct target *t, int pid, app_addr start,
                           app_addr end);


/* Points.  */

enum target_point_kind
{
  TARGET_POINT_BREAK,
  TARGET_POINT_WATCH_WRITE, TARGET_POINT_WATCH_READ, TARGET_POINT_WATCH_ACCESS,
  TARGET_POINT_WATCH_LOG,       /* writes are records, and no stops */
  TARGET_POINT_TRACE,           /* made by target_trace_start alone */
  TARGET_N_POINT_KINDS
};

/* Agent bytecode (GDB manual, "Agent Expressions").  */
struct target_bytecode
{
  const uint8_t *code;
  size_t length;
};

/* With no condition a breakpoint always stops; with some, when any is not
   0, or cannot be evaluated.  When it stops, the commands are run; with
   commands only (n_commands > 0), it goes on after them when NO_STOP.  */
struct target_point
{
  enum target_point_kind kind;
  app_addr addr;
  uint64_t length;              /* of a watched range; 0 for BREAK */
  const struct target_bytecode *conditions;
  size_t n_conditions;
  const struct target_bytecode *commands;
  size_t n_commands;
  bool no_stop;
};

/* Add POINT to the wanted set of PID.  One of the same kind, address and
   length is replaced.  Everything is copied.  UNSUPPORTED: this kind, or
   bytecode, is not implemented; the set is as it was.  */
MUST_USE enum target_refusal
target_point_insert (struct target *t, int pid,
                     const struct target_point *point);

/* Take it out.  BAD_ARGUMENT: it is not in there.  */
MUST_USE enum target_refusal
target_point_remove (struct target *t, int pid, enum target_point_kind kind,
                     app_addr addr, uint64_t length);

/* What the target is able to do, a bit each: the stub announces accordingly.
   Constant for the life of T.  */
enum target_ability
{
  TARGET_CAN_WATCH = 1 << 0,
  TARGET_CAN_CONDITION = 1 << 1,        /* conditions on breakpoints */
  TARGET_CAN_COMMAND = 1 << 2,          /* commands on breakpoints */
  TARGET_CAN_CATCH_SYSCALL = 1 << 3,
  TARGET_CAN_FOLLOW_FORK = 1 << 4,      /* fork and vfork events */
  TARGET_CAN_FOLLOW_EXEC = 1 << 5,
  TARGET_CAN_THREAD_EVENTS = 1 << 6,    /* clone and thread exit events */
  TARGET_CAN_TRACE = 1 << 7
};
unsigned target_abilities (const struct target *t);


/* Tracing: tracepoints in all processes, which collect frames (records, below)
   while threads run.  */

#define TARGET_MAX_TRACEPOINTS 1024
#define TARGET_FIRST_STREAM 768 /* indices from there on are of streams */
#define TARGET_STREAM 0x80000000u       /* numbers of tracepoints likewise */
#define TARGET_STREAM_VALUE 0x8000u
#define TARGET_MAX_VARIABLES 1024       /* numbers below that */

struct target_trace_memory
{
  int base;                     /* GDB's number of a register; -1: none */
  uint64_t offset, size;
};

/* An action without code is one that collects memory.  */
struct target_trace_action
{
  struct target_bytecode code;
  struct target_trace_memory memory;
};

struct target_tracepoint
{
  uint32_t number;              /* several addresses may have the same */
  uint32_t index;               /* below TARGET_MAX_TRACEPOINTS; in frames */
  app_addr addr;
  uint64_t pass_count;          /* tracing ends with that hit; 0: none */
  bool registers, vector;       /* collect them */
  bool few;                     /* of a stream that is read slowly: no more
                                   than a few thousand hits wait for that */
  const struct target_bytecode *condition;      /* or NULL */
  const struct target_trace_action *actions;
  size_t n_actions;
};

enum target_trace_end
{
  TARGET_TRACE_NEVER,           /* it goes on, or has not begun */
  TARGET_TRACE_STOPPED, TARGET_TRACE_FULL, TARGET_TRACE_PASSED,
  TARGET_TRACE_ERROR, TARGET_TRACE_LOST
};

/* Whether it goes on; if not, what ended it, where NUMBER is the tracepoint
   and TEXT says what was wrong.  */
struct target_trace_status
{
  bool running;
  enum target_trace_end end;
  uint32_t number;
  const char *text;
};

/* Begin to trace with the N POINTS, until SIZE bytes have been collected.  */
MUST_USE enum target_refusal
target_trace_start (struct target *t, const struct target_tracepoint *points,
                    size_t n, uint64_t size);

/* Change the points of a trace that goes on, or not.  */
MUST_USE enum target_refusal
target_trace_change (struct target *t, const struct target_tracepoint *points,
                     size_t n);

/* End it, as STOPPED or as END, if it goes on.  May be called while
   running.  */
void target_trace_stop (struct target *t, enum target_trace_end end,
                        uint32_t number);

struct target_trace_status target_trace_status (struct target *t);

/* A stream is a tracepoint that collects whether tracing goes on or not, from
   now on until it is removed.  Its frames come as others do; those beyond its
   pass count do not.  Several points may have one index, and count together:
   from HITS on.  What an expression sets variable TARGET_STREAM_VALUE + K to
   is in the frame as a variable of that number.  */
MUST_USE enum target_refusal
target_stream_add (struct target *t, const struct target_tracepoint *point);
MUST_USE enum target_refusal target_stream_remove (struct target *t,
                                                   uint32_t number);
void target_stream_count_from (struct target *t, uint32_t index,
                               uint64_t hits);

/* Records that there was no room for, so far: the server had taken none for
   seconds.  */
uint64_t target_records_lost (struct target *t);

/* Trace state variable NUMBER exists from now on, with VALUE; IS_TIME: it is
   the time in microseconds.  */
MUST_USE enum target_refusal
target_variable_define (struct target *t, uint32_t number, uint64_t value,
                        bool is_time);

/* Its value; BAD_ARGUMENT: there is none of that number.  */
MUST_USE enum target_refusal
target_variable_get (struct target *t, uint32_t number, uint64_t *value);


/* Running.  */

enum target_resume_kind
{
  TARGET_RESUME_STAY,           /* stays stopped */
  TARGET_RESUME_CONTINUE,
  TARGET_RESUME_STEP,           /* one instruction; a signal delivered with it
                                   stops at its handler's first */
  TARGET_RESUME_RANGE           /* step while pc is in the range, its end
                                   excluded; at least one instruction */
};

/* PID and TID say whom it is for: TID > 0 that thread; else PID > 0 all
   threads of that process; else all.  */
struct target_action
{
  int pid, tid;
  enum target_resume_kind kind;
  int signal;                   /* to deliver; 0: none, which discards the one
                                   that the thread stopped for */
  uint64_t range_start, range_end;
};

/* Let threads go on.  For each the first of the N ACTIONS that names it
   counts; one that none names stays stopped.  A thread that is born later
   continues, unless its parent stays.  Points are brought into force.  When no
   thread is left to run, TARGET_EVENT_NO_RESUMED follows.  A thread whose pc
   is at a breakpoint (with a condition that holds) stops there at once,
   stepping or not, as one does that executes a trap instruction: GDB takes the
   point out to step over it, and expects to stop after a jump to it.  */
MUST_USE enum target_refusal
target_resume (struct target *t, const struct target_action *actions,
               size_t n);

/* Input on descriptor FD (-1: none), which the owner of T reads, asks for a
   stop: when some comes while T runs, threads may be stopped before the owner
   gets to look at it.  If then it calls target_interrupt, it does so before
   target_next_event, which lets the threads run on when nothing has
   happened.  */
void target_listen (struct target *t, int fd);

/* The owner of T is about to sleep until there is something to do.  The
   program may make any number of threads meanwhile, among which it would wake
   late: from now on somebody else listens for it (sentry.h).  Takes some
   microseconds when T runs, once for each target_resume.  */
void target_will_sleep (struct target *t);

/* Such input has been read already, and comes before the next target_resume:
   that lets no thread run before target_next_event.  */
void target_expect_interrupt (struct target *t);

/* Ask for a stop.  An event follows: TARGET_EVENT_INTERRUPT, by a thread of
   process PID (0: any), or another event that came first, in which case the
   request is forgotten.  No effect while stopped.  */
void target_interrupt (struct target *t, int pid);


/* Events.  */

enum target_event_kind
{
  TARGET_EVENT_NONE,
  TARGET_EVENT_BREAKPOINT,      /* pc is the point's address */
  TARGET_EVENT_WATCH,           /* ADDR touched, by the kind in ACCESS; pc is
                                   behind the instruction */
  TARGET_EVENT_STEP,            /* a step, or a range, is done */
  TARGET_EVENT_SIGNAL,          /* about to get SIGNAL */
  TARGET_EVENT_INTERRUPT,       /* target_interrupt */
  TARGET_EVENT_SYSCALL_ENTRY,   /* number in SYSCALL */
  TARGET_EVENT_SYSCALL_RETURN,
  TARGET_EVENT_FORK,            /* CHILD is a stopped process in the lists,
                                   with a copy of PID's set of points */
  TARGET_EVENT_VFORK,           /* likewise, its parent waits for it */
  TARGET_EVENT_VFORK_DONE,      /* the child has execed, exited or gone */
  TARGET_EVENT_CLONE,           /* new thread CHILD; TID is the parent */
  TARGET_EVENT_EXEC,            /* TID is the leader; others are gone; points
                                   are gone; file by target_exec_file */
  TARGET_EVENT_THREAD_EXIT,     /* TID is gone, with STATUS */
  TARGET_EVENT_EXITED,          /* PID is gone, with exit status STATUS */
  TARGET_EVENT_KILLED,          /* PID is gone, by SIGNAL */
  TARGET_EVENT_NO_RESUMED       /* nothing is left that could run */
};

struct target_event
{
  enum target_event_kind kind;
  int pid, tid;
  int signal;                   /* Linux's number; SIGTRAP for what is none */
  int status;
  int child;
  int64_t syscall;
  app_addr addr;
  enum target_point_kind access;
};

/* Take the next event.  Returns false, with kind NONE, when there is none
   yet (wait on target_event_fd), which it always does while stopped: then it
   serves processes that nobody debugs.  EXITED and KILLED stop the other
   processes too.  */
bool target_next_event (struct target *t, struct target_event *event);

/* Take up to SIZE bytes of what commands of points have printed, and return
   how many there were.  target_event_fd is readable when there are some.  */
size_t target_text (struct target *t, char *text, size_t size);

/* The instruction at PC, of thread THREAD, has changed bytes from ADDR on,
   which is in the LENGTH watched bytes at START: the first SIZE of them (up to
   8), little end first, are OLD and NEW.  DROPPED counts the changes that
   could not be recorded, so far.  */
struct target_change
{
  app_pc pc;
  app_addr start;
  uint64_t length;
  app_addr addr;
  uint64_t old, new;
  uint64_t dropped;
  uint32_t thread;              /* from 1 on, as the process makes them */
  unsigned size;
};

/* What the threads of processes note in passing, with no stop.  */
struct target_records
{
  void *data;

  /* A part of a trace frame of process PID: SIZE bytes as the engine wrote
     them, to be believed as little as any of its words.  */
  void (*trace) (void *data, int pid, const void *bytes, size_t size);

  /* False: no more now, if that can wait; threads do, when the ring is
     full.  */
  bool (*ready) (void *data);
};

/* Likewise, what a WATCH_LOG of PID's has seen.  */
struct target_changes
{
  void *data;
  void (*change) (void *data, int pid, const struct target_change *c);
};

/* Have records given to RECORDS, whose functions may be null, as they come:
   from within target_next_event, target_resume, target_kill,
   target_take_records, in order for each thread; those of a process that is
   gone before its event.  target_event_fd is readable when there are some.
   Whoever has no room for one has it lost.  */
void target_set_records (struct target *t,
                         const struct target_records *records);
void target_set_changes (struct target *t,
                         const struct target_changes *changes);

/* Write to TEXT, which has SIZE bytes, what is at ADDR in PID's memory:
   FUNCTION+BYTES as far as it is known.  */
void target_symbol (int pid, app_addr addr, char *text, size_t size);

/* Take what there is now.  */
void target_take_records (struct target *t);

/* Which events are wanted at all, a bit each by TARGET_WANTS.  Without FORK
   and VFORK a child is left to itself, not in the lists; without EXEC it goes
   on in the new image (with its points gone); THREADS are CLONE and
   THREAD_EXIT.  None at first.  */
enum target_wants
{
  TARGET_WANTS_FORK = 1 << 0,
  TARGET_WANTS_VFORK = 1 << 1,          /* VFORK and VFORK_DONE */
  TARGET_WANTS_EXEC = 1 << 2,
  TARGET_WANTS_THREADS = 1 << 3
};
void target_set_wants (struct target *t, unsigned wants);

/* Signals that go to the program with no event, bit N - 1 for signal N; in
   all processes.  None at first.  A signal that would come while its thread
   steps is an event all the same.  */
void target_set_pass_signals (struct target *t, uint64_t set);

/* Signals that a detach may pass on to the program.  All at first.  */
void target_set_program_signals (struct target *t, uint64_t set);

/* System calls of PID to stop at: the N NUMBERS, or all with N 0; not ON:
   none.  */
MUST_USE enum target_refusal
target_catch_syscalls (struct target *t, int pid, bool on,
                       const int *numbers, size_t n);


/* Words for people.  */

/* Run the monitor command WORDS (N of them, without "monitor") about PID, and
   give its output to EMIT piece by piece.  UNSUPPORTED with no explanation:
   the target has no such command; other refusals have one.  The word "help"
   lists those it has.  */
MUST_USE enum target_refusal
target_monitor (struct target *t, int pid, const char *const *words, size_t n,
                void (*emit) (void *data, const char *text), void *data);

#endif
