/* The log.  See log.h.  */

#include "common/log.h"
#include "common/format.h"
#include "common/string.h"

uint64_t log_topics;
void (*log_sink) (const char *line, size_t n);

static const struct
{
  char word[16];
  char help[64];
} topics[] = {
#define LOG_TOPIC(NAME, WORD, HELP) { WORD, HELP },
#include "common/log.def"
#undef LOG_TOPIC
};

/* See log.h.  */

const char *
log_topic_word (enum log_topic topic)
{
  return topics[topic].word;
}

/* See log.h.  */

const char *
log_topic_help (enum log_topic topic)
{
  return topics[topic].help;
}

/* The bits that the word of N bytes at S stands for; 0: none.  */

static uint64_t
topic_bits (const char *s, size_t n)
{
  if (n == 3 && strncmp (s, "all", 3) == 0)
    return (1ull << LOG_N_TOPICS) - 1;
  for (unsigned i = 0; i < LOG_N_TOPICS; i++)
    if (strlen (topics[i].word) == n && strncmp (topics[i].word, s, n) == 0)
      return 1ull << i;
  return 0;
}

/* See log.h.  */

const char *
log_parse (const char *list, uint64_t *set)
{
  *set = 0;
  for (;;)
    {
      size_t n = 0;
      while (list[n] && list[n] != ',')
        n++;
      uint64_t bits = topic_bits (list, n);
      if (!bits)
        return list;
      *set |= bits;
      if (!list[n])
        return NULL;
      list += n + 1;
    }
}

/* See log.h.  */

void
log_print (const char *fmt, ...)
{
  char line[512];
  va_list ap;
  va_start (ap, fmt);
  size_t n = format_text_v (line, sizeof line - 1, fmt, ap);
  va_end (ap);
  n = MIN (n, sizeof line - 2);
  line[n++] = '\n';
  if (log_sink)
    log_sink (line, n);
}
