/* A scripted target: host/target.h without processes.

   It has one piece of memory, registers that count up, and a script: each
   target_resume takes the next event from it, NONE meaning that the target
   runs until it is interrupted.  What it is told to do it writes to a log,
   which `monitor log' prints and empties; so a test at the other end of a
   connection can look at it.

   Each resume while it traces collects a frame of each tracepoint: registers
   that count up, if they are wanted, 16 bytes of memory where its actions say,
   and variable 7.  */

#ifndef UNIT_GDBSTUB_FAKE_TARGET_H
#define UNIT_GDBSTUB_FAKE_TARGET_H

#include "host/target.h"

#define FAKE_PID 0x100          /* the first; each spawn adds 0x100 */
#define FAKE_CHILD 0x900
#define FAKE_MEMORY 0x10000     /* where the memory is */
#define FAKE_MEMORY_SIZE 0x8000
#define FAKE_HIDDEN 0x7e8000000000

struct fake_script
{
  unsigned abilities;           /* of enum target_ability */
  bool cannot_spawn;
  uint32_t xsave_size;          /* of every thread's image */
  const struct target_event *events;
  size_t n_events;
};

/* The script of all that follows.  */
void fake_set_script (const struct fake_script *script);

#endif
