/* See target.h: tracepoints and trace state variables, as the server tells
   the engine of them (channel/trace.h).  */

#define _GNU_SOURCE
#include "host/target-impl.h"

#include <stdlib.h>
#include <string.h>

#include "common/clock.h"

static struct channel_trace *
trace_of (const struct target *t)
{
  return &server_hub (t->server)->trace;
}


/* Points.  */

/* The actions of a tracepoint, each as an expression of its point.  */
struct encoded
{
  struct target_bytecode *code;
  size_t n;
};

static void
encoded_free (struct encoded *e)
{
  for (size_t i = 0; i < e->n; i++)
    free ((void *) e->code[i].code);
  free (e->code);
}

/* Add the SIZE bytes at HEAD with what is behind them.  */
static bool
add (struct encoded *e, const void *head, size_t size, const void *more,
     size_t n_more)
{
  uint8_t *bytes = malloc (size + n_more);

  if (bytes == NULL)
    return false;
  memcpy (bytes, head, size);
  if (n_more > 0)
    memcpy (bytes + size, more, n_more);
  e->code[e->n++] = (struct target_bytecode){ bytes, size + n_more };
  return true;
}

static bool
add_action (struct encoded *e, const struct target_trace_action *a)
{
  const struct channel_action_expression expression
    = { CHANNEL_ACTION_EXPRESSION };
  const struct channel_action_memory memory
    = { CHANNEL_ACTION_MEMORY, a->memory.base, a->memory.offset,
        a->memory.size };

  if (a->code.code != NULL)
    return add (e, &expression, sizeof expression, a->code.code,
                a->code.length);
  return add (e, &memory, sizeof memory, NULL, 0);
}

static bool
encode (struct encoded *e, const struct target_tracepoint *p)
{
  const struct channel_action_head head = {
    .kind = CHANNEL_ACTION_HEAD,
    .index = p->index,
    .pass_count = p->pass_count,
    .registers = p->registers,
    .vector = p->vector,
    .stream = p->number >= TARGET_STREAM,
    .few = p->few,
  };

  e->n = 0;
  e->code = calloc (p->n_actions + 1, sizeof *e->code);
  if (e->code == NULL || !add (e, &head, sizeof head, NULL, 0))
    return false;
  for (size_t i = 0; i < p->n_actions; i++)
    if (!add_action (e, &p->actions[i]))
      return false;
  return true;
}

static enum target_refusal
insert (struct process *p, const struct target_tracepoint *tp)
{
  struct target_point point = {
    .kind = TARGET_POINT_TRACE,
    .addr = tp->addr,
    .length = tp->number,
    .conditions = tp->condition,
    .n_conditions = tp->condition != NULL,
  };
  struct encoded e;
  enum target_refusal r = TARGET_TOO_MANY;

  if (tp->index >= TARGET_MAX_TRACEPOINTS)
    return r;
  if (encode (&e, tp))
    {
      point.commands = e.code;
      point.n_commands = e.n;
      r = points_insert (&p->points, &point);
    }
  encoded_free (&e);
  return r;
}

static void
remove_all (struct target *t)
{
  for (struct process *p = t->processes; p != NULL; p = p->next)
    points_remove_kind (&p->points, TARGET_POINT_TRACE, 0,
                        TARGET_STREAM - 1);
}

/* See target.h.  */
enum target_refusal
target_trace_change (struct target *t, const struct target_tracepoint *points,
                     size_t n)
{
  enum target_refusal r = TARGET_OK;

  if (t->running)
    return TARGET_RUNNING;
  remove_all (t);
  for (struct process *p = t->processes; p != NULL; p = p->next)
    for (size_t i = 0; i < n && r == TARGET_OK; i++)
      r = insert (p, &points[i]);
  if (r != TARGET_OK)
    remove_all (t);
  return r;
}

/* See target.h.  */
enum target_refusal
target_stream_add (struct target *t, const struct target_tracepoint *point)
{
  enum target_refusal r = TARGET_OK;

  if (t->running)
    return TARGET_RUNNING;
  if (point->number < TARGET_STREAM || point->index >= TARGET_MAX_TRACEPOINTS)
    return TARGET_BAD_ARGUMENT;
  for (struct process *p = t->processes; p != NULL && r == TARGET_OK;
       p = p->next)
    r = insert (p, point);
  return r;
}

/* See target.h.  */
enum target_refusal
target_stream_remove (struct target *t, uint32_t number)
{
  if (t->running)
    return TARGET_RUNNING;
  for (struct process *p = t->processes; p != NULL; p = p->next)
    points_remove_kind (&p->points, TARGET_POINT_TRACE, number, number);
  return TARGET_OK;
}

/* See target.h.  */
void
target_stream_count_from (struct target *t, uint32_t index, uint64_t hits)
{
  if (index < TARGET_MAX_TRACEPOINTS)
    trace_of (t)->hits[index] = hits;
}

/* See target.h.  */
uint64_t
target_records_lost (struct target *t)
{
  return __atomic_load_n (&trace_of (t)->n_lost, __ATOMIC_RELAXED);
}


/* Going on and ending.  */

static void
set_state (const struct target *t, uint64_t state)
{
  __atomic_store_n (&trace_of (t)->state, state, __ATOMIC_SEQ_CST);
}

/* See target.h.  */
enum target_refusal
target_trace_start (struct target *t, const struct target_tracepoint *points,
                    size_t n, uint64_t size)
{
  struct channel_trace *trace = trace_of (t);
  enum target_refusal r;

  if (t->running)
    return TARGET_RUNNING;
  set_state (t, CHANNEL_TRACE_OFF);
  target_take_records (t);
  r = target_trace_change (t, points, n);
  if (r != TARGET_OK)
    return r;
  memset (trace->hits, 0, TARGET_FIRST_STREAM * sizeof trace->hits[0]);
  trace->room = MIN (size, (uint64_t) INT64_MAX);
  trace->error = 0;
  set_state (t, CHANNEL_TRACE_RUNNING);
  return TARGET_OK;
}

/* See target.h.  */
void
target_trace_stop (struct target *t, enum target_trace_end end,
                   uint32_t number)
{
  static const enum channel_trace_state states[] = {
    [TARGET_TRACE_NEVER] = CHANNEL_TRACE_OFF,
    [TARGET_TRACE_STOPPED] = CHANNEL_TRACE_STOPPED,
    [TARGET_TRACE_FULL] = CHANNEL_TRACE_FULL,
    [TARGET_TRACE_PASSED] = CHANNEL_TRACE_PASSED,
    [TARGET_TRACE_ERROR] = CHANNEL_TRACE_ERROR,
    [TARGET_TRACE_LOST] = CHANNEL_TRACE_LOST,
  };
  uint64_t running = CHANNEL_TRACE_RUNNING;

  __atomic_compare_exchange_n (&trace_of (t)->state, &running,
                               states[end] | (uint64_t) number << 32, false,
                               __ATOMIC_SEQ_CST, __ATOMIC_RELAXED);
  target_take_records (t);
  if (!t->running)
    remove_all (t);
}

static const char *
error_text (uint64_t error)
{
  static const char *const texts[CHANNEL_N_TRACE_ERRORS] = {
#define CHANNEL_TRACE_ERROR(NAME, TEXT) TEXT,
    CHANNEL_TRACE_ERRORS (CHANNEL_TRACE_ERROR)
#undef CHANNEL_TRACE_ERROR
  };

  return texts[error < CHANNEL_N_TRACE_ERRORS ? error : 0];
}

/* See target.h.  The words are the engine's, or the application's.  */
struct target_trace_status
target_trace_status (struct target *t)
{
  const struct channel_trace *trace = trace_of (t);
  uint64_t word = __atomic_load_n (&trace->state, __ATOMIC_SEQ_CST);
  uint64_t error = __atomic_load_n (&trace->error, __ATOMIC_SEQ_CST);
  struct target_trace_status s = { .number = word >> 32, .text = "" };

  target_take_records (t);
  switch ((uint32_t) word)
    {
    case CHANNEL_TRACE_OFF:
      break;
    case CHANNEL_TRACE_RUNNING:
      s.running = true;
      break;
    case CHANNEL_TRACE_FULL:
      s.end = TARGET_TRACE_FULL;
      break;
    case CHANNEL_TRACE_PASSED:
      s.end = TARGET_TRACE_PASSED;
      break;
    case CHANNEL_TRACE_ERROR:
      s.end = TARGET_TRACE_ERROR;
      s.text = error_text (error);
      break;
    case CHANNEL_TRACE_LOST:
      s.end = TARGET_TRACE_LOST;
      break;
    default:
      s.end = TARGET_TRACE_STOPPED;
      break;
    }
  return s;
}


/* Variables.  */

/* See target.h.  */
enum target_refusal
target_variable_define (struct target *t, uint32_t number, uint64_t value,
                        bool is_time)
{
  struct channel_trace *trace = trace_of (t);

  if (number >= CHANNEL_MAX_VARIABLES)
    return TARGET_TOO_MANY;
  trace->variables[number] = value;
  trace->kinds[number] = is_time ? CHANNEL_VARIABLE_TIME
                                 : CHANNEL_VARIABLE_PLAIN;
  return TARGET_OK;
}

/* See target.h.  */
enum target_refusal
target_variable_get (struct target *t, uint32_t number, uint64_t *value)
{
  const struct channel_trace *trace = trace_of (t);

  if (number >= CHANNEL_MAX_VARIABLES
      || trace->kinds[number] == CHANNEL_VARIABLE_NONE)
    return TARGET_BAD_ARGUMENT;
  if (trace->kinds[number] == CHANNEL_VARIABLE_TIME)
    *value = clock_us ();
  else
    *value = __atomic_load_n (&trace->variables[number], __ATOMIC_RELAXED);
  return TARGET_OK;
}
