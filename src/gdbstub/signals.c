/* See signals.h.  Real-time signals 33 to 63 are a run in both numberings.  */

#include "gdbstub/signals.h"

enum { RT_FIRST = 33, RT_LAST = 63, GDB_RT_FIRST = 45 };

static const struct
{
  uint8_t linux_number, gdb_number;
  const char *name;
} signals[] = {
#define SIGNAL(LINUX, GDB, NAME) { LINUX, GDB, NAME },
#include "gdbstub/signals.def"
#undef SIGNAL
};

/* See signals.h.  */
int
signal_to_gdb (int signal)
{
  if (signal == 0)
    return 0;
  if (signal >= RT_FIRST && signal <= RT_LAST)
    return signal - RT_FIRST + GDB_RT_FIRST;
  for (size_t i = 0; i < ARRAY_SIZE (signals); i++)
    if (signals[i].linux_number == signal)
      return signals[i].gdb_number;
  return GDB_SIGNAL_UNKNOWN;
}

/* See signals.h.  */
int
signal_from_gdb (uint64_t number)
{
  if (number == 0)
    return 0;
  if (number >= GDB_RT_FIRST && number <= GDB_RT_FIRST + RT_LAST - RT_FIRST)
    return number - GDB_RT_FIRST + RT_FIRST;
  for (size_t i = 0; i < ARRAY_SIZE (signals); i++)
    if (signals[i].gdb_number == number)
      return signals[i].linux_number;
  return -1;
}

/* See signals.h.  */
const char *
signal_name (int signal)
{
  static const char *const real_time[] = {
    "SIG33", "SIG34", "SIG35", "SIG36", "SIG37", "SIG38", "SIG39", "SIG40",
    "SIG41", "SIG42", "SIG43", "SIG44", "SIG45", "SIG46", "SIG47", "SIG48",
    "SIG49", "SIG50", "SIG51", "SIG52", "SIG53", "SIG54", "SIG55", "SIG56",
    "SIG57", "SIG58", "SIG59", "SIG60", "SIG61", "SIG62", "SIG63"
  };

  if (signal >= RT_FIRST && signal <= RT_LAST)
    return real_time[signal - RT_FIRST];
  for (size_t i = 0; i < ARRAY_SIZE (signals); i++)
    if (signals[i].linux_number == signal)
      return signals[i].name;
  return "?";
}
