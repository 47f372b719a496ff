/* A sentry: it hears that the debugger wants a stop, and kicks the program's
   threads, while those keep every processor busy.

   Measured with 50 threads that spin on two processors, Linux 6.18: a server
   that waits for the debugger in their midst runs 150 ms after the debugger's
   byte has come, though the kick and the stop of all threads take less than
   one.  The scheduler lets each thread have its turn first: the server, which
   has just woken them, is in their debt.

   So a process of its own stands beside the server and sleeps while the
   threads are woken.  It shares the server's memory and descriptors, so it
   needs no contract; but it is in a session of its own, for the kernel shares
   a processor out among sessions first (sched_autogroup).  Where the system
   permits it it has a real-time policy, too.  It does nothing but wait for
   input, set what asks for a stop, and kick.  The rest of the work is the
   server's, when the threads have stopped and the processors are free.

   It is posted before many threads are woken, and when the server goes to
   sleep while few run, which may make others.

   Every function but sentry_create takes a null S, and then does nothing.

   States:

     OFF -> ON         sentry_arm
     ON -> RUNG        the sentry, which then calls ALARM
     any -> OFF        sentry_disarm  */

#ifndef HOST_SENTRY_H
#define HOST_SENTRY_H

#include "common/types.h"

struct sentry;

/* Post a sentry.  ALARM (DATA) is called in it, with the lock held, when it
   hears something: it may make system calls by sentry_call alone, and no calls
   of the C library.  Null: there cannot be one.  */
struct sentry *sentry_create (void (*alarm) (void *data), void *data);
void sentry_destroy (struct sentry *s);

/* A system call that leaves errno alone, which the server's threads have.
   Returns what the kernel did.  */
long sentry_call (long nr, long a, long b, long c, long d);

/* Listen to FD (-1: to nothing) from now on.  */
void sentry_watch (struct sentry *s, int fd);

/* Call ALARM once when there is something to be read, or do so no more; and
   whether it has been called since the last sentry_arm, or is about to be.  */
void sentry_arm (struct sentry *s);
void sentry_disarm (struct sentry *s);
bool sentry_has_rung (const struct sentry *s);

/* While the lock is held the sentry does not call ALARM.  */
void sentry_lock (struct sentry *s);
void sentry_unlock (struct sentry *s);

#endif
