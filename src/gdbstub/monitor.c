/* The packet qRcmd: `monitor' commands, by a table.  */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gdbstub/alloc.h"
#include "gdbstub/packets.h"
#include "gdbstub/stub-impl.h"

enum { MAX_WORDS = 128 };

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

/* Whether ARGS are a 0 or a 1, to be *ON.  */
static bool
read_switch (struct arguments args, bool *on)
{
  if (args.n != 1
      || (strcmp (args.words[0], "0") != 0
          && strcmp (args.words[0], "1") != 0))
    return false;
  *on = args.words[0][0] == '1';
  return true;
}

static bool
do_set_debug (struct stub *s, struct arguments args)
{
  if (!read_switch (args, &s->trace_events))
    return false;
  stub_console (s, s->trace_events ? "Debug output enabled.\n"
                                   : "Debug output disabled.\n");
  return true;
}

/* The answers are gdbserver's, whose only format this is, too.  */
static bool
do_set_debug_format (struct stub *s, struct arguments args)
{
  bool all = args.n == 1 && strcmp (args.words[0], "all") == 0;
  bool none = args.n == 1 && strcmp (args.words[0], "none") == 0;

  if (!all && !none
      && (args.n != 1 || strcmp (args.words[0], "timestamp") != 0))
    return false;
  s->trace_time = !none;
  stub_console (s, all    ? "All extra debug format options enabled.\n"
                   : none ? "All extra debug format options disabled.\n"
                          : "Timestamps will be added to debug output.\n");
  return true;
}

static bool
do_set_remote_debug (struct stub *s, struct arguments args)
{
  if (!read_switch (args, &s->trace_packets))
    return false;
  stub_console (s, s->trace_packets ? "Protocol debug output enabled.\n"
                                    : "Protocol debug output disabled.\n");
  return true;
}

/* The number that WORD is, all of it.  */
static bool
number (const char *word, uint64_t *value)
{
  char *end;

  errno = 0;
  *value = strtoull (word, &end, 0);
  return errno == 0 && end != word && *end == 0 && *word != '-';
}

/* Read the N WORDS as expressions into *LIST; false, and none: some word is
   none.  */
static bool
read_code (const char *const *words, size_t n, struct point_code **list)
{
  struct point_code **end = list;

  for (size_t i = 0; i < n; i++, end = &(*end)->next)
    {
      struct scan in = scan_of (words[i], strlen (words[i]));
      size_t size = scan_left (&in) / 2;

      *end = alloc_zeroed (sizeof **end);
      (*end)->code = alloc_zeroed (size + 1);
      (*end)->length = scan_bytes (&in, (*end)->code, size);
      if (!scan_done (&in) || size == 0)
        {
          point_code_free (*list);
          *list = NULL;
          return false;
        }
    }
  return true;
}

static bool
do_watch_condition (struct stub *s, struct arguments args)
{
  struct point_code *conditions = NULL;
  uint64_t addr, length;

  if (args.n < 2 || !number (args.words[0], &addr)
      || !number (args.words[1], &length)
      || !read_code (args.words + 2, args.n - 2, &conditions))
    {
      stub_console (s, "rio: an address, a length and bytecode are wanted.\n");
      return true;
    }
  if (inserted_set_condition (&s->inserted, s->t, stub_process (s), addr,
                              length, conditions)
      != TARGET_OK)
    stub_console (s, "rio: there is no room for that condition.\n");
  return true;
}

/* The text that WORD is in hexadecimal, to be freed; null: it is none.  */
static char *
text_of (const char *word)
{
  struct scan in = scan_of (word, strlen (word));

  return scan_string (&in);
}

/* Read what `watch log' has for arguments into O; what is allocated for it is
   LABEL, FILE and CONDITIONS.  */
static bool
read_order (struct arguments args, struct watchlog_order *o, char **label,
            char **file, struct point_code **conditions)
{
  if (args.n < 6 || !number (args.words[0], &o->addr)
      || !number (args.words[1], &o->length)
      || strchr ("dux", args.words[2][0]) == NULL
      || !number (args.words[3], &o->limit))
    return false;
  o->format = args.words[2][0];
  o->label = *label = text_of (args.words[4]);
  if (strcmp (args.words[5], "-") != 0)
    o->file = *file = text_of (args.words[5]);
  return *label != NULL
         && (o->file != NULL || strcmp (args.words[5], "-") == 0)
         && read_code (args.words + 6, args.n - 6, conditions);
}

static bool
do_watch_log (struct stub *s, struct arguments args)
{
  struct watchlog_order o = { .pid = stub_process (s) };
  struct point_code *conditions = NULL;
  char *label = NULL, *file = NULL, line[256];
  const char *why = "the arguments are not those of `help'";
  int n = 0;

  if (read_order (args, &o, &label, &file, &conditions))
    {
      o.conditions = conditions;
      n = watchlog_begin (&s->watchlogs, s->t, &o, &why);
    }
  if (n == 0)
    snprintf (line, sizeof line, "rio: %s.\n", why);
  else
    snprintf (line, sizeof line, "%d\n", n);
  stub_console (s, line);
  free (label);
  free (file);
  point_code_free (conditions);
  return true;
}

static bool
do_watch_end (struct stub *s, struct arguments args)
{
  uint64_t n;

  if (args.n != 1 || !number (args.words[0], &n)
      || !watchlog_end (&s->watchlogs, n))
    stub_console (s, "rio: there is no log of that number.\n");
  return true;
}

static bool
do_watch_logs (struct stub *s, struct arguments args)
{
  struct reply text = { NULL, 0, 0 };

  if (args.n != 0)
    return false;
  watchlog_list (&s->watchlogs, &text);
  reply_raw (&text, "", 1);
  stub_console (s, text.data);
  reply_fini (&text);
  return true;
}

/* Read the three words of each value into VALUES; what is allocated for them
   goes to TEXTS, two for each, and CODES.  */
static bool
read_values (struct arguments args, struct stream_value *values, char **texts,
             struct point_code **codes)
{
  if (args.n % 3 != 0 || args.n / 3 > STREAM_MAX_VALUES)
    return false;
  for (size_t i = 0; i < args.n / 3; i++)
    {
      const char *const *words = args.words + 3 * i;

      texts[2 * i] = text_of (words[0]);
      texts[2 * i + 1] = text_of (words[1]);
      if (texts[2 * i] == NULL || texts[2 * i + 1] == NULL
          || !read_code (words + 2, 1, &codes[i]))
        return false;
      values[i] = (struct stream_value) {
        texts[2 * i], texts[2 * i + 1], { codes[i]->code, codes[i]->length }
      };
    }
  return true;
}

/* What `trace add' has allocated.  */
struct trace_words
{
  char *file, *place;
  struct point_code *condition;
  char *texts[2 * STREAM_MAX_VALUES];
  struct point_code *codes[STREAM_MAX_VALUES];
};

/* Read the arguments of `trace add' into O, which has room for VALUES.  */
static bool
read_trace (struct arguments args, struct stream_order *o,
            struct target_bytecode *condition, struct stream_value *values,
            struct trace_words *w)
{
  uint64_t n;

  if (args.n < 7 || !number (args.words[0], &n) || n == 0
      || n >= TARGET_STREAM || !number (args.words[1], &o->addr)
      || !number (args.words[2], &o->limit))
    return false;
  o->number = n;
  if (strcmp (args.words[3], "-") != 0
      && (o->file = w->file = text_of (args.words[3])) == NULL)
    return false;
  o->place = w->place = text_of (args.words[4]);
  o->bare = strcmp (args.words[5], "1") == 0;
  if (o->place == NULL
      || (strcmp (args.words[6], "-") != 0
          && !read_code (args.words + 6, 1, &w->condition)))
    return false;
  if (w->condition != NULL)
    {
      *condition = (struct target_bytecode) { w->condition->code,
                                              w->condition->length };
      o->condition = condition;
    }
  o->values = values;
  o->n_values = (args.n - 7) / 3;
  return read_values ((struct arguments) { args.words + 7, args.n - 7 },
                      values, w->texts, w->codes);
}

static void
free_words (struct trace_words *w)
{
  free (w->file);
  free (w->place);
  point_code_free (w->condition);
  for (size_t i = 0; i < ARRAY_SIZE (w->texts); i++)
    free (w->texts[i]);
  for (size_t i = 0; i < ARRAY_SIZE (w->codes); i++)
    point_code_free (w->codes[i]);
}

static bool
do_trace_add (struct stub *s, struct arguments args)
{
  struct stream_value values[STREAM_MAX_VALUES];
  struct target_bytecode condition;
  struct stream_order o = { 0 };
  struct trace_words words = { 0 };
  const char *why = "the arguments are not those of `help'";
  char line[256];

  if (read_trace (args, &o, &condition, values, &words))
    why = streams_add (&s->streams, s->t, &o);
  if (why != NULL)
    {
      snprintf (line, sizeof line, "rio: %s.\n", why);
      stub_console (s, line);
    }
  free_words (&words);
  return true;
}

/* CHANGE the stream that ARGS name.  */
static bool
change_stream (struct stub *s, struct arguments args,
               bool (*change) (struct streams *, struct target *, uint32_t))
{
  uint64_t n;

  if (args.n != 1 || !number (args.words[0], &n)
      || !change (&s->streams, s->t, n))
    stub_console (s, "rio: a number is wanted, and the program stopped.\n");
  return true;
}

static bool
do_trace_end (struct stub *s, struct arguments args)
{
  return change_stream (s, args, streams_end);
}

static bool
do_trace_forget (struct stub *s, struct arguments args)
{
  return change_stream (s, args, streams_forget);
}

static bool
do_trace_hits (struct stub *s, struct arguments args)
{
  char line[32];
  uint64_t n;

  if (args.n != 1 || !number (args.words[0], &n))
    return false;
  snprintf (line, sizeof line, "%lu\n", streams_hits (&s->streams, n));
  stub_console (s, line);
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
