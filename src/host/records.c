/* See target.h: the records that threads write while they run.

   The reader is waked by the first record after a time with none, and from
   then on by a timer, or when a good part of the ring is full; so that a
   thread that writes millions a second calls the kernel for one in
   thousands.  */

#define _GNU_SOURCE
#include "host/target-impl.h"

#include <string.h>
#include <sys/timerfd.h>
#include <unistd.h>

#define MANY (CHANNEL_RECORDS_SIZE / 4)
#define PERIOD_NS 10000000      /* between looks while records come */
#define SOON_NS 1000000         /* one is about to be there */

/* Have the event descriptor become readable in NS nanoseconds.  */
static void
set_timer (const struct target *t, long ns)
{
  struct itimerspec when = { .it_value.tv_nsec = ns };

  timerfd_settime (t->timer, 0, &when, NULL);
}

static void
give_change (const struct target_changes *to, int pid, const void *bytes,
             uint32_t size)
{
  struct channel_watch_record w;
  struct target_change c;

  if (size != sizeof w)
    return;
  memcpy (&w, bytes, sizeof w);
  c = (struct target_change) { .pc = w.pc, .start = w.start,
                               .length = w.length, .addr = w.addr,
                               .old = w.old, .new = w.new,
                               .dropped = w.dropped, .thread = w.thread,
                               .size = MIN (w.size, 8u) };
  to->change (to->data, pid, &c);
}

static void
give (const struct target *t, const struct process *p, uint32_t type,
      const void *bytes, uint32_t size)
{
  const struct target_records *r = &t->records;

  if (type == CHANNEL_RECORD_TRACE && r->trace != NULL)
    r->trace (r->data, p->pid, bytes, size);
  if (type == CHANNEL_RECORD_WATCH && t->changes.change != NULL)
    give_change (&t->changes, p->pid, bytes, size);
}

/* More can be given now, or has to be: threads that wait for room cannot
   stop.  */
static bool
is_ready (const struct target *t, bool dead)
{
  return dead || !t->running || t->stopping || t->records.ready == NULL
         || t->records.ready (t->records.data);
}

/* Take records of P, no more than a round of the ring at a time: a program
   that writes as fast as they are read must not hold the server.  Returns
   whether there was any.  */
static bool
take (struct target *t, struct process *p, bool dead)
{
  static uint64_t bytes[RING_RECORD_MAX (CHANNEL_RECORDS_SIZE) / 8];
  struct ring_reader *reader = &p->channel.records;
  uint64_t start = reader->tail;
  uint32_t type, size;

  while (reader->ring != NULL && reader->tail - start < reader->size
         && is_ready (t, dead)
         && ring_read (reader, dead, bytes, sizeof bytes, &type, &size))
    if (size <= sizeof bytes)
      give (t, p, type, bytes, size);
  return reader->tail != start;
}

/* See target.h.  */
void
target_take_records (struct target *t)
{
  long soon = 0;

  if (!is_ready (t, false))
    {
      set_timer (t, SOON_NS);
      return;
    }
  for (struct process *p = t->processes; p != NULL; p = p->next)
    if (take (t, p, false))
      {
        long ns = ring_wake_after (&p->channel.records, MANY) ? PERIOD_NS
                                                              : SOON_NS;

        soon = soon == 0 ? ns : MIN (soon, ns);
      }
    else if (p->channel.records.ring != NULL
             && !ring_wake_after (&p->channel.records, RING_ALIGN))
      soon = SOON_NS;
  if (soon != 0)
    set_timer (t, soon);
}

/* See target-impl.h.  */
void
target_take_last_records (struct target *t, struct process *p)
{
  while (take (t, p, true))
    continue;
}

/* See target.h.  */
void
target_set_records (struct target *t, const struct target_records *records)
{
  t->records = *records;
}

/* See target.h.  */
void
target_set_changes (struct target *t, const struct target_changes *changes)
{
  t->changes = *changes;
}
