/* Packets that let threads go on: vCont, c C s S, vCtrlC.  */

#include "gdbstub/packets.h"
#include "gdbstub/signals.h"
#include "gdbstub/stub-impl.h"

enum { MAX_ACTIONS = 256 };

/* See packets.def.  */
void
cmd_vCont_query (struct stub *s, struct scan *in, struct reply *out)
{
  (void) in;
  if (s->options->without & STUB_WITHOUT_VCONT)
    return;
  reply_text (out, "vCont;c;C;t;s;S;r");
}

/* Read one action: what, the signal, the range.  */
static void
scan_action (struct scan *in, struct target_action *a)
{
  int signal = 0;

  if (scan_skip (in, 'c'))
    a->kind = TARGET_RESUME_CONTINUE;
  else if (scan_skip (in, 's'))
    a->kind = TARGET_RESUME_STEP;
  else if (scan_skip (in, 't'))
    a->kind = TARGET_RESUME_STAY;
  else if (scan_skip (in, 'C'))
    {
      a->kind = TARGET_RESUME_CONTINUE;
      signal = signal_from_gdb (scan_hex (in));
    }
  else if (scan_skip (in, 'S'))
    {
      a->kind = TARGET_RESUME_STEP;
      signal = signal_from_gdb (scan_hex (in));
    }
  else if (scan_skip (in, 'r'))
    {
      a->kind = TARGET_RESUME_RANGE;
      a->range_start = scan_hex (in);
      scan_char (in, ',');
      a->range_end = scan_hex (in);
    }
  else
    in->bad = true;
  if (signal < 0)
    in->bad = true;
  a->signal = signal;
}

/* Read whom it is for.  Returns false when that is no one: the thread is
   gone.  */
static bool
scan_whom (struct stub *s, struct scan *in, struct target_action *a)
{
  struct scan_ptid ptid;

  if (!scan_skip (in, ':'))
    return true;
  ptid = scan_ptid (in);
  if (ptid.tid > 0)
    {
      a->tid = stub_find (s, ptid);
      a->pid = target_thread_process (s->t, a->tid);
      return a->tid > 0;
    }
  a->pid = ptid.pid > 0 ? ptid.pid : 0;
  return true;
}

/* See packets.def.  */
void
cmd_vCont (struct stub *s, struct scan *in, struct reply *out)
{
  static struct target_action actions[MAX_ACTIONS];
  size_t n = 0;

  if (s->options->without & STUB_WITHOUT_VCONT)
    return;
  do
    {
      struct target_action a = { 0 };

      scan_action (in, &a);
      if (n == MAX_ACTIONS)
        in->bad = true;
      else if (scan_whom (s, in, &a))
        actions[n++] = a;
    }
  while (scan_skip (in, ';'));
  if (!scan_done (in))
    reply_error (out, 1);
  else
    stub_resume (s, actions, n, out);
}

/* The older packets: the thread of Hc, or the current one and with it all
   others.  */
static void
resume (struct stub *s, enum target_resume_kind kind, int signal,
        struct reply *out)
{
  struct target_action actions[2] = { { 0 } };
  bool alone = s->cont > 0 && target_thread_process (s->t, s->cont) != 0;

  actions[0].tid = alone ? s->cont : stub_thread (s);
  actions[0].pid = target_thread_process (s->t, actions[0].tid);
  actions[0].kind = kind;
  actions[0].signal = signal;
  actions[1].kind = TARGET_RESUME_CONTINUE;
  stub_resume (s, actions, alone ? 1 : 2, out);
}

/* Go on at an address, if one is given.  */
static bool
take_address (struct stub *s, struct scan *in)
{
  int tid = stub_thread (s);
  struct target_regs *r;
  app_addr pc;

  if (scan_left (in) == 0)
    return true;
  pc = scan_hex (in);
  r = stub_regs (s, tid);
  if (!scan_done (in) || r == NULL)
    return false;
  r->regs.rip = pc;
  return stub_regs_write (s, tid);
}

static void
resume_at (struct stub *s, enum target_resume_kind kind, struct scan *in,
           struct reply *out)
{
  if (take_address (s, in))
    resume (s, kind, 0, out);
  else
    reply_error (out, 1);
}

/* SIG or SIG;ADDR.  */
static void
resume_with_signal (struct stub *s, enum target_resume_kind kind,
                    struct scan *in, struct reply *out)
{
  int signal = signal_from_gdb (scan_hex (in));

  if (scan_left (in) > 0)
    scan_char (in, ';');
  if (!scan_ok (in) || !take_address (s, in))
    reply_error (out, 1);
  else
    resume (s, kind, signal < 0 ? 0 : signal, out);
}

/* See packets.def.  */
void
cmd_c (struct stub *s, struct scan *in, struct reply *out)
{
  resume_at (s, TARGET_RESUME_CONTINUE, in, out);
}

/* See packets.def.  */
void
cmd_s (struct stub *s, struct scan *in, struct reply *out)
{
  resume_at (s, TARGET_RESUME_STEP, in, out);
}

/* See packets.def.  */
void
cmd_C (struct stub *s, struct scan *in, struct reply *out)
{
  resume_with_signal (s, TARGET_RESUME_CONTINUE, in, out);
}

/* See packets.def.  */
void
cmd_S (struct stub *s, struct scan *in, struct reply *out)
{
  resume_with_signal (s, TARGET_RESUME_STEP, in, out);
}

/* See packets.def.  In all-stop mode there is nothing left to stop.  */
void
cmd_vCtrlC (struct stub *s, struct scan *in, struct reply *out)
{
  (void) in;
  target_interrupt (s->t, stub_process (s));
  reply_ok (out);
}
