/* Says that it is ready, and works for ever.  */

#include <stdio.h>

volatile unsigned long work;

int
main (void)
{
  puts ("ready");
  fflush (stdout);
  for (;;)
    work++;
}
