/* The points that GDB has inserted, by Z packets.

   GDB knows two kinds of breakpoint (Z0, Z1) that are one to the target; this
   list keeps them apart, joins what they ask for at one address, and hands the
   sum to the target.  */

#ifndef GDBSTUB_INSERTED_H
#define GDBSTUB_INSERTED_H

#include "host/target.h"

struct point;

/* A piece of agent bytecode, owned.  */
struct point_code
{
  uint8_t *code;
  size_t length;
  struct point_code *next;
};

/* Conditions for a watched range of PID, for which GDB has no packet.  */
struct watch_condition
{
  struct watch_condition *next;
  int pid;
  app_addr addr;
  uint64_t length;
  struct point_code *conditions;
};

struct inserted
{
  struct point *first;
  struct watch_condition *conditions;
};

/* Insert a point of TYPE ('0' to '4') at ADDR with KIND, the protocol's word
   for a length, into PID.  One that is there already is changed.  CONDITIONS
   and COMMANDS pass into the list's care.  A watchpoint for writes has those
   of inserted_set_condition, if any.  */
MUST_USE enum target_refusal
inserted_add (struct inserted *list, struct target *t, int pid, char type,
               app_addr addr, uint64_t kind, struct point_code *conditions,
               struct point_code *commands);

MUST_USE enum target_refusal
inserted_remove (struct inserted *list, struct target *t, int pid, char type,
               app_addr addr, uint64_t kind);

/* From now on a watchpoint of PID's for writes of LENGTH bytes at ADDR has
   CONDITIONS, of which any must hold and which pass into the list's care; null
   is none.  */
MUST_USE enum target_refusal
inserted_set_condition (struct inserted *list, struct target *t, int pid,
                        app_addr addr, uint64_t length,
                        struct point_code *conditions);

/* Whether a breakpoint of PID's at ADDR was set as a hardware one only.  */
bool inserted_is_hardware (const struct inserted *list, int pid,
                           app_addr addr);

/* CHILD was forked from PID with the same points.  */
void inserted_copy (struct inserted *list, int pid, int child);

/* Forget those of PID, 0 all, without telling the target.  */
void inserted_forget (struct inserted *list, int pid);

void point_code_free (struct point_code *c);

#endif
