/* The decoder against Zydis on random bytes.

   usage: decode-fuzz [-v] [COUNT]

   RIO_SEED=N runs the same again.  */

#include "lib/check.h"
#include "unit.arch/decode-random.h"
#include "unit.arch/decode-zydis.h"

#include <string.h>

#define USUAL_COUNT 2000000

static unsigned long n_judged[5], n_differ[N_ASPECTS];

static void
count_verdict (const struct insn *i, struct verdict v)
{
  n_judged[i->vex] += v.known;
  for (unsigned a = 0; a < N_ASPECTS; a++)
    if ((v.differs >> a & 1) && !known_disagreement (i, a))
      n_differ[a]++;
}

int
main (int argc, char **argv)
{
  unsigned long count = USUAL_COUNT;
  bool verbose = argc > 1 && !strcmp (argv[1], "-v");

  if (argc > 1 + verbose)
    count = strtoul (argv[1 + verbose], NULL, 0);
  random_seed (check_seed ());
  zydis_init (verbose);
  for (unsigned long k = 0; k < count; k++)
    {
      uint8_t code[16];
      struct insn i;
      enum insn_status status;

      random_insn (code);
      status = insn_decode (&i, code, sizeof code, 0x400000);
      count_verdict (&i, zydis_judge (&i, status, code, sizeof code));
    }
  printf ("judged: %lu legacy, %lu VEX, %lu EVEX, %lu XOP\n", n_judged[0],
          n_judged[1], n_judged[2], n_judged[3]);
  for (unsigned a = 0; a < N_ASPECTS; a++)
    check (n_differ[a] == 0, "%s as Zydis has it (%lu differ)",
           aspect_names[a], n_differ[a]);
  return check_done ();
}
