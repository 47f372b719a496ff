/* execve and execveat.  Named in calls.def, called by the gate alone.

   The new image inherits what the kernel has of this one: ignored signals and
   the mask.  Both are made the application's for the duration of the call,
   and the engine's again when it fails.  A signal that comes meanwhile keeps
   the call from being issued (arch_syscall), so that none is lost.

   With `follow' the server is asked first: it traces the thread over the call
   and puts the engine into the new image.  */

#include "arch/gate.h"
#include "common/log.h"
#include "engine/call.h"
#include "engine/exec-file.h"
#include "engine/gate.h"
#include "engine/main.h"
#include "engine/options.h"
#include "engine/park.h"
#include "engine/signal.h"
#include "linux/syscall.h"

gate_function gate_execve, gate_execveat;

static void
make_signals_native (struct thread *t)
{
  const struct sighand *h = t->signals.sighand;
  for (int sig = 1; sig <= RAW_NSIG; sig++)
    if ((SIGNAL_NEVER_BLOCKED & SIGSET_BIT (sig))
        && h->action[sig - 1].handler == RAW_SIG_IGN)
      signal_set_native_action (h, sig);
  signal_set_native_mask (t);
  pending_give_back (t);
}

static void
make_signals_ours (struct thread *t)
{
  const struct sighand *h = t->signals.sighand;
  for (int sig = 1; sig <= RAW_NSIG; sig++)
    if (SIGNAL_NEVER_BLOCKED & SIGSET_BIT (sig))
      signal_set_action (h, sig);
  signal_mask_sync (t);
}

/* Issue the call of T; returns when it fails.  */

static long
issue (struct thread *t, bool ask)
{
  uint64_t args[6];
  unsigned call;
  for (unsigned n = 0; n < 6; n++)
    args[n] = gate_arg (t, n);
  make_signals_native (t);
  bool granted = ask && call_exec (t->tgid, t->tid,
                                   channel->birth.generation, &call);
  LOG (PROCESS, "%d: exec, %s", t->tid, granted ? "followed" : "native");
  park_enter_syscall (t);
  long r = arch_syscall (gate_number (t), args);
  park_leave_syscall (t);
  if (granted)
    call_exec_failed (call);
  make_signals_ours (t);
  return r;
}

static long
exec (struct thread *t, int dirfd, uint64_t path, unsigned flags)
{
  enum hub_native_reason reason = HUB_NATIVE_NOT_FOLLOWED;
  long error;
  enum exec_file_verdict verdict = EXEC_FILE_NATIVE;
  if (options.follow)
    verdict = exec_file_look (dirfd, path, flags, &reason, &error);
  if (verdict == EXEC_FILE_ERROR)
    return error;
  if (verdict == EXEC_FILE_NATIVE)
    call_count_native (reason);
  return issue (t, verdict == EXEC_FILE_FOLLOW);
}

/* See calls.def for these.  */

long
gate_execve (struct thread *t)
{
  return exec (t, (int) RAW_AT_FDCWD, gate_arg (t, 0), 0);
}

long
gate_execveat (struct thread *t)
{
  return exec (t, gate_arg (t, 0), gate_arg (t, 1), gate_arg (t, 4));
}
