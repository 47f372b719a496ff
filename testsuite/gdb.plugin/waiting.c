/* Threads that sleep in read while what it stores to is counted up by another;
   and children of fork that are born while threads count.  */

#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define COUNTS 50
#define THREADS 3
#define CHILDREN 10

volatile long word;
atomic_long shared;
static atomic_int ended;

static int ends[2];
static _Atomic pid_t reader;

static void *
read_word (void *arg)
{
  (void) arg;
  reader = syscall (SYS_gettid);
  while (read (ends[0], (void *) &word, sizeof word) > 0)
    ;
  return NULL;
}

/* Wait until the reader sleeps in the kernel.  */
static void
wait_for_sleep (void)
{
  char name[64], text[256], state = 'R';

  while (reader == 0)
    sched_yield ();
  snprintf (name, sizeof name, "/proc/self/task/%d/stat", reader);
  while (state != 'S')
    {
      int fd = open (name, O_RDONLY);
      ssize_t n = read (fd, text, sizeof text - 1);

      close (fd);
      text[n > 0 ? n : 0] = 0;
      sscanf (text, "%*d (%*[^)]) %c", &state);
    }
}

void __attribute__ ((noinline))
asleep (void)
{
  __asm__ volatile ("");
}

static void *
count (void *arg)
{
  (void) arg;
  while (!ended)
    shared++;
  return NULL;
}

static void __attribute__ ((noinline))
bear (void)
{
  for (int i = 0; i < CHILDREN; i++)
    {
      pid_t pid = fork ();

      if (pid == 0)
        {
          for (int n = 0; n < COUNTS; n++)
            shared++;
          _exit (0);
        }
      waitpid (pid, NULL, 0);
    }
}

static void
forks (void)
{
  pthread_t t[THREADS];

  for (int i = 0; i < THREADS; i++)
    pthread_create (t + i, NULL, count, NULL);
  bear ();
  ended = 1;
  for (int i = 0; i < THREADS; i++)
    pthread_join (t[i], NULL);
}

static void
reads (void)
{
  pthread_t t;
  long value = 1000;

  if (pipe (ends))
    exit (1);
  pthread_create (&t, NULL, read_word, NULL);
  wait_for_sleep ();
  asleep ();
  if (write (ends[1], &value, sizeof value) != sizeof value)
    exit (1);
  while (word != value)
    sched_yield ();
  reader = 0;
  close (ends[1]);
  pthread_join (t, NULL);

  if (pipe (ends))
    exit (1);
  pthread_create (&t, NULL, read_word, NULL);
  wait_for_sleep ();
  for (int i = 0; i < COUNTS; i++)
    word++;
  close (ends[1]);
  pthread_join (t, NULL);
}

int
main (int argc, char **argv)
{
  (void) argv;
  if (argc > 1)
    forks ();
  else
    reads ();
  printf ("word %ld\n", word);
  return 0;
}
