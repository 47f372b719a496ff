/* Births: a hundred of each kind of program, with an engine that leaves them
   native, and with one that execs first.  */

#define _GNU_SOURCE
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "host/server.h"
#include "lib/check.h"

#define BIRTHS 100
#define GUEST_STATUS 42
#define LIMIT 10000             /* milliseconds for one life */

static char here[4096];         /* the folder of this program */

/* What the hooks have counted.  */
static unsigned n_born, n_refused, last_generation;
static int stillborn_status;    /* of the tracer; -1: there is none */

static const char *
beside (const char *name)
{
  static char path[2][4200];
  static int turn;

  turn = !turn;
  snprintf (path[turn], sizeof path[turn], "%s/%s", here, name);
  return path[turn];
}

static void
count_birth (void *data, int pid, const struct birth *b, enum birth_refusal r)
{
  (void) data;
  (void) pid;
  n_born += r == BIRTH_OK;
  n_refused += r != BIRTH_OK;
  last_generation = b->record.generation;
}

static void
note_stillborn (void *data, int pid, int status)
{
  (void) data;
  (void) pid;
  stillborn_status = status;
}

/* Fork a child that execs FILE, with one argument, when GO is readable.  */
static int
fork_program (const char *file, int go[2])
{
  char c;
  int pid;

  if (pipe2 (go, O_CLOEXEC) < 0)
    return -1;
  pid = fork ();
  if (pid != 0)
    return pid;
  if (read (go[0], &c, 1) == 1)
    execl (file, file, "one", NULL);
  _exit (97);
}

/* Serve until PID has ended; its wait status, or -1.  While it is traced, the
   server is the one to wait for it.  */
static int
serve_life (struct server *s, int pid)
{
  struct pollfd fds[] = { { server_fd (s), POLLIN, 0 },
                          { syscall (SYS_pidfd_open, pid, 0), POLLIN, 0 } };
  int status = -1;

  stillborn_status = -1;
  for (int n = 0; n < LIMIT && (fds[1].revents & POLLIN) == 0; n++)
    {
      server_serve (s);
      poll (fds, 2, 1);
    }
  server_serve (s);
  close (fds[1].fd);
  if (stillborn_status != -1)
    return stillborn_status;
  kill (pid, SIGKILL);
  waitpid (pid, &status, 0);
  return status;
}

/* One life of FILE under S: its wait status.  */
static int
live (struct server *s, const char *file)
{
  int go[2], status = -1;
  int pid = fork_program (file, go);

  if (pid > 0 && server_adopt (s, pid, 0) == SERVER_OK
      && write (go[1], "g", 1) == 1)
    status = serve_life (s, pid);
  close (go[0]);
  close (go[1]);
  return status;
}

/* TIMES lives of the guest KIND with ENGINE, which gives birth N_BIRTHS times
   in each.  */
static void
births (const char *engine, const char *kind, unsigned times,
        unsigned n_births)
{
  static const struct channel_options options;
  const struct server_hooks hooks = { .born = count_birth };
  struct server *s;
  unsigned good = 0;

  n_born = n_refused = 0;
  if (!check (server_create (&s, beside (engine), &options, false, &hooks)
                  == SERVER_OK,
              "%s %s: server", engine, kind))
    return;
  for (unsigned i = 0; i < times; i++)
    good += live (s, beside (kind)) == GUEST_STATUS << 8;
  check (good == times, "%s %s: %u lives", engine, kind, times);
  check (n_born == times * n_births && n_refused == 0,
         "%s %s: each was born %u times", engine, kind, n_births);
  check (last_generation == n_births - 1, "%s %s: generations", engine, kind);
  check (!server_in_use (s), "%s %s: none is left", engine, kind);
  server_destroy (s);
}

/* A program that ends before its exec.  */
static void
refused (void)
{
  static const struct channel_options options;
  const struct server_hooks hooks
    = { .born = count_birth, .ended = note_stillborn };
  struct server *s;

  n_born = n_refused = 0;
  if (!check (server_create (&s, beside ("native-engine"), &options, false,
                             &hooks)
                  == SERVER_OK,
              "refusal: server"))
    return;
  check (live (s, "/nonexistent") == 97 << 8, "refusal: failed exec");
  check (n_born == 0 && n_refused == 0, "refusal: no birth");
  check (server_adopt (s, getpid (), 0) != SERVER_OK, "refusal: self");
  server_destroy (s);
}

int
main (void)
{
  static const char *const kinds[]
    = { "guest-pie", "guest-no-pie", "guest-static", "guest-static-pie" };
  ssize_t n = readlink ("/proc/self/exe", here, sizeof here - 1);
  sigset_t set;

  here[n > 0 ? n : 0] = 0;
  *strrchr (here, '/') = 0;
  sigemptyset (&set);
  sigaddset (&set, SIGCHLD);
  sigprocmask (SIG_BLOCK, &set, NULL);
  for (unsigned i = 0; i < ARRAY_SIZE (kinds); i++)
    {
      births ("native-engine", kinds[i], BIRTHS, 1);
      births ("exec-engine", kinds[i], BIRTHS / 10, 2);
    }
  refused ();
  return check_done ();
}
