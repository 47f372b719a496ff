/* See collect.h.  */

#include "debug/collect.h"
#include "arch/gate.h"
#include "arch/rewrite.h"
#include "common/string.h"
#include "engine/call.h"
#include "engine/dispatch.h"
#include "engine/main.h"
#include "engine/stop.h"
#include "engine/thread.h"

#define BUFFER_SIZE (THREAD_STACK_SIZE / 2)
#define NAP_NS 1000000          /* when yielding has not helped */
#define YIELDS 100
#define PATIENCE 10000          /* naps */

/* At the far end of the engine's stack.  */
struct buffer
{
  uint8_t vector[11008] __attribute__ ((aligned (64)));
  struct channel_trace_part part;
  uint8_t blocks[16384];
  uint32_t used;                /* of blocks */
  bool stream, few;
  bool lost;                    /* the frame is to be dropped */
};

_Static_assert (sizeof (struct buffer) <= BUFFER_SIZE, "");

static struct buffer *
buffer_of (struct arch_context *c)
{
  return (struct buffer *) ALIGN_UP ((uint64_t) ((struct thread *) c)->stack,
                                     64);
}

static bool
is_running (const struct channel_trace *trace)
{
  return (uint32_t) __atomic_load_n (&trace->state, __ATOMIC_ACQUIRE)
         == CHANNEL_TRACE_RUNNING;
}

/* Tracing ends for REASON, by tracepoint NUMBER, if it has not ended.  */
static void
stop_tracing (struct channel_trace *trace, enum channel_trace_state reason,
              uint32_t number)
{
  uint64_t running = CHANNEL_TRACE_RUNNING;

  __atomic_compare_exchange_n (&trace->state, &running,
                               reason | (uint64_t) number << 32, false,
                               __ATOMIC_SEQ_CST, __ATOMIC_RELAXED);
}

/* As much of R is in use as may be for FEW.  */
static bool
is_enough (const struct ring *r, bool few)
{
  return few && r->head - r->tail > CHANNEL_TRACE_FEW;
}

/* Room in the ring for SIZE bytes of a record of T's; null: the server is
   gone, or has not taken any for long.  */
static void *
wait_for_room (const struct thread *t, uint32_t size, bool few)
{
  struct ring *r = stop_records (t);
  uint64_t tail = 0;

  for (unsigned n = 0; r && n < PATIENCE; n++)
    {
      void *at = is_enough (r, few)
                     ? NULL
                     : ring_reserve (r, CHANNEL_RECORD_TRACE, size);

      if (at)
        return at;
      if (r->tail != tail)
        n = 0;
      tail = r->tail;
      if (ring_is_full (r))
        stop_wake_server (t);
      if (n < YIELDS)
        thread_yield ();
      else
        futex_wait ((uint32_t *) &r->tail, (uint32_t) r->tail, true, NAP_NS);
      if (!call_server_lives ())
        return NULL;
    }
  return NULL;
}

/* Take SIZE bytes from what frames may use.  */
static bool
take_quota (struct channel_trace *trace, uint32_t size)
{
  return __atomic_sub_fetch (&trace->room, size, __ATOMIC_SEQ_CST) >= 0;
}

/* Whether the part in B of SIZE bytes may be sent; if not, tracing ends.  */
static bool
may_send (struct buffer *b, uint32_t size)
{
  struct channel_trace *trace = call_trace ();

  if (!b->lost && !b->stream && !take_quota (trace, size))
    {
      stop_tracing (trace, CHANNEL_TRACE_FULL, b->part.number);
      b->lost = true;
    }
  return !b->lost;
}

/* Send what B has, as the frame's last part or not.  A frame of which a part
   was sent and that is not to be is dropped by its last.  */
static void
flush (struct arch_context *c, uint32_t last)
{
  const struct thread *t = (const struct thread *) c;
  struct buffer *b = buffer_of (c);
  uint32_t size = sizeof b->part + b->used;
  uint8_t *at;

  b->part.flags |= last;
  if (!may_send (b, size))
    {
      if (!last || (b->part.flags & CHANNEL_PART_FIRST))
        return;
      b->part.flags |= CHANNEL_PART_DROP;
      size = sizeof b->part;
    }
  at = wait_for_room (t, size, b->few);
  if (at)
    {
      memcpy (at, &b->part, sizeof b->part);
      memcpy (at + sizeof b->part, b->blocks, size - sizeof b->part);
      if (ring_publish (stop_records (t), at))
        stop_wake_server (t);
      b->part.flags = 0;
    }
  else
    {
      __atomic_add_fetch (&call_trace ()->n_lost, 1, __ATOMIC_RELAXED);
      if (!b->stream)
        stop_tracing (call_trace (), CHANNEL_TRACE_LOST, b->part.number);
      b->lost = true;
    }
  b->used = 0;
}

/* A block of SIZE bytes of data, in this part or the next.  */
static struct channel_trace_block *
add_block (struct arch_context *c, uint32_t kind, uint64_t addr,
           uint32_t size)
{
  struct buffer *b = buffer_of (c);
  struct channel_trace_block *block;

  if (b->used + CHANNEL_BLOCK_BYTES (size) > sizeof b->blocks)
    flush (c, 0);
  block = (struct channel_trace_block *) (b->blocks + b->used);
  *block = (struct channel_trace_block){ kind, size, addr };
  b->used += CHANNEL_BLOCK_BYTES (size);
  return block;
}

/* SIZE bytes at ADDR, by pieces; those behind a fault are left out.  */
static void
add_memory (struct arch_context *c, app_addr addr, uint64_t size)
{
  enum { PIECE = 4096 };
  struct buffer *b = buffer_of (c);

  while (size && !b->lost)
    {
      uint32_t want = (uint32_t) MIN (size, PIECE), left;
      struct channel_trace_block *block
          = add_block (c, CHANNEL_BLOCK_MEMORY, addr, want);

      left = (uint32_t) arch_copy (block + 1, (const void *) addr, want);
      if (left)
        {
          b->used -= CHANNEL_BLOCK_BYTES (want);
          block->size = want - left;
          if (block->size)
            b->used += CHANNEL_BLOCK_BYTES (block->size);
          return;
        }
      addr += want;
      size -= want;
    }
}

static void
add_registers (struct arch_context *c, const struct collect_wish *wish)
{
  const struct thread *t = (const struct thread *) c;
  struct channel_trace_block *block
      = add_block (c, CHANNEL_BLOCK_REGISTERS, 0, sizeof (struct arch_regs));
  struct arch_regs *r = (struct arch_regs *) (block + 1);

  for (unsigned n = 0; n < ARCH_N_GPR; n++)
    r->gpr[n] = c->gpr[n];
  r->rip = wish->pc;
  r->rflags = rewrite_flags (c->rflags, c->spill[2]);
  r->fs_base = thread_fs_base (t);
  r->gs_base = c->gs_base;
  r->orig_rax = -1ul;
  r->cs = 0x33;
  r->ss = 0x2b;
  r->ds = r->es = r->fs = r->gs = 0;
  r->pad = 0;
}

/* The line of 64 bytes at P is all zeros.  */
static bool
is_zero (const uint8_t *p)
{
  const uint64_t *w = (const uint64_t *) p;

  return !(w[0] | w[1] | w[2] | w[3] | w[4] | w[5] | w[6] | w[7]);
}

/* The image is most of it zeros, which are left out: blocks of lines that are
   not, ADDR being the offset of each, and an empty one at its end.  */
static void
add_vector (struct arch_context *c)
{
  enum { LINE = 64, PIECE = 4096 };
  struct buffer *b = buffer_of (c);
  uint32_t size = stop_save_vector ((struct thread *) c, b->vector,
                                    sizeof b->vector);

  for (uint32_t at = 0, n; at < size; at += n)
    {
      for (n = 0; at + n < size && n < PIECE && !is_zero (b->vector + at + n);
           n += LINE)
        continue;
      if (n)
        memcpy (add_block (c, CHANNEL_BLOCK_VECTOR, at, n) + 1,
                b->vector + at, n);
      else
        n = LINE;
    }
  if (size)
    add_block (c, CHANNEL_BLOCK_VECTOR, size, 0);
}

static uint64_t
memory_address (const struct arch_context *c,
                const struct channel_action_memory *m,
                const struct collect_wish *wish)
{
  if (m->base < 0)
    return m->offset;
  return m->offset
         + (m->base == BYTECODE_REG_RIP
                ? wish->pc
                : c->gpr[bytecode_gpr ((unsigned) m->base)]);
}

/* See collect.h.  */
bool
collect_begin (struct arch_context *c, const struct collect_wish *wish)
{
  struct channel_trace *trace = call_trace ();
  const struct thread *t = (const struct thread *) c;
  struct buffer *b = buffer_of (c);

  if (!trace || !(wish->head.stream || is_running (trace))
      || !stop_records (t))
    return false;
  b->part = (struct channel_trace_part){ wish->number, wish->head.index,
                                         t->number, CHANNEL_PART_FIRST };
  b->used = 0;
  b->stream = wish->head.stream;
  b->few = wish->head.few;
  b->lost = false;
  if (wish->head.registers)
    add_registers (c, wish);
  if (wish->head.vector)
    add_vector (c);
  for (unsigned n = 0; n < wish->n_memory; n++)
    add_memory (c, memory_address (c, wish->memory + n, wish),
                wish->memory[n].size);
  return true;
}

/* See collect.h.  */
void
collect_end (struct arch_context *c, const struct collect_wish *wish)
{
  struct channel_trace *trace = call_trace ();
  uint64_t pass = wish->head.pass_count, n = 0;

  if (pass)
    n = __atomic_add_fetch (&trace->hits[wish->head.index], 1,
                            __ATOMIC_SEQ_CST);
  if (n > pass)
    buffer_of (c)->lost = true;
  flush (c, CHANNEL_PART_LAST);
  if (pass && n == pass && !wish->head.stream)
    stop_tracing (trace, CHANNEL_TRACE_PASSED, wish->number);
}

static const uint8_t errors[AGENT_N_ERRORS] = {
  [AGENT_MEMORY] = CHANNEL_TRACE_ERROR_MEMORY,
  [AGENT_DIVISION] = CHANNEL_TRACE_ERROR_DIVISION,
  [AGENT_LOOP] = CHANNEL_TRACE_ERROR_LOOP,
  [AGENT_REGISTER] = CHANNEL_TRACE_ERROR_REGISTER,
  [AGENT_VARIABLE] = CHANNEL_TRACE_ERROR_VARIABLE,
};

/* See collect.h.  */
void
collect_fail (struct arch_context *c, const struct collect_wish *wish,
              bool open)
{
  struct channel_trace *trace = call_trace ();

  if (open)
    collect_end (c, wish);
  if (wish->head.stream || !trace || !is_running (trace))
    return;
  trace->error = errors[MIN (c->spill[0], AGENT_N_ERRORS - 1ul)];
  stop_tracing (trace, CHANNEL_TRACE_ERROR, wish->number);
}

/* See collect.h.  */
void
collect_leave (struct arch_context *c, const struct collect_wish *wish)
{
  struct thread *t = (struct thread *) c;

  c->rip = wish->pc;
  c->rflags = rewrite_flags (c->rflags, c->spill[2]);
  thread_set_ruled (t);
  dispatch_run (t);
}

/* See collect.h.  */
void
collect_refuse (const struct collect_wish *wish)
{
  struct channel_trace *trace = call_trace ();

  if (!trace || !is_running (trace) || wish->head.stream)
    return;
  trace->error = CHANNEL_TRACE_ERROR_REFUSED;
  stop_tracing (trace, CHANNEL_TRACE_ERROR, wish->number);
}


/* What expressions call.  */

static enum agent_error
hook_trace (struct arch_context *c, uint64_t cookie, app_addr addr,
            uint64_t size)
{
  (void) cookie;
  add_memory (c, addr, size);
  return AGENT_NO_ERROR;
}

/* The kind of variable NUMBER.  */
static enum channel_variable
kind_of (const struct channel_trace *trace, uint64_t number)
{
  return number < CHANNEL_MAX_VARIABLES
             ? (enum channel_variable) trace->kinds[number]
             : CHANNEL_VARIABLE_NONE;
}

static uint64_t
microseconds (void)
{
  struct linux_timespec now = { 0, 0 };
  enum { CLOCK_MONOTONIC_ = 1 };

  raw3 (__NR_clock_gettime, CLOCK_MONOTONIC_, RAW_PTR (&now), 0);
  return (uint64_t) now.sec * 1000000 + (uint64_t) now.nsec / 1000;
}

static enum agent_error
hook_get (struct arch_context *c, uint64_t cookie, uint64_t number,
          uint64_t *value)
{
  const struct channel_trace *trace = call_trace ();

  (void) c, (void) cookie;
  switch (kind_of (trace, number))
    {
    case CHANNEL_VARIABLE_PLAIN:
      *value = __atomic_load_n (&trace->variables[number], __ATOMIC_RELAXED);
      return AGENT_NO_ERROR;
    case CHANNEL_VARIABLE_TIME:
      *value = microseconds ();
      return AGENT_NO_ERROR;
    default:
      return AGENT_VARIABLE;
    }
}

static void
add_variable (struct arch_context *c, uint64_t number, uint64_t value)
{
  memcpy (add_block (c, CHANNEL_BLOCK_VARIABLE, number, sizeof value) + 1,
          &value, sizeof value);
}

/* Outside of tracing nothing changes.  */
static enum agent_error
hook_set (struct arch_context *c, uint64_t cookie, uint64_t number,
          uint64_t value)
{
  struct channel_trace *trace = call_trace ();

  (void) cookie;
  if (number >= CHANNEL_VARIABLE_RECORD)
    {
      add_variable (c, number, value);
      return AGENT_NO_ERROR;
    }
  if (kind_of (trace, number) == CHANNEL_VARIABLE_NONE)
    return AGENT_VARIABLE;
  if (is_running (trace))
    __atomic_store_n (&trace->variables[number], value, __ATOMIC_RELAXED);
  return AGENT_NO_ERROR;
}

static enum agent_error
hook_variable (struct arch_context *c, uint64_t cookie, uint64_t number)
{
  uint64_t value;
  enum agent_error e = hook_get (c, cookie, number, &value);

  if (!e)
    add_variable (c, number, value);
  return e;
}

const struct agent_hooks collect_hooks = {
  .trace = hook_trace,
  .trace_variable = hook_variable,
  .get_variable = hook_get,
  .set_variable = hook_set,
};
