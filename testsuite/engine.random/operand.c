/* See operand.h.  */

#include "engine.random/operand.h"

#include <string.h>

#include "arch/decode.h"
#include "unit.arch/decode-random.h"

#define MASK(R) (1u << (R))
#define MAX_PINS 6

/* What must hold when the instruction begins.  */
struct setup
{
  unsigned preserve;
  unsigned n_pins;
  struct
  {
    unsigned reg;
    uint64_t value;
  } pins[MAX_PINS];
  uint64_t rip_target;          /* 0: none */
  unsigned vsib;                /* vector register with indices */
  bool has_vsib;
};

static bool have_evex;

/* See operand.h.  */
void
operand_init (bool evex)
{
  have_evex = evex;
}

/* See operand.h.  */
unsigned
below (unsigned n)
{
  return (random_bits () >> 33) % n;
}

static uint64_t
offset_in_data (unsigned size)
{
  uint64_t room = DATA_SIZE - 2 * DATA_MARGIN - size;
  uint64_t at = DATA_MARGIN + below (room);

  return below (4) ? at & ~63ul : at;
}

static uint64_t
data_area (void)
{
  switch (below (4))
    {
    case 0:
      return LOW_DATA;
    case 1:
      return NEAR_DATA (1);
    default:
      return NEAR_DATA (0);
    }
}

/* The address of SIZE bytes; now and then they fault, wholly or in their
   middle.  */
static uint64_t
place (unsigned size)
{
  switch (below (300))
    {
    case 0:
      return below (4096);
    case 1:
      return 0x8000000000000000 | random_bits ();
    case 2:
      return data_area () + DATA_SIZE - size / 2;
    default:
      return data_area () + offset_in_data (size);
    }
}

/* What the engine refuses by name.  */
static bool
is_refused (const struct insn *i)
{
  struct insn_mem m[INSN_MAX_MEM];
  unsigned n;

  if (!(i->properties & INSN_SEG_GS))
    return false;
  n = insn_memory (i, m);
  return i->addrsize == 4 && !(i->properties & INSN_STRING)
         && (n > 1 || i->modrm >> 6 == 3 || m[0].kind == INSN_MEM_VSIB
             || m[0].kind == INSN_MEM_XLAT);
}

/* Instructions that are not for this: they enter the kernel, change what is
   not saved, or differ from run to run.  */
static bool
is_harmless (const struct insn *i)
{
  unsigned reg = i->modrm >> 3 & 7;

  if (i->properties
      & (INSN_NONDETERMINISTIC | INSN_GS_BASE | INSN_FS_BASE | INSN_UNKNOWN
         | INSN_X87_PC | INSN_SERIALISING)
      || is_refused (i))
    return false;
  switch (i->branch)
    {
    case INSN_NO_BRANCH:
      break;
    case INSN_UD:
    case INSN_INT3:
    case INSN_HLT:
      return below (8) == 0;
    default:
      return false;
    }
  if ((i->properties & INSN_PRIVILEGED) && below (16))
    return false;
  if (i->vex)
    return i->vex == 1 || (i->vex == 2 && have_evex);
  switch (i->map << 8 | i->opcode)
    {
    case 0x8e:                  /* mov to %ss */
      return reg != 2;
    case 0x100:                 /* sldt, sgdt and their like */
    case 0x101:
    case 0x1b2:                 /* lss */
    case 0x1c7:                 /* xrstors */
      return (i->opcode == 0xc7 && (reg == 1)) || below (3000) == 0x1c7;
    case 0x1ae:
      return i->modrm >> 6 == 3 || reg == 2 || reg == 3 || reg == 7;
    case 0x19d:                 /* popf has its own place */
      return false;
    default:
      return i->map != 15;
    }
}

static bool
takes (const struct setup *s, unsigned reg)
{
  return reg != RSP && !(s->preserve & MASK (reg));
}

static bool
pin (struct setup *s, unsigned reg, uint64_t value)
{
  if (!takes (s, reg))
    return false;
  for (unsigned n = 0; n < s->n_pins; n++)
    if (s->pins[n].reg == reg)
      return s->pins[n].value == value;
  if (s->n_pins == MAX_PINS)
    return false;
  s->pins[s->n_pins].reg = reg;
  s->pins[s->n_pins++].value = value;
  return true;
}

/* What the sum of base, index and displacement of OP shall be.  */
static uint64_t
choose_sum (const struct insn_mem *op)
{
  if (op->seg)
    return offset_in_data (op->size);
  if (op->addrsize == 4)
    return LOW_DATA + offset_in_data (op->size);
  return place (op->size);
}

static bool
place_on_stack (struct setup *s, const struct insn_mem *op)
{
  int64_t room = FRAME_USABLE - (int64_t)op->size - op->disp;
  unsigned n;

  if (op->seg || op->addrsize == 4 || op->disp < 0 || room <= 0
      || op->kind == INSN_MEM_BIT)
    return false;
  if (op->index == INSN_NO_REG)
    return true;
  n = below (room);
  return pin (s, op->index, n / op->scale);
}

/* An operand without registers: the displacement was chosen with the form.  */
static bool
is_well_placed (const struct insn_mem *op)
{
  uint64_t from = op->seg ? 0 : LOW_DATA;

  return op->disp - from - DATA_MARGIN
         < DATA_SIZE - 2 * DATA_MARGIN - op->size;
}

static bool
place_plain (struct setup *s, const struct insn_mem *op)
{
  uint64_t sum = choose_sum (op), index = 0;

  if (op->base == INSN_RIP)
    {
      s->rip_target = NEAR_DATA (asm_area ()) + offset_in_data (op->size);
      return true;
    }
  if (op->base == RSP)
    return place_on_stack (s, op);
  if (op->base == INSN_NO_REG && op->index == INSN_NO_REG)
    return is_well_placed (op);
  if (op->base == INSN_NO_REG)
    return op->scale == 1 && pin (s, op->index, sum - op->disp);
  if (op->index != INSN_NO_REG && op->index != op->base)
    {
      index = below (2) ? below (64) : -(uint64_t)below (64);
      if (!pin (s, op->index, index))
        return false;
    }
  else if (op->index == op->base)
    return false;
  sum -= op->disp + index * op->scale;
  if (op->addrsize == 4)
    sum = (uint32_t)sum | random_bits () << 32;
  return pin (s, op->base, sum);
}

static bool
place_vsib (struct setup *s, const struct insn_mem *op)
{
  struct insn_mem plain = *op;

  s->vsib = op->index;
  s->has_vsib = true;
  plain.index = INSN_NO_REG;
  return op->base != RSP && place_plain (s, &plain);
}

static bool
place_operand (struct setup *s, const struct insn *i,
               const struct insn_mem *op)
{
  switch (op->kind)
    {
    case INSN_MEM_PLAIN:
    case INSN_MEM_XLAT:
    case INSN_MEM_LINE:
      return place_plain (s, op);
    case INSN_MEM_BIT:
      return pin (s, op->element, below (2) ? below (30000)
                                            : -(uint64_t)below (30000))
             && place_plain (s, op);
    case INSN_MEM_STRING_SRC:
    case INSN_MEM_STRING_DST:
      return (!(i->properties & INSN_REP) || pin (s, RCX, below (40)))
             && place_plain (s, op);
    case INSN_MEM_VSIB:
      return place_vsib (s, op);
    default:
      return false;
    }
}

/* Give the ModRM operand at CODE + AT, with IMM bytes to follow, a random
   form.  */
static void
choose_form (uint8_t *code, unsigned at, const uint8_t *imm,
             unsigned imm_size)
{
  static const uint8_t disp_sizes[] = { 0, 1, 4 };
  unsigned mod = below (3), rm = below (8);
  int32_t disp = LOW_DATA + offset_in_data (64);
  uint8_t *p = code + at;

  if (below (3) == 0)
    {
      mod = 0;
      rm = 5;
    }
  *p = mod << 6 | (*p & 0x38) | rm;
  p++;
  if (rm == 4)
    *p++ = random_bits () >> 40;
  if (mod || below (2))
    disp = below (160);
  if (mod == 1 || mod == 2)
    memcpy (p, &disp, 4), p += disp_sizes[mod];
  else if (rm == 5 || (rm == 4 && (p[-1] & 7) == 5))
    memcpy (p, &disp, 4), p += 4;
  memcpy (p, imm, imm_size);
}

/* Make CODE a harmless instruction with a random operand, or fail.  */
static bool
choose_insn (uint8_t code[32], struct insn *i)
{
  uint8_t imm[16];

  memset (code, 0, 32);
  random_insn (code);
  if (below (4) == 0)
    /* The x87 unit has 8 of some 2,000 opcodes otherwise.  */
    code[0] = below (3) ? code[0] : 0xd8 | (code[0] & 7);
  if (insn_decode (i, code, 15, asm_here ()) != INSN_OK || !is_harmless (i))
    return false;
  if (!i->modrm_at || i->modrm >> 6 == 3)
    return true;
  memcpy (imm, code + i->imm_at, i->imm_size);
  if (i->map == 15)
    return false;
  choose_form (code, i->modrm_at, imm, i->imm_size);
  return insn_decode (i, code, 15, asm_here ()) == INSN_OK
         && is_harmless (i);
}

/* The address in a0 to a3 is an immediate.  */
static void
set_moffs (uint8_t *code, struct insn *i)
{
  uint64_t at = LOW_DATA + offset_in_data (8);

  if (i->vex || i->map || i->opcode < 0xa0 || i->opcode > 0xa3)
    return;
  if (i->properties & (INSN_SEG_FS | INSN_SEG_GS))
    at -= LOW_DATA;
  memcpy (code + i->imm_at, &at, i->imm_size);
  if (insn_decode (i, code, 15, asm_here ()) != INSN_OK)
    __builtin_trap ();
}

static bool
prepare (const struct insn *i, struct setup *s)
{
  struct insn_mem ops[INSN_MAX_MEM];
  unsigned n = insn_memory (i, ops);

  if (insn_gpr_written (i) & (s->preserve | MASK (RSP)))
    return false;
  for (unsigned k = 0; k < n; k++)
    if (!place_operand (s, i, ops + k))
      return false;
  return true;
}

/* vmovdqu indices(%rip), %ymmN, or vmovdqu64 for %zmmN.  */
static void
load_indices (const struct insn *i, unsigned n)
{
  uint64_t table = CONTROL (asm_area ()) + offsetof (struct control, indices);

  asm_mark ();
  if (i->vex == 1)
    {
      asm_8 (0xc4);
      asm_8 (0x61 | (n & 8 ? 0 : 0x80));
      asm_8 (0x7e);
    }
  else
    {
      asm_8 (0x62);
      asm_8 (0x61 | (n & 8 ? 0 : 0x80) | (n & 16 ? 0 : 0x10));
      asm_8 (0xfe);
      asm_8 (0x48);
    }
  asm_8 (0x6f);
  asm_8 (0x05 | (n & 7) << 3);
  asm_32 (table - (asm_here () + 4));
}

static void
write (const uint8_t *code, const struct insn *i, const struct setup *s)
{
  uint64_t at;

  for (unsigned n = 0; n < s->n_pins; n++)
    asm_mov_imm (s->pins[n].reg, s->pins[n].value);
  if (s->has_vsib)
    load_indices (i, s->vsib);
  asm_mark ();
  at = asm_here ();
  asm_bytes (code, i->length);
  if (s->rip_target)
    {
      int32_t disp = s->rip_target - asm_here ();
      memcpy ((void *)(at + i->disp_at), &disp, 4);
    }
}

/* See operand.h.  */
void
operand_insn (unsigned preserve)
{
  for (;;)
    {
      struct setup s = { .preserve = preserve };
      uint8_t code[32];
      struct insn i;

      if (!choose_insn (code, &i))
        continue;
      set_moffs (code, &i);
      if (prepare (&i, &s))
        {
          write (code, &i, &s);
          return;
        }
    }
}
