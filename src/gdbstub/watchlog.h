/* Logs of who writes to what is watched: the engine records changes with no
   stop, and here they become lines, for GDB's console
   while the program runs, or for a file.

   A log ends when it has its number of changes, when it is told to, or with
   its process.  The point of one that has ended is taken out before the
   program goes on next.  */

#ifndef GDBSTUB_WATCHLOG_H
#define GDBSTUB_WATCHLOG_H

#include "gdbstub/inserted.h"
#include "gdbstub/reply.h"

struct watchlog;

struct watchlogs
{
  struct watchlog *first;
  int last_number;
  uint64_t dropped;             /* records that the engine has told of */
  struct reply text;            /* for the console */
};

struct watchlog_order
{
  int pid;
  app_addr addr;
  uint64_t length;              /* of what is watched */
  char format;                  /* of values: d, u or x */
  uint64_t limit;               /* changes; 0: no end */
  const char *label;            /* what GDB's user calls it */
  const char *file;             /* null: the console */
  const struct point_code *conditions;
};

/* Begin as O says.  Returns the number of the log; or 0, with *WHY.  */
int watchlog_begin (struct watchlogs *l, struct target *t,
                    const struct watchlog_order *o, const char **why);

/* End number N; false: there is none that goes on.  */
MUST_USE bool watchlog_end (struct watchlogs *l, int n);

/* Write a line for each log to TO, and lines for who made its changes.  */
void watchlog_list (struct watchlogs *l, struct reply *to);

/* Process PID has made the change C.  */
void watchlog_take (struct watchlogs *l, int pid,
                    const struct target_change *c);

/* The program is about to go on.  */
void watchlog_settle (struct watchlogs *l, struct target *t);

/* PID, 0 all, is gone.  */
void watchlog_forget (struct watchlogs *l, int pid);

#endif
