/* Prints what its standard input is, and copies it.  */

#include <stdio.h>
#include <unistd.h>

int
main (void)
{
  char line[100];

  printf ("terminals %d %d %d\n", isatty (0), isatty (1), isatty (2));
  while (fgets (line, sizeof line, stdin) != NULL)
    printf ("read %s", line);
  return 4;
}
