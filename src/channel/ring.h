/* A ring of records in shared memory: many threads of a process write, the
   server reads while they run, and afterwards if they were killed.

   A record is a head and SIZE bytes, aligned to RING_ALIGN.  A writer reserves
   its place, which moves `head', fills it in, and publishes it by its stamp:
   the record's position plus the ring's key.  Positions count bytes and never
   come again, so nothing that was left from an earlier round looks published,
   and a reader can find the next record behind one that never will be.

   Invariants:
   1. head - tail <= size; what lies between is the writers'.
   2. A record does not wrap: one of type RING_PAD fills the rest of a round.
   3. Nobody waits for anybody.  What a writer does when there is no room is
      its own choice; ring_reserve has no memory of it.
   4. The reader is at the mercy of nothing in here: it keeps its own tail, key
      and size, and checks each head once that it has copied.

   Waking: the reader says at which position of `head' it wants to be told,
   and the writer that comes there is, once, told to tell it.

   No locks; both may be called in any context.  Both sides.  */

#ifndef CHANNEL_RING_H
#define CHANNEL_RING_H

#include "common/types.h"

#define RING_ALIGN 16
#define RING_PAD 0              /* the type that no caller may use */

struct ring
{
  uint64_t size;                /* of data: a power of two */
  uint64_t key;
  uint8_t pad0[48];
  uint64_t head;                /* writers: reserved up to here */
  uint8_t pad1[56];
  uint64_t tail;                /* reader: taken up to here */
  uint64_t wake_at;             /* reader, and the writer that comes there */
  uint8_t pad2[48];
  uint8_t data[];
};

/* The head of a record, in front of its bytes.  */
struct ring_record
{
  uint64_t stamp;
  uint32_t size;                /* bytes that follow, padding not counted */
  uint32_t type;
};

/* The bytes that a ring of SIZE bytes takes, and those that a record of SIZE
   bytes takes of it.  */
#define RING_BYTES(SIZE) (sizeof (struct ring) + (SIZE))
#define RING_RECORD_BYTES(SIZE)                                               \
  (sizeof (struct ring_record) + ALIGN_UP ((uint64_t) (SIZE), RING_ALIGN))

/* The largest record of a ring of SIZE bytes.  */
#define RING_RECORD_MAX(SIZE) ((SIZE) / 4)


/* Writers.  */

/* Reserve a record of SIZE bytes (at most RING_RECORD_MAX) of TYPE, and return
   where they go; null when there is no room.  It has to be published, soon:
   the reader waits for it.  */
MUST_USE void *ring_reserve (struct ring *r, uint32_t type, uint32_t size);

/* The record whose bytes are at DATA is complete.  True: the caller is to wake
   the reader.  */
MUST_USE bool ring_publish (struct ring *r, void *data);

/* There is no room: wake the reader, if it does not know.  */
MUST_USE bool ring_is_full (struct ring *r);


/* The reader.  */

struct ring_reader
{
  struct ring *ring;
  uint64_t size, key, tail;
  uint64_t given;               /* the tail that writers know of */
  uint64_t known_head;          /* the head was there once, or behind it */
  uint64_t end;                 /* no writer lives: what it ends with; or 0 */
  uint64_t lost;                /* bytes passed over */
};

/* Make a ring of SIZE bytes of data at R, of zeros, and READER its reader.
   KEY is any number that is not guessed.  */
void ring_init (struct ring *r, uint64_t size, uint64_t key,
                struct ring_reader *reader);

/* Take the next record, if there is one: its type to *TYPE, its bytes, up to
   ROOM of them, to TO.  Returns true, with the size in *SIZE, which may be
   more than ROOM.  DEAD: no writer lives, now and
   from now on, so what is not published is passed over.  */
MUST_USE bool ring_read (struct ring_reader *reader, bool dead, void *to,
                         uint32_t room, uint32_t *type, uint32_t *size);

/* Be told when BYTES more have been reserved than have been read.  False:
   they have been already.  */
MUST_USE bool ring_wake_after (struct ring_reader *reader, uint64_t bytes);

#endif
