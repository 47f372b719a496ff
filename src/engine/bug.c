/* Bugs of the engine's own.  See bug.h.

   Everything here is by raw write from buffers on the stack: it may run in
   signal context, with any lock held.  */

#include "engine/bug.h"
#include "common/assert.h"
#include "common/format.h"
#include "common/log.h"
#include "engine/heap.h"

static void
write_line (const char *line, size_t n)
{
  raw_write_all (2, line, n);
}

static void
say (const char *fmt, ...)
{
  char line[256];
  va_list ap;
  va_start (ap, fmt);
  size_t n = format_text_v (line, sizeof line, fmt, ap);
  va_end (ap);
  write_line (line, MIN (n, sizeof line - 1));
}

static void
say_thread (const struct thread *t)
{
  const struct arch_context *c = &t->context;
  say ("rio: thread %d: state %u, application pc %#lx, exit %lu, "
       "system call %ld, image at %#lx\n",
       t->tid, t->state, c->rip, c->exit, t->syscall, core_start);
  for (unsigned i = 0; i < ARCH_N_GPR; i += 4)
    say ("rio:   r%-2u %016lx %016lx %016lx %016lx\n", i, c->gpr[i],
         c->gpr[i + 1], c->gpr[i + 2], c->gpr[i + 3]);
}

NORETURN static void
stop (void)
{
  for (;;)
    raw3 (__NR_exit_group, VM_EXIT_BUG, 0, 0);
}

static void
on_bug (const char *what, const char *file, int line)
{
  say ("rio: bug: %s:%d: %s\n", file, line, what);
  say_thread (thread_self ());
  stop ();
}

/* See bug.h.  */

void
bug_fault (int sig, uint64_t pc, uint64_t addr)
{
  say ("rio: bug: signal %d in the engine at %#lx (image + %#lx), "
       "address %#lx\n",
       sig, pc, pc - core_start, addr);
  say_thread (thread_self ());
  stop ();
}

/* See bug.h.  */

void
bug_init (void)
{
  bug_handler = on_bug;
  log_sink = write_line;
}
