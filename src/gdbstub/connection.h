/* Where GDB is: standard input and output, a TCP port, a terminal line.

   States: PREPARED (a name; a bound socket if TCP) -> LISTENING -> OPEN ->
   LISTENING again.  Descriptors are close-on-exec and do not block.  */

#ifndef GDBSTUB_CONNECTION_H
#define GDBSTUB_CONNECTION_H

#include "common/types.h"

struct connection
{
  enum { CONNECTION_STDIO, CONNECTION_TCP, CONNECTION_TTY } kind;
  const char *name;
  int listener;                 /* TCP: the bound socket; else -1 */
  int in, out;                  /* -1: not open */
};

/* Make ready to be reached at NAME: "", "-" or "stdio", HOST:PORT with an
   optional host (none: the loopback), else the name of a terminal.  Returns
   false, with a message on standard error, when that cannot be.  */
MUST_USE bool connection_prepare (struct connection *c, const char *name);

/* Await GDB.  What needs no waiting is open at once; of a TCP port the number
   is announced on standard error, and connection_accept is due when `listener'
   is readable.  Returns false with a message.  */
MUST_USE bool connection_listen (struct connection *c);

/* Take the peer that waits.  Returns false when there is none after all.  */
MUST_USE bool connection_accept (struct connection *c);

bool connection_is_open (const struct connection *c);

/* Close what is open to the peer; the listener stays.  */
void connection_close (struct connection *c);

/* Close all.  */
void connection_fini (struct connection *c);

/* Read or write what can be at once.  Returns the number of bytes, 0 when
   there is nothing to be done now, -1 when the peer is gone.  */
long connection_read (struct connection *c, void *buffer, size_t size);
long connection_write (struct connection *c, const void *buffer, size_t n);

#endif
