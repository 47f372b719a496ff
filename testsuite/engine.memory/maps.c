/* What a program sees of its own map: the same kinds of mappings, none that
   it did not make, and nothing to be had where the engine is.  */

#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static void
show (const char *path)
{
  FILE *f = fopen (path, "r");
  char line[512];
  int n = 0, anonymous = 0, strange = 0;
  while (f && fgets (line, sizeof line, f))
    {
      unsigned long start, end;
      char prot[5], name[400] = "";
      if (sscanf (line, "%lx-%lx %4s %*s %*s %*s %399[^\n]", &start, &end,
                  prot, name) < 3)
        continue;
      n++;
      anonymous += !name[0];
      strange += name[0] && name[0] != '[' && !strstr (name, "/maps")
                 && !strstr (name, "libc") && !strstr (name, "ld-linux");
      if (strstr (name, "rio-engine") || strstr (name, "rio-run")
          || strstr (name, "memfd"))
        printf ("seen: %s", line);
    }
  printf ("%s: %d mappings, %d anonymous, %d others\n",
          strncmp (path, "/proc/", 6) == 0 ? "proc" : "link", n, anonymous,
          strange);
  if (f)
    fclose (f);
}

int
main (void)
{
  char self[64], link[] = "/tmp/rio-maps-XXXXXX";
  show ("/proc/self/maps");
  show ("/proc/self/smaps");
  show ("/proc/thread-self/maps");
  snprintf (self, sizeof self, "/proc/%d/task/%d/maps", getpid (), getpid ());
  show (self);
  close (mkstemp (link));
  unlink (link);
  symlink ("/proc/self/maps", link);
  show (link);
  unlink (link);
  int fd = open ("/proc/self/maps", O_RDONLY);
  printf ("descriptor %d, close-on-exec %d\n", fd, fcntl (fd, F_GETFD));
  close (fd);
  fd = open ("/proc/self/maps", O_RDONLY | O_CLOEXEC);
  printf ("descriptor %d, close-on-exec %d\n", fd, fcntl (fd, F_GETFD));
  void *old = sbrk (0), *new = (sbrk (123456), sbrk (0));
  printf ("brk grew by %ld\n", (long) ((char *) new - (char *) old));
  printf ("%d\n", brk (old));
  return 0;
}
