/* Works for ever, and says so when it has begun.  */

#include <stdio.h>

volatile unsigned long work;

int
main (void)
{
  for (;;)
    if (++work == 1000)
      {
        puts ("ready");
        fflush (stdout);
      }
}
