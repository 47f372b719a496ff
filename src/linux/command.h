/* The table of commands: what the pointer of ioctl, fcntl, prctl and other
   calls that are many in one points to.  The rows are commands.def.

   Reading the table only; no state, no locks; may run in signal context, on
   both sides.  */

#ifndef LINUX_COMMAND_H
#define LINUX_COMMAND_H

#include "common/types.h"

#define COMMAND_TEXT 0xffff             /* SIZE of a string */
#define COMMAND_BY_RESULT 0xfffe        /* the result is the number of bytes,
                                           the argument after is the room */

struct command_row
{
  const char *name;
  uint32_t value;
  uint16_t nr;                  /* of the system call */
  uint16_t size;                /* bytes, or one of the two above */
  uint8_t pointer;              /* number of the argument that points */
  uint8_t access;               /* of enum syscall_access; 0: no memory */
};

/* The row of command VALUE of system call NR, or null.  VALUE is the argument
   cut to 32 bits, as the kernel does, and for quotactl shifted right by 8.  */
const struct command_row *command_row (long nr, uint32_t value);

/* The command of system call NR called with the argument VALUE; as
   command_row, and null too when NR is not such a call.  */
const struct command_row *command_of_call (long nr, const uint64_t *args);

#endif
