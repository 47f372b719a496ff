/* See ring.h.  */

#include "channel/ring.h"
#include "common/string.h"

#define NEVER UINT64_MAX
#define STEPS 16                /* of the tail, in a round */

/* A place in the ring that belongs to the caller, for as long as its position
   does.  SIZE is what the caller knows the ring's to be.  */
static struct ring_record *
record_at (struct ring *r, uint64_t size, uint64_t position)
{
  return (struct ring_record *) (r->data + (position & (size - 1)));
}

static void
stamp (struct ring *r, struct ring_record *h, uint64_t position)
{
  __atomic_store_n (&h->stamp, position + r->key, __ATOMIC_RELEASE);
}

/* See ring.h.  */
void *
ring_reserve (struct ring *r, uint32_t type, uint32_t size)
{
  uint64_t need = RING_RECORD_BYTES (size), all = r->size, pad;
  uint64_t head = __atomic_load_n (&r->head, __ATOMIC_RELAXED);
  struct ring_record *h;

  do
    {
      uint64_t left = all - (head & (all - 1));

      pad = left < need ? left : 0;
      if (head + pad + need - __atomic_load_n (&r->tail, __ATOMIC_ACQUIRE)
          > all)
        return NULL;
    }
  while (!__atomic_compare_exchange_n (&r->head, &head, head + pad + need,
                                       false, __ATOMIC_SEQ_CST,
                                       __ATOMIC_RELAXED));
  if (pad)
    {
      h = record_at (r, all, head);
      h->size = (uint32_t) (pad - sizeof *h);
      h->type = RING_PAD;
      stamp (r, h, head);
    }
  h = record_at (r, all, head + pad);
  h->size = size;
  h->type = type;
  h->stamp = head + pad;        /* for ring_publish: the key is missing */
  return h + 1;
}

static bool
claim_wake (struct ring *r, uint64_t seen)
{
  return seen != NEVER
         && __atomic_compare_exchange_n (&r->wake_at, &seen, NEVER, false,
                                         __ATOMIC_SEQ_CST, __ATOMIC_RELAXED);
}

/* See ring.h.  */
bool
ring_publish (struct ring *r, void *data)
{
  struct ring_record *h = (struct ring_record *) data - 1;
  uint64_t wake_at;

  __atomic_store_n (&h->stamp, h->stamp + r->key, __ATOMIC_SEQ_CST);
  wake_at = __atomic_load_n (&r->wake_at, __ATOMIC_SEQ_CST);
  return __atomic_load_n (&r->head, __ATOMIC_RELAXED) >= wake_at
         && claim_wake (r, wake_at);
}

/* See ring.h.  */
bool
ring_is_full (struct ring *r)
{
  return claim_wake (r, __atomic_load_n (&r->wake_at, __ATOMIC_SEQ_CST));
}

/* See ring.h.  */
void
ring_init (struct ring *r, uint64_t size, uint64_t key,
           struct ring_reader *reader)
{
  r->size = size;
  r->key = key | 1;             /* no position: ring_reserve leaves those */
  r->wake_at = NEVER;
  *reader = (struct ring_reader){ .ring = r, .size = size, .key = r->key };
}

/* Let writers have what has been read.  */
static void
give_back (struct ring_reader *reader)
{
  if (reader->given == reader->tail)
    return;
  reader->given = reader->tail;
  __atomic_store_n (&reader->ring->tail, reader->tail, __ATOMIC_RELEASE);
}

/* Writers look at the tail all the time: it moves in large steps.  */
static void
move_tail (struct ring_reader *reader, uint64_t bytes)
{
  reader->tail += bytes;
  if (reader->tail - reader->given >= reader->size / STEPS)
    give_back (reader);
}

/* The bytes between the reader and the head of the ring, or its last one; a
   head that cannot be counts as all that can.  */
static uint64_t
waiting (const struct ring_reader *reader)
{
  uint64_t head = reader->end;

  if (head == 0)
    head = __atomic_load_n (&reader->ring->head, __ATOMIC_SEQ_CST);
  return MIN (head - reader->tail, reader->size)
         & ~(uint64_t) (RING_ALIGN - 1);
}

/* The same, by what was known of the head before, while that is more than
   nothing: each look takes the line of the head from the writers.  */
static uint64_t
known_waiting (struct ring_reader *reader)
{
  if (reader->tail >= reader->known_head)
    reader->known_head = reader->tail + waiting (reader);
  return reader->known_head - reader->tail;
}

static bool
is_stamped (const struct ring_reader *reader)
{
  const struct ring_record *at
      = record_at (reader->ring, reader->size, reader->tail);

  return __atomic_load_n (&at->stamp, __ATOMIC_ACQUIRE)
         == reader->tail + reader->key;
}

/* What the record that starts at the reader's tail, with LEFT bytes to the
   head, says of itself, in *H.  False: it is not published, or is none.  */
static bool
look (const struct ring_reader *reader, uint64_t left, struct ring_record *h)
{
  const struct ring_record *at
      = record_at (reader->ring, reader->size, reader->tail);
  uint64_t round = reader->size - (reader->tail & (reader->size - 1));

  if (!is_stamped (reader))
    return false;
  h->size = __atomic_load_n (&at->size, __ATOMIC_RELAXED);
  h->type = __atomic_load_n (&at->type, __ATOMIC_RELAXED);
  return RING_RECORD_BYTES (h->size) <= MIN (left, round);
}

/* What is at the tail, with LEFT bytes to the head, is no record and will be
   none: pass over it, to the next one or LEFT bytes.  False: none is left.  */
static bool
pass_over (struct ring_reader *reader, uint64_t left)
{
  struct ring_record h;

  do
    {
      reader->lost += RING_ALIGN;
      move_tail (reader, RING_ALIGN);
      left -= RING_ALIGN;
    }
  while (left != 0 && !look (reader, left, &h));
  return left != 0;
}

/* The next record, in *H, at the tail.  Padding is followed by something
   else.  While writers live, what has no stamp yet may get it at any moment:
   only what had one when it was looked at can be found to be no record.  */
static bool
next (struct ring_reader *reader, struct ring_record *h)
{
  for (unsigned n = 0; n < 2; n++)
    {
      uint64_t left = known_waiting (reader);

      if (left == 0 || (reader->end == 0 && !is_stamped (reader)))
        return false;
      if (!look (reader, left, h)
          && (!pass_over (reader, left)
              || !look (reader, known_waiting (reader), h)))
        return false;
      if (h->type != RING_PAD)
        return true;
      move_tail (reader, RING_RECORD_BYTES (h->size));
    }
  return false;
}

/* See ring.h.  */
bool
ring_read (struct ring_reader *reader, bool dead, void *to, uint32_t room,
           uint32_t *type, uint32_t *size)
{
  struct ring_record h;

  if (dead && reader->end == 0)
    reader->end = reader->tail + waiting (reader);
  if (!next (reader, &h))
    {
      give_back (reader);
      return false;
    }
  memcpy (to, record_at (reader->ring, reader->size, reader->tail) + 1,
          MIN (h.size, room));
  move_tail (reader, RING_RECORD_BYTES (h.size));
  *type = h.type;
  *size = h.size;
  return true;
}

/* See ring.h.  */
bool
ring_wake_after (struct ring_reader *reader, uint64_t bytes)
{
  struct ring *r = reader->ring;

  __atomic_store_n (&r->wake_at, reader->tail + bytes, __ATOMIC_SEQ_CST);
  if (waiting (reader) < bytes)
    return true;
  __atomic_store_n (&r->wake_at, NEVER, __ATOMIC_SEQ_CST);
  return false;
}
