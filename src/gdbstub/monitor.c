/* The packet qRcmd: `monitor' commands, by a table.  */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gdbstub/packets.h"
#include "gdbstub/stub-impl.h"

enum { MAX_WORDS = 64 };

/* The words behind those of the row.  */
struct arguments
{
  const char *const *words;
  size_t n;
};

/* A handler returns false when the arguments make no sense.  */
#define MONITOR(HANDLER, WORDS, ARGUMENTS, TEXT)                              \
  static bool do_##HANDLER (struct stub *s, struct arguments args);
#include "gdbstub/monitor.def"
#undef MONITOR

static const struct command
{
  const char *words, *arguments, *text;
  bool (*run) (struct stub *s, struct arguments args);
} commands[] = {
#define MONITOR(HANDLER, WORDS, ARGUMENTS, TEXT)                              \
  { WORDS, ARGUMENTS, TEXT, do_##HANDLER },
#include "gdbstub/monitor.def"
#undef MONITOR
};

static void
emit (void *data, const char *text)
{
  stub_console (data, text);
}

static bool
do_help (struct stub *s, struct arguments args)
{
  static const char *const help[] = { "help" };
  char line[256];

  if (args.n != 0)
    return false;
  stub_console (s, "The following monitor commands are supported:\n");
  for (size_t i = 0; i < ARRAY_SIZE (commands); i++)
    {
      const struct command *c = &commands[i];

      snprintf (line, sizeof line, "  %s%s%s\n    %s\n", c->words,
                *c->arguments ? " " : "", c->arguments, c->text);
      stub_console (s, line);
    }
  return target_monitor (s->t, stub_process (s), help, 1, emit, s)
         != TARGET_BAD_ARGUMENT;
}

static bool
do_exit (struct stub *s, struct arguments args)
{
  if (args.n != 0)
    return false;
  s->exit_requested = true;
  return true;
}

static bool
do_set_remote_debug (struct stub *s, struct arguments args)
{
  if (args.n != 1
      || (strcmp (args.words[0], "0") != 0
          && strcmp (args.words[0], "1") != 0))
    return false;
  s->trace_packets = args.words[0][0] == '1';
  stub_console (s, s->trace_packets ? "Protocol debug output enabled.\n"
                                    : "Protocol debug output disabled.\n");
  return true;
}

/* Cut LINE into WORDS at blanks.  Returns their number.  */
static size_t
split (char *line, const char *words[MAX_WORDS])
{
  size_t n = 0;
  char *rest;

  for (char *w = strtok_r (line, " \t", &rest); w != NULL && n < MAX_WORDS;
       w = strtok_r (NULL, " \t", &rest))
    words[n++] = w;
  return n;
}

/* How many of the N WORDS the row C begins with; 0: not it.  */
static size_t
match (const struct command *c, const char *const *words, size_t n)
{
  const char *at = c->words;

  for (size_t i = 0; i < n; i++)
    {
      size_t length = strlen (words[i]);

      if (strncmp (at, words[i], length) != 0)
        return 0;
      if (at[length] == 0)
        return i + 1;
      if (at[length] != ' ')
        return 0;
      at += length + 1;
    }
  return 0;
}

/* A command of the target's.  What it refuses is an answer too, but for a
   command that it has not.  */
static bool
run_target (struct stub *s, const char *const *words, size_t n)
{
  enum target_refusal r
    = target_monitor (s->t, stub_process (s), words, n, emit, s);
  const char *why = target_explanation (s->t);

  if (r == TARGET_OK)
    return true;
  if (*why == 0)
    return false;
  stub_console (s, "rio: ");
  stub_console (s, why);
  stub_console (s, ".\n");
  return true;
}

static bool
run (struct stub *s, const char *const *words, size_t n)
{
  for (size_t i = 0; i < ARRAY_SIZE (commands); i++)
    {
      size_t used = match (&commands[i], words, n);

      if (used > 0)
        return commands[i].run (s, (struct arguments) { words + used,
                                                        n - used });
    }
  return n > 0 && run_target (s, words, n);
}

/* See packets.def.  */
void
cmd_qRcmd (struct stub *s, struct scan *in, struct reply *out)
{
  char *line = scan_string (in);
  const char *words[MAX_WORDS];
  size_t n;

  if (line == NULL)
    {
      reply_error (out, 1);
      return;
    }
  n = split (line, words);
  if (run (s, words, n))
    reply_ok (out);
  else
    {
      stub_console (s, "Unknown monitor command.\n\n");
      do_help (s, (struct arguments) { NULL, 0 });
      reply_error (out, 1);
    }
  free (line);
}
