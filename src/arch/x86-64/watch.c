/* See arch/watch.h.  */

#include "arch/watch.h"
#include "arch/enter.h"
#include "common/assert.h"

#define MASK(R) (1u << (R))
#define REST_MASK (MASK (ARCH_RAX) | MASK (ARCH_RCX) | MASK (ARCH_RDX))

/* See watch.h.  CPUID.(7,0).EBX bit 8 (SDM volume 2, CPUID).  */
bool
arch_watch_has_bmi2 (void)
{
  uint32_t a = 7, b, c = 0, d;

  __asm__ ("cpuid" : "+a"(a), "=b"(b), "+c"(c), "=d"(d));
  return b >> 8 & 1;
}

static void
mark_byte (const struct arch_watch_table *t, uint64_t at, uint8_t bits,
           bool set)
{
  uint64_t size = t->wide ? 1ul << 32 : 1ul << 16;
  uint64_t index = at & (size - 1);

  for (unsigned twice = 0; twice < 2; twice++, index += size)
    {
      if (set)
        t->bits[index] |= bits;
      else
        t->bits[index] &= (uint8_t) ~bits;
      if (index >= 8)
        break;
    }
}

/* See watch.h.  */
void
arch_watch_mark (const struct arch_watch_table *t, app_addr start,
                 app_addr end, bool set)
{
  uint64_t n = end - start, limit = t->wide ? 1ul << 35 : 1ul << 19;

  for (n = MIN (n, limit); n;)
    {
      unsigned bit = start % 8, count = MIN (8 - bit, n);
      mark_byte (t, start / 8, (uint8_t) (((1u << count) - 1) << bit), set);
      start += count;
      n -= count;
    }
}

/* See watch.h.  */
bool
arch_watch_can_check (const struct insn_mem *m, const struct insn *i)
{
  if (m->addrsize != 8 || m->seg == 5 || (i->properties & INSN_REP))
    return false;
  switch (m->kind)
    {
    case INSN_MEM_PLAIN:
    case INSN_MEM_PUSH:
    case INSN_MEM_POP:
    case INSN_MEM_STRING_SRC:
    case INSN_MEM_STRING_DST:
      return m->base == INSN_RIP || m->disp == (int32_t) m->disp
             || (m->base == INSN_NO_REG && m->index == INSN_NO_REG);
    default:
      return false;
    }
}

/* lea DISP(BASE,INDEX,SCALE), REG, or of an address.  */
static void
emit_lea_sib (struct emit *e, unsigned reg, const struct insn_mem *m,
              int32_t disp)
{
  bool has_base = m->base != INSN_NO_REG, has_index = m->index != INSN_NO_REG;
  unsigned base = has_base ? m->base : 5, index = has_index ? m->index : 4;

  emit_8 (e, (uint8_t) (emit_rex_w (reg, base) | (index & 8) >> 2));
  emit_8 (e, 0x8d);
  emit_8 (e, emit_modrm_byte (has_base ? 2 : 0, reg, 4));
  emit_8 (e, (uint8_t) (__builtin_ctz (m->scale) << 6 | (index & 7) << 3
                        | (base & 7)));
  emit_32 (e, (uint32_t) disp);
}

/* Load %rcx with the address of M; %rdx may be changed.  NEXT is the address
   behind the instruction.  */
static void
emit_address (struct emit *e, const struct insn_mem *m,
              const struct arch_watch_table *t)
{
  static const uint8_t rdfsbase_rdx[] = { 0xf3, 0x48, 0x0f, 0xae, 0xc2 };

  if (m->base == INSN_NO_REG && m->index == INSN_NO_REG)
    emit_mov_imm (e, ARCH_RCX, (uint64_t) m->disp);
  else
    emit_lea_sib (e, ARCH_RCX, m, (int32_t) m->disp);
  if (m->seg != 4)
    return;
  if (t->has_fsgsbase)
    emit_bytes (e, rdfsbase_rdx, sizeof rdfsbase_rdx);
  else
    emit_load_gs (e, ARCH_RDX, CONTEXT_FS_BASE);
  emit_lea_index (e, ARCH_RCX, ARCH_RCX, ARCH_RDX, 0);
}

/* M with an address that does not depend on where the code stands.  */
static struct insn_mem
settle (const struct insn *i, const struct insn_mem *m)
{
  struct insn_mem r = *m;

  if (m->base == INSN_RIP)
    {
      r.base = INSN_NO_REG;
      r.disp += (int64_t) (i->pc + i->length);
    }
  else if (m->kind == INSN_MEM_PUSH)
    r.disp -= m->size;
  return r;
}

/* Cut REG to an index of T.  */
static void
emit_cut (struct emit *e, unsigned reg, const struct arch_watch_table *t)
{
  if (!t->wide)
    emit_8 (e, 0x0f);           /* movzwl, else mov */
  emit_8 (e, t->wide ? 0x89 : 0xb7);
  emit_8 (e, emit_modrm_byte (3, reg, reg));
}

static unsigned
address_registers (const struct insn_mem *m)
{
  return (m->base < ARCH_N_GPR ? MASK (m->base) : 0)
         | (m->index < ARCH_N_GPR ? MASK (m->index) : 0);
}

static void
hold_table (struct rewriter *w, const struct arch_watch_table *t)
{
  if (w->constant != (uint64_t) t->bits)
    emit_mov_imm (&w->e, ARCH_RDX, (uint64_t) t->bits);
  w->constant = (uint64_t) t->bits;
}

/* Lend %rcx and %rdx, with what the address needs still the
   application's.  */
static void
borrow (struct rewriter *w, const struct insn *i, const struct insn_mem *m)
{
  unsigned needed = address_registers (m) & w->lent;

  if (needed)
    {
      rewrite_note (w, ARCH_NOTE_AT, i->pc - w->pc, 0);
      rewrite_give_back (w, needed);
    }
  rewrite_lend (w, i, ARCH_RCX);
  rewrite_lend (w, i, ARCH_RDX);
}

static void
emit_quick (struct rewriter *w, const struct insn *i,
            struct arch_watch_site *s)
{
  static const uint8_t rorx_3_rcx[] = { 0xc4, 0xe3, 0xfb, 0xf0, 0xc9, 3 };
  static const uint8_t rdx_rcx[] = { 0x0c, 0x0a };
  struct emit *e = &w->e;

  borrow (w, i, &s->mem);
  rewrite_note (w, ARCH_NOTE_AT, i->pc - w->pc, 0);
  emit_address (e, &s->mem, s->table);
  if (s->mem.seg == 4)
    w->constant = 0;
  hold_table (w, s->table);
  emit_bytes (e, rorx_3_rcx, sizeof rorx_3_rcx);
  emit_cut (e, ARCH_RCX, s->table);
  emit_8 (e, s->mem.size <= 9 ? 0x0f : 0x48);
  emit_8 (e, s->mem.size > 9 ? 0x8b : s->mem.size > 1 ? 0xb7 : 0xb6);
  emit_bytes (e, rdx_rcx, sizeof rdx_rcx);
  emit_8 (e, 0xe3);             /* jrcxz over the jump */
  emit_8 (e, 5);
  emit_jmp (e, emit_pc (e));
  s->jump = e->at;
  s->back = emit_pc (e);
  s->lent = w->lent;
}

/* Set ZF if no bit of the operand of S is set in the table.  Flags and
   REST_MASK are saved, and the registers still hold what was saved but for
   %rax.

              mov   %rcx, %rdx
              shr   $3, %rdx
              mov   %edx, %edx
              mov   $TABLE, %rax
              mov   (%rax,%rdx), %rax
              and   $7, %ecx
              shr   %cl, %rax
              shl   $64 - SIZE, %rax                                        */
static void
emit_exact (struct emit *e, const struct arch_watch_site *s)
{
  static const uint8_t shr_3_rdx[] = { 0x48, 0xc1, 0xea, 3 };
  static const uint8_t load_and_shift[]
      = { 0x48, 0x8b, 0x04, 0x10, 0x83, 0xe1, 7, 0x48, 0xd3, 0xe8, 0x48,
          0xc1, 0xe0 };

  emit_unspill (e, ARCH_RAX);
  emit_address (e, &s->mem, s->table);
  emit_mov (e, ARCH_RDX, ARCH_RCX);
  emit_bytes (e, shr_3_rdx, sizeof shr_3_rdx);
  emit_cut (e, ARCH_RDX, s->table);
  emit_mov_imm (e, ARCH_RAX, (uint64_t) s->table->bits);
  emit_bytes (e, load_and_shift, sizeof load_and_shift);
  emit_8 (e, (uint8_t) (64 - s->mem.size));
}

static void
emit_leave (struct emit *e, app_pc pc)
{
  emit_store_gs_imm32 (e, (uint32_t) pc, CONTEXT_TARGET);
  emit_store_gs_imm32 (e, (uint32_t) (pc >> 32), CONTEXT_TARGET + 4);
  emit_store_gs_imm32 (e, ARCH_EXIT_WATCH, CONTEXT_EXIT);
  emit_jmp_gs (e, CONTEXT_LEAVE);
}

/* All of the exact check; what finds nothing falls through.  */
static void
emit_rest (struct rewriter *w, const struct insn *i,
           const struct arch_watch_site *s)
{
  struct emit *e = &w->e;
  uint8_t *over;

  rewrite_save (w, i, REST_MASK, false);
  emit_exact (e, s);
  emit_8 (e, 0x74);             /* jz over what leaves */
  over = ++e->at;
  rewrite_restore (w, i, REST_MASK);
  emit_leave (e, i->pc);
  over[-1] = (uint8_t) (e->at - over);
  rewrite_restore (w, i, REST_MASK);
}

/* See watch.h.  */
bool
rewrite_watch (struct rewriter *w, const struct insn *i,
               const struct insn_mem *m, const struct arch_watch_table *t,
               struct arch_watch_site *s)
{
  *s = (struct arch_watch_site){ .mem = settle (i, m), .pc = i->pc,
                                 .table = t };
  vm_assert (m->size && m->size <= ARCH_WATCH_OPERAND_MAX);
  if (t->has_bmi2)
    emit_quick (w, i, s);
  else
    emit_rest (w, i, s);
  return t->has_bmi2;
}

/* See watch.h.  */
void
rewrite_watch_rest (struct rewriter *w, const struct arch_watch_site *s)
{
  const struct insn here = { .pc = s->pc };
  int32_t distance = (int32_t) (w->e.at - s->jump);

  __builtin_memcpy (s->jump - 4, &distance, 4);
  rewrite_note (w, ARCH_NOTE_AT, s->pc - w->pc, s->lent);
  for (unsigned r = 0; r < ARCH_N_GPR; r++)
    if (s->lent & MASK (r))
      emit_unspill (&w->e, r);
  emit_rest (w, &here, s);
  rewrite_note (w, ARCH_NOTE_AT, s->pc - w->pc, s->lent);
  emit_mov_imm (&w->e, ARCH_RDX, (uint64_t) s->table->bits);
  emit_jmp (&w->e, s->back);
}

/* See watch.h.  */
void
rewrite_watch_leave (struct rewriter *w, const struct insn *i)
{
  rewrite_note (w, ARCH_NOTE_AT, i->pc - w->pc, 0);
  rewrite_give_back (w, REWRITE_ALL);
  rewrite_note (w, ARCH_NOTE_AT, i->pc - w->pc, 0);
  emit_leave (&w->e, i->pc);
}

/* Jumps of eight bits that go forward to one place.  */
struct jumps
{
  unsigned n;
  uint8_t *field[2 * 2 * INSN_MAX_MEM];
};

static void
jump_short (struct emit *e, struct jumps *j, unsigned opcode)
{
  emit_8 (e, (uint8_t) opcode);
  j->field[j->n++] = e->at;
  emit_8 (e, 0);
}

static void
land (struct emit *e, const struct jumps *j)
{
  for (unsigned n = 0; n < j->n; n++)
    {
      int64_t distance = e->at - (j->field[n] + 1);
      vm_assert (distance == (int8_t) distance);
      *j->field[n] = (uint8_t) distance;
    }
}

/* Go to HIT if the string operand M may touch what lies between the bounds of
   T: %rcx elements on either side of where it is.

              mov   %rcx, %rax ...            SIZE times %rcx, below 2^43
              lea   SIZE(BASE,%rax), %rdx
              mov   $&LOW, %rcx
              cmp   (%rcx), %rdx
              jbe   1f
              neg   %rax
              lea   (BASE,%rax), %rdx
              cmp   8(%rcx), %rdx
              jb    HIT
     1:                                                                     */
static void
emit_string (struct emit *e, const struct insn_mem *m,
             const struct arch_watch_table *t, struct jumps *hit)
{
  static const uint8_t count[]
      = { 0x48, 0x89, 0xca, 0x48, 0xc1, 0xea, 40 };     /* rcx >> 40 */
  static const uint8_t cmp_low[] = { 0x48, 0x3b, 0x11 };
  static const uint8_t cmp_high[] = { 0x48, 0x3b, 0x51, 8 };
  struct jumps clear = { 0 };

  emit_unspill (e, ARCH_RCX);
  emit_bytes (e, count, sizeof count);
  jump_short (e, hit, 0x75);
  emit_mov (e, ARCH_RAX, ARCH_RCX);
  emit_8 (e, 0x48);             /* shl */
  emit_8 (e, 0xc1);
  emit_8 (e, emit_modrm_byte (3, 4, ARCH_RAX));
  emit_8 (e, (uint8_t) __builtin_ctz (m->size));
  emit_lea_index (e, ARCH_RDX, m->base, ARCH_RAX, 0);
  emit_lea (e, ARCH_RDX, ARCH_RDX, (int32_t) m->size);
  emit_mov_imm (e, ARCH_RCX, (uint64_t) &t->low);
  emit_bytes (e, cmp_low, sizeof cmp_low);
  jump_short (e, &clear, 0x76);
  emit_8 (e, 0x48);             /* neg */
  emit_8 (e, 0xf7);
  emit_8 (e, emit_modrm_byte (3, 3, ARCH_RAX));
  emit_lea_index (e, ARCH_RDX, m->base, ARCH_RAX, 0);
  emit_bytes (e, cmp_high, sizeof cmp_high);
  jump_short (e, hit, 0x72);
  land (e, &clear);
}

static bool
is_plain_string (const struct insn_mem *m)
{
  return (m->kind == INSN_MEM_STRING_SRC || m->kind == INSN_MEM_STRING_DST)
         && m->seg == 0 && m->addrsize == 8;
}

/* See watch.h.  No string operand is read and written, so there are at most
   two comparisons, of less than 64 bytes.  */
bool
rewrite_watch_repeated (struct rewriter *w, const struct insn *i,
                        const struct arch_watch_table *table,
                        const uint8_t *access, unsigned n)
{
  struct insn_mem m[INSN_MAX_MEM];
  struct jumps hit = { 0 }, over = { 0 };
  unsigned n_mem = insn_memory (i, m), parts = 0;

  for (unsigned k = 0; k < n_mem; k++)
    if (!is_plain_string (m + k))
      return false;
  rewrite_save (w, i, REST_MASK, false);
  for (unsigned k = 0; k < n_mem; k++)
    for (unsigned t = 0; t < n; t++)
      if ((m[k].access & access[t]) && table[t].bits)
        {
          emit_string (&w->e, m + k, table + t, &hit);
          parts++;
        }
  vm_assert (parts <= 2);
  jump_short (&w->e, &over, 0xeb);
  land (&w->e, &hit);
  rewrite_restore (w, i, REST_MASK);
  emit_leave (&w->e, i->pc);
  land (&w->e, &over);
  rewrite_restore (w, i, REST_MASK);
  return true;
}
