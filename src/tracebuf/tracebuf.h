/* The trace frames that have been collected, in the order in which they were
   completed.

   Frames are taken from the engine's records (channel/trace.h) part by part,
   and believed only after a look: sizes are checked, what makes no sense is
   left out, and the whole never grows beyond its limit.  One thread.  */

#ifndef TRACEBUF_TRACEBUF_H
#define TRACEBUF_TRACEBUF_H

#include "channel/trace.h"

#define TRACEBUF_DEFAULT_SIZE (5ul << 20)       /* as gdbserver */

struct tracebuf;

/* Null: out of memory.  */
struct tracebuf *tracebuf_create (void);
void tracebuf_destroy (struct tracebuf *b);

/* Drop all frames and parts; no more than LIMIT bytes from now on.  */
void tracebuf_clear (struct tracebuf *b, uint64_t limit);

/* Take SIZE BYTES, a record of process PID.  True: it completed a frame, which
   is the last now.  */
bool tracebuf_take (struct tracebuf *b, int pid, const void *bytes,
                    size_t size);

/* How many frames there are, and what is left of the limit.  */
size_t tracebuf_count (const struct tracebuf *b);
uint64_t tracebuf_free (const struct tracebuf *b);

/* Whether a frame was dropped because there was no room for it.  */
bool tracebuf_is_full (const struct tracebuf *b);

struct tracebuf_frame
{
  uint32_t number, index;       /* of the tracepoint */
  int pid;
  uint32_t thread;              /* which of its threads, by a number of the
                                   engine's */
  uint64_t size;                /* of the limit */
};

/* Frame N, which there is.  */
struct tracebuf_frame tracebuf_frame (const struct tracebuf *b, size_t n);

/* The registers of frame N; false: none were collected.  */
bool tracebuf_registers (const struct tracebuf *b, size_t n,
                         struct arch_regs *regs);

/* The XSAVE image of frame N, up to SIZE bytes of it; 0: there is none.  */
size_t tracebuf_vector (const struct tracebuf *b, size_t n, uint8_t *image,
                        size_t size);

/* What frame N has of the SIZE bytes at ADDR, from the first on; returns how
   many.  */
size_t tracebuf_memory (const struct tracebuf *b, size_t n, app_addr addr,
                        void *bytes, size_t size);

/* The value of trace state variable NUMBER in frame N, the last of several;
   false: it was not collected.  */
bool tracebuf_variable (const struct tracebuf *b, size_t n, uint32_t number,
                        uint64_t *value);

/* The blocks of frame N, one after the other: AT is 0 at first.  Null: no
   more.  A block stays where it is until another frame is looked at.  */
const struct channel_trace_block *tracebuf_next (const struct tracebuf *b,
                                                 size_t n, size_t *at);

#endif
