/* Watchpoints against the processor: the guest is stepped by ptrace, and each
   instruction that changes a watched byte is noted; then it runs under the
   engine, with a watchpoint, and has to stop behind the same instructions, in
   the same order, with the same bytes.  */

#define _GNU_SOURCE
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/personality.h>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <sys/user.h>
#undef PAGE_SIZE
#include <sys/wait.h>
#include <unistd.h>
#include <fcntl.h>

#include "channel/channel.h"
#include "host/target.h"
#include "lib/check.h"
#include "unit.host/elf-symbol.h"

#define LIMIT 20000             /* milliseconds for one event */
#define MAX_HITS 100000
#define MAX_LENGTH 64

static char guest[4200], engine[4200];
static bool make_traces;        /* of all that is done twice */

struct hit
{
  uint64_t pc;
  uint32_t hash;                /* of the watched bytes then */
};

static struct hit expected[MAX_HITS];
static unsigned n_expected;

/* A check that only its failures are worth a line.  */
static void
quietly (bool ok, const char *name)
{
  if (!ok)
    check (false, "%s", name);
}

static uint32_t
hash (const uint8_t *p, size_t n)
{
  uint32_t h = 2166136261u;

  while (n--)
    h = (h ^ *p++) * 16777619u;
  return h;
}

static bool
read_bytes (int pid, uint64_t addr, uint8_t *to, size_t n)
{
  struct iovec here = { to, n }, there = { (void *) addr, n };

  return process_vm_readv (pid, &here, 1, &there, 1, 0) == (ssize_t) n;
}

static int
start_traced (void)
{
  int pid = fork ();

  if (pid == 0)
    {
      int null = open ("/dev/null", O_WRONLY);

      personality (ADDR_NO_RANDOMIZE);
      dup2 (null, 1);
      ptrace (PTRACE_TRACEME, 0, 0, 0);
      execl (guest, guest, (char *) 0);
      _exit (127);
    }
  return pid;
}

/* Step the guest to its end, and note what changes LENGTH bytes at ADDR.  */
static bool
step_natively (uint64_t addr, size_t length)
{
  uint8_t was[MAX_LENGTH] = { 0 }, now[MAX_LENGTH];
  int pid = start_traced (), status;

  n_expected = 0;
  read_bytes (pid, addr, was, length);
  for (;;)
    {
      struct user_regs_struct r;

      if (waitpid (pid, &status, 0) != pid || !WIFSTOPPED (status))
        return WIFEXITED (status) && WEXITSTATUS (status) == 0;
      if (read_bytes (pid, addr, now, length)
          && memcmp (was, now, length) != 0 && n_expected < MAX_HITS)
        {
          ptrace (PTRACE_GETREGS, pid, 0, &r);
          expected[n_expected++] = (struct hit){ r.rip, hash (now, length) };
          memcpy (was, now, length);
        }
      ptrace (PTRACE_SINGLESTEP, pid, 0, 0);
    }
}

static int
start (struct target **t)
{
  const char *argv[] = { guest, NULL };
  int null = open ("/dev/null", O_RDWR), pid = 0;
  const struct target_program program = {
    .argv = argv, .disable_randomization = true,
    .stream = { null, null, null },
  };

  const struct channel_options often = { .follow = 1,
                                         .trace_threshold = 2 };

  if (target_create (t, make_traces ? &often : NULL) != TARGET_OK
      || target_spawn (*t, &program, &pid) != TARGET_OK)
    return 0;
  return pid;
}

static struct target_event
go (struct target *t)
{
  struct pollfd fd = { target_event_fd (t), POLLIN, 0 };
  struct target_event event = { .kind = TARGET_EVENT_NONE };
  const struct target_action all = { .kind = TARGET_RESUME_CONTINUE };

  if (target_resume (t, &all, 1) == TARGET_OK)
    for (int ms = 0; ms < LIMIT && !target_next_event (t, &event); ms += 10)
      poll (&fd, 1, 10);
  return event;
}

static struct hit
hit_of (struct target *t, const struct target_event *e, uint64_t addr,
        size_t length)
{
  static struct target_regs regs;
  uint8_t now[MAX_LENGTH] = { 0 };

  memset (&regs, 0, sizeof regs);
  quietly (target_regs_read (t, e->tid, &regs) == TARGET_OK, "regs");
  target_memory_read (t, e->pid, addr, now, length);
  return (struct hit){ regs.regs.rip, hash (now, length) };
}

/* LENGTH bytes at ADDR are watched by N points that lie side by side.  */
static void
compare (const char *name, uint64_t addr, size_t length, unsigned n)
{
  struct target *t = NULL;
  struct target_event e;
  unsigned hits = 0;
  int pid;

  check (step_natively (addr, length), "%s: native run", name);
  check (n_expected > 0, "%s: %u changes", name, n_expected);
  pid = start (&t);
  if (!check (pid > 0, "%s: start", name))
    return;
  for (unsigned i = 0; i < n; i++)
    {
      const struct target_point p
        = { .kind = TARGET_POINT_WATCH_WRITE,
            .addr = addr + i * (length / n), .length = length / n };
      quietly (target_point_insert (t, pid, &p) == TARGET_OK,
                     "insert");
    }
  while ((e = go (t)).kind == TARGET_EVENT_WATCH)
    {
      struct hit h = hit_of (t, &e, addr, length);

      if (hits >= n_expected || h.pc != expected[hits].pc
          || h.hash != expected[hits].hash)
        {
          check (false, "%s: hit %u at %#lx, should be %#lx", name, hits,
                 h.pc, hits < n_expected ? expected[hits].pc : 0);
          target_destroy (t, true);
          return;
        }
      quietly (e.addr >= addr && e.addr < addr + length, "address");
      hits++;
    }
  check (e.kind == TARGET_EVENT_EXITED && e.status == 0,
         "%s: the guest's end (event %d, status %d)", name, e.kind, e.status);
  check (hits == n_expected, "%s: %u hits of %u", name, hits, n_expected);
  target_destroy (t, true);
}

int
main (int argc, char **argv)
{
  uint64_t area;

  (void) argc;
  snprintf (guest, sizeof guest, "%.*sforms",
            (int) (strrchr (argv[0], '/') + 1 - argv[0]), argv[0]);
  snprintf (engine, sizeof engine, "%.*s../../rio-engine",
            (int) (strrchr (argv[0], '/') + 1 - argv[0]), argv[0]);
  setenv ("RIO_ENGINE", engine, 0);
  area = elf_symbol (guest, "area");
  compare ("a byte", area + 207, 1, 1);
  compare ("a word", area + 216, 8, 1);
  compare ("across granules", area + 213, 6, 1);
  compare ("thirty-two bytes", area + 200, 32, 1);
  compare ("sixteen points", area + 184, 32, 16);
  make_traces = true;
  compare ("a word, in traces", area + 216, 8, 1);
  compare ("sixteen points, in traces", area + 184, 32, 16);
  return check_done ();
}
