/* Which memory a system call reads and writes.  See sysmem.h.

   walk_arg is the switch over kinds of arguments; what cannot be said in a
   row of syscalls.def or commands.def is in special ().  */

#include "linux/sysmem.h"
#include "linux/command.h"

#define EFAULT 14
#define MAX_ERRNO 4095
#define IOV_MAX 1024            /* UIO_MAXIOV */
#define PATH_MAX 4096
#define TEXT_MAX (32 * PAGE_SIZE)       /* MAX_ARG_STRLEN */
#define SOCKADDR_MAX 128        /* sockaddr_storage */

#define R SYSCALL_READ
#define W SYSCALL_WRITE
#define RW (R | W)
#define ERR SYSCALL_ON_ERROR

/* What the kernel reads and writes of these, by name.  */
struct iovec { uint64_t base, len; };
struct msghdr
{
  uint64_t name;
  uint32_t namelen, pad;
  uint64_t iov, iovlen, control, controllen;
  uint32_t flags, pad2;
};
struct mmsghdr { struct msghdr hdr; uint32_t len, pad; };

struct walk
{
  const struct sysmem_call *c;
  sysmem_visitor visit;
  void *cookie;
  unsigned want;                /* accesses asked for */
  unsigned arg;                 /* argument being walked */
};

static bool
failed (const struct sysmem_call *c)
{
  return c->returned && (unsigned long) c->result > -(unsigned long) MAX_ERRNO;
}

/* Whether all that may be used has to be told: nothing is known yet, or the
   call broke off in the middle.  */
static bool
is_open (const struct sysmem_call *c)
{
  return !c->returned || c->result == -EFAULT;
}

static bool
fetch (const struct walk *w, app_addr from, void *to, size_t size)
{
  return from && w->c->read (w->c->cookie, from, to, size);
}

/* Tell of [ADDR, ADDR + SIZE) if it is asked for.  */
static void
tell (const struct walk *w, app_addr addr, uint64_t size, unsigned access)
{
  unsigned use = access & w->want & RW;

  if (failed (w->c) && !is_open (w->c) && !(access & ERR))
    use &= R;
  if (!addr || !size || !use)
    return;
  if (addr + size < addr)
    size = -addr;
  w->visit (w->cookie, w->arg, addr, size, use | (access & SYSCALL_REMOTE));
}

/* How many of ROOM units the call used: all that it may, or its result.  */
static uint64_t
by_result (const struct walk *w, uint64_t room)
{
  if (is_open (w->c))
    return room;
  return failed (w->c) ? 0 : MIN (room, (uint64_t) w->c->result);
}

/* Bytes of the text at ADDR, its end included, at most LIMIT.  */
static size_t
text_length (const struct walk *w, app_addr addr, size_t limit)
{
  char part[64];
  size_t done = 0;

  while (done < limit)
    {
      size_t n = sizeof part - (addr + done) % sizeof part;

      if (!fetch (w, addr + done, part, n))
        return done;
      for (size_t i = 0; i < n; i++)
        if (!part[i])
          return done + i + 1;
      done += n;
    }
  return limit;
}

static void
tell_text (const struct walk *w, app_addr addr, size_t limit)
{
  if (w->want & R)
    tell (w, addr, text_length (w, addr, limit), R);
}

static void
tell_texts (const struct walk *w, app_addr addr)
{
  uint64_t text, n;

  if (!(w->want & R))
    return;
  for (n = 0; fetch (w, addr + 8 * n, &text, 8) && text; n++)
    tell_text (w, text, TEXT_MAX);
  tell (w, addr, 8 * (n + 1), R);
}

/* The COUNT iovecs at ADDR, of whose bytes LEFT are used, as ACCESS.  */
static void
tell_iov (const struct walk *w, app_addr addr, uint64_t count, uint64_t left,
          unsigned access)
{
  struct iovec v;

  count = MIN (count, IOV_MAX);
  tell (w, addr, count * sizeof v, R);
  for (uint64_t i = 0; i < count && left; i++)
    {
      if (!fetch (w, addr + i * sizeof v, &v, sizeof v))
        return;
      tell (w, v.base, MIN (v.len, left), access);
      left -= MIN (v.len, left);
    }
}

/* What recvmsg changes in the header M at ADDR and what it fills in, N_BYTES
   of data.  NAMELEN and CONTROLLEN are the room there was.  */
static void
tell_received (const struct walk *w, app_addr addr, const struct msghdr *m,
               uint64_t n_bytes, uint64_t namelen, uint64_t controllen)
{
  tell (w, addr, sizeof *m, R);
  if (m->name)
    tell (w, addr + offsetof (struct msghdr, namelen), 4, W);
  tell (w, addr + offsetof (struct msghdr, controllen), 8, W);
  tell (w, addr + offsetof (struct msghdr, flags), 4, W);
  tell (w, m->name, namelen, W);
  tell (w, m->control, controllen, W);
  tell_iov (w, m->iov, m->iovlen, n_bytes, W);
}

static void
tell_sent (const struct walk *w, app_addr addr, const struct msghdr *m,
           uint64_t n_bytes)
{
  tell (w, addr, sizeof *m, R);
  tell (w, m->name, m->namelen, R);
  tell (w, m->control, m->controllen, R);
  tell_iov (w, m->iov, m->iovlen, n_bytes, R);
}

static void
walk_msg (const struct walk *w, app_addr addr, unsigned access)
{
  const struct sysmem_call *c = w->c;
  struct msghdr m;
  uint64_t bytes = by_result (w, -1ul);

  if (!fetch (w, addr, &m, sizeof m))
    return;
  if (access & R)
    tell_sent (w, addr, &m, bytes);
  else if (is_open (c))
    tell_received (w, addr, &m, bytes, c->returned ? c->room[0] : m.namelen,
                   c->returned ? c->room[1] : m.controllen);
  else
    tell_received (w, addr, &m, bytes, MIN (c->room[0], m.namelen),
                   MIN (c->room[1], m.controllen));
}

/* The room of each name and control buffer is not noted; after the call, of
   each as much is told as the kernel says that there was to write.  */
static void
walk_mmsg (const struct walk *w, app_addr addr, uint64_t count,
           unsigned access)
{
  struct mmsghdr m;

  count = by_result (w, MIN (count, IOV_MAX));
  for (uint64_t i = 0; i < count; i++, addr += sizeof m)
    {
      if (!fetch (w, addr, &m, sizeof m))
        return;
      uint64_t bytes = is_open (w->c) ? -1ul : m.len;
      uint64_t namelen = is_open (w->c) ? SOCKADDR_MAX : m.hdr.namelen;

      if (access & R)
        tell_sent (w, addr, &m.hdr, bytes);
      else
        tell_received (w, addr, &m.hdr, bytes, MIN (namelen, SOCKADDR_MAX),
                       m.hdr.controllen);
      tell (w, addr + offsetof (struct mmsghdr, len), 4, W);
    }
}

/* An int that says how long the buffer at another argument is, as it was when
   the call was made and, afterwards, is now.  */
static uint64_t
value_result (const struct walk *w, app_addr length_at)
{
  int32_t now = 0;

  if (!fetch (w, length_at, &now, sizeof now) || now < 0)
    now = 0;
  if (!w->c->returned)
    return now;
  if (is_open (w->c))
    return w->c->room[0];
  return MIN (w->c->room[0], (uint32_t) now);
}

static void
walk_waitv (const struct walk *w, app_addr addr, uint64_t count)
{
  struct { uint64_t val, uaddr; uint32_t flags, pad; } v;

  count = MIN (count, 128);
  tell (w, addr, count * sizeof v, R);
  for (uint64_t i = 0; i < count; i++)
    if (fetch (w, addr + i * sizeof v, &v, sizeof v))
      tell (w, v.uaddr, 4, R);
}

static void
walk_sigset_pack (const struct walk *w, app_addr addr)
{
  uint64_t pack[2];

  if (!fetch (w, addr, pack, sizeof pack))
    return;
  tell (w, addr, sizeof pack, R);
  tell (w, pack[0], 8, R);
}

static void
walk_self_sized (const struct walk *w, app_addr addr,
                 const struct syscall_arg *a)
{
  bool perf = a->what == SYSCALL_STRUCT_perf_event_attr;
  app_addr size_at = addr + (perf ? 4 : 0);
  uint32_t size = 0;

  if (!addr || !fetch (w, size_at, &size, sizeof size))
    return;
  if (!size)
    size = perf ? 64 : 48;      /* the first published sizes */
  tell (w, addr, MIN (size, PAGE_SIZE), R);
  if (a->access & ERR)
    tell (w, size_at, 4, W | ERR);      /* -E2BIG says what is known */
}

/* Words of a bit mask of N_BITS bits, in bytes.  */
static uint64_t
mask_bytes (uint64_t n_bits)
{
  return (n_bits + 63) / 64 * 8;
}

static void
walk_command (const struct walk *w)
{
  const uint64_t *args = w->c->args;
  const struct command_row *row = command_of_call (w->c->nr, args);

  if (!row || !row->access)
    return;
  app_addr addr = args[row->pointer];
  if (row->size == COMMAND_TEXT)
    tell_text (w, addr, PATH_MAX);
  else if (row->size == COMMAND_BY_RESULT)
    tell (w, addr, by_result (w, args[row->pointer + 1]), row->access);
  else
    tell (w, addr, row->size, row->access);
}

/* ptrace commands whose extent commands.def cannot say.  */
static void
special_ptrace (const struct walk *w)
{
  const uint64_t *args = w->c->args;
  struct iovec v;

  switch (args[0])
    {
    case 0x4204:                /* PTRACE_GETREGSET */
    case 0x4205:                /* PTRACE_SETREGSET */
      tell (w, args[3], sizeof v, RW);
      if (fetch (w, args[3], &v, sizeof v))
        tell (w, v.base, v.len, args[0] == 0x4204 ? W : R);
      break;
    case 0x4209:                /* PTRACE_PEEKSIGINFO */
      tell (w, args[2], 16, R);
      tell (w, args[3], by_result (w, 32) * 128, W);
      break;
    case 0x420c:                /* PTRACE_SECCOMP_GET_FILTER */
      tell (w, args[3], by_result (w, 4096) * 8, W);
      break;
    case 0x420d:                /* PTRACE_SECCOMP_GET_METADATA */
      tell (w, args[3], args[2], RW);
      break;
    case 0x420e:                /* PTRACE_GET_SYSCALL_INFO */
    case 0x420f:                /* PTRACE_GET_RSEQ_CONFIGURATION */
    case 0x4211:                /* …_GET_SYSCALL_USER_DISPATCH_CONFIG */
      tell (w, args[3], args[2], W);
      break;
    case 0x4210:                /* …_SET_SYSCALL_USER_DISPATCH_CONFIG */
    case 0x4212:                /* PTRACE_SET_SYSCALL_INFO */
      tell (w, args[3], args[2], R);
      break;
    default:
      walk_command (w);
    }
}

static void
special_futex (const struct walk *w)
{
  enum { WAIT, FD, WAKE = 1, REQUEUE = 3, CMP_REQUEUE, WAKE_OP, LOCK_PI,
         UNLOCK_PI, TRYLOCK_PI, WAIT_BITSET, WAKE_BITSET, WAIT_REQUEUE_PI,
         CMP_REQUEUE_PI, LOCK_PI2 };
  const uint64_t *args = w->c->args;
  unsigned op = args[1] & 127;
  bool pi = op == LOCK_PI || op == UNLOCK_PI || op == TRYLOCK_PI
            || op == LOCK_PI2;

  if (op == WAIT || op == WAIT_BITSET || op == CMP_REQUEUE || pi
      || op == WAIT_REQUEUE_PI || op == CMP_REQUEUE_PI)
    tell (w, args[0], 4, pi ? RW | ERR : R);
  if (op == WAIT || op == WAIT_BITSET || op == LOCK_PI || op == LOCK_PI2
      || op == WAIT_REQUEUE_PI)
    tell (w, args[3], 16, R);
  if (op == WAKE_OP || op == WAIT_REQUEUE_PI || op == CMP_REQUEUE_PI)
    tell (w, args[4], 4, RW | ERR);
}

static void
special_io_submit (const struct walk *w)
{
  const uint64_t *args = w->c->args;
  uint64_t iocb, n = MIN (args[1], 65536);

  tell (w, args[2], 8 * n, R);
  for (uint64_t i = 0; i < n; i++)
    if (fetch (w, args[2] + 8 * i, &iocb, 8))
      {
        tell (w, iocb, 64, R);
        tell (w, iocb + 8, 4, W | ERR); /* aio_key */
      }
}

static void
special_clone (const struct walk *w)
{
  const uint64_t *args = w->c->args;

  if (args[0] & 0x101000)       /* CLONE_PARENT_SETTID, CLONE_PIDFD */
    tell (w, args[2], 4, W | ERR);
  if (args[0] & 0x1000000)      /* CLONE_CHILD_SETTID */
    tell (w, args[3], 4, W);
}

static void
special_clone3 (const struct walk *w)
{
  uint64_t a[11] = { 0 };       /* struct clone_args */
  app_addr addr = w->c->args[0];
  uint64_t size = w->c->args[1];

  tell (w, addr, MIN (size, PAGE_SIZE), R);
  if (!fetch (w, addr, a, MIN (size, sizeof a)))
    return;
  if (a[0] & 0x1000)
    tell (w, a[1], 4, W | ERR);
  if (a[0] & 0x1000000)
    tell (w, a[2], 4, W);
  if (a[0] & 0x100000)
    tell (w, a[3], 4, W | ERR);
  tell (w, a[8], 4 * MIN (a[9], 32), R);
}

static void
special_name_to_handle (const struct walk *w)
{
  uint32_t room = w->c->room[0];
  app_addr addr = w->c->args[2];

  if (!w->c->returned && !fetch (w, addr, &room, sizeof room))
    return;
  tell (w, addr, 8, R);
  tell (w, addr, 8 + (uint64_t) MIN (room, 128), W | ERR);
}

static void
special_open_by_handle (const struct walk *w)
{
  uint32_t bytes;
  app_addr addr = w->c->args[1];

  if (fetch (w, addr, &bytes, sizeof bytes))
    tell (w, addr, 8 + (uint64_t) MIN (bytes, 128), R);
}

static void
special_getxattrat (const struct walk *w, unsigned access)
{
  struct { uint64_t value; uint32_t size, flags; } a;
  app_addr addr = w->c->args[4];

  tell (w, addr, w->c->args[5], R);
  if (fetch (w, addr, &a, sizeof a))
    tell (w, a.value, access & W ? by_result (w, a.size) : a.size, access);
}

static void
special_lsm (const struct walk *w, app_addr addr, app_addr size_at)
{
  uint32_t now = 0;

  if (!fetch (w, size_at, &now, sizeof now))
    return;
  tell (w, addr, is_open (w->c) && w->c->returned ? w->c->room[0] : now, W);
}

static void
special_capabilities (const struct walk *w, unsigned access)
{
  uint32_t version = 0;

  if (!fetch (w, w->c->args[0], &version, sizeof version))
    return;
  tell (w, w->c->args[1], version == 0x19980330 ? 12 : 24, access);
}

static void
special_fsconfig (const struct walk *w)
{
  const uint64_t *args = w->c->args;

  if (args[1] == 1 || args[1] == 3 || args[1] == 4)
    tell_text (w, args[3], PATH_MAX);   /* SET_STRING, SET_PATH… */
  else if (args[1] == 2)                /* SET_BINARY */
    tell (w, args[3], args[4], R);
}

static void
special_move_pages (const struct walk *w)
{
  const uint64_t *args = w->c->args;
  uint64_t n = MIN (args[1], 1ul << 40);

  tell (w, args[2], 8 * n, R);
  tell (w, args[3], 4 * n, R);
  tell (w, args[4], 4 * n, W | ERR);
}

static void
special_quotactl_fd (const struct walk *w)
{
  const uint64_t *args = w->c->args;
  const struct command_row *row
    = command_row (LINUX_quotactl, (uint32_t) args[1] >> 8);

  if (row && row->size != COMMAND_TEXT)
    tell (w, args[3], row->size, row->access);
}

static void
special_sysfs (const struct walk *w)
{
  const uint64_t *args = w->c->args;

  if (args[0] == 1)
    tell_text (w, args[1], PATH_MAX);
  else if (args[0] == 2)
    tell (w, args[2], 64, W);   /* the name of a file system */
}

/* Calls with a mask of memory nodes; all others go by their command.  */
static void
special_nodes (const struct walk *w)
{
  const uint64_t *args = w->c->args;

  switch (w->c->nr)
    {
    case LINUX_mbind:
      tell (w, args[3], mask_bytes (args[4]), R);
      break;
    case LINUX_set_mempolicy:
      tell (w, args[1], mask_bytes (args[2]), R);
      break;
    case LINUX_get_mempolicy:
      tell (w, args[1], mask_bytes (args[2]), W);
      break;
    case LINUX_migrate_pages:
      tell (w, args[2], mask_bytes (args[1]), R);
      tell (w, args[3], mask_bytes (args[1]), R);
      break;
    default:
      walk_command (w);
    }
}

/* The calls with SPECIAL arguments; all of them at the first.  A flat
   switch.  */
static void
special (const struct walk *w)
{
  const uint64_t *args = w->c->args;

  switch (w->c->nr)
    {
    case LINUX_mincore:
      tell (w, args[2], PAGE_UP (args[1]) / PAGE_SIZE, W | ERR);
      break;
    case LINUX_msgsnd:
      tell (w, args[1], 8 + args[2], R);
      break;
    case LINUX_msgrcv:
      tell (w, args[1], 8 + by_result (w, args[2]), W);
      break;
    case LINUX_capget:
      special_capabilities (w, W);
      break;
    case LINUX_capset:
      special_capabilities (w, R);
      break;
    case LINUX_io_uring_enter:
      tell (w, args[4], args[5], R);
      break;
    case LINUX_lsm_get_self_attr:
      special_lsm (w, args[1], args[2]);
      break;
    case LINUX_lsm_list_modules:
      special_lsm (w, args[0], args[1]);
      break;
    case LINUX_getxattrat:
      special_getxattrat (w, W);
      break;
    case LINUX_setxattrat:
      special_getxattrat (w, R);
      break;
    case LINUX_ptrace:
      special_ptrace (w);
      break;
    case LINUX_futex:
      special_futex (w);
      break;
    case LINUX_io_submit:
      special_io_submit (w);
      break;
    case LINUX_clone:
      special_clone (w);
      break;
    case LINUX_clone3:
      special_clone3 (w);
      break;
    case LINUX_name_to_handle_at:
      special_name_to_handle (w);
      break;
    case LINUX_open_by_handle_at:
      special_open_by_handle (w);
      break;
    case LINUX_move_pages:
      special_move_pages (w);
      break;
    case LINUX_fsconfig:
      special_fsconfig (w);
      break;
    case LINUX_quotactl_fd:
      special_quotactl_fd (w);
      break;
    case LINUX_sysfs:
      special_sysfs (w);
      break;
    default:
      special_nodes (w);
    }
}

/* Elements of the array argument A of the call.  */
static uint64_t
array_count (const struct walk *w, const struct syscall_arg *a)
{
  if (a->count == SYSCALL_N_ARGS)
    return 2;                   /* IN_TWO */
  uint64_t n = w->c->args[a->count];

  if (a->access & W)
    n = by_result (w, n);
  return MIN (n, 1ul << 40);
}

/* One argument.  A flat switch over kinds.  */
static void
walk_arg (const struct walk *w, const struct syscall_arg *a)
{
  const uint64_t *args = w->c->args;
  app_addr addr = args[w->arg];
  uint64_t count = a->count < SYSCALL_N_ARGS ? args[a->count] : 0;

  switch (a->kind)
    {
    case SYSCALL_PATH:
    case SYSCALL_STRING:
      tell_text (w, addr, PATH_MAX);
      break;
    case SYSCALL_STRINGS:
      tell_texts (w, addr);
      break;
    case SYSCALL_STRUCT:
      tell (w, addr, syscall_struct_size (a->what), a->access);
      break;
    case SYSCALL_ARRAY:
      tell (w, addr, array_count (w, a) * syscall_struct_size (a->what),
            a->access);
      break;
    case SYSCALL_BUF:
      tell (w, addr, by_result (w, count), a->access);
      break;
    case SYSCALL_BYTES:
      tell (w, addr, count, a->access);
      break;
    case SYSCALL_SELF_SIZED:
      walk_self_sized (w, addr, a);
      break;
    case SYSCALL_LENGTH:
      tell (w, addr, value_result (w, count), a->access);
      break;
    case SYSCALL_SOCKADDR:
      tell (w, addr, a->access & R ? (uint32_t) count
                                   : value_result (w, count), a->access);
      break;
    case SYSCALL_IOV:
      tell_iov (w, addr, count, by_result (w, -1ul), a->access);
      break;
    case SYSCALL_MSG:
      walk_msg (w, addr, a->access);
      break;
    case SYSCALL_MMSG:
      walk_mmsg (w, addr, (uint32_t) count, a->access);
      break;
    case SYSCALL_FDSET:
      tell (w, addr, (int32_t) count > 0 ? mask_bytes ((uint32_t) count) : 0,
            a->access);
      break;
    case SYSCALL_POLLFDS:
      tell (w, addr, 8 * (uint64_t) (uint32_t) count, a->access);
      break;
    case SYSCALL_SIGSET_PACK:
      walk_sigset_pack (w, addr);
      break;
    case SYSCALL_WAITV:
      walk_waitv (w, addr, (uint32_t) count);
      break;
    }
}

/* See sysmem.h.  */

void
sysmem_walk (const struct sysmem_call *c, unsigned access,
             sysmem_visitor visit, void *cookie)
{
  const struct syscall_row *row = syscall_row (c->nr);
  struct walk w = { c, visit, cookie, access, 0 };
  bool special_done = false;

  for (; w.arg < SYSCALL_N_ARGS; w.arg++)
    if (row->args[w.arg].kind != SYSCALL_SPECIAL)
      walk_arg (&w, &row->args[w.arg]);
    else if (!special_done)
      {
        special (&w);
        special_done = true;
      }
}

static void
note (struct sysmem_call *c, unsigned i, app_addr at)
{
  uint32_t room;

  if (at && c->read (c->cookie, at, &room, sizeof room))
    c->room[i] = (int32_t) room < 0 ? 0 : room;
}

/* See sysmem.h.  */

void
sysmem_enter (struct sysmem_call *c)
{
  const struct syscall_row *row = syscall_row (c->nr);

  c->returned = false;
  c->room[0] = c->room[1] = 0;
  for (unsigned i = 0; i < SYSCALL_N_ARGS; i++)
    {
      const struct syscall_arg *a = &row->args[i];

      if (a->kind == SYSCALL_LENGTH
          || (a->kind == SYSCALL_SOCKADDR && (a->access & W)))
        note (c, 0, c->args[a->count]);
      else if (a->kind == SYSCALL_MSG && c->args[i])
        {
          note (c, 0, c->args[i] + offsetof (struct msghdr, namelen));
          note (c, 1, c->args[i] + offsetof (struct msghdr, controllen));
        }
    }
  if (c->nr == LINUX_name_to_handle_at || c->nr == LINUX_lsm_get_self_attr)
    note (c, 0, c->args[2]);
  else if (c->nr == LINUX_lsm_list_modules)
    note (c, 0, c->args[1]);
}

/* See sysmem.h.  */

void
sysmem_leave (struct sysmem_call *c, long result)
{
  c->result = result;
  c->returned = true;
}

/* A ptrace command that special_ptrace knows.  */
static bool
ptrace_is_known (uint64_t command)
{
  return command == 0x4204 || command == 0x4205
         || (command >= 0x4209 && command <= 0x4212);
}

/* See sysmem.h.  */

bool
sysmem_is_complete (const struct sysmem_call *c)
{
  const struct syscall_row *row = syscall_row (c->nr);

  switch (c->nr)
    {
    case LINUX_bpf:
    case LINUX_io_uring_enter:
    case LINUX_io_uring_register:
      return false;
    case LINUX_quotactl_fd:
      return command_row (LINUX_quotactl, (uint32_t) c->args[1] >> 8);
    case LINUX_getsockopt:      /* TCP_ZEROCOPY_RECEIVE has pointers in it */
      return !((int32_t) c->args[1] == 6 && (int32_t) c->args[2] == 35);
    case LINUX_ptrace:
      if (ptrace_is_known (c->args[0]))
        return true;
      break;
    }
  if (row->class == SYSCALL_CLASS_UNKNOWN)
    return false;
  for (unsigned i = 0; i < SYSCALL_N_ARGS; i++)
    if (row->args[i].kind == SYSCALL_COMMAND)
      return command_of_call (c->nr, c->args) != NULL;
  return true;
}
