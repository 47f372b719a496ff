/* The sample that ./quickstart opens when it is given no program: something
   to put a conditional breakpoint, a watchpoint and a trace on.  */

#include <stdio.h>
#include <string.h>

#define N_CALLS 10000000

static int table[128];
static long sum;

/* Called ten million times.  */
static int __attribute__ ((noinline))
visit (int n)
{
  sum += n & 7;
  return (int) ((unsigned) n * 2654435761u >> 25);
}

/* Writes to the table now and then.  */
static void __attribute__ ((noinline))
record (int slot, int value)
{
  table[slot] = value;
}

int
main (void)
{
  memset (table, 0, sizeof table);
  for (int n = 0; n < N_CALLS; n++)
    {
      int slot = visit (n);

      if (n % 1000000 == 999999)
        record (slot, n);
    }
  printf ("sum %ld, table[0] %d\n", sum, table[0]);
  return 0;
}
