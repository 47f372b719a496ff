/* Code in shared mappings, changed through a mapping that is made after it has
   run, by writes to the file, and by another process; and code in a private
   mapping, changed by the same.  */

#define _GNU_SOURCE
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define SIZE 4096

/* mov $N, %eax; ret */
static void
write_code (uint8_t *at, uint32_t n)
{
  at[0] = 0xb8;
  memcpy (at + 1, &n, 4);
  at[5] = 0xc3;
}

static int
call (uint8_t *at)
{
  return ((int (*) (void)) at) ();
}

static void
by_file (int fd, uint32_t n)
{
  uint8_t code[6];
  write_code (code, n);
  if (pwrite (fd, code, sizeof code, 0) != sizeof code)
    perror ("pwrite");
}

static void
file (void)
{
  int fd = memfd_create ("code", 0);
  uint8_t *x, *w;

  ftruncate (fd, SIZE);
  x = mmap (NULL, SIZE, PROT_READ | PROT_EXEC, MAP_SHARED, fd, 0);
  for (int i = 0; i < 50; i++)
    {
      by_file (fd, i);
      printf ("%d ", call (x));
    }
  w = mmap (NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  for (int i = 100; i < 150; i++)
    {
      write_code (w, i);
      printf ("%d ", call (x));
    }
  puts ("");
}

static void
process (void)
{
  uint8_t *x = mmap (NULL, SIZE, PROT_READ | PROT_WRITE | PROT_EXEC,
                     MAP_SHARED | MAP_ANONYMOUS, -1, 0);

  write_code (x, 1);
  for (int i = 0; i < 20; i++)
    {
      pid_t child;

      printf ("%d ", call (x));
      fflush (stdout);
      child = fork ();
      if (child == 0)
        {
          write_code (x, 2 * call (x));
          _exit (0);
        }
      waitpid (child, NULL, 0);
    }
  puts ("");
}

/* What is private and has not been stored to is the file's page.  */
static void
private (int fd)
{
  uint8_t *x, *w;

  ftruncate (fd, SIZE);
  by_file (fd, 1);
  x = mmap (NULL, SIZE, PROT_READ, MAP_PRIVATE, fd, 0);
  w = mmap (NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (mprotect (x, SIZE, PROT_READ | PROT_EXEC) < 0)
    {
      puts ("on a file system without execution");
      return;
    }
  for (int i = 0; i < 20; i++)
    {
      printf ("%d ", call (x));
      write_code (w, 100 + i);
      printf ("%d ", call (x));
      by_file (fd, 200 + i);
    }
  /* From the first store on it is the program's own.  */
  mprotect (x, SIZE, PROT_READ | PROT_WRITE | PROT_EXEC);
  write_code (x, 300);
  by_file (fd, 400);
  printf ("%d\n", call (x));
}

int
main (void)
{
  FILE *temporary = tmpfile ();

  file ();
  process ();
  private (memfd_create ("code", 0));
  if (temporary)
    private (fileno (temporary));
  return 0;
}
