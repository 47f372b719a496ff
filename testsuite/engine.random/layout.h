/* Where the random programs live.

   All addresses are fixed, so that what a program computes from them is the
   same in every run.  There are two code areas, too far apart for a direct
   branch; each has data and a control page within reach of an address
   relative to %rip.  What lies between is not mapped, or cannot be
   accessed.  */

#ifndef TESTSUITE_ENGINE_RANDOM_LAYOUT_H
#define TESTSUITE_ENGINE_RANDOM_LAYOUT_H

#include "common/types.h"

#define N_AREAS 2
#define CODE_SIZE 0x80000ul

/* Code, data and control of area N.  */
#define CODE(N) ((N) ? 0x300000000000ul : 0x100000000000ul)
#define NEAR_DATA(N) (CODE (N) + 0x1000000)
#define CONTROL(N) (CODE (N) + 0x2000000)

#define LOW_DATA 0x40000000ul   /* reached by 32 bits */
#define FS_DATA 0x280000000000ul
#define GS_DATA 0x290000000000ul

/* NEAR_DATA cut to 32 bits.  There is data at what comes of an address
   relative to %rip whether it is cut or not, and with either segment.  */
#define RIP_LOW_DATA 0x1000000ul

/* Each of the data areas, with a page on both sides that faults.  Operands
   are placed in its middle: DATA_MARGIN is left for strings, bit strings and
   vectors of indices.  */
#define DATA_SIZE 0x8000ul
#define DATA_MARGIN 0x1400ul

#define STACK_BASE 0x200000000000ul
#define STACK_SIZE 0x10000ul
/* Bytes above %rsp that a program may always store to.  */
#define FRAME_USABLE 224
#define FRAME_SIZE 512

/* The control page: it is the machinery's, not part of the state.  */
struct control
{
  uint64_t checkpoint;          /* where to call */
  uint64_t finish;              /* where to jump at the end */
  int64_t indices[8];           /* for gathers and scatters */
  uint32_t counters[256];       /* of loops */
  uint64_t slots[256];          /* targets of far branches */
  unsigned n_slots, n_counters;
};

#endif
