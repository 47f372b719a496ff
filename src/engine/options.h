/* The options of this process, copied from the channel at birth.  */

#ifndef ENGINE_OPTIONS_H
#define ENGINE_OPTIONS_H

#include "channel/channel.h"

extern struct channel_options options;

/* Copy *FROM, with defaults filled in for what is 0.  */
void options_init (const struct channel_options *from);

#endif
