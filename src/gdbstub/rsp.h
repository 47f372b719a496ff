/* The remote serial protocol's frames: bytes in, packets out, and back.

   Pure: no descriptors.  What arrives is fed in pieces of any size; packets,
   interrupts and acknowledgements come out one by one.  What is to be sent
   collects in `out', to be drained as the connection takes it.

   States of the receiver (one switch, rsp_next):

     IDLE   -'$'->  DATA    all else but '+', '-' and 0x03 is skipped
     DATA   -'#'->  SUM1    a '$' starts again
     SUM1   ----->  SUM2
     SUM2   ----->  IDLE    a packet, or a refusal of one

   The framing is that of the GDB manual, "Overview" under "GDB Remote Serial
   Protocol".  */

#ifndef GDBSTUB_RSP_H
#define GDBSTUB_RSP_H

#include "common/types.h"

#define RSP_PACKET_SIZE 0x47ff  /* the largest packet's data, both ways */

enum rsp_item
{
  RSP_NOTHING,                  /* more bytes are needed */
  RSP_PACKET,                   /* in DATA, LENGTH; zero-terminated */
  RSP_INTERRUPT,                /* 0x03 between packets */
  RSP_BAD_PACKET                /* damaged or too long, where the peer waits
                                   for an answer and not for a NAK */
};

struct rsp
{
  bool noack;                   /* QStartNoAckMode is in force */
  enum { RSP_IDLE, RSP_DATA, RSP_SUM1, RSP_SUM2 } state;
  uint8_t sum, sent_sum;
  bool too_long;
  size_t length;                /* of data */
  uint8_t data[RSP_PACKET_SIZE + 1];

  uint8_t *in;                  /* fed, not looked at yet: [in_at, in_end) */
  size_t in_at, in_end, in_size;
  uint8_t *out;                 /* to be sent: [out_at, out_end) */
  size_t out_at, out_end, out_size;
  uint8_t *last;                /* the last packet framed, for a NAK */
  size_t last_length, last_size;
};

void rsp_init (struct rsp *r);
void rsp_fini (struct rsp *r);

/* Take N bytes that have arrived.  */
void rsp_feed (struct rsp *r, const void *bytes, size_t n);

/* What comes next.  A packet's data stays valid until the next call.
   Acknowledgements are given and heeded on the way.  */
enum rsp_item rsp_next (struct rsp *r);

/* Whether an interrupt is among what has been fed and not looked at, outside
   of any packet.  It is taken out.  For use while the target runs, when
   packets are left to wait.  */
bool rsp_take_interrupt (struct rsp *r);

/* Likewise, and it is left in.  */
bool rsp_has_interrupt (const struct rsp *r);

/* Bytes that have been fed and not been looked at.  */
size_t rsp_waiting (const struct rsp *r);

/* Frame LENGTH bytes of DATA as a packet for sending, run-length encoded.  Its
   binary parts are escaped already.  */
void rsp_send (struct rsp *r, const void *data, size_t length);

/* N bytes of what rsp_send has left in out from out_at are on their way.  */
void rsp_sent (struct rsp *r, size_t n);

#endif
