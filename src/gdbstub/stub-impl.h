/* The state of a session, shared by the files of this room that handle
   packets.

   Invariants:
   1. `running' is true from a resume to the event that ends it; packets wait
      meanwhile, only an interrupt is heeded.
   2. `regs' is a copy of thread `regs_tid's registers, 0 when of none; it is
      forgotten whenever the target is let go.
   3. `general' and `cont' are thread ids, 0 for any; they may name a thread
      that is gone.  */

#ifndef GDBSTUB_STUB_IMPL_H
#define GDBSTUB_STUB_IMPL_H

#include <signal.h>

#include "arch/tdesc.h"
#include "gdbstub/connection.h"
#include "gdbstub/hostio.h"
#include "gdbstub/inserted.h"
#include "gdbstub/launch.h"
#include "gdbstub/reply.h"
#include "gdbstub/rsp.h"
#include "gdbstub/scan.h"
#include "gdbstub/stub.h"
#include "gdbstub/tls.h"
#include "gdbstub/tracing.h"
#include "gdbstub/watchlog.h"

/* What GDB said in qSupported, or by other packets, that it wants.  */
struct features
{
  bool extended, multiprocess, swbreak, hwbreak, no_resumed;
  bool fork_events, vfork_events, exec_events, thread_events, vcont;
};

struct stub
{
  struct target *t;
  const struct stub_options *options;
  struct connection connection;
  struct rsp rsp;
  struct features gdb;

  bool running;
  bool interrupted;             /* GDB wants a stop that it has not got */
  bool noack_next;              /* begins after this answer */
  bool no_reply;                /* the packet is answered later, or never */
  bool exit_requested;          /* end after this answer */
  int signals;                  /* a descriptor of those that end it */
  sigset_t mask;                /* before */
  int join_pid;                 /* and wait for this one before; 0: none */
  bool trace_packets, trace_events;     /* on standard error, with the time */
  bool trace_time;

  int general, cont;            /* threads of Hg and Hc */
  struct target_event last;     /* NONE: there has been none, or no process */
  uint64_t pass_signals;
  size_t next_thread;           /* of qsThreadInfo */

  struct target_regs regs;
  int regs_tid;
  struct tdesc tdesc;

  struct launch launch;
  struct inserted inserted;
  struct watchlogs watchlogs;
  struct streams streams;
  struct hostio files;
  struct tls tls;
  struct tracing tracing;

  /* The document being read by qXfer, and which it is.  */
  struct reply document;
  char *document_name;
};

/* The thread that packets about "the current thread" mean, 0 when there is no
   process; and its process.  */
int stub_thread (struct stub *s);
int stub_process (struct stub *s);

/* Whether there is a process.  */
bool stub_has_process (struct stub *s);

/* The thread that PTID means: an existing one, the first of a process for
   pPID.-1, 0 for any; -1 when there is no such thread.  */
int stub_find (struct stub *s, struct scan_ptid ptid);

/* Write TID as the protocol does, with its process PID when GDB knows of
   processes.  */
void stub_put_ptid (struct stub *s, int pid, int tid, struct reply *out);

/* TID's registers, NULL when they cannot be had.  */
struct target_regs *stub_regs (struct stub *s, int tid);

/* Hand back what was changed in stub_regs.  */
MUST_USE bool stub_regs_write (struct stub *s, int tid);

/* Text for the user, by an `O' packet.  */
void stub_console (struct stub *s, const char *text);

/* Let N threads go on as ACTIONS say; the answer comes with the event.  An
   error goes into OUT.  */
void stub_resume (struct stub *s, const struct target_action *actions,
                  size_t n, struct reply *out);

/* Tell the target which events are wanted.  */
void stub_set_wants (struct stub *s);

/* What was read by qXfer last may be out of date.  */
void stub_forget_document (struct stub *s);

/* PID is gone, or has been let go: forget what is known of it.  */
void stub_forget_process (struct stub *s, int pid);

/* Kill all there is.  */
void stub_kill_all (struct stub *s);

/* Run the program that is set, and make its first stop the last event.  */
MUST_USE bool stub_start_program (struct stub *s);

#endif
