/* GDB's agent bytecode.  See bytecode.h.

   The verifier keeps the bytes that it has still to look at in a stack made
   of map.note; a byte is put there when its height becomes known, so once.  */

#include "agent/bytecode.h"
#include "arch/regs.h"

struct row
{
  const char *name;
  uint8_t operand, consumed, produced;
};

static const struct row rows[256] = {
#define OPCODE(CODE, NAME, OPERAND, CONSUMED, PRODUCED)                       \
  [CODE] = { #NAME, OPERAND, CONSUMED, PRODUCED },
#include "agent/opcodes.def"
#undef OPCODE
};

static const char *const sentences[BYTECODE_N_REFUSALS] = {
  "",
#define REFUSAL(NAME, SENTENCE) SENTENCE,
#include "agent/refusals.def"
#undef REFUSAL
};

struct verifier
{
  const uint8_t *bytes;
  size_t length;
  struct bytecode_map *map;
  struct bytecode_info *info;
  uint32_t n_waiting;           /* bytes in map.note */
  bool want_value;
};

/* See bytecode.h.  */

const char *
bytecode_sentence (enum bytecode_refusal refusal)
{
  return refusal < BYTECODE_N_REFUSALS ? sentences[refusal] : "";
}

/* See bytecode.h.  */

const char *
bytecode_name (uint8_t code)
{
  return rows[code].name;
}

/* See bytecode.h.  */

unsigned
bytecode_gpr (unsigned reg)
{
  static const uint8_t gpr[16]
    = { ARCH_RAX, ARCH_RBX, ARCH_RCX, ARCH_RDX, ARCH_RSI, ARCH_RDI,
        ARCH_RBP, ARCH_RSP, ARCH_R8,  ARCH_R9,  ARCH_R10, ARCH_R11,
        ARCH_R12, ARCH_R13, ARCH_R14, ARCH_R15 };
  return gpr[reg & 15];
}

/* The float operations of the manual, which no GDB makes.  */
static bool
is_float (uint8_t code)
{
  return code == 0x01 || (code >= 0x1b && code <= 0x1f);
}

/* See bytecode.h.  */

enum bytecode_refusal
bytecode_decode (const uint8_t *bytes, size_t length, size_t pc,
                 struct bytecode_op *op)
{
  if (pc >= length)
    return BYTECODE_NO_END;
  const struct row *row = &rows[bytes[pc]];
  if (!row->name)
    return is_float (bytes[pc]) ? BYTECODE_FLOAT : BYTECODE_UNKNOWN_OPCODE;
  op->code = bytes[pc];
  op->consumed = row->consumed;
  op->produced = row->produced;
  op->size = 1 + row->operand;
  op->operand = 0;
  if (length - pc < op->size)
    return BYTECODE_TRUNCATED;
  for (unsigned i = 1; i <= row->operand; i++)
    op->operand = op->operand << 8 | bytes[pc + i];
  if (op->code == BYTECODE_print)
    {
      op->size += op->operand & 0xffff;
      op->operand >>= 16;
      if (length - pc < op->size)
        return BYTECODE_TRUNCATED;
      if (op->operand > BYTECODE_MAX_HEIGHT)
        return BYTECODE_UNDERFLOW;
      op->consumed += op->operand;
    }
  return BYTECODE_OK;
}

/* The end of the directive of printf at F, after its %, or null if it is not
   one that an agent can do.  */
static const char *
directive_end (const char *f, const char *end)
{
  static const char set[] = "diouxXcsp";

  while (f < end && (*f == '-' || *f == '0' || *f == '#' || *f == ' '
                     || *f == '+' || *f == '.' || (*f >= '1' && *f <= '9')))
    f++;
  while (f < end && (*f == 'l' || *f == 'h' || *f == 'z' || *f == 'j'))
    f++;
  for (const char *s = set; *s; s++)
    if (f < end && *f == *s)
      return f + 1;
  return NULL;
}

/* Whether the SIZE bytes at F are a format, with its zero, of N_ARGS
   arguments.  */
static bool
is_format (const char *f, size_t size, unsigned n_args)
{
  const char *end = f + size - 1;

  if (!size || *end)
    return false;
  while (f < end)
    if (!*f)
      return false;
    else if (*f++ == '%')
      {
        if (f < end && *f == '%')
          f++;
        else if (!n_args-- || !(f = directive_end (f, end)))
          return false;
      }
  return n_args == 0;
}

static enum bytecode_refusal
check_register (struct bytecode_info *info, unsigned reg)
{
  if (reg >= BYTECODE_N_REGS)
    return BYTECODE_BAD_REGISTER;
  if (reg < 16)
    info->gpr_read |= 1u << bytecode_gpr (reg);
  else if (reg == BYTECODE_REG_RFLAGS)
    info->rflags_read = true;
  else if (reg > BYTECODE_REG_GS && reg != BYTECODE_REG_ORIG_RAX
           && reg != BYTECODE_REG_FS_BASE && reg != BYTECODE_REG_GS_BASE)
    info->has_calls = true;     /* a hook reads it */
  return BYTECODE_OK;
}

/* Check what is particular of operation OP at PC, with HEIGHT elements on the
   stack, and note what it needs.  A flat switch.  */
static enum bytecode_refusal
check_op (struct verifier *v, const struct bytecode_op *op, size_t pc,
          unsigned height)
{
  struct bytecode_info *info = v->info;

  switch (op->code)
    {
    case BYTECODE_ext:
      return op->operand ? BYTECODE_OK : BYTECODE_BAD_OPERAND;
    case BYTECODE_pick:
      return op->operand < height ? BYTECODE_OK : BYTECODE_UNDERFLOW;
    case BYTECODE_reg:
      return check_register (info, op->operand);
    case BYTECODE_ref8:
    case BYTECODE_ref16:
    case BYTECODE_ref32:
    case BYTECODE_ref64:
      info->n_refs++;
      return BYTECODE_OK;
    case BYTECODE_print:
      {
        size_t size = op->size - 4;
        const char *format = (const char *) v->bytes + pc + 4;

        info->has_calls = true;
        info->n_args += op->operand;
        info->max_args = MAX (info->max_args, op->operand);
        return is_format (format, size, op->operand) ? BYTECODE_OK
                                                     : BYTECODE_BAD_FORMAT;
      }
    case BYTECODE_trace:
    case BYTECODE_trace_quick:
    case BYTECODE_trace16:
    case BYTECODE_tracenz:
    case BYTECODE_tracev:
    case BYTECODE_getv:
    case BYTECODE_setv:
      info->has_calls = true;
      return BYTECODE_OK;
    case BYTECODE_end:
      info->has_value &= height > 0;
      return height || !v->want_value ? BYTECODE_OK : BYTECODE_EMPTY_STACK;
    default:
      return BYTECODE_OK;
    }
}

/* Control comes to PC with HEIGHT elements on the stack.  */
static enum bytecode_refusal
come_to (struct verifier *v, size_t pc, unsigned height)
{
  uint8_t *known;

  if (pc >= v->length)
    return BYTECODE_NO_END;
  known = &v->map->height[pc];
  if (*known == BYTECODE_OPERAND)
    return BYTECODE_BAD_GOTO;
  if (*known == BYTECODE_UNSEEN)
    {
      *known = height;
      v->map->note[v->n_waiting++] = pc;
      return BYTECODE_OK;
    }
  return *known == height ? BYTECODE_OK : BYTECODE_HEIGHT;
}

/* The bytes after the first of the operation at PC can be come to by none.  */
static enum bytecode_refusal
claim_operands (struct verifier *v, size_t pc, size_t size)
{
  for (size_t i = pc + 1; i < pc + size; i++)
    {
      if (v->map->height[i] != BYTECODE_UNSEEN)
        return BYTECODE_BAD_GOTO;
      v->map->height[i] = BYTECODE_OPERAND;
    }
  return BYTECODE_OK;
}

/* Look at the operation at PC, which can be reached.  */
static enum bytecode_refusal
visit (struct verifier *v, size_t pc)
{
  struct bytecode_info *info = v->info;
  unsigned height = v->map->height[pc];
  struct bytecode_op op;
  enum bytecode_refusal why;

  info->at = pc;
  why = bytecode_decode (v->bytes, v->length, pc, &op);
  if (!why)
    why = claim_operands (v, pc, op.size);
  if (!why && op.consumed > height)
    why = BYTECODE_UNDERFLOW;
  if (!why)
    why = check_op (v, &op, pc, height);
  if (why)
    return why;
  info->n_ops++;
  height += op.produced - op.consumed;
  if (height > BYTECODE_MAX_HEIGHT)
    return BYTECODE_OVERFLOW;
  info->max_height = MAX (info->max_height, height);

  if (op.code == BYTECODE_if_goto || op.code == BYTECODE_goto)
    {
      info->has_loops |= op.operand <= pc;
      if (op.operand >= v->length)
        return BYTECODE_BAD_GOTO;
      why = come_to (v, op.operand, height);
    }
  if (!why && op.code != BYTECODE_goto && op.code != BYTECODE_end)
    why = come_to (v, pc + op.size, height);
  return why;
}

/* See bytecode.h.  */

enum bytecode_refusal
bytecode_verify (const uint8_t *bytes, size_t length, bool want_value,
                 struct bytecode_map *map, struct bytecode_info *info)
{
  struct verifier v = { bytes, length, map, info, 0, want_value };
  enum bytecode_refusal why;

  *info = (struct bytecode_info) { .has_value = true };
  if (!length)
    return BYTECODE_EMPTY;
  if (length > BYTECODE_MAX_LENGTH)
    return BYTECODE_TOO_LONG;
  for (size_t i = 0; i < length; i++)
    map->height[i] = BYTECODE_UNSEEN;
  why = come_to (&v, 0, 0);
  while (!why && v.n_waiting)
    why = visit (&v, map->note[--v.n_waiting]);
  return why;
}
