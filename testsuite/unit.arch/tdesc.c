/* The target description: GDB's numbers and sizes, and registers in the
   integer file and in an XSAVE image that this CPU has made.  */

#include "lib/check.h"

#include <string.h>

#include "arch/tdesc.h"

#define XCR0_ALL 0x2e7          /* x87, SSE, AVX, AVX-512, PKRU */

static uint8_t image[8192] __attribute__ ((aligned (64)));
static struct arch_regs regs;

/* The standard offsets of a CPU that has all of them.  */
static const size_t offsets[TDESC_N_COMPONENTS] = {
  [2] = 576, [5] = 1088, [6] = 1152, [7] = 1664, [9] = 2688
};

static unsigned
number (const struct tdesc *d, const char *name)
{
  unsigned n = 0;

  while (n < d->n_regs && strcmp (d->reg[n].name, name) != 0)
    n++;
  return n;
}

static void
test_numbers (void)
{
  static const struct
  {
    const char *name;
    unsigned number, size;
  } known[] = {
    { "rax", 0, 8 }, { "rbx", 1, 8 }, { "rcx", 2, 8 }, { "rdi", 5, 8 },
    { "rbp", TDESC_RBP, 8 }, { "rsp", TDESC_RSP, 8 }, { "r8", 8, 8 },
    { "r15", 15, 8 }, { "rip", TDESC_RIP, 8 }, { "eflags", TDESC_EFLAGS, 4 },
    { "cs", 18, 4 }, { "gs", 23, 4 }, { "st0", 24, 10 }, { "st7", 31, 10 },
    { "fctrl", 32, 4 }, { "fop", 39, 4 }, { "xmm0", 40, 16 },
    { "xmm15", 55, 16 }, { "mxcsr", 56, 4 }, { "orig_rax", 57, 8 },
    { "fs_base", 58, 8 }, { "gs_base", 59, 8 }, { "ymm0h", 60, 16 },
    { "ymm15h", 75, 16 }, { "xmm16", 76, 16 }, { "ymm16h", 92, 16 },
    { "k0", 108, 8 }, { "k7", 115, 8 }, { "zmm0h", 116, 32 },
    { "zmm31h", 147, 32 }, { "pkru", 148, 4 }
  };
  struct tdesc d;
  size_t at = 0;
  int bad = 0;

  tdesc_init (&d, XCR0_ALL, offsets);
  for (size_t i = 0; i < ARRAY_SIZE (known); i++)
    bad += number (&d, known[i].name) != known[i].number
           || d.reg[known[i].number].size != known[i].size;
  check (bad == 0 && d.n_regs == 149, "numbers and sizes are GDB's");
  bad = 0;
  for (unsigned n = 0; n < d.n_regs; at += d.reg[n++].size)
    bad += d.reg[n].at != at;
  check (bad == 0 && d.size == at, "the g packet has no gaps");
  tdesc_init (&d, 7, offsets);
  check (d.n_regs == 76, "a CPU with AVX only has 76 registers");
  tdesc_init (&d, 3, offsets);
  check (d.n_regs == 60, "one with SSE only has 60");
}

static void
test_xml (void)
{
  static char xml[65536];
  struct tdesc d;
  size_t n;

  tdesc_init (&d, XCR0_ALL, offsets);
  n = tdesc_xml (&d, xml, sizeof xml);
  check (n == strlen (xml) && n == tdesc_xml (&d, NULL, 0),
         "the XML's length is known");
  check (strstr (xml, "<reg name=\"zmm31h\" bitsize=\"256\" type=\"v2ui128\" "
                      "regnum=\"147\"/>")
           != NULL
           && strstr (xml, "org.gnu.gdb.i386.pkeys") != NULL,
         "with AVX-512 and PKRU");
  tdesc_init (&d, 3, offsets);
  tdesc_xml (&d, xml, sizeof xml);
  check (strstr (xml, "i386.avx") == NULL && strstr (xml, "mxcsr") != NULL,
         "and without AVX");
}

/* Set register NAME to N bytes of PATTERN, and see that it reads back so.  */
static bool
round_trip (const struct tdesc *d, unsigned n, uint8_t pattern)
{
  uint8_t in[TDESC_MAX_REG_SIZE], out[TDESC_MAX_REG_SIZE];

  for (unsigned i = 0; i < d->reg[n].size; i++)
    in[i] = pattern + i;
  return tdesc_set (d, n, &regs, image, sizeof image, in)
         && tdesc_get (d, n, &regs, image, sizeof image, out)
         && memcmp (in, out, d->reg[n].size) == 0;
}

static void
test_round_trips (void)
{
  struct tdesc d;
  int bad = 0;

  tdesc_init (&d, XCR0_ALL, offsets);
  memset (image, 0, sizeof image);
  for (unsigned n = 0; n < d.n_regs; n++)
    if ((n < 18 || n > 23) && (n < 32 || n > 39) && n != 56
        && !round_trip (&d, n, n))
      bad++;
  for (unsigned n = 0; n < d.n_regs; n++)
    {
      uint8_t out[TDESC_MAX_REG_SIZE];

      if ((n < 18 || n > 23) && (n < 32 || n > 39) && n != 56
          && (!tdesc_get (&d, n, &regs, image, sizeof image, out)
              || out[0] != n || out[d.reg[n].size - 1]
                                  != (uint8_t) (n + d.reg[n].size - 1)))
        bad++;
    }
  check (bad == 0, "each register keeps its value and no other's");
  check (image[512] == 0xe7 && image[513] == 2,
         "the components written to are marked in use");
  check (!tdesc_get (&d, 60, &regs, image, 576, image)
           && !tdesc_get (&d, 40, &regs, image, 0, image)
           && !tdesc_set (&d, 60, &regs, image, 576, image),
         "what the image does not reach is not to be had");
}

static void
test_initial_state (void)
{
  uint8_t value[TDESC_MAX_REG_SIZE];
  struct tdesc d;

  tdesc_init (&d, XCR0_ALL, offsets);
  memset (image, 0xaa, 512);
  memset (image + 512, 0, sizeof image - 512);
  memset (image + 576, 0xaa, 256);
  tdesc_get (&d, number (&d, "fctrl"), &regs, image, sizeof image, value);
  check (memcmp (value, "\x7f\x03\0\0", 4) == 0, "fctrl is 37f at first");
  tdesc_get (&d, number (&d, "ftag"), &regs, image, sizeof image, value);
  check (memcmp (value, "\xff\xff\0\0", 4) == 0, "ftag is ffff at first");
  tdesc_get (&d, number (&d, "ymm3h"), &regs, image, sizeof image, value);
  check (value[0] == 0 && value[15] == 0, "ymm3h is 0 at first");
  value[0] = 0;
  tdesc_set (&d, number (&d, "ymm3h"), &regs, image, sizeof image, value);
  check (image[512] == 0, "writing what is there changes nothing");
  value[0] = 1;
  tdesc_set (&d, number (&d, "ymm3h"), &regs, image, sizeof image, value);
  check (image[512] == 4 && image[576] == 0 && image[576 + 48] == 1
           && image[576 + 255] == 0,
         "writing another value initialises the rest of its component");
  value[0] = 0x80;
  value[1] = 0x1f;
  value[2] = value[3] = 0xff;
  tdesc_set (&d, number (&d, "mxcsr"), &regs, image, sizeof image, value);
  check (memcmp (image + 24, "\x80\x1f\0\0", 4) == 0,
         "mxcsr's reserved half is dropped");
}

/* What the CPU itself puts into an image.  */
static void
test_cpu (void)
{
  struct tdesc d;
  uint8_t value[TDESC_MAX_REG_SIZE];
  double three = 3;

  tdesc_init_host (&d);
  memset (image, 0, sizeof image);
  if (d.xcr0 == 3)
    {
      check_unsupported ("no XSAVE on this CPU");
      return;
    }
  asm volatile ("fninit; fld1; fldz; fldl %1; movsd %1, %%xmm5;"
                "xsave %0; fninit"
                : "+m" (image) : "m" (three), "a" (-1), "d" (-1) : "xmm5");
  tdesc_get (&d, number (&d, "ftag"), &regs, image, sizeof image, value);
  check (memcmp (value, "\xff\x13\0\0", 4) == 0,
         "1, 0 and 3 on the stack: tags valid, zero, valid, 5 empty");
  tdesc_get (&d, number (&d, "st0"), &regs, image, sizeof image, value);
  check (memcmp (value, "\0\0\0\0\0\0\0\xc0\0\x40", 10) == 0, "st0 is 3");
  tdesc_get (&d, number (&d, "xmm5"), &regs, image, sizeof image, value);
  check (memcmp (value, &three, 8) == 0, "xmm5 is 3");
}

int
main (void)
{
  test_numbers ();
  test_xml ();
  test_round_trips ();
  test_initial_state ();
  test_cpu ();
  return check_done ();
}
