/* See arch/rewrite.h.

   A scratch register is one that the instruction neither reads nor writes, of
   the first eight (so that no REX.B is needed, and the instruction may use
   %ah), and not %rsp, %rbp, which have no plain ModRM form as a base.  */

#include "arch/rewrite.h"
#include "arch/lookup.h"
#include "common/assert.h"

#define MASK(R) (1u << (R))
#define MASK_RCX_RDX (MASK (ARCH_RCX) | MASK (ARCH_RDX))

/* See rewrite.h.  */
void
rewrite_note (struct rewriter *w, enum arch_note_kind kind, uint64_t app,
              unsigned spilled)
{
  uint16_t at = (uint16_t) (w->e.at - w->start);
  struct arch_note *n = w->notes + w->n_notes;

  if (w->n_notes && n[-1].at == at)
    n--;
  else
    w->n_notes++;
  vm_assert (w->n_notes <= ARCH_MAX_NOTES);
  *n = (struct arch_note){ .at = at, .app = (uint16_t) app,
                           .kind = (uint8_t) kind, .aside = w->aside & 1,
                           .ruled = kind <= ARCH_NOTE_AT
                                    && w->pc + app == w->ruled,
                           .engine = w->engine,
                           .own = w->own,
                           .spilled = (uint16_t) (spilled | w->lent) };
}

static void
note_at (struct rewriter *w, const struct insn *i, unsigned spilled)
{
  rewrite_note (w, ARCH_NOTE_AT, i->pc - w->pc, spilled);
}

static void
note_after (struct rewriter *w, const struct insn *i, unsigned spilled)
{
  rewrite_note (w, ARCH_NOTE_AT, i->pc + i->length - w->pc, spilled);
}

static void
note_pc (struct rewriter *w, app_pc pc, unsigned spilled)
{
  rewrite_note (w, ARCH_NOTE_AT, pc - w->pc, spilled);
}

/* See rewrite.h.  */
void
rewrite_hold (struct rewriter *w, uint64_t constant)
{
  w->held = w->lent = w->kept = constant ? ARCH_HELD : 0;
  w->aside = false;
  w->constant = w->border = constant;
}

/* Store what the application has in the registers of MASK that the context
   does not have.  */
static void
keep (struct rewriter *w, unsigned mask)
{
  mask &= ~w->kept;
  for (unsigned r = 0; r < ARCH_N_GPR; r++)
    if (mask & MASK (r))
      emit_spill (&w->e, r);
  w->kept |= mask;
}

/* See rewrite.h.  */
void
rewrite_lend (struct rewriter *w, app_pc pc, unsigned spilled)
{
  if (w->lent == w->held)
    return;
  note_pc (w, pc, spilled);
  keep (w, w->held);
  w->lent = w->held;
  note_pc (w, pc, spilled);
}

/* See rewrite.h.  */
void
rewrite_constant (struct rewriter *w, uint64_t constant)
{
  if (w->constant != constant)
    emit_mov_imm (&w->e, ARCH_R10, constant);
  w->constant = constant;
}

/* See rewrite.h.  */
void
rewrite_set_aside (struct rewriter *w, app_pc pc)
{
  if (w->aside)
    return;
  note_pc (w, pc, 0);
  emit_mov (&w->e, ARCH_R11, ARCH_RCX);
  w->aside = true;
  note_pc (w, pc, 0);
}

static void
take_from_aside (struct rewriter *w, app_pc pc)
{
  note_pc (w, pc, 0);
  emit_mov (&w->e, ARCH_RCX, ARCH_R11);
  w->aside = false;
  note_pc (w, pc, 0);
}

/* See rewrite.h.  */
void
rewrite_give_back (struct rewriter *w, app_pc pc, unsigned mask)
{
  if (w->aside && (mask & (MASK (ARCH_RCX) | MASK (ARCH_R11))))
    take_from_aside (w, pc);
  mask &= w->lent;
  if (!mask)
    return;
  note_pc (w, pc, 0);
  for (unsigned r = 0; r < ARCH_N_GPR; r++)
    if (mask & MASK (r))
      emit_unspill (&w->e, r);
  w->lent &= ~mask;
  if (mask & MASK (ARCH_R10))
    w->constant = 0;
  note_pc (w, pc, 0);
}

/* See rewrite.h.  */
void
rewrite_border (struct rewriter *w, app_pc pc, unsigned spilled)
{
  if (w->aside)
    take_from_aside (w, pc);
  rewrite_lend (w, pc, spilled);
  if (w->held)
    rewrite_constant (w, w->border);
}

/* See rewrite.h.  */
unsigned
rewrite_needed (const struct rewriter *w, const struct insn *i)
{
  unsigned away = w->lent | (w->aside ? MASK (ARCH_RCX) : 0);

  return away & (insn_gpr_read (i) | insn_gpr_written (i));
}

/* See rewrite.h.  */
void
rewrite_passes (struct rewriter *w, const struct insn *i)
{
  w->kept &= ~insn_gpr_written (i);
}

/* See rewrite.h.  */
void
rewrite_set_ruled (struct rewriter *w, const struct insn *i)
{
  w->ruled = i->pc;
}

/* See rewrite.h.  */
void
rewrite_set_engine (struct rewriter *w, bool engine)
{
  w->engine = engine;
}

/* All registers are the application's, in front of I; the context has those
   that are held, as at a border.  */
static void
start_afresh (struct rewriter *w, const struct insn *i)
{
  rewrite_give_back (w, i->pc, REWRITE_ALL);
  note_at (w, i, 0);
  keep (w, w->held);
}

/* See rewrite.h.  */
void
rewrite_saved (struct rewriter *w, const struct insn *i, unsigned mask)
{
  note_at (w, i, mask);
  w->notes[w->n_notes - 1].flags_saved = 1;
}

/* Store all of the flags to context.rflags, through %rax; %rsp is spilled.  */
static void
save_all_flags (struct emit *e)
{
  emit_load_gs (e, ARCH_RSP, CONTEXT_ENGINE_RSP);
  emit_8 (e, 0x9c);             /* pushf */
  emit_pop (e, ARCH_RAX);
  emit_store_gs (e, ARCH_RAX, CONTEXT_RFLAGS);
}

/* See rewrite.h.  The flags go to CONTEXT_SPILL (2), as lahf and seto %al
   have them.  */
void
rewrite_save (struct rewriter *w, const struct insn *i, unsigned mask,
              bool all_flags)
{
  static const uint8_t lahf_seto[] = { 0x9f, 0x0f, 0x90, 0xc0 };

  vm_assert (mask & MASK (ARCH_RAX));
  start_afresh (w, i);
  for (unsigned r = 0; r < ARCH_N_GPR; r++)
    if (mask & MASK (r))
      emit_spill (&w->e, r);
  note_at (w, i, mask);
  if (all_flags)
    save_all_flags (&w->e);
  emit_bytes (&w->e, lahf_seto, sizeof lahf_seto);
  emit_store_gs (&w->e, ARCH_RAX, CONTEXT_SPILL (2));
  rewrite_saved (w, i, mask);
}

/* See rewrite.h.  */
void
rewrite_restore (struct rewriter *w, const struct insn *i, unsigned mask)
{
  static const uint8_t add_7f_al_sahf[] = { 0x04, 0x7f, 0x9e };

  rewrite_saved (w, i, mask);
  emit_load_gs (&w->e, ARCH_RAX, CONTEXT_SPILL (2));
  emit_bytes (&w->e, add_7f_al_sahf, sizeof add_7f_al_sahf);
  note_at (w, i, mask);
  for (unsigned r = 0; r < ARCH_N_GPR; r++)
    if (mask & MASK (r))
      emit_unspill (&w->e, r);
  note_at (w, i, 0);
}

/* See rewrite.h.  */
uint64_t
rewrite_flags (uint64_t rflags, uint64_t saved)
{
  uint64_t low = saved >> 8 & (FLAG_ARITH & 0xff);

  return (rflags & ~(uint64_t) FLAG_ARITH) | low
         | (saved & 1 ? (uint64_t) FLAG_OF : 0);
}

/* A register that I does not use, nor is in the mask BUT.  */
static unsigned
choose_scratch (const struct insn *i, unsigned but)
{
  static const uint8_t candidates[]
      = { ARCH_RCX, ARCH_RDX, ARCH_RAX, ARCH_RBX, ARCH_RSI, ARCH_RDI };
  unsigned used = insn_gpr_read (i) | insn_gpr_written (i) | but;

  for (unsigned n = 0; n < ARRAY_SIZE (candidates); n++)
    if (!(used & MASK (candidates[n])))
      return candidates[n];
  if (but)
    return INSN_NO_REG;
  /* Only an instruction of unknown effect uses all: its ModRM operand is
     the one register that it is sure to name.  */
  return (i->modrm >> 3 & 7) == ARCH_RDI ? ARCH_RSI : ARCH_RDI;
}

static app_addr
rip_operand (const struct insn *i)
{
  app_addr a = i->pc + i->length + (int64_t) i->disp;
  return i->addrsize == 4 ? (uint32_t) a : a;
}

/* Copy I with its displacement changed, so that it reaches the same address
   from the cache.  False, and nothing written, if it cannot.  */
static bool
copy_near (struct rewriter *w, const struct insn *i)
{
  uint64_t here = (uint64_t) emit_pc (&w->e) + i->length;
  int64_t disp = (int64_t) (rip_operand (i) - here);
  uint8_t *at = w->e.at;

  if (disp != (int32_t) disp || i->addrsize == 4)
    return false;
  emit_bytes (&w->e, i->bytes, i->length);
  __builtin_memcpy (at + i->disp_at, &(int32_t){ (int32_t) disp }, 4);
  return true;
}

static bool
is_legacy_prefix (uint8_t b)
{
  return b == 0x66 || b == 0x67 || b == 0xf0 || b == 0xf2 || b == 0xf3
         || b == 0x26 || b == 0x2e || b == 0x36 || b == 0x3e || b == 0x64
         || b == 0x65;
}

static bool
is_rex (uint8_t b)
{
  return (b & 0xf0) == 0x40;
}

/* A prefix stands at P, and if it is REX it is ignored.  */
static bool
is_prefix_not_last (const uint8_t *p)
{
  return is_legacy_prefix (*p)
         || (is_rex (*p) && (is_legacy_prefix (p[1]) || is_rex (p[1])));
}

/* Bits of REX.  */
enum
{
  REX_B = 1, REX_X = 2
};

/* Copy the prefixes of I, but for a REX that is ignored because it is not
   last, and return their length.  Of the segment prefixes %fs stays, and where
   it is %gs that has effect its base has been added: then neither a segment
   nor an address size is left.  */
static unsigned
copy_prefixes (struct emit *e, const struct insn *i)
{
  bool gs = i->properties & INSN_SEG_GS;
  unsigned n = 0;

  for (; is_prefix_not_last (i->bytes + n); n++)
    if (is_legacy_prefix (i->bytes[n]) && i->bytes[n] != 0x65
        && !(gs && (i->bytes[n] == 0x64 || i->bytes[n] == 0x67)))
      emit_8 (e, i->bytes[n]);
  return n;
}

/* Copy what stands before the ModRM byte of I, without the extensions DROP
   (of enum REX_*) of the base and index register.  */
static void
copy_head (struct emit *e, const struct insn *i, unsigned drop)
{
  unsigned n = copy_prefixes (e, i);

  if (i->vex == 0)
    {
      if (is_rex (i->bytes[n]))
        emit_8 (e, (uint8_t) (i->bytes[n++] & ~drop));
    }
  else if (i->bytes[n] != 0xc5)
    {
      /* VEX of three bytes, XOP, EVEX: inverted X and B.  */
      emit_8 (e, i->bytes[n++]);
      emit_8 (e, (uint8_t) (i->bytes[n++] | drop << 5));
    }
  emit_bytes (e, i->bytes + n, i->modrm_at - n);
}

/* Copy what stands behind the ModRM operand of I.  */
static void
copy_tail (struct emit *e, const struct insn *i)
{
  if (i->map == 15)
    emit_8 (e, i->bytes[i->length - 1]);
  else
    emit_bytes (e, i->bytes + i->imm_at, i->imm_size);
}

/* Copy I with 0(BASE) in place of its ModRM operand.  */
static void
copy_with_base (struct emit *e, const struct insn *i, unsigned base)
{
  copy_head (e, i, REX_B | REX_X);
  emit_8 (e, emit_modrm_byte (0, i->modrm >> 3, base));
  copy_tail (e, i);
}

/* Copy I, which has a vector of indices, with the base register BASE.  */
static void
copy_with_vector_base (struct emit *e, const struct insn *i, unsigned base)
{
  unsigned mod = i->modrm >> 6;

  if (mod == 0 && i->disp_size)
    /* There was no base.  */
    mod = 2;
  copy_head (e, i, REX_B);
  emit_8 (e, emit_modrm_byte (mod, i->modrm >> 3, 4));
  emit_8 (e, (uint8_t) ((i->sib & 0xf8) | base));
  emit_bytes (e, i->bytes + i->disp_at, i->disp_size);
  copy_tail (e, i);
}

/* Add the address of I's ModRM operand, which is not relative to %rip, without
   the segment, to REG, which I does not use.  */
static void
add_address (struct emit *e, const struct insn *i, unsigned reg)
{
  unsigned mod = i->modrm >> 6, rm = i->modrm & 7;
  unsigned base = rm | (i->rex & 1) << 3;

  if (rm == 4)
    {
      unsigned index = (i->sib >> 3 & 7) | (i->rex & 2) << 2;
      base = (i->sib & 7) | (i->rex & 1) << 3;
      if (index != 4)
        emit_lea_index (e, reg, reg, index, i->sib >> 6);
      if ((base & 7) == 5 && mod == 0)
        base = INSN_NO_REG;
    }
  if (base == ARCH_RSP)
    /* %rsp is no index: exchange the roles.  */
    emit_lea_index (e, reg, ARCH_RSP, reg, 0);
  else if (base != INSN_NO_REG)
    emit_lea_index (e, reg, reg, base, 0);
  if (i->disp_size)
    emit_lea (e, reg, reg, i->disp);
}

static bool
is_plain_modrm (const struct insn *i)
{
  return i->modrm_at && i->modrm >> 6 != 3;
}

/* rdgsbase, wrgsbase: f3 0f ae /1 and /3.  */
static enum rewrite_status
rewrite_gs_base (struct rewriter *w, const struct insn *i)
{
  unsigned reg = (i->modrm & 7) | (i->rex & 1) << 3;
  bool wide = i->rex & 8;

  if (i->map != 1 || i->opcode != 0xae || i->prefix_rep != 0xf3
      || i->modrm >> 6 != 3)
    return REWRITE_UNSUPPORTED;
  note_at (w, i, 0);
  switch (i->modrm >> 3 & 7)
    {
    case 1:
      emit_load_gs (&w->e, reg, CONTEXT_GS_BASE);
      break;
    case 3:
      emit_store_gs (&w->e, reg, CONTEXT_GS_BASE);
      if (!wide)
        emit_store_gs_imm32 (&w->e, 0, CONTEXT_GS_BASE + 4);
      return REWRITE_OK;
    default:
      return REWRITE_UNSUPPORTED;
    }
  if (!wide)
    {
      /* mov %reg32, %reg32 */
      if (reg & 8)
        emit_8 (&w->e, 0x45);
      emit_8 (&w->e, 0x89);
      emit_8 (&w->e, emit_modrm_byte (3, reg, reg));
    }
  return REWRITE_OK;
}

/* mov between %al … %rax and an absolute address (a0 to a3) with %gs.  */
static bool
is_moffs (const struct insn *i)
{
  return i->vex == 0 && i->map == 0 && i->opcode >= 0xa0
         && i->opcode <= 0xa3;
}

static void
copy_moffs_with_base (struct emit *e, const struct insn *i, unsigned base)
{
  static const uint8_t as[4] = { 0x8a, 0x8b, 0x88, 0x89 };

  if (i->prefix_66)
    emit_8 (e, 0x66);
  if (i->rex & 8)
    emit_8 (e, 0x48);
  emit_8 (e, as[i->opcode & 3]);
  emit_8 (e, emit_modrm_byte (0, ARCH_RAX, base));
}

static bool
has_vector_index (const struct insn *i)
{
  struct insn_mem m[INSN_MAX_MEM];
  unsigned n = insn_memory (i, m);

  return n && m[0].kind == INSN_MEM_VSIB;
}

/* Whether the address of I's operand is the sum of registers that are there
   and a displacement, of 64 bits.  */
static bool
is_plain_sum (const struct insn *i)
{
  return i->addrsize == 8 && !is_moffs (i)
         && !(i->properties & INSN_RIP_RELATIVE);
}

/* The register that is the address of I's only operand, which is implicit and
   has 64 bits: xlat, maskmovq and its like.  Else INSN_NO_REG.  */
static unsigned
implicit_base (const struct insn *i)
{
  struct insn_mem m[INSN_MAX_MEM];

  if (is_plain_modrm (i) || is_moffs (i) || i->addrsize == 4
      || (i->properties & (INSN_STRING | INSN_UNKNOWN))
      || insn_memory (i, m) != 1)
    return INSN_NO_REG;
  return m[0].base;
}

/* String instructions, and addresses of 32 bits that are implicit or of
   vectors, are refused.  A vector of indices without a SIB byte is #UD.  */
static bool
gs_operand_is_supported (const struct insn *i)
{
  struct insn_mem m[INSN_MAX_MEM];

  if (i->properties & INSN_UNKNOWN)
    return false;
  if (is_moffs (i))
    return true;
  if (!is_plain_modrm (i))
    return false;
  if (has_vector_index (i))
    return is_plain_sum (i) && (i->modrm & 7) == 4;
  return i->addrsize == 8 || insn_memory (i, m) == 1;
}

/* lea of I's operand, of which the address has 32 bits, to REG.  */
static void
lea_32 (struct emit *e, const struct insn *i, unsigned reg)
{
  unsigned mod = i->modrm >> 6, rm = i->modrm & 7;

  mod = mod ? 2 : 0;
  emit_8 (e, 0x67);
  emit_8 (e, 0x40 | (i->rex & (REX_X | REX_B)));
  emit_8 (e, 0x8d);
  emit_8 (e, emit_modrm_byte (mod, reg, rm));
  if (rm == 4)
    emit_8 (e, i->sib);
  if (mod || i->disp_size)
    emit_32 (e, (uint32_t) i->disp);
}

/* The address of I's operand, which is no plain sum, without the segment, to
   REG.  */
static void
load_address (struct emit *e, const struct insn *i, unsigned reg)
{
  if (is_moffs (i))
    emit_mov_imm (e, reg,
                  i->addrsize == 4 ? (uint32_t) i->imm : (uint64_t) i->imm);
  else if (i->properties & INSN_RIP_RELATIVE)
    emit_mov_imm (e, reg, rip_operand (i));
  else
    lea_32 (e, i, reg);
}

/* pop to memory has its operand's address by %rsp behind the pop.  */
static bool
pops_to_memory (const struct insn *i)
{
  return i->vex == 0 && i->map == 0 && i->opcode == 0x8f;
}

/* Copy I with its operand in %gs, of which the base is in R.  */
static void
copy_gs_sum (struct emit *e, const struct insn *i, unsigned r)
{
  if (has_vector_index (i))
    {
      unsigned base = (i->sib & 7) | (i->rex & REX_B) << 3;

      if (base == ARCH_RSP)
        emit_lea_index (e, r, base, r, 0);
      else if (i->modrm >> 6 || (base & 7) != 5)
        emit_lea_index (e, r, r, base, 0);
      copy_with_vector_base (e, i, r);
      return;
    }
  add_address (e, i, r);
  if (pops_to_memory (i) && (insn_gpr_read (i) & MASK (ARCH_RSP))
      && (i->modrm & 7) == 4 && (i->sib & 7) == 4 && !(i->rex & REX_B))
    emit_lea (e, r, r, i->opsize);
  copy_with_base (e, i, r);
}

/* I's operand is at the register BASE, which I only reads.  */
static void
rewrite_gs_implicit (struct rewriter *w, const struct insn *i, unsigned base)
{
  unsigned r = choose_scratch (i, 0), both = MASK (r) | MASK (base), n;
  struct emit *e = &w->e;

  rewrite_give_back (w, i->pc, MASK (ARCH_RCX));
  note_at (w, i, 0);
  emit_spill (e, r);
  emit_spill (e, base);
  note_at (w, i, both);
  emit_load_gs (e, r, CONTEXT_GS_BASE);
  emit_lea_index (e, base, base, r, 0);
  n = copy_prefixes (e, i);
  emit_bytes (e, i->bytes + n, i->length - n);
  note_after (w, i, both);
  emit_unspill (e, r);
  emit_unspill (e, base);
}

static enum rewrite_status
rewrite_gs_operand (struct rewriter *w, const struct insn *i)
{
  struct emit *e = &w->e;
  unsigned r, other = INSN_NO_REG, both;
  unsigned base = implicit_base (i);

  if (base != INSN_NO_REG)
    {
      rewrite_gs_implicit (w, i, base);
      return REWRITE_OK;
    }
  if (!gs_operand_is_supported (i))
    return REWRITE_UNSUPPORTED;
  r = choose_scratch (i, 0);
  both = MASK (r);
  if (!is_plain_sum (i))
    {
      other = choose_scratch (i, both);
      if (other == INSN_NO_REG)
        return REWRITE_UNSUPPORTED;
      both |= MASK (other);
    }
  rewrite_give_back (w, i->pc, MASK (ARCH_RCX));
  note_at (w, i, 0);
  emit_spill (e, r);
  if (other != INSN_NO_REG)
    emit_spill (e, other);
  note_at (w, i, both);
  emit_load_gs (e, r, CONTEXT_GS_BASE);
  if (other == INSN_NO_REG)
    copy_gs_sum (e, i, r);
  else
    {
      load_address (e, i, other);
      emit_lea_index (e, r, r, other, 0);
      if (is_moffs (i))
        copy_moffs_with_base (e, i, r);
      else
        copy_with_base (e, i, r);
    }
  note_after (w, i, both);
  emit_unspill (e, r);
  if (other != INSN_NO_REG)
    emit_unspill (e, other);
  return REWRITE_OK;
}

/* lea of an address relative to %rip is a constant.  */
static bool
is_lea (const struct insn *i)
{
  return i->vex == 0 && i->map == 0 && i->opcode == 0x8d && i->opsize == 8;
}

static void
rewrite_rip_far (struct rewriter *w, const struct insn *i)
{
  unsigned r;

  note_at (w, i, 0);
  if (is_lea (i))
    {
      emit_mov_imm (&w->e, (i->modrm >> 3 & 7) | (i->rex & 4) << 1,
                    rip_operand (i));
      return;
    }
  rewrite_give_back (w, i->pc, MASK (ARCH_RCX));
  r = choose_scratch (i, 0);
  note_at (w, i, 0);
  emit_spill (&w->e, r);
  note_at (w, i, MASK (r));
  emit_mov_imm (&w->e, r, rip_operand (i));
  copy_with_base (&w->e, i, r);
  note_after (w, i, MASK (r));
  emit_unspill (&w->e, r);
}

/* See rewrite.h.  */
enum rewrite_status
rewrite_operand (struct rewriter *w, const struct insn *i, bool near)
{
  if (i->properties & INSN_GS_BASE)
    return rewrite_gs_base (w, i);
  if (i->properties & INSN_SEG_GS)
    return rewrite_gs_operand (w, i);
  note_at (w, i, 0);
  if (!near || !copy_near (w, i))
    rewrite_rip_far (w, i);
  return REWRITE_OK;
}

/* See rewrite.h.  The flags that the test changes are dead.

     testb $1, 1(%rsp)
     jnz   TRAP
     popf                                                               */
void
rewrite_popf (struct rewriter *w, const struct insn *i, cache_pc trap)
{
  static const uint8_t test[] = { 0xf6, 0x44, 0x24, 1, FLAG_TF >> 8 };

  note_at (w, i, 0);
  emit_bytes (&w->e, test, sizeof test);
  emit_8 (&w->e, 0x0f);
  emit_8 (&w->e, 0x85);
  emit_32 (&w->e, (uint32_t) emit_distance (emit_pc (&w->e), trap));
  rewrite_note (w, ARCH_NOTE_COPY, i->pc - w->pc, 0);
  emit_bytes (&w->e, i->bytes, i->length);
}

/* See rewrite.h.  */
enum rewrite_status
rewrite_insn (struct rewriter *w, const struct insn *i, bool near)
{
  if (!rewrite_is_copy (i))
    return rewrite_operand (w, i, near);
  rewrite_note (w, ARCH_NOTE_COPY, i->pc - w->pc, 0);
  emit_bytes (&w->e, i->bytes, i->length);
  return REWRITE_OK;
}

/* See rewrite.h.  */
void
rewrite_push_return (struct rewriter *w, const struct insn *i, cache_pc slot,
                     unsigned spilled)
{
  app_pc ret = i->pc + i->length;

  note_at (w, i, spilled);
  if (rewrite_push_needs_slot (ret))
    emit_push_slot (&w->e, slot);
  else
    {
      emit_8 (&w->e, 0x68);
      emit_32 (&w->e, (uint32_t) ret);
    }
}

/* Load %rcx, 64 bits, from the ModRM operand of I, as it stands.  */
static void
load_rcx_from_modrm (struct emit *e, const struct insn *i)
{
  if (i->properties & INSN_SEG_FS)
    emit_8 (e, 0x64);
  if (i->addrsize == 4)
    emit_8 (e, 0x67);
  emit_8 (e, 0x48 | (i->rex & 3));
  emit_8 (e, 0x8b);
  emit_8 (e, emit_modrm_byte (i->modrm >> 6, ARCH_RCX, i->modrm));
  emit_bytes (e, i->bytes + i->modrm_at + 1, i->length - i->modrm_at - 1);
}

/* Load %rcx from the %rip-relative operand of I.  */
static void
load_rcx_from_rip (struct emit *e, const struct insn *i, bool near)
{
  int64_t disp = (int64_t) (rip_operand (i) - ((uint64_t) emit_pc (e) + 7));

  if (near && disp == (int32_t) disp)
    {
      emit_8 (e, 0x48);
      emit_8 (e, 0x8b);
      emit_8 (e, emit_modrm_byte (0, ARCH_RCX, 5));
      emit_32 (e, (uint32_t) disp);
      return;
    }
  emit_mov_imm (e, ARCH_RCX, rip_operand (i));
  emit_load (e, ARCH_RCX, ARCH_RCX, 0);
}

/* See rewrite.h.  */
enum rewrite_status
rewrite_load_target (struct rewriter *w, const struct insn *i, bool near)
{
  unsigned rm = (i->modrm & 7) | (i->rex & 1) << 3;

  if (i->properties & INSN_SEG_GS)
    {
      if (!gs_operand_is_supported (i) || !is_plain_sum (i)
          || (insn_gpr_read (i) & MASK (ARCH_RCX)))
        return REWRITE_UNSUPPORTED;
    }
  note_at (w, i, 0);
  emit_spill (&w->e, ARCH_RCX);
  note_at (w, i, MASK (ARCH_RCX));
  if (i->properties & INSN_SEG_GS)
    {
      emit_load_gs (&w->e, ARCH_RCX, CONTEXT_GS_BASE);
      add_address (&w->e, i, ARCH_RCX);
      emit_load (&w->e, ARCH_RCX, ARCH_RCX, 0);
    }
  else if (!is_plain_modrm (i))
    emit_mov (&w->e, ARCH_RCX, rm);
  else if (i->properties & INSN_RIP_RELATIVE)
    load_rcx_from_rip (&w->e, i, near);
  else
    load_rcx_from_modrm (&w->e, i);
  return REWRITE_OK;
}

/* See rewrite.h.  */
void
rewrite_pop_target (struct rewriter *w, const struct insn *i)
{
  note_at (w, i, 0);
  emit_spill (&w->e, ARCH_RCX);
  note_at (w, i, MASK (ARCH_RCX));
  if (i->imm_size == 0)
    emit_pop (&w->e, ARCH_RCX);
  else
    {
      emit_load (&w->e, ARCH_RCX, ARCH_RSP, 0);
      emit_lea (&w->e, ARCH_RSP, ARCH_RSP, 8 + (uint16_t) i->imm);
    }
  rewrite_note (w, ARCH_NOTE_TARGET_RCX, 0, MASK (ARCH_RCX));
}

/* The lookup, with %rdx spilled too.  */
static void
look_up (struct rewriter *w)
{
  rewrite_note (w, ARCH_NOTE_TARGET_RCX, 0, MASK_RCX_RDX);
  emit_store_gs (&w->e, ARCH_RCX, CONTEXT_TARGET);
  rewrite_note (w, ARCH_NOTE_TARGET, 0, MASK_RCX_RDX);
  arch_emit_lookup (&w->e);
}

/* See rewrite.h.  */
void
rewrite_lookup (struct rewriter *w)
{
  rewrite_note (w, ARCH_NOTE_TARGET_RCX, 0, MASK (ARCH_RCX));
  emit_spill (&w->e, ARCH_RDX);
  look_up (w);
}

/* See rewrite.h.  */
void
rewrite_shared_lookup (struct rewriter *w, cache_pc shared)
{
  rewrite_note (w, ARCH_NOTE_TARGET_RCX, 0, MASK (ARCH_RCX));
  emit_jmp (&w->e, shared);
}

/* See rewrite.h.

     mov   %rdx, %gs:RDX
     mov   $-TARGET, %rdx
     lea   (%rcx,%rdx), %rcx
     jrcxz 1f
     mov   $TARGET, %rdx
     lea   (%rcx,%rdx), %rcx
     (the rest of the lookup)
  1:                                                                       */
void
rewrite_expect (struct rewriter *w, app_pc target, unsigned segment)
{
  struct emit *e = &w->e;
  uint8_t *over;

  rewrite_note (w, ARCH_NOTE_TARGET_RCX, 0, MASK (ARCH_RCX));
  emit_spill (e, ARCH_RDX);
  rewrite_note (w, ARCH_NOTE_TARGET_RCX, 0, MASK_RCX_RDX);
  emit_mov_imm (e, ARCH_RDX, -target);
  emit_lea_index (e, ARCH_RCX, ARCH_RCX, ARCH_RDX, 0);
  rewrite_note (w, ARCH_NOTE_DIFFERENCE, segment, MASK_RCX_RDX);
  emit_8 (e, 0xe3);
  over = e->at++;
  emit_mov_imm (e, ARCH_RDX, target);
  emit_lea_index (e, ARCH_RCX, ARCH_RCX, ARCH_RDX, 0);
  look_up (w);
  *over = (uint8_t) (e->at - over - 1);
}

/* See rewrite.h.  */
void
rewrite_expected (struct rewriter *w)
{
  rewrite_note (w, ARCH_NOTE_AT, 0, MASK_RCX_RDX);
  emit_unspill (&w->e, ARCH_RCX);
  emit_unspill (&w->e, ARCH_RDX);
}

/* See rewrite.h.  */
void
rewrite_miss (struct rewriter *w)
{
  rewrite_note (w, ARCH_NOTE_TARGET_RCX, 0, MASK (ARCH_RCX));
  emit_spill (&w->e, ARCH_RDX);
  emit_store_gs (&w->e, ARCH_RCX, CONTEXT_TARGET);
  emit_jmp_gs (&w->e, CONTEXT_LOOKUP_MISS);
}

/* See rewrite.h.  */
uint8_t *
rewrite_jump (struct rewriter *w, cache_pc to)
{
  emit_align_field (&w->e, 1);
  emit_jmp (&w->e, to);
  return w->e.at - 4;
}

/* loop and jrcxz reach 127 bytes only: they jump over the way on.  */
static uint8_t *
rewrite_loop (struct rewriter *w, const struct insn *i, unsigned exit,
              cache_pc taken, cache_pc fall, uint8_t **fall_field)
{
  uint8_t *over;

  if (i->addrsize == 4)
    emit_8 (&w->e, 0x67);
  emit_8 (&w->e, i->opcode);
  over = w->e.at++;
  rewrite_note (w, ARCH_NOTE_EXIT, exit + 1, 0);
  *fall_field = rewrite_jump (w, fall);
  *over = (uint8_t) (w->e.at - over - 1);
  rewrite_note (w, ARCH_NOTE_EXIT, exit, 0);
  return rewrite_jump (w, taken);
}

/* See rewrite.h.  */
uint8_t *
rewrite_conditional (struct rewriter *w, const struct insn *i, unsigned exit,
                     cache_pc taken, cache_pc fall, uint8_t **fall_field)
{
  note_at (w, i, 0);
  *fall_field = 0;
  if (i->branch == INSN_LOOP)
    return rewrite_loop (w, i, exit, taken, fall, fall_field);
  emit_align_field (&w->e, 2);
  emit_8 (&w->e, 0x0f);
  emit_8 (&w->e, 0x80 | i->cc);
  emit_32 (&w->e, (uint32_t) emit_distance (emit_pc (&w->e), taken));
  return w->e.at - 4;
}

/* How a turn ends the instruction, in a note: the exit that is taken while it
   goes on, the size of %rcx, and what cmps and scas want of ZF.  */
enum { TURN_EXIT = 0xff, TURN_SHORT = 0x100, TURN_ZF = 0x200,
       TURN_NOT_ZF = 0x400 };

static unsigned
turn_of (const struct insn *i, unsigned exit)
{
  unsigned op = i->opcode & 0xfe, how = exit;

  if (i->addrsize == 4)
    how |= TURN_SHORT;
  if (op == 0xa6 || op == 0xae)
    how |= i->prefix_rep == 0xf3 ? TURN_ZF : TURN_NOT_ZF;
  return how;
}

/* See rewrite.h.  */
unsigned
rewrite_count_turn (struct arch_regs *r, unsigned how)
{
  uint64_t left = r->gpr[ARCH_RCX] - 1;
  bool zf = r->rflags & FLAG_ZF;

  if (how & TURN_SHORT)
    left = (uint32_t) left;
  r->gpr[ARCH_RCX] = left;
  return (how & TURN_EXIT)
         + (!left || ((how & TURN_ZF) && !zf) || ((how & TURN_NOT_ZF) && zf));
}

/* See rewrite.h.  What the processor does after each turn (SDM volume 2, REP)
   is what loop, loope and loopne do.

              jrcxz 1f
              I, without its prefix
              loop  2f
     1:       jmp   FALL
     2:       jmp   TAKEN                                                  */
uint8_t *
rewrite_turn (struct rewriter *w, const struct insn *i, unsigned exit,
              cache_pc taken, cache_pc fall, uint8_t **fall_field)
{
  unsigned how = turn_of (i, exit);
  struct insn loop = *i;
  uint8_t *over, *field;

  loop.opcode = how & TURN_ZF ? 0xe1 : how & TURN_NOT_ZF ? 0xe0 : 0xe2;
  note_at (w, i, 0);
  if (i->addrsize == 4)
    emit_8 (&w->e, 0x67);
  emit_8 (&w->e, 0xe3);
  over = w->e.at++;
  for (unsigned n = 0; n < i->length; n++)
    if (n >= i->opcode_at || (i->bytes[n] | 1) != 0xf3)
      emit_8 (&w->e, i->bytes[n]);
  rewrite_note (w, ARCH_NOTE_TURN, how, 0);
  field = rewrite_loop (w, &loop, exit, taken, fall, fall_field);
  *over = (uint8_t) (*fall_field - 1 - (over + 1));
  return field;
}

/* mov (%rdx), %rcx of SIZE bytes, the upper ones zero.  */
static void
load_rcx_of_size (struct emit *e, unsigned size)
{
  switch (size)
    {
    case 8:
      emit_load (e, ARCH_RCX, ARCH_RDX, 0);
      return;
    case 2:
    case 1:
      emit_8 (e, 0x0f);
      emit_8 (e, size == 2 ? 0xb7 : 0xb6);
      break;
    default:
      emit_8 (e, 0x8b);
    }
  emit_8 (e, emit_modrm_byte (0, ARCH_RCX, ARCH_RDX));
}

/* One comparison: %rcx becomes zero if the SIZE bytes at PC are the same.

     mov  $PC, %rdx
     mov  (%rdx), %rcx
     mov  $-BYTES, %rdx
     lea  (%rcx,%rdx), %rcx
     jrcxz 1f
     (%rcx and %rdx restored)  jmp changed
  1:                                                                       */
static void
verify_piece (struct rewriter *w, app_pc pc, unsigned size, cache_pc changed)
{
  struct emit *e = &w->e;
  uint64_t bytes = 0;

  __builtin_memcpy (&bytes, (const void *) pc, size);
  emit_mov_imm (e, ARCH_RDX, pc);
  load_rcx_of_size (e, size);
  emit_mov_imm (e, ARCH_RDX, -bytes);
  emit_lea_index (e, ARCH_RCX, ARCH_RCX, ARCH_RDX, 0);
  emit_8 (e, 0xe3);
  emit_8 (e, 9 + 9 + 5);
  emit_unspill (e, ARCH_RCX);
  emit_unspill (e, ARCH_RDX);
  emit_jmp (e, changed);
}

/* See rewrite.h.  */
void
rewrite_verify (struct rewriter *w, app_pc pc, size_t n, cache_pc changed)
{
  app_pc start = pc;

  vm_assert (n <= REWRITE_VERIFY_APP_MAX);
  rewrite_note (w, ARCH_NOTE_AT, pc - w->pc, 0);
  emit_spill (&w->e, ARCH_RCX);
  emit_spill (&w->e, ARCH_RDX);
  w->own = true;
  rewrite_note (w, ARCH_NOTE_AT, pc - w->pc,
                MASK (ARCH_RCX) | MASK (ARCH_RDX));
  for (unsigned size; n; pc += size, n -= size)
    {
      size = n >= 8 ? 8 : n >= 4 ? 4 : n >= 2 ? 2 : 1;
      verify_piece (w, pc, size, changed);
    }
  emit_unspill (&w->e, ARCH_RCX);
  emit_unspill (&w->e, ARCH_RDX);
  w->own = false;
  rewrite_note (w, ARCH_NOTE_AT, start - w->pc, 0);
}
