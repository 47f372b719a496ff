/* The system-call gate.  See gate.h.  */

#include "engine/gate.h"
#include "arch/gate.h"
#include "common/log.h"
#include "common/string.h"
#include "engine/code-change.h"
#include "engine/code-memory.h"
#include "engine/dispatch.h"
#include "engine/heap.h"
#include "engine/park.h"
#include "linux/sysmem.h"

_Static_assert (GATE_AGAIN == ARCH_SYSCALL_AGAIN, "");

#define CALL(NAME, FUNCTION) gate_function FUNCTION;
#include "engine/calls.def"
#undef CALL

/* By number; null: passed on.  */
static gate_function *const functions[SYSCALL_END] = {
#define CALL(NAME, FUNCTION) [LINUX_##NAME] = FUNCTION,
#include "engine/calls.def"
#undef CALL
};

/* See gate.h.  */

bool
engine_owns (uint64_t start, uint64_t end)
{
  return core_overlaps (start, end) || code_memory_overlaps (start, end);
}

/* See gate.h.  */

bool
safe_read (void *dst, app_addr addr, size_t n)
{
  return arch_copy (dst, (const void *) addr, n) == 0;
}

/* See gate.h.  */

bool
safe_write (app_addr addr, const void *src, size_t n)
{
  if (engine_owns (addr, addr + n))
    return false;
  dispatch_kernel_writes (addr, addr + n);
  return arch_copy ((void *) addr, src, n) == 0;
}

/* See gate.h.  */

long
safe_read_string (char *dst, app_addr addr, size_t size)
{
  for (size_t have = 0; have < size;)
    {
      size_t n = MIN (size - have, PAGE_SIZE - (addr + have) % PAGE_SIZE);
      if (!safe_read (dst + have, addr + have, n))
        return -RAW_EFAULT;
      for (; n; n--, have++)
        if (!dst[have])
          return have;
    }
  return size;
}

static bool
read_for_walk (void *cookie, app_addr from, void *to, size_t size)
{
  (void) cookie;
  return safe_read (to, from, size);
}

static void
lift (void *cookie, unsigned arg, app_addr addr, size_t size, unsigned access)
{
  (void) cookie, (void) arg, (void) access;
  dispatch_kernel_writes (addr, addr + size);
}

/* Take the engine's protection from what call NR with ARGS is going to
   write.  */

static void
lift_for_call (int64_t nr, const uint64_t args[6])
{
  struct sysmem_call c = { .nr = nr, .read = read_for_walk };
  memcpy (c.args, args, sizeof c.args);
  sysmem_enter (&c);
  sysmem_walk (&c, SYSCALL_WRITE, lift, NULL);
}

/* See gate.h.  */

long
gate_issue_args (struct thread *t, int64_t nr, const uint64_t args[6])
{
  if (code_change_any ())
    lift_for_call (nr, args);
  if (!syscall_may_block (nr))
    return arch_syscall (nr, args);
  park_enter_syscall (t);
  long r = arch_syscall (nr, args);
  return park_leave_syscall (t) ? GATE_CONTEXT : r;
}

/* See gate.h.  */

long
gate_issue (struct thread *t)
{
  uint64_t args[6];
  for (unsigned n = 0; n < 6; n++)
    args[n] = gate_arg (t, n);
  return gate_issue_args (t, gate_number (t), args);
}

/* A call that this engine refuses as a kernel without it does.  */

long
gate_nosys (struct thread *t)
{
  (void) t;
  return -RAW_ENOSYS;
}

static void
log_call (const struct thread *t, long r)
{
  LOG (SYSCALL, "%d: %s (%#lx, %#lx, %#lx, %#lx, %#lx, %#lx) = %ld", t->tid,
       syscall_row (t->syscall)->name, gate_arg (t, 0), gate_arg (t, 1),
       gate_arg (t, 2), gate_arg (t, 3), gate_arg (t, 4), gate_arg (t, 5), r);
}

/* See gate.h.  */

void
syscall_gate (struct thread *t)
{
  struct arch_context *c = &t->context;
  int64_t nr = gate_number (t);
  gate_function *f = nr >= 0 && nr < SYSCALL_END ? functions[nr] : NULL;
  t->syscall = nr;
  long r = f ? f (t) : gate_issue (t);
  log_call (t, r);
  t->syscall = -1;
  if (r == GATE_CONTEXT)
    return;
  c->gpr[ARCH_RCX] = c->rip;
  c->gpr[ARCH_R11] = c->rflags;
  if (r == GATE_AGAIN)
    c->rip -= 2;
  else
    c->gpr[ARCH_RAX] = r;
}
