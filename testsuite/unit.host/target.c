/* The target, with the engine of this build under a small guest.  */

#define _GNU_SOURCE
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "elf-symbol.h"
#include "host/target.h"
#include "lib/check.h"

#define LIMIT 10000             /* milliseconds for one event */

static char guest[4200], engine[4200];

/* Start the guest to do WHAT (with ARG); its id, or 0.  */
static int
start (struct target **t, const char *what, const char *arg)
{
  const char *argv[] = { guest, what, arg, NULL };
  const struct target_program program = {
    .argv = argv,
    .disable_randomization = true,
    .stream = { -1, -1, -1 },
  };
  int pid = 0;
  enum target_refusal r = target_create (t, NULL);

  if (!check (r == TARGET_OK, "%s: target", what))
    return 0;
  r = target_spawn (*t, &program, &pid);
  if (!check (r == TARGET_OK, "%s: spawn (%s)", what,
              target_explanation (*t)))
    {
      target_destroy (*t, true);
      return 0;
    }
  return pid;
}

static void
resume (struct target *t, enum target_resume_kind kind, int tid, int signal)
{
  const struct target_action actions[] = {
    { .tid = tid, .kind = kind, .signal = signal },
    { .kind = TARGET_RESUME_CONTINUE },
  };

  check (target_resume (t, actions, tid != 0 ? 2 : 1) == TARGET_OK,
         "resume");
}

static struct target_event
await (struct target *t)
{
  struct pollfd fd = { target_event_fd (t), POLLIN, 0 };
  struct target_event event = { .kind = TARGET_EVENT_NONE };

  for (int ms = 0; ms < LIMIT && !target_next_event (t, &event); ms += 10)
    poll (&fd, 1, 10);
  return event;
}

/* Resume all, or all but TID that does as KIND says, and wait.  */
static struct target_event
run (struct target *t, enum target_resume_kind kind, int tid, int signal)
{
  struct target_event event;

  if (tid == 0)
    {
      const struct target_action all
        = { .kind = TARGET_RESUME_CONTINUE, .signal = signal };

      check (target_resume (t, &all, 1) == TARGET_OK, "resume");
    }
  else
    resume (t, kind, tid, signal);
  event = await (t);
  printf ("event %d of %d.%d: signal %d, status %d, child %d\n", event.kind,
          event.pid, event.tid, event.signal, event.status, event.child);
  return event;
}

static struct target_event
go (struct target *t)
{
  return run (t, TARGET_RESUME_CONTINUE, 0, 0);
}

static uint64_t
pc_of (struct target *t, int tid)
{
  static struct target_regs regs;

  return target_regs_read (t, tid, &regs) == TARGET_OK ? regs.regs.rip : 0;
}

/* The bytes by which the guest is away from where it is linked; it has to be
   at its first instruction.  */
static uint64_t
slide (struct target *t, int pid)
{
  uint8_t auxv[1024];
  size_t n = sizeof auxv;

  if (target_auxv (t, pid, auxv, &n) != TARGET_OK)
    return 0;
  for (size_t i = 0; i + 16 <= n; i += 16)
    {
      uint64_t pair[2];

      memcpy (pair, auxv + i, sizeof pair);
      if (pair[0] == 9)         /* AT_ENTRY */
        return pair[1] - elf_entry (guest);
    }
  return 0;
}

static void
breakpoints (void)
{
  struct target *t;
  int pid = start (&t, "calls", NULL);
  struct target_point point = { .kind = TARGET_POINT_BREAK };
  struct target_event e;
  unsigned hits = 0;
  uint64_t pc;

  if (pid == 0)
    return;
  point.addr = slide (t, pid) + elf_symbol (guest, "here");
  check (target_point_insert (t, pid, &point) == TARGET_OK, "calls: insert");
  while ((e = go (t)).kind == TARGET_EVENT_BREAKPOINT && hits < 10)
    {
      hits++;
      if (pc_of (t, e.tid) != point.addr)
        break;
      if (hits != 2)
        continue;
      e = run (t, TARGET_RESUME_STEP, e.tid, 0);
      pc = pc_of (t, e.tid);
      check (e.kind == TARGET_EVENT_STEP && pc > point.addr
               && pc < point.addr + 16, "calls: step");
      check (target_point_remove (t, pid, point.kind, point.addr, 0)
               == TARGET_OK, "calls: remove");
    }
  check (hits == 2, "calls: %u stops", hits);
  check (e.kind == TARGET_EVENT_EXITED && e.status == 46, "calls: exit");
  target_destroy (t, true);
}

static void
interrupts (int n_threads)
{
  struct target *t;
  char number[8];
  int pid, tids[64];
  unsigned good = 0;

  snprintf (number, sizeof number, "%d", n_threads);
  pid = start (&t, "threads", number);
  if (pid == 0)
    return;
  for (int i = 0; i < 20; i++)
    {
      const struct target_action all = { .kind = TARGET_RESUME_CONTINUE };
      struct pollfd fd = { target_event_fd (t), POLLIN, 0 };
      struct target_event e = { .kind = TARGET_EVENT_NONE };

      if (target_resume (t, &all, 1) != TARGET_OK)
        break;
      usleep (i == 0 ? 300000 : 1000);
      target_interrupt (t, pid);
      for (int ms = 0; ms < LIMIT && !target_next_event (t, &e); ms += 10)
        poll (&fd, 1, 10);
      good += e.kind == TARGET_EVENT_INTERRUPT && pc_of (t, e.tid) != 0;
    }
  check (good == 20, "threads %d: 20 interrupts", n_threads);
  check (target_threads (t, pid, tids, 64) == (size_t) n_threads + 1,
         "threads %d: all there", n_threads);
  check (target_kill (t, pid) == TARGET_OK && kill (pid, 0) < 0,
         "threads %d: kill", n_threads);
  target_destroy (t, true);
}

/* Wait for an event; NONE: there was none, and T runs on.  */
static enum target_event_kind
look_once (struct target *t)
{
  struct target_event e;

  target_next_event (t, &e);
  return e.kind;
}

/* Input while many threads spin is heard at once, and means no more than that
   the owner of the target shall look.  */
static void
listens (void)
{
  struct target *t;
  int pid = start (&t, "threads", "12"), input[2];
  unsigned heard = 0, ran_on = 0, stopped = 0;
  char byte;

  if (pid == 0 || pipe (input) < 0)
    return;
  target_listen (t, input[0]);
  for (int i = 0; i < 20; i++)
    {
      const struct target_action all = { .kind = TARGET_RESUME_CONTINUE };
      struct pollfd fd = { target_event_fd (t), POLLIN, 0 };

      if (target_resume (t, &all, 1) != TARGET_OK)
        break;
      while (look_once (t) != TARGET_EVENT_NONE)
        ;
      /* At first there is one thread, and the others are made while it runs:
         only one that will sleep is told of those.  */
      if (i == 0)
        {
          target_will_sleep (t);
          usleep (300000);
        }
      heard += write (input[1], "x", 1) == 1 && poll (&fd, 1, LIMIT) == 1
               && read (input[0], &byte, 1) == 1;
      ran_on += i % 2 == 0 || look_once (t) == TARGET_EVENT_NONE;
      target_interrupt (t, pid);
      stopped += look_once (t) == TARGET_EVENT_INTERRUPT;
    }
  check (heard == 20, "listens: input is heard");
  check (ran_on == 20, "listens: it is no event");
  check (stopped == 20, "listens: interrupts");
  target_destroy (t, true);
  close (input[0]);
  close (input[1]);
}

/* The guest's variable NAME, which lies SLIDE bytes from where it is linked;
   the guest may run.  */
static long
variable (struct target *t, int pid, uint64_t slide, const char *name)
{
  long value = 0;

  target_memory_read (t, pid, slide + elf_symbol (guest, name), &value,
                      sizeof value);
  return value;
}

/* An interrupt that has been read before the threads go on: none of them
   runs, unless it was nothing after all.  */
static void
expects (void)
{
  const struct target_action all = { .kind = TARGET_RESUME_CONTINUE };
  struct target *t;
  int pid = start (&t, "threads", "12");
  uint64_t at = pid == 0 ? 0 : slide (t, pid);
  unsigned stopped = 0, stood = 0;
  long before;

  if (pid == 0)
    return;
  check (target_resume (t, &all, 1) == TARGET_OK, "expects: resume");
  for (int ms = 0; ms < LIMIT && variable (t, pid, at, "ready") < 12; ms++)
    usleep (1000);
  target_interrupt (t, pid);
  for (int i = 0; i < 20 && look_once (t) == TARGET_EVENT_INTERRUPT; i++)
    {
      before = variable (t, pid, at, "counter");
      target_expect_interrupt (t);
      stopped += target_resume (t, &all, 1) == TARGET_OK;
      usleep (1000);
      target_interrupt (t, pid);
      stood += variable (t, pid, at, "counter") == before;
    }
  check (stopped == 20 && stood == 20, "expects: %u of %u stand", stood,
         stopped);
  before = variable (t, pid, at, "counter");
  target_expect_interrupt (t);
  check (look_once (t) == TARGET_EVENT_INTERRUPT
           && target_resume (t, &all, 1) == TARGET_OK
           && look_once (t) == TARGET_EVENT_NONE, "expects: none");
  for (int ms = 0; ms < LIMIT && variable (t, pid, at, "counter") == before;
       ms++)
    usleep (1000);
  check (variable (t, pid, at, "counter") != before, "expects: it runs on");
  target_destroy (t, true);
}

/* A thread has made its step when another one's event is reported; then it is
   to continue, and the step is forgotten.  */
static void
forgotten_step (void)
{
  const struct target_action all = { .kind = TARGET_RESUME_CONTINUE };
  struct target *t;
  int pid = start (&t, "threads", "2"), tids[3];
  uint64_t at = pid == 0 ? 0 : slide (t, pid);
  unsigned points = 0, wrong = 0;

  if (pid == 0)
    return;
  check (target_resume (t, &all, 1) == TARGET_OK, "forgotten: resume");
  for (int ms = 0; ms < LIMIT && variable (t, pid, at, "ready") < 2; ms++)
    usleep (1000);
  for (int i = 0; i < 300 && points < 10 && wrong == 0; i++)
    {
      struct target_point point = { .kind = TARGET_POINT_BREAK };
      struct target_action both[2] = { { .kind = TARGET_RESUME_CONTINUE },
                                       { .kind = TARGET_RESUME_STEP } };
      struct target_event e;

      target_interrupt (t, pid);
      e = await (t);
      if (e.kind != TARGET_EVENT_INTERRUPT
          || target_threads (t, pid, tids, 3) != 3)
        wrong++;
      /* The first stops at once, the second after an instruction.  */
      both[0].tid = tids[1];
      both[1].tid = tids[2];
      point.addr = pc_of (t, tids[1]);
      if (target_point_insert (t, pid, &point) != TARGET_OK
          || target_resume (t, both, 2) != TARGET_OK)
        wrong++;
      usleep (1000 + 50 * i);   /* until both have stopped, probably */
      e = await (t);
      points += e.tid == tids[1];
      if (target_point_remove (t, pid, point.kind, point.addr, 0) != TARGET_OK
          || target_resume (t, &all, 1) != TARGET_OK)
        wrong++;
      wrong += look_once (t) != TARGET_EVENT_NONE;
    }
  check (wrong == 0, "forgotten: no step is reported");
  check (points > 0, "forgotten: %u points came first", points);
  target_destroy (t, true);
}


static void
signals (void)
{
  struct target *t;
  int pid = start (&t, "signal", NULL);
  struct target_event e;

  if (pid == 0)
    return;
  e = go (t);
  check (e.kind == TARGET_EVENT_SIGNAL && e.signal == SIGUSR1, "signal: stop");
  e = run (t, TARGET_RESUME_CONTINUE, 0, SIGUSR1);
  check (e.kind == TARGET_EVENT_KILLED && e.signal == SIGUSR1,
         "signal: delivered");
  target_destroy (t, true);

  pid = start (&t, "signal", NULL);
  if (pid == 0)
    return;
  e = go (t);
  e = go (t);
  check (e.kind == TARGET_EVENT_EXITED && e.status == 40,
         "signal: discarded");
  target_destroy (t, true);

  pid = start (&t, "kill", NULL);
  if (pid == 0)
    return;
  e = go (t);
  check (e.kind == TARGET_EVENT_KILLED && e.signal == SIGKILL, "kill: seen");
  target_destroy (t, true);
}

static void
memory (void)
{
  struct target *t;
  int pid = start (&t, "buffer", NULL);
  struct target_event e;
  uint64_t addr, code, base;
  char text[16];

  if (pid == 0)
    return;
  base = slide (t, pid);
  addr = base + elf_symbol (guest, "buffer");
  code = base + elf_symbol (guest, "here");
  check (target_memory_read (t, pid, addr, text, 10) == 10
           && strcmp (text, "as it was") == 0, "memory: read");
  check (target_memory_write (t, pid, addr, "written", 8) == 8,
         "memory: write");
  check (target_memory_read (t, pid, code, text, 4) == 4
           && target_memory_write (t, pid, code, text, 4) == 4,
         "memory: write to code");
  check (target_memory_read (t, pid, 16, text, 4) == 0, "memory: fault");
  e = go (t);
  check (e.kind == TARGET_EVENT_EXITED && e.status == 33, "memory: seen");
  target_destroy (t, true);
}

static void
execs (void)
{
  struct target *t;
  int pid = start (&t, "exec", NULL);
  struct target_event e;

  if (pid == 0)
    return;
  target_set_wants (t, TARGET_WANTS_EXEC);
  e = go (t);
  check (e.kind == TARGET_EVENT_EXEC && e.pid == pid, "exec: event");
  e = go (t);
  check (e.kind == TARGET_EVENT_EXITED && e.status == 46, "exec: exit");
  target_destroy (t, true);

  pid = start (&t, "exec", NULL);
  if (pid == 0)
    return;
  e = go (t);
  check (e.kind == TARGET_EVENT_EXITED && e.status == 46, "exec: unwanted");
  target_destroy (t, true);
}

static void
forks (void)
{
  struct target *t;
  int pid = start (&t, "fork", NULL), child;
  struct target_event e;

  if (pid == 0)
    return;
  e = go (t);
  check (e.kind == TARGET_EVENT_EXITED && e.status == 46, "fork: unwanted");
  target_destroy (t, true);

  pid = start (&t, "fork", NULL);
  if (pid == 0)
    return;
  target_set_wants (t, TARGET_WANTS_FORK | TARGET_WANTS_EXEC);
  e = go (t);
  child = e.child;
  check (e.kind == TARGET_EVENT_FORK && child > 0 && pc_of (t, child) != 0,
         "fork: event");
  e = go (t);
  check (e.kind == TARGET_EVENT_EXEC && e.pid == child, "fork: child's exec");
  e = go (t);
  check (e.kind == TARGET_EVENT_EXITED && e.pid == child && e.status == 46,
         "fork: child's exit");
  e = go (t);
  check (e.kind == TARGET_EVENT_EXITED && e.pid == pid && e.status == 46,
         "fork: exit");
  target_destroy (t, true);
}

static void
missing (void)
{
  struct target *t;
  const char *argv[] = { "/nonexistent", NULL };
  struct target_program program
    = { .argv = argv, .stream = { -1, -1, -1 } };
  int pid;

  if (!check (target_create (&t, NULL) == TARGET_OK, "missing: target"))
    return;
  check (target_spawn (t, &program, &pid) == TARGET_NO_PROGRAM,
         "missing: %s", target_explanation (t));
  program.startup_with_shell = true;
  check (target_spawn (t, &program, &pid) == TARGET_ENDED,
         "missing, by shell: %s", target_explanation (t));
  target_destroy (t, true);
}

/* The server is killed while the program is stopped: the program goes on.  */
static void
server_dies (void)
{
  int pipes[2], pid = 0, status = 0, server;

  prctl (PR_SET_CHILD_SUBREAPER, 1);
  if (pipe (pipes) != 0)
    return;
  server = fork ();
  if (server == 0)
    {
      struct target *t;
      pid = start (&t, "calls", NULL);
      write (pipes[1], &pid, sizeof pid);
      raise (SIGKILL);
    }
  read (pipes[0], &pid, sizeof pid);
  waitpid (server, &status, 0);
  check (pid > 0 && WIFSIGNALED (status), "server dies: it has a program");
  alarm (LIMIT / 1000);
  check (waitpid (pid, &status, 0) == pid && WIFEXITED (status)
           && WEXITSTATUS (status) == 46, "server dies: the program ends");
  alarm (0);
}

int
main (void)
{
  ssize_t n = readlink ("/proc/self/exe", guest, 4096);

  guest[n > 0 ? n : 0] = 0;
  snprintf (engine, sizeof engine, "%.*s/../../rio-engine",
            (int) (strrchr (guest, '/') - guest), guest);
  setenv ("RIO_ENGINE", engine, 1);
  strcat (guest, "-guest");
  breakpoints ();
  interrupts (0);
  interrupts (3);
  listens ();
  expects ();
  forgotten_step ();
  signals ();
  memory ();
  execs ();
  forks ();
  missing ();
  server_dies ();
  return check_done ();
}
