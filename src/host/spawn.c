/* See spawn.h.  */

#define _GNU_SOURCE
#include "host/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "host/policy.h"

#define FAILED_STATUS 127

static size_t
count (const char *const *words)
{
  size_t n = 0;

  while (words != NULL && words[n] != NULL)
    n++;
  return n;
}

/* The words of WRAPPER and ARGV in one array.  */
static const char **
join (const char *const *wrapper, const char *const *argv)
{
  size_t n = count (wrapper), m = count (argv);
  const char **all = calloc (n + m + 1, sizeof *all);

  if (all != NULL)
    {
      if (n > 0)
        memcpy (all, wrapper, n * sizeof *all);
      memcpy (all + n, argv, m * sizeof *all);
    }
  return all;
}


/* The command of a shell.  */

struct text
{
  char *at;                     /* null: only the length is wanted */
  size_t length;
};

static void
put (struct text *t, char c)
{
  if (t->at != NULL)
    t->at[t->length] = c;
  t->length++;
}

static void
put_quoted (struct text *t, const char *word)
{
  put (t, '\'');
  for (; *word != 0; word++)
    if (*word == '\'')
      {
        put (t, '\'');
        put (t, '\\');
        put (t, '\'');
        put (t, '\'');
      }
    else
      put (t, *word);
  put (t, '\'');
}

static void
put_command (struct text *t, const char *const *words)
{
  for (const char *c = "exec"; *c != 0; c++)
    put (t, *c);
  for (; *words != NULL; words++)
    {
      put (t, ' ');
      put_quoted (t, *words);
    }
  put (t, 0);
}

/* "exec" and WORDS, quoted, to be freed.  */
static char *
shell_command (const char *const *words)
{
  struct text t = { NULL, 0 };

  put_command (&t, words);
  t.at = malloc (t.length);
  t.length = 0;
  if (t.at != NULL)
    put_command (&t, words);
  return t.at;
}


/* The child.  */

static void
default_signals (void)
{
  sigset_t none;

  for (int sig = 1; sig <= TARGET_N_SIGNALS; sig++)
    signal (sig, SIG_DFL);
  sigemptyset (&none);
  sigprocmask (SIG_SETMASK, &none, NULL);
}

/* Give this process the terminal TTY; false with errno.  */
static bool
take_terminal (const char *tty)
{
  int fd;

  setsid ();
  fd = open (tty, O_RDWR);
  if (fd < 0)
    return false;
  ioctl (fd, TIOCSCTTY, 0);
  for (int i = 0; i < 3; i++)
    if (dup2 (fd, i) < 0)
      return false;
  if (fd > 2)
    close (fd);
  return true;
}

static bool
set_streams (const struct target_program *program)
{
  int fd[3];

  if (program->tty == NULL)
    setpgid (0, 0);
  else if (!take_terminal (program->tty))
    return false;
  /* One may stand where another shall go: move all of them up first.  */
  for (int i = 0; i < 3; i++)
    {
      fd[i] = program->stream[i] < 0 ? -1
                                     : fcntl (program->stream[i], F_DUPFD, 3);
      if (program->stream[i] >= 0 && fd[i] < 0)
        return false;
    }
  for (int i = 0; i < 3; i++)
    if (fd[i] >= 0)
      {
        dup2 (fd[i], i);
        close (fd[i]);
      }
  return true;
}

static bool
set_up (const struct target_program *program)
{
  default_signals ();
  policy_restore_slices ();
  if (!set_streams (program))
    return false;
  if (program->cwd != NULL && chdir (program->cwd) < 0)
    return false;
  if (program->disable_randomization)
    personality (personality (0xffffffff) | ADDR_NO_RANDOMIZE);
  return true;
}

/* Become PROGRAM when GO is readable; what goes wrong goes to TROUBLE.  */
static NORETURN void
child_main (const struct target_program *program, int go, int trouble)
{
  const char **words = join (program->wrapper, program->argv);
  const char *shell = getenv ("SHELL");
  char c;
  int error;

  prctl (PR_SET_PTRACER, getppid ());
  if (read (go, &c, 1) != 1 || words == NULL || !set_up (program))
    goto out;
  if (program->envp != NULL)
    environ = (char **) program->envp;
  if (program->startup_with_shell)
    {
      if (shell == NULL || *shell == 0)
        shell = "/bin/sh";
      execl (shell, shell, "-c", shell_command (words), (char *) NULL);
    }
  else
    execvp (words[0], (char **) words);
 out:
  error = errno;
  if (write (trouble, &error, sizeof error) < 0)
    _exit (FAILED_STATUS);
  _exit (FAILED_STATUS);
}


/* The server's side.  */

/* See spawn.h.  */
enum target_refusal
spawn_fork (struct spawn *s, const struct target_program *program)
{
  int go[2], trouble[2];

  if (program->argv == NULL || program->argv[0] == NULL)
    return TARGET_BAD_ARGUMENT;
  s->n_execs = 1 + (count (program->wrapper) > 0)
               + program->startup_with_shell;
  if (pipe2 (go, O_CLOEXEC) < 0)
    return TARGET_TOO_MANY;
  if (pipe2 (trouble, O_CLOEXEC | O_NONBLOCK) < 0)
    {
      close (go[0]);
      close (go[1]);
      return TARGET_TOO_MANY;
    }
  s->pid = fork ();
  if (s->pid == 0)
    {
      close (go[1]);
      child_main (program, go[0], trouble[1]);
    }
  close (go[0]);
  close (trouble[1]);
  s->go = go[1];
  s->trouble = trouble[0];
  if (s->pid > 0)
    return TARGET_OK;
  spawn_end (s);
  return TARGET_TOO_MANY;
}

/* See spawn.h.  */
void
spawn_go (struct spawn *s)
{
  if (write (s->go, "g", 1) < 0)
    kill (s->pid, SIGKILL);     /* which cannot be: we are the only writer */
}

/* See spawn.h.  */
int
spawn_trouble (const struct spawn *s)
{
  int error;

  return read (s->trouble, &error, sizeof error) == sizeof error ? error : 0;
}

/* See spawn.h.  */
void
spawn_end (struct spawn *s)
{
  close (s->go);
  close (s->trouble);
}

/* See spawn.h.  */
void
spawn_abort (struct spawn *s)
{
  int status;

  kill (s->pid, SIGKILL);
  waitpid (s->pid, &status, __WALL);
  spawn_end (s);
}
