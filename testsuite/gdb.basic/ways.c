/* Calls, loops and recursion, for the ways in which GDB goes on.  */

#include <string.h>

volatile int sum;

int
factor (int n)
{
  sum += n;
  if (n < 2)
    return 1;
  return n * factor (n - 1);
}

double
half (double x)
{
  return x / 2;
}

struct pair
{
  long left, right;
};

struct pair
make_pair (long left, const char *right)
{
  struct pair p = { left, (long) strlen (right) };
  return p;
}

int
main (void)
{
  int result = 0;

  for (int i = 0; i < 5; i++)
    result += factor (i);
  result += (int) half (10.0);
  result += (int) make_pair (3, "four").right;
  return result == 43 ? 0 : 1;
}
