/* See arch/watch.h.  */

#include "arch/watch.h"
#include "arch/enter.h"
#include "common/assert.h"

#define MASK(R) (1u << (R))
/* What the check of a repeated instruction uses.  */
#define REPEATED_MASK                                                         \
  (MASK (ARCH_RAX) | MASK (ARCH_RCX) | MASK (ARCH_RDX) | MASK (ARCH_RSP))

/* Set N bytes of PLANE from index FROM on, which wraps around, and the copies
   of the first ones behind the end.  */
static void
fill (uint8_t *plane, const struct arch_watch_table *t, uint64_t from,
      uint64_t n, bool set)
{
  uint64_t size = t->wide ? 1ul << 32 : 1ul << 16, copies = ARCH_WATCH_LINE;

  n = MIN (n, size);
  while (n)
    {
      uint64_t at = from & (size - 1), part = MIN (n, size - at);

      __builtin_memset (plane + at, set, part);
      if (at < copies)
        __builtin_memset (plane + size + at, set, MIN (part, copies - at));
      from += part;
      n -= part;
    }
}

/* See watch.h.  */
void
arch_watch_mark (const struct arch_watch_table *t, app_addr start,
                 app_addr end, bool set)
{
  fill (t->bytes, t, start, end - start, set);
  fill (t->lines, t, start - (ARCH_WATCH_LINE - 1),
        end - start + ARCH_WATCH_LINE - 1, set);
}

static bool
uses (const struct insn_mem *m, unsigned reg)
{
  return m->base == reg || m->index == reg;
}

/* See watch.h.  Of an operand with a segment one held register can be
   loaded, as %rcx is not free for another.  */
bool
arch_watch_can_check (const struct insn_mem *m, const struct insn *i)
{
  if (m->addrsize != 8 || m->seg == 5 || (i->properties & INSN_REP))
    return false;
  if (m->seg == 4 && uses (m, ARCH_R10) && uses (m, ARCH_R11))
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

/* lea DISP(BASE,INDEX,SCALE), REG: 64 bits if WIDE, else 32.  */
static void
emit_lea_sib (struct emit *e, unsigned reg, const struct insn_mem *m,
              bool wide)
{
  bool has_base = m->base != INSN_NO_REG, has_index = m->index != INSN_NO_REG;
  bool is_short = has_base && m->disp == (int8_t) m->disp;
  unsigned base = has_base ? m->base : 5, index = has_index ? m->index : 4;
  unsigned rex = emit_rex_w (reg, base) | (index & 8) >> 2;

  emit_8 (e, (uint8_t) (wide ? rex : rex & ~8u));
  emit_8 (e, 0x8d);
  emit_8 (e, emit_modrm_byte (!has_base ? 0 : is_short ? 1 : 2, reg, 4));
  emit_8 (e, (uint8_t) (__builtin_ctz (m->scale) << 6 | (index & 7) << 3
                        | (base & 7)));
  if (is_short)
    emit_8 (e, (uint8_t) m->disp);
  else
    emit_32 (e, (uint32_t) m->disp);
}

/* Add the base of %fs to M, whose registers are not %rcx: it goes to %rcx,
   and M's base or index too.  */
static void
add_fs_base (struct emit *e, struct insn_mem *m,
             const struct arch_watch_table *t)
{
  static const uint8_t rdfsbase_rcx[] = { 0xf3, 0x48, 0x0f, 0xae, 0xc1 };

  if (t->has_fsgsbase)
    emit_bytes (e, rdfsbase_rcx, sizeof rdfsbase_rcx);
  else
    emit_load_gs (e, ARCH_RCX, CONTEXT_FS_BASE);
  if (m->base != INSN_NO_REG)
    emit_lea_index (e, ARCH_RCX, m->base, ARCH_RCX, 0);
  m->base = ARCH_RCX;
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

static void
replace (struct insn_mem *m, unsigned from, unsigned to)
{
  if (m->base == from)
    m->base = (uint8_t) to;
  if (m->index == from)
    m->index = (uint8_t) to;
}

/* Load the application's value of REG, which is held, to TO, for M.  */
static void
fetch (struct rewriter *w, struct insn_mem *m, unsigned reg, unsigned to)
{
  emit_load_gs (&w->e, to, CONTEXT_GPR (reg));
  if (to == ARCH_R10)
    w->constant = 0;
  replace (m, reg, to);
}

/* Make M an operand whose registers have what it needs, with %rcx aside: the
   application's values of %r10 and %r11 come to %r10 or %rcx.  */
static void
find_registers (struct rewriter *w, struct insn_mem *m)
{
  bool both = uses (m, ARCH_R10) && uses (m, ARCH_R11);
  bool rcx = uses (m, ARCH_RCX);

  if (both)
    {
      emit_load_gs (&w->e, ARCH_RCX, CONTEXT_GPR (ARCH_R11));
      fetch (w, m, ARCH_R10, ARCH_R10);
      replace (m, ARCH_R11, ARCH_RCX);
    }
  else if (uses (m, ARCH_R10))
    fetch (w, m, ARCH_R10, ARCH_R10);
  else if (uses (m, ARCH_R11))
    fetch (w, m, ARCH_R11, ARCH_R10);
  if (rcx)
    replace (m, ARCH_RCX, ARCH_R11);
}

/* Load %ecx with the address of M, cut to an index of T.  */
static void
emit_index (struct rewriter *w, struct insn_mem *m,
            const struct arch_watch_table *t)
{
  static const uint8_t movzwl_cx_ecx[] = { 0x0f, 0xb7, 0xc9 };

  find_registers (w, m);
  if (m->seg == 4)
    add_fs_base (&w->e, m, t);
  if (m->base == INSN_NO_REG && m->index == INSN_NO_REG)
    emit_mov_imm (&w->e, ARCH_RCX, (uint32_t) m->disp);
  else
    emit_lea_sib (&w->e, ARCH_RCX, m, false);
  if (!t->wide)
    emit_bytes (&w->e, movzwl_cx_ecx, sizeof movzwl_cx_ecx);
}

/* mov (%r10,%rcx), %rcx of at least SIZE bytes, up to 8.  */
static void
emit_probe (struct emit *e, uint32_t size)
{
  static const uint8_t r10_rcx[] = { 0x0c, 0x0a };

  emit_8 (e, size > 4 ? 0x49 : 0x41);
  if (size <= 2)
    emit_8 (e, 0x0f);
  emit_8 (e, size > 2 ? 0x8b : size > 1 ? 0xb7 : 0xb6);
  emit_bytes (e, r10_rcx, sizeof r10_rcx);
}

/* See watch.h.  */
void
rewrite_watch_begin (const struct rewriter *w, const struct insn *i,
                     struct arch_watch_site *s)
{
  *s = (struct arch_watch_site){ .insn = *i, .base = w->pc };
}

/* See watch.h.  */
void
rewrite_watch (struct rewriter *w, struct arch_watch_site *s,
               const struct insn_mem *m, const struct arch_watch_table *t)
{
  struct insn_mem at = settle (&s->insn, m);
  bool line = m->size > 8;

  vm_assert (m->size && m->size <= ARCH_WATCH_LINE
             && s->n_jumps < ARCH_WATCH_MAX_CHECKS);
  rewrite_lend (w, s->insn.pc, 0);
  rewrite_set_aside (w, s->insn.pc);
  rewrite_note (w, ARCH_NOTE_AT, s->insn.pc - w->pc, 0);
  emit_index (w, &at, t);
  rewrite_constant (w, (uint64_t) (line ? t->lines : t->bytes));
  emit_probe (&w->e, line ? 1 : m->size);
  emit_8 (&w->e, 0xe3);         /* jrcxz over the jump */
  emit_8 (&w->e, 5);
  emit_jmp (&w->e, emit_pc (&w->e));
  s->jump[s->n_jumps++] = w->e.at;
}

/* See watch.h.  */
void
rewrite_watch_after (const struct rewriter *w, struct arch_watch_site *s)
{
  s->back = emit_pc (&w->e);
  s->lent = w->lent;
  s->aside = w->aside;
  s->constant = w->constant;
}

/* Store VALUE to the eight bytes at OFF of the context.  */
static void
emit_store_64 (struct emit *e, uint64_t value, uint32_t off)
{
  emit_store_gs_imm32 (e, (uint32_t) value, off);
  emit_store_gs_imm32 (e, (uint32_t) (value >> 32), off + 4);
}

/* Leave with EXIT, PC being the application's, and RESUME for the way
   back.  */
static void
emit_leave (struct emit *e, enum arch_exit exit, app_pc pc, cache_pc resume)
{
  emit_store_64 (e, pc, CONTEXT_TARGET);
  emit_store_64 (e, (uint64_t) resume, CONTEXT_RESUME);
  emit_store_gs_imm32 (e, exit, CONTEXT_EXIT);
  emit_jmp_gs (e, CONTEXT_LEAVE);
}

/* From all registers being the application's, and in the context too, to what
   is behind the instruction of S.  */
static void
emit_join (struct rewriter *w, const struct arch_watch_site *s)
{
  app_pc next = s->insn.pc + s->insn.length;

  rewrite_note (w, ARCH_NOTE_AT, next - w->pc, s->lent);
  if (s->aside)
    emit_mov (&w->e, ARCH_R11, ARCH_RCX);
  if ((s->lent & MASK (ARCH_R10)) && s->constant)
    emit_mov_imm (&w->e, ARCH_R10, s->constant);
  emit_jmp (&w->e, s->back);
}

/* The copy of the instruction, entered and left like that.  */
static void
emit_copy (struct rewriter *w, const struct arch_watch_site *s,
           cache_pc resume)
{
  app_pc next = s->insn.pc + s->insn.length;
  unsigned changed = insn_gpr_written (&s->insn) & w->held;
  enum rewrite_status status;

  rewrite_note (w, ARCH_NOTE_AT, s->insn.pc - w->pc, 0);
  status = rewrite_insn (w, &s->insn, false);
  vm_assert (status == REWRITE_OK);
  rewrite_note (w, ARCH_NOTE_AT, next - w->pc, 0);
  for (unsigned r = 0; r < ARCH_N_GPR; r++)
    if (changed & MASK (r))
      emit_spill (&w->e, r);
  emit_leave (&w->e, ARCH_EXIT_WATCHED, next, resume);
}

static void
land_jumps (struct rewriter *w, const struct arch_watch_site *s)
{
  for (unsigned n = 0; n < s->n_jumps; n++)
    {
      int32_t distance = (int32_t) (w->e.at - s->jump[n]);

      __builtin_memcpy (s->jump[n] - 4, &distance, 4);
    }
}

/* See watch.h.  */
void
rewrite_watch_rest (struct rewriter *w, const struct arch_watch_site *s)
{
  cache_pc copy = 0, join = emit_pc (&w->e);

  w->lent = 0;
  w->aside = false;
  if (s->back)
    {
      emit_join (w, s);
      copy = emit_pc (&w->e);
      emit_copy (w, s, join);
    }
  land_jumps (w, s);
  w->lent = s->saved ? 0 : w->held;
  w->aside = !s->saved;
  if (s->saved)
    rewrite_restore (w, &s->insn, REPEATED_MASK);
  rewrite_give_back (w, s->insn.pc, MASK (ARCH_RCX));
  rewrite_note (w, ARCH_NOTE_AT, s->insn.pc - w->pc, 0);
  emit_leave (&w->e, ARCH_EXIT_WATCH, s->insn.pc, copy);
}

/* See watch.h.  */
void
rewrite_watch_leave (struct rewriter *w, const struct insn *i)
{
  rewrite_border (w, i->pc, 0);
  rewrite_note (w, ARCH_NOTE_AT, i->pc - w->pc, 0);
  emit_leave (&w->e, ARCH_EXIT_WATCH, i->pc, 0);
}

/* Jump to the rest of S if CC.  */
static void
jump_to_rest (struct emit *e, struct arch_watch_site *s, unsigned cc)
{
  emit_8 (e, 0x0f);
  emit_8 (e, (uint8_t) (0x80 | cc));
  emit_32 (e, 0);
  s->jump[s->n_jumps++] = e->at;
}

enum { CC_B = 2, CC_NE = 5, CC_BE = 6 };

/* Where the string operand M begins, to %rdx, and ends, to %rax; the rest of S
   if %rcx says that it is very long.

              mov   %rcx, %rdx;  shr $40, %rdx;  jne rest
              mov   %rcx, %rax;  shl $.., %rax
              mov   BASE, %rdx
              testb $4, %gs:RFLAGS+1            (DF)
              jz    1f
              sub   %rax, %rdx
              lea   SIZE(%rdx), %rdx
     1:       lea   (%rdx,%rax), %rax                                       */
static void
emit_extent (struct emit *e, const struct insn_mem *m,
             struct arch_watch_site *s)
{
  static const uint8_t shr_40_rdx[] = { 0x48, 0xc1, 0xea, 40 };
  static const uint8_t shl_rax[] = { 0x48, 0xc1, 0xe0 };
  static const uint8_t testb_4_gs[] = { 0x65, 0xf6, 0x04, 0x25 };
  static const uint8_t sub_rax_rdx[] = { 0x48, 0x29, 0xc2 };
  uint8_t *over;

  emit_unspill (e, ARCH_RCX);
  emit_mov (e, ARCH_RDX, ARCH_RCX);
  emit_bytes (e, shr_40_rdx, sizeof shr_40_rdx);
  jump_to_rest (e, s, CC_NE);
  emit_mov (e, ARCH_RAX, ARCH_RCX);
  emit_bytes (e, shl_rax, sizeof shl_rax);
  emit_8 (e, (uint8_t) __builtin_ctz (m->size));
  emit_mov (e, ARCH_RDX, m->base);
  emit_bytes (e, testb_4_gs, sizeof testb_4_gs);
  emit_32 (e, CONTEXT_RFLAGS + 1);
  emit_8 (e, FLAG_DF >> 8);
  emit_8 (e, 0x74);
  over = e->at++;
  emit_bytes (e, sub_rax_rdx, sizeof sub_rax_rdx);
  emit_lea (e, ARCH_RDX, ARCH_RDX, (int32_t) m->size);
  *over = (uint8_t) (e->at - over - 1);
  emit_lea_index (e, ARCH_RAX, ARCH_RDX, ARCH_RAX, 0);
}

/* Go to the rest of S if the string operand M lies in part between the bounds
   of T.

              mov   $&LOW, %rcx
              cmp   (%rcx), %rax
              jbe   1f
              cmp   8(%rcx), %rdx
              jb    rest
     1:                                                                     */
static void
emit_string (struct emit *e, const struct insn_mem *m,
             const struct arch_watch_table *t, struct arch_watch_site *s)
{
  static const uint8_t cmp_low[] = { 0x48, 0x3b, 0x01 };
  static const uint8_t cmp_high[] = { 0x48, 0x3b, 0x51, 8 };
  uint8_t *over;

  emit_extent (e, m, s);
  emit_mov_imm (e, ARCH_RCX, (uint64_t) &t->low);
  emit_bytes (e, cmp_low, sizeof cmp_low);
  emit_8 (e, 0x70 | CC_BE);
  over = e->at++;
  emit_bytes (e, cmp_high, sizeof cmp_high);
  jump_to_rest (e, s, CC_B);
  *over = (uint8_t) (e->at - over - 1);
}

static bool
is_plain_string (const struct insn_mem *m)
{
  return (m->kind == INSN_MEM_STRING_SRC || m->kind == INSN_MEM_STRING_DST)
         && m->seg == 0 && m->addrsize == 8;
}

/* See watch.h.  */
bool
rewrite_watch_repeated (struct rewriter *w, struct arch_watch_site *s,
                        const struct arch_watch_table *table,
                        const uint8_t *access, unsigned n)
{
  struct insn_mem m[INSN_MAX_MEM];
  unsigned n_mem = insn_memory (&s->insn, m);

  for (unsigned k = 0; k < n_mem; k++)
    if (!is_plain_string (m + k))
      return false;
  rewrite_save (w, &s->insn, REPEATED_MASK, true);
  for (unsigned k = 0; k < n_mem; k++)
    for (unsigned t = 0; t < n; t++)
      if ((m[k].access & access[t]) && table[t].bytes)
        emit_string (&w->e, m + k, table + t, s);
  s->saved = true;
  rewrite_restore (w, &s->insn, REPEATED_MASK);
  return true;
}
