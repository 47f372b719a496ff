/* What rooms above the engine want to hear of.

   A room registers by EVENTS_REGISTER: its table goes to a section of the
   image that events.c walks, so that the engine knows of no room above it.
   Any function may be null.  All are called by the thread T concerned, on its
   engine stack, with no lock held unless said otherwise.  */

#ifndef ENGINE_EVENTS_H
#define ENGINE_EVENTS_H

#include "cache/fragment.h"
#include "common/report.h"
#include "engine/thread.h"

struct engine_events
{
  /* The process begins; T is its only thread.  */
  void (*start) (struct thread *t);

  /* T is the only thread of a child of fork: it has the rules of its parent,
     but what other threads of that were about to do, and the locks that they
     held, are nobody's.  */
  void (*forked) (struct thread *t);

  /* T is about to enter the cache: the flavour that it shall run, or
     N_FLAVOURS for no opinion.  */
  enum flavour (*flavour) (struct thread *t);

  /* T has come to an EXIT_POINT; its context is in front of it.  */
  void (*point) (struct thread *t);

  /* T, which does not step, can fetch no instruction at its PC.  True: there
     was something else to do there, and T shall look again.  */
  bool (*unfetched) (struct thread *t);

  /* T has done one instruction of a flavour that steps, a system call
     included.  */
  void (*stepped) (struct thread *t);

  /* T was sent to do one, and comes back with it not done, or in part.  */
  void (*unstepped) (struct thread *t);

  /* T is about to run the first instruction of a signal handler.  */
  void (*handler) (struct thread *t);

  /* T is in front of an instruction that may touch what is watched.  HERE: it
     could do it where it is, in the cache.  True: it shall.  */
  bool (*watch) (struct thread *t, bool here);

  /* It has done it there.  True: nothing is to be reported, and T may go
     on.  */
  bool (*watched) (struct thread *t);

  /* With gate_watch on: around a system call of T, or when a signal frame is
     built for it: store for each range that may be written to, then
     stored.  In between, when it is known what the call has written, returned,
     and store again for each range of that; CHANGED: gate_watch was called
     since the first store, or there was none.  With WAIT, T waits for its turn
     to report; false: it was interrupted meanwhile, and shall be asked again
     when it has stopped.  */
  void (*store) (struct thread *t, app_addr start, app_addr end);
  void (*returned) (struct thread *t, bool changed);
  bool (*stored) (struct thread *t, bool wait);

  /* An instruction at PC, which is none of the cache's, has faulted.  Where to
     go on, if the room knows; else 0.  Runs in signal context.  */
  uint64_t (*fault) (uint64_t pc);

  /* Add counters of the room's own to R, by report_value.  The process is
     stopped, and T is one of its threads.  */
  void (*report) (struct thread *t, struct report *r);
};

#define EVENTS_REGISTER(TABLE)                                                \
  static const struct engine_events *const TABLE##_registered                 \
    __attribute__ ((section ("rio_events"), used))                            \
    = &(TABLE)

void events_start (struct thread *t);
void events_forked (struct thread *t);
enum flavour events_flavour (struct thread *t);
void events_point (struct thread *t);
bool events_unfetched (struct thread *t);
void events_stepped (struct thread *t);
void events_unstepped (struct thread *t);
void events_handler (struct thread *t);
bool events_watch (struct thread *t, bool here);
bool events_watched (struct thread *t);
void events_store (struct thread *t, app_addr start, app_addr end);
void events_returned (struct thread *t, bool changed);
MUST_USE bool events_stored (struct thread *t, bool wait);
uint64_t events_fault (uint64_t pc);
void events_report (struct thread *t, struct report *r);

#endif
