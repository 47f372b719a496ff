/* Monitor commands about one process, by the table monitor.def.  */

#ifndef HOST_MONITOR_H
#define HOST_MONITOR_H

#include "host/target-impl.h"

/* As target_monitor, for P, null when there is none.  */
MUST_USE enum target_refusal
monitor_run (struct target *t, struct process *p, const char *const *words,
             size_t n, void (*emit) (void *data, const char *text),
             void *data);

#endif
