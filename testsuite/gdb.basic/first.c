/* A program with something to look at: main calls outer calls inner.  */

#include <stdio.h>

struct pair
{
  int left, right;
};

static int counter;

static int __attribute__ ((noinline))
inner (struct pair *p, int step)
{
  counter += step;
  return p->left * p->right + counter;
}

static int __attribute__ ((noinline))
outer (int n)
{
  struct pair p = { n, n + 1 };
  int sum = 0;

  for (int i = 0; i < 3; i++)
    sum += inner (&p, i);
  return sum;
}

int
main (void)
{
  int result = outer (6);

  printf ("result %d, counter %d\n", result, counter);
  return 0;
}
