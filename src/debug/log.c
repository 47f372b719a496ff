/* See log.h.  */

#include "debug/log.h"
#include "common/string.h"
#include "engine/call.h"
#include "engine/gate.h"
#include "engine/stop.h"

#define YIELDS 100              /* looks for room, before */
#define NAP_NS 1000000
#define PATIENCE 1000           /* naps */
#define RECORD_BYTES 8

static uint64_t dropped;

/* See log.h.  */
uint64_t
log_dropped (void)
{
  return __atomic_load_n (&dropped, __ATOMIC_RELAXED);
}

static void
nap (struct ring *r, unsigned n)
{
  uint32_t *tail = (uint32_t *) &r->tail;

  if (n < YIELDS)
    thread_yield ();
  else
    futex_wait (tail, __atomic_load_n (tail, __ATOMIC_RELAXED), true, NAP_NS);
}

/* Room for a record of T's in R.  Once the server has let one be dropped it is
   not waited for until there is room again.  */
static struct channel_watch_record *
wait_for_room (const struct thread *t, struct ring *r)
{
  static bool impatient;
  unsigned patience = impatient ? 1 : YIELDS + PATIENCE;
  void *at = 0;

  for (unsigned n = 0; !at && n < patience && call_server_lives (); n++)
    {
      at = ring_reserve (r, CHANNEL_RECORD_WATCH,
                         sizeof (struct channel_watch_record));
      if (at)
        break;
      if (ring_is_full (r))
        stop_wake_server (t);
      nap (r, n);
    }
  impatient = !at;
  return at;
}

/* Where the record begins: its bytes are those from the first one that has
   changed, unless there are no more than a record has room for.  */
static app_addr
record_start (const struct snapshot_change *c)
{
  return c->size <= RECORD_BYTES ? c->start
                                 : MIN (c->addr,
                                        c->start + c->size - RECORD_BYTES);
}

static void
fill (struct channel_watch_record *r, const struct snapshot_change *c)
{
  app_addr at = record_start (c);

  r->addr = at;
  r->size = MIN (c->size, RECORD_BYTES);
  if (c->old)
    memcpy (&r->old, c->old + (at - c->start), r->size);
  if (!safe_read (&r->new, at, r->size))
    r->new = 0;
}

/* See log.h.  */
void
log_change (struct thread *t, app_pc pc, const struct range *range,
            const struct snapshot_change *change)
{
  struct ring *ring = stop_records (t);
  struct channel_watch_record r = { .pc = pc, .start = range->start,
                                    .length = range->end - range->start,
                                    .dropped = log_dropped (),
                                    .thread = t->number };
  void *at = ring ? wait_for_room (t, ring) : 0;

  if (!at)
    {
      __atomic_add_fetch (&dropped, 1, __ATOMIC_RELAXED);
      return;
    }
  fill (&r, change);
  memcpy (at, &r, sizeof r);
  if (ring_publish (ring, at))
    stop_wake_server (t);
}
