/* A function whose code the debugger changes after it has run.  */

#include <stdio.h>

int value_of (void);
__asm__ (".globl value_of\n"
         ".type value_of, @function\n"
         "value_of:\n\t"
         "mov $41, %eax\n\t"
         "ret\n"
         ".size value_of, . - value_of");

volatile int sum;

static void
called (int round)
{
  (void) round;
}

int
main (void)
{
  for (int round = 0; round < 4; round++)
    {
      for (int i = 0; i < 1000; i++)
        sum = value_of ();
      called (round);
    }
  return 0;
}
