/* What commands of breakpoints print: formatted here, and handed to the
   server through the channel's ring of text.

   May be called from emitted code (agent/agent.h); takes a lock of its
   own.  */

#ifndef DEBUG_OUTPUT_H
#define DEBUG_OUTPUT_H

#include "agent/agent.h"

/* agent_hooks.print.  */
enum agent_error output_print (struct arch_context *context, uint64_t cookie,
                               const char *format, const uint64_t *args);

/* In a child of fork: nobody prints.  */
void output_forked (void);

#endif
