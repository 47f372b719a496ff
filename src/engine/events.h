/* What rooms above the engine want to hear of.

   A room registers by EVENTS_REGISTER: its table goes to a section of the
   image that events.c walks, so that the engine knows of no room above it.
   Any function may be null.  All are called by the thread T concerned, on its
   engine stack, with no lock held unless said otherwise.  */

#ifndef ENGINE_EVENTS_H
#define ENGINE_EVENTS_H

#include "cache/fragment.h"
#include "engine/thread.h"

struct engine_events
{
  /* The process begins, or a child of fork does; T is its only thread.  */
  void (*start) (struct thread *t);

  /* T is about to enter the cache: the flavour that it shall run, or
     N_FLAVOURS for no opinion.  */
  enum flavour (*flavour) (struct thread *t);

  /* T has come to an EXIT_POINT; its context is in front of it.  */
  void (*point) (struct thread *t);

  /* T has done one instruction of FLAVOUR_STEP, a system call included.  */
  void (*stepped) (struct thread *t);
};

#define EVENTS_REGISTER(TABLE)                                                \
  static const struct engine_events *const TABLE##_registered                 \
    __attribute__ ((section ("rio_events"), used))                            \
    = &(TABLE)

void events_start (struct thread *t);
enum flavour events_flavour (struct thread *t);
void events_point (struct thread *t);
void events_stepped (struct thread *t);

#endif
