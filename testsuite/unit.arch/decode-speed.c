/* How fast the decoder is.

   usage: decode-speed [FILE]

   Decodes the code of FILE (the C library) from end to end, ten times, and
   prints the best time of one instruction: decoded alone, and with all of
   its effects.  A benchmark: it tests nothing.  */

#include "unit.arch/decode-sweep.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define ROUNDS 10
#define MAX_INSNS 2000000

/* Where the instructions of the file are, found once.  */
static const uint8_t **where;
static unsigned long n_insns;

static double
now (void)
{
  struct timespec t;

  clock_gettime (CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1e9 + t.tv_nsec;
}

/* Note every instruction of SIZE bytes at CODE.  */
static void
note (const uint8_t *code, size_t size)
{
  size_t at = 0;

  while (at + INSN_MAX_LENGTH < size && n_insns < MAX_INSNS)
    {
      struct insn i;

      where[n_insns++] = code + at;
      at += insn_decode (&i, code + at, size - at, 0) == INSN_OK ? i.length
                                                                 : 1;
    }
}

static unsigned
effects (const struct insn *i)
{
  struct insn_mem ops[INSN_MAX_MEM];

  return insn_flags_read (i) + insn_flags_written (i) + insn_gpr_read (i)
         + insn_gpr_written (i) + insn_memory (i, ops);
}

/* Nanoseconds for one instruction, at best.  */
static double
measure (bool all)
{
  double best = 1e9;
  unsigned sum = 0;

  for (unsigned round = 0; round < ROUNDS; round++)
    {
      double start = now ();

      for (unsigned long k = 0; k < n_insns; k++)
        {
          struct insn i;

          sum += insn_decode (&i, where[k], INSN_MAX_LENGTH, 0) + i.length;
          if (all)
            sum += effects (&i);
        }
      best = MIN (best, (now () - start) / n_insns);
    }
  asm volatile ("" : : "r"(sum));
  return best;
}

int
main (int argc, char **argv)
{
  const char *file = argc > 1 ? argv[1] : "/lib/x86_64-linux-gnu/libc.so.6";

  where = malloc (MAX_INSNS * sizeof *where);
  if (where == NULL || !sweep_sections (file, note) || n_insns == 0)
    {
      fprintf (stderr, "decode-speed: %s: no code in it\n", file);
      return 1;
    }
  printf ("%lu instructions of %s\n", n_insns, file);
  printf ("decoded: %.1f ns each\n", measure (false));
  printf ("with flags, registers and memory operands: %.1f ns each\n",
          measure (true));
  return 0;
}
