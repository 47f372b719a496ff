/* The server believes nothing that it reads: random bytes all over a channel
   and the hub, while a debugger works.  Only the server's survival, and that
   it can kill the process in the end, is asked for.  */

#define _GNU_SOURCE
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "host/target-impl.h"
#include "lib/check.h"

#define ROUNDS 20
#define FROZEN 10               /* each so manieth round the engine sleeps, and
                                   does not die of it */
#define ROUND_SECONDS 1

static char guest[4200], engine[4300];
static struct target *target;
static int guest_pid;
static volatile bool over;
static unsigned long state;

static uint32_t
next_random (void)
{
  state = state * 6364136223846793005ul + 1442695040888963407ul;
  return state >> 33;
}

/* Words that are likelier than others to be believed.  */
static uint32_t
next_word (void)
{
  static const uint32_t special[]
    = { 0, 1, 2, 3, 4, 0x7fffffff, 0x80000000, 0xffffffff, 1023, 1024 };
  uint32_t r = next_random ();

  switch (r % 4)
    {
    case 0:
      return special[r / 4 % ARRAY_SIZE (special)];
    case 1:
      return guest_pid;
    default:
      return next_random ();
    }
}

/* The application's view of a channel: it outlives the server's.  */
static uint32_t *
map_channel (const struct process *p)
{
  void *at = mmap (NULL, channel_size (CHANNEL_MAX_THREADS),
                   PROT_READ | PROT_WRITE, MAP_SHARED, p->channel.fd, 0);

  return at != MAP_FAILED ? at : NULL;
}

static void *
scribble (void *arg)
{
  uint32_t *hub = (uint32_t *) server_hub (target->server);
  uint32_t *words = arg;
  uint32_t *slots = words + PAGE_UP (sizeof (struct channel)) / 4;
  size_t near = sizeof (struct channel_head) / 4 + 40;

  while (!over)
    {
      uint32_t r = next_random ();
      size_t size = channel_size (CHANNEL_MAX_THREADS) / 4;

      /* Often where the server looks: the head, the first slots, the hub.  */
      if (r % 4 == 0)
        words[next_random () % near] = next_word ();
      else if (r % 4 == 1)
        slots[r / 4 % 4 * sizeof (struct channel_thread) / 4
              + next_random () % 128]
          = next_word ();
      else if (r % 4 == 2)
        hub[2 + next_random () % (HUB_SIZE / 4 - 2)] = next_word ();
      else
        words[next_random () % size] = next_word ();
    }
  return NULL;
}

/* What a debugger does all day.  */
static void
work (int pid)
{
  static const struct target_action all = { .kind = TARGET_RESUME_CONTINUE };
  static struct target_regs regs;
  struct target_event event;
  struct pollfd fd = { target_event_fd (target), POLLIN, 0 };
  int tids[16];
  char memory[64];
  enum target_refusal r = target_resume (target, &all, 1);

  target_interrupt (target, pid);
  for (int n = 0; n < 3 && !target_next_event (target, &event); n++)
    poll (&fd, 1, 5);
  target_threads (target, pid, tids, ARRAY_SIZE (tids));
  target_memory_read (target, pid, next_random (), memory, sizeof memory);
  r = target_regs_read (target, tids[0], &regs);
  if (r == TARGET_OK)
    r = target_regs_write (target, tids[0], &regs);
}

static void
one_round (unsigned n)
{
  const char *argv[] = { guest, "threads", "2", NULL };
  const struct target_program program
    = { .argv = argv, .stream = { -1, -1, -1 } };
  pthread_t thread;
  uint32_t *channel;
  time_t end = time (NULL) + ROUND_SECONDS;
  int pid = 0;

  if (!check (target_create (&target, NULL) == TARGET_OK
                && target_spawn (target, &program, &pid) == TARGET_OK,
              "round %u: start", n))
    return;
  guest_pid = pid;
  target_set_wants (target, ~0u);
  over = false;
  channel = map_channel (target_find (target, pid));
  if (!check (channel != NULL, "round %u: map", n))
    return;
  if (n % FROZEN == 0)
    kill (pid, SIGSTOP);
  pthread_create (&thread, NULL, scribble, channel);
  while (time (NULL) <= end && target_find (target, pid) != NULL)
    work (pid);
  over = true;
  pthread_join (thread, NULL);
  munmap (channel, channel_size (CHANNEL_MAX_THREADS));
  check (target_find (target, pid) == NULL
           || target_kill (target, pid) == TARGET_OK, "round %u: kill", n);
  target_destroy (target, true);
  check (kill (pid, 0) < 0, "round %u: it is gone", n);
}

int
main (void)
{
  ssize_t n = readlink ("/proc/self/exe", guest, 4096);

  guest[n > 0 ? n : 0] = 0;
  *strrchr (guest, '/') = 0;
  snprintf (engine, sizeof engine, "%s/../../rio-engine", guest);
  setenv ("RIO_ENGINE", engine, 1);
  strcat (guest, "/target-guest");
  state = check_seed ();
  for (unsigned i = 0; i < ROUNDS; i++)
    one_round (i);
  return check_done ();
}
