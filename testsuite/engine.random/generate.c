/* See generate.h.  */

#include "engine.random/generate.h"

#include <string.h>

#include "engine.random/operand.h"
#include "unit.arch/decode-random.h"

#define MASK(R) (1u << (R))
#define N_ROUTINES 20
#define MAX_DEPTH 4
/* Instructions that a routine, and the program, may execute, about.  */
#define MAX_COST 30000
#define MAX_NARROW 120

struct routine
{
  uint64_t pc;
  unsigned area, popped;        /* bytes that its return pops */
  unsigned long cost;
};

static struct routine routines[N_ROUTINES];
static unsigned n_routines;
static unsigned long cost, weight;
static bool have_fsgsbase;
static unsigned odd;            /* units within which %rsp is not aligned */

static void units (unsigned n, unsigned depth, unsigned preserve);

static struct control *
control (void)
{
  return (struct control *)CONTROL (asm_area ());
}

/* A word of the control page that holds TARGET.  */
static uint64_t
slot (uint64_t target)
{
  struct control *c = control ();
  unsigned n = c->n_slots++ % ARRAY_SIZE (c->slots);

  if (c->n_slots > ARRAY_SIZE (c->slots))
    __builtin_trap ();
  c->slots[n] = target;
  return (uint64_t)(c->slots + n);
}

static bool
slots_are_scarce (void)
{
  return control ()->n_slots + 16 > ARRAY_SIZE (control ()->slots);
}

/* A register that may be changed, or RSP if there is none.  */
static unsigned
scratch (unsigned preserve)
{
  for (unsigned tries = 0; tries < 40; tries++)
    {
      unsigned r = below (16);
      if (r != RSP && !(preserve & MASK (r)))
        return r;
    }
  return RSP;
}

static void
rex_modrm (unsigned rex, uint8_t opcode, unsigned reg, unsigned mod,
           unsigned rm)
{
  asm_mark ();
  asm_8 (0x40 | rex | (reg & 8) >> 1 | rm >> 3);
  asm_8 (opcode);
  asm_8 (mod << 6 | (reg & 7) << 3 | (rm & 7));
}

/* mov TARGET, %R: as an immediate, or by lea.  */
static void
load_address (unsigned r, uint64_t target)
{
  int64_t distance = target - asm_here ();

  if (below (2) || distance != (int32_t)distance)
    {
      asm_mov_imm (r, target);
      return;
    }
  rex_modrm (8, 0x8d, r, 0, 5);
  asm_32 (target - (asm_here () + 4));
}

/* A branch over what comes, that is taken or not; returns its offset of 32
   bits.  */
static uint64_t
branch_over (void)
{
  asm_mark ();
  asm_8 (0x0f);
  asm_8 (0x80 | below (16));
  asm_32 (0);
  return asm_here () - 4;
}

static void
unit_if (unsigned depth, unsigned preserve)
{
  uint64_t over = branch_over (), end;

  units (1 + below (4), depth + 1, preserve);
  if (below (2))
    {
      end = ASM_BRANCH ("\xe9");
      asm_land (over);
      units (1 + below (4), depth + 1, preserve);
      asm_land (end);
    }
  else
    asm_land (over);
}

/* Short branches over a few instructions: jcc, loop and its like, jrcxz,
   jecxz.  */
static void
unit_narrow_if (unsigned preserve)
{
  static const uint8_t loops[] = { 0xe0, 0xe1, 0xe2, 0xe3 };
  uint64_t start = asm_here (), field;

  asm_mark ();
  if (below (3))
    asm_8 (0x70 | below (16));
  else if (preserve & MASK (RCX))
    asm_8 (0xeb);
  else
    {
      if (below (3) == 0)
        asm_8 (0x67);
      asm_8 (loops[below (4)]);
    }
  field = asm_here ();
  asm_8 (0);
  for (unsigned n = below (4); n; n--)
    operand_insn (preserve);
  if (asm_here () - field > MAX_NARROW)
    asm_rewind (start);
  else
    *(uint8_t *)field = asm_here () - (field + 1);
}

/* A loop by `loop' and its like, back over a few instructions.  */
static void
unit_narrow_loop (unsigned preserve)
{
  uint64_t start = asm_here (), body;

  if (preserve & MASK (RCX))
    return;
  asm_mov_imm (RCX, 1 + below (60));
  body = asm_here ();
  for (unsigned n = 1 + below (3); n; n--)
    operand_insn (preserve | MASK (RCX));
  asm_mark ();
  asm_8 (0xe0 + below (3));
  asm_8 (body - (asm_here () + 1));
  cost += weight * 150;
  if (asm_here () - body > MAX_NARROW)
    asm_rewind (start);
}

/* A loop with a counter in memory: flags are the decrement's.  */
static void
unit_loop (unsigned depth, unsigned preserve)
{
  unsigned n = 2 + below (below (4) ? 8 : 60);
  struct control *c = control ();
  uint64_t counter, top, back;

  if (cost + weight * n * 40 > MAX_COST
      || c->n_counters == ARRAY_SIZE (c->counters))
    return;
  counter = (uint64_t)(c->counters + c->n_counters++);
  weight *= n;
  asm_rip ("\xc7\x05", 2, counter, 4);
  asm_32 (n);
  top = asm_here ();
  units (1 + below (5), depth + 1, preserve);
  ASM_RIP ("\xff\x0d", counter); /* decl */
  back = ASM_BRANCH ("\x0f\x85"); /* jnz */
  asm_offset (back, top);
  weight /= n;
}

/* Jump to where %R says, in one of the ways.  */
static void
jump_register (unsigned r)
{
  switch (below (3))
    {
    case 0:                     /* push, ret */
      asm_mark ();
      asm_8 (0x40 | r >> 3);
      asm_8 (0x50 | (r & 7));
      ASM ("\xc3");
      break;
    default:
      rex_modrm (0, 0xff, 4, 3, r);
    }
}

/* OPCODE with %REG and DISP8(%BASE,%INDEX,1 << SCALE), DISP8 being 0.  */
static void
rex_modrm_sib (unsigned rex, uint8_t opcode, unsigned reg, unsigned base,
               unsigned index, unsigned scale)
{
  asm_mark ();
  asm_8 (0x40 | rex | (reg & 8) >> 1 | (index & 8) >> 2 | base >> 3);
  asm_8 (opcode);
  asm_8 (0x44 | (reg & 7) << 3);
  asm_8 (scale << 6 | (index & 7) << 3 | (base & 7));
  asm_8 (0);
}

/* Bits of memory, a number below N, to %R.  */
static void
load_number (unsigned r, unsigned n)
{
  asm_mark ();                  /* movzbl place(%rip), %R */
  asm_8 (0x40 | (r & 8) >> 1);
  asm_8 (0x0f);
  asm_8 (0xb6);
  asm_8 (0x05 | (r & 7) << 3);
  asm_32 (NEAR_DATA (asm_area ()) + DATA_MARGIN + below (4096)
          - (asm_here () + 4));
  rex_modrm (0, 0x83, 4, 3, r); /* and */
  asm_8 (n - 1);
}

/* Ways of a table in the code: addresses, or differences from it.  */
struct table
{
  uint64_t at;
  unsigned n;
  bool differences;
};

static void
write_table (struct table *t)
{
  uint64_t over = ASM_BRANCH ("\xe9");

  t->at = asm_here ();
  for (unsigned k = 0; k < t->n; k++)
    t->differences ? asm_32 (0) : asm_64 (0);
  asm_land (over);
}

static void
set_way (const struct table *t, unsigned k)
{
  uint64_t here = asm_here ();

  if (t->differences)
    memcpy ((void *)(t->at + 4 * k), &(uint32_t){ here - t->at }, 4);
  else
    memcpy ((void *)(t->at + 8 * k), &here, 8);
}

static void
jump_by_table (const struct table *t, unsigned r, unsigned base)
{
  load_number (r, t->n);
  load_address (base, t->at);
  if (t->differences)
    {
      rex_modrm_sib (8, 0x63, r, base, r, 2);   /* movslq */
      rex_modrm (8, 0x01, base, 3, r);          /* add */
      jump_register (r);
    }
  else
    rex_modrm_sib (0, 0xff, 4, base, r, 3);
}

/* One of 2, 4 or 8 ways.  */
static void
unit_table (unsigned depth, unsigned preserve)
{
  struct table t = { .n = 2 << below (3), .differences = below (2) };
  unsigned r = scratch (preserve), base = scratch (preserve | MASK (r));
  uint64_t ends[8];

  if (r == RSP || base == RSP)
    return;
  write_table (&t);
  jump_by_table (&t, r, base);
  for (unsigned k = 0; k < t.n; k++)
    {
      set_way (&t, k);
      units (1 + below (2), depth + 1, preserve);
      ends[k] = ASM_BRANCH ("\xe9");
    }
  for (unsigned k = 0; k < t.n; k++)
    asm_land (ends[k]);
}

/* Bytes that are no code, jumped over.  */
static void
unit_jump (unsigned preserve)
{
  uint64_t over = 0;
  unsigned r = scratch (preserve), n = below (40);

  if (below (2) || r == RSP)
    over = ASM_BRANCH ("\xe9");
  else
    {
      /* Twice the address: first it is not known.  */
      uint64_t start = asm_here ();
      asm_mov_imm (r, 0);
      jump_register (r);
      uint64_t target = asm_here () + n;
      memcpy ((void *)(start + 2), &target, 8);
    }
  while (n--)
    asm_8 (random_bits () >> 40);
  if (over)
    asm_land (over);
}

static void
push_arguments (unsigned bytes)
{
  if (below (2))
    asm_lea_rsp (-(int32_t)bytes);
  else
    for (; bytes; bytes -= 8)
      {
        asm_mark ();
        asm_8 (0x68);
        asm_32 (random_bits ());
      }
}

static void
call_by_register (const struct routine *to, unsigned r)
{
  load_address (r, to->pc);
  if (below (4) || r == RSP)
    rex_modrm (0, 0xff, 2, 3, r);
  else
    {
      /* A call through the stack: mov %R, -8(%rsp); call *-8(%rsp).  */
      rex_modrm (8, 0x89, r, 1, 4);
      asm_8 (0x24);
      asm_8 (0xf8);
      ASM ("\xff\x54\x24\xf8");
    }
}

static void
unit_call (unsigned preserve)
{
  const struct routine *to;
  unsigned r = scratch (preserve);

  /* A routine counts on an aligned stack.  */
  if (!n_routines || preserve || odd)
    return;
  to = routines + below (n_routines);
  if (cost + weight * to->cost > MAX_COST || slots_are_scarce ())
    return;
  cost += weight * to->cost;
  push_arguments (to->popped);
  if (to->area == asm_area () && below (2))
    asm_offset (ASM_BRANCH ("\xe8"), to->pc);
  else if (below (2) || r == RSP)
    ASM_RIP ("\xff\x15", slot (to->pc));
  else
    call_by_register (to, r);
}

/* Push something of 2 or 8 bytes; returns which.  */
static unsigned
push_any (void)
{
  unsigned size = below (4) ? 8 : 2;

  asm_mark ();
  if (size == 2)
    asm_8 (0x66);
  switch (below (6))
    {
    case 0:
      asm_8 (0x6a);
      asm_8 (random_bits () >> 40);
      break;
    case 1:
      asm_8 (0x68);
      asm_bytes (&(uint32_t){ random_bits () }, size == 2 ? 2 : 4);
      break;
    case 2:
      asm_8 (0x9c);
      break;
    case 3:                     /* push disp(%rsp) */
      asm_bytes ("\xff\x74\x24", 3);
      asm_8 (below (100));
      break;
    case 4:                     /* push disp(%rip) */
      asm_bytes ("\xff\x35", 2);
      asm_32 (NEAR_DATA (asm_area ()) + DATA_MARGIN + below (4096)
              - (asm_here () + 4));
      break;
    default:
      asm_8 (0x40 | below (2));
      asm_8 (0x50 | below (8));
    }
  return size;
}

/* Pop 8 bytes into the flags: not the trap flag, nor alignment checks.  */
static void
pop_flags (void)
{
  ASM ("\x48\x81\x24\x24\xd5\x4c\x20\x00"); /* andq $0x204cd5, (%rsp) */
  ASM ("\x9d");
}

/* Pop 2 or 8 bytes, at most LEFT; returns how many.  */
static unsigned
pop_any (unsigned left, unsigned preserve)
{
  unsigned size = left < 8 || below (4) == 0 ? 2 : 8, r = scratch (preserve);

  if (size == 8 && below (4) == 0)
    {
      pop_flags ();
      return 8;
    }
  asm_mark ();
  if (size == 2)
    asm_8 (0x66);
  if (r == RSP || below (3) == 0)
    {
      /* pop disp(%rsp), pop disp(%rip) */
      if (below (2))
        {
          asm_bytes ("\x8f\x44\x24", 3);
          asm_8 (below (100));
        }
      else
        {
          asm_bytes ("\x8f\x05", 2);
          asm_32 (NEAR_DATA (asm_area ()) + DATA_MARGIN + below (4096)
                  - (asm_here () + 4));
        }
    }
  else
    {
      asm_8 (0x40 | r >> 3);
      asm_8 (0x58 | (r & 7));
    }
  return size;
}

static void
unit_stack (unsigned depth, unsigned preserve)
{
  unsigned bytes = 0;

  for (unsigned n = 1 + below (4); n; n--)
    bytes += push_any ();
  odd += bytes % 8 != 0;
  units (below (4), depth + 1, preserve);
  odd -= bytes % 8 != 0;
  while (bytes)
    bytes -= pop_any (bytes, preserve);
}

/* enter and leave, or %rsp itself pushed and popped.  */
static void
unit_frame (unsigned depth, unsigned preserve)
{
  if (preserve & MASK (RBP))
    return;
  switch (below (3))
    {
    case 0:
      ASM ("\x54");             /* push %rsp; pop %rsp */
      ASM ("\x5c");
      break;
    default:
      ASM ("\x48\x8d\x6c\x24\x60"); /* lea 96(%rsp), %rbp */
      asm_mark ();
      asm_8 (0xc8);
      asm_bytes (&(uint16_t){ 8 * below (12) }, 2);
      asm_8 (below (2) ? 0 : below (6));
      units (below (5), depth + 1, preserve | MASK (RBP));
      ASM ("\xc9");
    }
}

/* The bases of the segments, as the program may read and set them.  */
static void
unit_segment (unsigned preserve)
{
  unsigned r = scratch (preserve), to = below (4);
  static const uint64_t base[] = { 0, 0, FS_DATA, GS_DATA };

  if (!have_fsgsbase || r == RSP)
    return;
  if (to >= 2)
    asm_mov_imm (r, base[to]);
  asm_mark ();
  asm_8 (0xf3);
  asm_8 (0x48 | r >> 3);
  asm_bytes ("\x0f\xae", 2);
  asm_8 (0xc0 | to << 3 | (r & 7));
}

/* Some instructions with alignment checks.  */
static void
unit_aligned (unsigned preserve)
{
  if (odd)
    return;
  ASM ("\x9c");
  ASM ("\x81\x0c\x24\x00\x00\x04\x00"); /* orl $0x40000, (%rsp) */
  ASM ("\x9d");
  for (unsigned n = below (8); n; n--)
    operand_insn (preserve);
  ASM ("\x9c");
  ASM ("\x81\x24\x24\xff\xff\xfb\xff"); /* andl $~0x40000, (%rsp) */
  ASM ("\x9d");
}

static void
unit_checkpoint (unsigned preserve)
{
  (void)preserve;
  cost += weight * 20;
  ASM_RIP ("\xff\x15", (uint64_t)&control ()->checkpoint);
}

static void
unit_plain (unsigned preserve)
{
  unsigned r = scratch (preserve);

  cost += weight;
  if (below (20) == 0 && r != RSP)
    asm_mov_imm (r, random_bits () >> below (64));
  else if (below (60) == 0)
    ASM ("\xfc");
  else
    operand_insn (preserve);
}

static void
unit_structured (unsigned depth, unsigned preserve)
{
  switch (below (13))
    {
    case 0:
    case 1:
      unit_if (depth, preserve);
      break;
    case 2:
      unit_narrow_if (preserve);
      break;
    case 3:
      unit_narrow_loop (preserve);
      break;
    case 4:
      unit_loop (depth, preserve);
      break;
    case 5:
      unit_table (depth, preserve);
      break;
    case 6:
      unit_jump (preserve);
      break;
    case 7:
    case 8:
      unit_call (preserve);
      break;
    case 9:
      unit_stack (depth, preserve);
      break;
    case 10:
      unit_frame (depth, preserve);
      break;
    case 11:
      unit_segment (preserve);
      break;
    case 12:
      unit_aligned (preserve);
      break;
    }
}

static void
units (unsigned n, unsigned depth, unsigned preserve)
{
  while (n--)
    if (depth < MAX_DEPTH && !asm_is_full () && below (3) == 0)
      unit_structured (depth, preserve);
    else if (below (16) == 0)
      unit_checkpoint (preserve);
    else
      unit_plain (preserve);
}

/* A routine ends by a return, or by a jump to one that pops as much.  */
static void
leave (struct routine *r)
{
  const struct routine *to = n_routines ? routines + below (n_routines) : 0;

  asm_lea_rsp (FRAME_SIZE);
  if (to && to->popped == r->popped && to->area == r->area
      && cost + to->cost < MAX_COST)
    {
      cost += to->cost;
      asm_offset (ASM_BRANCH ("\xe9"), to->pc);
    }
  else if (r->popped)
    {
      ASM ("\xc2");
      asm_bytes (&(uint16_t){ r->popped }, 2);
    }
  else if (below (2))
    ASM ("\xc3");
  else
    ASM ("\xf3\xc3");
}

static void
write_routine (struct routine *r)
{
  r->area = below (4) == 0;
  asm_select (r->area);
  r->pc = asm_here ();
  r->popped = below (3) ? 0 : 8 * below (4);
  cost = 0;
  weight = 1;
  asm_lea_rsp (-FRAME_SIZE);
  units (6 + below (10), 0, 0);
  leave (r);
  r->cost = cost + 10;
}

/* See generate.h.  */
uint64_t
generate (bool fsgsbase)
{
  uint64_t start;

  have_fsgsbase = fsgsbase;
  asm_reset ();
  for (unsigned n = 0; n < N_AREAS; n++)
    {
      asm_select (n);
      control ()->n_slots = control ()->n_counters = 0;
    }
  for (n_routines = 0; n_routines < N_ROUTINES; n_routines++)
    write_routine (routines + n_routines);
  asm_select (0);
  start = asm_here ();
  for (unsigned n = 0; n < 5; n++)
    {
      cost = 0;
      unit_call (0);
      unit_checkpoint (0);
    }
  ASM_RIP ("\xff\x25", (uint64_t)&control ()->finish);
  return start;
}
