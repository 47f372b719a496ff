/* Processes that know themselves by other numbers: those in a pid namespace
   below the server's.  */

#ifndef HOST_NAMESPACE_H
#define HOST_NAMESPACE_H

#include "common/types.h"

/* The process whose number in its own namespace is INSIDE, and that IS_IT
   says is the one; 0: there is none.  Looks at every process there is.  */
int namespace_find (int inside, bool (*is_it) (void *data, int pid),
                    void *data);

/* The thread of PID whose number in its own namespace is INSIDE; 0: there is
   none.  */
int namespace_find_thread (int pid, int inside);

#endif
