/* Options.  See options.h.  */

#include "engine/options.h"

/* A trace costs some 10 us, and saves some 10 ns each time.  */
#define DEFAULT_TRACE_THRESHOLD 3000

struct channel_options options;

/* See options.h.  */

void
options_init (const struct channel_options *from)
{
  options = *from;
  if (!options.trace_threshold)
    options.trace_threshold = DEFAULT_TRACE_THRESHOLD;
}
