/* A system call as text.  See systext.h.  */

#include "linux/systext.h"
#include "common/format.h"
#include "linux/command.h"
#include "linux/errors.h"
#include "linux/names.h"
#include "linux/signals.h"

#define N_ELEMENTS 16           /* of an array that are shown */

/* Where text goes: what does not fit is dropped.  */
struct text
{
  const struct sysmem_call *c;
  char *buf;
  size_t size, at;
};

static void PRINTF_LIKE (2, 3)
put (struct text *t, const char *fmt, ...)
{
  va_list ap;

  va_start (ap, fmt);
  t->at += format_text_v (t->buf + t->at, t->size - t->at, fmt, ap);
  va_end (ap);
  if (t->at >= t->size)
    t->at = t->size - 1;
}

static bool
fetch (struct text *t, app_addr from, void *to, size_t size)
{
  return from && t->c->read (t->c->cookie, from, to, size);
}

static void
put_address (struct text *t, app_addr addr)
{
  if (addr)
    put (t, "%#lx", addr);
  else
    put (t, "NULL");
}

/* The byte C of a string, with NEXT after it.  */
static void
put_byte (struct text *t, uint8_t c, uint8_t next)
{
  static const char named[] = "\tt\nn\vv\ff\rr\"\"\\\\";
  bool digit = next >= '0' && next <= '9';

  for (unsigned i = 0; i < sizeof named - 1; i += 2)
    if (c == named[i])
      {
        put (t, "\\%c", named[i + 1]);
        return;
      }
  if (c >= ' ' && c < 127)
    put (t, "%c", c);
  else if (digit)
    put (t, "\\%03o", c);
  else
    put (t, "\\%o", c);
}

/* N bytes at ADDR, quoted, of which LIMIT are shown; TEXT ends at a zero.  */
static void
put_quoted (struct text *t, app_addr addr, uint64_t n, uint64_t limit,
            bool text)
{
  uint8_t c = 0, next = 0;

  if (!addr || (n && !fetch (t, addr, &next, 1)))
    {
      put_address (t, addr);
      return;
    }
  put (t, "\"");
  for (uint64_t i = 0; i < n; i++)
    {
      c = next;
      if (text && !c)
        break;
      if (i == limit)
        {
          put (t, "\"...");
          return;
        }
      bool more = i + 1 < n && fetch (t, addr + i + 1, &next, 1);
      put_byte (t, c, more && i + 1 < limit ? next : 0);
      if (!more)
        break;
    }
  put (t, "\"");
}

static void
put_bytes (struct text *t, app_addr addr, uint64_t n, bool text)
{
  put_quoted (t, addr, n, SYSTEXT_STRING, text);
}

static void
put_strings (struct text *t, app_addr addr)
{
  uint64_t s;
  unsigned i;

  if (!addr)
    {
      put (t, "NULL");
      return;
    }
  put (t, "[");
  for (i = 0; i < N_ELEMENTS && fetch (t, addr + 8 * i, &s, 8) && s; i++)
    {
      put (t, i ? ", " : "");
      put_bytes (t, s, -1ul, true);
    }
  put (t, i == N_ELEMENTS ? ", ...]" : "]");
}

static void
put_flags (struct text *t, unsigned set, uint32_t v)
{
  const char *prefix = names_prefix (set), *zero = NULL, *bar = "";

  for (const struct name_row *r = names_first (set); r; r = names_next (r))
    if (!r->value)
      zero = r->name;
    else if ((v & r->value) == r->value)
      {
        put (t, "%s%s%s", bar, prefix, r->name);
        v &= ~r->value;
        bar = "|";
      }
  if (!*bar && !v && zero)
    put (t, "%s%s", prefix, zero);
  else if (v || !*bar)
    put (t, v ? "%s%#x" : "%s%u", bar, v);
}

static void
put_enum (struct text *t, unsigned set, uint32_t v)
{
  for (const struct name_row *r = names_first (set); r; r = names_next (r))
    if (r->value == v)
      {
        put (t, "%s%s", names_prefix (set), r->name);
        return;
      }
  put (t, (int32_t) v < 0 ? "%d" : "%#x", v);
}

/* Flags of open(2): the access mode is a number among them.  */
static void
put_open_flags (struct text *t, uint32_t v)
{
  static const char *const mode[] = { "O_RDONLY", "O_WRONLY", "O_RDWR",
                                      "O_ACCMODE" };

  put (t, "%s", mode[v & 3]);
  if (v & ~3u)
    {
      put (t, "|");
      put_flags (t, NAMES_open, v & ~3u);
    }
}

static void
put_clone_flags (struct text *t, uint32_t v)
{
  const char *sig = signals_name (v & 255);

  if (v & ~255u)
    put_flags (t, NAMES_clone, v & ~255u);
  if (sig)
    put (t, "%s%s", v & ~255u ? "|" : "", sig);
  else if (v & 255 || !v)
    put (t, "%s%u", v & ~255u ? "|" : "", v & 255);
}

/* A type of socket: a number with flags beside it.  */
static void
put_socket_type (struct text *t, uint32_t v)
{
  put_enum (t, NAMES_socktype, v & 15);
  if (v & ~15u)
    {
      put (t, "|");
      put_flags (t, NAMES_sockflag, v & ~15u);
    }
}

static void
put_set (struct text *t, const struct syscall_arg *a, uint32_t v)
{
  if (a->kind == SYSCALL_ENUM)
    put_enum (t, a->what, v);
  else if (a->what == NAMES_open)
    put_open_flags (t, v);
  else if (a->what == NAMES_clone)
    put_clone_flags (t, v);
  else if (a->what == NAMES_socktype)
    put_socket_type (t, v);
  else
    put_flags (t, a->what, v);
}

static void
put_futex_op (struct text *t, uint32_t v)
{
  put_enum (t, NAMES_futexop, v & 127);
  if (v & 128)
    put (t, "_PRIVATE");
  if (v & 256)
    put (t, "|FUTEX_CLOCK_REALTIME");
}

static unsigned
count_bits (uint64_t set)
{
  unsigned n = 0;

  for (; set; set &= set - 1)
    n++;
  return n;
}

static void
put_sigset (struct text *t, uint64_t set)
{
  bool invert = count_bits (set) > 32;
  const char *space = "";

  put (t, invert ? "~[" : "[");
  if (invert)
    set = ~set;
  for (int sig = 1; sig <= SIGNALS_MAX; sig++)
    if (set >> (sig - 1) & 1)
      {
        put (t, "%s%s", space, signals_name (sig) + 3);
        space = " ";
      }
  put (t, "]");
}

static void
put_stat (struct text *t, const uint64_t *st)
{
  static const char *const type[16]
    = { [1] = "S_IFIFO", [2] = "S_IFCHR", [4] = "S_IFDIR", [6] = "S_IFBLK",
        [8] = "S_IFREG", [10] = "S_IFLNK", [12] = "S_IFSOCK" };
  uint32_t mode = st[3];
  const char *name = type[mode >> 12 & 15];

  put (t, "{st_mode=%s|0%o, st_size=%ld, ...}", name ? name : "0",
       mode & 07777, st[6]);
}

static void
put_rlimit_value (struct text *t, uint64_t v)
{
  if (v == -1ul)
    put (t, "RLIM64_INFINITY");
  else
    put (t, "%lu", v);
}

static void
put_epoll_event (struct text *t, const uint8_t *e)
{
  uint32_t events;
  uint64_t data;

  __builtin_memcpy (&events, e, 4);
  __builtin_memcpy (&data, e + 4, 8);
  put (t, "{events=%#x, data=%#lx}", events, data);
}

static void
put_time (struct text *t, const uint64_t *w, const char *fraction)
{
  put (t, "{tv_sec=%ld, tv_%s=%ld}", w[0], fraction, w[1]);
}

/* The struct WHAT, whose bytes are at W.  Returns whether it is one that can
   be shown.  A flat switch.  */
static bool
put_struct_bytes (struct text *t, unsigned what, const void *bytes)
{
  const uint64_t *w = bytes;
  const int32_t *i = bytes;

  switch (what)
    {
    case SYSCALL_STRUCT_int:
      put (t, "[%d]", i[0]);
      break;
    case SYSCALL_STRUCT_long:
      put (t, "[%ld]", w[0]);
      break;
    case SYSCALL_STRUCT_fdpair:
      put (t, "[%d, %d]", i[0], i[1]);
      break;
    case SYSCALL_STRUCT_timespec:
      put_time (t, w, "nsec");
      break;
    case SYSCALL_STRUCT_timeval:
      put_time (t, w, "usec");
      break;
    case SYSCALL_STRUCT_itimerval:
    case SYSCALL_STRUCT_itimerspec:
      put (t, "{it_interval=");
      put_time (t, w, what == SYSCALL_STRUCT_itimerval ? "usec" : "nsec");
      put (t, ", it_value=");
      put_time (t, w + 2, what == SYSCALL_STRUCT_itimerval ? "usec" : "nsec");
      put (t, "}");
      break;
    case SYSCALL_STRUCT_sigset:
      put_sigset (t, w[0]);
      break;
    case SYSCALL_STRUCT_stat:
      put_stat (t, w);
      break;
    case SYSCALL_STRUCT_rlimit:
      put (t, "{rlim_cur=");
      put_rlimit_value (t, w[0]);
      put (t, ", rlim_max=");
      put_rlimit_value (t, w[1]);
      put (t, "}");
      break;
    case SYSCALL_STRUCT_epoll_event:
      put_epoll_event (t, bytes);
      break;
    case SYSCALL_STRUCT_pollfd:
      put (t, "{fd=%d, events=%#x}", i[0], i[1] & 0xffff);
      break;
    case SYSCALL_STRUCT_utsname:
      put (t, "{sysname=\"%s\", nodename=\"%s\", ...}", (const char *) bytes,
           (const char *) bytes + 65);
      break;
    default:
      return false;
    }
  return true;
}

static void
put_struct (struct text *t, unsigned what, app_addr addr)
{
  uint64_t bytes[50] = { 0 };
  size_t size = syscall_struct_size (what);

  if (!addr || size >= sizeof bytes || !fetch (t, addr, bytes, size)
      || !put_struct_bytes (t, what, bytes))
    put_address (t, addr);
}

static void
put_array (struct text *t, unsigned what, app_addr addr, uint64_t n)
{
  size_t size = syscall_struct_size (what);
  uint64_t bytes[50] = { 0 };

  if (!addr || size >= sizeof bytes || (n && !fetch (t, addr, bytes, size)))
    {
      put_address (t, addr);
      return;
    }
  put (t, "[");
  for (uint64_t i = 0; i < n && i < N_ELEMENTS; i++)
    {
      put (t, i ? ", " : "");
      if (!fetch (t, addr + i * size, bytes, size))
        break;
      if (what == SYSCALL_STRUCT_int)
        put (t, "%d", (int32_t) bytes[0]);
      else if (!put_struct_bytes (t, what, bytes))
        put_address (t, addr + i * size);
    }
  put (t, n > N_ELEMENTS ? ", ...]" : "]");
}

/* COUNT iovecs at ADDR, of whose bytes LEFT are shown.  */
static void
put_iov (struct text *t, app_addr addr, uint64_t count, uint64_t left)
{
  uint64_t v[2];

  if (!addr || !fetch (t, addr, v, sizeof v))
    {
      put_address (t, addr);
      return;
    }
  put (t, "[");
  for (uint64_t i = 0; i < count && i < N_ELEMENTS; i++)
    {
      if (!fetch (t, addr + i * sizeof v, v, sizeof v))
        break;
      put (t, "%s{iov_base=", i ? ", " : "");
      put_bytes (t, v[0], MIN (v[1], left), false);
      put (t, ", iov_len=%lu}", v[1]);
      left -= MIN (v[1], left);
    }
  put (t, count > N_ELEMENTS ? ", ...]" : "]");
}

static void
put_msg (struct text *t, app_addr addr, uint64_t left)
{
  uint64_t m[7];

  if (!addr || !fetch (t, addr, m, sizeof m))
    {
      put_address (t, addr);
      return;
    }
  put (t, "{msg_name=");
  put_address (t, m[0]);
  put (t, ", msg_namelen=%u, msg_iov=", (uint32_t) m[1]);
  put_iov (t, m[2], m[3], left);
  put (t, ", msg_iovlen=%lu, msg_controllen=%lu, msg_flags=", m[3], m[5]);
  put_flags (t, NAMES_msg, m[6]);
  put (t, "}");
}

static void
put_sockaddr (struct text *t, app_addr addr, uint32_t length)
{
  uint8_t a[128] = { 0 };
  unsigned family;

  if (!addr || length < 2 || !fetch (t, addr, a, MIN (length, sizeof a - 1)))
    {
      put_address (t, addr);
      return;
    }
  family = a[0] | a[1] << 8;
  put (t, "{sa_family=");
  put_enum (t, NAMES_family, family);
  if (family == 1 && length > 2)
    put (t, ", sun_path=%s\"%s\"", a[2] ? "" : "@",
         (const char *) a + (a[2] ? 2 : 3));
  else if (family == 2 && length >= 8)
    put (t, ", sin_port=htons(%u), sin_addr=inet_addr(\"%u.%u.%u.%u\")",
         a[2] << 8 | a[3], a[4], a[5], a[6], a[7]);
  else if (family == 10 && length >= 24)
    {
      put (t, ", sin6_port=htons(%u), sin6_addr=", a[2] << 8 | a[3]);
      for (unsigned i = 8; i < 24; i += 2)
        put (t, "%s%x", i > 8 ? ":" : "", a[i] << 8 | a[i + 1]);
    }
  put (t, "}");
}

static void
put_descriptor (struct text *t, const struct syscall_arg *a, int fd)
{
  if (a->kind == SYSCALL_DIRFD && fd == -100)
    put (t, "AT_FDCWD");
  else
    put (t, "%d", fd);
}

static void
put_signal (struct text *t, int sig)
{
  const char *name = signals_name (sig);

  if (name)
    put (t, "%s", name);
  else
    put (t, "%d", sig);
}

static void
put_command (struct text *t, uint32_t v)
{
  const struct command_row *row = command_of_call (t->c->nr, t->c->args);

  if (row)
    put (t, "%s", row->name);
  else
    put (t, "%#x", v);
}

/* An argument that is a number.  A flat switch over kinds.  */
static void
put_number (struct text *t, const struct syscall_arg *a, uint64_t v)
{
  switch (a->kind)
    {
    case SYSCALL_FD:
    case SYSCALL_DIRFD:
      put_descriptor (t, a, v);
      break;
    case SYSCALL_INT:
    case SYSCALL_PID:
    case SYSCALL_UID:
      put (t, "%d", (int32_t) v);
      break;
    case SYSCALL_UINT:
      put (t, "%u", (uint32_t) v);
      break;
    case SYSCALL_LONG:
    case SYSCALL_OFFSET:
      put (t, "%ld", v);
      break;
    case SYSCALL_SIZE:
      put (t, "%lu", v);
      break;
    case SYSCALL_MODE:
      put (t, v ? "0%lo" : "%lo", v);
      break;
    case SYSCALL_SIGNAL:
      put_signal (t, v);
      break;
    case SYSCALL_FLAGS:
    case SYSCALL_ENUM:
      put_set (t, a, v);
      break;
    case SYSCALL_COMMAND:
      put_command (t, v);
      break;
    case SYSCALL_FUTEXOP:
      put_futex_op (t, v);
      break;
    case SYSCALL_ADDR:
      put_address (t, v);
      break;
    default:
      put (t, v ? "%#lx" : "%lu", v);
    }
}

/* An argument whose memory can be shown now.  A flat switch over kinds.  */
static void
put_memory (struct text *t, const struct syscall_arg *a, uint64_t v)
{
  const uint64_t *args = t->c->args;
  uint64_t count = a->count < SYSCALL_N_ARGS ? args[a->count] : 2;
  bool counted = a->access & SYSCALL_WRITE && t->c->returned;
  uint64_t done = counted ? MIN (count, (uint64_t) t->c->result) : count;
  int32_t length = 0;

  switch (a->kind)
    {
    case SYSCALL_PATH:
      put_quoted (t, v, 4096, 4096, true);
      break;
    case SYSCALL_STRING:
      put_bytes (t, v, -1ul, true);
      break;
    case SYSCALL_STRINGS:
      put_strings (t, v);
      break;
    case SYSCALL_STRUCT:
      put_struct (t, a->what, v);
      break;
    case SYSCALL_ARRAY:
      put_array (t, a->what, v, done);
      break;
    case SYSCALL_BUF:
      put_bytes (t, v, done, false);
      break;
    case SYSCALL_POLLFDS:
      put_array (t, SYSCALL_STRUCT_pollfd, v, (uint32_t) count);
      break;
    case SYSCALL_SOCKADDR:
      if (a->access & SYSCALL_READ)
        put_sockaddr (t, v, count);
      else if (fetch (t, count, &length, 4) && length > 0)
        put_sockaddr (t, v, MIN ((uint32_t) length, t->c->room[0]));
      else
        put_address (t, v);
      break;
    case SYSCALL_IOV:
      put_iov (t, v, count, t->c->returned ? (uint64_t) t->c->result : -1ul);
      break;
    case SYSCALL_MSG:
      put_msg (t, v, t->c->returned ? (uint64_t) t->c->result : -1ul);
      break;
    default:
      put_address (t, v);
    }
}

/* What SPECIAL argument N is, as far as its command's row tells.  */
static void
put_special (struct text *t, unsigned n)
{
  const struct command_row *row = command_of_call (t->c->nr, t->c->args);
  uint64_t v = t->c->args[n];

  if (row && row->pointer == n && row->size == COMMAND_TEXT)
    put_bytes (t, v, -1ul, true);
  else if (row && (row->pointer != n || !row->access))
    put (t, v > 9 ? "%#lx" : "%lu", v);
  else
    put_address (t, v);
}

static void
put_arg (struct text *t, const struct syscall_arg *a, unsigned n)
{
  uint64_t v = t->c->args[n];
  bool failed = t->c->returned && errors_is (t->c->result);
  bool remote = a->access & SYSCALL_REMOTE;
  bool shown = (t->c->returned && !failed) || !(a->access & SYSCALL_WRITE)
               || (failed && a->access & SYSCALL_ON_ERROR
                   && a->access & SYSCALL_READ);

  if (a->kind < SYSCALL_PATH)
    put_number (t, a, v);
  else if (a->kind == SYSCALL_SPECIAL)
    put_special (t, n);
  else if (remote || !shown || (failed && a->kind == SYSCALL_IOV))
    put_address (t, v);
  else
    put_memory (t, a, v);
}

static void
put_result (struct text *t)
{
  const struct syscall_row *row = syscall_row (t->c->nr);
  long r = t->c->result;

  if (errors_is (r) && errors_name (-r))
    put (t, " = %s %s (%s)", -r >= 512 ? "?" : "-1", errors_name (-r),
         errors_message (-r));
  else if (t->c->nr == LINUX_umask)
    put (t, " = 0%lo", r);
  else if (row->class == SYSCALL_CLASS_MEMORY && r && !errors_is (r))
    put (t, " = %#lx", r);
  else
    put (t, " = %ld", r);
}

/* Operations of futex that use but the first arguments.  */
static bool
is_left_out_of_futex (unsigned op, unsigned n)
{
  return ((op == 1 || op == 2) && n == 3)       /* WAKE, FD */
         || (op == 0 && n == 4)                 /* WAIT */
         || ((op >= 6 && op <= 8) && n == 4)    /* the _PI ones */
         || (op == 3 && n == 5);                /* REQUEUE */
}

/* open and openat have a mode only when they can make a file.  */
static bool
is_left_out (const struct sysmem_call *c, unsigned n)
{
  if (c->nr == LINUX_futex)
    return is_left_out_of_futex (c->args[1] & 127, n);

  unsigned flags = c->nr == LINUX_open ? 1 : 2;

  return (c->nr == LINUX_open || c->nr == LINUX_openat) && n == flags + 1
         && !(c->args[flags] & 0x40)            /* O_CREAT, O_TMPFILE */
         && (c->args[flags] & 0x410000) != 0x410000;
}

/* See systext.h.  */

size_t
systext_write (const struct sysmem_call *c, char *buf, size_t size)
{
  const struct syscall_row *row = syscall_row (c->nr);
  struct text t = { c, buf, size, 0 };
  unsigned n = syscall_n_args (row);

  if (row->name[0])
    put (&t, "%s(", row->name);
  else
    put (&t, "syscall_%#lx(", c->nr);
  for (unsigned i = 0; i < n && !is_left_out (c, i); i++)
    {
      put (&t, i ? ", " : "");
      put_arg (&t, &row->args[i], i);
    }
  put (&t, ")");
  if (c->returned)
    put_result (&t);
  return t.at;
}

/* See systext.h.  */

size_t
systext_write_names (unsigned set, uint32_t v, bool flags, char *buf,
                     size_t size)
{
  struct text t = { NULL, buf, size, 0 };
  struct syscall_arg a = { flags ? SYSCALL_FLAGS : SYSCALL_ENUM, 0, set, 0 };

  put_set (&t, &a, v);
  return t.at;
}
