/* See special-files.h.  */

#include "engine/special-files.h"
#include "engine/gate.h"

#define N_KNOWN 32

gate_function gate_read, gate_pread64, gate_readv;

/* fd << 8 | kind, plus 1 << 40; 0: free.  */
static uint64_t known[N_KNOWN];
static unsigned n_known;

#define KNOWN(FD, KIND) (1ul << 40 | (uint64_t) (uint32_t) (FD) << 8 | (KIND))

/* See special-files.h.  */

void
special_note (int fd, enum special_file kind)
{
  for (unsigned n = 0; n < N_KNOWN && known[n]; n++)
    if (known[n] == KNOWN (fd, kind))
      return;
  unsigned n = __atomic_fetch_add (&n_known, 1, __ATOMIC_RELAXED) % N_KNOWN;
  __atomic_store_n (&known[n], KNOWN (fd, kind), __ATOMIC_RELEASE);
}

static bool
may_be (int fd, enum special_file kind)
{
  for (unsigned n = 0; n < N_KNOWN && known[n]; n++)
    if (known[n] == KNOWN (fd, kind))
      return true;
  return false;
}

/* Where descriptor FD is, after a read of N bytes.  */

static uint64_t
offset_before (int fd, long n)
{
  enum { SEEK_CUR_ = 1 };
  return raw3 (__NR_lseek, fd, 0, SEEK_CUR_) - n;
}

/* See calls.def for these.  */

long
gate_read (struct thread *t)
{
  int fd = gate_arg (t, 0);
  if (!n_known)
    return gate_issue (t);
  if (may_be (fd, SPECIAL_SIGNALFD))
    return special_read_signalfd (t);
  long n = gate_issue (t);
  if (n > 0 && may_be (fd, SPECIAL_STATUS))
    special_mend_status (t, fd, gate_arg (t, 1), n, offset_before (fd, n));
  return n;
}

long
gate_pread64 (struct thread *t)
{
  int fd = gate_arg (t, 0);
  long n = gate_issue (t);
  if (n > 0 && n_known && may_be (fd, SPECIAL_STATUS))
    special_mend_status (t, fd, gate_arg (t, 1), n, gate_arg (t, 3));
  return n;
}

long
gate_readv (struct thread *t)
{
  struct { uint64_t base, size; } part;
  int fd = gate_arg (t, 0);
  long n = gate_issue (t);
  if (n <= 0 || !n_known || !may_be (fd, SPECIAL_STATUS))
    return n;
  uint64_t at = offset_before (fd, n), end = at + n;
  for (unsigned i = 0; at < end; i++)
    {
      if (!safe_read (&part, gate_arg (t, 1) + i * sizeof part, sizeof part))
        break;
      uint64_t size = MIN (part.size, end - at);
      special_mend_status (t, fd, part.base, size, at);
      at += size;
    }
  return n;
}
