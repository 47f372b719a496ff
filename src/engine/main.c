/* See main.h.

   engine_main, on the boot stack, makes memory and the first thread; the rest
   is done on that thread's own stack.  */

#include "engine/main.h"
#include "arch/enter.h"
#include "arch/gate.h"
#include "common/assert.h"
#include "common/log.h"
#include "engine/areas.h"
#include "engine/bug.h"
#include "engine/depart.h"
#include "engine/dispatch.h"
#include "engine/events.h"
#include "engine/gate.h"
#include "engine/heap.h"
#include "engine/memory-calls.h"
#include "engine/options.h"
#include "engine/signal.h"
#include "engine/start.h"
#include "engine/stop.h"
#include "engine/ticks.h"

#define HWCAP2_FSGSBASE 2

struct channel *channel;

/* See main.h.  */
uint64_t
main_auxv (app_addr rsp, uint64_t type)
{
  const uint64_t *p = (const uint64_t *) rsp;
  p += 1 + *p + 1;              /* argc, argv, null */
  while (*p++)                  /* envp, null */
    ;
  for (; *p != RAW_AT_NULL; p += 2)
    if (*p == type)
      return p[1];
  return 0;
}

static void
start_thread (void *arg)
{
  struct thread *t = arg;
  if (!areas_init (engine_owns))
    vm_unreachable ("/proc/self/maps cannot be read");
  memory_calls_init ();
  ticks_init ();
  signal_init (t);
  dispatch_init ();
  stop_begin (t);
  LOG (BIRTH, "process %d: enters at %#lx", t->tgid, t->context.rip);
  events_start (t);
  stop_exec_returns (t);
  arch_restart (&t->context, ARCH_EXIT_RESUMED);
}

/* See start.h.  */
void
engine_main (struct channel *c)
{
  channel = c;
  const struct channel_birth *birth = &channel->birth;
  bug_init ();
  depart_init ();
  options_init (&birth->options);
  log_topics = options.log_topics;
  heap_init (birth->engine_base, birth->core_end,
             areas_first_above (birth->core_end));
  uint64_t hwcap2 = main_auxv (birth->regs.gpr[ARCH_RSP], RAW_AT_HWCAP2);
  signal_frame_max = main_auxv (birth->regs.gpr[ARCH_RSP],
                                RAW_AT_MINSIGSTKSZ);
  struct thread *t = thread_init (&birth->regs, hwcap2 & HWCAP2_FSGSBASE);
  arch_call_on_stack ((void *) t->context.engine_rsp, start_thread, t);
}
