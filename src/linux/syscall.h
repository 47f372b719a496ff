/* The table of system calls: what each is, and what the gate does about it.

   Reading the table only; sysmem.h says which memory a call touches, and
   systext.h writes a call as text.  No state, no locks; all of it may run in
   signal context, on both sides.  */

#ifndef LINUX_SYSCALL_H
#define LINUX_SYSCALL_H

#include "common/types.h"

/* Numbers that the engine's gate and tests name: SYS_read and so on would
   clash with libc's, so these are LINUX_read, LINUX_openat, ...  */
enum syscall_number
{
#define SYSCALL(NR, NAME, ...) LINUX_##NAME = NR,
#include "linux/syscalls.def"
#undef SYSCALL
  SYSCALL_END = 470             /* one past the last number known */
};

#define SYSCALL_N_ARGS 6

/* What the gate does.  */
enum syscall_class
{
  SYSCALL_CLASS_UNKNOWN,        /* no row: newer than the table */
  SYSCALL_CLASS_PASS,           /* issue it; the columns say the rest */
  SYSCALL_CLASS_PATH,           /* opens or reads by a path: /proc/self/maps
                                   and its like are answered by the engine */
  SYSCALL_CLASS_MEMORY,         /* changes mappings or their protection */
  SYSCALL_CLASS_SIGNAL,         /* dispositions, masks, frames, delivery */
  SYSCALL_CLASS_CLONE,          /* makes a thread or a process */
  SYSCALL_CLASS_THREAD,         /* per-thread kernel state: arch_prctl, rseq,
                                   set_tid_address, robust list, prctl */
  SYSCALL_CLASS_EXIT,
  SYSCALL_CLASS_EXEC,
  SYSCALL_CLASS_TRACE,          /* ptrace */
  SYSCALL_CLASS_SECCOMP,        /* restricts the calls to come */
  SYSCALL_CLASS_ASYNC,          /* the kernel may store to memory later,
                                   outside of any call */
  SYSCALL_CLASS_REFUSE,         /* only for trampolines that the kernel wrote:
                                   raises SIGILL anywhere else */
  SYSCALL_CLASS_NOSYS           /* the kernel has no such call any more */
};

/* What a signal does to a sleeping call.  All but NO may sleep.  `No handler'
   is a stop, a kick, or a signal whose handler was not run.  */
enum syscall_restart
{
  SYSCALL_RESTART_NO,           /* never interrupted */
  SYSCALL_RESTART_SYS,          /* ERESTARTSYS: EINTR after a handler without
                                   SA_RESTART, else issued again */
  SYSCALL_RESTART_SOCKET,       /* as SYS, but EINTR after any handler, and
                                   for no handler, when the descriptor is a
                                   socket with SO_RCVTIMEO or SO_SNDTIMEO */
  SYSCALL_RESTART_FUTEX,        /* as SYS without a time-out, as BLOCK with */
  SYSCALL_RESTART_NOINTR,       /* ERESTARTNOINTR: issued again, always */
  SYSCALL_RESTART_NOHAND,       /* ERESTARTNOHAND: EINTR after any handler,
                                   issued again after none */
  SYSCALL_RESTART_BLOCK,        /* ERESTART_RESTARTBLOCK: EINTR after any
                                   handler, restart_syscall after none */
  SYSCALL_RESTART_EINTR         /* EINTR even after no handler */
};

/* Where the time-out is, for issuing a call again.  */
enum syscall_deadline
{
  SYSCALL_DEADLINE_NONE,
  SYSCALL_DEADLINE_MS,          /* milliseconds in the argument; < 0: none */
  SYSCALL_DEADLINE_REL,         /* relative timespec, left alone */
  SYSCALL_DEADLINE_UPDATED,     /* relative, the kernel stores what is left:
                                   timeval for select, else timespec */
  SYSCALL_DEADLINE_ABS,         /* absolute timespec: issue again as it is */
  SYSCALL_DEADLINE_BY_FLAGS     /* relative or absolute by the flags: futex,
                                   clock_nanosleep (TIMER_ABSTIME) */
};

enum syscall_group
{
  GROUP_DESCRIPTOR = 1 << 0, GROUP_FILE = 1 << 1, GROUP_MEMORY = 1 << 2,
  GROUP_PROCESS = 1 << 3, GROUP_SIGNAL = 1 << 4, GROUP_IPC = 1 << 5,
  GROUP_NETWORK = 1 << 6
};

enum syscall_struct
{
#define STRUCT(NAME, SIZE) SYSCALL_STRUCT_##NAME,
#include "linux/structs.def"
#undef STRUCT
  SYSCALL_N_STRUCTS
};

/* What an argument is.  From SYSCALL_PATH on they point to memory.  */
enum syscall_kind
{
  SYSCALL_NOTHING, SYSCALL_FD, SYSCALL_DIRFD, SYSCALL_INT, SYSCALL_UINT,
  SYSCALL_LONG, SYSCALL_HEX, SYSCALL_SIZE, SYSCALL_OFFSET, SYSCALL_MODE,
  SYSCALL_PID, SYSCALL_UID, SYSCALL_SIGNAL, SYSCALL_ADDR, SYSCALL_DEVICE,
  SYSCALL_FLAGS, SYSCALL_ENUM, SYSCALL_COMMAND, SYSCALL_FUTEXOP,
  SYSCALL_PATH, SYSCALL_STRING, SYSCALL_STRINGS,
  SYSCALL_STRUCT, SYSCALL_ARRAY, SYSCALL_BUF, SYSCALL_BYTES,
  SYSCALL_SELF_SIZED, SYSCALL_LENGTH, SYSCALL_SOCKADDR,
  SYSCALL_IOV, SYSCALL_MSG, SYSCALL_MMSG, SYSCALL_FDSET, SYSCALL_POLLFDS,
  SYSCALL_SIGSET_PACK, SYSCALL_WAITV, SYSCALL_LATER,
  SYSCALL_SPECIAL
};

/* How the kernel uses the memory, a bit each.  */
enum syscall_access
{
  SYSCALL_READ = 1 << 0,
  SYSCALL_WRITE = 1 << 1,
  SYSCALL_ON_ERROR = 1 << 2,    /* written when the call fails, too */
  SYSCALL_REMOTE = 1 << 3       /* of the process that argument 0 names, and
                                   that may be the caller's own */
};

struct syscall_arg
{
  uint8_t kind;                 /* enum syscall_kind */
  uint8_t access;               /* of enum syscall_access */
  uint8_t what;                 /* enum syscall_struct, enum name_set */
  uint8_t count;                /* number of the argument with the length */
};

struct syscall_row
{
  char name[24];                /* empty: no such number */
  uint8_t class;                /* enum syscall_class */
  uint8_t restart;              /* enum syscall_restart */
  uint8_t deadline;             /* enum syscall_deadline */
  uint8_t deadline_arg;
  uint8_t groups;               /* of enum syscall_group */
  struct syscall_arg args[SYSCALL_N_ARGS];
};

/* The row of system call NR, never null: a number that the table does not
   know has one with an empty name and SYSCALL_CLASS_UNKNOWN.  */
const struct syscall_row *syscall_row (long nr);

/* The number of the call named NAME, or -1.  */
long syscall_number (const char *name);

/* How many arguments the call of ROW takes.  */
unsigned syscall_n_args (const struct syscall_row *row);

/* Whether NR may sleep, so that a signal can interrupt it.  */
bool syscall_may_block (long nr);

/* The bit (enum syscall_group) of the group named NAME, as `descriptor', or
   0; and the name of GROUP, or null.  */
unsigned syscall_group (const char *name);
const char *syscall_group_name (unsigned group);

/* Bytes of struct S (enum syscall_struct).  */
unsigned syscall_struct_size (unsigned s);

#endif
