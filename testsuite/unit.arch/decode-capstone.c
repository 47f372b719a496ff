/* See decode-capstone.h.  */

#include "unit.arch/decode-capstone.h"

#include <capstone/capstone.h>
#include <stdlib.h>
#include <string.h>

static csh handle;
static cs_insn *insn;

/* See decode-capstone.h.  */
void
capstone_init (void)
{
  if (cs_open (CS_ARCH_X86, CS_MODE_64, &handle) != CS_ERR_OK)
    abort ();
  cs_option (handle, CS_OPT_DETAIL, CS_OPT_ON);
  insn = cs_malloc (handle);
}

static const struct
{
  uint64_t read, written;
  unsigned flag;
} eflags[] = {
#define MODIFIED(F) \
  X86_EFLAGS_MODIFY_##F | X86_EFLAGS_RESET_##F | X86_EFLAGS_SET_##F
  { X86_EFLAGS_TEST_CF, MODIFIED (CF) | X86_EFLAGS_UNDEFINED_CF, FLAG_CF },
  { X86_EFLAGS_TEST_PF, MODIFIED (PF) | X86_EFLAGS_UNDEFINED_PF, FLAG_PF },
  { X86_EFLAGS_TEST_AF, MODIFIED (AF) | X86_EFLAGS_UNDEFINED_AF, FLAG_AF },
  { X86_EFLAGS_TEST_ZF, MODIFIED (ZF) | X86_EFLAGS_UNDEFINED_ZF, FLAG_ZF },
  { X86_EFLAGS_TEST_SF, MODIFIED (SF) | X86_EFLAGS_UNDEFINED_SF, FLAG_SF },
  { X86_EFLAGS_TEST_OF, MODIFIED (OF) | X86_EFLAGS_UNDEFINED_OF, FLAG_OF },
  { X86_EFLAGS_TEST_DF, MODIFIED (DF), FLAG_DF },
};

static bool
flags_differ (const struct insn *i, const cs_x86 *x)
{
  unsigned read = 0, written = 0, mask = FLAG_ARITH | FLAG_DF;

  for (unsigned k = 0; k < ARRAY_SIZE (eflags); k++)
    {
      if (x->eflags & eflags[k].read)
        read |= eflags[k].flag;
      if (x->eflags & eflags[k].written)
        written |= eflags[k].flag;
    }
  return (read & ~insn_flags_read (i)) != 0
         || (insn_flags_written (i) & mask) != written;
}

static bool
in_group (unsigned group)
{
  return cs_insn_group (handle, insn, group);
}

/* The kind of branch, as far as groups tell.  */
static bool
branch_differs (const struct insn *i)
{
  switch (i->branch)
    {
    case INSN_JCC:
    case INSN_LOOP:
    case INSN_JMP:
    case INSN_JMP_IND:
      return !in_group (CS_GRP_JUMP);
    case INSN_CALL:
    case INSN_CALL_IND:
      return !in_group (CS_GRP_CALL);
    case INSN_RET:
      return !in_group (CS_GRP_RET);
    case INSN_NO_BRANCH:
      return in_group (CS_GRP_JUMP) || in_group (CS_GRP_CALL)
             || in_group (CS_GRP_RET);
    default:
      return false;
    }
}

static const char gpr_names[16][4] = {
  "ax", "cx", "dx", "bx", "sp", "bp", "si", "di",
  "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15"
};

/* The bit of general register REG, whatever its size, or 0.  */
static unsigned
gpr_bit (unsigned reg)
{
  const char *name = cs_reg_name (handle, reg);
  size_t n;

  if (name == NULL)
    return 0;
  if (name[0] == 'r' && name[1] >= '0' && name[1] <= '9')
    return 1u << atoi (name + 1);
  if ((name[0] == 'r' || name[0] == 'e') && strlen (name) == 3)
    name++;
  n = strlen (name);
  for (unsigned k = 0; k < 8; k++)
    if (!strcmp (name, gpr_names[k])
        || (k < 4 && n == 2 && name[0] == gpr_names[k][0]
            && (name[1] == 'l' || name[1] == 'h'))
        || (n == 3 && name[2] == 'l' && !strncmp (name, gpr_names[k], 2)))
      return 1u << k;
  return 0;
}

static unsigned
gprs_of (const cs_regs regs, unsigned n)
{
  unsigned mask = 0;

  for (unsigned k = 0; k < n; k++)
    mask |= gpr_bit (regs[k]);
  return mask;
}

static unsigned
gprs_differ (const struct insn *i)
{
  cs_regs read, written;
  uint8_t n_read, n_written;
  unsigned differs = 0;

  if (cs_regs_access (handle, insn, read, &n_read, written, &n_written)
      != CS_ERR_OK)
    return 0;
  if (gprs_of (read, n_read) & ~insn_gpr_read (i))
    differs |= 1u << GPR_READ;
  if (gprs_of (written, n_written) != insn_gpr_written (i))
    differs |= 1u << GPR_WRITTEN;
  return differs;
}

/* Whether an explicit memory operand of Capstone's is none of ours.  */
static bool
memory_differs (const struct insn *i, const cs_x86 *x)
{
  struct insn_mem ops[INSN_MAX_MEM];
  unsigned n = insn_memory (i, ops);

  for (unsigned k = 0; k < x->op_count; k++)
    {
      bool found = x->operands[k].type != X86_OP_MEM
                   || insn->id == X86_INS_LEA || insn->id == X86_INS_NOP;

      for (unsigned m = 0; m < n && !found; m++)
        found = ops[m].size == x->operands[k].size
                && ops[m].access == x->operands[k].access;
      if (!found)
        return true;
    }
  return false;
}

/* See decode-capstone.h.  */
struct verdict
capstone_judge (const struct insn *i, enum insn_status status,
                const uint8_t *code, size_t avail)
{
  struct verdict v = { 0 };
  uint64_t address = i->pc;

  if (!cs_disasm_iter (handle, &code, &avail, &address, insn))
    return v;
  v.known = true;
  v.length = insn->size;
  if (status != INSN_OK)
    v.differs = 1u << VALIDITY;
  else if (i->length != insn->size)
    v.differs = 1u << LENGTH;
  else if (!(i->properties & (INSN_UNKNOWN | INSN_PRIVILEGED))
           && i->branch != INSN_UD)
    {
      v.differs |= branch_differs (i) << BRANCH;
      if (flags_differ (i, &insn->detail->x86))
        v.differs |= 1u << FLAGS_READ | 1u << FLAGS_WRITTEN;
      v.differs |= gprs_differ (i);
      v.differs |= memory_differs (i, &insn->detail->x86) << MEMORY;
    }
  return v;
}
