/* See policy.h.  */

#define _GNU_SOURCE
#include "host/policy.h"

#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "common/types.h"

#define SHORTEST 100000         /* nanoseconds: the kernel's shortest slice */

/* sched_setattr(2), which this C library does not have.  */
struct attributes
{
  uint32_t size;
  uint32_t policy;
  uint64_t flags;
  int32_t nice;
  uint32_t priority;
  uint64_t runtime, deadline, period;
};

/* How the server was scheduled at first; and whether that was changed.  */
static struct attributes natural;
static bool shortened;

static bool
get (struct attributes *attr)
{
  return syscall (SYS_sched_getattr, 0, attr, sizeof *attr, 0) == 0;
}

/* Have the calling thread run by POLICY, in slices of NS nanoseconds; 0: the
   system's.  */
static bool
set (uint32_t policy, uint64_t ns)
{
  struct attributes attr = natural;

  attr.size = sizeof attr;
  attr.policy = policy;
  attr.priority = policy == SCHED_RR;
  attr.runtime = ns;
  return syscall (SYS_sched_setattr, 0, &attr, 0) == 0;
}

/* See policy.h.  The kernel does not tell a slice that somebody has set from
   the system's of the same length, nor need it.  */
void
policy_shorten_slices (void)
{
  struct attributes common;

  if (!get (&natural) || natural.policy != SCHED_OTHER
      || !set (SCHED_OTHER, 0) || !get (&common))
    return;
  if (common.runtime == natural.runtime)
    natural.runtime = 0;
  shortened = set (SCHED_OTHER, SHORTEST);
}

/* See policy.h.  */
void
policy_restore_slices (void)
{
  if (shortened)
    (void) set (SCHED_OTHER, natural.runtime);
}

/* See policy.h.  */
void
policy_be_first (void)
{
  if (shortened)
    (void) set (SCHED_RR, 0);
}
