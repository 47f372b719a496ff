/* System calls about state that the kernel keeps for a thread: segment bases,
   prctl.  Named in calls.def, called by the gate alone.  */

#include "cache/cache.h"
#include "engine/call.h"
#include "engine/depart.h"
#include "engine/gate.h"
#include "engine/park.h"
#include "engine/signal.h"
#include "engine/ticks.h"
#include "engine/tracer.h"
#include "linux/syscall.h"

enum { PTRACE_TRACEME_ = 0, PTRACE_ATTACH_ = 16, PTRACE_SEIZE_ = 0x4206 };
enum { ARCH_GET_XCOMP_PERM_ = 0x1022, ARCH_REQ_XCOMP_PERM_ = 0x1023,
       XFEATURE_TILES = 18 };
enum { PR_SET_SECCOMP_ = 22, PR_SET_TSC_ = 26,
       PR_SET_SYSCALL_USER_DISPATCH_ = 59 };

gate_function gate_arch_prctl, gate_prctl, gate_ptrace;

/* Some thread of T's process has an alternate stack that is too small for the
   largest frame.  */

static bool
has_small_altstack (const struct thread *t)
{
  bool found = false;
  lock_acquire (&thread_lock);
  for (const struct thread *o = thread_list; o; o = o->next)
    found |= o->tgid == t->tgid && o->signals.altstack.size
             && o->signals.altstack.size < signal_frame_max;
  lock_release (&thread_lock);
  return found;
}

/* The kernel looks at the alternate stacks before it lets a program use tiles
   (Documentation/arch/x86/xstate); those that it has are the engine's.  */

static bool
may_use_tiles (const struct thread *t)
{
  uint64_t permitted = 0;
  raw3 (__NR_arch_prctl, ARCH_GET_XCOMP_PERM_, RAW_PTR (&permitted), 0);
  return (permitted & 1ul << XFEATURE_TILES) || !has_small_altstack (t);
}

/* The %gs base of the application is a field; that of the kernel is the
   engine's.  What the kernel accepts as a base is below TASK_SIZE_MAX.  */

long
gate_arch_prctl (struct thread *t)
{
  uint64_t code = gate_arg (t, 0), addr = gate_arg (t, 1);
  switch (code)
    {
    case RAW_ARCH_SET_GS:
      if (addr >= (1ul << 47) - PAGE_SIZE)
        return -RAW_EPERM;
      t->context.gs_base = addr;
      return 0;
    case RAW_ARCH_GET_GS:
      return safe_write (addr, &t->context.gs_base, 8) ? 0 : -RAW_EFAULT;
    case ARCH_REQ_XCOMP_PERM_:
      if (addr == XFEATURE_TILES && !may_use_tiles (t))
        return -RAW_ENOSPC;
      break;
    default:
      break;
    }
  long r = gate_issue (t);
  if (code == RAW_ARCH_SET_FS && r == 0)
    t->context.fs_base = addr;
  return r;
}

/* A filter, or a dispatcher of system calls, would see those of the engine:
   refused as by a kernel that was built without them.  Nothing of the engine's
   may read a time stamp that the program has forbidden.  */

long
gate_prctl (struct thread *t)
{
  uint64_t option = gate_arg (t, 0);
  if (option == PR_SET_SECCOMP_ || option == PR_SET_SYSCALL_USER_DISPATCH_)
    return -RAW_EINVAL;
  if (option == PR_SET_TSC_)
    {
      ticks_forbid ();
      cache_measure_no_more ();
    }
  return gate_issue (t);
}

/* Before a thread is traced that T's call names: its process goes native, if
   it is of the tree.  False: it cannot.  */

static bool
make_native (struct thread *t)
{
  uint64_t request = gate_arg (t, 0);
  if (request != PTRACE_ATTACH_ && request != PTRACE_SEIZE_)
    return true;
  park_enter_syscall (t);
  bool left = depart_ask (t, gate_arg (t, 1));
  park_leave_syscall (t);
  return left;
}

/* Whoever traces a process wants to see the program's own instructions and
   system calls: it goes native.  A tracer that shares its memory cannot have
   that.  */

long
gate_ptrace (struct thread *t)
{
  struct arch_context *c = &t->context;
  long r;
  if (gate_arg (t, 0) != PTRACE_TRACEME_ && tracer_call (t, &r))
    return r;
  if (!make_native (t))
    return -RAW_EPERM;
  signal_vector (t);            /* learned by a kick: not with a tracer */
  r = gate_issue (t);
  if (gate_arg (t, 0) != PTRACE_TRACEME_ || r != 0 || t != thread_list
      || t->next)
    return r;
  call_count_native (HUB_NATIVE_TRACED);
  c->gpr[ARCH_RAX] = 0;
  c->gpr[ARCH_RCX] = c->rip;
  c->gpr[ARCH_R11] = c->rflags;
  signal_go_native (t);
}
