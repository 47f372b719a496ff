/* Ten million calls, of which conditions pick one or none.  */

#include <stdio.h>

struct node { struct node *next; long value; };

static __thread int level = 7;
volatile long sum;
const char *text = "some text";

__attribute__ ((noinline)) void
work (long n, struct node *p)
{
  sum += n + (p ? p->value : 0);
}

int
main (void)
{
  struct node last = { 0, 41 }, first = { &last, 40 };

  for (long n = 0; n < 10000000; n++)
    work (n, n == 7000000 ? &first : n == 8000000 ? &last : 0);
  level++;
  printf ("sum %ld\n", sum);
  return 0;
}
