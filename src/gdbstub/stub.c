/* The session: connection, packets and events, one loop around poll.

   States, and what moves between them (the functions that do it):

     LISTENING  no connection; events are noted     accept_connection
     STOPPED    packets are answered                stub_resume
     RUNNING    packets wait, interrupts count      take_event
     any        the peer goes away: end_connection, to LISTENING or the end
     any        SIGHUP, SIGINT or SIGTERM: the end

   A target that runs when its debugger vanishes is stopped, so that the next
   one finds it.  */

#include "gdbstub/stub.h"

#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

#include "common/assert.h"
#include "common/clock.h"
#include "gdbstub/alloc.h"
#include "gdbstub/packets.h"
#include "gdbstub/signals.h"
#include "gdbstub/stops.h"
#include "gdbstub/stub-impl.h"

/* What the loop waits for.  */
enum { FD_EVENT, FD_IN, FD_OUT, FD_SIGNAL, N_FDS };

enum
{
  MAX_WAITING = 1 << 20,        /* bytes kept while the target runs */
  LOOK_US = 100,                /* for the next packet, before sleeping */
  NAP_MS = 2,                   /* before somebody else listens */
  FLUSH_MS = 2000               /* for the last answer, at the end */
};


/* Threads and registers.  */

/* See stub-impl.h.  */
bool
stub_has_process (struct stub *s)
{
  return target_processes (s->t, NULL, 0) > 0;
}

static int
first_thread (struct stub *s, int pid)
{
  int tid = 0;

  return target_threads (s->t, pid, &tid, 1) > 0 ? tid : 0;
}

/* See stub-impl.h.  */
int
stub_thread (struct stub *s)
{
  int pid = 0;

  if (s->general > 0 && target_thread_process (s->t, s->general) != 0)
    return s->general;
  if (target_processes (s->t, &pid, 1) == 0)
    return 0;
  return first_thread (s, pid);
}

/* See stub-impl.h.  */
int
stub_process (struct stub *s)
{
  int tid = stub_thread (s);

  return tid == 0 ? 0 : target_thread_process (s->t, tid);
}

/* See stub-impl.h.  */
int
stub_find (struct stub *s, struct scan_ptid ptid)
{
  int pid;

  if (ptid.tid > 0)
    {
      pid = target_thread_process (s->t, ptid.tid);
      return pid == 0 || (ptid.pid > 0 && ptid.pid != pid) ? -1 : ptid.tid;
    }
  if (ptid.pid <= 0)
    return 0;
  pid = first_thread (s, ptid.pid);
  return pid == 0 ? -1 : pid;
}

/* See stub-impl.h.  */
void
stub_put_ptid (struct stub *s, int pid, int tid, struct reply *out)
{
  if (s->gdb.multiprocess)
    reply_text (out, "p%x.%x", pid, tid);
  else
    reply_text (out, "%x", tid);
}

/* See stub-impl.h.  */
struct target_regs *
stub_regs (struct stub *s, int tid)
{
  if (tid == 0 || s->regs_tid == tid)
    return tid == 0 ? NULL : &s->regs;
  s->regs_tid = 0;
  if (target_regs_read (s->t, tid, &s->regs) != TARGET_OK)
    return NULL;
  s->regs_tid = tid;
  return &s->regs;
}

/* See stub-impl.h.  */
bool
stub_regs_write (struct stub *s, int tid)
{
  vm_assert (s->regs_tid == tid);
  return target_regs_write (s->t, tid, &s->regs) == TARGET_OK;
}


/* Sending.  */

/* Begin a line of what is shown on standard error.  */
static void
trace_begin (const struct stub *s)
{
  struct timespec t;

  if (!s->trace_time)
    return;
  clock_gettime (CLOCK_REALTIME, &t);
  fprintf (stderr, "%ld.%06ld ", (long) t.tv_sec, t.tv_nsec / 1000);
}

/* Show a resume by N ACTIONS.  */
static void
trace_resume (const struct stub *s, const struct target_action *actions,
              size_t n)
{
  static const char *const what[] = {
    [TARGET_RESUME_STAY] = "stay",
    [TARGET_RESUME_CONTINUE] = "continue",
    [TARGET_RESUME_STEP] = "step",
    [TARGET_RESUME_RANGE] = "step in a range",
  };

  if (!s->trace_events)
    return;
  for (size_t i = 0; i < n; i++)
    {
      trace_begin (s);
      fprintf (stderr, "resume %d.%d: %s, signal %d\n", actions[i].pid,
               actions[i].tid, what[actions[i].kind], actions[i].signal);
    }
}

/* Show event E.  */
static void
trace_event (const struct stub *s, const struct target_event *e)
{
  if (!s->trace_events)
    return;
  trace_begin (s);
  fprintf (stderr, "stop %d.%d: event %d, signal %d, status %d\n", e->pid,
           e->tid, e->kind, e->signal, e->status);
}

static void
trace (struct stub *s, const char *what, const char *data, size_t n)
{
  if (!s->trace_packets)
    return;
  trace_begin (s);
  fprintf (stderr, "%s (\"", what);
  for (size_t i = 0; i < n; i++)
    if (data[i] >= ' ' && data[i] < 0x7f)
      fputc (data[i], stderr);
    else
      fprintf (stderr, "\\x%02x", (uint8_t) data[i]);
  fputs ("\");\n", stderr);
}

static void
send_reply (struct stub *s, const struct reply *out)
{
  trace (s, "putpkt", out->data, out->length);
  rsp_send (&s->rsp, out->length > 0 ? out->data : "", out->length);
}

/* See stub-impl.h.  */
void
stub_console (struct stub *s, const char *text)
{
  const size_t most = (RSP_PACKET_SIZE - 1) / 2;
  size_t left = strlen (text);

  while (left > 0)
    {
      struct reply out = { NULL, 0, 0 };
      size_t n = MIN (left, most);

      reply_text (&out, "O");
      reply_hex (&out, text, n);
      send_reply (s, &out);
      reply_fini (&out);
      text += n;
      left -= n;
    }
}

/* Write what the connection takes.  Returns false when the peer is gone.  */
static bool
pump (struct stub *s)
{
  while (s->rsp.out_at < s->rsp.out_end)
    {
      long n = connection_write (&s->connection, s->rsp.out + s->rsp.out_at,
                                 s->rsp.out_end - s->rsp.out_at);

      if (n < 0)
        return false;
      if (n == 0)
        return true;
      rsp_sent (&s->rsp, n);
    }
  return true;
}

/* Write all that is left, for a while.  */
static void
flush_out (struct stub *s)
{
  struct pollfd fd = { s->connection.out, POLLOUT, 0 };

  while (connection_is_open (&s->connection) && pump (s)
         && s->rsp.out_at < s->rsp.out_end && poll (&fd, 1, FLUSH_MS) > 0)
    ;
}


/* Processes.  */

/* See stub-impl.h.  */
void
stub_set_wants (struct stub *s)
{
  unsigned wants = 0;

  if (s->gdb.fork_events)
    wants |= TARGET_WANTS_FORK;
  if (s->gdb.vfork_events)
    wants |= TARGET_WANTS_VFORK;
  if (s->gdb.exec_events)
    wants |= TARGET_WANTS_EXEC;
  if (s->gdb.thread_events)
    wants |= TARGET_WANTS_THREADS;
  target_set_wants (s->t, wants);
}

/* See stub-impl.h.  */
void
stub_forget_document (struct stub *s)
{
  free (s->document_name);
  s->document_name = NULL;
  reply_clear (&s->document);
}

/* See stub-impl.h.  */
void
stub_forget_process (struct stub *s, int pid)
{
  inserted_forget (&s->inserted, pid);
  watchlog_forget (&s->watchlogs, pid);
  tls_forget (&s->tls, pid);
  s->regs_tid = 0;
  if (s->files.root_pid == pid)
    s->files.root_pid = 0;
}

/* See stub-impl.h.  */
void
stub_kill_all (struct stub *s)
{
  int pid;

  while (target_processes (s->t, &pid, 1) > 0)
    {
      if (target_kill (s->t, pid) != TARGET_OK)
        break;
      stub_forget_process (s, pid);
    }
  s->last = (struct target_event) { .kind = TARGET_EVENT_NONE };
}

/* See stub-impl.h.  */
bool
stub_start_program (struct stub *s)
{
  bool stdio = s->connection.kind == CONNECTION_STDIO;
  int pid;

  s->regs_tid = 0;
  s->interrupted = false;
  if (!launch_start (&s->launch, s->t, s->options, stdio, &pid))
    return false;
  s->general = first_thread (s, pid);
  s->last = (struct target_event) { .kind = TARGET_EVENT_STEP,
                                    .pid = pid, .tid = s->general };
  return true;
}

/* GDB asks for a stop.  It may cross another that GDB means to go on from by
   itself, as one for a new library: it comes after that, then.  A SIGINT that
   the program is to get with no stop is sent to it, as a terminal would.  */
static void
interrupt (struct stub *s)
{
  s->interrupted = !s->running;
  if (!s->running)
    return;
  if (s->pass_signals >> (SIGINT - 1) & 1)
    {
      if (target_send_signal (s->t, stub_process (s), 0, SIGINT) == TARGET_OK)
        return;
    }
  s->interrupted = true;
  target_interrupt (s->t, stub_process (s));
}

/* See stub-impl.h.  */
void
stub_resume (struct stub *s, const struct target_action *actions, size_t n,
             struct reply *out)
{
  s->regs_tid = 0;
  s->tracing.frame = -1;
  stub_forget_document (s);
  trace_resume (s, actions, n);
  watchlog_settle (&s->watchlogs, s->t);
  if (s->interrupted || rsp_has_interrupt (&s->rsp))
    target_expect_interrupt (s->t);
  if (target_resume (s->t, actions, n) != TARGET_OK)
    {
      reply_error (out, 1);
      return;
    }
  s->running = true;
  s->no_reply = true;
  if (s->interrupted)
    interrupt (s);
}


/* Events.  */

/* Say how a process ended, unless the user of a pipe, who sees it in GDB on
   the same terminal.  */
static void
say_end (struct stub *s, const struct target_event *e)
{
  if (s->connection.kind == CONNECTION_STDIO)
    return;
  if (e->kind == TARGET_EVENT_EXITED)
    fprintf (stderr, "\nChild exited with status %d\n", e->status);
  else
    fprintf (stderr, "\nChild terminated with signal = 0x%x (%s)\n",
             e->signal, signal_name (e->signal));
}

/* Bring what is known of processes up to date with E.  */
static void
note_event (struct stub *s, const struct target_event *e)
{
  switch (e->kind)
    {
    case TARGET_EVENT_EXITED:
    case TARGET_EVENT_KILLED:
      say_end (s, e);
      stub_forget_process (s, e->pid);
      break;
    case TARGET_EVENT_EXEC:
      stub_forget_process (s, e->pid);
      break;
    case TARGET_EVENT_FORK:
    case TARGET_EVENT_VFORK:
      inserted_copy (&s->inserted, e->pid, e->child);
      break;
    default:
      break;
    }
}

/* The target has stopped by E.  */
static void
take_event (struct stub *s, const struct target_event *e)
{
  s->running = false;
  s->regs_tid = 0;
  s->last = *e;
  if (e->kind == TARGET_EVENT_INTERRUPT || !stub_has_process (s))
    s->interrupted = false;
  trace_event (s, e);
  note_event (s, e);
  if (connection_is_open (&s->connection))
    {
      struct reply out = { NULL, 0, 0 };

      stops_reply (s, e, &out);
      send_reply (s, &out);
      reply_fini (&out);
    }
  else if (!stub_has_process (s) && !s->options->multi && !s->gdb.extended)
    s->exit_requested = true;
}

static void
show_lines (struct stub *s, struct reply *text)
{
  if (text->length == 0)
    return;
  reply_raw (text, "", 1);
  stub_console (s, text->data);
  reply_clear (text);
}

/* Show what commands of breakpoints have printed, and what is logged.  */
static void
show_text (struct stub *s)
{
  char text[512];
  size_t n;

  show_lines (s, &s->watchlogs.text);
  streams_tell_lost (&s->streams, s->t);
  show_lines (s, &s->streams.text);
  streams_flush (&s->streams);
  while ((n = target_text (s->t, text, sizeof text)) > 0)
    {
      struct reply out = { NULL, 0, 0 };

      reply_text (&out, "O");
      reply_hex (&out, text, n);
      send_reply (s, &out);
      reply_fini (&out);
    }
}

/* Take what has happened, if FDS say that something has; while stopped, that
   is something for the target alone.  */
static void
take_events (struct stub *s, const struct pollfd fds[N_FDS])
{
  struct target_event e;

  if (!s->running && fds[FD_EVENT].revents != 0)
    target_next_event (s->t, &e);
  while (s->running && fds[FD_EVENT].revents != 0)
    {
      bool stopped;

      show_text (s);
      stopped = target_next_event (s->t, &e);
      if (stopped)              /* what came before it is told before it */
        target_take_records (s->t);
      show_text (s);
      if (!stopped)
        break;
      take_event (s, &e);
    }
}

/* Packets.  */

static void
answer_packet (struct stub *s)
{
  struct scan in = scan_of ((const char *) s->rsp.data, s->rsp.length);
  struct reply out = { NULL, 0, 0 };

  trace (s, "getpkt", (const char *) s->rsp.data, s->rsp.length);
  s->no_reply = s->noack_next = false;
  packets_dispatch (s, &in, &out);
  if (!s->no_reply)
    send_reply (s, &out);
  if (s->noack_next)
    s->rsp.noack = true;
  reply_fini (&out);
}

static void
answer_bad_packet (struct stub *s)
{
  struct reply out = { NULL, 0, 0 };

  reply_error (&out, 1);
  send_reply (s, &out);
  reply_fini (&out);
}

/* Look at what has arrived, as far as may be done now.  */
static void
take_input (struct stub *s)
{
  while (!s->exit_requested && s->rsp.out_end - s->rsp.out_at < MAX_WAITING)
    {
      if (s->running)
        {
          if (rsp_take_interrupt (&s->rsp))
            interrupt (s);
          return;
        }
      switch (rsp_next (&s->rsp))
        {
        case RSP_NOTHING:
          return;
        case RSP_PACKET:
          answer_packet (s);
          break;
        case RSP_INTERRUPT:
          interrupt (s);
          break;
        case RSP_BAD_PACKET:
          answer_bad_packet (s);
          break;
        }
    }
}


/* Connections.  */

static void
accept_connection (struct stub *s)
{
  if (!connection_accept (&s->connection))
    return;
  s->cont = 0;
  hostio_reset (&s->files);
}

/* The peer is gone.  Returns whether another one is to be waited for.  */
static bool
end_connection (struct stub *s)
{
  bool extended = s->gdb.extended;

  connection_close (&s->connection);
  rsp_fini (&s->rsp);
  rsp_init (&s->rsp);
  hostio_reset (&s->files);
  s->gdb = (struct features) { .extended = extended };
  s->interrupted = false;
  stub_set_wants (s);
  if (s->exit_requested || s->options->once
      || s->connection.kind == CONNECTION_STDIO
      || (!extended && !s->options->multi && !stub_has_process (s)))
    return false;
  if (s->running)
    target_interrupt (s->t, 0);
  fprintf (stderr, "Remote side has terminated connection.  "
                   "GDBserver will reopen the connection.\n");
  return connection_listen (&s->connection);
}

/* Wait until one of FDS is ready.  SOON: likely to be at once.  Then they
   are looked at for a moment before the server sleeps: to be woken on a
   processor that has gone idle takes longer than most packets, some 40 us in a
   virtual machine; whoever else wants the processor has it meanwhile.  Most
   stops come within the nap, and need no sentry.  */
static void
wait_for_any (struct target *t, struct pollfd fds[N_FDS], bool soon)
{
  uint64_t start = clock_us ();

  while (soon && clock_us () - start < LOOK_US)
    {
      if (poll (fds, N_FDS, 0) > 0)
        return;
      sched_yield ();
    }
  if (poll (fds, N_FDS, NAP_MS) > 0)
    return;
  target_will_sleep (t);
  while (poll (fds, N_FDS, -1) < 0)
    ;
}

/* Wait for something to do.  In FDS is what the last wait ended with.  */
static void
wait_for_work (struct stub *s, struct pollfd fds[N_FDS])
{
  bool open = connection_is_open (&s->connection);
  bool soon = open && (!s->running || fds[FD_IN].revents != 0);

  fds[FD_EVENT] = (struct pollfd) { target_event_fd (s->t), POLLIN, 0 };
  fds[FD_IN]
    = (struct pollfd) { open ? s->connection.in : s->connection.listener,
                        POLLIN, 0 };
  if (open && rsp_waiting (&s->rsp) >= MAX_WAITING)
    fds[FD_IN].events = 0;
  fds[FD_OUT] = (struct pollfd) { s->connection.out, POLLOUT, 0 };
  if (!open || s->rsp.out_at == s->rsp.out_end)
    fds[FD_OUT].fd = -1;
  fds[FD_SIGNAL] = (struct pollfd) { s->signals, POLLIN, 0 };
  target_listen (s->t, open && fds[FD_IN].events != 0 ? s->connection.in : -1);
  wait_for_any (s->t, fds, soon);
  if (fds[FD_SIGNAL].revents != 0)
    s->exit_requested = true;
}

/* Read what has arrived.  Returns false when the peer is gone.  */
static bool
read_input (struct stub *s)
{
  static uint8_t buffer[65536];
  long n = connection_read (&s->connection, buffer, sizeof buffer);

  if (n < 0)
    return false;
  rsp_feed (&s->rsp, buffer, n);
  return true;
}

/* Until the server is to end.  */
static void
loop (struct stub *s)
{
  struct pollfd fds[N_FDS] = { 0 };
  bool alive;

  while (!s->exit_requested)
    {
      wait_for_work (s, fds);
      if (!connection_is_open (&s->connection))
        {
          take_events (s, fds);
          if (fds[FD_IN].revents != 0)
            accept_connection (s);
          continue;
        }
      alive = fds[FD_IN].revents == 0 || read_input (s);
      /* An interrupt comes before the events: see target_listen.  */
      if (s->running)
        take_input (s);
      take_events (s, fds);
      take_input (s);
      if (!pump (s) || !alive)
        if (!end_connection (s))
          return;
    }
}


/* Beginning and end.  */

static void
ignore (int signal)
{
  (void) signal;
}

/* A peer that closes must not kill the server.  A handler, unlike SIG_IGN, is
   not inherited by the program.  */
static void
guard_pipes (void)
{
  struct sigaction old, new = { .sa_handler = ignore, .sa_flags = SA_RESTART };

  if (sigaction (SIGPIPE, NULL, &old) == 0 && old.sa_handler == SIG_DFL)
    sigaction (SIGPIPE, &new, NULL);
}

/* Signals that ask the server to end come by a descriptor, so that it kills
   its program first.  What is ignored stays so.  */
static void
take_signals (struct stub *s)
{
  static const int signals[] = { SIGHUP, SIGINT, SIGTERM };
  struct sigaction old;
  sigset_t set;

  sigemptyset (&set);
  for (size_t i = 0; i < ARRAY_SIZE (signals); i++)
    if (sigaction (signals[i], NULL, &old) == 0 && old.sa_handler == SIG_DFL)
      sigaddset (&set, signals[i]);
  sigprocmask (SIG_BLOCK, &set, &s->mask);
  s->signals = signalfd (-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

/* There is no program any more: they may end the server, and one that has
   come, which was not taken out of the descriptor, does so now.  */
static void
give_back_signals (struct stub *s)
{
  if (s->signals >= 0)
    close (s->signals);
  sigprocmask (SIG_SETMASK, &s->mask, NULL);
}

static bool
begin (struct stub *s)
{
  if (!connection_prepare (&s->connection, s->options->connection))
    return false;
  if (s->launch.argv != NULL && !stub_start_program (s))
    {
      fprintf (stderr, "Exiting\n");
      return false;
    }
  return connection_listen (&s->connection);
}

static void
kill_left_over (struct stub *s)
{
  size_t n = target_processes (s->t, NULL, 0);
  int pids[256];

  if (n == 0)
    return;
  n = MIN (target_processes (s->t, pids, ARRAY_SIZE (pids)),
           ARRAY_SIZE (pids));
  fprintf (stderr, "Killing process(es):");
  for (size_t i = 0; i < n; i++)
    fprintf (stderr, " %d", pids[i]);
  fprintf (stderr, "\n");
  stub_kill_all (s);
}

static void
fini (struct stub *s)
{
  rsp_fini (&s->rsp);
  hostio_reset (&s->files);
  inserted_forget (&s->inserted, 0);
  watchlog_forget (&s->watchlogs, 0);
  reply_fini (&s->watchlogs.text);
  tls_forget (&s->tls, 0);
  tracing_fini (&s->tracing);
  streams_fini (&s->streams);
  launch_fini (&s->launch);
  reply_fini (&s->document);
  free (s->document_name);
  free (s);
}

static void
take_change (void *data, int pid, const struct target_change *c)
{
  struct stub *s = data;

  watchlog_take (&s->watchlogs, pid, c);
}

/* See stub.h.  */
int
stub_serve (struct target *t, const struct stub_options *options)
{
  struct stub *s = alloc_zeroed (sizeof *s);
  bool begun;

  s->t = t;
  s->options = options;
  s->trace_packets = options->trace_packets;
  rsp_init (&s->rsp);
  hostio_init (&s->files);
  target_set_changes (t, &(struct target_changes) { s, take_change });
  tdesc_init_host (&s->tdesc);
  launch_init (&s->launch, options);
  tracing_init (&s->tracing, t, &s->streams, &s->rsp);
  guard_pipes ();
  take_signals (s);
  begun = begin (s);
  if (begun)
    loop (s);
  flush_out (s);
  kill_left_over (s);
  connection_fini (&s->connection);
  give_back_signals (s);
  if (s->join_pid != 0)
    target_join (t, s->join_pid);
  launch_give_terminal (getpgrp ());
  fini (s);
  return begun ? 0 : 1;
}
