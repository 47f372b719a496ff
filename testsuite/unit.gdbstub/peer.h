/* GDB's end of a connection, for tests: a stub with the fake target in a
   process of its own, and the bytes that go to and fro.  */

#ifndef UNIT_GDBSTUB_PEER_H
#define UNIT_GDBSTUB_PEER_H

#include "gdbstub/stub.h"

struct peer
{
  int pid;                      /* the stub's process */
  int fd;
  bool noack;
  uint8_t input[1 << 14];       /* what has arrived, from FIRST to END */
  size_t input_first, input_end;
  size_t length;                /* of the last answer */
  char answer[1 << 17];         /* run lengths undone, escapes not */
};

/* Start a stub on standard input and output with OPTIONS and the script of
   fake_set_script; its messages go to the file ERRORS, unless NULL.  */
void peer_start (struct peer *p, const struct stub_options *options,
                 const char *errors);

/* Start one that listens; the port that it announces is connected to.  */
void peer_start_tcp (struct peer *p, const struct stub_options *options,
                     const char *errors);
void peer_connect (struct peer *p, int port);

/* The port announced in the file ERRORS, once it is there.  */
int peer_port (const char *errors);

/* Send bytes as they are; a packet; a packet with a zero in it.  */
void peer_raw (struct peer *p, const void *bytes, size_t n);
void peer_send (struct peer *p, const char *packet);
void peer_send_n (struct peer *p, const void *packet, size_t n);

/* Await a packet, and acknowledge it.  Returns its text, "(closed)" when the
   stub has closed, "(silence)" when nothing comes for TIMEOUT_MS.  */
const char *peer_wait (struct peer *p, int timeout_ms);

/* Send PACKET and await the answer.  */
const char *peer_ask (struct peer *p, const char *packet);

/* The next byte that arrives, outside of any packet; -1 closed, -2 none within
   TIMEOUT_MS.  */
int peer_byte (struct peer *p, int timeout_ms);

/* Run a monitor command.  Returns its output.  */
const char *peer_monitor (struct peer *p, const char *command);

/* Close, and await the stub's end.  Returns its exit status; -1 when it was
   killed by a signal, -2 when it did not end within five seconds.  */
int peer_end (struct peer *p);

#endif
