/* Lines of one, two and many instructions, a loop, a call, a string
   instruction, for stepping.  */

#include <string.h>

volatile int a, b, c;
char from[100] = "abc", to[100];

static int
twice (int n)
{
  return 2 * n;
}

int
main (void)
{
  a = 1;
  b = 2;
  a = a * 3 + b * 5 - c;
  c = twice (a);
  for (int i = 0; i < 3; i++)
    b += i;
  __asm__ volatile ("rep movsb"
                    :: "S" (from), "D" (to), "c" (sizeof from) : "memory");
  a = 100;
  return 0;
}
