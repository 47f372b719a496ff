/* A trap instruction of the program's own.  */

int
main (void)
{
  __asm__ volatile (".globl trap\n"
                    "trap: int3\n"
                    "after: nop");
  return 3;
}
