/* Answers to the questions that the server asks of a stopped process
   (channel/channel.h, enum channel_question).  */

#ifndef ENGINE_ANSWER_H
#define ENGINE_ANSWER_H

#include "engine/thread.h"

/* The server has asked something of the process with the channel C that is not
   answered yet.  */
MUST_USE bool answer_wanted (const struct channel *c);

/* Answer it.  T is the calling thread, which is stopped but not parked; one
   thread at a time.  */
void answer_give (struct thread *t, struct channel *c);

#endif
