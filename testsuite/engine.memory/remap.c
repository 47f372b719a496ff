/* Code that moves: made, run, moved by mremap, mapped over, taken away, with
   what is left of it at its old place told by a handler.  */

#define _GNU_SOURCE
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static sigjmp_buf back;
static int code;

static void
on_fault (int sig, siginfo_t *info, void *uc)
{
  (void) sig, (void) uc;
  code = info->si_code;
  siglongjmp (back, 1);
}

/* mov $N, %eax; ret */
static void
put (unsigned char *p, int n)
{
  p[0] = 0xb8;
  memcpy (p + 1, &n, 4);
  p[5] = 0xc3;
}

static void
run (const char *what, void *p)
{
  if (sigsetjmp (back, 1))
    printf ("%s: fault, code %d\n", what, code);
  else
    printf ("%s: %d\n", what, ((int (*) (void)) p) ());
}

#define RWX (PROT_READ | PROT_WRITE | PROT_EXEC)
#define ANON (MAP_PRIVATE | MAP_ANONYMOUS)

int
main (void)
{
  struct sigaction sa = { .sa_sigaction = on_fault, .sa_flags = SA_SIGINFO };
  sigaction (SIGSEGV, &sa, NULL);
  sigaction (SIGBUS, &sa, NULL);

  char *room = mmap (NULL, 16 * 4096, PROT_NONE, ANON, -1, 0);
  unsigned char *a = mmap (room, 4096, RWX, ANON | MAP_FIXED, -1, 0);
  put (a, 1);
  run ("made", a);
  put (a, 2);
  run ("changed", a);
  unsigned char *b = mremap (a, 4096, 4096, MREMAP_MAYMOVE | MREMAP_FIXED,
                             room + 5 * 4096);
  run ("moved", b);
  run ("where it was", a);
  mmap (a, 4096, RWX, ANON | MAP_FIXED, -1, 0);
  put (a, 3);
  run ("another in its place", a);
  mmap (b, 4096, RWX, ANON | MAP_FIXED, -1, 0);
  put (b, 4);
  run ("mapped over", b);
  mprotect (b, 4096, PROT_READ | PROT_WRITE);
  run ("not executable", b);
  put (b, 5);
  mprotect (b, 4096, PROT_READ | PROT_EXEC);
  run ("executable again", b);
  madvise (a, 4096, MADV_DONTNEED);
  put (a, 6);
  run ("after dontneed", a);
  munmap (a, 4096);
  run ("unmapped", a);

  FILE *f = tmpfile ();
  unsigned char page[4096] = { 0 };
  put (page, 7);
  fwrite (page, 1, sizeof page, f);
  put (page, 8);
  fwrite (page, 1, sizeof page, f);
  fflush (f);
  for (int i = 0; i < 2; i++)
    {
      mmap (a, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_FIXED,
            fileno (f), i * 4096);
      run ("page of a file", a);
    }
  mmap (a, 4096, PROT_READ | PROT_EXEC, MAP_SHARED | MAP_FIXED, fileno (f),
        0);
  unsigned char *w = mmap (NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED,
                           fileno (f), 0);
  run ("shared", a);
  put (w, 9);
  run ("written through another mapping", a);
  lseek (fileno (f), 0, SEEK_SET);
  put (page, 10);
  char *rwx = mmap (NULL, 4096, RWX, ANON, -1, 0);
  put ((unsigned char *) rwx, 11);
  run ("to be read over", rwx);
  pwrite (fileno (f), page, sizeof page, 4096);
  printf ("%zd\n", pread (fileno (f), rwx, 4096, 4096));
  run ("read over", rwx);
  return 0;
}
