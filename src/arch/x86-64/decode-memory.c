/* The memory operands of an instruction, computed from its row when asked
   for.

   No state and no locks; runs in signal context.  */

#include "arch/decode.h"
#include "arch/x86-64/decode-table.h"

static unsigned
segment (const struct insn *i)
{
  if (i->properties & INSN_SEG_FS)
    return 4;
  return i->properties & INSN_SEG_GS ? 5 : 0;
}

/* An operand at BASE, of SIZE bytes.  */
static struct insn_mem
operand_at (const struct insn *i, unsigned base, unsigned size,
            unsigned access)
{
  return (struct insn_mem){ .kind = INSN_MEM_PLAIN, .access = access,
                            .base = base, .index = INSN_NO_REG, .scale = 1,
                            .addrsize = i->addrsize, .size = size };
}

static struct insn_mem
stack_operand (unsigned kind, unsigned size)
{
  return (struct insn_mem){
    .kind = kind, .access = kind == INSN_MEM_PUSH ? INSN_WRITE : INSN_READ,
    .base = ARCH_RSP, .index = INSN_NO_REG, .scale = 1, .addrsize = 8,
    .size = size
  };
}

/* The EVEX byte with z, L'L, b, V' and aaa.  */
static unsigned
evex_byte (const struct insn *i)
{
  return i->vex == 2 ? i->bytes[i->opcode_at - 1] : 0;
}

/* Base, index, scale and displacement of the ModRM operand.  */
static void
set_address (struct insn_mem *op, const struct insn *i)
{
  unsigned rm = i->modrm & 7, b = (i->rex & 1) << 3, x = (i->rex & 2) << 2;

  op->seg = segment (i);
  op->disp = i->disp;
  op->base = rm | b;
  if (i->properties & INSN_RIP_RELATIVE)
    op->base = INSN_RIP;
  else if (rm == 4)
    {
      op->base = (i->sib & 7) | b;
      if ((i->sib & 7) == 5 && i->modrm < 0x40)
        op->base = INSN_NO_REG;
      op->index = (i->sib >> 3 & 7) | x;
      op->scale = 1 << (i->sib >> 6);
      if (op->index == ARCH_RSP && i->row->memory != MEM_VSIB4
          && i->row->memory != MEM_VSIB8)
        {
          op->index = INSN_NO_REG;
          op->scale = 1;
        }
    }
}

/* A vector of indices of INDEX_SIZE bytes; V' is the index's bit 4.  */
static void
set_vsib (struct insn_mem *op, const struct insn *i, unsigned index_size)
{
  unsigned wide = MAX (index_size, op->size);

  op->kind = INSN_MEM_VSIB;
  op->masked = INSN_MASKED;
  op->element = op->size;
  op->n_elements = decode_vector_length (i) / wide;
  if (i->vex == 2 && !(evex_byte (i) & 8))
    op->index |= 16;
}

/* Broadcast and mask.  */
static void
set_elements (struct insn_mem *op, const struct insn *i)
{
  unsigned elem = i->row->elem, evex = evex_byte (i);
  unsigned size = decode_size (i, elem & ELEM_SIZE);

  if (evex & 7)
    op->masked = elem & ELEM_MASKED ? INSN_MASKED
                 : elem & ELEM_PACKED ? INSN_MASKED_PACKED
                                      : INSN_MASKED_WHOLE;
  if (i->row->flags & ROW_MASKED)
    op->masked = INSN_MASKED;
  if ((evex & 0x10) && (elem & ELEM_BROADCAST))
    {
      op->size = size;
      if (op->masked)
        op->masked = INSN_MASKED_WHOLE;
    }
  if (op->masked)
    op->element = op->masked == INSN_MASKED_WHOLE ? op->size : size;
}

static void
set_kind (struct insn_mem *op, const struct insn *i)
{
  switch (i->row->memory)
    {
    case MEM_VSIB4:
      set_vsib (op, i, 4);
      break;
    case MEM_VSIB8:
      set_vsib (op, i, 8);
      break;
    case MEM_BIT:
      op->kind = INSN_MEM_BIT;
      op->element = (i->modrm >> 3 & 7) | (i->rex & 4) << 1;
      break;
    case MEM_UNKNOWN:
      op->kind = INSN_MEM_UNKNOWN;
      break;
    case MEM_POP:
      if (op->base == ARCH_RSP)
        op->disp += i->opsize;
      break;
    default:
      if (i->row->rm_size == SIZE_XSAVE)
        op->kind = INSN_MEM_XSAVE;
    }
}

static struct insn_mem
modrm_operand (const struct insn *i)
{
  const struct insn_row *row = i->row;
  unsigned access
    = row->rm & (INSN_READ | INSN_WRITE | INSN_PREFETCH);
  struct insn_mem op
    = operand_at (i, INSN_NO_REG, decode_size (i, row->rm_size), access);

  if (i->properties & INSN_UNKNOWN)
    op.access = INSN_READ | INSN_WRITE;
  set_address (&op, i);
  set_elements (&op, i);
  set_kind (&op, i);
  return op;
}

static unsigned
string_operands (const struct insn *i, struct insn_mem *ops)
{
  unsigned src = STRING_SRC (i->row->string);
  unsigned dst = STRING_DST (i->row->string);
  unsigned size = i->opsize, n = 0;

  if (src)
    {
      ops[n] = operand_at (i, ARCH_RSI, size, src);
      ops[n].kind = INSN_MEM_STRING_SRC;
      ops[n++].seg = segment (i);
    }
  if (dst)
    {
      ops[n] = operand_at (i, ARCH_RDI, size, dst);
      ops[n++].kind = INSN_MEM_STRING_DST;
    }
  return n;
}

/* enter SIZE, LEVEL: pushes %rbp, then LEVEL - 1 frame pointers, which it
   reads below %rbp, and the new one (SDM volume 2, ENTER).  */
static unsigned
enter_operands (const struct insn *i, struct insn_mem *ops)
{
  unsigned level = i->bytes[i->imm_at + 2] & 31;

  ops[0] = stack_operand (INSN_MEM_PUSH, i->opsize * (1 + level));
  if (level < 2)
    return 1;
  ops[1] = operand_at (i, ARCH_RBP, i->opsize * (level - 1), INSN_READ);
  ops[1].disp = -(int64_t)ops[1].size;
  ops[1].addrsize = 8;
  return 2;
}

/* An operand at BASE that a segment override moves.  */
static unsigned
segmented (const struct insn *i, struct insn_mem *ops, unsigned base,
           unsigned size, unsigned access)
{
  ops[0] = operand_at (i, base, size, access);
  ops[0].seg = segment (i);
  return 1;
}

static unsigned
maskmov_operand (const struct insn *i, struct insn_mem *ops, unsigned size)
{
  segmented (i, ops, ARCH_RDI, size, INSN_WRITE);
  ops[0].masked = INSN_MASKED;
  ops[0].element = 1;
  return 1;
}

static unsigned
offset_operand (const struct insn *i, struct insn_mem *ops, unsigned access)
{
  segmented (i, ops, INSN_NO_REG, i->opsize, access);
  ops[0].disp = i->imm;
  return 1;
}

/* Operands at a fixed register, of a kind of their own.  */
static unsigned
special_operand (const struct insn *i, struct insn_mem *ops)
{
  unsigned reg = (i->modrm >> 3 & 7) | (i->rex & 4) << 1;

  switch (i->row->memory)
    {
    case MEM_XLAT:
      segmented (i, ops, ARCH_RBX, 1, INSN_READ);
      ops[0].kind = INSN_MEM_XLAT;
      return 1;
    case MEM_CLZERO:
      segmented (i, ops, ARCH_RAX, 64, INSN_WRITE);
      ops[0].kind = INSN_MEM_LINE;
      return 1;
    case MEM_DEST64:
      ops[0] = operand_at (i, reg, 64, INSN_WRITE);
      return 1;
    default:
      return 0;
    }
}

static unsigned
implicit_operands (const struct insn *i, struct insn_mem *ops)
{
  unsigned size = i->opsize;

  switch (i->row->memory)
    {
    case MEM_PUSH:
      ops[0] = stack_operand (INSN_MEM_PUSH, size);
      return 1;
    case MEM_CALLF:
      ops[0] = stack_operand (INSN_MEM_PUSH, 2 * size);
      return 1;
    case MEM_POP:
      ops[0] = stack_operand (INSN_MEM_POP, size);
      return 1;
    case MEM_RETF:
      ops[0] = stack_operand (INSN_MEM_POP, 2 * size);
      return 1;
    case MEM_IRET:
      ops[0] = stack_operand (INSN_MEM_POP, 5 * size);
      return 1;
    case MEM_UIRET:
      ops[0] = stack_operand (INSN_MEM_POP, 24);
      return 1;
    case MEM_LEAVE:
      ops[0] = operand_at (i, ARCH_RBP, size, INSN_READ);
      ops[0].addrsize = 8;
      return 1;
    case MEM_ENTER:
      return enter_operands (i, ops);
    case MEM_STRING:
      return string_operands (i, ops);
    case MEM_OFFSET_R:
      return offset_operand (i, ops, INSN_READ);
    case MEM_OFFSET_W:
      return offset_operand (i, ops, INSN_WRITE);
    case MEM_MASKMOVQ:
      return maskmov_operand (i, ops, 8);
    case MEM_MASKMOVDQU:
      return maskmov_operand (i, ops, 16);
    default:
      return special_operand (i, ops);
    }
}

/* See decode.h.  */
unsigned
insn_memory (const struct insn *i, struct insn_mem ops[INSN_MAX_MEM])
{
  const struct insn_row *row = i->row;
  bool memory = i->modrm_at && i->modrm < 0xc0 && !(row->flags & ROW_REGFORM);
  unsigned n = implicit_operands (i, ops);

  if (memory && (row->rm & RM_MEMORY || i->properties & INSN_UNKNOWN))
    ops[n++] = modrm_operand (i);
  return n;
}
