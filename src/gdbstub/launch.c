/* See launch.h.  */

#define _GNU_SOURCE
#include "gdbstub/launch.h"

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "gdbstub/alloc.h"
#include "gdbstub/stub.h"

static size_t
count (char *const *words)
{
  size_t n = 0;

  while (words != NULL && words[n] != NULL)
    n++;
  return n;
}

static char **
copy_words (char *const *words, size_t n)
{
  char **copy = alloc_zeroed ((n + 1) * sizeof *copy);

  for (size_t i = 0; i < n; i++)
    copy[i] = alloc_string (words[i]);
  return copy;
}

static void
free_words (char **words)
{
  for (size_t i = 0; words != NULL && words[i] != NULL; i++)
    free (words[i]);
  free (words);
}

/* See launch.h.  */
void
launch_init (struct launch *p, const struct stub_options *options)
{
  memset (p, 0, sizeof *p);
  p->startup_with_shell = options->startup_with_shell;
  p->disable_randomization = options->disable_randomization;
  launch_env_reset (p);
  if (options->argv != NULL)
    launch_set (p, (char *const *) options->argv,
                 count ((char *const *) options->argv));
}

/* See launch.h.  */
void
launch_fini (struct launch *p)
{
  free_words (p->argv);
  free_words (p->env);
  free (p->cwd);
  memset (p, 0, sizeof *p);
}

/* NAME, of a program, as it is from every folder; one without a slash that is
   no file here is looked for in PATH.  */
static char *
absolute (char *name)
{
  char *here, *full;
  struct stat st;

  if (name[0] == '/' || name[0] == 0
      || (strchr (name, '/') == NULL
          && (stat (name, &st) < 0 || !S_ISREG (st.st_mode)))
      || (here = getcwd (NULL, 0)) == NULL)
    return name;
  full = alloc_zeroed (strlen (here) + strlen (name) + 2);
  sprintf (full, "%s/%s", here, name);
  free (here);
  free (name);
  return full;
}

/* See launch.h.  */
void
launch_set (struct launch *p, char *const *argv, size_t n)
{
  char **copy = copy_words (argv, n);

  if (n > 0)
    copy[0] = absolute (copy[0]);
  free_words (p->argv);
  p->argv = copy;
}

/* See launch.h.  */
void
launch_env_reset (struct launch *p)
{
  free_words (p->env);
  p->env = copy_words (environ, count (environ));
}

/* The place in the environment of the variable whose name is the first N bytes
   of NAME; the end when there is none.  */
static char **
find_variable (struct launch *p, const char *name, size_t n)
{
  char **v = p->env;

  while (*v != NULL && !(strncmp (*v, name, n) == 0 && (*v)[n] == '='))
    v++;
  return v;
}

/* See launch.h.  */
bool
launch_env_set (struct launch *p, const char *assignment)
{
  const char *equals = strchr (assignment, '=');
  char **v;

  if (equals == NULL || equals == assignment)
    return false;
  v = find_variable (p, assignment, equals - assignment);
  if (*v == NULL)
    {
      size_t n = v - p->env, size = 0;

      p->env = alloc_reserve (p->env, &size, (n + 2) * sizeof *p->env);
      v = p->env + n;
      v[1] = NULL;
    }
  else
    free (*v);
  *v = alloc_string (assignment);
  return true;
}

/* See launch.h.  */
void
launch_env_unset (struct launch *p, const char *name)
{
  char **v = find_variable (p, name, strlen (name));

  if (*v == NULL)
    return;
  free (*v);
  for (; *v != NULL; v++)
    v[0] = v[1];
}

/* The home of the user who is named by the N bytes at NAME, or of the server's
   if there are none; null: there is no such user.  */
static const char *
home_of (const char *name, size_t n)
{
  const char *home = n == 0 ? getenv ("HOME") : NULL;
  const struct passwd *user;
  char *copy;

  if (home != NULL)
    return home;
  copy = alloc_string_n (name, n);
  user = n == 0 ? getpwuid (getuid ()) : getpwnam (copy);
  free (copy);
  return user != NULL ? user->pw_dir : NULL;
}

/* See launch.h.  */
void
launch_set_cwd (struct launch *p, const char *cwd)
{
  const char *home = NULL;
  size_t n = 0;

  free (p->cwd);
  p->cwd = NULL;
  if (cwd == NULL || cwd[0] == 0)
    return;
  if (cwd[0] == '~')
    {
      n = strcspn (cwd, "/");
      home = home_of (cwd + 1, n - 1);
    }
  if (home == NULL)
    {
      home = "";
      n = 0;
    }
  p->cwd = alloc_zeroed (strlen (home) + strlen (cwd + n) + 1);
  sprintf (p->cwd, "%s%s", home, cwd + n);
}

/* Open FILE (DEFAULT_FILE when NULL) as a stream of the program's.  With
   neither the server's own stream will do: -1.  */
static bool
open_stream (const char *file, const char *default_file, int flags, int *fd)
{
  *fd = -1;
  if (file == NULL)
    file = default_file;
  if (file == NULL)
    return true;
  *fd = open (file, flags | O_CLOEXEC | O_NOCTTY, 0666);
  if (*fd < 0)
    fprintf (stderr, "rio-gdbserver: %s: %s\n", file, strerror (errno));
  return *fd >= 0;
}

/* The program opens its terminal itself; what would be wrong with that is said
   here.  */
static bool
can_open_terminal (const char *tty)
{
  int fd;

  if (tty == NULL)
    return true;
  if (!open_stream (tty, NULL, O_RDWR, &fd))
    return false;
  close (fd);
  return true;
}

/* The streams that are files; a terminal is all the others.  */
static bool
open_streams (const struct stub_options *options, bool stdio, int stream[3])
{
  bool silent = stdio && options->tty == NULL;

  stream[0] = stream[1] = stream[2] = -1;
  if (!can_open_terminal (options->tty)
      || !open_stream (options->stdin_file, silent ? "/dev/null" : NULL,
                       O_RDONLY, &stream[0]))
    return false;
  if (!open_stream (options->stdout_file, NULL, O_WRONLY | O_CREAT | O_TRUNC,
                    &stream[1]))
    {
      if (stream[0] >= 0)
        close (stream[0]);
      return false;
    }
  return true;
}

/* See launch.h.  SIGTTOU, which a server in the background would get, is kept
   off meanwhile.  */
void
launch_give_terminal (int group)
{
  sigset_t set, old;

  if (!isatty (2))
    return;
  sigemptyset (&set);
  sigaddset (&set, SIGTTOU);
  sigprocmask (SIG_BLOCK, &set, &old);
  tcsetpgrp (2, group);
  sigprocmask (SIG_SETMASK, &old, NULL);
}

static void
say_why_not (const struct launch *p, struct target *t, enum target_refusal r)
{
  const char *why = target_explanation (t);

  if (r == TARGET_ENDED && *why != 0)
    fprintf (stderr, "%s.\n", why);
  else if (*why != 0)
    fprintf (stderr, "Cannot exec %s: %s.\n", p->argv[0], why);
  else
    fprintf (stderr, "Cannot exec %s: %s.\n", p->argv[0],
             target_refusal_text (r));
}

/* See launch.h.  */
bool
launch_start (struct launch *p, struct target *t,
               const struct stub_options *options, bool stdio, int *pid)
{
  struct target_program start = {
    .argv = (const char *const *) p->argv,
    .envp = (const char *const *) p->env,
    .cwd = p->cwd,
    .wrapper = options->wrapper,
    .startup_with_shell = p->startup_with_shell,
    .disable_randomization = p->disable_randomization,
    .tty = options->tty,
  };
  enum target_refusal r;

  if (!open_streams (options, stdio, start.stream))
    return false;
  r = target_spawn (t, &start, pid);
  for (int i = 0; i < 3; i++)
    if (start.stream[i] >= 0)
      close (start.stream[i]);
  if (r != TARGET_OK)
    {
      say_why_not (p, t, r);
      return false;
    }
  fprintf (stderr, "Process %s created; pid = %d\n", p->argv[0], *pid);
  if (!stdio && options->tty == NULL && options->stdin_file == NULL)
    launch_give_terminal (*pid);
  return true;
}
