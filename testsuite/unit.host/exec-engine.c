/* An engine that execs and then runs nothing: at birth it asks for an exec
   that fails, then for one of the same program; what comes out of that, and
   gets the engine again, goes native.  For the tests of exec alone.  */

#include "engine/call.h"
#include "engine/start.h"
#include "linux/raw.h"

static void
ask_and_exec (const struct channel_birth *b, const char *file)
{
  const uint64_t *stack = (const uint64_t *) b->regs.gpr[ARCH_RSP];
  uint64_t argc = stack[0];
  unsigned call;

  if (!call_exec (b->pid, b->pid, b->generation, &call))
    raw3 (__NR_exit_group, 99, 0, 0);
  raw3 (__NR_execve, RAW_PTR (file), RAW_PTR (stack + 1),
        RAW_PTR (stack + argc + 2));
  call_exec_failed (call);
}

void
engine_main (struct channel *c)
{
  if (c->birth.generation == 0)
    {
      ask_and_exec (&c->birth, "/nonexistent");
      ask_and_exec (&c->birth, "/proc/self/exe");
      raw3 (__NR_exit_group, 98, 0, 0);
    }
  engine_go_native (&c->birth.regs);
}
