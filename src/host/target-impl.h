/* What target.c (who is there, registers, memory, points) and running.c
   (resume, stop, events) share.  Nobody else includes this.  */

#ifndef HOST_TARGET_IMPL_H
#define HOST_TARGET_IMPL_H

#include "host/process.h"
#include "host/sentry.h"

struct target
{
  struct server *server;
  char engine_file[4096];
  struct channel_options options;
  struct process *processes;    /* oldest first */

  int epoll;                    /* polled while running: `chores', and the
                                   ends of processes */
  int chores;                   /* polled while stopped: all of the below */
  int sigchld;
  int wake;                     /* an eventfd of our own */
  int timer;                    /* for records that nobody tells of */
  struct target_records records;
  struct target_changes changes;
  int input;                    /* of target_listen; -1: none */
  struct sentry *sentry;        /* null: none was needed yet */

  bool running;
  bool stopping;                /* in target_stop_all */
  bool expected;                /* by target_expect_interrupt */
  bool interrupt;               /* wanted */
  int interrupt_pid;            /* 0: any */
  unsigned wants;
  uint64_t pass_signals, program_signals;
  int last_pid, last_tid;       /* of the last event */
  struct process *spawning;     /* not in the list yet */
  enum birth_refusal birth;     /* why its birth was refused */
  char explanation[4400];
};

/* The process PID, or of thread TID, in the list; null: there is none.  */
struct process *target_find (const struct target *t, int pid);
struct process *target_find_thread (const struct target *t, int tid,
                                    unsigned *slot);

/* Let all descriptors be served, after waiting up to MS milliseconds for one
   of them.  */
void target_pump (struct target *t, int ms);

/* Make the event descriptor readable.  */
void target_poke (struct target *t);

/* P is dead, or its channel goes: take all that it has left.  */
void target_take_last_records (struct target *t, struct process *p);

/* Put P at the end of the list, or take it out and give it up.  */
void target_add (struct target *t, struct process *p);
void target_drop (struct target *t, struct process *p);

/* Let P, which is stopped, run on with no debugger, with SIGNAL as in
   target_detach; it is given up.  */
void target_let_go (struct target *t, struct process *p, int signal);

/* Stop every process; after 5 seconds one that does not stop counts as
   stopped as it is.  */
void target_stop_all (struct target *t);

/* Write what the whole target wants of its processes to P's channel.  */
void target_publish_wants (const struct target *t, struct process *p);

/* Whether P is no more, with its wait status in P->end_status.  */
bool target_has_ended (struct process *p);

enum target_refusal PRINTF_LIKE (3, 4)
target_explain (struct target *t, enum target_refusal r, const char *fmt, ...);

#endif
