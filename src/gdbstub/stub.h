/* The stub: speaks GDB's remote protocol for a target.

   stub_serve is the whole of it: it starts the program, opens or awaits the
   connection, and returns when the session is over by the rules of gdbserver.
   Single-threaded; one stub per process.  */

#ifndef GDBSTUB_STUB_H
#define GDBSTUB_STUB_H

#include "host/target.h"

struct stub_options
{
  const char *connection;       /* "stdio" or "-", HOST:PORT, :PORT, a tty;
                                   "": as stdio, with no word about it */
  const char *const *argv;      /* the program, NULL-terminated; or NULL */
  bool multi;                   /* stay without a program */
  bool once;                    /* end with the first connection */
  bool startup_with_shell;
  bool disable_randomization;
  const char *const *wrapper;   /* NULL-terminated; or NULL */
  const char *tty;              /* for the program; NULL: none */
  const char *stdin_file, *stdout_file; /* for the program; NULL: default */
  bool trace_packets;           /* show them on standard error */
  unsigned without;             /* packets to do without: enum stub_without */
};

/* For tests of GDB's older ways: as gdbserver's --disable-packet.  */
enum stub_without
{
  STUB_WITHOUT_VCONT = 1 << 0,
  STUB_WITHOUT_T_THREAD = 1 << 1,
  STUB_WITHOUT_QC = 1 << 2,
  STUB_WITHOUT_THREAD_INFO = 1 << 3,
  STUB_WITHOUT_T = 1 << 4
};

/* Serve T as OPTIONS say.  Messages go to standard error, worded as
   gdbserver's.  Processes that are left at the end are killed.  Returns the
   exit status of the server: 0, or 1 when it could not begin.  */
int stub_serve (struct target *t, const struct stub_options *options);

#endif
