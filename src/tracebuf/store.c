/* See store.h.

   An image is a number of lines of eight words, the last filled up with zeros.
   It is kept as

     the number of lines N, of four bytes
     for each 64 lines:  a word with a bit for each line that differs
                         for each of these lines:  a byte with a bit for each
                                                   word that does; the words

   from its base, an earlier image, or nothing, which is all zeros.  N is that
   of the longer of the two.  Bases of bases end after DEPTH_MAX of them.  */

#define _GNU_SOURCE
#include "tracebuf/store.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define CHUNK_LEAST (1ul << 16)
#define CHUNK_MOST (32ul << 20)

#define WORDS 8                 /* in a line */
#define LINE (WORDS * sizeof (uint64_t))
#define GROUP 64                /* lines with one word of bits */
#define DEPTH_MAX 15
#define N_KINDS 64
#define BASE_MOST 4096          /* lines; what is longer is no base */

/* The most that an image of N lines takes, and the copy of a word that does
   not differ, which is written and not kept.  */
#define KEPT_MOST(N)                                                          \
  (4 + (N) * (1 + LINE) + ((N) / GROUP + 1) * sizeof (uint64_t)               \
   + sizeof (uint64_t))

/* Memory for what is kept, mapped as it is needed, by large pages.  It never
   moves.  */
struct chunk
{
  struct chunk *next;           /* an older one */
  size_t used, room;
  uint8_t *bytes;
};

/* An image in full.  Behind LINES lines it is zeros, up to ROOM.  */
struct image
{
  uint64_t *words;
  size_t lines, room;
};

/* Where an image is kept, and how many images back its base is; 0: it has
   none.  */
struct kept
{
  const uint8_t *bytes;
  uint32_t back, depth;
};

/* The last image of a kind.  */
struct last
{
  struct image image;
  size_t number;
  bool known;
};

struct store
{
  struct chunk *chunks;
  struct kept *kept;
  size_t n, room;
  struct last last[N_KINDS];
  struct image next;            /* the one to be added */
  struct image seen;            /* number SEEN_NUMBER */
  size_t seen_number;
  bool has_seen;
};

/* See store.h.  */
struct store *
store_create (void)
{
  return calloc (1, sizeof (struct store));
}

/* See store.h.  */
void
store_destroy (struct store *s)
{
  if (s == NULL)
    return;
  while (s->chunks != NULL)
    {
      struct chunk *c = s->chunks;

      s->chunks = c->next;
      munmap (c->bytes, c->room);
      free (c);
    }
  for (size_t i = 0; i < N_KINDS; i++)
    free (s->last[i].image.words);
  free (s->next.words);
  free (s->seen.words);
  free (s->kept);
  free (s);
}

/* See store.h.  */
size_t
store_count (const struct store *s)
{
  return s->n;
}


/* Memory.  */

static struct chunk *
add_chunk (struct store *s, size_t least)
{
  struct chunk *c = calloc (1, sizeof *c);
  void *at;

  if (c == NULL)
    return NULL;
  c->room = s->chunks != NULL ? MIN (4 * s->chunks->room, CHUNK_MOST)
                              : CHUNK_LEAST;
  c->room = PAGE_UP (MAX (c->room, least));
  at = mmap (NULL, c->room, PROT_READ | PROT_WRITE,
             MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (at == MAP_FAILED)
    {
      free (c);
      return NULL;
    }
  madvise (at, c->room, MADV_HUGEPAGE);
  c->bytes = at;
  c->next = s->chunks;
  s->chunks = c;
  return c;
}

/* The chunk that has room for N bytes more.  */
static struct chunk *
chunk_for (struct store *s, size_t n)
{
  struct chunk *c = s->chunks;

  return c != NULL && c->room - c->used >= n ? c : add_chunk (s, n);
}

/* Room for one more image.  */
static bool
extend_kept (struct store *s)
{
  size_t room = MAX (256, 2 * s->room);
  struct kept *more;

  if (s->n < s->room)
    return true;
  more = realloc (s->kept, room * sizeof *more);
  if (more == NULL)
    return false;
  s->kept = more;
  s->room = room;
  return true;
}

/* Let I have room for N lines.  */
static bool
image_extend (struct image *i, size_t n)
{
  size_t room = MAX (2 * i->room, n);
  uint64_t *more;

  if (n <= i->room)
    return true;
  more = realloc (i->words, room * LINE);
  if (more == NULL)
    return false;
  memset (more + i->room * WORDS, 0, (room - i->room) * LINE);
  i->words = more;
  i->room = room;
  return true;
}

/* I becomes HEAD and BYTES.  */
static bool
image_fill (struct image *i, const void *head, size_t n_head,
            const void *bytes, size_t n)
{
  size_t size = n_head + n, lines = (size + LINE - 1) / LINE;
  size_t end = MAX (lines, i->lines) * LINE;
  uint8_t *to;

  if (!image_extend (i, lines))
    return false;
  to = (uint8_t *) i->words;
  memcpy (to, head, n_head);
  if (n > 0)
    memcpy (to + n_head, bytes, n);
  memset (to + size, 0, end - size);
  i->lines = lines;
  return true;
}


/* Differences.  */

static bool
line_differs (const uint64_t *a, const uint64_t *b)
{
  uint64_t d = 0;

  for (unsigned i = 0; i < WORDS; i++)
    d |= a[i] ^ b[i];
  return d != 0;
}

/* Write to TO in which words line A differs from B, and those.  Returns where
   that ends; one word behind it may be written too.  */
static uint8_t *
put_line (uint8_t *to, const uint64_t *a, const uint64_t *b)
{
  uint8_t *at = to + 1;
  unsigned bits = 0;

  for (unsigned i = 0; i < WORDS; i++)
    {
      unsigned differs = a[i] != b[i];

      memcpy (at, a + i, sizeof *a);
      at += differs * sizeof *a;
      bits |= differs << i;
    }
  *to = (uint8_t) bits;
  return at;
}

/* Write to TO how A differs from B, both of which have LINES lines or room for
   as many.  Returns where that ends.  */
static uint8_t *
put_difference (uint8_t *to, const struct image *a, const struct image *b,
                size_t lines)
{
  uint32_t n = (uint32_t) lines;

  memcpy (to, &n, sizeof n);
  to += sizeof n;
  for (size_t from = 0; from < lines; from += GROUP)
    {
      uint8_t *at = to + sizeof (uint64_t);
      uint64_t bits = 0;

      for (size_t i = 0; i < MIN (lines - from, (size_t) GROUP); i++)
        {
          const uint64_t *p = a->words + (from + i) * WORDS;
          const uint64_t *q = b->words + (from + i) * WORDS;

          if (!line_differs (p, q))
            continue;
          bits |= 1ul << i;
          at = put_line (at, p, q);
        }
      memcpy (to, &bits, sizeof bits);
      to = at;
    }
  return to;
}

/* Change LINE as AT says; returns what is behind that.  */
static const uint8_t *
take_line (const uint8_t *at, uint64_t *line)
{
  unsigned bits = *at++;

  for (unsigned i = 0; i < WORDS; i++)
    if (bits & 1u << i)
      {
        memcpy (line + i, at, sizeof *line);
        at += sizeof *line;
      }
  return at;
}

/* Change I, a base, to the image that is kept at AT.  */
static bool
take_difference (const uint8_t *at, struct image *i)
{
  uint32_t lines;

  memcpy (&lines, at, sizeof lines);
  at += sizeof lines;
  if (!image_extend (i, lines))
    return false;
  i->lines = lines;
  for (size_t from = 0; from < lines; from += GROUP)
    {
      uint64_t bits;

      memcpy (&bits, at, sizeof bits);
      at += sizeof bits;
      for (; bits != 0; bits &= bits - 1)
        at = take_line (at, i->words
                              + (from + (size_t) __builtin_ctzl (bits))
                                  * WORDS);
    }
  return true;
}


/* Adding.  */

/* The base for an image of LINES lines that is to follow LAST; null: it is to
   have none.  */
static struct last *
choose_base (const struct store *s, struct last *last, size_t lines)
{
  return last->known && lines <= BASE_MOST
             && s->kept[last->number].depth < DEPTH_MAX
             && s->n - last->number <= UINT32_MAX
           ? last
           : NULL;
}

/* Keep S->next, which differs from BASE.  */
static bool
keep (struct store *s, struct image *base, uint32_t back, uint32_t depth)
{
  size_t lines = MAX (s->next.lines, base->lines);
  struct chunk *c;
  uint8_t *start;

  if (!image_extend (base, lines) || !image_extend (&s->next, lines)
      || !extend_kept (s) || (c = chunk_for (s, KEPT_MOST (lines))) == NULL)
    return false;
  start = c->bytes + c->used;
  c->used = (size_t) (put_difference (start, &s->next, base, lines)
                      - c->bytes);
  s->kept[s->n] = (struct kept){ start, back, depth };
  return true;
}

/* Keep S->next, for which there is no base.  */
static bool
keep_whole (struct store *s)
{
  struct image nothing = { .words = NULL };
  bool kept = keep (s, &nothing, 0, 0);

  free (nothing.words);
  return kept;
}

/* See store.h.  */
bool
store_add (struct store *s, uint32_t kind, const void *head, size_t n_head,
           const void *bytes, size_t n)
{
  struct last *last = &s->last[kind % N_KINDS], *base;

  if (!image_fill (&s->next, head, n_head, bytes, n))
    return false;
  base = choose_base (s, last, s->next.lines);
  if (base != NULL
        ? !keep (s, &base->image, (uint32_t) (s->n - base->number),
                 s->kept[base->number].depth + 1)
        : !keep_whole (s))
    return false;
  if (s->next.lines <= BASE_MOST)
    {
      struct image old = last->image;

      *last = (struct last){ s->next, s->n, true };
      s->next = old;
    }
  s->n++;
  return true;
}


/* Looking.  */

/* S->seen becomes nothing.  */
static void
forget_seen (struct store *s)
{
  if (s->seen.lines > 0)
    memset (s->seen.words, 0, s->seen.lines * LINE);
  s->seen.lines = 0;
}

/* See store.h.  */
const void *
store_get (struct store *s, size_t n)
{
  size_t way[DEPTH_MAX + 1], at = n;
  unsigned steps = 0;
  bool had = s->has_seen;

  s->has_seen = false;
  while (!(had && at == s->seen_number))
    {
      way[steps++] = at;
      if (s->kept[at].back == 0)
        {
          forget_seen (s);
          break;
        }
      at -= s->kept[at].back;
    }
  while (steps > 0)
    if (!take_difference (s->kept[way[--steps]].bytes, &s->seen))
      return NULL;
  s->has_seen = true;
  s->seen_number = n;
  return s->seen.words;
}
