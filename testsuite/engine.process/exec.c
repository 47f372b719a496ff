/* exec in its forms: by the program itself with arguments, environment and
   descriptors kept and closed, by a child, of a script, and failing.  */

#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static void
again (int argc, char **argv)
{
  sigset_t set;

  sigprocmask (SIG_BLOCK, NULL, &set);
  printf ("again:");
  for (int i = 1; i < argc; i++)
    printf (" <%s>", argv[i]);
  printf (" X=%s usr1 blocked %d usr2 ignored %d", getenv ("X"),
          sigismember (&set, SIGUSR1),
          signal (SIGUSR2, SIG_DFL) == SIG_IGN);
  printf (" hup default %d fd20 %d fd21 %d\n",
          signal (SIGHUP, SIG_DFL) == SIG_DFL, fcntl (20, F_GETFD) >= 0,
          fcntl (21, F_GETFD) >= 0);
}

static void
fail_to (const char *what, const char *path)
{
  char *args[] = { "nothing", NULL };

  execv (path, args);
  printf ("%s: %s\n", what, strerror (errno));
}

static void
failures (void)
{
  char name[] = "/tmp/rio-exec-XXXXXX";
  int fd = mkstemp (name);

  fail_to ("missing", "/no/such/file");
  fail_to ("folder", "/tmp");
  fail_to ("not executable", name);
  fchmod (fd, 0700);
  if (write (fd, "\177ELF", 4) != 4)
    abort ();
  close (fd);
  fail_to ("truncated", name);
  unlink (name);
}

static void
run_script (void)
{
  char name[] = "/tmp/rio-exec-XXXXXX";
  static const char text[] = "#!/bin/sh -e\necho script \"$1\" $#\nexit 7\n";
  int fd = mkstemp (name), status;

  if (write (fd, text, sizeof text - 1) != sizeof text - 1)
    abort ();
  fchmod (fd, 0700);
  close (fd);
  if (fork () == 0)
    {
      execl (name, name, "two words", "3", (char *) 0);
      _exit (99);
    }
  wait (&status);
  printf ("script: %d\n", WEXITSTATUS (status));
  unlink (name);
}

static void
dont_care (int sig)
{
  (void) sig;
}

int
main (int argc, char **argv)
{
  sigset_t set;
  int n = argc > 1 ? atoi (argv[1]) : 0;

  setvbuf (stdout, NULL, _IOLBF, 0);
  if (n == 0)
    {
      failures ();
      run_script ();
      if (system ("echo from a shell; exit 3") != 3 << 8)
        return 1;
    }
  else
    again (argc, argv);
  if (n == 3)
    return 0;
  sigemptyset (&set);
  sigaddset (&set, SIGUSR1);
  sigprocmask (SIG_BLOCK, &set, NULL);
  signal (SIGUSR2, SIG_IGN);
  signal (SIGHUP, dont_care);
  dup2 (1, 20);
  dup3 (1, 21, O_CLOEXEC);
  setenv ("X", "an environment", 1);
  execl ("/proc/self/exe", "again", n == 0 ? "1" : n == 1 ? "2" : "3", "",
         "last", (char *) 0);
  return 1;
}
