/* The register table of x86-64, its XML, and access by register number.

   Invariants:
   1. Rows stand in the order of GDB's register numbers; a row is a run of
      registers of one kind.  A feature's rows are adjacent.
   2. A register lies either in struct arch_regs (component -1) or in one
      component of the XSAVE image, at base + index * stride.

   XSAVE layout: SDM volume 1, 13.4; x87 area: table 10-2.  */

#include "arch/tdesc.h"

#include "common/format.h"
#include "common/string.h"

enum component
{
  IN_REGS = -1, X87, SSE, AVX, OPMASK = 5, ZMM_HI256, HI16_ZMM, PKRU = 9
};

enum special
{
  NOT_SPECIAL,
  SHORT,                /* 16 bits in the image, 32 in the register */
  TAG,                  /* the abridged tag word, shown as the full one */
  CONTROL               /* mxcsr: loaded whatever XSTATE_BV says */
};

struct row
{
  const char *feature;  /* what comes after "org.gnu.gdb.i386." */
  const char *name;     /* %u: first + index */
  unsigned first, count;
  unsigned size;
  const char *type;
  const char *group;
  int component;
  unsigned base, stride;
  enum special special;
};

#define GPR(NAME, R, TYPE)                                                    \
  { "core", NAME, 0, 1, 8, TYPE, NULL, IN_REGS,                               \
    offsetof (struct arch_regs, gpr) + 8 * ARCH_##R, 8, NOT_SPECIAL }
#define FIELD(FEATURE, NAME, F, SIZE, TYPE, SPECIAL)                          \
  { FEATURE, NAME, 0, 1, SIZE, TYPE, NULL, IN_REGS,                           \
    offsetof (struct arch_regs, F), 8, SPECIAL }
#define FLOAT(NAME, OFFSET, SPECIAL)                                          \
  { "core", NAME, 0, 1, 4, "int", "float", X87, OFFSET, 4, SPECIAL }

static const struct row rows[] = {
  GPR ("rax", RAX, "int64"), GPR ("rbx", RBX, "int64"),
  GPR ("rcx", RCX, "int64"), GPR ("rdx", RDX, "int64"),
  GPR ("rsi", RSI, "int64"), GPR ("rdi", RDI, "int64"),
  GPR ("rbp", RBP, "data_ptr"), GPR ("rsp", RSP, "data_ptr"),
  { "core", "r%u", 8, 8, 8, "int64", NULL, IN_REGS,
    offsetof (struct arch_regs, gpr) + 8 * ARCH_R8, 8, NOT_SPECIAL },
  FIELD ("core", "rip", rip, 8, "code_ptr", NOT_SPECIAL),
  FIELD ("core", "eflags", rflags, 4, "i386_eflags", NOT_SPECIAL),
  FIELD ("core", "cs", cs, 4, "int32", SHORT),
  FIELD ("core", "ss", ss, 4, "int32", SHORT),
  FIELD ("core", "ds", ds, 4, "int32", SHORT),
  FIELD ("core", "es", es, 4, "int32", SHORT),
  FIELD ("core", "fs", fs, 4, "int32", SHORT),
  FIELD ("core", "gs", gs, 4, "int32", SHORT),
  { "core", "st%u", 0, 8, 10, "i387_ext", NULL, X87, 32, 16, NOT_SPECIAL },
  FLOAT ("fctrl", 0, SHORT), FLOAT ("fstat", 2, SHORT), FLOAT ("ftag", 4, TAG),
  FLOAT ("fiseg", 12, SHORT), FLOAT ("fioff", 8, NOT_SPECIAL),
  FLOAT ("foseg", 20, SHORT), FLOAT ("fooff", 16, NOT_SPECIAL),
  FLOAT ("fop", 6, SHORT),
  { "sse", "xmm%u", 0, 16, 16, "vec128", NULL, SSE, 160, 16, NOT_SPECIAL },
  { "sse", "mxcsr", 0, 1, 4, "i386_mxcsr", "vector", SSE, 24, 4, CONTROL },
  FIELD ("linux", "orig_rax", orig_rax, 8, "int", NOT_SPECIAL),
  FIELD ("segments", "fs_base", fs_base, 8, "int", NOT_SPECIAL),
  FIELD ("segments", "gs_base", gs_base, 8, "int", NOT_SPECIAL),
  { "avx", "ymm%uh", 0, 16, 16, "uint128", NULL, AVX, 0, 16, NOT_SPECIAL },
  { "avx512", "xmm%u", 16, 16, 16, "vec128", NULL, HI16_ZMM, 0, 64,
    NOT_SPECIAL },
  { "avx512", "ymm%uh", 16, 16, 16, "uint128", NULL, HI16_ZMM, 16, 64,
    NOT_SPECIAL },
  { "avx512", "k%u", 0, 8, 8, "uint64", NULL, OPMASK, 0, 8, NOT_SPECIAL },
  { "avx512", "zmm%uh", 0, 16, 32, "v2ui128", NULL, ZMM_HI256, 0, 32,
    NOT_SPECIAL },
  { "avx512", "zmm%uh", 16, 16, 32, "v2ui128", NULL, HI16_ZMM, 32, 64,
    NOT_SPECIAL },
  { "pkeys", "pkru", 0, 1, 4, "i386_pkru", NULL, PKRU, 0, 4, NOT_SPECIAL },
};

/* The flag types of two registers: a name for each bit, NULL a reserved
   one.  */
static const char *const eflags_bits[] = {
  "CF", "", "PF", NULL, "AF", NULL, "ZF", "SF", "TF", "IF", "DF", "OF", NULL,
  NULL, "NT", NULL, "RF", "VM", "AC", "VIF", "VIP", "ID"
};

static const char *const mxcsr_bits[] = {
  "IE", "DE", "ZE", "OE", "UE", "PE", "DAZ", "IM", "DM", "ZM", "OM", "UM",
  "PM", NULL, NULL, "FZ"
};

static const struct
{
  const char *id, *type, *field;
  unsigned count;
} vectors[] = {
  { "v8bf16", "bfloat16", "v8_bfloat16", 8 },
  { "v8h", "ieee_half", "v8_half", 8 },
  { "v4f", "ieee_single", "v4_float", 4 },
  { "v2d", "ieee_double", "v2_double", 2 },
  { "v16i8", "int8", "v16_int8", 16 },
  { "v8i16", "int16", "v8_int16", 8 },
  { "v4i32", "int32", "v4_int32", 4 },
  { "v2i64", "int64", "v2_int64", 2 },
};

/* XCR0 bits that a feature needs.  */
static uint64_t
feature_needs (const struct row *r)
{
  if (strcmp (r->feature, "avx512") == 0)
    return 1 << OPMASK | 1 << ZMM_HI256 | 1 << HI16_ZMM;
  return r->component == IN_REGS ? 0 : 1ull << r->component;
}

static void
add_row (struct tdesc *d, unsigned group)
{
  const struct row *r = &rows[group];

  for (unsigned i = 0; i < r->count; i++)
    {
      struct tdesc_reg *reg = &d->reg[d->n_regs++];

      format_text (reg->name, sizeof reg->name, r->name, r->first + i);
      reg->size = r->size;
      reg->at = d->size;
      reg->group = group;
      reg->index = i;
      d->size += r->size;
    }
}

/* See tdesc.h.  */
void
tdesc_init (struct tdesc *d, uint64_t xcr0,
            const size_t component[TDESC_N_COMPONENTS])
{
  d->xcr0 = xcr0 | 1 << X87 | 1 << SSE;
  memcpy (d->component, component, sizeof d->component);
  d->component[X87] = d->component[SSE] = 0;
  d->n_regs = 0;
  d->size = 0;
  for (unsigned g = 0; g < ARRAY_SIZE (rows); g++)
    if ((feature_needs (&rows[g]) & ~d->xcr0) == 0)
      add_row (d, g);
}

static void
cpuid (uint32_t leaf, uint32_t sub, uint32_t out[4])
{
  asm ("cpuid" : "=a" (out[0]), "=b" (out[1]), "=c" (out[2]), "=d" (out[3])
       : "a" (leaf), "c" (sub));
}

/* See tdesc.h.  */
void
tdesc_init_host (struct tdesc *d)
{
  size_t component[TDESC_N_COMPONENTS] = { 0 };
  uint64_t xcr0 = 0;
  uint32_t r[4];

  cpuid (1, 0, r);
  if (r[2] & 1u << 27)          /* OSXSAVE */
    {
      uint32_t low, high;

      asm ("xgetbv" : "=a" (low), "=d" (high) : "c" (0));
      xcr0 = (uint64_t) high << 32 | low;
      for (unsigned i = 2; i < TDESC_N_COMPONENTS; i++)
        {
          cpuid (0xd, i, r);
          component[i] = r[1];
        }
    }
  tdesc_init (d, xcr0, component);
}


/* XML.  */

struct text
{
  char *buf;
  size_t size, length;
};

static void PRINTF_LIKE (2, 3)
add (struct text *t, const char *fmt, ...)
{
  size_t room = t->length < t->size ? t->size - t->length : 0;
  va_list ap;

  va_start (ap, fmt);
  t->length += format_text_v (room ? t->buf + t->length : NULL, room, fmt, ap);
  va_end (ap);
}

static void
add_flags (struct text *t, const char *id, const char *const *bits, unsigned n,
           const char *type)
{
  add (t, "<flags id=\"%s\" size=\"4\">", id);
  for (unsigned i = 0; i < n; i++)
    if (bits[i] != NULL)
      add (t, "<field name=\"%s\" start=\"%u\" end=\"%u\"%s/>\n", bits[i], i,
           i, type);
  add (t, "</flags>\n");
}

static void
add_vec128 (struct text *t)
{
  for (unsigned i = 0; i < ARRAY_SIZE (vectors); i++)
    add (t, "<vector id=\"%s\" type=\"%s\" count=\"%u\"/>\n", vectors[i].id,
         vectors[i].type, vectors[i].count);
  add (t, "<union id=\"vec128\">");
  for (unsigned i = 0; i < ARRAY_SIZE (vectors); i++)
    add (t, "<field name=\"%s\" type=\"%s\"/>\n", vectors[i].field,
         vectors[i].id);
  add (t, "<field name=\"uint128\" type=\"uint128\"/></union>\n");
}

static void
add_pkru (struct text *t)
{
  add (t, "<flags id=\"i386_pkru\" size=\"4\">");
  for (unsigned i = 0; i < 16; i++)
    add (t, "<field name=\"AD%u\" start=\"%u\" end=\"%u\"/>"
         "<field name=\"WD%u\" start=\"%u\" end=\"%u\"/>\n",
         i, 2 * i, 2 * i, i, 2 * i + 1, 2 * i + 1);
  add (t, "</flags>\n");
}

/* The types that the registers of FEATURE are of.  */
static void
add_types (struct text *t, const char *feature)
{
  if (strcmp (feature, "core") == 0)
    add_flags (t, "i386_eflags", eflags_bits, ARRAY_SIZE (eflags_bits),
               " type=\"bool\"");
  else if (strcmp (feature, "sse") == 0)
    {
      add_vec128 (t);
      add_flags (t, "i386_mxcsr", mxcsr_bits, ARRAY_SIZE (mxcsr_bits),
                 " type=\"bool\"");
    }
  else if (strcmp (feature, "avx512") == 0)
    {
      add_vec128 (t);
      add (t, "<vector id=\"v2ui128\" type=\"uint128\" count=\"2\"/>");
    }
  else if (strcmp (feature, "pkeys") == 0)
    add_pkru (t);
}

static void
add_reg (struct text *t, const struct tdesc *d, unsigned n)
{
  const struct row *r = &rows[d->reg[n].group];

  add (t, "<reg name=\"%s\" bitsize=\"%u\" type=\"%s\" regnum=\"%u\"",
       d->reg[n].name, 8 * r->size, r->type, n);
  if (r->group != NULL)
    add (t, " group=\"%s\"", r->group);
  add (t, "/>\n");
}

/* See tdesc.h.  */
size_t
tdesc_xml (const struct tdesc *d, char *buf, size_t size)
{
  struct text t = { buf, size, 0 };
  const char *feature = NULL;

  add (&t, "<?xml version=\"1.0\"?>\n"
       "<!DOCTYPE target SYSTEM \"gdb-target.dtd\">\n<target>\n"
       "<architecture>i386:x86-64</architecture>\n<osabi>GNU/Linux</osabi>\n");
  for (unsigned n = 0; n < d->n_regs; n++)
    {
      const struct row *r = &rows[d->reg[n].group];

      if (feature == NULL || strcmp (feature, r->feature) != 0)
        {
          if (feature != NULL)
            add (&t, "</feature>\n");
          feature = r->feature;
          add (&t, "<feature name=\"org.gnu.gdb.i386.%s\">\n", feature);
          add_types (&t, feature);
        }
      add_reg (&t, d, n);
    }
  add (&t, "</feature>\n</target>\n");
  return t.length;
}


/* Access.  */

#define XSTATE_BV 512           /* offset in the image */
#define XSAVE_HEADER_END 576

static uint64_t
xstate_bv (const uint8_t *xsave)
{
  uint64_t bv;

  memcpy (&bv, xsave + XSTATE_BV, sizeof bv);
  return bv;
}

/* The offset of register N in the image, SIZE_MAX when the image does not
   reach that far.  */
static size_t
image_offset (const struct tdesc *d, unsigned n, size_t xsave_size)
{
  const struct row *r = &rows[d->reg[n].group];
  size_t at = d->component[r->component] + r->base
              + d->reg[n].index * r->stride;

  if (xsave_size < XSAVE_HEADER_END || at + r->size > xsave_size
      || (r->component > SSE && at < XSAVE_HEADER_END))
    return SIZE_MAX;
  return at;
}

/* The tag of physical register I, by its contents (SDM volume 1, 8.1.7):
   0 valid, 1 zero, 2 special.  */
static unsigned
tag_of (const uint8_t st[10])
{
  uint64_t mantissa;
  unsigned exponent = (st[8] | st[9] << 8) & 0x7fff;

  memcpy (&mantissa, st, sizeof mantissa);
  if (exponent == 0x7fff)
    return 2;
  if (exponent == 0)
    return mantissa == 0 ? 1 : 2;
  return mantissa >> 63 ? 0 : 2;
}

/* The full tag word of an x87 area.  The area's registers are by stack
   position, the tags by physical number.  */
static uint32_t
full_tag (const uint8_t *x87)
{
  unsigned top = x87[3] >> 3 & 7;
  uint32_t tag = 0;

  for (unsigned i = 0; i < 8; i++)
    {
      unsigned t = 3;

      if (x87[4] >> i & 1)
        t = tag_of (x87 + 32 + 16 * ((i + 8 - top) & 7));
      tag |= t << 2 * i;
    }
  return tag;
}

static uint8_t
abridged_tag (uint32_t tag)
{
  uint8_t abridged = 0;

  for (unsigned i = 0; i < 8; i++)
    if ((tag >> 2 * i & 3) != 3)
      abridged |= 1 << i;
  return abridged;
}

/* What register N of row R holds while its component is in its initial
   state.  */
static void
initial_value (const struct row *r, uint8_t *value)
{
  memset (value, 0, r->size);
  if (r->component == X87 && r->special == SHORT && r->base == 0)
    memcpy (value, "\x7f\x03", 2);
  else if (r->special == TAG)
    memcpy (value, "\xff\xff", 2);
}

static void
load (const struct row *r, const uint8_t *area, const uint8_t *from,
      uint8_t *value)
{
  uint32_t tag;

  memset (value, 0, r->size);
  switch (r->special)
    {
    case SHORT:
      memcpy (value, from, 2);
      break;
    case TAG:
      tag = full_tag (area);
      memcpy (value, &tag, sizeof tag);
      break;
    case NOT_SPECIAL:
    case CONTROL:
      memcpy (value, from, r->size);
      break;
    }
}

/* See tdesc.h.  */
bool
tdesc_get (const struct tdesc *d, unsigned n, const struct arch_regs *regs,
           const uint8_t *xsave, size_t xsave_size, uint8_t *value)
{
  const struct row *r = &rows[d->reg[n].group];
  size_t at;

  if (r->component == IN_REGS)
    {
      load (r, NULL,
            (const uint8_t *) regs + r->base + d->reg[n].index * r->stride,
            value);
      return true;
    }
  at = image_offset (d, n, xsave_size);
  if (at == SIZE_MAX)
    return false;
  if (r->special != CONTROL && !(xstate_bv (xsave) >> r->component & 1))
    initial_value (r, value);
  else
    load (r, xsave, xsave + at, value);
  return true;
}

/* The bytes of component C in its initial state: an empty x87 unit, else
   zeros.  The sizes follow from the rows that lie in it.  */
static void
initialise (const struct tdesc *d, int c, uint8_t *xsave, size_t xsave_size)
{
  uint64_t bv = xstate_bv (xsave) | 1ull << c;

  for (unsigned n = 0; n < d->n_regs; n++)
    {
      const struct row *r = &rows[d->reg[n].group];
      size_t at;

      if (r->component != c || r->special == CONTROL)
        continue;
      at = image_offset (d, n, xsave_size);
      if (at != SIZE_MAX)
        memset (xsave + at, 0, r->special == SHORT ? 2 : r->size);
    }
  if (c == X87)
    memcpy (xsave, "\x7f\x03\0\0\0\0\0\0", 8);
  memcpy (xsave + XSTATE_BV, &bv, sizeof bv);
}

static void
store (const struct row *r, uint8_t *to, const uint8_t *value)
{
  uint32_t word;

  switch (r->special)
    {
    case SHORT:
      memcpy (to, value, 2);
      break;
    case TAG:
      memcpy (&word, value, sizeof word);
      *to = abridged_tag (word);
      break;
    case CONTROL:               /* bits 16 to 31 fault in xrstor */
      memcpy (to, value, 2);
      memset (to + 2, 0, 2);
      break;
    case NOT_SPECIAL:
      memcpy (to, value, r->size);
      break;
    }
}

/* See tdesc.h.  */
bool
tdesc_set (const struct tdesc *d, unsigned n, struct arch_regs *regs,
           uint8_t *xsave, size_t xsave_size, const uint8_t *value)
{
  const struct row *r = &rows[d->reg[n].group];
  uint8_t old[TDESC_MAX_REG_SIZE];
  size_t at;

  if (r->component == IN_REGS)
    {
      store (r, (uint8_t *) regs + r->base + d->reg[n].index * r->stride,
             value);
      return true;
    }
  at = image_offset (d, n, xsave_size);
  if (at == SIZE_MAX)
    return false;
  tdesc_get (d, n, regs, xsave, xsave_size, old);
  if (memcmp (old, value, r->size) == 0)
    return true;
  if (r->special != CONTROL && !(xstate_bv (xsave) >> r->component & 1))
    initialise (d, r->component, xsave, xsave_size);
  store (r, xsave + at, value);
  return true;
}
