/* See tracing.h.  */

#include "gdbstub/tracing.h"

#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "gdbstub/alloc.h"

#define TIME_VARIABLE 1         /* as gdbserver has it */
#define MAX_BACKLOG (1u << 20)  /* bytes */

/* A record of the target's.  */
static void
take_record (void *data, int pid, const void *bytes, size_t size)
{
  struct tracing *x = data;

  if (streams_take (x->streams, bytes, size)
      || tracebuf_take (x->frames, pid, bytes, size)
      || !tracebuf_is_full (x->frames))
    return;
  target_trace_stop (x->t, TARGET_TRACE_FULL, 0);
}

/* GDB has read most of what it was sent: lines are not made faster than it
   shows them.  */
static bool
is_ready (void *data)
{
  const struct tracing *x = data;

  return x->rsp->out_end - x->rsp->out_at + 2 * x->streams->text.length
         < MAX_BACKLOG;
}

/* See tracing.h.  */
void
tracing_init (struct tracing *x, struct target *t, struct streams *streams,
              const struct rsp *rsp)
{
  const struct target_records records = { .data = x, .trace = take_record,
                                         .ready = is_ready };
  struct tracing_variable *v;

  *x = (struct tracing) { .t = t, .streams = streams, .rsp = rsp,
                          .frame = -1,
                          .buffer_size = TRACEBUF_DEFAULT_SIZE };
  x->frames = tracebuf_create ();
  if (!tracing_is_possible (x)
      || target_variable_define (t, TIME_VARIABLE, 0, true) != TARGET_OK)
    return;
  target_set_records (t, &records);
  v = tracing_variable (x, TIME_VARIABLE);
  v->builtin = true;
  v->name = alloc_string ("trace_timestamp");
}

/* See tracing.h.  */
bool
tracing_is_possible (const struct tracing *x)
{
  return x->frames != NULL
         && (target_abilities (x->t) & TARGET_CAN_TRACE) != 0;
}

static void
free_texts (struct tracing_text *t)
{
  while (t != NULL)
    {
      struct tracing_text *next = t->next;

      free (t->kind);
      free (t->text);
      free (t);
      t = next;
    }
}

/* See tracing.h.  */
void
tracing_forget_definition (struct tracing_point *p)
{
  free ((void *) p->condition.code);
  for (size_t i = 0; i < p->n_actions; i++)
    free ((void *) p->actions[i].code.code);
  free (p->actions);
  free_texts (p->action_texts);
  free_texts (p->source);
  *p = (struct tracing_point) { .next = p->next, .number = p->number,
                                .addr = p->addr, .index = p->index };
}

static void
free_point (struct tracing_point *p)
{
  tracing_forget_definition (p);
  free (p);
}

static void
forget (struct tracing *x)
{
  while (x->points != NULL)
    {
      struct tracing_point *next = x->points->next;

      free_point (x->points);
      x->points = next;
    }
  while (x->regions != NULL)
    {
      struct tracing_region *next = x->regions->next;

      free (x->regions);
      x->regions = next;
    }
  x->next_index = 0;
  x->next_point = NULL;
  x->next_text = NULL;
}

/* See tracing.h.  */
void
tracing_fini (struct tracing *x)
{
  forget (x);
  while (x->variables != NULL)
    {
      struct tracing_variable *next = x->variables->next;

      free (x->variables->name);
      free (x->variables);
      x->variables = next;
    }
  reply_fini (&x->raw);
  free (x->user);
  free (x->notes);
  free (x->stop_note);
  tracebuf_destroy (x->frames);
}

/* See tracing.h.  */
void
tracing_reset (struct tracing *x)
{
  x->frame = -1;
  tracing_stop (x);
  forget (x);
}

/* See tracing.h.  */
struct tracing_point *
tracing_find (struct tracing *x, uint32_t number, app_addr addr)
{
  struct tracing_point *p = x->points;

  while (p != NULL && (p->number != number || p->addr != addr))
    p = p->next;
  return p;
}

/* See tracing.h.  */
struct tracing_point *
tracing_add (struct tracing *x, uint32_t number, app_addr addr)
{
  struct tracing_point **end = &x->points;

  while (*end != NULL)
    end = &(*end)->next;
  *end = alloc_zeroed (sizeof **end);
  (*end)->number = number;
  (*end)->addr = addr;
  (*end)->index = x->next_index++;
  return *end;
}

/* See tracing.h.  */
void
tracing_remove_last (struct tracing *x)
{
  struct tracing_point **end = &x->points;

  while (*end != NULL && (*end)->next != NULL)
    end = &(*end)->next;
  if (*end == NULL)
    return;
  free_point (*end);
  *end = NULL;
}

/* See tracing.h.  */
void
tracing_add_text (struct tracing_text **list, const char *kind,
                  const char *text, size_t length)
{
  while (*list != NULL)
    list = &(*list)->next;
  *list = alloc_zeroed (sizeof **list);
  (*list)->kind = kind != NULL ? alloc_string (kind) : NULL;
  (*list)->text = alloc_zeroed (length + 1);
  memcpy ((*list)->text, text, length);
}

/* See tracing.h.  Made if there is none; the latest is the first.  */
struct tracing_variable *
tracing_variable (struct tracing *x, uint32_t number)
{
  struct tracing_variable *v = x->variables;

  while (v != NULL && v->number != number)
    v = v->next;
  if (v != NULL)
    return v;
  v = alloc_zeroed (sizeof *v);
  v->number = number;
  v->next = x->variables;
  x->variables = v;
  return v;
}


/* Going on and ending.  */

static struct target_tracepoint
wanted (const struct tracing_point *p)
{
  return (struct target_tracepoint) {
    .number = p->number,
    .index = p->index,
    .addr = p->addr,
    .pass_count = p->pass_count,
    .registers = p->registers,
    .vector = p->vector,
    .condition = p->condition.code != NULL ? &p->condition : NULL,
    .actions = p->actions,
    .n_actions = p->n_actions,
  };
}

/* The enabled points for the target.  Returns how many there are.  */
static size_t
list_points (struct tracing *x, struct target_tracepoint **list)
{
  size_t n = 0, n_all = 0;

  for (struct tracing_point *p = x->points; p != NULL; p = p->next)
    n_all++;
  *list = alloc_zeroed ((n_all + 1) * sizeof **list);
  for (struct tracing_point *p = x->points; p != NULL; p = p->next)
    if (p->enabled)
      (*list)[n++] = wanted (p);
  return n;
}

/* Whether there are indices for all.  */
static bool
fits (const struct tracing *x)
{
  return x->next_index <= TARGET_FIRST_STREAM;
}

/* See tracing.h.  */
enum target_refusal
tracing_start (struct tracing *x)
{
  struct target_tracepoint *list;
  enum target_refusal r;
  size_t n = list_points (x, &list);

  x->frame = -1;
  target_trace_stop (x->t, TARGET_TRACE_STOPPED, 0);
  tracebuf_clear (x->frames, x->buffer_size);
  r = fits (x) ? target_trace_start (x->t, list, n, x->buffer_size)
               : TARGET_TOO_MANY;
  free (list);
  if (r != TARGET_OK)
    return r;
  x->ever = x->running = true;
  x->start_time = clock_us ();
  x->stop_time = 0;
  return r;
}

/* See tracing.h.  */
enum target_refusal
tracing_update (struct tracing *x)
{
  struct target_tracepoint *list;
  enum target_refusal r;
  size_t n;

  if (!tracing_look (x).running)
    return TARGET_OK;
  n = list_points (x, &list);
  r = fits (x) ? target_trace_change (x->t, list, n) : TARGET_TOO_MANY;
  free (list);
  return r;
}

/* See tracing.h.  */
void
tracing_stop (struct tracing *x)
{
  if (!x->running)
    return;
  target_trace_stop (x->t, TARGET_TRACE_STOPPED, 0);
  x->running = false;
  x->stop_time = clock_us ();
}

/* See tracing.h.  */
struct target_trace_status
tracing_look (struct tracing *x)
{
  struct target_trace_status s = target_trace_status (x->t);

  if (x->running && !s.running)
    {
      x->running = false;
      x->stop_time = clock_us ();
    }
  s.running = x->running;
  return s;
}


/* Frames.  */

/* See tracing.h.  */
void
tracing_usage (const struct tracing *x, const struct tracing_point *p,
               uint64_t *hits, uint64_t *bytes)
{
  size_t n = tracebuf_count (x->frames);

  *hits = *bytes = 0;
  for (size_t i = 0; i < n; i++)
    {
      struct tracebuf_frame f = tracebuf_frame (x->frames, i);

      if (f.number != p->number || f.index != p->index)
        continue;
      *hits += 1;
      *bytes += f.size;
    }
}

/* The address of the point that frame N is of.  */
static app_addr
point_address (const struct tracing *x, size_t n)
{
  struct tracebuf_frame f = tracebuf_frame (x->frames, n);
  app_addr found = 0;

  for (const struct tracing_point *p = x->points; p != NULL; p = p->next)
    if (p->number == f.number && (found == 0 || p->index == f.index))
      found = p->addr;
  return found;
}

/* See tracing.h.  */
app_addr
tracing_frame_address (struct tracing *x, size_t n)
{
  struct arch_regs regs;

  return tracebuf_registers (x->frames, n, &regs) ? regs.rip
                                                  : point_address (x, n);
}

/* See tracing.h.  */
void
tracing_registers (struct tracing *x, struct target_regs *regs, bool *have)
{
  size_t n = x->frame;

  memset (regs, 0, sizeof *regs);
  *have = tracebuf_registers (x->frames, n, &regs->regs);
  if (!*have)
    regs->regs.rip = point_address (x, n);
  regs->xsave_size
    = tracebuf_vector (x->frames, n, regs->xsave, sizeof regs->xsave);
}

/* See tracing.h.  */
bool
tracing_is_readonly (const struct tracing *x, app_addr start, app_addr end)
{
  for (const struct tracing_region *r = x->regions; r != NULL; r = r->next)
    if (r->start <= start && end <= r->end)
      return true;
  return false;
}
