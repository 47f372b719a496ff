/* See sentry.h.

   The sentry has the thread pointer of the thread that created it, so that it
   must not come near errno or any other variable of a thread: after it has
   said that it is READY, its calls are sentry_call's.  */

#define _GNU_SOURCE
#include "host/sentry.h"

#include <linux/futex.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "host/policy.h"

#define STACK_SIZE 65536

enum sentry_state { SENTRY_OFF, SENTRY_ON, SENTRY_RUNG };

struct sentry
{
  void (*alarm) (void *data);
  void *data;
  char *stack;
  int pid;
  int fd;
  uint32_t state;               /* enum sentry_state; a futex */
  uint32_t lock;                /* a futex: 0 free, 1 held, 2 waited for */
  uint32_t ready;               /* a futex */
};

/* See sentry.h.  */
long
sentry_call (long nr, long a, long b, long c, long d)
{
  long result;
  register long r10 __asm__ ("r10") = d;

  __asm__ volatile ("syscall"
                    : "=a"(result)
                    : "0"(nr), "D"(a), "S"(b), "d"(c), "r"(r10)
                    : "rcx", "r11", "memory");
  return result;
}


/* Futexes.  */

static void
futex_wait (uint32_t *word, uint32_t value)
{
  sentry_call (SYS_futex, (long) word, FUTEX_WAIT_PRIVATE, value, 0);
}

static void
futex_wake (uint32_t *word)
{
  sentry_call (SYS_futex, (long) word, FUTEX_WAKE_PRIVATE, 1, 0);
}

/* See sentry.h.  */
void
sentry_lock (struct sentry *s)
{
  uint32_t free = 0;

  if (s == NULL
      || __atomic_compare_exchange_n (&s->lock, &free, 1, false,
                                      __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
    return;
  while (__atomic_exchange_n (&s->lock, 2, __ATOMIC_ACQUIRE) != 0)
    futex_wait (&s->lock, 2);
}

/* See sentry.h.  */
void
sentry_unlock (struct sentry *s)
{
  if (s != NULL && __atomic_exchange_n (&s->lock, 0, __ATOMIC_RELEASE) == 2)
    futex_wake (&s->lock);
}


/* The sentry.  */

/* Something can be read.  */
static void
ring (struct sentry *s)
{
  sentry_lock (s);
  if (s->state == SENTRY_ON)
    {
      __atomic_store_n (&s->state, SENTRY_RUNG, __ATOMIC_SEQ_CST);
      s->alarm (s->data);
    }
  sentry_unlock (s);
}

/* Wait until it is wanted, and for input.  */
static void
stand_guard (struct sentry *s)
{
  uint32_t state = __atomic_load_n (&s->state, __ATOMIC_ACQUIRE);
  struct pollfd fd = { __atomic_load_n (&s->fd, __ATOMIC_RELAXED), POLLIN, 0 };

  if (state != SENTRY_ON || fd.fd < 0)
    futex_wait (&s->state, state);
  else if (sentry_call (SYS_poll, (long) &fd, 1, -1, 0) > 0)
    ring (s);
}

static int
sentry_main (void *data)
{
  struct sentry *s = data;

  prctl (PR_SET_PDEATHSIG, SIGKILL);
  setsid ();
  policy_be_first ();
  __atomic_store_n (&s->ready, 1, __ATOMIC_RELEASE);
  futex_wake (&s->ready);
  for (;;)
    stand_guard (s);
  return 0;
}

/* See sentry.h.  The signals that are blocked here are blocked there.  */
struct sentry *
sentry_create (void (*alarm) (void *data), void *data)
{
  struct sentry *s = calloc (1, sizeof *s);
  sigset_t all, old;

  if (s == NULL)
    return NULL;
  s->alarm = alarm;
  s->data = data;
  s->fd = -1;
  s->stack = mmap (NULL, STACK_SIZE, PROT_READ | PROT_WRITE,
                   MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
  if (s->stack == MAP_FAILED)
    {
      free (s);
      return NULL;
    }
  sigfillset (&all);
  sigprocmask (SIG_SETMASK, &all, &old);
  s->pid = clone (sentry_main, s->stack + STACK_SIZE,
                  CLONE_VM | CLONE_FILES | CLONE_FS, s);
  sigprocmask (SIG_SETMASK, &old, NULL);
  if (s->pid < 0)
    {
      munmap (s->stack, STACK_SIZE);
      free (s);
      return NULL;
    }
  while (__atomic_load_n (&s->ready, __ATOMIC_ACQUIRE) == 0)
    futex_wait (&s->ready, 0);
  return s;
}

/* See sentry.h.  */
void
sentry_destroy (struct sentry *s)
{
  if (s == NULL)
    return;
  sentry_lock (s);
  kill (s->pid, SIGKILL);
  waitpid (s->pid, NULL, __WCLONE);
  munmap (s->stack, STACK_SIZE);
  free (s);
}

/* See sentry.h.  */
void
sentry_watch (struct sentry *s, int fd)
{
  if (s != NULL)
    __atomic_store_n (&s->fd, fd, __ATOMIC_RELEASE);
}

/* See sentry.h.  */
void
sentry_arm (struct sentry *s)
{
  uint32_t off = SENTRY_OFF;

  if (s != NULL
      && __atomic_compare_exchange_n (&s->state, &off, SENTRY_ON, false,
                                      __ATOMIC_SEQ_CST, __ATOMIC_RELAXED))
    futex_wake (&s->state);
}

/* See sentry.h.  */
void
sentry_disarm (struct sentry *s)
{
  if (s == NULL || __atomic_load_n (&s->state, __ATOMIC_ACQUIRE) == SENTRY_OFF)
    return;
  sentry_lock (s);
  __atomic_store_n (&s->state, SENTRY_OFF, __ATOMIC_RELEASE);
  sentry_unlock (s);
}

/* See sentry.h.  */
bool
sentry_has_rung (const struct sentry *s)
{
  return s != NULL
         && __atomic_load_n (&s->state, __ATOMIC_SEQ_CST) == SENTRY_RUNG;
}
