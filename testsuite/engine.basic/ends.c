/* Ends as its argument says: a number is an exit status, -N a signal.  */

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

int
main (int argc, char **argv)
{
  int how = argc > 1 ? atoi (argv[1]) : 0;

  printf ("ending by %d\n", how);
  fflush (stdout);
  if (how < 0)
    raise (-how);
  return how;
}
