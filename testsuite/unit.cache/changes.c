/* Code that changes under its translation, in a page that nobody protects:
   fragments verify their bytes before each execution.  */

#define _GNU_SOURCE
#include "little-engine.h"
#include "lib/check.h"
#include <string.h>
#include <sys/mman.h>

static uint8_t *page;

static void
write_code (const void *code, size_t n)
{
  memcpy (page, code, n);
}

int
main (void)
{
  /* mov $1, %eax; ret  */
  uint8_t constant[] = { 0xb8, 1, 0, 0, 0, 0xc3 };
  /* movb $0x2a, 1f+1(%rip); mov $1, %eax; ret: changes what follows.  */
  static const uint8_t itself[] = { 0xc6, 0x05, 1, 0, 0, 0, 0x2a, 0xb8,
                                    1,    0,    0, 0, 0xc3 };
  /* 1: add %rdi, %rax; dec %rdi; jnz 1b; ret  */
  static const uint8_t loop[]
      = { 0x31, 0xc0, 0x48, 0x01, 0xf8, 0x48, 0xff, 0xcf, 0x75, 0xf8, 0xc3 };
  unsigned wrong = 0;
  long (*f) (long, long);

  page = mmap (0, 8192, PROT_READ | PROT_WRITE | PROT_EXEC,
               MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  f = (long (*) (long, long)) (void *) page;
  little_init (0, true);
  little_verify = true;
  for (unsigned i = 0; i < 200; i++)
    {
      constant[1] = (uint8_t) i;
      write_code (constant, sizeof constant);
      wrong += little_call (f, 0, 0) != (long) i;
      wrong += little_call (f, 0, 0) != (long) i;
    }
  check (wrong == 0, "a constant that changes 200 times: %u wrong", wrong);
  write_code (itself, sizeof itself);
  check (little_call (f, 0, 0) == 0x2a,
         "a store to the next instruction takes effect");
  write_code (loop, sizeof loop);
  check (little_call (f, 1000, 0) == 500500, "flags live across a comparison");
  return check_done ();
}
