/* The table of commands.  See command.h; the rows are commands.def.  */

#include "linux/command.h"
#include "linux/syscall.h"

#define R SYSCALL_READ
#define W SYSCALL_WRITE
#define RW (R | W)
#define TEXT COMMAND_TEXT
#define BY_RESULT COMMAND_BY_RESULT

static const struct command_row rows[] = {
#define COMMAND(NR, VALUE, NAME, POINTER, ACCESS, SIZE)                       \
  { #NAME, VALUE, LINUX_##NR, SIZE, POINTER, ACCESS },
#include "linux/commands.def"
#undef COMMAND
};

/* See command.h.  */

const struct command_row *
command_row (long nr, uint32_t value)
{
  for (unsigned i = 0; i < ARRAY_SIZE (rows); i++)
    if (rows[i].nr == nr && rows[i].value == value)
      return &rows[i];
  return NULL;
}

/* See command.h.  */

const struct command_row *
command_of_call (long nr, const uint64_t *args)
{
  const struct syscall_row *row = syscall_row (nr);

  for (unsigned i = 0; i < SYSCALL_N_ARGS; i++)
    if (row->args[i].kind == SYSCALL_COMMAND)
      {
        uint32_t value = args[i];
        return command_row (nr, nr == LINUX_quotactl ? value >> 8 : value);
      }
  return NULL;
}
