/* See decode-zydis.h.  */

#include "unit.arch/decode-zydis.h"

#include <Zydis/Zydis.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static struct verdict verdict;
static bool zydis_verbose;
static ZydisDecoder decoder;

struct oracle
{
  ZydisDecodedInstruction insn;
  ZydisDecodedOperand ops[ZYDIS_MAX_OPERAND_COUNT];
};

static void
print_bytes (const uint8_t *code, unsigned n)
{
  for (unsigned k = 0; k < n; k++)
    printf ("%02x", code[k]);
}

/* Note that OURS and THEIRS disagree about I.  Each kind of disagreement is
   shown once for an opcode; true when it was.  */
static bool
disagree (enum aspect aspect, const struct insn *i, const struct oracle *z,
          unsigned long ours, unsigned long theirs)
{
  static bool shown[N_ASPECTS][5][16][256][8];
  bool *once = &shown[aspect][i->vex][i->map & 15][i->opcode]
                     [i->modrm >> 3 & 7];

  verdict.differs |= 1u << aspect;
  if (*once || !zydis_verbose || known_disagreement (i, aspect))
    return false;
  *once = true;
  printf ("%s: ", aspect_names[aspect]);
  print_bytes (i->bytes, z->insn.length ? z->insn.length : i->length);
  printf (" %s: %#lx, Zydis %#lx\n",
          ZydisMnemonicGetString (z->insn.mnemonic), ours, theirs);
  return true;
}

static enum insn_branch
direct_or (const struct oracle *z, enum insn_branch direct,
           enum insn_branch indirect)
{
  if (z->insn.meta.branch_type == ZYDIS_BRANCH_TYPE_FAR)
    return INSN_FAR;
  return z->ops[0].type == ZYDIS_OPERAND_TYPE_IMMEDIATE ? direct : indirect;
}

static enum insn_branch
branch_of_mnemonic (const struct oracle *z)
{
  switch (z->insn.mnemonic)
    {
    case ZYDIS_MNEMONIC_JMP:
      return direct_or (z, INSN_JMP, INSN_JMP_IND);
    case ZYDIS_MNEMONIC_CALL:
      return direct_or (z, INSN_CALL, INSN_CALL_IND);
    case ZYDIS_MNEMONIC_RET:
      return z->insn.opcode == 0xca || z->insn.opcode == 0xcb ? INSN_FAR
                                                              : INSN_RET;
    case ZYDIS_MNEMONIC_IRET:
    case ZYDIS_MNEMONIC_IRETD:
    case ZYDIS_MNEMONIC_IRETQ:
    case ZYDIS_MNEMONIC_SYSRET:
    case ZYDIS_MNEMONIC_SYSEXIT:
      return INSN_FAR;
    case ZYDIS_MNEMONIC_SYSCALL:
      return INSN_SYSCALL;
    case ZYDIS_MNEMONIC_SYSENTER:
      return INSN_SYSENTER;
    case ZYDIS_MNEMONIC_INT:
      return INSN_INT;
    case ZYDIS_MNEMONIC_INT3:
      return INSN_INT3;
    case ZYDIS_MNEMONIC_INT1:
      return INSN_INT1;
    case ZYDIS_MNEMONIC_UD0:
    case ZYDIS_MNEMONIC_UD1:
    case ZYDIS_MNEMONIC_UD2:
      return INSN_UD;
    case ZYDIS_MNEMONIC_HLT:
      return INSN_HLT;
    case ZYDIS_MNEMONIC_XBEGIN:
      return INSN_XBEGIN;
    case ZYDIS_MNEMONIC_LOOP:
    case ZYDIS_MNEMONIC_LOOPE:
    case ZYDIS_MNEMONIC_LOOPNE:
    case ZYDIS_MNEMONIC_JCXZ:
    case ZYDIS_MNEMONIC_JECXZ:
    case ZYDIS_MNEMONIC_JRCXZ:
      return INSN_LOOP;
    default:
      return z->insn.meta.category == ZYDIS_CATEGORY_COND_BR
               ? INSN_JCC : INSN_NO_BRANCH;
    }
}

static void
compare_branch (const struct insn *i, const struct oracle *z)
{
  enum insn_branch theirs = branch_of_mnemonic (z);
  ZyanU64 target;

  if (i->branch != theirs)
    disagree (BRANCH, i, z, i->branch, theirs);
  if (z->ops[0].type == ZYDIS_OPERAND_TYPE_IMMEDIATE
      && z->ops[0].imm.is_relative
      && ZYAN_SUCCESS (ZydisCalcAbsoluteAddress (&z->insn, &z->ops[0], i->pc,
                                                 &target))
      && target != i->target)
    disagree (TARGET, i, z, i->target, target);
}

/* The bit of general register R, or 0.  */
static unsigned
gpr_bit (ZydisRegister r)
{
  ZydisRegister wide
    = ZydisRegisterGetLargestEnclosing (ZYDIS_MACHINE_MODE_LONG_64, r);

  switch (ZydisRegisterGetClass (r))
    {
    case ZYDIS_REGCLASS_GPR8:
    case ZYDIS_REGCLASS_GPR16:
    case ZYDIS_REGCLASS_GPR32:
    case ZYDIS_REGCLASS_GPR64:
      return 1u << ZydisRegisterGetId (wide);
    default:
      return 0;
    }
}

static unsigned
register_number (ZydisRegister r)
{
  if (r == ZYDIS_REGISTER_NONE)
    return INSN_NO_REG;
  if (r == ZYDIS_REGISTER_RIP || r == ZYDIS_REGISTER_EIP)
    return INSN_RIP;
  if (gpr_bit (r))
    return __builtin_ctz (gpr_bit (r));
  return ZydisRegisterGetId (r);
}

static unsigned
their_prefixes (const struct oracle *z)
{
  ZydisInstructionAttributes a = z->insn.attributes;
  unsigned p = 0;

  for (unsigned k = 0; k < z->insn.operand_count; k++)
    if (z->ops[k].type == ZYDIS_OPERAND_TYPE_MEMORY
        && z->ops[k].mem.type != ZYDIS_MEMOP_TYPE_AGEN)
      {
        p |= register_number (z->ops[k].mem.base) == INSN_RIP
               ? INSN_RIP_RELATIVE : 0;
        p |= z->ops[k].mem.segment == ZYDIS_REGISTER_FS ? INSN_SEG_FS : 0;
        p |= z->ops[k].mem.segment == ZYDIS_REGISTER_GS ? INSN_SEG_GS : 0;
      }
  if (a & ZYDIS_ATTRIB_HAS_LOCK)
    p |= INSN_LOCK;
  if (a & (ZYDIS_ATTRIB_HAS_REP | ZYDIS_ATTRIB_HAS_REPE
           | ZYDIS_ATTRIB_HAS_REPNE))
    p |= INSN_REP;
  return p;
}

static void
compare_prefixes (const struct insn *i, const struct oracle *z)
{
  unsigned mask = INSN_RIP_RELATIVE | INSN_SEG_FS | INSN_SEG_GS | INSN_LOCK
                  | INSN_REP;
  unsigned ours = i->properties & mask, theirs = their_prefixes (z);

  /* xchg locks without the prefix; lea addresses without an access.  */
  if (z->insn.mnemonic == ZYDIS_MNEMONIC_XCHG)
    ours &= ~INSN_LOCK, theirs &= ~INSN_LOCK;
  if (z->ops[1].mem.type == ZYDIS_MEMOP_TYPE_AGEN
      || z->insn.mnemonic == ZYDIS_MNEMONIC_NOP)
    ours &= ~INSN_RIP_RELATIVE, theirs &= ~INSN_RIP_RELATIVE;
  if (ours != theirs)
    disagree (PREFIXES, i, z, ours, theirs);
}

static void
compare_flags (const struct insn *i, const struct oracle *z)
{
  const ZydisAccessedFlags *f = z->insn.cpu_flags;
  unsigned mask = FLAG_ARITH | FLAG_DF;
  unsigned read = f->tested & mask;
  unsigned written = (f->modified | f->set_0 | f->set_1 | f->undefined) & mask;
  unsigned ours_read = insn_flags_read (i) & mask;
  unsigned ours_written = insn_flags_written (i) & mask;

  if ((read & ~ours_read) || (ours_read & ~(read | written)))
    disagree (FLAGS_READ, i, z, ours_read, read);
  if (ours_written != written)
    disagree (FLAGS_WRITTEN, i, z, ours_written, written);
}

static void
their_gprs (const struct oracle *z, unsigned *read, unsigned *written)
{
  *read = *written = 0;
  for (unsigned k = 0; k < z->insn.operand_count; k++)
    {
      const ZydisDecodedOperand *op = &z->ops[k];
      unsigned bit;

      if (op->type == ZYDIS_OPERAND_TYPE_MEMORY)
        *read |= gpr_bit (op->mem.base) | gpr_bit (op->mem.index);
      if (op->type != ZYDIS_OPERAND_TYPE_REGISTER)
        continue;
      bit = gpr_bit (op->reg.value);
      if (op->actions & ZYDIS_OPERAND_ACTION_MASK_WRITE)
        *written |= bit;
      if ((op->actions & ZYDIS_OPERAND_ACTION_MASK_READ)
          || (op->actions & ZYDIS_OPERAND_ACTION_CONDWRITE) || op->size < 32)
        *read |= bit;
    }
}

static void
compare_gprs (const struct insn *i, const struct oracle *z)
{
  unsigned read, written;

  if (i->branch == INSN_FAR)
    return;
  their_gprs (z, &read, &written);
  if (insn_gpr_read (i) != read)
    disagree (GPR_READ, i, z, insn_gpr_read (i), read);
  if (insn_gpr_written (i) != written)
    disagree (GPR_WRITTEN, i, z, insn_gpr_written (i), written);
}

/* A memory operand as both sides can say it.  */
struct place
{
  unsigned base, index, scale, seg, size, access;
  unsigned element;             /* where an EVEX mask governs it */
  int64_t disp;
};

static unsigned
their_places (const struct oracle *z, struct place *places)
{
  unsigned n = 0;

  for (unsigned k = 0; k < z->insn.operand_count; k++)
    {
      const ZydisDecodedOperand *op = &z->ops[k];
      struct place *p = &places[n];

      if (op->type != ZYDIS_OPERAND_TYPE_MEMORY
          || op->mem.type == ZYDIS_MEMOP_TYPE_AGEN)
        continue;
      *p = (struct place){
        .base = register_number (op->mem.base),
        .index = register_number (op->mem.index),
        .scale = op->mem.index ? op->mem.scale : 1,
        .seg = op->mem.segment == ZYDIS_REGISTER_FS ? 4
               : op->mem.segment == ZYDIS_REGISTER_GS ? 5 : 0,
        .size = op->size / 8, .disp = op->mem.disp.value };
      if (z->insn.encoding == ZYDIS_INSTRUCTION_ENCODING_EVEX
          && z->insn.avx.mask.reg > ZYDIS_REGISTER_K0)
        p->element = op->element_size / 8;
      if (op->actions & ZYDIS_OPERAND_ACTION_MASK_READ)
        p->access |= INSN_READ;
      if (op->actions & ZYDIS_OPERAND_ACTION_MASK_WRITE)
        p->access |= INSN_WRITE;
      n++;
    }
  return n;
}

/* Sizes and accesses that are conventions, no facts: the bytes that xsave
   covers are not known here; a cache line that is flushed is not read.  */
static bool
size_is_open (const struct insn_mem *op)
{
  return op->kind == INSN_MEM_XSAVE || op->kind == INSN_MEM_UNKNOWN
         || op->access == INSN_PREFETCH;
}

/* Whether OP's displacement is DISP, as far as the address size goes.  */
static bool
same_disp (const struct insn_mem *op, int64_t disp)
{
  return op->addrsize == 4 ? (uint32_t)op->disp == (uint32_t)disp
                           : op->disp == disp;
}

/* Whether OP and P are the same operand.  Zydis calls a prefetch a read, and
   counts the whole of a VSIB operand.  */
static bool
same_place (const struct insn_mem *op, const struct place *p)
{
  unsigned access = op->access == INSN_PREFETCH ? INSN_READ : op->access;

  return op->base == p->base && op->index == p->index && op->scale == p->scale
         && same_disp (op, p->disp) && op->seg == p->seg
         && (op->size == p->size || size_is_open (op))
         && access == p->access
         && (!p->element || op->masked == INSN_MASKED_WHOLE
             || (op->masked && op->element == p->element));
}

static void
show_places (const struct insn_mem *ops, unsigned n_ops,
             const struct place *places, unsigned n_places)
{
  for (unsigned k = 0; k < n_ops; k++)
    printf ("    ours: kind %u base %#x index %#x scale %u disp %#" PRIx64
            " seg %u size %u access %u element %u\n", ops[k].kind,
            ops[k].base, ops[k].index, ops[k].scale, ops[k].disp, ops[k].seg,
            ops[k].size, ops[k].access, ops[k].element);
  for (unsigned k = 0; k < n_places; k++)
    printf ("    Zydis:       base %#x index %#x scale %u disp %#" PRIx64
            " seg %u size %u access %u element %u\n", places[k].base,
            places[k].index, places[k].scale, places[k].disp, places[k].seg,
            places[k].size, places[k].access, places[k].element);
}

static void
compare_memory (const struct insn *i, const struct oracle *z)
{
  struct insn_mem ops[INSN_MAX_MEM];
  struct place places[ZYDIS_MAX_OPERAND_COUNT];
  unsigned n_ops = insn_memory (i, ops), matched = 0;
  unsigned n_places = their_places (z, places);

  for (unsigned k = 0; k < n_ops; k++)
    for (unsigned m = 0; m < n_places; m++)
      if (same_place (&ops[k], &places[m]))
        {
          matched++;
          break;
        }
  if (n_ops == n_places && matched == n_ops)
    return;
  if (disagree (MEMORY, i, z, n_ops, n_places))
    show_places (ops, n_ops, places, n_places);
}

/* Whether Zydis knows the instruction, for a processor that this is about:
   not for Knights Corner, nor for VIA's PadLock.  */
static bool
ask (struct oracle *z, const uint8_t *code, size_t avail)
{
  return ZYAN_SUCCESS (
           ZydisDecoderDecodeFull (&decoder, code, avail, &z->insn, z->ops))
         && z->insn.meta.isa_ext != ZYDIS_ISA_EXT_KNC
         && z->insn.meta.isa_ext != ZYDIS_ISA_EXT_KNCE
         && z->insn.meta.isa_ext != ZYDIS_ISA_EXT_KNCV
         && z->insn.meta.isa_ext != ZYDIS_ISA_EXT_PADLOCK;
}

/* With an address size of 4, Zydis 4.0 takes SIB.base 5 for a register where
   REX.B is set and no displacement precedes it: SDM volume 2, table 2-5, has
   disp32 and no base there.  */
static bool
base_is_lost (const struct insn *i)
{
  return i->addrsize == 4 && i->modrm < 0x40 && (i->modrm & 7) == 4
         && (i->sib & 7) == 5 && (i->rex & 1);
}

/* Whether nothing of I is seen by a program that goes on: it raises a fault
   or does nothing, whatever operands the oracle lists.  */
static bool
has_no_effects (const struct insn *i, const struct oracle *z)
{
  return z->insn.mnemonic == ZYDIS_MNEMONIC_NOP || i->branch == INSN_UD
         || (i->properties & INSN_PRIVILEGED);
}

/* Offsets and sizes of the parts behind the prefixes; operand and address
   size.  Zydis splits two immediates, and has those of moffs as memory.  */
static void
compare_layout (const struct insn *i, const struct oracle *z)
{
  const ZydisDecodedInstruction *n = &z->insn;
  unsigned imm_size = (n->raw.imm[0].size + n->raw.imm[1].size) / 8;
  unsigned disp_at = n->raw.disp.offset, disp_size = n->raw.disp.size / 8;
  bool same;

  if (i->map == 0 && i->opcode >= 0xa0 && i->opcode <= 0xa3)
    {
      imm_size = disp_size;
      disp_at = disp_size = 0;
    }
  same = i->modrm_at == n->raw.modrm.offset && i->disp_size == disp_size
         && (disp_size == 0 || i->disp_at == disp_at)
         && i->imm_size == imm_size && i->addrsize == n->address_width / 8
         && (imm_size == 0 || i->imm_at + imm_size == i->length);
  if (i->vex == 0 && i->map == 0 && i->branch == INSN_NO_BRANCH
      && !(i->properties & (INSN_UNKNOWN | INSN_PRIVILEGED)))
    same = same && i->opsize == n->operand_width / 8;
  if (!same)
    disagree (LAYOUT, i, z, i->opsize, n->operand_width / 8);
}

/* The kernel sees all registers and all flags, and so the decoder has it.  */
static bool
enters_kernel (const struct insn *i)
{
  return i->branch == INSN_SYSCALL || i->branch == INSN_SYSENTER
         || i->branch == INSN_INT || i->branch == INSN_INT3
         || i->branch == INSN_INT1;
}

static void
compare_effects (const struct insn *i, const struct oracle *z)
{
  compare_prefixes (i, z);
  if (enters_kernel (i))
    return;
  compare_flags (i, z);
  if (base_is_lost (i))
    return;
  compare_gprs (i, z);
  compare_memory (i, z);
}

/* See decode-zydis.h.  */
struct verdict
zydis_judge (const struct insn *i, enum insn_status status,
             const uint8_t *code, size_t avail)
{
  struct oracle z = { 0 };

  verdict = (struct verdict){ 0 };
  if (!ask (&z, code, avail))
    return verdict;
  verdict.known = true;
  verdict.length = z.insn.length;
  if (status != INSN_OK)
    disagree (VALIDITY, i, &z, status, 0);
  else if (i->length != z.insn.length)
    disagree (LENGTH, i, &z, i->length, z.insn.length);
  else
    {
      compare_layout (i, &z);
      compare_branch (i, &z);
      if (i->properties & INSN_UNKNOWN)
        disagree (KNOWN, i, &z, 0, 1);
      else if (!has_no_effects (i, &z))
        compare_effects (i, &z);
    }
  return verdict;
}

/* See decode-zydis.h.  */
void
zydis_init (bool verbose)
{
  zydis_verbose = verbose;
  ZydisDecoderInit (&decoder, ZYDIS_MACHINE_MODE_LONG_64,
                    ZYDIS_STACK_WIDTH_64);
}
