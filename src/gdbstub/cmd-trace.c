/* Packets that run a trace experiment, and look at what it has collected:
   QTStart QTStop QTFrame QTBuffer QTNotes QTDisconnected qTStatus qTP qTV
   qTMinFTPILen.  */

#include <stdlib.h>
#include <string.h>

#include "gdbstub/packets.h"
#include "gdbstub/stub-impl.h"

/* See packets.def.  */
void
cmd_QTStart (struct stub *s, struct scan *in, struct reply *out)
{
  (void) in;
  stub_forget_document (s);
  reply_ok_if (out, tracing_start (&s->tracing) == TARGET_OK);
}

/* See packets.def.  */
void
cmd_QTStop (struct stub *s, struct scan *in, struct reply *out)
{
  (void) in;
  tracing_stop (&s->tracing);
  reply_ok (out);
}


/* Frames.  */

enum search { BY_POINT, INSIDE, OUTSIDE };

/* The first frame behind the one that GDB looks at that is of point FROM, or
   whose address is in, or not in, [FROM, TO]; -1: there is none.  */
static long
search (struct tracing *x, enum search how, uint64_t from, uint64_t to)
{
  long n = tracebuf_count (x->frames);

  for (long i = x->frame + 1; i < n; i++)
    {
      app_addr addr = how == BY_POINT ? tracebuf_frame (x->frames, i).number
                                      : tracing_frame_address (x, i);

      if ((from <= addr && addr <= to) == (how != OUTSIDE))
        return i;
    }
  return -1;
}

/* The frame that IN asks for; -1: there is none, -2: none is wanted.  */
static long
scan_frame (struct tracing *x, struct scan *in)
{
  enum search how = OUTSIDE;
  uint64_t from, to;

  if (scan_skip_word (in, "tdp:") && (how = BY_POINT, true))
    from = to = scan_hex (in);
  else if (scan_skip_word (in, "pc:") && (how = INSIDE, true))
    from = to = scan_hex (in);
  else if ((scan_skip_word (in, "range:") && (how = INSIDE, true))
           || scan_skip_word (in, "outside:"))
    {
      from = scan_hex (in);
      scan_char (in, ':');
      to = scan_hex (in);
    }
  else
    {
      from = scan_hex (in);
      if ((uint32_t) from == UINT32_MAX)
        return -2;
      return from < tracebuf_count (x->frames) ? (long) from : -1;
    }
  return scan_ok (in) ? search (x, how, from, to) : -1;
}

/* See packets.def.  Frames are taken in before one is looked for.  */
void
cmd_QTFrame (struct stub *s, struct scan *in, struct reply *out)
{
  struct tracing *x = &s->tracing;
  long frame;

  tracing_look (x);
  frame = scan_frame (x, in);
  if (!scan_done (in))
    {
      reply_error (out, 1);
      return;
    }
  stub_forget_document (s);
  if (frame == -2)
    {
      x->frame = -1;
      reply_ok (out);
    }
  else if (frame == -1)
    reply_text (out, "F-1");
  else
    {
      x->frame = frame;
      reply_text (out, "F%lxT%x", frame,
                  tracebuf_frame (x->frames, frame).number);
    }
}


/* Settings.  */

/* Read 0 or 1; 1 is not supported, and WHAT says so.  */
static void
refuse_if_on (struct scan *in, const char *what, struct reply *out)
{
  if (scan_is (in, "0"))
    reply_ok (out);
  else
    reply_error_text (out, what);
}

/* See packets.def.  */
void
cmd_QTDisconnected (struct stub *s, struct scan *in, struct reply *out)
{
  (void) s;
  refuse_if_on (in, "disconnected tracing is not supported", out);
}

/* See packets.def.  */
void
cmd_QTBuffer_circular (struct stub *s, struct scan *in, struct reply *out)
{
  (void) s;
  refuse_if_on (in, "a circular trace buffer is not supported", out);
}

/* See packets.def.  -1: as it is at first.  */
void
cmd_QTBuffer_size (struct stub *s, struct scan *in, struct reply *out)
{
  struct tracing *x = &s->tracing;
  uint64_t size = TRACEBUF_DEFAULT_SIZE;

  if (!scan_skip_word (in, "-1"))
    size = scan_hex (in);
  if (!scan_done (in) || tracing_look (x).running)
    {
      reply_error (out, 1);
      return;
    }
  x->buffer_size = size;
  x->frame = -1;
  tracebuf_clear (x->frames, size);
  reply_ok (out);
}

/* See packets.def.  user:TEXT;notes:TEXT;tstop:TEXT;  */
void
cmd_QTNotes (struct stub *s, struct scan *in, struct reply *out)
{
  struct tracing *x = &s->tracing;

  while (scan_ok (in) && scan_left (in) > 0)
    {
      char **to = scan_skip_word (in, "user:")    ? &x->user
                  : scan_skip_word (in, "notes:") ? &x->notes
                  : scan_skip_word (in, "tstop:") ? &x->stop_note
                                                  : NULL;
      struct scan text = scan_until (in, ";");

      scan_char (in, ';');
      if (to == NULL)
        in->bad = true;
      if (!scan_ok (in))
        break;
      free (*to);
      *to = scan_string (&text);
    }
  reply_ok_if (out, scan_done (in));
}

/* See packets.def.  Code that is rewritten needs no room for a jump.  */
void
cmd_qTMinFTPILen (struct stub *s, struct scan *in, struct reply *out)
{
  (void) s;
  (void) in;
  reply_text (out, "1");
}


/* Status.  */

static void
put_string (struct reply *out, const char *text)
{
  if (text != NULL)
    reply_hex (out, text, strlen (text));
}

/* Why tracing has ended, by S.  */
static void
put_reason (const struct tracing *x, const struct target_trace_status *s,
            struct reply *out)
{
  switch (s->end)
    {
    case TARGET_TRACE_NEVER:
      reply_text (out, "%s:0", x->ever && !s->running ? "tstop:" : "tnotrun");
      break;
    case TARGET_TRACE_STOPPED:
      reply_text (out, "tstop:");       /* tsave of GDB 13 wants a text */
      put_string (out, x->stop_note);
      reply_text (out, ":0");
      break;
    case TARGET_TRACE_FULL:
      reply_text (out, "tfull:0");
      break;
    case TARGET_TRACE_PASSED:
      reply_text (out, "tpasscount:%x", s->number);
      break;
    case TARGET_TRACE_ERROR:
      reply_text (out, "terror:");
      put_string (out, s->text);
      reply_text (out, ":%x", s->number);
      break;
    case TARGET_TRACE_LOST:
      reply_text (out, "tunknown:0");
      break;
    }
}

/* See packets.def.  */
void
cmd_qTStatus (struct stub *s, struct scan *in, struct reply *out)
{
  struct tracing *x = &s->tracing;
  struct target_trace_status status;
  size_t n;

  (void) in;
  status = tracing_look (x);
  n = tracebuf_count (x->frames);
  reply_text (out, "T%d;", status.running);
  put_reason (x, &status, out);
  reply_text (out, ";tframes:%zx;tcreated:%zx;tfree:%lx;tsize:%lx", n, n,
              tracebuf_free (x->frames), x->buffer_size);
  reply_text (out, ";circular:0;disconn:0;starttime:%lx;stoptime:%lx",
              x->start_time, x->stop_time);
  reply_text (out, ";username:");
  put_string (out, x->user);
  reply_text (out, ";notes:");
  put_string (out, x->notes);
  reply_text (out, ":");
}

/* See packets.def.  NUMBER:ADDRESS  */
void
cmd_qTP (struct stub *s, struct scan *in, struct reply *out)
{
  struct tracing *x = &s->tracing;
  const struct tracing_point *p = NULL;
  uint64_t number = scan_hex (in), hits, bytes;
  app_addr addr;

  scan_char (in, ':');
  addr = scan_hex (in);
  if (scan_done (in) && number <= UINT32_MAX)
    p = tracing_find (x, number, addr);
  if (p == NULL)
    {
      reply_error (out, 1);
      return;
    }
  tracing_look (x);
  tracing_usage (x, p, &hits, &bytes);
  reply_text (out, "V%lx:%lx", hits, bytes);
}

/* See packets.def.  Before the first start variables have no value; then they
   have that of the frame that GDB looks at, or what they are now.  */
void
cmd_qTV (struct stub *s, struct scan *in, struct reply *out)
{
  struct tracing *x = &s->tracing;
  uint64_t number = scan_hex (in), value;
  bool known;

  if (!scan_done (in) || number >= TARGET_MAX_VARIABLES)
    known = false;
  else if (x->frame >= 0)
    known = tracebuf_variable (x->frames, x->frame, number, &value);
  else
    known = x->ever
            && target_variable_get (s->t, number, &value) == TARGET_OK;
  if (known)
    reply_text (out, "V%lx", value);
  else
    reply_text (out, "U");
}
