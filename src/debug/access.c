/* See access.h.  */

#include "debug/access.h"
#include "engine/gate.h"
#include "engine/thread.h"

/* As many of the bytes at PC as can be read go to BYTES.  */
static size_t
fetch (uint8_t bytes[INSN_MAX_LENGTH], app_pc pc)
{
  size_t page = PAGE_SIZE - pc % PAGE_SIZE;

  if (safe_read (bytes, pc, INSN_MAX_LENGTH))
    return INSN_MAX_LENGTH;
  return page < INSN_MAX_LENGTH && safe_read (bytes, pc, page) ? page : 0;
}

static uint64_t
cut (uint64_t value, unsigned size)
{
  return size == 4 ? (uint32_t) value : value;
}

static uint64_t
segment_base (const struct arch_context *c, unsigned seg)
{
  if (seg == 4)
    return thread_fs_base ((const struct thread *) c);
  return seg == 5 ? c->gs_base : 0;
}

static int64_t
bit_offset (const struct arch_context *c, const struct insn_mem *m)
{
  uint64_t r = c->gpr[m->element];
  int64_t bits = m->size == 2   ? (int16_t) r
                 : m->size == 4 ? (int32_t) r
                                : (int64_t) r;

  return (bits >> __builtin_ctz (8 * m->size)) * (int64_t) m->size;
}

/* Where the operand M of I begins; of string instructions the first
   element.  */
static app_addr
operand_start (const struct arch_context *c, const struct insn *i,
               const struct insn_mem *m)
{
  uint64_t a = (uint64_t) m->disp;

  if (m->base == INSN_RIP)
    a += i->pc + i->length;
  else if (m->base != INSN_NO_REG)
    a += c->gpr[m->base];
  if (m->index != INSN_NO_REG && m->index < ARCH_N_GPR)
    a += c->gpr[m->index] * m->scale;
  if (m->kind == INSN_MEM_PUSH)
    a -= m->size;
  else if (m->kind == INSN_MEM_XLAT)
    a += (uint8_t) c->gpr[ARCH_RAX];
  else if (m->kind == INSN_MEM_BIT)
    a += (uint64_t) bit_offset (c, m);
  a = cut (a, m->addrsize) + segment_base (c, m->seg);
  return m->kind == INSN_MEM_LINE ? a & -(uint64_t) m->size : a;
}

static void
add_part (struct access *a, app_addr start, uint64_t size, unsigned access)
{
  a->part[a->n++] = (struct access_part){
    start, start + size < start ? -1ul : start + size, access
  };
}

static void
add_operand (struct access *a, const struct arch_context *c,
             const struct insn_mem *m)
{
  bool everywhere
      = m->kind == INSN_MEM_VSIB || m->kind == INSN_MEM_UNKNOWN
        || (a->insn.properties & INSN_UNKNOWN);

  if (everywhere && (m->access & INSN_WRITE))
    add_part (a, 0, -1ul, INSN_WRITE);
  else if (!everywhere)
    add_part (a, operand_start (c, &a->insn, m), m->size, m->access);
}

static bool
is_repeated (const struct insn *i, const struct insn_mem *m)
{
  return (i->properties & INSN_REP)
         && (m->kind == INSN_MEM_STRING_SRC || m->kind == INSN_MEM_STRING_DST);
}

/* The iteration, from 0, of COUNT in which the string operand M first meets
   RANGES; COUNT: in none.  */
static uint64_t
first_meeting (const struct arch_context *c, const struct insn *i,
               const struct insn_mem *m, uint64_t count,
               const struct ranges *ranges)
{
  app_addr at = operand_start (c, i, m);
  bool down = c->rflags & FLAG_DF;
  uint64_t bytes = count * m->size;
  app_addr start = down ? at + m->size - bytes : at, end = start + bytes;
  uint64_t found = count;

  for (unsigned n = ranges_first (ranges, start, end); n < ranges->n;
       n = ranges_next (ranges, n + 1, start, end))
    {
      const struct range *r = ranges->range + n;
      uint64_t k = down ? (end - MIN (r->end, end)) / m->size
                        : (MAX (r->start, start) - start) / m->size;
      if (range_wants (r, m->access))
        found = MIN (found, k);
      if (!down)
        break;
    }
  return found;
}

/* Let the repeated instruction do what leads to iteration N, and that.  */
static void
limit_to (struct access *a, struct arch_context *c, uint64_t count,
          uint64_t n, const struct insn_mem *m, unsigned n_mem)
{
  uint64_t moved = (c->rflags & FLAG_DF) ? -n : n;

  for (unsigned k = 0; k < n_mem; k++)
    add_part (a, operand_start (c, &a->insn, m + k) + moved * m[k].size,
              m[k].size, m[k].access);
  a->rest = count - (n + 1);
  c->gpr[ARCH_RCX] = n + 1;
}

static void
begin_repeated (struct access *a, struct arch_context *c,
                const struct insn_mem *m, unsigned n_mem,
                const struct ranges *ranges)
{
  uint64_t count = cut (c->gpr[ARCH_RCX], a->insn.addrsize), n = count;

  for (unsigned k = 0; count && k < n_mem; k++)
    n = MIN (n, first_meeting (c, &a->insn, m + k, count, ranges));
  if (n < count)
    limit_to (a, c, count, n, m, n_mem);
}

/* See access.h.  */
void
access_begin (struct access *a, struct arch_context *c,
              const struct ranges *ranges)
{
  struct insn_mem m[INSN_MAX_MEM];
  unsigned n;

  a->n = 0;
  a->rest = 0;
  if (insn_decode (&a->insn, a->bytes, fetch (a->bytes, c->rip), c->rip)
      != INSN_OK)
    return;
  n = insn_memory (&a->insn, m);
  if (n && is_repeated (&a->insn, m))
    begin_repeated (a, c, m, n, ranges);
  else
    for (unsigned k = 0; k < n; k++)
      add_operand (a, c, m + k);
  if (!n && (a->insn.properties & INSN_UNKNOWN))
    add_part (a, 0, -1ul, INSN_WRITE);
}

/* A repeated instruction that has not been stopped by what it compared goes
   on: cmps and scas end by ZF (SDM volume 2, REP).  */
static bool
goes_on (const struct insn *i, uint64_t rflags)
{
  unsigned op = i->opcode & 0xfe;

  if (op != 0xa6 && op != 0xae)
    return true;
  return (i->prefix_rep == 0xf3) == !!(rflags & FLAG_ZF);
}

/* See access.h.  */
void
access_end (struct access *a, struct arch_context *c, app_pc pc, bool done)
{
  uint64_t left;

  if (!a->rest)
    return;
  left = cut (c->gpr[ARCH_RCX], a->insn.addrsize);
  if (done && !left && goes_on (&a->insn, c->rflags))
    c->rip = pc;
  c->gpr[ARCH_RCX] = cut (left + a->rest, a->insn.addrsize);
  a->rest = 0;
}
