/* The emitter: instructions written one after the other.

   An emitter writes at AT, through the writable view of code memory; the code
   will run DELTA bytes away from there, in the executable view (0 where both
   are one).  It does not check for room: its owner reserves what the longest
   thing can take, and vm_asserts afterwards.

   Operands named OFF are offsets in struct arch_context, reached by %gs
   (arch/context.h).  Registers are numbers, enum arch_gpr.  No emitter here
   touches the arithmetic flags in the code that it writes, unless it says so.

   Encodings: SDM volume 2, chapter 2 and the page of each instruction.  No
   state, no locks.  */

#ifndef ARCH_EMIT_H
#define ARCH_EMIT_H

#include "arch/context.h"

struct emit
{
  uint8_t *at;          /* where the next byte is written */
  int64_t delta;        /* executed address less written address */
};

/* Where the next byte of E will run.  */
static inline cache_pc
emit_pc (const struct emit *e)
{
  return e->at + e->delta;
}

static inline void
emit_8 (struct emit *e, uint8_t v)
{
  *e->at++ = v;
}

static inline void
emit_16 (struct emit *e, uint16_t v)
{
  __builtin_memcpy (e->at, &v, 2);
  e->at += 2;
}

static inline void
emit_32 (struct emit *e, uint32_t v)
{
  __builtin_memcpy (e->at, &v, 4);
  e->at += 4;
}

static inline void
emit_64 (struct emit *e, uint64_t v)
{
  __builtin_memcpy (e->at, &v, 8);
  e->at += 8;
}

/* Copy N bytes from FROM, which may be short runs: N is mostly below 64.  */
static inline void
emit_bytes (struct emit *e, const uint8_t *from, size_t n)
{
  uint8_t *to = e->at;
  e->at += n;
  while (n >= 8)
    {
      __builtin_memcpy (to, from, 8);
      to += 8, from += 8, n -= 8;
    }
  while (n--)
    *to++ = *from++;
}

/* One byte of ModRM: MOD, REG and RM, the low three bits of each.  */
static inline uint8_t
emit_modrm_byte (unsigned mod, unsigned reg, unsigned rm)
{
  return (uint8_t) (mod << 6 | (reg & 7) << 3 | (rm & 7));
}

/* REX.W with R from REG and B from RM.  */
static inline uint8_t
emit_rex_w (unsigned reg, unsigned rm)
{
  return (uint8_t) (0x48 | (reg & 8) >> 1 | (rm & 8) >> 3);
}

/* OPCODE with the 64-bit register REG and the operand %gs:OFF.  */
static inline void
emit_op_gs (struct emit *e, uint8_t opcode, unsigned reg, uint32_t off)
{
  emit_8 (e, 0x65);
  emit_8 (e, emit_rex_w (reg, 0));
  emit_8 (e, opcode);
  emit_8 (e, emit_modrm_byte (0, reg, 4));
  emit_8 (e, 0x25);
  emit_32 (e, off);
}

/* mov REG, %gs:OFF  */
static inline void
emit_store_gs (struct emit *e, unsigned reg, uint32_t off)
{
  emit_op_gs (e, 0x89, reg, off);
}

/* mov %gs:OFF, REG  */
static inline void
emit_load_gs (struct emit *e, unsigned reg, uint32_t off)
{
  emit_op_gs (e, 0x8b, reg, off);
}

/* Spill REG to its own place in the context, and take it back.  */
static inline void
emit_spill (struct emit *e, unsigned reg)
{
  emit_store_gs (e, reg, CONTEXT_GPR (reg));
}

static inline void
emit_unspill (struct emit *e, unsigned reg)
{
  emit_load_gs (e, reg, CONTEXT_GPR (reg));
}

/* movl $IMM, %gs:OFF: four bytes are stored.  */
static inline void
emit_store_gs_imm32 (struct emit *e, uint32_t imm, uint32_t off)
{
  emit_8 (e, 0x65);
  emit_8 (e, 0xc7);
  emit_8 (e, 0x04);
  emit_8 (e, 0x25);
  emit_32 (e, off);
  emit_32 (e, imm);
}

/* jmp *%gs:OFF  */
static inline void
emit_jmp_gs (struct emit *e, uint32_t off)
{
  emit_8 (e, 0x65);
  emit_8 (e, 0xff);
  emit_8 (e, 0x24);
  emit_8 (e, 0x25);
  emit_32 (e, off);
}

/* mov $IMM, REG, in the shortest form.  */
static inline void
emit_mov_imm (struct emit *e, unsigned reg, uint64_t imm)
{
  if (imm <= UINT32_MAX)
    {
      if (reg & 8)
        emit_8 (e, 0x41);
      emit_8 (e, 0xb8 | (reg & 7));
      emit_32 (e, (uint32_t) imm);
    }
  else if ((int64_t) imm == (int32_t) imm)
    {
      emit_8 (e, emit_rex_w (0, reg));
      emit_8 (e, 0xc7);
      emit_8 (e, emit_modrm_byte (3, 0, reg));
      emit_32 (e, (uint32_t) imm);
    }
  else
    {
      emit_8 (e, emit_rex_w (0, reg));
      emit_8 (e, 0xb8 | (reg & 7));
      emit_64 (e, imm);
    }
}

/* mov FROM, TO  */
static inline void
emit_mov (struct emit *e, unsigned to, unsigned from)
{
  emit_8 (e, emit_rex_w (from, to));
  emit_8 (e, 0x89);
  emit_8 (e, emit_modrm_byte (3, from, to));
}

/* ModRM, SIB and displacement of DISP(BASE), REG beside it.  */
static inline void
emit_base_disp (struct emit *e, unsigned reg, unsigned base, int32_t disp)
{
  unsigned mod = disp == 0 && (base & 7) != 5 ? 0 : disp == (int8_t) disp ? 1
                                                                          : 2;
  emit_8 (e, emit_modrm_byte (mod, reg, base));
  if ((base & 7) == 4)
    emit_8 (e, 0x24);
  if (mod == 1)
    emit_8 (e, (uint8_t) disp);
  else if (mod == 2)
    emit_32 (e, (uint32_t) disp);
}

/* mov DISP(BASE), REG and mov REG, DISP(BASE), 64 bits.  */
static inline void
emit_load (struct emit *e, unsigned reg, unsigned base, int32_t disp)
{
  emit_8 (e, emit_rex_w (reg, base));
  emit_8 (e, 0x8b);
  emit_base_disp (e, reg, base, disp);
}

static inline void
emit_store (struct emit *e, unsigned reg, unsigned base, int32_t disp)
{
  emit_8 (e, emit_rex_w (reg, base));
  emit_8 (e, 0x89);
  emit_base_disp (e, reg, base, disp);
}

/* lea DISP(BASE), REG  */
static inline void
emit_lea (struct emit *e, unsigned reg, unsigned base, int32_t disp)
{
  emit_8 (e, emit_rex_w (reg, base));
  emit_8 (e, 0x8d);
  emit_base_disp (e, reg, base, disp);
}

/* lea (BASE, INDEX, 1 << SHIFT), REG; INDEX is not %rsp.  */
static inline void
emit_lea_index (struct emit *e, unsigned reg, unsigned base, unsigned index,
                unsigned shift)
{
  bool disp8 = (base & 7) == 5;
  emit_8 (e, emit_rex_w (reg, base) | (index & 8) >> 2);
  emit_8 (e, 0x8d);
  emit_8 (e, emit_modrm_byte (disp8 ? 1 : 0, reg, 4));
  emit_8 (e, (uint8_t) (shift << 6 | (index & 7) << 3 | (base & 7)));
  if (disp8)
    emit_8 (e, 0);
}

static inline void
emit_push (struct emit *e, unsigned reg)
{
  if (reg & 8)
    emit_8 (e, 0x41);
  emit_8 (e, 0x50 | (reg & 7));
}

static inline void
emit_pop (struct emit *e, unsigned reg)
{
  if (reg & 8)
    emit_8 (e, 0x41);
  emit_8 (e, 0x58 | (reg & 7));
}

/* The displacement that reaches TO from the end of a field of four bytes that
   will run at FIELD.  */
static inline int64_t
emit_distance (cache_pc field, cache_pc to)
{
  return to - (field + 4);
}

/* jmp TO, within 2 GiB.  */
static inline void
emit_jmp (struct emit *e, cache_pc to)
{
  emit_8 (e, 0xe9);
  emit_32 (e, (uint32_t) emit_distance (emit_pc (e), to));
}

/* jmp *SLOT: an address of eight bytes at SLOT, within 2 GiB.  */
static inline void
emit_jmp_slot (struct emit *e, cache_pc slot)
{
  emit_8 (e, 0xff);
  emit_8 (e, 0x25);
  emit_32 (e, (uint32_t) emit_distance (emit_pc (e), slot));
}

/* push of the eight bytes at SLOT, within 2 GiB: one store of eight bytes,
   which the load of a later ret can be forwarded from.  */
static inline void
emit_push_slot (struct emit *e, cache_pc slot)
{
  emit_8 (e, 0xff);
  emit_8 (e, 0x35);
  emit_32 (e, (uint32_t) emit_distance (emit_pc (e), slot));
}

/* A nop of N bytes, 0 to 9 (SDM volume 2B, table 4-12).  */
void emit_nop (struct emit *e, unsigned n);

/* Pad with nops so that a field of four bytes which is to stand SKIP bytes
   further on lies within one line of the caches: a store to it is atomic then
   (SDM volume 3, 9.1.1), and a processor that fetches it sees all of it or
   nothing.  HotSpot and DynamoRIO have relied on the same for calls and jumps
   that are patched while others run them.  */
#define EMIT_LINE 64

static inline void
emit_align_field (struct emit *e, unsigned skip)
{
  unsigned at = ((uintptr_t) e->at + skip) % EMIT_LINE;
  if (at > EMIT_LINE - 4)
    emit_nop (e, EMIT_LINE - at);
}

/* Store DISTANCE into the four bytes at FIELD, at once.  */
static inline void
emit_patch_32 (uint8_t *field, int64_t distance)
{
  __atomic_store_n ((int32_t *) field, (int32_t) distance, __ATOMIC_RELEASE);
}

#endif
