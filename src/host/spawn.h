/* Starting a program for a debugger: a child of the server, in a process
   group of its own, that waits to be adopted before it execs.  */

#ifndef HOST_SPAWN_H
#define HOST_SPAWN_H

#include "host/target.h"

struct spawn
{
  int pid;
  int go;                       /* the child waits for a byte in here */
  int trouble;                  /* and writes an errno in here if it fails;
                                   closed by a successful exec */
  unsigned n_execs;             /* until the program itself */
};

/* Fork a child for PROGRAM.  OK, and the caller has to end *S by spawn_go or
   spawn_abort.  */
MUST_USE enum target_refusal spawn_fork (struct spawn *s,
                                         const struct target_program *program);

/* Let the child exec.  */
void spawn_go (struct spawn *s);

/* The child's errno, if it has failed; 0: it has not.  Never waits.  */
int spawn_trouble (const struct spawn *s);

/* The birth has been seen, or not: close what is open.  */
void spawn_end (struct spawn *s);

/* Kill the child, and end.  */
void spawn_abort (struct spawn *s);

#endif
