/* A signal that stops a process by default, then the end.  */

#include <signal.h>

int
main (void)
{
  raise (SIGTSTP);
  raise (SIGTTOU);
  return 3;
}
