/* The ring: records of all sizes from several threads, each once and in its
   writer's order; writers that die; a ring that was scribbled over.  */

#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "channel/ring.h"
#include "lib/check.h"

enum { SIZE = 1 << 16, N_THREADS = 4, N_RECORDS = 50000, MOST = 500 };

static struct ring *
make (struct ring_reader *reader)
{
  struct ring *r = mmap (NULL, RING_BYTES (SIZE), PROT_READ | PROT_WRITE,
                         MAP_SHARED | MAP_ANONYMOUS, -1, 0);

  ring_init (r, SIZE, 0x5eed5eed12345678, reader);
  return r;
}

struct record
{
  uint32_t thread, number;
  uint8_t bytes[MOST];
};

static uint32_t
size_of (uint32_t thread, uint32_t number)
{
  return 8 + (thread * 7919 + number * 104729) % MOST;
}

static void
put (struct ring *r, uint32_t thread, uint32_t number)
{
  uint32_t size = size_of (thread, number);
  struct record *rec;

  while ((rec = ring_reserve (r, 1 + thread, size)) == NULL)
    sched_yield ();
  rec->thread = thread;
  rec->number = number;
  memset (rec->bytes, (int) number, size - 8);
  if (ring_publish (r, rec))
    check (false, "woken though nobody asked");
}

struct writer
{
  struct ring *ring;
  uint32_t thread;
};

static void *
write_all (void *data)
{
  struct writer *w = data;

  for (uint32_t i = 0; i < N_RECORDS; i++)
    put (w->ring, w->thread, i);
  return NULL;
}

static bool
is_right (const struct record *rec, uint32_t type, uint32_t size,
          uint32_t next[N_THREADS])
{
  if (rec->thread >= N_THREADS || type != 1 + rec->thread
      || rec->number != next[rec->thread]
      || size != size_of (rec->thread, rec->number))
    return false;
  for (uint32_t i = 0; i < size - 8; i++)
    if (rec->bytes[i] != (uint8_t) rec->number)
      return false;
  next[rec->thread]++;
  return true;
}

/* All that the writers write, whole and in order.  */
static void
test_threads (void)
{
  struct ring_reader reader;
  struct ring *r = make (&reader);
  pthread_t threads[N_THREADS];
  struct writer writers[N_THREADS];
  uint32_t next[N_THREADS] = { 0 }, type, size, n = 0, bad = 0;
  struct record rec;

  for (uint32_t i = 0; i < N_THREADS; i++)
    {
      writers[i] = (struct writer){ r, i };
      pthread_create (&threads[i], NULL, write_all, &writers[i]);
    }
  while (n < N_THREADS * N_RECORDS && bad == 0)
    if (ring_read (&reader, false, &rec, sizeof rec, &type, &size))
      {
        bad += !is_right (&rec, type, size, next);
        n++;
      }
    else
      sched_yield ();
  check (bad == 0 && n == N_THREADS * N_RECORDS && reader.lost == 0,
         "%u records of %d threads, whole and in order", n, N_THREADS);
  for (uint32_t i = 0; i < N_THREADS; i++)
    pthread_join (threads[i], NULL);
  check (!ring_read (&reader, true, &rec, sizeof rec, &type, &size),
         "and no more");
}

/* Room: as much as there is, and again when it has been read.  */
static void
test_full (void)
{
  struct ring_reader reader;
  struct ring *r = make (&reader);
  uint32_t type, size, fit = SIZE / RING_RECORD_BYTES (1000), n = 0;
  uint8_t bytes[1000];
  bool woken = false;
  void *at;

  while ((at = ring_reserve (r, 1, 1000)) != NULL)
    {
      n++;
      woken |= ring_publish (r, at);
    }
  check (!woken && n == fit, "%u records fit", n);
  while (ring_read (&reader, false, bytes, sizeof bytes, &type, &size))
    n--;
  check (n == 0 && size == 1000, "all are read");
  at = ring_reserve (r, 1, RING_RECORD_MAX (SIZE));
  check (at != NULL, "the largest record fits afterwards");
  check (!ring_read (&reader, false, bytes, sizeof bytes, &type, &size),
         "what is not published is not read");
  check (!ring_publish (r, at), "published");
  check (ring_read (&reader, false, bytes, sizeof bytes, &type, &size)
             && size == RING_RECORD_MAX (SIZE),
         "a record that is larger than the room tells its size");
}

/* A writer is told to wake the reader once, where the reader said.  */
static void
test_wake (void)
{
  struct ring_reader reader;
  struct ring *r = make (&reader);
  uint32_t type, size, woken_at = 0, woken = 0;
  uint8_t bytes[64];
  void *at;

  check (ring_wake_after (&reader, 4 * RING_RECORD_BYTES (64)), "armed");
  for (uint32_t i = 1; i <= 10; i++)
    {
      at = ring_reserve (r, 1, 64);
      if (at != NULL && ring_publish (r, at))
        {
          woken++;
          woken_at = i;
        }
    }
  check (woken == 1 && woken_at == 4, "woken %u times, at record %u", woken,
         woken_at);
  check (!ring_wake_after (&reader, 16), "what is there already is told");
  while (ring_read (&reader, false, bytes, sizeof bytes, &type, &size))
    continue;
  check (ring_wake_after (&reader, 1), "armed for the next record");
  check (ring_is_full (r) && !ring_is_full (r),
         "a writer without room wakes, once");
}

/* Killed at any moment: what was published is all read.  */
static void
test_killed (void)
{
  struct ring_reader reader;
  struct ring *r = make (&reader);
  uint32_t *done = mmap (NULL, 4096, PROT_READ | PROT_WRITE,
                         MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  uint32_t type, size, n = 0, next[N_THREADS] = { 0 }, bad = 0;
  struct record rec;
  void *hole = ring_reserve (r, 9, 100);
  pid_t child = fork ();

  if (child == 0)
    for (uint32_t i = 0;; i++)
      {
        if (i == 100)
          raise (SIGKILL);
        put (r, 0, i);
        __atomic_add_fetch (done, 1, __ATOMIC_SEQ_CST);
      }
  waitpid (child, NULL, 0);
  check (!ring_read (&reader, false, &rec, sizeof rec, &type, &size),
         "nothing is read behind a record that is not published");
  while (ring_read (&reader, true, &rec, sizeof rec, &type, &size))
    {
      bad += !is_right (&rec, type, size, next);
      n++;
    }
  check (hole != NULL && bad == 0 && n == 100 && *done == 100,
         "the dead one's %u records are read, past the hole", n);
  check (reader.lost == RING_RECORD_BYTES (100), "the hole is counted");
}

/* Whatever is in there, reading ends and stays inside.  */
static void
test_hostile (void)
{
  struct ring_reader reader;
  struct ring *r = make (&reader);
  uint32_t type, size, ended = 0;
  uint8_t bytes[64];

  for (unsigned round = 0; round < 200; round++)
    {
      uint32_t seed = round * 2654435761u + 1;

      ring_init (r, SIZE, round, &reader);
      for (size_t i = 0; i < SIZE; i += 4)
        {
          seed = seed * 1664525 + 1013904223;
          memcpy (r->data + i, &seed, 4);
        }
      for (uint64_t at = 0; at < SIZE; at += RING_ALIGN)
        if (at % 48 != 0)
          *(uint64_t *) (r->data + at) = at + reader.key;
      r->size = seed;
      r->head = round % 2 != 0 ? (uint64_t) seed << 20 : seed % SIZE;
      for (unsigned n = 0; n < 2 * SIZE; n++)
        if (!ring_read (&reader, round % 3 == 0, bytes, sizeof bytes, &type,
                        &size))
          {
            ended++;
            break;
          }
    }
  check (ended == 200, "reading of garbage ends");
}

int
main (void)
{
  test_threads ();
  test_full ();
  test_wake ();
  test_killed ();
  test_hostile ();
  return check_done ();
}
