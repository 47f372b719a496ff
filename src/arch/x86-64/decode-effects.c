/* What an instruction does to flags and general registers, computed from its
   row when asked for; and the sizes of its operands.

   No state and no locks; runs in signal context.  */

#include "arch/decode.h"
#include "arch/x86-64/decode-table.h"

#define BIT(R) (1u << (R))

static const uint16_t fixed_sizes[] = {
  [SIZE_NONE] = 0, [SIZE_1] = 1, [SIZE_2] = 2, [SIZE_4] = 4, [SIZE_8] = 8,
  [SIZE_10] = 10, [SIZE_16] = 16, [SIZE_32] = 32, [SIZE_48] = 48,
  [SIZE_64] = 64, [SIZE_512] = 512, [SIZE_DESC] = 10, [SIZE_XSAVE] = 16384
};

/* See decode-table.h.  L, or L'L, lies in the byte before the opcode, but
   for EVEX.b in a register form, which takes L'L for rounding and the length
   for 64 (SDM volume 2, 2.7.8).  */
unsigned
decode_vector_length (const struct insn *i)
{
  unsigned byte = i->bytes[i->opcode_at - !!i->vex];

  switch (i->vex)
    {
    case 1:
    case 3:
      return byte & 4 ? 32 : 16;
    case 2:
      if ((byte & 0x10) && i->modrm >= 0xc0)
        return 64;
      return 16 << MIN (byte >> 5 & 3, 2);
    default:
      return 16;
    }
}

/* See decode-table.h.  */
unsigned
decode_size (const struct insn *i, unsigned size)
{
  unsigned vl;

  switch (size)
    {
    case SIZE_V:
      return i->opsize;
    case SIZE_Y:
      return i->rex & 8 ? 8 : 4;
    case SIZE_X:
    case SIZE_H:
    case SIZE_F:
    case SIZE_E:
      return decode_vector_length (i) >> (size - SIZE_X);
    case SIZE_U:
      vl = decode_vector_length (i);
      return vl == 16 ? 8 : vl;
    case SIZE_FAR:
      return 2 + i->opsize;
    case SIZE_ENV:
      return i->opsize == 2 ? 14 : 28;
    case SIZE_FSAVE:
      return i->opsize == 2 ? 94 : 108;
    case SIZE_A:
      return i->addrsize;
    default:
      return fixed_sizes[size];
    }
}

/* See decode-table.h.  */
unsigned
decode_disp8_scale (const struct insn *i)
{
  const struct insn_row *row = i->row;
  bool bcast = i->bytes[i->opcode_at - 1] & 0x10;
  unsigned scale;

  if (bcast && (row->elem & ELEM_BROADCAST))
    scale = decode_size (i, row->elem & ELEM_SIZE);
  else
    scale = decode_size (i, row->disp8 ? row->disp8 : row->rm_size);
  return scale ? scale : 1;
}

/* A shift by an immediate of 0, which does nothing to the flags.  */
static bool
shifts_nothing (const struct insn *i)
{
  return (i->row->flags & ROW_SHIFT)
         && !(i->imm & (i->opsize == 8 ? 63 : 31));
}

static unsigned
flags_of_row (unsigned flags)
{
  return (flags & ~2u) | (flags & 2 ? FLAG_AC : 0);
}

/* See decode.h.  */
unsigned
insn_flags_read (const struct insn *i)
{
  unsigned flags = i->row->flags_read;

  if (i->properties & INSN_REP)
    flags |= i->row->flags_written;
  if (shifts_nothing (i))
    flags = 0;
  return flags_of_row (flags);
}

/* See decode.h.  */
unsigned
insn_flags_written (const struct insn *i)
{
  return shifts_nothing (i) ? 0 : flags_of_row (i->row->flags_written);
}

/* The register that NUMBER of SIZE bytes names: without REX, 4 to 7 of one
   byte are %ah to %bh.  */
static unsigned
gpr_number (const struct insn *i, unsigned number, unsigned size)
{
  return size == 1 && !i->rex && number >= 4 && number < 8 ? number - 4
                                                            : number;
}

static unsigned
gpr_in_vvvv (const struct insn *i)
{
  return ~i->bytes[i->opcode_at - 1 - (i->vex == 2)] >> 3 & 15;
}

/* Registers of the address of the ModRM operand.  */
static unsigned
address_gprs (const struct insn *i)
{
  unsigned mod = i->modrm >> 6, rm = i->modrm & 7;
  unsigned b = (i->rex & 1) << 3, x = (i->rex & 2) << 2;
  unsigned base, index, mask = 0;

  if (mod == 3 || (i->row->flags & ROW_REGFORM)
      || (i->properties & INSN_RIP_RELATIVE))
    return 0;
  if (rm != 4)
    return BIT (rm | b);
  base = i->sib & 7;
  index = (i->sib >> 3 & 7) | x;
  if (base != 5 || mod)
    mask |= BIT (base | b);
  if (index != 4 && i->row->memory != MEM_VSIB4 && i->row->memory != MEM_VSIB8)
    mask |= BIT (index);
  return mask;
}

struct uses
{
  unsigned read, written;
};

/* Count register NUMBER, used as SLOT says.  What is written in part keeps
   the rest, and so counts as read.  */
static void
use_slot (struct uses *u, const struct insn *i, unsigned slot, unsigned number)
{
  unsigned size = decode_size (i, slot & SLOT_SIZE);
  unsigned bit = BIT (gpr_number (i, number, size));

  if (slot & SLOT_WRITE)
    u->written |= bit;
  if ((slot & SLOT_READ) || size < 4)
    u->read |= bit;
}

static void
use_rm (struct uses *u, const struct insn *i)
{
  const struct insn_row *row = i->row;
  unsigned slot = row->rm_size;

  u->read |= address_gprs (i);
  if (!(row->rm & RM_GPR)
      || (i->modrm < 0xc0 && !(row->flags & ROW_REGFORM)))
    return;
  if (row->rm & INSN_READ)
    slot |= SLOT_READ;
  if (row->rm & INSN_WRITE)
    slot |= SLOT_WRITE;
  if (slot != row->rm_size)
    use_slot (u, i, slot, (i->modrm & 7) | (i->rex & 1) << 3);
}

static void
use_gprs (struct uses *u, const struct insn *i)
{
  const struct insn_row *row = i->row;
  unsigned b = (i->rex & 1) << 3;

  u->read = row->gpr_read;
  u->written = row->gpr_written;
  if (i->modrm_at)
    use_rm (u, i);
  if (row->reg)
    use_slot (u, i, row->reg, (i->modrm >> 3 & 7) | (i->rex & 4) << 1);
  if (row->vvvv)
    use_slot (u, i, row->vvvv, gpr_in_vvvv (i));
  if (row->opc)
    use_slot (u, i, row->opc, (i->opcode & 7) | b);
  if (row->acc)
    use_slot (u, i, row->acc, ARCH_RAX);
  if (row->dx)
    use_slot (u, i, row->dx, ARCH_RDX);
  if (i->properties & INSN_REP)
    {
      u->written |= BIT (ARCH_RCX);
      u->read |= u->written;
    }
  if (row->flags & ROW_COUNT)
    {
      u->written |= BIT (ARCH_RCX);
      u->read |= BIT (ARCH_RCX);
    }
}

/* See decode.h.  */
unsigned
insn_gpr_read (const struct insn *i)
{
  struct uses u;

  use_gprs (&u, i);
  return u.read;
}

/* See decode.h.  */
unsigned
insn_gpr_written (const struct insn *i)
{
  struct uses u;

  use_gprs (&u, i);
  return u.written;
}
