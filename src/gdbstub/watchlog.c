/* See watchlog.h.  */

#define _GNU_SOURCE
#include "gdbstub/watchlog.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gdbstub/alloc.h"

#define N_PLACES 512            /* names of places that are kept */
#define N_WRITERS 64            /* that a log tells apart */
#define NAME_SIZE 256
#define LINE_REST 200           /* of a line: all but place and label */

/* Where changes were made, and how often.  */
struct writer
{
  app_pc pc;
  uint64_t count;
};

struct watchlog
{
  struct watchlog *next;
  struct writer writers[N_WRITERS];     /* the last one: all others */
  size_t n_writers;
  int number, pid;
  app_addr addr;
  uint64_t length, limit, count;
  char format;
  char *label, *line;           /* line: room for one */
  FILE *file;                   /* null: the console */
  bool csv;
  bool ended;                   /* its point may still be there */
};

static struct place
{
  int pid;
  app_addr pc;
  char name[NAME_SIZE];
} places[N_PLACES];

static const char *
place_name (int pid, app_addr pc)
{
  struct place *p = places + (pc ^ pc >> 9) % N_PLACES;

  if (p->pid != pid || p->pc != pc)
    {
      target_symbol (pid, pc, p->name, sizeof p->name);
      p->pid = pid;
      p->pc = pc;
    }
  return p->name;
}

static void
finish (struct watchlog *l)
{
  if (l->file != NULL)
    fclose (l->file);
  l->file = NULL;
  l->ended = true;
}

static bool
ends_in (const char *name, const char *end)
{
  size_t n = strlen (name), k = strlen (end);

  return n >= k && strcmp (name + n - k, end) == 0;
}

static enum target_refusal
insert (struct target *t, const struct watchlog_order *o)
{
  struct target_bytecode codes[64];
  struct target_point p = { .kind = TARGET_POINT_WATCH_LOG, .addr = o->addr,
                            .length = o->length, .conditions = codes };

  for (const struct point_code *c = o->conditions; c != NULL; c = c->next)
    {
      if (p.n_conditions == ARRAY_SIZE (codes))
        return TARGET_TOO_MANY;
      codes[p.n_conditions++] = (struct target_bytecode) { c->code,
                                                           c->length };
    }
  return target_point_insert (t, o->pid, &p);
}

static struct watchlog *
find (const struct watchlogs *l, int pid, app_addr addr, uint64_t length)
{
  struct watchlog *log = l->first;

  while (log != NULL
         && (log->ended || log->pid != pid || log->addr != addr
             || log->length != length))
    log = log->next;
  return log;
}

static FILE *
open_file (const char *name, const char **why)
{
  FILE *f = fopen (name, "we");

  if (f == NULL)
    *why = strerror (errno);
  else if (ends_in (name, ".csv"))
    fprintf (f, "change,thread,place,new,old\n");
  return f;
}

/* See watchlog.h.  */
int
watchlog_begin (struct watchlogs *l, struct target *t,
                const struct watchlog_order *o, const char **why)
{
  FILE *file = NULL;
  struct watchlog *log;

  *why = "it is logged already";
  if (find (l, o->pid, o->addr, o->length) != NULL)
    return 0;
  if (o->file != NULL && (file = open_file (o->file, why)) == NULL)
    return 0;
  *why = "the target has no room for it, or cannot watch it";
  if (insert (t, o) != TARGET_OK)
    {
      if (file != NULL)
        fclose (file);
      return 0;
    }
  log = alloc_zeroed (sizeof *log);
  *log = (struct watchlog) { .next = l->first, .number = ++l->last_number,
                             .pid = o->pid, .addr = o->addr,
                             .length = o->length, .limit = o->limit,
                             .format = o->format, .file = file,
                             .label = alloc_string (o->label),
                             .csv = o->file && ends_in (o->file, ".csv") };
  log->line = alloc_zeroed (NAME_SIZE + strlen (o->label) + LINE_REST);
  l->first = log;
  return log->number;
}

/* See watchlog.h.  */
bool
watchlog_end (struct watchlogs *l, int n)
{
  for (struct watchlog *log = l->first; log != NULL; log = log->next)
    if (log->number == n && !log->ended)
      {
        finish (log);
        return true;
      }
  return false;
}

static int
more_first (const void *a, const void *b)
{
  const struct writer *x = a, *y = b;

  return (x->count < y->count) - (x->count > y->count);
}

static void
list_one (struct watchlog *log, struct reply *to)
{
  reply_text (to, "%d: %s, %" PRIu64 " changes%s\n", log->number, log->label,
              log->count, log->ended ? ", ended" : "");
  if (log->n_writers < N_WRITERS)
    qsort (log->writers, log->n_writers, sizeof *log->writers, more_first);
  for (size_t i = 0; i < log->n_writers; i++)
    reply_text (to, "%12" PRIu64 "  %s\n", log->writers[i].count,
                i == N_WRITERS - 1 ? "elsewhere"
                                   : place_name (log->pid,
                                                 log->writers[i].pc));
}

/* See watchlog.h.  */
void
watchlog_list (struct watchlogs *l, struct reply *to)
{
  for (struct watchlog *log = l->first; log != NULL; log = log->next)
    list_one (log, to);
}

/* One more change was made at PC.  */
static void
count_writer (struct watchlog *log, app_pc pc)
{
  size_t i = 0;

  while (i < log->n_writers && i < N_WRITERS - 1 && log->writers[i].pc != pc)
    i++;
  if (i == log->n_writers)
    log->writers[log->n_writers++].pc = pc;
  log->writers[i].count++;
}

/* Lines are made by hand: with printf the server took twice as long for a
   change as the program does.  Each of these puts something at TO, and returns
   its end.  */

static char *
put_text (char *to, const char *text)
{
  return stpcpy (to, text);
}

static char *
put_unsigned (char *to, uint64_t value)
{
  char digits[20];
  size_t n = 0;

  do
    digits[n++] = '0' + value % 10;
  while ((value /= 10) != 0);
  while (n > 0)
    *to++ = digits[--n];
  return to;
}

static char *
put_hex (char *to, uint64_t value)
{
  int shift = value != 0 ? (63 - __builtin_clzll (value)) / 4 * 4 : 0;

  to = put_text (to, "0x");
  for (; shift >= 0; shift -= 4)
    *to++ = "0123456789abcdef"[value >> shift & 15];
  return to;
}

/* VALUE, of SIZE bytes, as FORMAT says.  */
static char *
put_value (char *to, char format, uint64_t value, unsigned size)
{
  unsigned unused = 64 - 8 * size;
  uint64_t bits = size != 0 ? value << unused : 0;

  if (format == 'd' && bits >> 63 != 0)
    {
      *to++ = '-';
      return put_unsigned (to, -(uint64_t) ((int64_t) bits >> unused));
    }
  bits = size != 0 ? bits >> unused : 0;
  return format == 'd' || format == 'u' ? put_unsigned (to, bits)
                                        : put_hex (to, bits);
}

/* The line for a person.  */
static char *
put_sentence (char *to, const struct watchlog *log,
              const struct target_change *r, const char *place)
{
  to = put_text (put_unsigned (to, log->count), ": thread ");
  to = put_text (put_unsigned (to, r->thread), ", ");
  to = put_text (put_text (put_text (to, place), ": "), log->label);
  if (r->addr != log->addr)
    to = put_unsigned (put_text (to, " at +"), r->addr - log->addr);
  to = put_value (put_text (to, " = "), log->format, r->new, r->size);
  return put_value (put_text (to, ", was "), log->format, r->old, r->size);
}

/* The line for a program.  */
static char *
put_row (char *to, const struct watchlog *log, const struct target_change *r,
         const char *place)
{
  to = put_text (put_unsigned (to, log->count), ",");
  to = put_text (put_unsigned (to, r->thread), ",");
  to = put_text (put_text (to, place), ",");
  to = put_value (to, log->format, r->new, r->size);
  return put_value (put_text (to, ","), log->format, r->old, r->size);
}

static void
put (struct watchlogs *l, struct watchlog *log,
     const struct target_change *r, int pid)
{
  const char *place = place_name (pid, r->pc);
  char *end = log->csv ? put_row (log->line, log, r, place)
                       : put_sentence (log->line, log, r, place);

  *end++ = '\n';
  if (log->file != NULL)
    fwrite_unlocked (log->line, 1, end - log->line, log->file);
  else
    reply_text (&l->text, "%.*s", (int) (end - log->line), log->line);
}

/* See watchlog.h.  */
void
watchlog_take (struct watchlogs *l, int pid, const struct target_change *c)
{
  if (c->dropped > l->dropped)
    reply_text (&l->text, "rio: %" PRIu64 " changes were not recorded.\n",
                c->dropped - l->dropped);
  l->dropped = MAX (l->dropped, c->dropped);
  for (struct watchlog *log = l->first; log != NULL; log = log->next)
    if (!log->ended && log->addr == c->start && log->length == c->length
        && log->pid == pid)
      {
        log->count++;
        count_writer (log, c->pc);
        put (l, log, c, pid);
        if (log->count == log->limit)
          finish (log);
      }
}

static void
drop (struct watchlog **link)
{
  struct watchlog *log = *link;

  *link = log->next;
  finish (log);
  free (log->label);
  free (log->line);
  free (log);
}

/* See watchlog.h.  */
void
watchlog_settle (struct watchlogs *l, struct target *t)
{
  for (struct watchlog **log = &l->first; *log != NULL;)
    if ((*log)->ended
        && target_point_remove (t, (*log)->pid, TARGET_POINT_WATCH_LOG,
                                (*log)->addr, (*log)->length)
             != TARGET_RUNNING)
      drop (log);
    else
      {
        if ((*log)->file != NULL)
          fflush ((*log)->file);
        log = &(*log)->next;
      }
}

/* See watchlog.h.  */
void
watchlog_forget (struct watchlogs *l, int pid)
{
  for (struct watchlog **log = &l->first; *log != NULL;)
    if (pid == 0 || (*log)->pid == pid)
      drop (log);
    else
      log = &(*log)->next;
  memset (places, 0, sizeof places);
  if (pid == 0)
    reply_clear (&l->text);
}
