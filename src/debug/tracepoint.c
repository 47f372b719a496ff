/* See tracepoint.h.

   In front of an instruction with one tracepoint:

         save flags and the registers that its conditions use
         (the thread is ruled here: not any more, and jmp 3f)
         jmp   2f
     error in an action:
         call  collect_fail;  jmp 1f
     error in a condition:
         save the rest;  call collect_fail;  jmp 1f
     yes:
         save the rest;  call collect_begin
         false: jmp 1f
         expressions                        error: to the first
         call  collect_end
     1:  (from here on ruled)
         context.interrupted: call collect_leave
         restore all;  jmp 4f
     2:  condition 1 ...                    true: to yes; error: to the second
     3:  restore
     4:                                      (the instruction is ruled)

   From where all is saved to 1 the thread counts as in the engine.  With
   several tracepoints all is saved first, and it counts so from there on; for
   each there is what stands from `jmp 2f' to 2, 1 being behind its
   conditions; then 1 follows, once.  */

#include "debug/tracepoint.h"
#include "cache/cache.h"
#include "common/assert.h"
#include "common/log.h"
#include "common/sorted.h"
#include "common/string.h"
#include "debug/collect.h"
#include "debug/condition.h"
#include "engine/dispatch.h"
#include "engine/heap.h"
#include "engine/thread.h"

#define MASK(R) (1u << (R))
#define ALL REWRITE_ALL
#define CALL_MAX 64             /* bytes of code of a call */
#define AROUND_MAX (6 * REWRITE_SAVE_MAX + 8 * CALL_MAX)
#define MAX_MEMORY 64           /* actions that collect memory, of one */

struct tracepoint
{
  struct collect_wish wish;
  bool refused;
  uint8_t *code;                /* conditions, then actions; the heap's */
  uint32_t code_size;
  struct condition_list conditions, actions;
  size_t room;
  uint32_t n_refs;              /* reads that may fault */
  unsigned mask;                /* what conditions need saved */
  bool all_flags;               /* likewise */
};

struct set
{
  struct tracepoint *point;     /* by address; as many as there are may share
                                   one */
  unsigned n, room;
};

static struct set tracepoints;

/* The first index in S whose address is not below PC.  */
static unsigned
index_of (const struct set *s, app_pc pc)
{
  return sorted_index (s->point, s->n, sizeof *s->point,
                       offsetof (struct tracepoint, wish.pc), pc);
}


/* Reading.  */

static struct agent_request
request_of (const struct tracepoint *p, const uint8_t *bytes, uint32_t length,
            bool want_value)
{
  return (struct agent_request){ .bytes = bytes,
                                 .length = length,
                                 .want_value = want_value,
                                 .pc = p->wish.pc,
                                 .hooks = &collect_hooks,
                                 .cookie = (uint64_t) &p->wish,
                                 .has_fsgsbase = thread_has_fsgsbase () };
}

/* Look at an expression of P, which is a condition or an action's.  */
static enum bytecode_refusal
look_at (struct tracepoint *p, const uint8_t *bytes, uint32_t length,
         bool is_condition)
{
  struct agent_request r = request_of (p, bytes, length, is_condition);
  struct bytecode_info info;
  enum bytecode_refusal why = condition_look (&r, &info);

  if (why)
    return why;
  p->room += agent_code_max (&info);
  p->n_refs += info.n_refs;
  if (!is_condition)
    return BYTECODE_OK;
  p->mask |= agent_clobbers (&info) | info.gpr_read | MASK (ARCH_RAX);
  if (info.rflags_read || info.has_calls)
    {
      p->all_flags = true;
      p->mask |= MASK (ARCH_RSP);
    }
  return BYTECODE_OK;
}

static bool
add_memory (struct collect_wish *w, const uint8_t *bytes, uint32_t length)
{
  struct channel_action_memory *m = w->memory + w->n_memory;

  if (w->n_memory == MAX_MEMORY || length < sizeof *m)
    return false;
  memcpy (m, bytes, sizeof *m);
  if (m->base > BYTECODE_REG_RIP)
    return false;
  w->n_memory++;
  return true;
}

/* Take one action of P.  */
static enum bytecode_refusal
take_action (struct tracepoint *p, const uint8_t *bytes, uint32_t length)
{
  uint32_t kind = UINT32_MAX;

  if (length >= sizeof kind)
    memcpy (&kind, bytes, sizeof kind);
  switch (kind)
    {
    case CHANNEL_ACTION_HEAD:
      if (length < sizeof p->wish.head)
        return BYTECODE_TRUNCATED;
      memcpy (&p->wish.head, bytes, sizeof p->wish.head);
      p->wish.head.index %= CHANNEL_MAX_TRACEPOINTS;
      return BYTECODE_OK;
    case CHANNEL_ACTION_MEMORY:
      return add_memory (&p->wish, bytes, length) ? BYTECODE_OK
                                                  : BYTECODE_TOO_LONG;
    case CHANNEL_ACTION_EXPRESSION:
      return look_at (p, bytes + sizeof kind, length - sizeof kind, false);
    default:
      return BYTECODE_BAD_OPERAND;
    }
}

static enum bytecode_refusal
take_list (struct tracepoint *p, const struct condition_list *l,
           bool is_condition)
{
  enum bytecode_refusal why = BYTECODE_OK;
  const uint8_t *bytes;
  uint32_t at = 0, length;

  for (uint32_t n = 0; !why && n < l->n; n++)
    if (!condition_next (l, &at, &bytes, &length))
      why = BYTECODE_TRUNCATED;
    else if (is_condition)
      why = look_at (p, bytes, length, true);
    else
      why = take_action (p, bytes, length);
  if (!why
      && (p->room > CONDITION_MAX_CODE || p->n_refs > CONDITION_MAX_REFS))
    why = BYTECODE_TOO_LONG;
  return why;
}

/* Make a copy of the expressions that C has at START, and look at them.  */
static enum bytecode_refusal
take_code (struct tracepoint *p, const struct channel *channel,
           const struct channel_point *c)
{
  struct condition_list all
      = { .n = c->n_conditions + (uint32_t) c->n_commands };
  enum bytecode_refusal why;

  if (c->code_at > CHANNEL_POOL_SIZE)
    return BYTECODE_TRUNCATED;
  all.code = channel->pool + c->code_at;
  all.size = CHANNEL_POOL_SIZE - c->code_at;
  p->code_size = condition_list_size (&all);
  p->code = p->code_size ? heap_alloc (p->code_size, HEAP_DEBUG) : 0;
  if (!p->code)
    return BYTECODE_TOO_LONG;
  memcpy (p->code, all.code, p->code_size);
  p->conditions
      = (struct condition_list){ p->code, p->code_size, c->n_conditions };
  p->conditions.size = condition_list_size (&p->conditions);
  p->actions = (struct condition_list){ p->code + p->conditions.size,
                                        p->code_size - p->conditions.size,
                                        c->n_commands };
  p->wish.memory
      = heap_alloc (MAX_MEMORY * sizeof *p->wish.memory, HEAP_DEBUG);
  if (!p->wish.memory)
    return BYTECODE_TOO_LONG;
  why = take_list (p, &p->conditions, true);
  return why ? why : take_list (p, &p->actions, false);
}

static void
insert (struct set *s, const struct channel *channel,
        const struct channel_point *c)
{
  unsigned n = index_of (s, c->addr + 1);
  struct tracepoint *p = s->point + n;
  enum bytecode_refusal why;

  memmove (p + 1, p, (s->n - n) * sizeof *p);
  s->n++;
  *p = (struct tracepoint){ .wish = { .number = (uint32_t) c->length,
                                      .pc = c->addr },
                            .room = AROUND_MAX,
                            .mask = MASK (ARCH_RAX) };
  why = take_code (p, channel, c);
  p->refused = why;
  if (!why)
    return;
  LOG (DEBUG, "tracepoint %u cannot be compiled: %s", p->wish.number,
       bytecode_sentence (why));
  collect_refuse (&p->wish);
}

/* Those that share an address with others are refused when there is not room
   for all.  */
static void
check_groups (struct set *s)
{
  size_t room = 0;
  uint32_t n_refs = 0;

  for (unsigned n = 0; n < s->n; n++)
    {
      struct tracepoint *p = s->point + n;

      if (!n || p->wish.pc != p[-1].wish.pc)
        room = n_refs = 0;
      room += p->room;
      n_refs += p->n_refs;
      if (p->refused
          || (room <= CONDITION_MAX_CODE && n_refs <= CONDITION_MAX_REFS))
        continue;
      p->refused = true;
      collect_refuse (&p->wish);
    }
}

static struct set
read_wanted (const struct channel *channel)
{
  struct set s = { 0 };
  unsigned n = MIN (channel->n_points, CHANNEL_MAX_POINTS);

  for (unsigned i = 0; i < n; i++)
    s.room += channel->points[i].kind == CHANNEL_POINT_TRACE;
  if (s.room)
    s.point = heap_alloc (s.room * sizeof *s.point, HEAP_DEBUG);
  for (unsigned i = 0; s.point && i < n && s.n < s.room; i++)
    {
      struct channel_point c = channel->points[i];

      if (c.kind == CHANNEL_POINT_TRACE)
        insert (&s, channel, &c);
    }
  return s;
}

static void
drop (struct set *s)
{
  for (unsigned n = 0; n < s->n; n++)
    {
      struct tracepoint *p = s->point + n;

      if (p->code)
        heap_free (p->code, p->code_size, HEAP_DEBUG);
      if (p->wish.memory)
        heap_free (p->wish.memory, MAX_MEMORY * sizeof *p->wish.memory,
                   HEAP_DEBUG);
    }
  if (s->point)
    heap_free (s->point, s->room * sizeof *s->point, HEAP_DEBUG);
}

static void
retire (const struct set *s)
{
  for (unsigned n = 0; n < s->n; n++)
    dispatch_flush (s->point[n].wish.pc, s->point[n].wish.pc + 1,
                    "a tracepoint");
}

static bool
same (const struct set *a, const struct set *b)
{
  bool same = a->n == b->n;

  for (unsigned n = 0; same && n < a->n; n++)
    same = a->point[n].wish.pc == b->point[n].wish.pc
           && a->point[n].wish.number == b->point[n].wish.number
           && a->point[n].conditions.n == b->point[n].conditions.n
           && a->point[n].code_size == b->point[n].code_size
           && !memcmp (a->point[n].code, b->point[n].code,
                       a->point[n].code_size);
  return same;
}

/* See tracepoint.h.  Code has addresses of the set in it: it changes as a
   whole, or not.  */
void
tracepoint_catch_up (struct channel *c)
{
  struct set new = read_wanted (c), old = tracepoints;

  if (same (&new, &old))
    {
      drop (&new);
      return;
    }
  check_groups (&new);
  tracepoints = new;
  retire (&old);
  retire (&new);
  drop (&old);
  LOG (DEBUG, "%u tracepoints", tracepoints.n);
}


/* Writing.  */

/* Jumps forward to one place.  */
struct jumps
{
  unsigned n;
  uint8_t *at[8];               /* behind each */
};

static void
jump (struct emit *e, struct jumps *j)
{
  vm_assert (j->n < ARRAY_SIZE (j->at));
  emit_jmp (e, emit_pc (e));
  j->at[j->n++] = e->at;
}

/* je.  */
static void
jump_if_equal (struct emit *e, struct jumps *j)
{
  vm_assert (j->n < ARRAY_SIZE (j->at));
  emit_8 (e, 0x0f);
  emit_8 (e, 0x84);
  emit_32 (e, 0);
  j->at[j->n++] = e->at;
}

static void
land (struct emit *e, const struct jumps *j)
{
  for (unsigned n = 0; n < j->n; n++)
    {
      int32_t distance = (int32_t) (e->at - j->at[n]);
      __builtin_memcpy (j->at[n] - 4, &distance, 4);
    }
}

/* Call FUNCTION (context, WISH, ARG) on the engine's stack.  */
static void
call (struct emit *e, const void *function, const struct collect_wish *wish,
      uint64_t arg)
{
  static const uint8_t align[] = { 0x48, 0x83, 0xe4, 0xf0 };    /* %rsp */

  emit_load_gs (e, ARCH_RSP, CONTEXT_ENGINE_RSP);
  emit_bytes (e, align, sizeof align);
  emit_load_gs (e, ARCH_RDI, 0);
  emit_mov_imm (e, ARCH_RSI, (uint64_t) wish);
  emit_mov_imm (e, ARCH_RDX, arg);
  emit_mov_imm (e, ARCH_RAX, (uint64_t) function);
  emit_8 (e, 0xff);             /* call *%rax */
  emit_8 (e, 0xd0);
}

/* A place where the registers of MASK are saved, and the thread counts as in
   the engine or not.  */
static void
place (struct rule_site *s, unsigned mask, bool engine)
{
  rewrite_set_engine (s->w, engine);
  rewrite_saved (s->w, s->insn, mask);
}

/* The registers of MASK are saved: save the others, and all of the flags but
   the arithmetic ones if HAVE_FLAGS is false; from here on the thread counts
   as in the engine.  */
static void
save_rest (struct rule_site *s, unsigned mask, bool have_flags)
{
  struct emit *e = &s->w->e;

  for (unsigned r = 0; r < ARCH_N_GPR; r++)
    if (!(mask & MASK (r)))
      emit_spill (e, r);
  place (s, ALL, true);
  if (!have_flags)
    {
      emit_load_gs (e, ARCH_RSP, CONTEXT_ENGINE_RSP);
      emit_8 (e, 0x9c);         /* pushf */
      emit_pop (e, ARCH_RAX);
      emit_store_gs (e, ARCH_RAX, CONTEXT_RFLAGS);
    }
  emit_8 (e, 0xfc);             /* cld */
}

/* DF as it was.  */
static void
restore_direction (struct emit *e)
{
  static const uint8_t test_df[] = { 0xa9, 0x00, 0x04, 0x00, 0x00 };

  emit_load_gs (e, ARCH_RAX, CONTEXT_RFLAGS);
  emit_bytes (e, test_df, sizeof test_df);
  emit_8 (e, 0x74);             /* je over */
  emit_8 (e, 1);
  emit_8 (e, 0xfd);             /* std */
}

/* cmpq $0, %gs:OFF.  */
static void
compare_gs_0 (struct emit *e, uint32_t off)
{
  emit_op_gs (e, 0x83, 7, off);
  emit_8 (e, 0);
}

/* Number 1 above.  */
static void
write_finish (struct rule_site *s, const struct collect_wish *wish)
{
  struct emit *e = &s->w->e;
  struct jumps on = { 0 };

  rewrite_set_ruled (s->w, s->insn);
  place (s, ALL, false);
  compare_gs_0 (e, CONTEXT_INTERRUPTED);
  jump_if_equal (e, &on);
  call (e, collect_leave, wish, 0);
  land (e, &on);
  restore_direction (e);
  rewrite_restore (s->w, s->insn, ALL);
}

/* The expression at BYTES of P; what happens then is in EXITS.  */
static void
write_expression (struct rule_site *s, const struct tracepoint *p,
                  const uint8_t *bytes, uint32_t length, bool is_condition,
                  const struct agent_exits *exits)
{
  struct agent_request r = request_of (p, bytes, length, is_condition);

  r.exits = *exits;
  condition_write (s, &r);
}

static void
write_actions (struct rule_site *s, const struct tracepoint *p,
               const struct agent_exits *exits)
{
  const uint8_t *bytes;
  uint32_t at = 0, length, kind;

  for (uint32_t n = 0; n < p->actions.n; n++)
    {
      bool ok = condition_next (&p->actions, &at, &bytes, &length);

      vm_assert (ok);
      memcpy (&kind, bytes, sizeof kind);
      if (kind == CHANNEL_ACTION_EXPRESSION)
        write_expression (s, p, bytes + sizeof kind, length - sizeof kind,
                          false, exits);
    }
}

static void
write_conditions (struct rule_site *s, const struct tracepoint *p,
                  const struct agent_exits *exits)
{
  const uint8_t *bytes;
  uint32_t at = 0, length;

  for (uint32_t n = 0; n < p->conditions.n; n++)
    {
      bool ok = condition_next (&p->conditions, &at, &bytes, &length);

      vm_assert (ok);
      write_expression (s, p, bytes, length, true, exits);
    }
  if (!p->conditions.n)
    emit_jmp (&s->w->e, exits->yes);
}

/* What happens to P when its conditions hold, or fail; FINISH gets the jumps
   behind it, but the last falls through.  MASK is saved.  */
static void
write_collect (struct rule_site *s, const struct tracepoint *p, unsigned mask,
               struct agent_exits *exits, struct jumps *finish)
{
  struct emit *e = &s->w->e;
  struct agent_exits ends = { .error = emit_pc (e) };

  place (s, ALL, true);
  call (e, collect_fail, &p->wish, true);
  jump (e, finish);
  exits->error = emit_pc (e);
  place (s, mask, mask == ALL);
  save_rest (s, mask, p->all_flags || mask == ALL);
  call (e, collect_fail, &p->wish, false);
  jump (e, finish);
  exits->yes = emit_pc (e);
  place (s, mask, mask == ALL);
  save_rest (s, mask, p->all_flags || mask == ALL);
  call (e, collect_begin, &p->wish, 0);
  emit_8 (e, 0x84);             /* test %al, %al */
  emit_8 (e, 0xc0);
  jump_if_equal (e, finish);
  write_actions (s, p, &ends);
  call (e, collect_end, &p->wish, 0);
}

/* A thread that has been traced at this instruction and comes to it again, for
   it was interrupted before the instruction was done: to DONE.  MASK is saved
   and has %rax.  */
static void
write_check (struct rule_site *s, unsigned mask, struct jumps *done)
{
  struct emit *e = &s->w->e;
  uint32_t ruled = offsetof (struct thread, ruled);
  unsigned rsp = ARCH_RSP;
  struct jumps on = { 0 }, is = { 0 };

  compare_gs_0 (e, ruled);
  jump_if_equal (e, &on);
  emit_mov_imm (e, ARCH_RAX, s->insn->pc);
  emit_op_gs (e, 0x3b, ARCH_RAX, ruled);
  jump_if_equal (e, &is);
  jump (e, &on);
  land (e, &is);
  if (mask & MASK (ARCH_RSP))
    emit_load_gs (e, rsp = ARCH_RAX, CONTEXT_GPR (ARCH_RSP));
  is.n = 0;
  emit_op_gs (e, 0x3b, rsp, offsetof (struct thread, ruled_rsp));
  jump_if_equal (e, &is);
  jump (e, &on);
  land (e, &is);
  rewrite_set_ruled (s->w, s->insn);
  place (s, mask, s->w->engine);
  emit_store_gs_imm32 (e, 0, ruled);
  emit_store_gs_imm32 (e, 0, ruled + 4);
  jump (e, done);
  land (e, &on);
  s->w->ruled = 0;
  place (s, mask, s->w->engine);
}

static void
write_one (struct rule_site *s, const struct tracepoint *p)
{
  struct emit *e = &s->w->e;
  unsigned mask = p->mask;
  struct jumps over = { 0 }, finish = { 0 }, done = { 0 }, end = { 0 };
  struct agent_exits exits = { 0 };

  rewrite_save (s->w, s->insn, mask, p->all_flags);
  write_check (s, mask, &done);
  jump (e, &over);
  write_collect (s, p, mask, &exits, &finish);
  land (e, &finish);
  write_finish (s, &p->wish);
  jump (e, &end);
  land (e, &over);
  s->w->ruled = 0;
  place (s, mask, false);
  write_conditions (s, p, &exits);
  land (e, &done);
  rewrite_set_ruled (s->w, s->insn);
  place (s, mask, false);
  if (p->all_flags)
    restore_direction (e);
  rewrite_restore (s->w, s->insn, mask);
  land (e, &end);
}

static void
write_many (struct rule_site *s, const struct tracepoint *p, unsigned n)
{
  struct emit *e = &s->w->e;
  struct jumps done = { 0 };

  rewrite_save (s->w, s->insn, ALL, true);
  place (s, ALL, true);
  write_check (s, ALL, &done);
  for (unsigned i = 0; i < n; i++)
    {
      struct jumps over = { 0 }, finish = { 0 };
      struct agent_exits exits = { 0 };

      jump (e, &over);
      write_collect (s, p + i, ALL, &exits, &finish);
      jump (e, &finish);
      land (e, &over);
      write_conditions (s, p + i, &exits);
      land (e, &finish);
    }
  land (e, &done);
  write_finish (s, &p->wish);
}


/* The rule.  */

/* The tracepoints at PC: the first, and how many in *N.  */
static const struct tracepoint *
find (app_pc pc, unsigned *n)
{
  unsigned first = index_of (&tracepoints, pc), at = first;

  while (at < tracepoints.n && tracepoints.point[at].wish.pc == pc
         && !tracepoints.point[at].refused)
    at++;
  *n = at - first;
  return tracepoints.point + first;
}

static size_t
room (app_pc start, app_pc end, enum flavour flavour)
{
  size_t most = 0, sum = 0;
  app_pc pc = 0;

  (void) flavour;
  for (unsigned n = index_of (&tracepoints, start);
       n < tracepoints.n && tracepoints.point[n].wish.pc < end; n++)
    {
      const struct tracepoint *p = tracepoints.point + n;

      sum = p->wish.pc == pc ? sum + p->room : p->room;
      pc = p->wish.pc;
      most = MAX (most, sum);
    }
  return most;
}

/* See tracepoint.h.  */
bool
tracepoint_is_at (app_pc pc)
{
  unsigned n;

  find (pc, &n);
  return n;
}

static enum rule_action
before (const struct insn *i, enum flavour flavour)
{
  unsigned n;

  (void) flavour;
  find (i->pc, &n);
  return n ? RULE_CODE : RULE_NONE;
}

static size_t
emit (struct rule_site *s)
{
  unsigned n;
  const struct tracepoint *p = find (s->insn->pc, &n);

  if (n == 1)
    write_one (s, p);
  else
    write_many (s, p, n);
  rewrite_set_ruled (s->w, s->insn);
  rewrite_note (s->w, ARCH_NOTE_AT, s->insn->pc - s->w->pc, 0);
  return 0;
}

/* See tracepoint.h.  */
void
tracepoint_report (struct report *r)
{
  report_value (r, "tracepoints", tracepoints.n);
}

/* See tracepoint.h.  */
void
tracepoint_init (void)
{
  static const struct cache_rule rule
      = { .room = room, .before = before, .emit = emit };
  cache_add_rule (&rule);
}
