/* Two columns out of what an engine says, and out of what none would say.
   RIO_SEED repeats a run.  */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "host/disassemble.h"
#include "lib/check.h"

static char output[1 << 20];
static size_t used;

static void
emit (void *data, const char *text)
{
  size_t n = strlen (text);

  (void) data;
  if (used + n < sizeof output)
    {
      memcpy (output + used, text, n + 1);
      used += n;
    }
}

/* At 0x1000 stand push %rbx; ret.  */
static size_t
read_bytes (void *source, app_addr at, void *buffer, size_t length)
{
  static const uint8_t code[] = { 0x53, 0xc3 };
  size_t n = at == 0x1000 ? 2 : at == 0x1001 ? 1 : 0;

  (void) source;
  n = MIN (n, length);
  memcpy (buffer, code + (at & 1), n);
  return n;
}

static const struct disassemble_output sink = { read_bytes, 0, emit, 0 };

static const char *
columns (const char *text)
{
  char *copy = strdup (text);

  used = 0;
  output[0] = 0;
  disassemble_fragments (copy, &sink);
  free (copy);
  return output;
}

static void
test_sense (void)
{
  const char *got = columns ("fragment block plain 1000 7000 2 2 3\n"
                             "insn 7000 1000 53\n"
                             "insn 7001 1001 59\n"
                             "insn 7002 1001 90\n"
                             "exit direct 2000 7ff0 0\n"
                             "exit direct 2000 7ff0 7100\n");

  check (strncmp (got, "Block of 0x1000, flavour plain: 2 bytes as 2 at "
                       "0x7000; 3 links to it\n", 60) == 0,
         "a head");
  check (strstr (got, "1000: pushq %rbx ") != NULL
           && strstr (got, "| 7000: pushq %rbx\n") != NULL,
         "an instruction that is copied");
  check (strstr (got, "1001: retq ") != NULL
           && strstr (got, "| 7001: popq %rcx\n") != NULL
           && strstr (strstr (got, "1001: ret") + 1, "1001: ret") == NULL,
         "one that becomes two is named once");
  check (strstr (got, "exit, direct, to 0x2000: leaves the cache at 0x7ff0\n")
             != NULL
           && strstr (got, "to 0x2000: linked to 0x7100\n") != NULL,
         "exits");
}

/* Lines that begin right, and go on as the generator likes.  */
static void
test_nonsense (unsigned seed)
{
  static const char *const heads[]
      = { "fragment ", "insn ", "exit ", "", "x" };
  char text[4096];
  bool fits = true;

  srandom (seed);
  for (unsigned turn = 0; turn < 2000; turn++)
    {
      size_t n = 0;

      while (n + 80 < sizeof text)
        {
          const char *head = heads[random () % ARRAY_SIZE (heads)];

          n += (size_t) sprintf (text + n, "%s", head);
          for (long left = random () % 60; left > 0; left--)
            text[n++] = "0123456789abcdef zZ-%\n"[random () % 22];
        }
      text[n] = 0;
      fits &= strlen (columns (text)) < sizeof output;
    }
  check (fits, "random lines are survived");
}

int
main (void)
{
  unsigned seed = check_seed ();

  if (!disassemble_available ())
    {
      check_unsupported ("built without Capstone");
      return check_done ();
    }
  test_sense ();
  test_nonsense (seed);
  return check_done ();
}
