/* Stop replies: what an event looks like to GDB.  */

#ifndef GDBSTUB_STOPS_H
#define GDBSTUB_STOPS_H

#include "gdbstub/reply.h"
#include "host/target.h"

struct stub;

/* Write EVENT of S's target as a stop reply; NONE is "no process", W00.  Its
   thread becomes the current one.  */
void stops_reply (struct stub *s, const struct target_event *event,
                  struct reply *out);

#endif
