/* The table of packets: a handler for each row of packets.def.  */

#ifndef GDBSTUB_PACKETS_H
#define GDBSTUB_PACKETS_H

#include "gdbstub/reply.h"
#include "gdbstub/scan.h"

struct stub;

/* A handler reads its packet's rest from IN and writes the answer to OUT,
   which is empty at first; left so, it says: not supported.  */
#define PACKET(WORD, TEXT, MATCH, NEEDS)                                      \
  void cmd_##WORD (struct stub *s, struct scan *in, struct reply *out);
#include "gdbstub/packets.def"
#undef PACKET

/* Find the row of the packet IN and call its handler.  */
void packets_dispatch (struct stub *s, struct scan *in, struct reply *out);

#endif
