/* rio-run: run a program under the engine, with no debugger.

   The process that was started becomes the program.  Beforehand it leaves a
   helper behind, the server, which gives it the engine at its exec, serves
   the execs of the whole tree, and ends when the last process is gone.  The
   helper is nobody's child and in a session of its own, so that the program's
   parent, children, job control and exit status are its own.  */

#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "config.h"

#include "cmd/options.h"
#include "host/image.h"
#include "host/program.h"
#include "host/server.h"

#define STATUS_USAGE 2
#define STATUS_UNFIT 126
#define STATUS_MISSING 127

#define HELLO_FD 3              /* in the helper: to the program to be */
#define LAST_LOOK 1000          /* milliseconds between looks for the last
                                   process of a tree whose root is gone */

/* What the helper tells the program to be, before its exec.  */
struct hello
{
  int refusal;                  /* enum server_refusal */
  int server_pid;
};

static char engine_file[PATH_MAX];

static void PRINTF_LIKE (1, 2)
complain (const char *fmt, ...)
{
  va_list args;

  fputs ("rio-run: ", stderr);
  va_start (args, fmt);
  vfprintf (stderr, fmt, args);
  va_end (args);
  fputc ('\n', stderr);
}

static void
print_help (void)
{
  puts ("Usage: rio-run [OPTION]... [--] PROGRAM [ARG]...\n"
        "Run PROGRAM under the engine, which translates every instruction\n"
        "that it executes.\n");
  options_help ();
  puts ("\n  --help                    print this, and exit\n"
        "  --version                 print the version, and exit\n\n"
        "The exit status is the program's; 127 if it is not found, 126 if\n"
        "it cannot be run, 2 if an option makes no sense.");
}


/* The helper.  */

/* What the helper knows of the root of its tree.  */
struct root
{
  int pid, fd;                  /* process, and pidfd; -1: it is gone */
};

static void
send_hello (int refusal)
{
  struct hello hello = { refusal, getpid () };

  if (write (HELLO_FD, &hello, sizeof hello) < 0)
    exit (STATUS_UNFIT);        /* nobody is there any more */
  close (HELLO_FD);
}

/* Let go of the streams that were the caller's.  */
static void
leave_streams (int last)
{
  int null = open ("/dev/null", O_RDWR | O_CLOEXEC);

  for (int fd = 0; fd <= last && null >= 0; fd++)
    dup2 (null, fd);
  close (null);
}

/* Hook: the root, or a later exec, has got the engine or not.  */
static void
born (void *data, int pid, const struct birth *b, enum birth_refusal r)
{
  struct root *root = data;

  if (pid == root->pid && b->record.generation == 0 && r != BIRTH_OK
      && r != BIRTH_GONE)
    complain ("the engine cannot be put into the program: %s%s%s",
              birth_refusal_text (r), b->system_error != 0 ? ": " : "",
              b->system_error != 0 ? strerror (b->system_error) : "");
  if (b->record.generation == 0)
    leave_streams (2);
}

/* The limits of the program are not the helper's, as far as it has the right
   to go beyond them: it wants a file for the image, memory, and time.  */
static void
lift_limits (void)
{
  static const int limits[] = { RLIMIT_FSIZE, RLIMIT_CPU, RLIMIT_AS,
                                RLIMIT_DATA };
  const struct rlimit none = { RLIM_INFINITY, RLIM_INFINITY };
  struct rlimit r;

  signal (SIGXFSZ, SIG_IGN);
  for (unsigned i = 0; i < ARRAY_SIZE (limits); i++)
    if (setrlimit (limits[i], &none) < 0 && getrlimit (limits[i], &r) == 0)
      {
        r.rlim_cur = r.rlim_max;
        setrlimit (limits[i], &r);
      }
}

/* Keep nothing open but HELLO and, for messages, the standard error.  */
static void
become_helper (int hello)
{
  setsid ();
  lift_limits ();
  prctl (PR_SET_NAME, "rio-server");
  if (hello != HELLO_FD)
    dup2 (hello, HELLO_FD);
  fcntl (HELLO_FD, F_SETFD, FD_CLOEXEC);
  close_range (HELLO_FD + 1, ~0u, 0);
  leave_streams (1);
}

static int
sigchld_fd (void)
{
  sigset_t set;

  sigemptyset (&set);
  sigaddset (&set, SIGCHLD);
  sigprocmask (SIG_BLOCK, &set, NULL);
  signal (SIGPIPE, SIG_IGN);
  return signalfd (-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

/* Serve until no process is left.  */
static void
serve (struct server *s, struct root *root, int sigchld)
{
  struct signalfd_siginfo info;
  int wait = -1;

  for (;;)
    {
      struct pollfd fds[] = { { server_fd (s), POLLIN, 0 },
                              { sigchld, POLLIN, 0 },
                              { root->fd, POLLIN, 0 } };

      if (poll (fds, 3, wait) > 0)
        wait = wait > 0 ? 10 : wait;
      while (read (sigchld, &info, sizeof info) > 0)
        ;
      server_serve (s);
      if ((fds[2].revents & POLLIN) != 0)
        {
          close (root->fd);
          root->fd = -1;
          wait = 10;
        }
      if (root->fd < 0 && !server_in_use (s))
        return;
      if (wait > 0)
        wait = MIN (wait * 2, LAST_LOOK);
    }
}

static NORETURN void
helper_main (int pid, int hello, const struct channel_options *options)
{
  struct root root = { .pid = pid };
  struct server_hooks hooks = { .data = &root, .born = born };
  struct server *s;
  enum server_refusal r;
  int sigchld;

  become_helper (hello);
  sigchld = sigchld_fd ();
  root.fd = syscall (SYS_pidfd_open, pid, 0);
  r = server_create (&s, engine_file, options, false, &hooks);
  if (r == SERVER_OK)
    r = server_adopt (s, pid, 0);
  if (chdir ("/") < 0)
    complain ("/: %s", strerror (errno));
  send_hello (r);
  if (r == SERVER_OK)
    serve (s, &root, sigchld);
  exit (0);
}

/* Fork the helper, by a child that goes at once: it shares this memory, and
   does nothing but fork and go, so that memory is copied once only.  */
static bool
leave_helper (int hello, const struct channel_options *options)
{
  int pid = getpid (), child = vfork (), status;

  if (child == 0)
    {
      int helper = fork ();

      if (helper == 0)
        helper_main (pid, hello, options);
      _exit (helper < 0);
    }
  return child > 0 && waitpid (child, &status, 0) == child && status == 0;
}


/* The process that becomes the program.  */

/* Say why there can be no tracing.  */
static void
explain_ptrace (void)
{
  char scope = '0';
  int fd = open ("/proc/sys/kernel/yama/ptrace_scope", O_RDONLY | O_CLOEXEC);

  if (fd >= 0)
    {
      if (read (fd, &scope, 1) != 1)
        scope = '0';
      close (fd);
    }
  if (scope >= '2')
    complain ("ptrace is not permitted: /proc/sys/kernel/yama/ptrace_scope "
              "is %c, which keeps it to administrators", scope);
  else
    complain ("ptrace is not permitted: this process is traced already, or "
              "a seccomp filter or security module forbids it");
}

/* Have a helper, seized by it; false, with a message, if that cannot be.  */
static bool
have_helper (const struct channel_options *options)
{
  struct hello hello;
  int pipes[2];
  ssize_t n;

  prctl (PR_SET_PTRACER, PR_SET_PTRACER_ANY);
  if (pipe2 (pipes, O_CLOEXEC) < 0 || !leave_helper (pipes[1], options))
    {
      complain ("the helper cannot be started: %s", strerror (errno));
      return false;
    }
  close (pipes[1]);
  do
    n = read (pipes[0], &hello, sizeof hello);
  while (n < 0 && errno == EINTR);
  close (pipes[0]);
  if (n != sizeof hello)
    {
      complain ("the helper has failed");
      return false;
    }
  prctl (PR_SET_PTRACER, hello.server_pid);
  if (hello.refusal == SERVER_NO_PTRACE)
    explain_ptrace ();
  else if (hello.refusal == SERVER_NO_ENGINE)
    complain ("%s: %s", engine_file, server_refusal_text (hello.refusal));
  else if (hello.refusal != SERVER_OK)
    complain ("%s", server_refusal_text (hello.refusal));
  return hello.refusal == SERVER_OK;
}

/* The same, with as many open files as there may be, for this takes some; the
   helper keeps the limit.  */
static bool
prepare (const struct channel_options *options)
{
  struct rlimit limit, raised;
  bool done;

  if (getrlimit (RLIMIT_NOFILE, &limit) < 0)
    return have_helper (options);
  raised = limit;
  raised.rlim_cur = limit.rlim_max;
  setrlimit (RLIMIT_NOFILE, &raised);
  done = have_helper (options);
  setrlimit (RLIMIT_NOFILE, &limit);
  return done;
}

/* Parse the options; returns the index of the program's name.  Does not
   return if there is none, or an option is wrong.  */
static int
parse (int argc, char **argv, struct channel_options *options)
{
  char why[256];
  int i;

  for (i = 1; i < argc && argv[i][0] == '-' && argv[i][1] != 0; i++)
    {
      if (strcmp (argv[i], "--") == 0)
        {
          i++;
          break;
        }
      if (strcmp (argv[i], "--help") == 0)
        {
          print_help ();
          exit (fflush (stdout) != 0);
        }
      if (strcmp (argv[i], "--version") == 0)
        {
          puts ("rio-run (" PACKAGE_NAME ") " PACKAGE_VERSION);
          exit (fflush (stdout) != 0);
        }
      switch (options_take (options, argv[i], why, sizeof why))
        {
        case OPTIONS_OK:
          continue;
        case OPTIONS_OTHER:
          snprintf (why, sizeof why, "option '%s': there is no such option",
                    argv[i]);
          break;
        case OPTIONS_BAD:
          break;
        }
      complain ("%s", why);
      exit (STATUS_USAGE);
    }
  if (i >= argc)
    {
      complain ("no program is named; try 'rio-run --help'");
      exit (STATUS_USAGE);
    }
  return i;
}

int
main (int argc, char **argv)
{
  static struct program program;
  struct channel_options options;
  enum program_verdict v;
  int at;

  options_default (&options);
  at = parse (argc, argv, &options);
  v = program_find (&program, argv[at]);
  if (v != PROGRAM_OK)
    {
      complain ("%s", program.why);
      return v == PROGRAM_MISSING ? STATUS_MISSING : STATUS_UNFIT;
    }
  image_file (engine_file, sizeof engine_file);
  if (!prepare (&options))
    return STATUS_UNFIT;
  execv (program.path, argv + at);
  v = errno == ENOENT ? PROGRAM_MISSING : PROGRAM_UNFIT;
  complain ("%s: %s", program.path, strerror (errno));
  return v == PROGRAM_MISSING ? STATUS_MISSING : STATUS_UNFIT;
}
