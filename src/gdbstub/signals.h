/* GDB's signal numbers and Linux's.

   The protocol has numbers of its own (GDB: include/gdb/signals.def); this is
   the one place that knows both.  Stateless.  */

#ifndef GDBSTUB_SIGNALS_H
#define GDBSTUB_SIGNALS_H

#include "common/types.h"

enum
{
  GDB_SIGNAL_INT = 2, GDB_SIGNAL_TRAP = 5, GDB_SIGNAL_KILL = 9,
  GDB_SIGNAL_UNKNOWN = 143
};

/* GDB's number for Linux's SIGNAL; GDB_SIGNAL_UNKNOWN when it has none, 0 for
   0.  */
int signal_to_gdb (int signal);

/* Linux's number for GDB's NUMBER; -1 when there is none, 0 for 0.  */
int signal_from_gdb (uint64_t number);

/* The name of Linux's SIGNAL as GDB writes it, "SIGSEGV"; "?" for none.  */
const char *signal_name (int signal);

#endif
