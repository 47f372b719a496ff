/* The table of signals.  See signals.h; the rows are signals.def.  */

#include "linux/signals.h"

static const struct
{
  char name[10];
  uint8_t action, gdb;
} rows[SIGNALS_MAX + 1] = {
#define SIGNAL(NR, NAME, DEFAULT, GDB)                                        \
  [NR] = { #NAME, SIGNALS_##DEFAULT, GDB },
#include "linux/signals.def"
#undef SIGNAL
};

static bool
is_signal (int sig)
{
  return sig >= 1 && sig <= SIGNALS_MAX;
}

/* See signals.h.  */

const char *
signals_name (int sig)
{
  return is_signal (sig) ? rows[sig].name : NULL;
}

/* See signals.h.  */

enum signals_default
signals_default (int sig)
{
  return is_signal (sig) ? rows[sig].action : SIGNALS_TERMINATE;
}

/* See signals.h.  */

int
signals_to_gdb (int sig)
{
  if (!sig)
    return 0;
  return is_signal (sig) ? rows[sig].gdb : SIGNALS_GDB_UNKNOWN;
}

/* See signals.h.  */

int
signals_from_gdb (int gdb)
{
  if (!gdb)
    return 0;
  for (int sig = 1; sig <= SIGNALS_MAX; sig++)
    if (rows[sig].gdb == gdb && gdb != SIGNALS_GDB_UNKNOWN)
      return sig;
  return -1;
}
