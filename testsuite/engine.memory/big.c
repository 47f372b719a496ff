/* Three terabytes of address space, in pieces that the kernel places: wherever
   they come to lie they can be used, protected and unmapped.  */

#define _GNU_SOURCE
#include <stdio.h>
#include <stdint.h>
#include <sys/mman.h>

#define PIECE (32ul << 30)
#define N 96

int
main (void)
{
  static char *piece[N];
  int mapped = 0, used = 0, protected = 0, unmapped = 0, apart = 1;

  for (int i = 0; i < N; i++)
    {
      piece[i] = mmap (NULL, PIECE, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
      mapped += piece[i] != MAP_FAILED;
    }
  for (int i = 0; i < N; i++)
    for (int k = 0; k < i; k++)
      apart &= piece[i] + PIECE <= piece[k] || piece[k] + PIECE <= piece[i];
  for (int i = 0; i < N; i++)
    {
      piece[i][0] = piece[i][PIECE - 1] = i;
      piece[i][PIECE / 2] = 1;
      used += piece[i][0] + piece[i][PIECE - 1] == 2 * i;
      protected += mprotect (piece[i], PIECE, PROT_READ) == 0;
      unmapped += munmap (piece[i], PIECE) == 0;
    }
  printf ("mapped %d used %d protected %d unmapped %d apart %d\n", mapped,
          used, protected, unmapped, apart);
  return 0;
}
