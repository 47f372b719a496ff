/* Tracepoints, as server and engine have them in common.

   A tracepoint is a channel_point of kind CHANNEL_POINT_TRACE: `length' is its
   number, its conditions are agent expressions of which one must be true, and
   its commands are actions (below), the first a channel_action_head.

   What all processes of a server share is in the hub: whether tracing goes on,
   how often each was hit, how much may still be recorded, and the trace state
   variables.  Frames go into the ring of records of the process.

     OFF, or a reason -> RUNNING      server, while everything is stopped
     RUNNING -> a reason              engine or server, by compare and swap:
                                      the first one counts
     any -> OFF                       server

   While the state is not RUNNING, tracepoints do nothing.  The number of the
   tracepoint that stopped it stands in the upper half.  */

#ifndef CHANNEL_TRACE_H
#define CHANNEL_TRACE_H

#include "arch/regs.h"

#define CHANNEL_MAX_TRACEPOINTS 1024
#define CHANNEL_MAX_VARIABLES 1024
#define CHANNEL_TRACE_FEW (512ul << 10)

enum channel_trace_state
{
  CHANNEL_TRACE_OFF, CHANNEL_TRACE_RUNNING,
  CHANNEL_TRACE_STOPPED,        /* by the server's own wish */
  CHANNEL_TRACE_FULL,           /* no room is left */
  CHANNEL_TRACE_PASSED,         /* a pass count was reached */
  CHANNEL_TRACE_ERROR,          /* enum channel_trace_error */
  CHANNEL_TRACE_LOST            /* the server has not taken frames in time */
};

/* What can be wrong with an expression; texts as gdbserver has them where it
   has one.  */
#define CHANNEL_TRACE_ERRORS(X)                                               \
  X (OTHER, "the expression failed")                                          \
  X (MEMORY, "invalid memory access")                                         \
  X (DIVISION, "divide by zero")                                              \
  X (LOOP, "the expression does not end")                                     \
  X (REGISTER, "a register cannot be read")                                   \
  X (VARIABLE, "no such trace state variable")                                \
  X (REFUSED, "the expression cannot be compiled")

enum channel_trace_error
{
#define CHANNEL_TRACE_ERROR(NAME, TEXT) CHANNEL_TRACE_ERROR_##NAME,
  CHANNEL_TRACE_ERRORS (CHANNEL_TRACE_ERROR)
#undef CHANNEL_TRACE_ERROR
  CHANNEL_N_TRACE_ERRORS
};

enum channel_variable
{
  CHANNEL_VARIABLE_NONE, CHANNEL_VARIABLE_PLAIN,
  CHANNEL_VARIABLE_TIME         /* microseconds; it cannot be set */
};

struct channel_trace
{
  uint64_t state;
  uint64_t error;               /* enum channel_trace_error */
  int64_t room;                 /* bytes of frames */
  uint64_t n_lost;              /* parts that there was no room for */
  uint64_t hits[CHANNEL_MAX_TRACEPOINTS];       /* by channel_action_head's
                                                   index */
  uint64_t variables[CHANNEL_MAX_VARIABLES];    /* by number */
  uint8_t kinds[CHANNEL_MAX_VARIABLES];         /* enum channel_variable */
};


/* A variable of a number from here on is none: what an expression sets it to
   is recorded as a block of that number.  */
#define CHANNEL_VARIABLE_RECORD 0x8000

/* Actions: each begins with its kind.  */
enum channel_action
{
  CHANNEL_ACTION_HEAD, CHANNEL_ACTION_MEMORY, CHANNEL_ACTION_EXPRESSION
};

struct channel_action_head
{
  uint32_t kind;
  uint32_t index;               /* of its hits */
  uint64_t pass_count;          /* 0: none */
  uint8_t registers, vector;    /* wanted */
  uint8_t stream;               /* whether tracing goes on or not, and without
                                   end: what is beyond its pass count is left
                                   out */
  uint8_t few;                  /* threads wait when more than
                                   CHANNEL_TRACE_FEW bytes of the ring are in
                                   use: somebody reads them slowly */
  uint8_t pad[4];
};

/* Memory at an address or, with BASE (a number of GDB's) not negative, behind
   what that register holds.  */
struct channel_action_memory
{
  uint32_t kind;
  int32_t base;
  uint64_t offset, size;
};

/* The bytecode follows.  */
struct channel_action_expression
{
  uint32_t kind;
};


/* A frame: one record or several of one thread, each a part with blocks.  */
enum
{
  CHANNEL_PART_FIRST = 1 << 0, CHANNEL_PART_LAST = 1 << 1,
  CHANNEL_PART_DROP = 1 << 2    /* with LAST: the frame is none after all */
};

struct channel_trace_part
{
  uint32_t number;              /* of the tracepoint */
  uint32_t index;
  uint32_t thread;              /* any number of the process's own */
  uint32_t flags;
};

enum channel_trace_block_kind
{
  CHANNEL_BLOCK_REGISTERS = 1,  /* a struct arch_regs */
  CHANNEL_BLOCK_VECTOR,         /* bytes at ADDR of an XSAVE image, of which
                                   the rest is zeros; it ends where the last
                                   block ends */
  CHANNEL_BLOCK_MEMORY,
  CHANNEL_BLOCK_VARIABLE        /* eight bytes; ADDR is the number */
};

/* SIZE bytes follow, and padding to 8.  */
struct channel_trace_block
{
  uint32_t kind;
  uint32_t size;
  uint64_t addr;
};

/* The bytes of a block with SIZE bytes of data.  */
#define CHANNEL_BLOCK_BYTES(SIZE)                                             \
  (sizeof (struct channel_trace_block) + ALIGN_UP ((uint64_t) (SIZE), 8))

#endif
