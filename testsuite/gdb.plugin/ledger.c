/* A function that is called a million times, with a loop around it that
   becomes a trace, and a few system calls.  */

#include <fcntl.h>
#include <unistd.h>

long total;
int accounts[8];

static void __attribute__ ((noipa))
post (int which, int amount)
{
  accounts[which] += amount;
}

static int __attribute__ ((noipa))
book (int n)
{
  int last = 0;

  for (int i = 0; i < n; i++)
    {
      post (i & 7, 1);
      last = i;
    }
  return last;
}

static void __attribute__ ((noipa))
pay (int amount)
{
  total += amount;
}

static int __attribute__ ((noipa))
calls (void)
{
  int fd = open ("/dev/null", O_WRONLY);
  int missing = open ("/nonexistent/ledger", O_RDONLY);

  return write (fd, "paid", 4) == 4 && missing < 0 ? close (fd) : 1;
}

int
main (void)
{
  book (1000000);
  if (write (-1, "", 0) == 0)
    return 1;
  for (int i = 1; i <= 5; i++)
    pay (10 * i);
  return calls ();
}
