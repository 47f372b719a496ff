/* The engine's options on a command line: those that both programs have.  */

#ifndef CMD_OPTIONS_H
#define CMD_OPTIONS_H

#include "channel/channel.h"

#define OPTIONS_MIN_CACHE_SIZE (512ul << 10)

enum options_verdict
{
  OPTIONS_OK,                   /* taken */
  OPTIONS_OTHER,                /* not one of these */
  OPTIONS_BAD                   /* one of these, and makes no sense */
};

/* The defaults go to *OPTIONS.  */
void options_default (struct channel_options *options);

/* Take ARG ("--log=build") into *OPTIONS.  When it is BAD, a message that
   names it is in WHY (SIZE bytes).  */
MUST_USE enum options_verdict options_take (struct channel_options *options,
                                            const char *arg, char *why,
                                            size_t size);

/* Print the options' part of --help.  */
void options_help (void);

#endif
