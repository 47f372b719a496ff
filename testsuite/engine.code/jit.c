/* Code made at run time: written and run again in place, through mprotect,
   through a second mapping, and moved by mremap.  */

#define _GNU_SOURCE
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define SIZE 8192

/* mov $N, %eax; ret */
static void
write_code (uint8_t *at, uint32_t n)
{
  at[0] = 0xb8;
  memcpy (at + 1, &n, 4);
  at[5] = 0xc3;
}

static uint32_t
call (void *code)
{
  return ((uint32_t (*) (void)) code) ();
}

/* Code that stores into the instruction after the store:
   mov %edi, 1(%rip); mov $0, %eax; ret */
static const uint8_t self[] = {
  0x89, 0x3d, 0x01, 0x00, 0x00, 0x00, 0xb8, 0x00, 0x00, 0x00, 0x00, 0xc3
};

static uint8_t *
map (int prot, int flags, int fd)
{
  uint8_t *p = mmap (NULL, SIZE, prot, flags, fd, 0);

  if (p == MAP_FAILED)
    abort ();
  return p;
}

static void
in_place (void)
{
  uint8_t *p = map (PROT_READ | PROT_WRITE | PROT_EXEC,
                    MAP_PRIVATE | MAP_ANONYMOUS, -1);
  uint64_t sum = 0;

  for (uint32_t i = 0; i < 2000; i++)
    {
      write_code (p + i % 7 * 16, i);
      sum += call (p + i % 7 * 16) * (i + 1ul);
    }
  printf ("in place %lu\n", sum);
  memcpy (p, self, sizeof self);
  sum = 0;
  for (int i = 0; i < 2000; i++)
    sum += ((uint32_t (*) (int)) (void *) p) (i);
  printf ("self-modifying %lu\n", sum);
  write_code (p + 4092, 77);
  printf ("across pages %u", call (p + 4092));
  p[4093 + 3] = 1;
  printf (" %u\n", call (p + 4092));
  munmap (p, SIZE);
}

/* A block on one page that jumps to a block on another; only the other one
   changes, so the link between them must be broken.  */
static void
linked (void)
{
  uint8_t *p = map (PROT_READ | PROT_WRITE | PROT_EXEC,
                    MAP_PRIVATE | MAP_ANONYMOUS, -1);
  int32_t distance = 4096 - 5;
  uint64_t sum = 0;

  p[0] = 0xe9;
  memcpy (p + 1, &distance, 4);
  for (uint32_t i = 0; i < 6; i++)
    {
      write_code (p + 4096, i + 100);
      for (int n = 0; n < 5; n++)
        sum = sum * 3 + call (p);
    }
  printf ("linked %lu\n", sum);
}

static void
by_mprotect (void)
{
  uint8_t *p = map (PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1);
  uint64_t sum = 0;

  for (uint32_t i = 0; i < 200; i++)
    {
      mprotect (p, SIZE, PROT_READ | PROT_WRITE);
      write_code (p + 4096, i * 3);
      mprotect (p, SIZE, PROT_READ | PROT_EXEC);
      sum += call (p + 4096) * (i + 1ul);
    }
  printf ("mprotect %lu\n", sum);
  p = mremap (p, SIZE, SIZE * 2, MREMAP_MAYMOVE);
  printf ("mremap %u\n", call (p + 4096));
  munmap (p, SIZE * 2);
}

static void
by_alias (void)
{
  int fd = memfd_create ("jit", 0);
  uint8_t *w, *x;
  uint64_t sum = 0;

  if (ftruncate (fd, SIZE) != 0)
    abort ();
  w = map (PROT_READ | PROT_WRITE, MAP_SHARED, fd);
  x = map (PROT_READ | PROT_EXEC, MAP_SHARED, fd);
  for (uint32_t i = 0; i < 2000; i++)
    {
      write_code (w + i % 5 * 8, i ^ 5);
      sum += call (x + i % 5 * 8) * (i + 1ul);
    }
  printf ("alias %lu\n", sum);
  write_code (w, 1111);
  if (pwrite (fd, "\xb8\x39\x05\x00\x00\xc3", 6, 0) != 6)
    abort ();
  printf ("by write %u\n", call (x));
}

/* The kernel writes the code, by read(2), to a page that has been run.  */
static void
by_read (void)
{
  uint8_t *p = map (PROT_READ | PROT_WRITE | PROT_EXEC,
                    MAP_PRIVATE | MAP_ANONYMOUS, -1);
  uint8_t code[6];
  uint64_t sum = 0;
  int ends[2];

  if (pipe (ends) != 0)
    abort ();
  for (uint32_t i = 0; i < 300; i++)
    {
      write_code (code, i * 5);
      if (write (ends[1], code, sizeof code) != sizeof code
          || read (ends[0], p + i % 3 * 6, sizeof code) != sizeof code)
        abort ();
      sum += call (p + i % 3 * 6) * (i + 1ul);
    }
  printf ("by read %lu\n", sum);
}

static void
by_mmap (void)
{
  uint8_t *p = map (PROT_READ | PROT_WRITE | PROT_EXEC,
                    MAP_PRIVATE | MAP_ANONYMOUS, -1);
  uint64_t sum = 0;

  for (uint32_t i = 0; i < 200; i++)
    {
      p = mmap (p, SIZE, PROT_READ | PROT_WRITE | PROT_EXEC,
                MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
      write_code (p, i + 9);
      sum += call (p) * (i + 1ul);
    }
  printf ("mmap over it %lu\n", sum);
}

int
main (void)
{
  in_place ();
  linked ();
  by_mprotect ();
  by_alias ();
  by_read ();
  by_mmap ();
  return 0;
}
