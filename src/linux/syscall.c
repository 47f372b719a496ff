/* The table of system calls.  See syscall.h; the rows are syscalls.def.  */

#include "linux/syscall.h"
#include "linux/names.h"

#define ARG(KIND, ACCESS, WHAT, COUNT)                                        \
  { SYSCALL_##KIND, ACCESS, WHAT, COUNT }
#define PLAIN(KIND) ARG (KIND, 0, 0, 0)
#define R SYSCALL_READ
#define W SYSCALL_WRITE
#define RW (R | W)
#define ERR SYSCALL_ON_ERROR
#define OF(S) SYSCALL_STRUCT_##S

/* The words of syscalls.def.  */
#define NOTHING PLAIN (NOTHING)
#define FD PLAIN (FD)
#define DIRFD PLAIN (DIRFD)
#define INT PLAIN (INT)
#define UINT PLAIN (UINT)
#define LONG PLAIN (LONG)
#define HEX PLAIN (HEX)
#define SIZE PLAIN (SIZE)
#define OFFSET PLAIN (OFFSET)
#define MODE PLAIN (MODE)
#define PID PLAIN (PID)
#define UID PLAIN (UID)
#define SIGNAL PLAIN (SIGNAL)
#define ADDR PLAIN (ADDR)
#define DEVICE PLAIN (DEVICE)
#define COMMAND PLAIN (COMMAND)
#define FUTEXOP PLAIN (FUTEXOP)
#define SPECIAL ARG (SPECIAL, RW, 0, 0)
#define FLAGS(SET) ARG (FLAGS, 0, NAMES_##SET, 0)
#define ENUM(SET) ARG (ENUM, 0, NAMES_##SET, 0)
#define PATH ARG (PATH, R, 0, 0)
#define STRING ARG (STRING, R, 0, 0)
#define STRINGS ARG (STRINGS, R, 0, 0)
#define IN(S) ARG (STRUCT, R, OF (S), 0)
#define OUT(S) ARG (STRUCT, W, OF (S), 0)
#define OUT_ERR(S) ARG (STRUCT, W | ERR, OF (S), 0)
#define INOUT(S) ARG (STRUCT, RW, OF (S), 0)
#define INOUT_ERR(S) ARG (STRUCT, RW | ERR, OF (S), 0)
#define IN_ARRAY(S, N) ARG (ARRAY, R, OF (S), N)
#define OUT_ARRAY(S, N) ARG (ARRAY, W, OF (S), N)
#define IN_TWO(S) ARG (ARRAY, R, OF (S), SYSCALL_N_ARGS)
#define IN_BUF(N) ARG (BUF, R, 0, N)
#define OUT_BUF(N) ARG (BUF, W, 0, N)
#define IN_BYTES(N) ARG (BYTES, R, 0, N)
#define OUT_BYTES(N) ARG (BYTES, W, 0, N)
#define INOUT_BYTES(N) ARG (BYTES, RW, 0, N)
#define SELF_SIZED(S) ARG (SELF_SIZED, R, OF (S), 0)
#define SELF_SIZED_ERR(S) ARG (SELF_SIZED, R | ERR, OF (S), 0)
#define OUT_LENGTH(N) ARG (LENGTH, W, 0, N)
#define IN_SOCKADDR(N) ARG (SOCKADDR, R, 0, N)
#define OUT_SOCKADDR(N) ARG (SOCKADDR, W, 0, N)
#define IOV_IN(N) ARG (IOV, R, 0, N)
#define IOV_OUT(N) ARG (IOV, W, 0, N)
#define IOV_SPLICE(N) ARG (IOV, RW, 0, N)
#define IOV_NONE(N) ARG (IOV, 0, 0, N)
#define IOV_REMOTE_READ(N) ARG (IOV, R | SYSCALL_REMOTE, 0, N)
#define IOV_REMOTE_WRITE(N) ARG (IOV, W | SYSCALL_REMOTE, 0, N)
#define MSG_IN ARG (MSG, R, 0, 0)
#define MSG_OUT ARG (MSG, W, 0, 0)
#define MMSG_IN(N) ARG (MMSG, R, 0, N)
#define MMSG_OUT(N) ARG (MMSG, W, 0, N)
#define FDSET(N) ARG (FDSET, RW, 0, N)
#define POLLFDS(N) ARG (POLLFDS, RW | ERR, 0, N)
#define SIGSET_PACK ARG (SIGSET_PACK, R, 0, 0)
#define FUTEX_WAITV(N) ARG (WAITV, R, 0, N)
#define LATER(S) ARG (LATER, W, OF (S), 0)

#define TIMEOUT(KIND, N) SYSCALL_DEADLINE_##KIND, N
#define NONE TIMEOUT (NONE, 0)
#define MS(N) TIMEOUT (MS, N)
#define REL(N) TIMEOUT (REL, N)
#define ABS(N) TIMEOUT (ABS, N)
#define UPDATED(N) TIMEOUT (UPDATED, N)
#define BY_FLAGS(N) TIMEOUT (BY_FLAGS, N)

static const struct syscall_row rows[SYSCALL_END] = {
#define SYSCALL(NR, NAME, CLASS, RESTART, DEADLINE, GROUPS, ...)              \
  [NR] = { #NAME, SYSCALL_CLASS_##CLASS, SYSCALL_RESTART_##RESTART, DEADLINE, \
           GROUPS, { __VA_ARGS__ } },
#include "linux/syscalls.def"
#undef SYSCALL
};

static const struct syscall_row no_row;

static const uint16_t struct_sizes[SYSCALL_N_STRUCTS] = {
#define STRUCT(NAME, SIZE) SIZE,
#include "linux/structs.def"
#undef STRUCT
};

static const char group_names[][12] = {
  "descriptor", "file", "memory", "process", "signal", "ipc", "network"
};

static bool
same (const char *a, const char *b)
{
  while (*a && *a == *b)
    a++, b++;
  return *a == *b;
}

/* See syscall.h.  */

const struct syscall_row *
syscall_row (long nr)
{
  if (nr < 0 || nr >= SYSCALL_END)
    return &no_row;
  return &rows[nr];
}

/* See syscall.h.  */

long
syscall_number (const char *name)
{
  for (long nr = 0; nr < SYSCALL_END; nr++)
    if (rows[nr].name[0] && same (rows[nr].name, name))
      return nr;
  return -1;
}

/* See syscall.h.  */

unsigned
syscall_n_args (const struct syscall_row *row)
{
  unsigned n = 0;

  while (n < SYSCALL_N_ARGS && row->args[n].kind != SYSCALL_NOTHING)
    n++;
  return n;
}

/* See syscall.h.  */

bool
syscall_may_block (long nr)
{
  return syscall_row (nr)->restart != SYSCALL_RESTART_NO;
}

/* See syscall.h.  */

unsigned
syscall_group (const char *name)
{
  for (unsigned i = 0; i < ARRAY_SIZE (group_names); i++)
    if (same (group_names[i], name))
      return 1u << i;
  return 0;
}

/* See syscall.h.  */

const char *
syscall_group_name (unsigned group)
{
  for (unsigned i = 0; i < ARRAY_SIZE (group_names); i++)
    if (group == 1u << i)
      return group_names[i];
  return NULL;
}

/* See syscall.h.  */

unsigned
syscall_struct_size (unsigned s)
{
  return s < SYSCALL_N_STRUCTS ? struct_sizes[s] : 0;
}
