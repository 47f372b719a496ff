/* Settings: the Q packets.  */

#include <stdio.h>
#include <stdlib.h>

#include "gdbstub/alloc.h"
#include "gdbstub/packets.h"
#include "gdbstub/signals.h"
#include "gdbstub/stub-impl.h"

/* See packets.def.  */
void
cmd_QStartNoAckMode (struct stub *s, struct scan *in, struct reply *out)
{
  (void) in;
  s->noack_next = true;
  reply_ok (out);
}

/* Read a list of signals, by GDB's numbers, as a set by Linux's.  Numbers that
   Linux has not are passed over.  */
static uint64_t
scan_signals (struct scan *in)
{
  uint64_t set = 0;

  while (scan_left (in) > 0)
    {
      int signal = signal_from_gdb (scan_hex (in));

      if (scan_left (in) > 0)
        scan_char (in, ';');
      if (signal > 0 && signal <= TARGET_N_SIGNALS)
        set |= 1ull << (signal - 1);
    }
  return set;
}

/* See packets.def.  */
void
cmd_QPassSignals (struct stub *s, struct scan *in, struct reply *out)
{
  uint64_t set = scan_signals (in);

  if (!scan_ok (in))
    {
      reply_error (out, 1);
      return;
    }
  s->pass_signals = set;
  target_set_pass_signals (s->t, set);
  reply_ok (out);
}

/* See packets.def.  */
void
cmd_QProgramSignals (struct stub *s, struct scan *in, struct reply *out)
{
  uint64_t set = scan_signals (in);

  if (!scan_ok (in))
    {
      reply_error (out, 1);
      return;
    }
  target_set_program_signals (s->t, set);
  reply_ok (out);
}

/* See packets.def.  */
void
cmd_QCatchSyscalls (struct stub *s, struct scan *in, struct reply *out)
{
  uint64_t on;
  int *numbers;
  size_t n = 0;

  if (!(target_abilities (s->t) & TARGET_CAN_CATCH_SYSCALL))
    return;
  numbers = alloc_zeroed ((scan_left (in) + 1) * sizeof *numbers);
  on = scan_hex (in);
  while (scan_skip (in, ';'))
    numbers[n++] = scan_hex (in);
  reply_ok_if (out, scan_done (in) && on <= 1
                      && target_catch_syscalls (s->t, stub_process (s), on,
                                                numbers, n) == TARGET_OK);
  free (numbers);
}

/* Read 0 or 1 into *VALUE and answer.  */
static void
take_switch (struct scan *in, bool *value, struct reply *out)
{
  if (scan_is (in, "0") || scan_is (in, "1"))
    {
      *value = scan_is (in, "1");
      reply_ok (out);
    }
  else
    reply_error_text (out, "Neither 0 nor 1.");
}

/* See packets.def.  */
void
cmd_QThreadEvents (struct stub *s, struct scan *in, struct reply *out)
{
  if (!(target_abilities (s->t) & TARGET_CAN_THREAD_EVENTS))
    return;
  take_switch (in, &s->gdb.thread_events, out);
  stub_set_wants (s);
}

/* See packets.def.  */
void
cmd_QStartupWithShell (struct stub *s, struct scan *in, struct reply *out)
{
  take_switch (in, &s->launch.startup_with_shell, out);
}

/* See packets.def.  */
void
cmd_QDisableRandomization (struct stub *s, struct scan *in, struct reply *out)
{
  take_switch (in, &s->launch.disable_randomization, out);
}

/* See packets.def.  */
void
cmd_QEnvironmentReset (struct stub *s, struct scan *in, struct reply *out)
{
  (void) in;
  launch_env_reset (&s->launch);
  reply_ok (out);
}

/* See packets.def.  */
void
cmd_QEnvironmentHexEncoded (struct stub *s, struct scan *in,
                            struct reply *out)
{
  char *assignment = scan_string (in);

  if (assignment != NULL && launch_env_set (&s->launch, assignment))
    reply_ok (out);
  else
    reply_error_text (out, "Not of the form NAME=VALUE.");
  free (assignment);
}

/* See packets.def.  */
void
cmd_QEnvironmentUnset (struct stub *s, struct scan *in, struct reply *out)
{
  char *name = scan_string (in);

  if (name == NULL)
    reply_error (out, 1);
  else
    {
      launch_env_unset (&s->launch, name);
      reply_ok (out);
    }
  free (name);
}

/* See packets.def.  An empty name is the server's own folder.  */
void
cmd_QSetWorkingDir (struct stub *s, struct scan *in, struct reply *out)
{
  char *name = scan_string (in);

  if (name == NULL)
    reply_error (out, 1);
  else
    {
      launch_set_cwd (&s->launch, name);
      reply_ok (out);
    }
  free (name);
}
