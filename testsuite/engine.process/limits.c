/* Fork where no descriptor is to be had: the child gets code memory of its
   own all the same, and the parent keeps what it had.  */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#define N 2000

static int
compare (const void *a, const void *b)
{
  return *(const int *) a - *(const int *) b;
}

/* A sum that takes a lot of code.  */
static unsigned
work (int seed)
{
  static int a[N];
  char text[100];
  unsigned sum = 0;

  for (int i = 0; i < N; i++)
    a[i] = (i * 7919 + seed) % 10007;
  qsort (a, N, sizeof *a, compare);
  for (int i = 0; i < 200; i++)
    {
      snprintf (text, sizeof text, "%d %g %s", a[i], a[i] / 3.0, "x");
      sum = sum * 31 + strlen (text) + text[1];
    }
  return sum;
}

int
main (void)
{
  struct rlimit none = { 3, 3 };

  setrlimit (RLIMIT_NOFILE, &none);
  for (int i = 0; i < 20; i++)
    {
      int status;
      pid_t child = fork ();

      if (child == 0)
        {
          unsigned sum = strtod ("1.5", NULL) > 2;

          for (int k = 0; k < 5; k++)
            sum ^= work (k);
          _exit (sum & 127);
        }
      work (i + 3);
      waitpid (child, &status, 0);
      printf ("child %x, parent %u\n", status, work (1));
    }
  return 0;
}
