/* The instruction decoder: length, layout and row of an instruction.

   Prefixes are classed by a table of bytes; the map and the opcode select a
   root entry, and nodes lead from there by bits of a key to the row (see
   decode-table.h).  No branch depends on the instruction beyond the encoding
   family, ModRM forms and prefixes.

   Invariants:
   1. No byte at or beyond AVAIL is read.  Short input is decoded from a
      padded copy; whether bytes past its end had been used shows in the
      length.  An instruction is read in place only while its 15 bytes are
      there.
   2. INSN is filled in whole whatever the status.

   No state and no locks; runs in signal context.  */

#include "arch/decode.h"
#include "arch/x86-64/decode-table.h"

/* Longest run of prefixes that leaves a whole instruction of any form within
   INSN_MAX_LENGTH bytes, its immediates and displacement left aside.  */
#define PREFIXES_IN_PLACE 8

/* Bytes of a padded copy: 14 prefixes and the longest form.  */
#define PADDED 40

/* One instruction of straight code is what this is for: a fifth faster than
   what GCC chooses to inline.  */
#define FAST inline __attribute__ ((always_inline))

enum prefix_class
{
  PREFIX_NONE, PREFIX_OPSIZE, PREFIX_ADDRSIZE, PREFIX_REP, PREFIX_LOCK,
  PREFIX_FS, PREFIX_GS, PREFIX_SEG, PREFIX_REX
};

static const uint8_t prefix_class[256] = {
  [0x66] = PREFIX_OPSIZE, [0x67] = PREFIX_ADDRSIZE,
  [0xf2] = PREFIX_REP, [0xf3] = PREFIX_REP, [0xf0] = PREFIX_LOCK,
  [0x64] = PREFIX_FS, [0x65] = PREFIX_GS,
  [0x26] = PREFIX_SEG, [0x2e] = PREFIX_SEG,
  [0x36] = PREFIX_SEG, [0x3e] = PREFIX_SEG,
  [0x40 ... 0x4f] = PREFIX_REX
};

/* What is known while decoding and of no use later.  */
struct cursor
{
  const uint8_t *bytes;
  unsigned at;                  /* of the next byte */
  unsigned table;               /* enum decode_map */
  unsigned pp;                  /* mandatory prefix: none, 66, f3, f2 */
  unsigned vl;                  /* L, or L'L */
  unsigned seg;                 /* INSN_SEG_* */
  bool lock, bcast, bad;
};

static FAST void
take_prefix (struct insn *i, struct cursor *c, unsigned class, unsigned byte)
{
  switch (class)
    {
    case PREFIX_OPSIZE:
      i->prefix_66 = 1;
      break;
    case PREFIX_ADDRSIZE:
      i->addrsize = 4;
      break;
    case PREFIX_REP:
      i->prefix_rep = byte;
      break;
    case PREFIX_LOCK:
      c->lock = true;
      break;
    case PREFIX_FS:
      c->seg = INSN_SEG_FS;
      break;
    case PREFIX_GS:
      c->seg = INSN_SEG_GS;
      break;
    }
  i->rex = class == PREFIX_REX ? byte : 0;
}

/* Prefixes, up to the first other byte.  A REX byte counts only right before
   the opcode (SDM volume 2, 2.2.1).  */
static FAST void
take_prefixes (struct insn *i, struct cursor *c)
{
  unsigned class = prefix_class[c->bytes[0]];

  if (class == PREFIX_NONE)
    return;
  if (class == PREFIX_REX && prefix_class[c->bytes[1]] == PREFIX_NONE)
    {
      i->rex = c->bytes[0];
      c->at = 1;
      return;
    }
  while (c->at < INSN_MAX_LENGTH
         && (class = prefix_class[c->bytes[c->at]]) != PREFIX_NONE)
    take_prefix (i, c, class, c->bytes[c->at++]);
  c->pp = i->prefix_rep ? (i->prefix_rep == 0xf3 ? 2 : 3) : i->prefix_66;
}

/* Legacy opcode: none, 0f, 0f 38 or 0f 3a, and 3DNow!.  */
static FAST void
take_legacy (struct insn *i, struct cursor *c)
{
  const uint8_t *p = c->bytes + c->at;

  i->map = 0;
  if (p[0] == 0x0f)
    i->map = p[1] == 0x38 ? 2 : p[1] == 0x3a ? 3 : 1;
  c->table = MAP_LEGACY + i->map;
  c->at += i->map > 1 ? 2 : i->map;
  if (i->map == 1 && p[1] == 0x0f)
    {
      i->map = 15;
      c->table = MAP_3DNOW;
    }
}

/* VEX of two bytes (c5), three (c4), or XOP (8f): SDM volume 2, 2.3; APM
   volume 3, 1.4.  Leaves AT at the opcode.  */
static FAST void
take_vex (struct insn *i, struct cursor *c)
{
  const uint8_t *p = c->bytes + c->at;
  bool two = p[0] == 0xc5;
  unsigned last = two ? p[1] : p[2];

  c->bad = c->pp || i->rex || c->lock;
  i->vex = p[0] == 0x8f ? 3 : 1;
  i->map = two ? 1 : p[1] & 0x1f;
  i->rex = 0x40 | (~p[1] >> 5 & (two ? 4 : 7));
  if (!two && (p[2] & 0x80))
    i->rex |= 8;
  c->pp = last & 3;
  c->vl = last >> 2 & 1;
  c->at += two ? 2 : 3;
  if (i->vex == 3)
    c->table = i->map <= 10 ? MAP_XOP + i->map : 0;
  else if (i->map >= 1 && i->map <= 3)
    c->table = MAP_VEX + i->map;
  else
    c->table = i->map == 5 ? MAP_VEX5 : i->map == 7 ? MAP_VEX7 : 0;
  c->bad |= c->table == 0;
}

/* EVEX: SDM volume 2, 2.7.1.  Leaves AT at the opcode.  */
static FAST void
take_evex (struct insn *i, struct cursor *c)
{
  const uint8_t *p = c->bytes + c->at;

  c->bad = c->pp || i->rex || c->lock;
  i->vex = 2;
  i->map = p[1] & 7;
  i->rex = 0x40 | (~p[1] >> 5 & 7) | (p[2] >> 7 << 3);
  c->pp = p[2] & 3;
  c->vl = p[3] >> 5 & 3;
  c->bcast = p[3] >> 4 & 1;
  c->at += 4;
  c->table = MAP_EVEX + i->map;
  c->bad |= i->map == 0 || i->map == 4 || i->map == 7 || (p[1] & 8)
            || !(p[2] & 4);
  if (c->bad)
    c->table = MAP_EVEX + 1;
}

/* The opcode's map and the byte itself.  */
static FAST void
take_opcode (struct insn *i, struct cursor *c)
{
  unsigned byte = c->bytes[c->at];

  if (byte == 0x62)
    take_evex (i, c);
  else if (byte == 0xc4 || byte == 0xc5
           || (byte == 0x8f && (c->bytes[c->at + 1] & 0x1f) >= 8))
    take_vex (i, c);
  else
    take_legacy (i, c);
  i->opcode_at = c->at;
  i->opcode = c->bytes[c->at++];
}

/* ModRM, SIB and the place of the displacement: SDM volume 2, 2.1.5.  */
static FAST void
take_modrm (struct insn *i, struct cursor *c)
{
  unsigned mod, rm;

  i->modrm_at = c->at;
  i->modrm = c->bytes[c->at++];
  mod = i->modrm >> 6;
  rm = i->modrm & 7;
  if (mod == 3 || (i->map == 1 && !i->vex && (i->opcode & 0xfc) == 0x20))
    return;
  if (rm == 4)
    i->sib = c->bytes[c->at++];
  if (mod == 1)
    i->disp_size = 1;
  else if (mod == 2 || rm == 5 || (rm == 4 && (i->sib & 7) == 5))
    i->disp_size = 4;
  if (mod == 0 && rm == 5)
    i->properties = INSN_RIP_RELATIVE;
  if (i->disp_size)
    i->disp_at = c->at;
  c->at += i->disp_size;
}

/* The row of I.  ENTRY is that of its opcode.  */
static FAST const struct insn_row *
find_row (const struct insn *i, const struct cursor *c, unsigned entry)
{
  unsigned regform = i->modrm >= 0xc0;
  unsigned vl = c->bcast && regform ? 2 : c->vl;
  unsigned key = c->pp << KEY_PP | regform << KEY_REGFORM
                 | (i->modrm & 7) << KEY_RM | (i->modrm >> 3 & 7) << KEY_REG
                 | (i->rex >> 3 & 1) << KEY_W | vl << KEY_L
                 | (i->rex & 1) << KEY_REXB;

  while (entry & ENTRY_NODE)
    {
      const uint16_t *node = decode_nodes + (entry & ENTRY_INDEX);

      entry = node[1 + (key >> (*node & 0xff) & *node >> 8)];
    }
  return decode_rows + (entry & ENTRY_INDEX);
}

static FAST unsigned
operand_size (const struct insn *i, unsigned flags)
{
  bool w = i->rex & 8;

  if (flags & ROW_BYTE)
    return 1;
  if (flags & ROW_F64)
    return 8;
  if (flags & ROW_D64)
    return i->prefix_66 && !w ? 2 : 8;
  if (w)
    return flags & ROW_IO ? 4 : 8;
  return i->prefix_66 && !(flags & ROW_M66) ? 2 : 4;
}

/* Bytes of immediates, by enum row_imm and the operand size's log2.  */
static const uint8_t immediate_sizes[][4] = {
  [IMM_NONE] = { 0, 0, 0, 0 }, [IMM_8] = { 1, 1, 1, 1 },
  [IMM_16] = { 2, 2, 2, 2 },   [IMM_Z] = { 4, 2, 4, 4 },
  [IMM_V] = { 1, 2, 4, 8 },    [IMM_16_8] = { 3, 3, 3, 3 },
  [IMM_8_8] = { 2, 2, 2, 2 },  [IMM_J8] = { 1, 1, 1, 1 },
  [IMM_JZ] = { 4, 2, 4, 4 },   [IMM_OFFSET] = { 8, 8, 8, 8 },
  [IMM_32] = { 4, 4, 4, 4 },   [IMM_FAR] = { 6, 4, 6, 6 }
};

static FAST unsigned
immediate_size (const struct insn *i, unsigned kind)
{
  unsigned size = immediate_sizes[kind][__builtin_ctz (i->opsize)];

  return kind == IMM_OFFSET ? i->addrsize : size;
}

static FAST int64_t
load_signed (const uint8_t *p, unsigned size)
{
  int16_t v16;
  int32_t v32;
  int64_t v64;

  switch (size)
    {
    case 1:
      return (int8_t)*p;
    case 2:
      __builtin_memcpy (&v16, p, 2);
      return v16;
    case 4:
      __builtin_memcpy (&v32, p, 4);
      return v32;
    default:
      __builtin_memcpy (&v64, p, 8);
      return v64;
    }
}

/* Values of displacement and immediate, once the length is known to fit.  */
static FAST void
load_values (struct insn *i)
{
  const struct insn_row *row = i->row;

  if (i->disp_size)
    i->disp = load_signed (i->bytes + i->disp_at, i->disp_size);
  if (i->vex == 2 && i->disp_size == 1)
    i->disp *= decode_disp8_scale (i);
  if (!i->imm_size)
    return;
  if (row->imm == IMM_16_8)
    i->imm = (uint16_t)load_signed (i->bytes + i->imm_at, 2);
  else if (row->imm == IMM_8_8)
    i->imm = load_signed (i->bytes + i->imm_at, 1);
  else
    i->imm = load_signed (i->bytes + i->imm_at, i->imm_size);
  if (row->imm == IMM_16 || (row->imm == IMM_OFFSET && i->imm_size == 4))
    i->imm &= i->imm_size == 2 ? 0xffff : 0xffffffff;
  if (row->imm == IMM_J8 || row->imm == IMM_JZ)
    i->target = i->pc + i->length + i->imm;
}

/* Properties that depend on prefixes and on the form of the operand.  lock
   with a register is #UD, but for AMD's lock mov of %cr8.  */
static FAST void
add_properties (struct insn *i, struct cursor *c)
{
  const struct insn_row *row = i->row;
  bool memory = i->modrm_at && i->modrm < 0xc0;

  i->properties |= row->properties;
  if (c->seg && ((memory && (row->rm & RM_MEMORY)) || row->flags & ROW_SEG))
    i->properties |= c->seg;
  if (i->prefix_rep && (row->flags & ROW_REP))
    i->properties |= INSN_REP;
  if (c->lock && (row->flags & ROW_LOCKABLE)
      && (memory || (row->flags & ROW_REGFORM)))
    i->properties |= INSN_LOCK;
  else if (c->lock)
    c->bad = true;
  if (memory && (row->flags & ROW_AUTOLOCK))
    i->properties |= INSN_LOCK;
}

/* Everything behind the opcode byte, but values.  */
static FAST void
lay_out (struct insn *i, struct cursor *c)
{
  unsigned entry = decode_roots[c->table][i->opcode];
  unsigned flags;

  if (entry & ENTRY_MODRM)
    take_modrm (i, c);
  if (c->table == MAP_3DNOW && c->at < INSN_MAX_LENGTH)
    {
      i->opcode_at = c->at;
      i->opcode = c->bytes[c->at++];
      entry = decode_roots[c->table][i->opcode];
    }
  else if (c->table == MAP_3DNOW)
    c->bad = true;
  i->row = find_row (i, c, entry);
  flags = i->row->flags;
  i->branch = i->row->branch;
  i->cc = i->branch == INSN_LOOP ? i->opcode : i->opcode & 15;
  i->opsize = operand_size (i, flags);
  i->imm_size = immediate_size (i, i->row->imm);
  if (i->imm_size)
    i->imm_at = c->at;
  c->at += i->imm_size;
  add_properties (i, c);
  c->bad |= (flags & ROW_INVALID) != 0;
}

/* Plain stores: with general registers only, GCC would take `rep stos',
   which is as slow as the rest of the decoder.  */
static FAST void
clear (struct insn *i, const uint8_t *bytes, app_pc pc)
{
  typedef uint64_t __attribute__ ((may_alias)) word;
  word *words = (word *)i;

  _Static_assert (sizeof *i % sizeof *words == 0, "whole words");
#pragma GCC unroll 16
  for (unsigned k = 0; k < sizeof *i / sizeof *words; k++)
    words[k] = 0;
  i->bytes = bytes;
  i->pc = pc;
  i->addrsize = 8;
}

/* Decode at BYTES, of which LIMIT may be read.  */
static FAST enum insn_status
decode (struct insn *i, const uint8_t *bytes, app_pc pc, unsigned limit,
        bool *again)
{
  struct cursor c = { .bytes = bytes };

  clear (i, bytes, pc);
  take_prefixes (i, &c);
  if (c.at > PREFIXES_IN_PLACE && limit < PADDED)
    {
      *again = true;
      return INSN_INVALID;
    }
  take_opcode (i, &c);
  lay_out (i, &c);
  i->length = MIN (c.at, INSN_MAX_LENGTH);
  if (c.bad || c.at > INSN_MAX_LENGTH)
    {
      i->row = decode_rows;
      i->branch = INSN_UD;
      return INSN_INVALID;
    }
  load_values (i);
  return INSN_OK;
}

/* Decode from a copy, where bytes are short or prefixes many.  */
static __attribute__ ((noinline)) enum insn_status
decode_copy (struct insn *i, const uint8_t *bytes, size_t avail, app_pc pc)
{
  uint8_t copy[PADDED] = { 0 };
  bool again;
  enum insn_status status;

  for (unsigned k = 0; k < MIN (avail, INSN_MAX_LENGTH); k++)
    copy[k] = bytes[k];
  status = decode (i, copy, pc, PADDED, &again);
  i->bytes = bytes;
  return i->length > avail ? INSN_TRUNCATED : status;
}

/* See decode.h.  */
enum insn_status
insn_decode (struct insn *i, const uint8_t *bytes, size_t avail, app_pc pc)
{
  bool again = false;
  enum insn_status status;

  if (avail < INSN_MAX_LENGTH)
    return decode_copy (i, bytes, avail, pc);
  status = decode (i, bytes, pc, INSN_MAX_LENGTH, &again);
  if (again)
    return decode_copy (i, bytes, avail, pc);
  return status;
}
