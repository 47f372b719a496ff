/* See options.h.  */

#define _GNU_SOURCE
#include "cmd/options.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/log.h"

#define HELP_COLUMN 28

struct row
{
  const char *name, *argument, *help;
};

static const struct row rows[] = {
#define OPTION(NAME, ARGUMENT, HELP) { NAME, ARGUMENT, HELP },
#include "cmd/options.def"
#undef OPTION
};

/* See options.h.  */
void
options_default (struct channel_options *options)
{
  *options = (struct channel_options){ .follow = 1 };
}

/* Parse TEXT, a number of at least LEAST, with a suffix k, M or G if SUFFIX,
   into *VALUE.  */
static bool
parse_number (const char *text, uint64_t least, bool suffix, uint64_t *value)
{
  static const char units[] = "kMG";
  const char *unit;
  char *end;

  errno = 0;
  if (*text < '0' || *text > '9')
    return false;
  *value = strtoull (text, &end, 0);
  if (errno != 0)
    return false;
  if (suffix && *end != 0 && (unit = strchr (units, *end)) != NULL)
    {
      unsigned shift = 10 * (unit - units + 1);

      if (*value > UINT64_MAX >> shift)
        return false;
      *value <<= shift;
      end++;
    }
  return *end == 0 && *value >= least;
}

/* Take the option called NAME, with argument VALUE ("": none).  Null, or what
   is wrong with the value.  */
static const char *
take (struct channel_options *o, const char *name, const char *value)
{
  uint64_t n;

  if (strcmp (name, "stats") == 0)
    o->stats = 1;
  else if (strcmp (name, "no-follow") == 0)
    o->follow = 0;
  else if (strcmp (name, "no-traces") == 0)
    o->no_traces = 1;
  else if (strcmp (name, "nx-app") == 0)
    o->nx_app = 1;
  else if (strcmp (name, "no-near") == 0)
    o->disable_near = 1;
  else if (strcmp (name, "no-inline-compare") == 0)
    o->disable_inline_compare = 1;
  else if (strcmp (name, "log") == 0)
    {
      if (log_parse (value, &n) != NULL)
        return "there is no such topic";
      o->log_topics |= n;
    }
  else if (strcmp (name, "trace-threshold") == 0)
    {
      if (!parse_number (value, 1, false, &n) || n > UINT32_MAX)
        return "a number from 1 on is wanted";
      o->trace_threshold = n;
    }
  else if (strcmp (name, "cache-size") == 0)
    {
      if (!parse_number (value, OPTIONS_MIN_CACHE_SIZE, true, &n))
        return "a size of at least 512k is wanted";
      o->cache_size = n;
    }
  return NULL;
}

/* See options.h.  */
enum options_verdict
options_take (struct channel_options *options, const char *arg, char *why,
              size_t size)
{
  const char *name = arg + 2, *equals, *wrong;

  if (strncmp (arg, "--", 2) != 0)
    return OPTIONS_OTHER;
  equals = strchrnul (name, '=');
  for (unsigned i = 0; i < ARRAY_SIZE (rows); i++)
    {
      const struct row *r = &rows[i];

      if (strlen (r->name) != (size_t) (equals - name)
          || strncmp (r->name, name, equals - name) != 0)
        continue;
      if ((*equals != 0) != (*r->argument != 0))
        wrong = *equals != 0 ? "it takes no value" : "a value is wanted";
      else
        wrong = take (options, r->name, *equals != 0 ? equals + 1 : "");
      if (wrong == NULL)
        return OPTIONS_OK;
      snprintf (why, size, "option '%s': %s", arg, wrong);
      return OPTIONS_BAD;
    }
  return OPTIONS_OTHER;
}

static void
print_topics (void)
{
  puts ("\nTopics of --log, or 'all':");
  for (int i = 0; i < LOG_N_TOPICS; i++)
    printf ("  %-*s%s\n", HELP_COLUMN - 2, log_topic_word (i),
            log_topic_help (i));
}

/* See options.h.  */
void
options_help (void)
{
  char left[64];

  for (unsigned i = 0; i < ARRAY_SIZE (rows); i++)
    {
      snprintf (left, sizeof left, "--%s%s%s", rows[i].name,
                *rows[i].argument != 0 ? "=" : "", rows[i].argument);
      if (strlen (left) < HELP_COLUMN - 3)
        printf ("  %-*s%s\n", HELP_COLUMN - 2, left, rows[i].help);
      else
        printf ("  %s\n%-*s%s\n", left, HELP_COLUMN, "", rows[i].help);
    }
  print_topics ();
}
