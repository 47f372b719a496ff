/* Packets about processes as wholes: ! ? vRun vAttach vKill k R D H T.  */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gdbstub/alloc.h"
#include "gdbstub/packets.h"
#include "gdbstub/stops.h"
#include "gdbstub/stub-impl.h"

/* See packets.def.  */
void
cmd_extended (struct stub *s, struct scan *in, struct reply *out)
{
  (void) in;
  s->gdb.extended = true;
  reply_ok (out);
}

/* See packets.def.  When the last event's thread is gone, another stands for
   it.  */
void
cmd_status (struct stub *s, struct scan *in, struct reply *out)
{
  struct target_event e = s->last;

  (void) in;
  if (!stub_has_process (s))
    e.kind = TARGET_EVENT_NONE;
  else if (target_thread_process (s->t, e.tid) == 0)
    {
      s->general = 0;
      e = (struct target_event) { .kind = TARGET_EVENT_STEP,
                                  .pid = stub_process (s),
                                  .tid = stub_thread (s) };
    }
  stops_reply (s, &e, out);
}

/* Whether another process may be started now.  */
static bool
may_start (struct stub *s)
{
  if (!stub_has_process (s) || (s->gdb.extended && s->gdb.multiprocess))
    return true;
  fprintf (stderr, "Already debugging a process\n");
  return false;
}

/* Read words in hexadecimal, separated by ';', into a new list.  */
static char **
scan_words (struct scan *in, size_t *n)
{
  char **words = alloc_zeroed ((scan_left (in) + 2) * sizeof *words);

  *n = 0;
  do
    {
      struct scan word = scan_until (in, ";");
      char *s = scan_string (&word);

      if (s == NULL)
        in->bad = true;
      else
        words[(*n)++] = s;
    }
  while (scan_skip (in, ';'));
  return words;
}

/* See packets.def.  With no name the last program runs again.  */
void
cmd_vRun (struct stub *s, struct scan *in, struct reply *out)
{
  size_t n;
  char **words = scan_words (in, &n);

  if (scan_done (in) && words[0][0] == 0 && s->launch.argv != NULL)
    {
      free (words[0]);
      words[0] = alloc_string (s->launch.argv[0]);
    }
  if (!scan_done (in) || words[0][0] == 0 || !may_start (s))
    reply_error (out, 1);
  else
    {
      launch_set (&s->launch, words, n);
      if (stub_start_program (s))
        stops_reply (s, &s->last, out);
      else
        reply_error (out, 1);
    }
  for (size_t i = 0; i < n; i++)
    free (words[i]);
  free (words);
}

/* See packets.def.  */
void
cmd_vAttach (struct stub *s, struct scan *in, struct reply *out)
{
  (void) s;
  (void) in;
  reply_error_text (out, "Attaching to a process is not supported.");
}

/* See packets.def.  */
void
cmd_vKill (struct stub *s, struct scan *in, struct reply *out)
{
  uint64_t pid = scan_hex (in);

  if (!s->gdb.multiprocess)
    pid = stub_process (s);
  if (!scan_done (in) || pid > INT32_MAX
      || target_kill (s->t, pid) != TARGET_OK)
    {
      reply_error (out, 1);
      return;
    }
  stub_forget_process (s, pid);
  reply_ok (out);
}

/* See packets.def.  There is no answer.  */
void
cmd_k (struct stub *s, struct scan *in, struct reply *out)
{
  (void) in;
  (void) out;
  s->no_reply = true;
  if (!stub_has_process (s))
    return;
  fprintf (stderr, "Killing all inferiors\n");
  stub_kill_all (s);
  if (!s->gdb.extended)
    s->exit_requested = true;
}

/* See packets.def.  There is no answer either.  */
void
cmd_R (struct stub *s, struct scan *in, struct reply *out)
{
  (void) in;
  (void) out;
  if (!s->gdb.extended)
    return;
  s->no_reply = true;
  stub_kill_all (s);
  fprintf (stderr, "GDBserver restarting\n");
  if (s->launch.argv != NULL && !stub_start_program (s))
    s->general = 0;
}

/* See packets.def.  After the last process the server has nothing left to do
   but to see its child out.  */
void
cmd_D (struct stub *s, struct scan *in, struct reply *out)
{
  uint64_t pid = stub_process (s);

  if (scan_skip (in, ';'))
    pid = scan_hex (in);
  if (!scan_done (in) || pid == 0 || pid > INT32_MAX
      || target_threads (s->t, pid, NULL, 0) == 0)
    {
      reply_error (out, 1);
      return;
    }
  fprintf (stderr, "Detaching from process %d\n", (int) pid);
  if (target_detach (s->t, pid, 0) != TARGET_OK)
    {
      reply_error (out, 1);
      return;
    }
  stub_forget_process (s, pid);
  reply_ok (out);
  if (!s->gdb.extended && !stub_has_process (s))
    {
      s->exit_requested = true;
      s->join_pid = pid;
    }
}

/* See packets.def.  */
void
cmd_H (struct stub *s, struct scan *in, struct reply *out)
{
  bool general = scan_skip (in, 'g');
  int tid;

  if (!general && !scan_skip (in, 'c') && !scan_skip (in, 's'))
    return;
  tid = stub_find (s, scan_ptid (in));
  if (!scan_done (in) || tid < 0)
    {
      reply_error (out, 1);
      return;
    }
  if (general)
    s->general = tid != 0 ? tid : stub_thread (s);
  else
    s->cont = tid;
  reply_ok (out);
}

/* See packets.def.  */
void
cmd_T (struct stub *s, struct scan *in, struct reply *out)
{
  struct scan_ptid ptid = scan_ptid (in);

  reply_ok_if (out, scan_done (in) && ptid.tid > 0
                      && stub_find (s, ptid) > 0);
}
