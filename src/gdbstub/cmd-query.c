/* Questions: qSupported and other small q packets.  */

#include <stdio.h>
#include <string.h>

#include "gdbstub/packets.h"
#include "gdbstub/stub-impl.h"

/* What GDB may say that it can do, and where that is noted.  */
static const struct
{
  const char *name;
  size_t at;
} wishes[] = {
  { "multiprocess+", offsetof (struct features, multiprocess) },
  { "swbreak+", offsetof (struct features, swbreak) },
  { "hwbreak+", offsetof (struct features, hwbreak) },
  { "no-resumed+", offsetof (struct features, no_resumed) },
  { "fork-events+", offsetof (struct features, fork_events) },
  { "vfork-events+", offsetof (struct features, vfork_events) },
  { "exec-events+", offsetof (struct features, exec_events) },
  { "vContSupported+", offsetof (struct features, vcont) },
};

/* What is announced, and what the target must be able to for it.  */
static const struct
{
  const char *name;
  unsigned needs;               /* of enum target_ability */
} offers[] = {
  { "QPassSignals+", 0 },
  { "QProgramSignals+", 0 },
  { "QStartupWithShell+", 0 },
  { "QEnvironmentHexEncoded+", 0 },
  { "QEnvironmentReset+", 0 },
  { "QEnvironmentUnset+", 0 },
  { "QSetWorkingDir+", 0 },
  { "QCatchSyscalls+", TARGET_CAN_CATCH_SYSCALL },
  { "qXfer:libraries-svr4:read+", 0 },
  { "augmented-libraries-svr4-read+", 0 },
  { "qXfer:auxv:read+", 0 },
  { "qXfer:siginfo:read+", 0 },
  { "qXfer:siginfo:write+", 0 },
  { "qXfer:features:read+", 0 },
  { "qXfer:threads:read+", 0 },
  { "qXfer:osdata:read+", 0 },
  { "qXfer:exec-file:read+", 0 },
  { "QStartNoAckMode+", 0 },
  { "multiprocess+", 0 },
  { "fork-events+", TARGET_CAN_FOLLOW_FORK },
  { "vfork-events+", TARGET_CAN_FOLLOW_FORK },
  { "exec-events+", TARGET_CAN_FOLLOW_EXEC },
  { "QDisableRandomization+", 0 },
  { "ConditionalTracepoints+", TARGET_CAN_TRACE },
  { "TraceStateVariables+", TARGET_CAN_TRACE },
  { "TracepointSource+", TARGET_CAN_TRACE },
  { "FastTracepoints+", TARGET_CAN_TRACE },
  { "InstallInTrace+", TARGET_CAN_TRACE },
  { "qXfer:traceframe-info:read+", TARGET_CAN_TRACE },
  { "EnableDisableTracepoints+", TARGET_CAN_TRACE },
  { "QTBuffer:size+", TARGET_CAN_TRACE },
  { "ConditionalBreakpoints+", TARGET_CAN_CONDITION },
  { "BreakpointCommands+", TARGET_CAN_COMMAND },
  { "swbreak+", 0 },
  { "hwbreak+", 0 },
  { "vContSupported+", 0 },
  { "QThreadEvents+", TARGET_CAN_THREAD_EVENTS },
  { "no-resumed+", 0 },
};

static void
note_wish (struct stub *s, const struct scan *name)
{
  for (size_t i = 0; i < ARRAY_SIZE (wishes); i++)
    if (scan_is (name, wishes[i].name))
      *((bool *) &s->gdb + wishes[i].at) = true;
}

/* See packets.def.  */
void
cmd_qSupported (struct stub *s, struct scan *in, struct reply *out)
{
  unsigned can = target_abilities (s->t);

  if (scan_left (in) > 0)
    scan_char (in, ':');
  while (scan_left (in) > 0)
    {
      struct scan name = scan_until (in, ";");

      note_wish (s, &name);
      scan_skip (in, ';');
    }
  stub_set_wants (s);
  hostio_reset (&s->files);
  reply_text (out, "PacketSize=%x", RSP_PACKET_SIZE);
  for (size_t i = 0; i < ARRAY_SIZE (offers); i++)
    if ((offers[i].needs & ~can) == 0)
      reply_text (out, ";%s", offers[i].name);
}

/* See packets.def.  */
void
cmd_qC (struct stub *s, struct scan *in, struct reply *out)
{
  int tid = stub_thread (s);

  (void) in;
  if (s->options->without & STUB_WITHOUT_QC)
    return;
  reply_text (out, "QC");
  stub_put_ptid (s, target_thread_process (s->t, tid), tid, out);
}

/* The thread number N of all there are, by process; 0 behind the last.  */
static int
nth_thread (struct stub *s, size_t n)
{
  int pids[256], tids[4096];
  size_t n_pids = MIN (target_processes (s->t, pids, ARRAY_SIZE (pids)),
                       ARRAY_SIZE (pids));

  for (size_t i = 0; i < n_pids; i++)
    {
      size_t n_tids = target_threads (s->t, pids[i], tids, ARRAY_SIZE (tids));

      if (n < MIN (n_tids, ARRAY_SIZE (tids)))
        return tids[n];
      n -= n_tids;
    }
  return 0;
}

static void
put_next_thread (struct stub *s, struct reply *out)
{
  int tid = nth_thread (s, s->next_thread++);

  if (tid == 0)
    reply_text (out, "l");
  else
    {
      reply_text (out, "m");
      stub_put_ptid (s, target_thread_process (s->t, tid), tid, out);
    }
}

/* See packets.def.  */
void
cmd_qfThreadInfo (struct stub *s, struct scan *in, struct reply *out)
{
  (void) in;
  if (s->options->without & STUB_WITHOUT_THREAD_INFO)
    return;
  s->next_thread = 0;
  put_next_thread (s, out);
}

/* See packets.def.  */
void
cmd_qsThreadInfo (struct stub *s, struct scan *in, struct reply *out)
{
  (void) in;
  if (s->options->without & STUB_WITHOUT_THREAD_INFO)
    return;
  put_next_thread (s, out);
}

/* See packets.def.  Every process here was created by the server.  */
void
cmd_qAttached (struct stub *s, struct scan *in, struct reply *out)
{
  uint64_t pid = stub_process (s);

  if (scan_skip (in, ':'))
    pid = scan_hex (in);
  if (!scan_done (in) || pid == 0 || pid > INT32_MAX
      || target_threads (s->t, pid, NULL, 0) == 0)
    reply_error (out, 1);
  else
    reply_text (out, "0");
}

/* See packets.def.  */
void
cmd_qSymbol (struct stub *s, struct scan *in, struct reply *out)
{
  int pid = stub_process (s);

  if (pid == 0)
    reply_ok (out);
  else
    tls_qSymbol (&s->tls, pid, in, out);
}

/* See packets.def.  */
void
cmd_qGetTLSAddr (struct stub *s, struct scan *in, struct reply *out)
{
  int tid = stub_find (s, scan_ptid (in));
  const struct target_regs *r = tid > 0 ? stub_regs (s, tid) : NULL;
  uint64_t offset, lm;
  app_addr address;

  scan_char (in, ',');
  offset = scan_hex (in);
  scan_char (in, ',');
  lm = scan_hex (in);
  if (!scan_done (in) || r == NULL)
    {
      reply_error (out, scan_done (in) ? 2 : 1);
      return;
    }
  switch (tls_address (&s->tls, s->t, target_thread_process (s->t, tid),
                       r->regs.fs_base, lm, offset, &address))
    {
    case TLS_OK:
      reply_text (out, "%lx", address);
      break;
    case TLS_NOT_READY:         /* as a packet that is not known */
      break;
    case TLS_NOT_ALLOCATED:
      reply_error (out, 24);    /* TD_TLSDEFER of <thread_db.h> */
      break;
    case TLS_FAULT:
      reply_error (out, 1);
      break;
    }
}

/* See packets.def.  */
void
cmd_vFile (struct stub *s, struct scan *in, struct reply *out)
{
  hostio_handle (&s->files, s->t, in, out);
}
