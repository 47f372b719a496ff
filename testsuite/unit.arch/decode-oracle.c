/* The decoder against Zydis, over the code of installed programs.

   usage: decode-oracle [-v] [FILE...]

   With no FILE, a few libraries that every system has.  -v shows an example
   of each kind of disagreement, keyed by encoding family, map and opcode.  */

#include "lib/check.h"
#include "unit.arch/decode-sweep.h"

#include <Zydis/Zydis.h>
#include <inttypes.h>
#include <string.h>

static const char *const usual_files[] = {
  "/lib/x86_64-linux-gnu/libc.so.6",
  "/lib/x86_64-linux-gnu/libm.so.6",
  "/lib64/ld-linux-x86-64.so.2",
  "/usr/lib/x86_64-linux-gnu/libstdc++.so.6",
  "/usr/lib/x86_64-linux-gnu/libcrypto.so.3",
  "/usr/bin/python3"
};

/* What can disagree.  */
enum aspect
{
  VALIDITY, LENGTH, BRANCH, TARGET, KNOWN, PREFIXES, FLAGS_READ,
  FLAGS_WRITTEN, GPR_READ, GPR_WRITTEN, N_ASPECTS
};

static const char *const aspect_names[N_ASPECTS] = {
  "validity", "length", "branch kind", "branch target", "known",
  "effective prefixes", "flags read", "flags written", "registers read",
  "registers written"
};

static unsigned long n_disagreements[N_ASPECTS];
static bool verbose;
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
   shown once for an opcode.  */
static void
disagree (enum aspect aspect, const struct insn *i, const struct oracle *z,
          unsigned long ours, unsigned long theirs)
{
  static bool shown[N_ASPECTS][5][16][256][8];
  bool *once = &shown[aspect][i->vex][i->map & 15][i->opcode]
                     [i->modrm >> 3 & 7];

  n_disagreements[aspect]++;
  if (*once || !verbose)
    return;
  *once = true;
  printf ("%s: ", aspect_names[aspect]);
  print_bytes (i->bytes, z->insn.length ? z->insn.length : i->length);
  printf (" %s: %#lx, Zydis %#lx\n",
          ZydisMnemonicGetString (z->insn.mnemonic), ours, theirs);
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

static unsigned
their_prefixes (const struct oracle *z)
{
  ZydisInstructionAttributes a = z->insn.attributes;
  unsigned p = 0;

  for (unsigned k = 0; k < z->insn.operand_count; k++)
    if (z->ops[k].type == ZYDIS_OPERAND_TYPE_MEMORY
        && z->ops[k].mem.type != ZYDIS_MEMOP_TYPE_AGEN)
      {
        p |= z->ops[k].mem.base == ZYDIS_REGISTER_RIP ? INSN_RIP_RELATIVE : 0;
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

  if (i->branch == INSN_SYSCALL || i->branch == INSN_INT
      || i->branch == INSN_SYSENTER || i->branch == INSN_FAR)
    return;
  their_gprs (z, &read, &written);
  if (insn_gpr_read (i) != read)
    disagree (GPR_READ, i, z, insn_gpr_read (i), read);
  if (insn_gpr_written (i) != written)
    disagree (GPR_WRITTEN, i, z, insn_gpr_written (i), written);
}

static unsigned
compare (const struct insn *i, enum insn_status status, const uint8_t *code,
         size_t avail)
{
  struct oracle z = { 0 };
  bool known = ZYAN_SUCCESS (
    ZydisDecoderDecodeFull (&decoder, code, avail, &z.insn, z.ops));

  if (!known)
    return status == INSN_OK && (i->properties & INSN_UNKNOWN) ? 1 : 0;
  if (status != INSN_OK)
    {
      disagree (VALIDITY, i, &z, status, 0);
      return z.insn.length;
    }
  if (i->length != z.insn.length)
    {
      disagree (LENGTH, i, &z, i->length, z.insn.length);
      return z.insn.length;
    }
  compare_branch (i, &z);
  if (i->properties & INSN_UNKNOWN)
    {
      disagree (KNOWN, i, &z, 0, 1);
      return 0;
    }
  compare_prefixes (i, &z);
  compare_flags (i, &z);
  compare_gprs (i, &z);
  return 0;
}

int
main (int argc, char **argv)
{
  int k = 1;

  ZydisDecoderInit (&decoder, ZYDIS_MACHINE_MODE_LONG_64,
                    ZYDIS_STACK_WIDTH_64);
  if (k < argc && !strcmp (argv[k], "-v"))
    verbose = true, k++;
  if (k == argc)
    for (unsigned f = 0; f < ARRAY_SIZE (usual_files); f++)
      sweep_file (usual_files[f], compare);
  for (; k < argc; k++)
    sweep_file (argv[k], compare);
  printf ("%lu instructions, %lu distinct\n", sweep_n_met, sweep_n_distinct);
  check (sweep_n_distinct > 1000, "there is code to decode");
  for (unsigned a = 0; a < N_ASPECTS; a++)
    check (n_disagreements[a] == 0, "%s as Zydis has it (%lu differ)",
           aspect_names[a], n_disagreements[a]);
  return check_done ();
}
