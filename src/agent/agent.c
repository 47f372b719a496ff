/* Agent expressions compiled to native code.  See agent.h.

   The height of the stack is known at each operation, so each element has a
   place: the first six a register that C preserves, the others a word of a
   frame on the engine's stack.  %rax, %rcx and %rdx are scratch.

     (%rsp)             elements from the seventh
     frame.args         arguments of a printf
     frame.value        where a hook puts a value
     frame.loops        jumps backwards that are still allowed

   map.note has, for each operation, the offset of its code; or, while that is
   not known, the last of a list of the jumps that want to go there, threaded
   through their displacements.  So have the errors, and the end.  */

#include "agent/agent.h"
#include "common/assert.h"

#define N_SLOT_REGS 6
#define OP_MAX 112              /* bytes of code for an operation, at most */
#define ARG_MAX 24              /* and for an argument of printf */
#define EXITS_MAX 200           /* and for prologue and exits together */

#define LIST (1u << 31)         /* in a note: it is a list of jumps */
#define NOTHING 0x7fffffffu     /* the end of such a list */

/* Opcodes, of the form OP r/m64, r64.  */
enum { ADD = 0x01, OR = 0x09, AND = 0x21, SUB = 0x29, XOR = 0x31, CMP = 0x39,
       TEST = 0x85 };

/* Conditions of jcc and setcc.  */
enum { CC_B = 2, CC_E = 4, CC_NE = 5, CC_L = 12 };

static const uint8_t slot_regs[N_SLOT_REGS]
  = { ARCH_RBX, ARCH_R12, ARCH_R13, ARCH_R14, ARCH_R15, ARCH_RBP };

struct frame
{
  unsigned args, value, loops, size;    /* offsets from %rsp; size 0: none */
};

struct compiler
{
  const struct agent_request *r;
  const struct bytecode_info *info;
  struct bytecode_map *map;
  struct emit *e;
  struct agent_code *code;
  uint8_t *start;               /* writable */
  struct frame frame;
  uint32_t errors[AGENT_N_ERRORS];      /* lists of jumps */
  uint32_t hook_failed, end;            /* likewise */
  bool unreachable;
};

static const char *const sentences[AGENT_N_ERRORS] = {
  "",
#define AGENT_ERROR(NAME, SENTENCE) SENTENCE,
#include "agent/errors.def"
#undef AGENT_ERROR
};

/* See agent.h.  */

const char *
agent_sentence (enum agent_error error)
{
  return error < AGENT_N_ERRORS ? sentences[error] : "";
}

static struct frame
frame_of (const struct bytecode_info *info)
{
  unsigned spilt = info->max_height > N_SLOT_REGS
                     ? info->max_height - N_SLOT_REGS : 0;
  struct frame f;

  f.args = 8 * spilt;
  f.value = f.args + 8 * info->max_args;
  f.loops = f.value + 8;
  f.size = spilt || info->has_calls || info->has_loops
             ? ALIGN_UP (f.loops + 8, 16) : 0;
  return f;
}

/* See agent.h.  */

unsigned
agent_clobbers (const struct bytecode_info *info)
{
  unsigned mask = 1u << ARCH_RAX | 1u << ARCH_RCX | 1u << ARCH_RDX;

  if (info->has_calls)
    return (1u << ARCH_N_GPR) - 1;
  for (unsigned i = 0; i < MIN (info->max_height, N_SLOT_REGS); i++)
    mask |= 1u << slot_regs[i];
  if (frame_of (info).size)
    mask |= 1u << ARCH_RSP;
  return mask;
}

/* See agent.h.  */

size_t
agent_code_max (const struct bytecode_info *info)
{
  return (size_t) info->n_ops * OP_MAX + (size_t) info->n_args * ARG_MAX
         + EXITS_MAX;
}

/* The offset of the next byte of code.  */
static uint32_t
here (const struct compiler *c)
{
  return c->e->at - c->start;
}

/* Jumps.  */

static void
put_32 (struct compiler *c, uint32_t at, uint32_t v)
{
  __builtin_memcpy (c->start + at, &v, 4);
}

static uint32_t
get_32 (const struct compiler *c, uint32_t at)
{
  uint32_t v;

  __builtin_memcpy (&v, c->start + at, 4);
  return v;
}

/* The opcode of a jump: conditional on CC, or not (CC < 0).  */
static void
jump_opcode (struct compiler *c, int cc)
{
  if (cc >= 0)
    {
      emit_8 (c->e, 0x0f);
      emit_8 (c->e, 0x80 | cc);
    }
  else
    emit_8 (c->e, 0xe9);
}

/* Jump to what LIST is the list of.  */
static void
jump_list (struct compiler *c, int cc, uint32_t *list)
{
  jump_opcode (c, cc);
  uint32_t field = here (c);
  emit_32 (c->e, *list);
  *list = field;
}

/* What LIST is the list of is here.  */
static void
land_list (struct compiler *c, uint32_t list)
{
  while (list != NOTHING)
    {
      uint32_t next = get_32 (c, list);
      put_32 (c, list, here (c) - (list + 4));
      list = next;
    }
}

/* Jump to the operation at PC of the expression.  */
static void
jump_op (struct compiler *c, int cc, size_t pc)
{
  uint32_t *note = &c->map->note[pc];

  if (*note & LIST)
    {
      uint32_t list = *note & ~LIST;
      jump_list (c, cc, &list);
      *note = list | LIST;
      return;
    }
  jump_opcode (c, cc);
  emit_32 (c->e, *note - (here (c) + 4));
}

/* Jump to TO, or to the end.  */
static void
jump_exit (struct compiler *c, int cc, cache_pc to)
{
  if (!to)
    {
      jump_list (c, cc, &c->end);
      return;
    }
  jump_opcode (c, cc);
  int64_t distance = emit_distance (emit_pc (c->e), to);
  c->unreachable |= distance != (int32_t) distance;
  emit_32 (c->e, (uint32_t) distance);
}

/* Instructions.  */

/* OPCODE between registers of 64 bits: REG into RM.  */
static void
op_rr (struct compiler *c, unsigned opcode, unsigned rm, unsigned reg)
{
  emit_8 (c->e, emit_rex_w (reg, rm));
  emit_8 (c->e, opcode);
  emit_8 (c->e, emit_modrm_byte (3, reg, rm));
}

/* 0F OPCODE, RM the source.  */
static void
op_0f (struct compiler *c, unsigned opcode, unsigned reg, unsigned rm)
{
  emit_8 (c->e, emit_rex_w (reg, rm));
  emit_8 (c->e, 0x0f);
  emit_8 (c->e, opcode);
  emit_8 (c->e, emit_modrm_byte (3, reg, rm));
}

/* An opcode with an extension EXT in the place of a register.  */
static void
op_ext (struct compiler *c, unsigned opcode, unsigned ext, unsigned rm)
{
  emit_8 (c->e, emit_rex_w (0, rm));
  emit_8 (c->e, opcode);
  emit_8 (c->e, emit_modrm_byte (3, ext, rm));
}

/* Shift RM by N bits: EXT is 4 for left, 5 for right, 7 for signed right.  */
static void
shift_imm (struct compiler *c, unsigned ext, unsigned rm, unsigned n)
{
  op_ext (c, 0xc1, ext, rm);
  emit_8 (c->e, n);
}

/* mov FROM, TO, 32 bits: the upper half of TO becomes 0.  */
static void
mov_32 (struct compiler *c, unsigned to, unsigned from)
{
  emit_8 (c->e, emit_rex_w (from, to) & ~8);
  emit_8 (c->e, 0x89);
  emit_8 (c->e, emit_modrm_byte (3, from, to));
}

/* REG = condition CC.  %rax is scratch.  */
static void
set_cc (struct compiler *c, unsigned cc, unsigned reg)
{
  static const uint8_t movzx_al_eax[] = { 0x0f, 0xb6, 0xc0 };

  emit_8 (c->e, 0x0f);
  emit_8 (c->e, 0x90 | cc);
  emit_8 (c->e, 0xc0);
  emit_bytes (c->e, movzx_al_eax, sizeof movzx_al_eax);
  if (reg != ARCH_RAX)
    emit_mov (c->e, reg, ARCH_RAX);
}

/* Elements of the stack.  */

static bool
in_reg (unsigned slot)
{
  return slot < N_SLOT_REGS;
}

static int32_t
slot_at (unsigned slot)
{
  return 8 * (slot - N_SLOT_REGS);
}

/* The register of SLOT, or SCRATCH with its value loaded.  */
static unsigned
use (struct compiler *c, unsigned slot, unsigned scratch)
{
  if (in_reg (slot))
    return slot_regs[slot];
  emit_load (c->e, scratch, ARCH_RSP, slot_at (slot));
  return scratch;
}

/* The register in which to make a new value of SLOT: its own, or SCRATCH; and
   what has to be done when it is made.  */
static unsigned
make (unsigned slot, unsigned scratch)
{
  return in_reg (slot) ? slot_regs[slot] : scratch;
}

static void
made (struct compiler *c, unsigned slot, unsigned reg)
{
  if (!in_reg (slot))
    emit_store (c->e, reg, ARCH_RSP, slot_at (slot));
  else if (slot_regs[slot] != reg)
    emit_mov (c->e, slot_regs[slot], reg);
}

static void
copy (struct compiler *c, unsigned to, unsigned from)
{
  made (c, to, use (c, from, ARCH_RAX));
}

/* Operations.  H is the height of the stack before each: its top element is
   slot H - 1.  */

static void
op_binary (struct compiler *c, unsigned h, unsigned opcode)
{
  unsigned a = use (c, h - 2, ARCH_RAX), b = use (c, h - 1, ARCH_RCX);

  op_rr (c, opcode, a, b);
  made (c, h - 2, a);
}

static void
op_mul (struct compiler *c, unsigned h)
{
  unsigned a = use (c, h - 2, ARCH_RAX), b = use (c, h - 1, ARCH_RCX);

  op_0f (c, 0xaf, a, b);
  made (c, h - 2, a);
}

/* The smallest number divided by -1 does not fit and would fault; by -1 is
   the negative, and the remainder is 0.

       mov a, %rax;  mov b, %rcx
       test %rcx, %rcx;  jz division error
       signed:    cmp $-1, %rcx;  jne 1f
                  neg %rax;  xor %edx, %edx;  jmp 2f
               1: cqo;  idiv %rcx
       unsigned:  xor %edx, %edx;  div %rcx
               2:  */
static void
op_division (struct compiler *c, unsigned h, bool is_signed, unsigned result)
{
  static const uint8_t divide_signed[]
    = { 0x48, 0x83, 0xf9, 0xff, 0x75, 0x07, 0x48, 0xf7, 0xd8, 0x31, 0xd2,
        0xeb, 0x05, 0x48, 0x99, 0x48, 0xf7, 0xf9 };
  static const uint8_t divide_unsigned[] = { 0x31, 0xd2, 0x48, 0xf7, 0xf1 };
  unsigned a = use (c, h - 2, ARCH_RAX), b = use (c, h - 1, ARCH_RCX);

  if (a != ARCH_RAX)
    emit_mov (c->e, ARCH_RAX, a);
  if (b != ARCH_RCX)
    emit_mov (c->e, ARCH_RCX, b);
  op_rr (c, TEST, ARCH_RCX, ARCH_RCX);
  jump_list (c, CC_E, &c->errors[AGENT_DIVISION]);
  if (is_signed)
    emit_bytes (c->e, divide_signed, sizeof divide_signed);
  else
    emit_bytes (c->e, divide_unsigned, sizeof divide_unsigned);
  made (c, h - 2, result);
}

static void
op_shift (struct compiler *c, unsigned h, unsigned ext)
{
  unsigned a = use (c, h - 2, ARCH_RAX), b = use (c, h - 1, ARCH_RCX);

  if (b != ARCH_RCX)
    emit_mov (c->e, ARCH_RCX, b);
  op_ext (c, 0xd3, ext, a);
  made (c, h - 2, a);
}

static void
op_compare (struct compiler *c, unsigned h, unsigned cc)
{
  unsigned a = use (c, h - 2, ARCH_RAX), b = use (c, h - 1, ARCH_RCX);

  op_rr (c, CMP, a, b);
  set_cc (c, cc, make (h - 2, ARCH_RAX));
  if (!in_reg (h - 2))
    made (c, h - 2, ARCH_RAX);
}

static void
op_log_not (struct compiler *c, unsigned h)
{
  unsigned a = use (c, h - 1, ARCH_RAX);

  op_rr (c, TEST, a, a);
  set_cc (c, CC_E, make (h - 1, ARCH_RAX));
  if (!in_reg (h - 1))
    made (c, h - 1, ARCH_RAX);
}

static void
op_bit_not (struct compiler *c, unsigned h)
{
  unsigned a = use (c, h - 1, ARCH_RAX);

  op_ext (c, 0xf7, 2, a);
  made (c, h - 1, a);
}

static void
op_ext_bits (struct compiler *c, unsigned h, unsigned bits, bool is_signed)
{
  if (bits >= 64)
    return;
  unsigned a = use (c, h - 1, ARCH_RAX);

  if (!bits)
    op_rr (c, XOR, a, a);
  else if (bits == 32 && !is_signed)
    mov_32 (c, a, a);
  else
    {
      shift_imm (c, 4, a, 64 - bits);
      shift_imm (c, is_signed ? 7 : 5, a, 64 - bits);
    }
  made (c, h - 1, a);
}

/* A read of memory.  The address stays in its register if it faults.  */
static void
op_ref (struct compiler *c, unsigned h, unsigned bytes)
{
  unsigned a = use (c, h - 1, ARCH_RAX);
  struct agent_fault *f = &c->code->faults[c->code->n_faults++];

  vm_assert (c->code->n_faults <= c->info->n_refs);
  f->at = here (c);
  f->exit = a;                  /* for now: what write_fault_exits wants */
  if (bytes < 4)
    {
      emit_8 (c->e, emit_rex_w (a, a));
      emit_8 (c->e, 0x0f);
      emit_8 (c->e, bytes == 1 ? 0xb6 : 0xb7);
    }
  else
    {
      emit_8 (c->e, bytes == 8 ? emit_rex_w (a, a) : emit_rex_w (a, a) & ~8);
      emit_8 (c->e, 0x8b);
    }
  emit_base_disp (c->e, a, a, 0);
  made (c, h - 1, a);
}

static void
op_const (struct compiler *c, unsigned h, uint64_t v)
{
  unsigned to = make (h, ARCH_RAX);

  emit_mov_imm (c->e, to, v);
  made (c, h, to);
}

static void
op_swap (struct compiler *c, unsigned h)
{
  unsigned a = use (c, h - 2, ARCH_RAX), b = use (c, h - 1, ARCH_RCX);

  emit_mov (c->e, ARCH_RDX, b);
  made (c, h - 1, a);
  made (c, h - 2, ARCH_RDX);
}

/* a b c becomes c a b.  */
static void
op_rot (struct compiler *c, unsigned h)
{
  emit_mov (c->e, ARCH_RDX, use (c, h - 1, ARCH_RAX));
  copy (c, h - 1, h - 2);
  copy (c, h - 2, h - 3);
  made (c, h - 3, ARCH_RDX);
}

static void
op_goto (struct compiler *c, size_t pc, size_t to, int cc)
{
  uint32_t skip = NOTHING;

  if (to <= pc)
    {
      if (cc >= 0)
        jump_list (c, cc ^ 1, &skip);
      emit_8 (c->e, emit_rex_w (0, 0)); /* decq FRAME.LOOPS(%rsp) */
      emit_8 (c->e, 0xff);
      emit_base_disp (c->e, 1, ARCH_RSP, c->frame.loops);
      jump_list (c, CC_E, &c->errors[AGENT_LOOP]);
      jump_op (c, -1, to);
      land_list (c, skip);
    }
  else
    jump_op (c, cc, to);
}

static void
op_if_goto (struct compiler *c, unsigned h, size_t pc, size_t to)
{
  unsigned a = use (c, h - 1, ARCH_RAX);

  op_rr (c, TEST, a, a);
  op_goto (c, pc, to, CC_NE);
}

static void
op_end (struct compiler *c, unsigned h)
{
  if (c->r->want_value)
    {
      unsigned a = use (c, h - 1, ARCH_RAX);

      op_rr (c, TEST, a, a);
      jump_exit (c, CC_E, c->r->exits.no);
    }
  jump_exit (c, -1, c->r->exits.yes);
}

/* Call the hook at OFFSET of the table; %rdx and %rcx are its last arguments,
   and %rdx what an error will be about.  */
static void
call_hook (struct compiler *c, size_t offset)
{
  emit_store_gs (c->e, ARCH_RDX, CONTEXT_SPILL (1));
  emit_load_gs (c->e, ARCH_RDI, 0);
  emit_mov_imm (c->e, ARCH_RSI, c->r->cookie);
  emit_mov_imm (c->e, ARCH_RAX, (uintptr_t) c->r->hooks);
  emit_8 (c->e, 0xff);          /* call *OFFSET(%rax) */
  emit_base_disp (c->e, 2, ARCH_RAX, offset);
  emit_8 (c->e, 0x85);          /* test %eax, %eax */
  emit_8 (c->e, 0xc0);
  jump_list (c, CC_NE, &c->hook_failed);
}

#define CALL_HOOK(C, NAME) call_hook (C, offsetof (struct agent_hooks, NAME))

/* A hook that gives the value of number N.  */
static void
op_get (struct compiler *c, unsigned h, size_t hook, uint64_t n)
{
  emit_mov_imm (c->e, ARCH_RDX, n);
  emit_lea (c->e, ARCH_RCX, ARCH_RSP, c->frame.value);
  call_hook (c, hook);
  unsigned to = make (h, ARCH_RAX);
  emit_load (c->e, to, ARCH_RSP, c->frame.value);
  made (c, h, to);
}

static void
op_setv (struct compiler *c, unsigned h, uint64_t n)
{
  emit_mov_imm (c->e, ARCH_RDX, n);
  emit_mov (c->e, ARCH_RCX, use (c, h - 1, ARCH_RAX));
  CALL_HOOK (c, set_variable);
}

static void
op_tracev (struct compiler *c, uint64_t n)
{
  emit_mov_imm (c->e, ARCH_RDX, n);
  CALL_HOOK (c, trace_variable);
}

/* Trace what the two top elements tell.  */
static void
op_trace (struct compiler *c, unsigned h, size_t hook)
{
  emit_mov (c->e, ARCH_RDX, use (c, h - 2, ARCH_RAX));
  emit_mov (c->e, ARCH_RCX, use (c, h - 1, ARCH_RAX));
  call_hook (c, hook);
}

static void
op_trace_quick (struct compiler *c, unsigned h, uint64_t size)
{
  emit_mov (c->e, ARCH_RDX, use (c, h - 1, ARCH_RAX));
  emit_mov_imm (c->e, ARCH_RCX, size);
  CALL_HOOK (c, trace);
}

/* The elements from the top: function, channel, arguments from the first.  */
static void
op_print (struct compiler *c, unsigned h, const uint8_t *at,
           const struct bytecode_op *op)
{
  for (unsigned i = 0; i < op->operand; i++)
    emit_store (c->e, use (c, h - 3 - i, ARCH_RAX), ARCH_RSP,
                c->frame.args + 8 * i);
  emit_mov_imm (c->e, ARCH_RDX, (uintptr_t) (at + 4));
  emit_lea (c->e, ARCH_RCX, ARCH_RSP, c->frame.args);
  CALL_HOOK (c, print);
}

/* A segment register; GDB has them in the order cs ss ds es fs gs.  */
static void
load_segment (struct compiler *c, unsigned to, unsigned reg)
{
  static const uint8_t code[] = { 1, 2, 3, 0, 4, 5 };

  emit_8 (c->e, emit_rex_w (0, to) & ~8);       /* mov %seg, %to */
  emit_8 (c->e, 0x8c);
  emit_8 (c->e, emit_modrm_byte (3, code[reg - BYTECODE_REG_CS], to));
}

static void
load_fs_base (struct compiler *c, unsigned to)
{
  if (!c->r->has_fsgsbase)
    {
      emit_load_gs (c->e, to, offsetof (struct arch_context, fs_base));
      return;
    }
  emit_8 (c->e, 0xf3);          /* rdfsbase %to */
  emit_8 (c->e, emit_rex_w (0, to));
  emit_8 (c->e, 0x0f);
  emit_8 (c->e, 0xae);
  emit_8 (c->e, emit_modrm_byte (3, 0, to));
}

static void
op_reg (struct compiler *c, unsigned h, unsigned reg)
{
  unsigned to = make (h, ARCH_RAX);

  if (reg < 16)
    emit_load_gs (c->e, to, CONTEXT_GPR (bytecode_gpr (reg)));
  else if (reg == BYTECODE_REG_RIP && !c->r->pc)
    emit_load_gs (c->e, to, CONTEXT_RIP);
  else if (reg == BYTECODE_REG_RIP)
    emit_mov_imm (c->e, to, c->r->pc);
  else if (reg == BYTECODE_REG_RFLAGS)
    {
      emit_load_gs (c->e, to, CONTEXT_RFLAGS);
      mov_32 (c, to, to);
    }
  else if (reg <= BYTECODE_REG_GS)
    load_segment (c, to, reg);
  else if (reg == BYTECODE_REG_ORIG_RAX)
    emit_mov_imm (c->e, to, -1ul);
  else if (reg == BYTECODE_REG_FS_BASE)
    load_fs_base (c, to);
  else if (reg == BYTECODE_REG_GS_BASE)
    emit_load_gs (c->e, to, offsetof (struct arch_context, gs_base));
  else
    {
      op_get (c, h, offsetof (struct agent_hooks, read_register), reg);
      return;
    }
  made (c, h, to);
}

/* Compile the operation OP at PC.  A flat switch.  */
static void
compile_op (struct compiler *c, const struct bytecode_op *op, size_t pc)
{
  unsigned h = c->map->height[pc];

  switch (op->code)
    {
    case BYTECODE_add: op_binary (c, h, ADD); break;
    case BYTECODE_sub: op_binary (c, h, SUB); break;
    case BYTECODE_mul: op_mul (c, h); break;
    case BYTECODE_div_signed: op_division (c, h, true, ARCH_RAX); break;
    case BYTECODE_div_unsigned: op_division (c, h, false, ARCH_RAX); break;
    case BYTECODE_rem_signed: op_division (c, h, true, ARCH_RDX); break;
    case BYTECODE_rem_unsigned: op_division (c, h, false, ARCH_RDX); break;
    case BYTECODE_lsh: op_shift (c, h, 4); break;
    case BYTECODE_rsh_signed: op_shift (c, h, 7); break;
    case BYTECODE_rsh_unsigned: op_shift (c, h, 5); break;
    case BYTECODE_log_not: op_log_not (c, h); break;
    case BYTECODE_bit_and: op_binary (c, h, AND); break;
    case BYTECODE_bit_or: op_binary (c, h, OR); break;
    case BYTECODE_bit_xor: op_binary (c, h, XOR); break;
    case BYTECODE_bit_not: op_bit_not (c, h); break;
    case BYTECODE_equal: op_compare (c, h, CC_E); break;
    case BYTECODE_less_signed: op_compare (c, h, CC_L); break;
    case BYTECODE_less_unsigned: op_compare (c, h, CC_B); break;
    case BYTECODE_ext: op_ext_bits (c, h, op->operand, true); break;
    case BYTECODE_zero_ext: op_ext_bits (c, h, op->operand, false); break;
    case BYTECODE_ref8: op_ref (c, h, 1); break;
    case BYTECODE_ref16: op_ref (c, h, 2); break;
    case BYTECODE_ref32: op_ref (c, h, 4); break;
    case BYTECODE_ref64: op_ref (c, h, 8); break;
    case BYTECODE_const8:
    case BYTECODE_const16:
    case BYTECODE_const32:
    case BYTECODE_const64: op_const (c, h, op->operand); break;
    case BYTECODE_reg: op_reg (c, h, op->operand); break;
    case BYTECODE_dup: copy (c, h, h - 1); break;
    case BYTECODE_pop: break;
    case BYTECODE_swap: op_swap (c, h); break;
    case BYTECODE_pick: copy (c, h, h - 1 - op->operand); break;
    case BYTECODE_rot: op_rot (c, h); break;
    case BYTECODE_if_goto: op_if_goto (c, h, pc, op->operand); break;
    case BYTECODE_goto: op_goto (c, pc, op->operand, -1); break;
    case BYTECODE_end: op_end (c, h); break;
    case BYTECODE_getv:
      op_get (c, h, offsetof (struct agent_hooks, get_variable), op->operand);
      break;
    case BYTECODE_setv: op_setv (c, h, op->operand); break;
    case BYTECODE_tracev: op_tracev (c, op->operand); break;
    case BYTECODE_trace:
      op_trace (c, h, offsetof (struct agent_hooks, trace));
      break;
    case BYTECODE_tracenz:
      op_trace (c, h, offsetof (struct agent_hooks, trace_string));
      break;
    case BYTECODE_trace_quick:
    case BYTECODE_trace16: op_trace_quick (c, h, op->operand); break;
    case BYTECODE_print: op_print (c, h, c->r->bytes + pc, op); break;
    }
}

/* Take the frame.  The engine's stack is not in use: the thread runs in the
   cache.  */
static void
write_prologue (struct compiler *c)
{
  if (c->info->has_calls)
    emit_8 (c->e, 0xfc);        /* cld */
  if (!c->frame.size)
    return;
  emit_load_gs (c->e, ARCH_RSP, CONTEXT_ENGINE_RSP);
  op_ext (c, 0x83, 4, ARCH_RSP);        /* and $-16, %rsp */
  emit_8 (c->e, 0xf0);
  op_ext (c, 0x81, 5, ARCH_RSP);        /* sub $SIZE, %rsp */
  emit_32 (c->e, c->frame.size);
  if (c->info->has_loops)
    {
      emit_mov_imm (c->e, ARCH_RAX, AGENT_MAX_LOOPS);
      emit_store (c->e, ARCH_RAX, ARCH_RSP, c->frame.loops);
    }
}

/* Where control goes on after a read that faulted: the address goes to %rax,
   from the register that was noted for each.  */
static void
write_fault_exits (struct compiler *c)
{
  for (uint32_t i = 0; i < c->code->n_faults; i++)
    {
      struct agent_fault *f = &c->code->faults[i];
      unsigned address = f->exit;

      f->exit = here (c);
      if (address != ARCH_RAX)
        emit_mov (c->e, ARCH_RAX, address);
      jump_list (c, -1, &c->errors[AGENT_MEMORY]);
    }
}

/* Write what ends with error ERROR, which is about %rax, if there is any.  */
static void
write_error (struct compiler *c, enum agent_error error)
{
  if (c->errors[error] == NOTHING)
    return;
  land_list (c, c->errors[error]);
  if (error != AGENT_MEMORY)
    emit_mov_imm (c->e, ARCH_RAX, 0);
  emit_mov_imm (c->e, ARCH_RCX, error);
  emit_store_gs (c->e, ARCH_RCX, CONTEXT_SPILL (0));
  emit_store_gs (c->e, ARCH_RAX, CONTEXT_SPILL (1));
  jump_exit (c, -1, c->r->exits.error);
}

static void
write_exits (struct compiler *c)
{
  write_fault_exits (c);
  for (unsigned error = 1; error < AGENT_N_ERRORS; error++)
    write_error (c, error);
  if (c->hook_failed != NOTHING)
    {
      land_list (c, c->hook_failed);
      mov_32 (c, ARCH_RAX, ARCH_RAX);
      emit_store_gs (c->e, ARCH_RAX, CONTEXT_SPILL (0));
      jump_exit (c, -1, c->r->exits.error);
    }
  land_list (c, c->end);
}

/* See agent.h.  */

enum bytecode_refusal
agent_compile (const struct agent_request *r, struct bytecode_map *map,
               const struct bytecode_info *info, struct emit *e,
               struct agent_code *code)
{
  struct compiler c = { .r = r, .info = info, .map = map, .e = e,
                        .code = code, .start = e->at,
                        .frame = frame_of (info), .hook_failed = NOTHING,
                        .end = NOTHING };
  struct bytecode_op op;

  for (unsigned i = 0; i < AGENT_N_ERRORS; i++)
    c.errors[i] = NOTHING;
  for (size_t i = 0; i < r->length; i++)
    map->note[i] = NOTHING | LIST;
  code->start = emit_pc (e);
  code->n_faults = 0;

  write_prologue (&c);
  for (size_t pc = 0; pc < r->length; pc++)
    if (map->height[pc] <= BYTECODE_MAX_HEIGHT)
      {
        if (bytecode_decode (r->bytes, r->length, pc, &op))
          vm_unreachable ("an expression that was not verified");
        land_list (&c, map->note[pc] & ~LIST);
        map->note[pc] = here (&c);
        compile_op (&c, &op, pc);
      }
  write_exits (&c);
  code->size = here (&c);
  vm_assert (code->size <= agent_code_max (info));
  return c.unreachable ? BYTECODE_UNREACHABLE : BYTECODE_OK;
}

/* Whether HOOKS has what operation OP calls.  */
static bool
has_hook (const struct agent_hooks *hooks, const struct bytecode_op *op)
{
  switch (op->code)
    {
    case BYTECODE_trace:
    case BYTECODE_trace_quick:
    case BYTECODE_trace16: return hooks && hooks->trace;
    case BYTECODE_tracenz: return hooks && hooks->trace_string;
    case BYTECODE_tracev: return hooks && hooks->trace_variable;
    case BYTECODE_getv: return hooks && hooks->get_variable;
    case BYTECODE_setv: return hooks && hooks->set_variable;
    case BYTECODE_print: return hooks && hooks->print;
    default: return true;
    }
}

/* Whether register REG is read by a hook.  */
static bool
is_hooked_register (unsigned reg)
{
  return reg > BYTECODE_REG_GS && reg != BYTECODE_REG_ORIG_RAX
         && reg != BYTECODE_REG_FS_BASE && reg != BYTECODE_REG_GS_BASE;
}

/* See agent.h.  */

enum bytecode_refusal
agent_verify (const struct agent_request *r, struct bytecode_map *map,
              struct bytecode_info *info)
{
  struct bytecode_op op;
  enum bytecode_refusal why
    = bytecode_verify (r->bytes, r->length, r->want_value, map, info);

  for (size_t pc = 0; !why && pc < r->length && info->has_calls; pc++)
    if (map->height[pc] <= BYTECODE_MAX_HEIGHT)
      {
        info->at = pc;
        why = bytecode_decode (r->bytes, r->length, pc, &op);
        if (!why && !has_hook (r->hooks, &op))
          why = BYTECODE_BAD_OPERAND;
        if (!why && op.code == BYTECODE_reg && is_hooked_register (op.operand)
            && !(r->hooks && r->hooks->read_register))
          why = BYTECODE_BAD_REGISTER;
      }
  return why;
}

/* See agent.h.  */

cache_pc
agent_fault_exit (const struct agent_code *code, cache_pc pc)
{
  uint32_t low = 0, high = code->n_faults;

  if (pc < code->start || pc >= code->start + code->size)
    return NULL;
  while (low < high)
    {
      uint32_t mid = low + (high - low) / 2;

      if (code->start + code->faults[mid].at == pc)
        return code->start + code->faults[mid].exit;
      if (code->start + code->faults[mid].at < pc)
        low = mid + 1;
      else
        high = mid;
    }
  return NULL;
}
