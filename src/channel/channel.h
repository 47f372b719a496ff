/* The contract between the server and the engine: one shared mapping a
   process, and nothing else.

   Layout: struct channel, then n_slots slots of slot_size bytes from slots_at,
   then the ring of records (channel/ring.h) at records_at.
   All offsets are from the start of the mapping.  Without a debugger there are
   no slots (n_slots is 0) and no ring, nobody reads it from outside, and the
   mapping is private to the process: fork copies it and nothing needs to be
   done.

   Who writes what:
   1. The server writes `birth' before the engine starts, and the command half
      (commands, actions, points) at any time after.
   2. The engine writes all the rest, the state of a slot among it.  The
      application can scribble over any of it, so the server copies a value
      out once, checks it, and uses the copy; no length, index or offset found
      here is believed.
   3. `event' counts up after each change of the engine's that the server may
      be waiting for; then the hub's (channel/hub.h) does, with a futex wake:
      the server waits for all its processes there.
   4. After fork the child of a debugged process gets a mapping of its own at
      the same address (HUB_FORK), and a child of vfork one elsewhere; another
      child that shares memory has none.

   Both sides are of one build; `version' only guards against a mixed
   installation.  */

#ifndef CHANNEL_CHANNEL_H
#define CHANNEL_CHANNEL_H

#include "arch/regs.h"
#include "channel/ring.h"

#define CHANNEL_MAGIC 0x6e616863206f6972ull /* "rio chan" */
#define CHANNEL_VERSION 1
#define CHANNEL_MAX_THREADS 1024        /* seen by a debugger at once */
#define CHANNEL_MAX_POINTS 16384
#define CHANNEL_XSAVE_MAX 11008         /* AMX included */
#define CHANNEL_PATH_MAX 48

/* The engine's kick.  The server sends it by rt_tgsigqueueinfo with si_code
   CHANNEL_KICK_CODE and the cookie of channel_birth as its value.  The number
   is one that libcs keep for themselves and applications cannot wait for: with
   glibc, that by which setuid and its like reach all threads.  */
#define CHANNEL_KICK_SIGNAL 33
#define CHANNEL_KICK_CODE (-1)          /* SI_QUEUE */
/* The same signal with this code, to a process: go native; see
   engine/depart.h.  */
#define CHANNEL_DEPART_CODE (-63)

/* A thread that has left the engine for a core takes this signal, which does
   nothing by default, before its first instruction: hub.h, HUB_CORE.  The
   value is the number of the system call that it is in, or -1.  */
#define CHANNEL_LEFT_SIGNAL 28          /* SIGWINCH */
#define CHANNEL_LEFT_CODE (-62)

/* States of a slot, and who moves it:

     FREE -> RUNNING        engine, a thread is born
     RUNNING <-> SYSCALL    engine, around each system call that may block
     RUNNING -> STOPPED     engine: parked, registers and xsave are valid
     STOPPED -> RUNNING     engine, when `run' has moved on
     SYSCALL -> STOPPED     engine: the call has returned, and a stop is on
     any -> FREE            engine, the thread has exited

   Stops.  A thread parks (STOPPED) at its next look, which it takes at each
   exit from the cache and on its way out of a system call, while

     slot.stop != CHANNEL_STOP_NONE     it has come to an event of its own;
     stop_wanted                        the server wants all threads stopped;
     slot.resume == CHANNEL_RESUME_STAY the server wants this one to stay.

   It makes its slot valid, sets the state, counts `event' up, and waits on
   the futex `run'.  The server sees an event in any slot, sets stop_wanted,
   kicks every thread whose slot is RUNNING, and has a stop when none is left;
   a thread in a system call (SYSCALL) counts as stopped as it is: its slot
   was made valid before the call.  So no thread of the engine waits for
   another, and an engine with all threads in system calls is stopped without
   taking part.

   To let go the server writes commands, points, and the half of each slot
   that is its own, clears `stop' in the slots whose event it has taken, then
   stop_wanted, and counts `run' up with a wake.  The first thread that comes
   out of its wait, or out of a system call, catches up with commands and
   points, under a lock that the others take too, before any enters the cache:
   nothing runs there then, for all are parked or in system calls.  */

/* What the engine is asked to do with its process, from the command line of
   rio-run and rio-gdbserver.  */
struct channel_options
{
  uint8_t debug;                /* a debugger is there: see every stop */
  uint8_t stop_at_start;        /* park before the first instruction */
  uint8_t follow;               /* children run under the engine too */
  uint8_t no_traces;
  uint8_t nx_app;               /* the board: take PROT_EXEC from all pages */
  uint8_t stats;
  uint8_t disable_near;         /* ablation: no cache regions near modules */
  uint8_t disable_inline_compare;
  uint32_t trace_threshold;     /* executions of a head; 0: default */
  uint64_t cache_size;          /* bytes; 0: default */
  uint64_t log_topics;          /* bit set, by src/common/log.def */
};

/* How a process came under the engine, and where it goes on.

   The core region, from engine_base: the image, the channel (CHANNEL_SIZE
   bytes), the hub, and the tether page (see channel/hub.h).  The server maps
   image and channel, both from image_fd and private; the engine maps the
   rest when it starts, and with a debugger a shared channel over the private
   one.  */
struct channel_birth
{
  struct arch_regs regs;        /* at the application's first instruction */
  uint64_t engine_base, engine_size;    /* the image */
  uint64_t channel_addr, channel_size;
  uint64_t hub_addr;            /* HUB_SIZE bytes */
  uint64_t tether_addr;         /* a page */
  uint64_t tether_offset;       /* of it in image_fd */
  uint64_t core_end;
  uint64_t kick_cookie;
  uint64_t nonce;               /* the engine's: goes with a call (hub.h) */
  int32_t pid;                  /* as the server sees it */
  int32_t server_pid;
  int32_t image_fd;             /* to be closed by the engine */
  int32_t hub_fd, channel_fd;   /* likewise, and used in place of the paths;
                                   -1: there is none */
  uint64_t open_files;          /* RLIMIT_NOFILE to go back to; 0: as it is */
  uint32_t generation;          /* 0 at birth, counts up with each exec */
  char hub_path[CHANNEL_PATH_MAX];      /* to open for the hub */
  char channel_path[CHANNEL_PATH_MAX];  /* of the shared channel; empty: the
                                           private one stays */
  struct channel_options options;
};

enum channel_thread_state
{
  CHANNEL_FREE, CHANNEL_RUNNING, CHANNEL_SYSCALL, CHANNEL_STOPPED
};

/* The event of its own that a thread stopped for; NONE: it stops along with
   others.  In a slot in state SYSCALL only CHANNEL_STOP_VFORK can stand: the
   parent of a vfork, which waits in the kernel; its child has written it.  */
enum channel_stop
{
  CHANNEL_STOP_NONE,
  CHANNEL_STOP_START,           /* parked before the first instruction, of a
                                   program or of a fork's child */
  CHANNEL_STOP_POINT,           /* at a breakpoint; pc is its address */
  CHANNEL_STOP_STEP,            /* a step, or a range step, is done */
  CHANNEL_STOP_SIGNAL,          /* about to get a signal: number in siginfo */
  CHANNEL_STOP_WATCH,           /* stop_addr: the watched address, behind the
                                   instruction; stop_arg: the point's kind */
  CHANNEL_STOP_SYSCALL_ENTRY, CHANNEL_STOP_SYSCALL_RETURN,
  CHANNEL_STOP_FORK, CHANNEL_STOP_VFORK,        /* child in stop_arg */
  CHANNEL_STOP_VFORK_DONE,
  CHANNEL_STOP_CLONE,           /* child in stop_arg */
  CHANNEL_STOP_THREAD_EXIT,     /* status in stop_arg */
  CHANNEL_STOP_CONDITION_ERROR, /* at a breakpoint whose condition could not
                                   be evaluated: enum agent_error in stop_arg,
                                   what it is about in stop_addr */
  CHANNEL_N_STOPS
};

/* What a thread shall do when the process goes on.  */
enum channel_resume
{
  CHANNEL_RESUME_CONTINUE,
  CHANNEL_RESUME_STEP,          /* one instruction */
  CHANNEL_RESUME_RANGE,         /* while pc is in [range_start, range_end) */
  CHANNEL_RESUME_STAY           /* stays stopped */
};

struct channel_thread
{
  uint32_t state;               /* enum channel_thread_state */
  int32_t tid;                  /* as the server's pid namespace has it */
  uint32_t stop;                /* enum channel_stop */
  int32_t signal;               /* of CHANNEL_STOP_SIGNAL */
  uint64_t stop_addr;
  uint64_t stop_arg;
  int64_t syscall;              /* number, while in one; -1 */
  struct arch_regs regs;        /* valid when STOPPED or SYSCALL */
  uint8_t siginfo[128];         /* of the signal, kernel format */
  uint32_t xsave_size;          /* 0: not available */

  /* The server's half, read by the engine when it resumes.  */
  uint32_t resume;              /* enum channel_resume; stays in force */
  int32_t resume_signal;        /* to deliver; 0: none */
  int32_t sent_signal;          /* that the server sends by tgkill to a thread
                                   in a system call: it is no event */
  uint32_t regs_changed;        /* server wrote regs; a thread in a system
                                   call is kicked out of it */
  uint32_t xsave_changed;
  uint32_t siginfo_changed;
  uint64_t range_start, range_end;

  uint8_t xsave[CHANNEL_XSAVE_MAX] __attribute__ ((aligned (64)));
};

/* A point that the server wants.  The array is a wanted set: the engine
   compares it with what it has built when `points_generation' has moved.  */
enum channel_point_kind
{
  CHANNEL_POINT_NONE, CHANNEL_POINT_BREAK,
  CHANNEL_POINT_WATCH_WRITE, CHANNEL_POINT_WATCH_READ,
  CHANNEL_POINT_WATCH_ACCESS,
  CHANNEL_POINT_WATCH_LOG,      /* writes are recorded, and do not stop */
  CHANNEL_POINT_TRACE           /* channel/trace.h */
};

/* A point may have agent bytecode: N_CONDITIONS expressions and after them
   N_COMMANDS, each in the pool as a uint32_t with its length and then its
   bytes, padded to 4, from pool + CODE_AT.  */
struct channel_point
{
  uint32_t kind;                /* enum channel_point_kind */
  uint8_t no_stop;              /* go on after the commands */
  uint8_t pad[3];
  uint64_t addr, length;
  uint32_t code_at;
  uint16_t n_conditions, n_commands;
};

#define CHANNEL_POOL_SIZE (1ul << 20)

/* The ring of text that commands of points print, for the debugger's user:
   from number console_taken to console_put, which count up, at their low
   bits.  */
#define CHANNEL_CONSOLE_SIZE 8192

enum channel_process_state
{
  CHANNEL_PROCESS_STARTING,     /* no thread has a slot yet */
  CHANNEL_PROCESS_RUNNING,
  CHANNEL_PROCESS_EXITED        /* exit_status is valid: wait status format */
};

/* Events that are wanted, a bit each.  */
enum channel_wants
{
  CHANNEL_WANTS_FORK = 1 << 0,
  CHANNEL_WANTS_VFORK = 1 << 1,         /* VFORK and VFORK_DONE */
  CHANNEL_WANTS_THREADS = 1 << 2        /* CLONE and THREAD_EXIT */
};

/* What the engine of this build is able to do for a debugger, beside
   breakpoints, steps and signals: whoever implements one adds its bit.  */
enum channel_ability
{
  CHANNEL_CAN_WATCH = 1 << 0,
  CHANNEL_CAN_CONDITION = 1 << 1,
  CHANNEL_CAN_COMMAND = 1 << 2,
  CHANNEL_CAN_CATCH = 1 << 3,
  CHANNEL_CAN_THREADS = 1 << 4,
  CHANNEL_CAN_TRACE = 1 << 5
};

#define CHANNEL_ENGINE_ABILITIES                                              \
  ((unsigned) (CHANNEL_CAN_CONDITION | CHANNEL_CAN_COMMAND                    \
               | CHANNEL_CAN_CATCH | CHANNEL_CAN_WATCH                        \
               | CHANNEL_CAN_THREADS | CHANNEL_CAN_TRACE))

/* System calls to stop at.  */
enum channel_catch
{
  CHANNEL_CATCH_NONE,
  CHANNEL_CATCH_ALL,
  CHANNEL_CATCH_SET             /* those in catch_set, by number */
};

#define CHANNEL_CATCH_WORDS 16          /* system calls below 1024 */
#define CHANNEL_MAX_HIDDEN 1024

/* What belongs to the engine, and not to the program.  */
struct channel_range
{
  uint64_t start, end;
};

/* Commands, which the engine catches up with before any thread runs on: in
   order, from number `served' to `issued', which count up; the ring is
   indexed by their low bits.  */
enum channel_request
{
  CHANNEL_REQUEST_NONE,
  CHANNEL_REQUEST_DIRTY,        /* [arg0, arg0 + arg1) was written to from
                                   outside: retire what was translated */
  CHANNEL_REQUEST_DETACH        /* go on with no debugger, natively if that
                                   can be; points are gone */
};

#define CHANNEL_RING 64         /* more writes than that: one range for all */

struct channel_command
{
  uint32_t request;
  uint32_t pad;
  uint64_t arg[3];
};

/* Questions that the server asks while the process is stopped, one at a time.
   It writes kind and argument, counts `asked' up, and then `run' with a wake;
   one of the stopped threads writes an answer for people to read, and sets
   `answered' to what `asked' was.  Where every thread is in a system call
   there is nobody to answer.  */
enum channel_question
{
  CHANNEL_ASK_NONE,
  CHANNEL_ASK_INFO,             /* the engine, its options and its code */
  CHANNEL_ASK_STATS,            /* counters: a name and a number a line */
  CHANNEL_ASK_MEMORY,           /* the accounts of its memory */
  CHANNEL_ASK_MAP,              /* what runs for address ARG, or what ARG in
                                   the cache runs for */
  CHANNEL_ASK_CODE,             /* all code that runs for the instruction at
                                   ARG, for host/disassemble.c to read */
  CHANNEL_ASK_TRACES            /* the traces */
};

#define CHANNEL_TEXT_SIZE (256ul << 10)

/* The ring of records: what threads note while they run, for the server to
   take.  Each type says what its records are.  */
enum channel_record
{
  CHANNEL_RECORD_NONE = RING_PAD,
  CHANNEL_RECORD_TRACE,         /* a part of a trace frame */
  CHANNEL_RECORD_WATCH          /* struct channel_watch_record */
};

/* What a WATCH_LOG has seen: the instruction at PC, of thread THREAD, a number
   as in struct channel_trace_part, has changed bytes from ADDR on, which is in
   the watched range of LENGTH bytes at START.  OLD and NEW have SIZE bytes, at
   most 8, little end first; DROPPED counts the records that the server was too
   slow for, so far.  */
struct channel_watch_record
{
  uint64_t pc, start, length, addr;
  uint64_t old, new;
  uint64_t dropped;
  uint32_t thread;
  uint32_t size;
};

#define CHANNEL_RECORDS_SIZE (4ul << 20)

struct channel_head
{
  uint64_t magic;
  uint32_t version;
  uint32_t slot_size;
  uint64_t slots_at;
  uint32_t n_slots;             /* 0 or CHANNEL_MAX_THREADS */
  uint32_t pad;
  uint64_t records_at;          /* 0: there is no ring */
};

struct channel
{
  struct channel_head head;
  uint32_t event;               /* engine to server */

  struct channel_birth birth;

  /* The engine's half.  */
  uint32_t process_state;       /* enum channel_process_state */
  int32_t exit_status;
  uint32_t n_used;              /* slots from this one on were never used */
  uint32_t served;              /* commands answered */
  uint32_t console_put;
  uint8_t console[CHANNEL_CONSOLE_SIZE];
  uint32_t n_hidden;
  struct channel_range hidden[CHANNEL_MAX_HIDDEN];
  uint32_t answered;            /* the question that TEXT answers */
  uint32_t text_size;           /* bytes of it */
  uint32_t text_cut;            /* there was no room for all of it */
  uint32_t passed;              /* the value of `run' that all have been woken
                                   for */

  /* The server's half.  */
  uint32_t stop_wanted;
  uint32_t run;                 /* futex; counts up: look again.  The server
                                   wakes one, who wakes the others */
  uint32_t issued;              /* commands written */
  uint32_t console_taken;
  uint32_t wants;               /* of enum channel_wants */
  uint64_t pass_signals;        /* bit SIG - 1: it goes to the program with no
                                   event */
  uint32_t catch;               /* enum channel_catch */
  uint64_t catch_set[CHANNEL_CATCH_WORDS];
  struct channel_command ring[CHANNEL_RING];
  uint32_t points_generation;   /* counts up when points have changed */
  uint32_t n_points;
  struct channel_point points[CHANNEL_MAX_POINTS];
  uint8_t pool[CHANNEL_POOL_SIZE];
  uint32_t asked, question;     /* enum channel_question */
  uint64_t question_arg;

  char text[CHANNEL_TEXT_SIZE];         /* the engine's */
};

/* Where the ring of records is in a channel with N_SLOTS slots, and the bytes
   of the whole.  */
static inline uint64_t
channel_records_at (unsigned n_slots)
{
  return PAGE_UP (sizeof (struct channel))
         + PAGE_UP (n_slots * sizeof (struct channel_thread));
}

static inline uint64_t
channel_size (unsigned n_slots)
{
  return channel_records_at (n_slots)
         + (n_slots ? PAGE_UP (RING_BYTES (CHANNEL_RECORDS_SIZE)) : 0);
}

/* The head of such a channel.  */
static inline struct channel_head
channel_head (unsigned n_slots)
{
  struct channel_head head = {
    .magic = CHANNEL_MAGIC,
    .version = CHANNEL_VERSION,
    .slot_size = sizeof (struct channel_thread),
    .slots_at = PAGE_UP (sizeof (struct channel)),
    .n_slots = n_slots,
    .records_at = n_slots ? channel_records_at (n_slots) : 0,
  };

  return head;
}

static inline struct channel_thread *
channel_slot (struct channel *c, unsigned n)
{
  return (struct channel_thread *) ((char *) c + c->head.slots_at
                                    + (size_t) n * c->head.slot_size);
}

/* The ring of records of C; null: it has none.  */
static inline struct ring *
channel_records (struct channel *c)
{
  return c->head.records_at
             ? (struct ring *) ((char *) c + c->head.records_at)
             : NULL;
}

#endif
