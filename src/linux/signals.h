/* The table of signals: names, default actions, GDB's numbers.

   Reading the table only; no state, no locks; may run in signal context, on
   both sides.  */

#ifndef LINUX_SIGNALS_H
#define LINUX_SIGNALS_H

#include "common/types.h"

#define SIGNALS_MAX 64

enum signals_default
{
  SIGNALS_TERMINATE, SIGNALS_CORE, SIGNALS_IGNORE, SIGNALS_STOP,
  SIGNALS_CONTINUE
};

/* GDB's number for a signal that it does not know.  */
#define SIGNALS_GDB_UNKNOWN 143

/* The name of signal SIG as `SIGINT', or null if it is not in 1 to 64.  */
const char *signals_name (int sig);

/* What SIG_DFL does for SIG, 1 to 64.  */
enum signals_default signals_default (int sig);

/* The number that the remote protocol has for SIG (0 for 0), or
   SIGNALS_GDB_UNKNOWN; and the signal that it calls GDB, or -1.  */
int signals_to_gdb (int sig);
int signals_from_gdb (int gdb);

#endif
