/* A child that nobody debugs, and that execs when somebody writes to the FIFO
   named: the new program writes to that too.  */

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static void
here (void)
{
  __asm__ volatile ("");
}

static void
child (const char *fifo)
{
  char c;
  int fd;

  alarm (60);
  fd = open (fifo, O_RDONLY);
  while (read (fd, &c, 1) == 1)
    ;
  close (fd);
  execl ("/bin/sh", "sh", "-c", "echo it runs > $0", fifo, NULL);
}

int
main (int argc, char **argv)
{
  if (argc < 2)
    return 2;
  unlink (argv[1]);
  if (mkfifo (argv[1], 0600) != 0)
    return 1;
  if (fork () == 0)
    {
      child (argv[1]);
      _exit (1);
    }
  here ();
  wait (NULL);
  unlink (argv[1]);
  return 0;
}
