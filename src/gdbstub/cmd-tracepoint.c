/* Packets that describe a trace experiment: QTinit QTDP QTDPsrc QTDV QTro
   QTEnable QTDisable, and those by which it is told again: qTfP qTsP qTfV
   qTsV.  */

#include <stdlib.h>
#include <string.h>

#include "gdbstub/alloc.h"
#include "gdbstub/packets.h"
#include "gdbstub/stub-impl.h"

/* See packets.def.  */
void
cmd_QTinit (struct stub *s, struct scan *in, struct reply *out)
{
  (void) in;
  tracing_reset (&s->tracing);
  reply_ok (out);
}

/* NUMBER:ADDRESS, and what comes then if there is more.  */
static void
scan_name (struct scan *in, uint32_t *number, app_addr *addr)
{
  uint64_t n = scan_hex (in);

  if (n > UINT32_MAX)
    in->bad = true;
  *number = n;
  scan_char (in, ':');
  *addr = scan_hex (in);
}

/* LENGTH,BYTES: agent bytecode.  */
static struct target_bytecode
scan_bytecode (struct scan *in)
{
  uint64_t length = scan_hex (in);
  uint8_t *code;

  scan_char (in, ',');
  if (!scan_ok (in) || length == 0 || length > scan_left (in) / 2)
    {
      in->bad = true;
      return (struct target_bytecode) { NULL, 0 };
    }
  code = alloc_zeroed (length);
  if (scan_bytes (in, code, length) != length)
    in->bad = true;
  return (struct target_bytecode) { code, length };
}

/* A mask of registers, as one large number: bit N is GDB's register N.  The
   general ones come together, the others too.  */
static void
scan_mask (struct scan *in, struct tracing_point *p)
{
  uint8_t mask[256];
  size_t n = scan_bytes (in, mask, sizeof mask);

  p->registers = true;
  for (size_t i = 0; i < n; i++)
    for (unsigned bit = 0; bit < 8; bit++)
      {
        size_t reg = (n - 1 - i) * 8 + bit;

        if ((mask[i] >> bit & 1) != 0 && !tdesc_is_general (reg))
          p->vector = true;
      }
}

static struct target_trace_action *
add_action (struct tracing_point *p)
{
  struct target_trace_action *more
    = alloc_zeroed ((p->n_actions + 1) * sizeof *more);

  if (p->n_actions > 0)
    memcpy (more, p->actions, p->n_actions * sizeof *more);
  free (p->actions);
  p->actions = more;
  return &p->actions[p->n_actions++];
}

/* BASE,OFFSET,LENGTH  */
static void
scan_memory (struct scan *in, struct target_trace_memory *m)
{
  bool negative = scan_skip (in, '-');
  uint64_t base = scan_hex (in);

  if (base > INT32_MAX)
    in->bad = true;
  m->base = negative ? -1 : (int) base;
  scan_char (in, ',');
  m->offset = scan_hex (in);
  scan_char (in, ',');
  m->size = scan_hex (in);
}

/* Take one action of P.  */
static void
scan_action (struct scan *in, struct tracing_point *p)
{
  const char *start = in->at;

  if (scan_skip (in, 'R'))
    scan_mask (in, p);
  else if (scan_skip (in, 'M'))
    scan_memory (in, &add_action (p)->memory);
  else if (scan_skip (in, 'X'))
    add_action (p)->code = scan_bytecode (in);
  else
    in->bad = true;
  if (scan_ok (in))
    tracing_add_text (&p->action_texts, NULL, start, in->at - start);
}

/* What comes behind the head of a new point: :F LENGTH, :X CONDITION.  */
static void
scan_options (struct scan *in, struct tracing_point *p)
{
  while (scan_skip (in, ':'))
    if (scan_skip (in, 'F'))
      p->fast = scan_hex (in);
    else if (scan_skip (in, 'X'))
      p->condition = scan_bytecode (in);
    else
      in->bad = true;
}

/* A new point: NUMBER:ADDRESS:E|D:STEPS:PASSES…  While tracing goes on it may
   be one that there is: GDB 13 tells all points again when a library has come
   or gone.  */
static const char *
scan_point (struct stub *s, struct scan *in, uint32_t number, app_addr addr)
{
  struct tracing_point *p;
  bool enabled;
  uint64_t steps;

  scan_char (in, ':');
  enabled = scan_skip (in, 'E');
  if (!enabled)
    scan_char (in, 'D');
  scan_char (in, ':');
  steps = scan_hex (in);
  if (steps != 0)
    return "while-stepping is not supported";
  p = tracing_find (&s->tracing, number, addr);
  if (!scan_ok (in) || (p != NULL && !tracing_look (&s->tracing).running))
    return "";
  if (p != NULL)
    tracing_forget_definition (p);
  else
    p = tracing_add (&s->tracing, number, addr);
  p->enabled = enabled;
  scan_char (in, ':');
  p->pass_count = scan_hex (in);
  scan_options (in, p);
  if (scan_ok (in))
    return NULL;
  tracing_remove_last (&s->tracing);
  return "";
}

/* Actions of a point that there is: NUMBER:ADDRESS:ACTION…  */
static const char *
scan_actions (struct stub *s, struct scan *in, uint32_t number, app_addr addr)
{
  struct tracing_point *p = tracing_find (&s->tracing, number, addr);

  scan_char (in, ':');
  if (p == NULL)
    return "";
  while (scan_ok (in) && scan_left (in) > 0 && *in->at != '-')
    {
      if (scan_skip (in, 'S'))
        return "while-stepping is not supported";
      if (scan_skip (in, 'L'))
        return "static tracepoints are not supported";
      scan_action (in, p);
    }
  return NULL;
}

/* See packets.def.  A hyphen at the end announces more about this point; one
   that is new while tracing goes on comes into force without.  */
void
cmd_QTDP (struct stub *s, struct scan *in, struct reply *out)
{
  bool more = scan_skip (in, '-');
  uint32_t number;
  app_addr addr;
  const char *why;

  scan_name (in, &number, &addr);
  why = more ? scan_actions (s, in, number, addr)
             : scan_point (s, in, number, addr);
  more = why == NULL && scan_skip (in, '-');
  if (why != NULL && *why != 0)
    reply_error_text (out, why);
  else
    reply_ok_if (out, why == NULL && scan_done (in)
                        && (more
                            || tracing_update (&s->tracing) == TARGET_OK));
}

/* See packets.def.  NUMBER:ADDRESS:TYPE:START:TOTAL:BYTES: GDB sends a text by
   pieces when it is long; they are kept as they come.  */
void
cmd_QTDPsrc (struct stub *s, struct scan *in, struct reply *out)
{
  struct tracing_point *p;
  struct scan type;
  uint32_t number;
  app_addr addr;
  char *kind, *text;

  scan_name (in, &number, &addr);
  scan_char (in, ':');
  type = scan_until (in, ":");
  scan_char (in, ':');
  scan_hex (in);
  scan_char (in, ':');
  scan_hex (in);
  scan_char (in, ':');
  p = tracing_find (&s->tracing, number, addr);
  text = scan_ok (in) ? scan_string (in) : NULL;
  if (p == NULL || text == NULL)
    reply_error (out, 1);
  else
    {
      kind = alloc_string_n (type.at, scan_left (&type));
      tracing_add_text (&p->source, kind, text, strlen (text));
      free (kind);
      reply_ok (out);
    }
  free (text);
}

/* See packets.def.  NUMBER:VALUE:BUILTIN:NAME  */
void
cmd_QTDV (struct stub *s, struct scan *in, struct reply *out)
{
  struct tracing_variable *v;
  uint64_t number = scan_hex (in), value, builtin;
  char *name;

  scan_char (in, ':');
  value = scan_hex (in);
  scan_char (in, ':');
  builtin = scan_hex (in);
  scan_char (in, ':');
  name = scan_ok (in) ? scan_string (in) : NULL;
  if (name == NULL || number >= TARGET_MAX_VARIABLES)
    {
      free (name);
      reply_error (out, 1);
      return;
    }
  v = tracing_variable (&s->tracing, number);
  if (v->builtin || builtin != 0)       /* GDB tells what it was told */
    free (name);
  else
    {
      free (v->name);
      v->name = name;
      v->initial = value;
      if (target_variable_define (s->t, number, value, false) != TARGET_OK)
        {
          reply_error (out, 1);
          return;
        }
    }
  reply_ok (out);
}

/* See packets.def.  :START,END any number of times.  */
void
cmd_QTro (struct stub *s, struct scan *in, struct reply *out)
{
  while (scan_skip (in, ':'))
    {
      struct tracing_region r = { .next = s->tracing.regions };

      r.start = scan_hex (in);
      scan_char (in, ',');
      r.end = scan_hex (in);
      if (!scan_ok (in))
        break;
      s->tracing.regions = alloc_zeroed (sizeof r);
      *s->tracing.regions = r;
    }
  reply_ok_if (out, scan_done (in));
}

static void
enable (struct stub *s, struct scan *in, bool on, struct reply *out)
{
  struct tracing_point *p;
  uint32_t number;
  app_addr addr;

  scan_name (in, &number, &addr);
  p = scan_done (in) ? tracing_find (&s->tracing, number, addr) : NULL;
  if (p == NULL)
    {
      reply_error (out, 1);
      return;
    }
  p->enabled = on;
  reply_ok_if (out, tracing_update (&s->tracing) == TARGET_OK);
}

/* See packets.def.  */
void
cmd_QTEnable (struct stub *s, struct scan *in, struct reply *out)
{
  enable (s, in, true, out);
}

/* See packets.def.  */
void
cmd_QTDisable (struct stub *s, struct scan *in, struct reply *out)
{
  enable (s, in, false, out);
}


/* Telling it again.  */

/* Put P, whose actions come next; or that there is none.  */
static void
put_point (struct tracing *x, struct tracing_point *p, struct reply *out)
{
  x->next_point = p;
  x->next_text = p == NULL ? NULL : p->action_texts;
  x->in_source = false;
  if (p == NULL)
    {
      reply_text (out, "l");
      return;
    }
  reply_text (out, "T%x:%lx:%c:0:%lx", p->number, p->addr,
              p->enabled ? 'E' : 'D', p->pass_count);
  if (p->fast != 0)
    reply_text (out, ":F%lx", p->fast);
  if (p->condition.code != NULL)
    {
      reply_text (out, ":X%zx,", p->condition.length);
      reply_hex (out, p->condition.code, p->condition.length);
    }
}

/* See packets.def.  */
void
cmd_qTfP (struct stub *s, struct scan *in, struct reply *out)
{
  (void) in;
  put_point (&s->tracing, s->tracing.points, out);
}

static void
put_text (struct tracing *x, struct reply *out)
{
  const struct tracing_point *p = x->next_point;
  const struct tracing_text *t = x->next_text;

  if (t->kind == NULL)
    reply_text (out, "A%x:%lx:%s", p->number, p->addr, t->text);
  else
    {
      reply_text (out, "Z%x:%lx:%s:0:%zx:", p->number, p->addr, t->kind,
                  strlen (t->text));
      reply_hex (out, t->text, strlen (t->text));
    }
  x->next_text = t->next;
}

/* See packets.def.  A point, its actions, its source; then the next one.  */
void
cmd_qTsP (struct stub *s, struct scan *in, struct reply *out)
{
  struct tracing *x = &s->tracing;

  (void) in;
  if (x->next_point != NULL && x->next_text == NULL && !x->in_source)
    {
      x->next_text = x->next_point->source;
      x->in_source = true;
    }
  if (x->next_point != NULL && x->next_text != NULL)
    put_text (x, out);
  else
    put_point (x, x->next_point == NULL ? NULL : x->next_point->next, out);
}

static void
put_next_variable (struct tracing *x, struct reply *out)
{
  const struct tracing_variable *v = x->next_variable;

  if (v == NULL)
    {
      reply_text (out, "l");
      return;
    }
  reply_text (out, "%x:%lx:%d:", v->number, v->initial, v->builtin);
  if (v->name != NULL)
    reply_hex (out, v->name, strlen (v->name));
  x->next_variable = v->next;
}

/* See packets.def.  */
void
cmd_qTfV (struct stub *s, struct scan *in, struct reply *out)
{
  (void) in;
  s->tracing.next_variable = s->tracing.variables;
  put_next_variable (&s->tracing, out);
}

/* See packets.def.  */
void
cmd_qTsV (struct stub *s, struct scan *in, struct reply *out)
{
  (void) in;
  put_next_variable (&s->tracing, out);
}
