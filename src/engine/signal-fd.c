/* signalfd, for signals that are pending with the engine.  Other signals are
   the kernel's affair.  That poll and its like do not see them is a limit.  */

#include "common/format.h"
#include "common/string.h"
#include "engine/gate.h"
#include "engine/signal.h"
#include "engine/special-files.h"

gate_function gate_signalfd;

/* struct signalfd_siginfo of <linux/signalfd.h>.  */
struct signalfd_info
{
  uint32_t signo;
  int32_t err, code;
  uint32_t pid, uid;
  int32_t fd;
  uint32_t tid, band, overrun, trapno;
  int32_t status, value;
  uint64_t ptr, utime, stime, addr;
  uint16_t addr_lsb, pad;
  int32_t syscall;
  uint64_t call_addr;
  uint32_t arch;
  uint8_t rest[28];
};
_Static_assert (sizeof (struct signalfd_info) == 128, "");

long
gate_signalfd (struct thread *t)
{
  linux_sigset set;
  bool known = safe_read (&set, gate_arg (t, 1), sizeof set);
  long fd = gate_issue (t);
  if (fd >= 0 && known && (set & SIGNAL_NEVER_BLOCKED))
    special_note (fd, SPECIAL_SIGNALFD);
  return fd;
}

/* The set of the signalfd FD; 0: it is none.  */

static linux_sigset
set_of (int fd)
{
  char path[48], text[512];
  format_text (path, sizeof path, "/proc/thread-self/fdinfo/%d", fd);
  long info = raw4 (__NR_openat, RAW_AT_FDCWD, RAW_PTR (path),
                    RAW_O_RDONLY | RAW_O_CLOEXEC, 0);
  if (info < 0)
    return 0;
  long n = raw3 (__NR_read, info, RAW_PTR (text), sizeof text);
  raw3 (__NR_close, info, 0, 0);
  return n > 0 ? string_find_number (text, n, "sigmask:\t") : 0;
}

/* REC as a signalfd tells it.  */

static void
describe (struct signalfd_info *to, const struct signal_record *rec)
{
  *to = (struct signalfd_info) {
    .signo = rec->info.signo, .err = rec->info.err, .code = rec->info.code,
    .pid = rec->info.queue.pid, .uid = rec->info.queue.uid,
  };
  if (rec->info.code == RAW_SI_QUEUE)
    {
      to->ptr = rec->info.queue.value;
      to->value = rec->info.queue.value;
    }
}

/* See special-files.h.  */

long
special_read_signalfd (struct thread *t)
{
  struct signal_record rec;
  struct signalfd_info info;
  if (gate_arg (t, 2) < sizeof info)
    return gate_issue (t);
  long r = signal_issue_awaiting (t, set_of (gate_arg (t, 0)), &rec);
  if (r != SIGNAL_TAKEN)
    return r;
  describe (&info, &rec);
  return safe_write (gate_arg (t, 1), &info, sizeof info)
           ? (long) sizeof info : -RAW_EFAULT;
}
