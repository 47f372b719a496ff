/* A program that becomes itself: by execve, then by execveat in a thread of
   its, and ends.  */

#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

static char *name;

static void *
become (void *arg)
{
  char *const argv[] = { name, "once", "more", NULL };

  (void) arg;
  syscall (SYS_execveat, AT_FDCWD, name, argv, environ, 0);
  exit (1);
}

int
main (int argc, char **argv)
{
  pthread_t t;

  name = argv[0];
  if (argc == 1)
    execl (name, name, "again", NULL);
  else if (argc == 2 && pthread_create (&t, NULL, become, NULL) == 0)
    pthread_join (t, NULL);
  return argc == 3 ? 7 : 1;
}
