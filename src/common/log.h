/* The log: text lines by topic, for people (--log=TOPIC).

   log_topics says which are on; a line costs a test when its topic is off.
   Each side sets log_sink to what writes a line out; the line is whole, with
   its newline.  May run in signal context.  */

#ifndef COMMON_LOG_H
#define COMMON_LOG_H

#include "common/types.h"

enum log_topic
{
#define LOG_TOPIC(NAME, WORD, HELP) LOG_##NAME,
#include "common/log.def"
#undef LOG_TOPIC
  LOG_N_TOPICS
};

extern uint64_t log_topics;     /* bit set by enum log_topic */
extern void (*log_sink) (const char *line, size_t n);

/* The option's word for TOPIC, and what it prints.  */
const char *log_topic_word (enum log_topic topic);
const char *log_topic_help (enum log_topic topic);

/* The topics named in LIST, words separated by commas or `all', go to *SET.
   Null, or the word that is no topic.  */
const char *log_parse (const char *list, uint64_t *set);

/* Write one line, whatever topics are on.  */
void log_print (const char *fmt, ...) PRINTF_LIKE (1, 2);

#define LOG(TOPIC, ...)                                                       \
  do                                                                          \
    if (__builtin_expect (log_topics >> LOG_##TOPIC & 1, 0))                  \
      log_print (__VA_ARGS__);                                                \
  while (0)

#endif
