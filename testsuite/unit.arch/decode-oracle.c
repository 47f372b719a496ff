/* The decoder against Zydis, Capstone and objdump, over the code of
   installed programs.

   usage: decode-oracle [-v] [FILE...]

   With no FILE, a few that every system has.  -v shows an example of each
   kind of disagreement with Zydis, keyed by encoding family, map and opcode.

   Zydis must agree with the decoder about everything but what a row of
   decode-known.c explains.  No two oracles may disagree with it without a
   row.  What one of the two others says alone is only counted.  */

#include "lib/check.h"
#include "unit.arch/decode-capstone.h"
#include "unit.arch/decode-objdump.h"
#include "unit.arch/decode-sweep.h"
#include "unit.arch/decode-zydis.h"

#include <string.h>

static const char *const usual_files[] = {
  "/lib/x86_64-linux-gnu/libc.so.6",
  "/lib/x86_64-linux-gnu/libm.so.6",
  "/lib64/ld-linux-x86-64.so.2",
  "/usr/lib/x86_64-linux-gnu/libstdc++.so.6",
  "/usr/lib/x86_64-linux-gnu/libcrypto.so.3",
  "/usr/bin/python3"
};

static struct specimen *specimens;
static size_t n_specimens, n_allocated;

/* A new specimen.  */
static struct specimen *
add_specimen (const struct insn *i)
{
  struct specimen *s;

  if (n_specimens == n_allocated)
    {
      n_allocated = n_allocated ? 2 * n_allocated : 1 << 16;
      specimens = realloc (specimens, n_allocated * sizeof *specimens);
      if (specimens == NULL)
        abort ();
    }
  s = &specimens[n_specimens++];
  *s = (struct specimen){ .length = i->length, .branch = i->branch };
  memcpy (s->bytes, i->bytes, i->length);
  return s;
}

static unsigned
judge (const struct insn *i, enum insn_status status, const uint8_t *code,
       size_t avail)
{
  struct specimen *s = add_specimen (i);

  s->zydis = zydis_judge (i, status, code, avail);
  s->capstone = capstone_judge (i, status, code, avail);
  if (s->zydis.known && s->zydis.length != i->length)
    return s->zydis.length;
  return 0;
}

/* Disagreements: of Zydis, of two oracles, both without a row; of Capstone
   or objdump alone.  */
static unsigned long n_zydis[N_ASPECTS], n_two[N_ASPECTS];
static unsigned long n_capstone[N_ASPECTS], n_objdump[N_ASPECTS];

/* How many specimens each of them knows.  */
static unsigned long known_zydis, known_capstone, known_objdump;

static void
show (const struct specimen *s, enum aspect a)
{
  printf ("two oracles, %s: ", aspect_names[a]);
  for (unsigned k = 0; k < s->length; k++)
    printf ("%02x", s->bytes[k]);
  printf (" %u, Zydis %u, Capstone %u, objdump %u\n", s->length,
          s->zydis.length, s->capstone.length, s->objdump.length);
}

static void
count_aspect (const struct specimen *s, const struct insn *i, enum aspect a)
{
  bool z = s->zydis.differs >> a & 1, c = s->capstone.differs >> a & 1;
  bool o = s->objdump.differs >> a & 1;

  if (z + c + o == 0 || known_disagreement (i, a))
    return;
  n_zydis[a] += z;
  n_two[a] += z + c + o >= 2;
  if (z + c + o >= 2)
    show (s, a);
  n_capstone[a] += c && !z && !o;
  n_objdump[a] += o && !z && !c;
}

static void
count_all (void)
{
  for (size_t k = 0; k < n_specimens; k++)
    {
      const struct specimen *s = &specimens[k];
      struct insn i;
      enum insn_status status
        = insn_decode (&i, s->bytes, sizeof s->bytes, 0);

      (void)status;
      known_zydis += s->zydis.known;
      known_capstone += s->capstone.known;
      known_objdump += s->objdump.known;
      for (unsigned a = 0; a < N_ASPECTS; a++)
        count_aspect (s, &i, a);
    }
}

static void
report (bool with_objdump)
{
  printf ("known to Zydis %lu, to Capstone %lu, to objdump %lu\n",
          known_zydis, known_capstone, known_objdump);
  check (known_zydis > n_specimens / 2 && known_capstone > n_specimens / 2
         && (!with_objdump || known_objdump > n_specimens / 2),
         "the oracles know most of them");
  for (unsigned a = 0; a < N_ASPECTS; a++)
    {
      printf ("%s: Capstone alone differs on %lu, objdump alone on %lu\n",
              aspect_names[a], n_capstone[a], n_objdump[a]);
      check (n_zydis[a] == 0, "%s as Zydis has it (%lu differ)",
             aspect_names[a], n_zydis[a]);
      check (n_two[a] == 0, "%s as two oracles have it (%lu differ)",
             aspect_names[a], n_two[a]);
    }
}

int
main (int argc, char **argv)
{
  int k = 1;
  bool with_objdump;
  bool verbose = k < argc && !strcmp (argv[k], "-v");

  k += verbose;
  zydis_init (verbose);
  capstone_init ();
  if (k == argc)
    for (unsigned f = 0; f < ARRAY_SIZE (usual_files); f++)
      sweep_file (usual_files[f], judge);
  for (; k < argc; k++)
    sweep_file (argv[k], judge);
  printf ("%lu instructions, %lu distinct\n", sweep_n_met, sweep_n_distinct);
  check (sweep_n_distinct > 1000, "there is code to decode");
  with_objdump = objdump_judge (specimens, n_specimens);
  if (!with_objdump)
    check_unsupported ("objdump as an oracle");
  count_all ();
  report (with_objdump);
  return check_done ();
}
