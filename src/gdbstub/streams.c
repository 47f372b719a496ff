/* See streams.h.  */

#define _GNU_SOURCE
#include "gdbstub/streams.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gdbstub/alloc.h"
#include "tracebuf/tracebuf.h"

#define MAX_STRING 200          /* as GDB's limit of elements */

struct value
{
  char *name, *kind;
};

struct place
{
  app_addr addr;
  char *text;
};

struct stream
{
  struct stream *next;
  uint32_t number, index;
  uint64_t limit, hits;
  FILE *file;
  bool csv, bare;
  struct place *places;
  uint32_t n_places;
  struct value values[STREAM_MAX_VALUES];
  size_t n_values;
};

/* The place of a hit is told by the low half of its tracepoint's number.  */
enum { MAX_STREAMS = 1 << 15, MAX_PLACES = 1 << 16 };

static uint32_t
point_number (const struct stream *s, uint32_t place)
{
  return TARGET_STREAM | s->index << 16 | place;
}

static struct stream *
find (const struct streams *l, uint32_t n)
{
  struct stream *s = l->first;

  while (s != NULL && s->number != n)
    s = s->next;
  return s;
}

static struct stream *
find_index (const struct streams *l, uint32_t index)
{
  struct stream *s = l->first;

  while (s != NULL && s->index != index)
    s = s->next;
  return s;
}


/* Beginning and ending.  */

static bool
ends_in (const char *name, const char *end)
{
  size_t n = strlen (name), k = strlen (end);

  return n >= k && strcmp (name + n - k, end) == 0;
}

static void
drop_values (struct stream *s)
{
  for (size_t i = 0; i < s->n_values; i++)
    {
      free (s->values[i].name);
      free (s->values[i].kind);
    }
  s->n_values = 0;
}

static void
drop_places (struct stream *s)
{
  for (uint32_t i = 0; i < s->n_places; i++)
    free (s->places[i].text);
  free (s->places);
  s->places = NULL;
  s->n_places = 0;
}

static void
drop (struct stream **link)
{
  struct stream *s = *link;

  *link = s->next;
  if (s->file != NULL)
    fclose (s->file);
  drop_places (s);
  drop_values (s);
  free (s);
}

/* A stream for O, with an index that no other has.  */
static const char *
make (struct streams *l, struct target *t, const struct stream_order *o,
      struct stream **made)
{
  uint32_t index = TARGET_FIRST_STREAM;
  FILE *file = NULL;

  while (find_index (l, index) != NULL)
    index++;
  if (index >= TARGET_MAX_TRACEPOINTS)
    return "there are too many";
  if (o->file != NULL && (file = fopen (o->file, "r+e")) == NULL)
    return strerror (errno);
  if (file != NULL)
    fseek (file, 0, SEEK_END);
  *made = alloc_zeroed (sizeof **made);
  **made = (struct stream) { .next = l->first, .number = o->number,
                             .index = index, .limit = o->limit,
                             .file = file, .bare = o->bare,
                             .csv = file != NULL
                                    && ends_in (o->file, ".csv") };
  for (size_t i = 0; i < o->n_values; i++)
    (*made)->values[(*made)->n_values++]
      = (struct value) { alloc_string (o->values[i].name),
                         alloc_string (o->values[i].kind) };
  l->first = *made;
  target_stream_count_from (t, index, 0);
  return NULL;
}

static void
add_place (struct stream *s, app_addr addr, const char *text)
{
  struct place *more = alloc_zeroed ((s->n_places + 1) * sizeof *more);

  if (s->n_places > 0)
    memcpy (more, s->places, s->n_places * sizeof *more);
  free (s->places);
  s->places = more;
  more[s->n_places++] = (struct place) { addr, alloc_string (text) };
}

/* See streams.h.  */
const char *
streams_add (struct streams *l, struct target *t,
             const struct stream_order *o)
{
  struct target_trace_action actions[STREAM_MAX_VALUES] = { 0 };
  struct stream *s = find (l, o->number);
  const char *why = NULL;
  struct target_tracepoint point = {
    .addr = o->addr,
    .pass_count = o->limit,
    .few = o->file == NULL,
    .condition = o->condition,
    .actions = actions,
    .n_actions = o->n_values,
  };

  if (o->n_values > STREAM_MAX_VALUES)
    return "there are too many values";
  if (s == NULL && (why = make (l, t, o, &s)) != NULL)
    return why;
  if (s->n_places == MAX_PLACES)
    return "there are too many places";
  point.number = point_number (s, s->n_places);
  point.index = s->index;
  for (size_t i = 0; i < o->n_values; i++)
    actions[i].code = o->values[i].code;
  add_place (s, o->addr, o->place);
  if (target_stream_add (t, &point) != TARGET_OK)
    return "the target has no room for it, or runs";
  return NULL;
}

/* See streams.h.  */
bool
streams_end (struct streams *l, struct target *t, uint32_t n)
{
  struct stream *s = find (l, n);
  bool ok = true;

  for (uint32_t i = 0; s != NULL && i < s->n_places; i++)
    ok &= target_stream_remove (t, point_number (s, i)) == TARGET_OK;
  if (s != NULL && ok)
    drop_places (s);
  return ok;
}

/* See streams.h.  */
bool
streams_forget (struct streams *l, struct target *t, uint32_t n)
{
  struct stream **link = &l->first;

  if (!streams_end (l, t, n))
    return false;
  while (*link != NULL && (*link)->number != n)
    link = &(*link)->next;
  if (*link != NULL)
    drop (link);
  return true;
}

/* See streams.h.  */
uint64_t
streams_hits (const struct streams *l, uint32_t n)
{
  const struct stream *s = find (l, n);

  return s != NULL ? s->hits : 0;
}

/* See streams.h.  */
void
streams_tell_lost (struct streams *l, struct target *t)
{
  uint64_t lost = l->first != NULL ? target_records_lost (t) : l->lost;

  if (lost > l->lost)
    reply_text (&l->text, "rio: %" PRIu64 " hits were not recorded.\n",
                lost - l->lost);
  l->lost = lost;
}

/* See streams.h.  */
void
streams_flush (struct streams *l)
{
  for (struct stream *s = l->first; s != NULL; s = s->next)
    if (s->file != NULL)
      fflush (s->file);
}

/* See streams.h.  */
void
streams_fini (struct streams *l)
{
  while (l->first != NULL)
    drop (&l->first);
  reply_fini (&l->text);
}


/* Showing.  */

/* The blocks of a frame, well formed as far as they go.  */
struct blocks
{
  const uint8_t *at, *end;
};

static bool
next (struct blocks *b, struct channel_trace_block *block,
      const uint8_t **data)
{
  if ((size_t) (b->end - b->at) < sizeof *block)
    return false;
  memcpy (block, b->at, sizeof *block);
  if (CHANNEL_BLOCK_BYTES (block->size) > (size_t) (b->end - b->at))
    return false;
  *data = b->at + sizeof *block;
  b->at += CHANNEL_BLOCK_BYTES (block->size);
  return true;
}

static bool
find_value (struct blocks b, size_t index, uint64_t *value)
{
  struct channel_trace_block block;
  const uint8_t *data;

  while (next (&b, &block, &data))
    if (block.kind == CHANNEL_BLOCK_VARIABLE && block.size == sizeof *value
        && block.addr == TARGET_STREAM_VALUE + index)
      {
        memcpy (value, data, sizeof *value);
        return true;
      }
  return false;
}

/* The string at ADDR, as C has it.  */
static void
show_string (struct blocks b, uint64_t addr, struct reply *to)
{
  struct channel_trace_block block;
  const uint8_t *data;
  uint32_t i = 0;

  while (next (&b, &block, &data))
    if (block.kind == CHANNEL_BLOCK_MEMORY && block.addr == addr)
      {
        reply_text (to, " \"");
        for (; i < block.size && i < MAX_STRING && data[i] != 0; i++)
          if (data[i] == '"' || data[i] == '\\')
            reply_text (to, "\\%c", data[i]);
          else if (data[i] >= ' ' && data[i] < 0x7f)
            reply_raw (to, &data[i], 1);
          else
            reply_text (to, "\\%03o", data[i]);
        reply_text (to, i == MAX_STRING ? "\"..." : "\"");
        return;
      }
}

/* The name of VALUE in NAMES, N=NAME,...  */
static void
show_name (const char *names, uint64_t value, struct reply *to)
{
  while (*names != 0)
    {
      char *end;
      int64_t n = strtoll (names, &end, 10);
      size_t length = strcspn (end, ",");

      if (*end == '=' && n == (int64_t) value)
        {
          reply_raw (to, end + 1, length - 1);
          return;
        }
      names = end[length] == ',' ? end + length + 1 : end + length;
    }
  reply_text (to, "%" PRId64, (int64_t) value);
}

static void
show_character (int64_t c, struct reply *to)
{
  reply_text (to, "%" PRId64, c);
  if (c >= ' ' && c < 0x7f)
    reply_text (to, c == '\'' || c == '\\' ? " '\\%c'" : " '%c'", (int) c);
}

/* VALUE as KIND says.  */
static void
show (const char *kind, uint64_t value, struct blocks b, struct reply *to)
{
  uint32_t low = value;
  float f;
  double d;

  switch (kind[0])
    {
    case 'd':
      reply_text (to, "%" PRId64, (int64_t) value);
      break;
    case 'u':
      reply_text (to, "%" PRIu64, value);
      break;
    case 'c':
      show_character (value, to);
      break;
    case 'b':
      reply_text (to, value != 0 ? "true" : "false");
      break;
    case 'f':
      memcpy (&f, &low, sizeof f);
      reply_text (to, "%.9g", f);
      break;
    case 'F':
      memcpy (&d, &value, sizeof d);
      reply_text (to, "%.17g", d);
      break;
    case 'e':
      show_name (kind + 1, value, to);
      break;
    default:
      reply_text (to, "0x%" PRIx64, value);
      if (kind[0] == 's')
        show_string (b, value, to);
      break;
    }
}

static void
show_value (const struct stream *s, size_t i, struct blocks b,
            struct reply *to)
{
  uint64_t value;

  if (find_value (b, i, &value))
    show (s->values[i].kind, value, b, to);
  else
    reply_text (to, "<error>");
}

/* All values, as NAME = VALUE.  */
static void
show_all (const struct stream *s, struct blocks b, struct reply *to)
{
  for (size_t i = 0; i < s->n_values; i++)
    {
      reply_text (to, "%s%s = ", i > 0 ? ", " : "", s->values[i].name);
      show_value (s, i, b, to);
    }
}

/* A column of CSV, behind another (RFC 4180).  */
static void
put_column (FILE *f, const char *text)
{
  fputc (',', f);
  if (strpbrk (text, ",\"\n") == NULL)
    {
      fputs (text, f);
      return;
    }
  fputc ('"', f);
  for (; *text != 0; text++)
    {
      if (*text == '"')
        fputc ('"', f);
      fputc (*text, f);
    }
  fputc ('"', f);
}

static void
put_columns (const struct stream *s, struct blocks b)
{
  struct reply text = { NULL, 0, 0 };

  for (size_t i = 0; i < (s->bare ? 1 : s->n_values); i++)
    {
      reply_clear (&text);
      if (s->bare)
        show_all (s, b, &text);
      else
        show_value (s, i, b, &text);
      reply_raw (&text, "", 1);
      put_column (s->file, text.data);
    }
  reply_fini (&text);
}

/* A hit of S, by THREAD at PLACE.  */
static void
put (struct streams *l, struct stream *s, uint32_t thread, const char *place,
     struct blocks b)
{
  struct reply line = { NULL, 0, 0 };

  if (s->csv)
    {
      fprintf (s->file, "%" PRIu64 ",%u", s->hits, thread);
      put_column (s->file, place);
      put_columns (s, b);
      fputs ("\n", s->file);
      return;
    }
  reply_text (&line, "%" PRIu64 ": thread %u, %s", s->hits, thread, place);
  if (s->n_values > 0)
    reply_text (&line, ": ");
  show_all (s, b, &line);
  reply_text (&line, "\n");
  if (s->file != NULL)
    fwrite (line.data, 1, line.length, s->file);
  else
    reply_raw (&l->text, line.data, line.length);
  reply_fini (&line);
}

/* See streams.h.  */
bool
streams_take (struct streams *l, const void *bytes, size_t size)
{
  struct channel_trace_part part;
  struct stream *s;
  uint32_t place;

  if (size < sizeof part)
    return false;
  memcpy (&part, bytes, sizeof part);
  if (part.number < TARGET_STREAM)
    return false;
  s = find_index (l, part.index);
  place = part.number & (MAX_PLACES - 1);
  if (s == NULL || place >= s->n_places
      || (part.flags & CHANNEL_PART_FIRST) == 0
      || (s->limit != 0 && s->hits >= s->limit))
    return true;
  s->hits++;
  put (l, s, part.thread, s->places[place].text,
       (struct blocks) { (const uint8_t *) bytes + sizeof part,
                         (const uint8_t *) bytes + size });
  return true;
}
