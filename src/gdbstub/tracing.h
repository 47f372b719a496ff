/* A trace experiment, as GDB has described it: tracepoints with their actions
   and their source, trace state variables, read-only regions, and the frames
   that were collected.

   What GDB says is kept as it was said, to be told again (qTfP, qTfV), and
   handed to the target when tracing starts.  No packets here, and one of
   these a stub.  */

#ifndef GDBSTUB_TRACING_H
#define GDBSTUB_TRACING_H

#include "gdbstub/reply.h"
#include "gdbstub/rsp.h"
#include "gdbstub/scan.h"
#include "gdbstub/streams.h"
#include "host/target.h"
#include "tracebuf/tracebuf.h"

struct tracing_text
{
  struct tracing_text *next;
  char *kind;                   /* of a piece of source; NULL: an action */
  char *text;
};

struct tracing_point
{
  struct tracing_point *next;
  uint32_t number;
  app_addr addr;
  bool enabled;
  uint64_t pass_count;
  uint64_t fast;                /* the instruction's length, or 0 */
  bool registers, vector;
  struct target_bytecode condition;     /* code NULL: none */
  struct target_trace_action *actions;
  size_t n_actions;
  struct tracing_text *action_texts, *source;
  uint32_t index;               /* tells it in frames; never of two */
};

struct tracing_variable
{
  struct tracing_variable *next;
  uint32_t number;
  uint64_t initial;
  bool builtin;
  char *name;
};

struct tracing_region
{
  struct tracing_region *next;
  app_addr start, end;
};

struct tracing
{
  struct target *t;
  struct streams *streams;      /* which records go to first */
  const struct rsp *rsp;        /* what GDB has still to read */
  struct tracing_point *points;
  uint32_t next_index;
  struct tracing_variable *variables;
  struct tracing_region *regions;
  struct tracebuf *frames;
  uint64_t buffer_size;
  bool ever, running;           /* as GDB has been told */
  uint64_t start_time, stop_time;       /* microseconds */
  char *user, *notes, *stop_note;
  long frame;                   /* that GDB looks at; -1: none */

  struct reply raw;             /* what qTBuffer sends */

  /* Where qTsP and qTsV go on.  */
  struct tracing_point *next_point;
  struct tracing_text *next_text;
  bool in_source;
  struct tracing_variable *next_variable;
};

void tracing_init (struct tracing *x, struct target *t,
                   struct streams *streams, const struct rsp *rsp);
void tracing_fini (struct tracing *x);

/* There can be tracing.  */
bool tracing_is_possible (const struct tracing *x);

/* Forget points and regions, and stop.  */
void tracing_reset (struct tracing *x);

/* The point NUMBER at ADDR; NULL: there is none.  */
struct tracing_point *tracing_find (struct tracing *x, uint32_t number,
                                    app_addr addr);

/* Make it; it is the last.  */
struct tracing_point *tracing_add (struct tracing *x, uint32_t number,
                                   app_addr addr);

/* P is to be defined anew.  */
void tracing_forget_definition (struct tracing_point *p);

/* It was a mistake: take the last one out.  */
void tracing_remove_last (struct tracing *x);

/* Note an action's, or a piece of source's, text.  Both are copied.  */
void tracing_add_text (struct tracing_text **list, const char *kind,
                       const char *text, size_t length);

struct tracing_variable *tracing_variable (struct tracing *x,
                                           uint32_t number);

/* Start; or bring changed points into force, if it goes on.  */
MUST_USE enum target_refusal tracing_start (struct tracing *x);
MUST_USE enum target_refusal tracing_update (struct tracing *x);

/* Stop by GDB's wish.  */
void tracing_stop (struct tracing *x);

/* What has happened since: whether it goes on.  */
struct target_trace_status tracing_look (struct tracing *x);

/* How often P was hit, and what its frames take.  */
void tracing_usage (const struct tracing *x, const struct tracing_point *p,
                    uint64_t *hits, uint64_t *bytes);

/* The address of frame N.  */
app_addr tracing_frame_address (struct tracing *x, size_t n);

/* Whether all of [START, END) is in one read-only region.  */
bool tracing_is_readonly (const struct tracing *x, app_addr start,
                          app_addr end);

/* The registers of the frame that GDB looks at: *HAVE tells whether there are
   any; if not, REGS has the address of its point.  */
void tracing_registers (struct tracing *x, struct target_regs *regs,
                        bool *have);

#endif
