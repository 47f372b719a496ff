/* A process that is debugged, as the server has it: its channel, its memory,
   its threads and points.

   Everything in a channel can be overwritten by the application at any time:
   a value is copied out once and checked, and what the server decides by is
   kept here.  A slot that makes no sense is a thread that does not answer.

   One thread of the server calls all of this.  */

#ifndef HOST_PROCESS_H
#define HOST_PROCESS_H

#include "channel/channel.h"
#include "host/points.h"
#include "host/server.h"
#include "host/target.h"

#define PROCESS_AUXV_MAX 1024

/* What the server keeps about a slot.  */
struct process_thread
{
  int tid;                      /* 0: the slot is free */
  bool taken;                   /* its event has been reported */
  enum target_resume_kind resume;       /* as last told */
  int send;                     /* a signal to send when it goes on; 0: none */
};

struct process
{
  struct process *next;
  int pid;
  int pidfd;
  int mem;
  bool is_child;                /* the server's own: wait for its status */
  bool started;                 /* its first thread has been seen stopped */
  bool execed;                  /* its next START is an EXEC */
  int parent;                   /* for children.h; 0: it is seen */
  bool ended;                   /* END_STATUS is known */
  int end_status;               /* wait status */
  struct server_channel channel;
  struct server_channel next_channel;   /* for the image to come; fd -1 */
  uint64_t core_start, core_end;
  uint64_t cookie;
  uint32_t generation;

  struct process_thread threads[CHANNEL_MAX_THREADS];
  unsigned n_threads;           /* slots that were looked at last time */

  struct point_set points;
  uint8_t auxv[PROCESS_AUXV_MAX];
  size_t auxv_size;
};

/* Make a process PID, with a channel of its own.  Null: out of memory.  */
struct process *process_create (const struct server *s, int pid);

/* Give P up; it is not touched.  */
void process_destroy (const struct server *s, struct process *p);

/* P's image has got the engine by birth B: take its memory, and what is known
   of it by now; its channel is the next one, threads and points are gone.  */
void process_born (const struct server *s, struct process *p,
                   const struct birth *b);

/* P was not born but forked from PARENT, whose image it has a copy of.  False:
   its memory cannot be opened.  */
MUST_USE bool process_forked (struct process *p, const struct process *parent);


/* Threads.  */

/* Look at the slots of P and bring P->threads up to date.  */
void process_look (struct process *p);

/* The slot of TID; -1: there is none.  */
int process_find (const struct process *p, int tid);

/* A slot's state, as a value that is known to be one.  */
enum channel_thread_state process_state (const struct process *p,
                                         unsigned slot);

/* The event that the thread in SLOT has stopped for, CHANNEL_STOP_NONE when
   there is none or it has been taken.  */
enum channel_stop process_event (const struct process *p, unsigned slot);

/* The slot of a thread, which the application can write to.  */
struct channel_thread *process_slot (const struct process *p, unsigned slot);

/* Whether some thread of P still runs, or P is about to have its first.  */
bool process_runs (struct process *p);

/* Kick thread TID of P out of the cache, or out of a system call if it is to
   come out.  */
void process_kick (const struct process *p, int tid);

/* Have all threads of P stop: those that run are kicked.  May be called again
   and again, and by the sentry.  */
void process_stop (const struct process *p);

/* Let go what process_stop holds; each thread does what its slot says when it
   has been woken, or looks by itself.  */
void process_release (const struct process *p);
void process_wake (const struct process *p);

/* Issue a command to the engine of P.  */
void process_command (struct process *p, enum channel_request request,
                      uint64_t arg0, uint64_t arg1);


/* Ask the engine of P, which is stopped, QUESTION about ARG: *TEXT is its
   answer, lines of printable characters, for the caller to free.  NO_THREAD:
   every thread is in a system call, so that nobody can answer; LOST: nobody
   did within a few seconds.  */
MUST_USE enum target_refusal process_ask (struct process *p,
                                          enum channel_question question,
                                          uint64_t arg, char **text);

/* Whether [START, END) holds anything of the engine's.  */
bool process_hides (const struct process *p, app_addr start, app_addr end);

/* Memory.  */

size_t process_read (struct process *p, app_addr addr, void *buffer,
                     size_t length);
size_t process_write (struct process *p, app_addr addr, const void *buffer,
                      size_t length);


/* Write P's points to its channel if they have changed.  */
void process_publish_points (struct process *p);

#endif
