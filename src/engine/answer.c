/* See answer.h.  The text goes straight into the channel: the server believes
   nothing that it reads there.  */

#include "engine/answer.h"
#include "cache/inspect.h"
#include "common/report.h"
#include "engine/call.h"
#include "engine/dispatch.h"
#include "engine/heap.h"
#include "engine/main.h"
#include "engine/options.h"
#include "engine/stats.h"

/* See answer.h.  */
bool
answer_wanted (const struct channel *c)
{
  return __atomic_load_n (&c->asked, __ATOMIC_ACQUIRE) != c->answered;
}

static const char *
yes_no (bool yes)
{
  return yes ? "yes" : "no";
}

static void
summary (struct report *r, uint64_t arg)
{
  (void) arg;
  inspect_summary (r);
}

static void
info (struct thread *t, struct report *r)
{
  report_add (r, "process %d, generation %u\n", t->tgid,
              channel->birth.generation);
  report_add (r, "core region 0x%lx-0x%lx\n", core_start, core_end);
  report_add (r, "children followed: %s\n", yes_no (options.follow));
  report_add (r, "traces: %s, from %u executions of a head on\n",
              yes_no (!options.no_traces), options.trace_threshold);
  report_add (r, "regions near what they copy: %s\n",
              yes_no (!options.disable_near));
  if (options.cache_size)
    report_add (r, "cache: at most %lu bytes\n", options.cache_size);
  else
    report_add (r, "cache: unbounded\n");
  dispatch_inspect (summary, r, 0);
}

static void
answer (struct thread *t, struct report *r, uint32_t question, uint64_t arg)
{
  switch ((enum channel_question) question)
    {
    case CHANNEL_ASK_NONE:
      break;
    case CHANNEL_ASK_INFO:
      info (t, r);
      break;
    case CHANNEL_ASK_STATS:
      stats_report (t, r);
      break;
    case CHANNEL_ASK_MEMORY:
      stats_report_memory (r);
      break;
    case CHANNEL_ASK_MAP:
      dispatch_inspect (inspect_map, r, arg);
      break;
    case CHANNEL_ASK_CODE:
      dispatch_inspect (inspect_code, r, arg);
      break;
    case CHANNEL_ASK_TRACES:
      dispatch_inspect (inspect_traces, r, arg);
      break;
    }
}

/* See answer.h.  */
void
answer_give (struct thread *t, struct channel *c)
{
  struct report r = { .text = c->text, .size = sizeof c->text };
  uint32_t asked = __atomic_load_n (&c->asked, __ATOMIC_ACQUIRE);

  if (asked == c->answered)
    return;
  answer (t, &r, c->question, c->question_arg);
  c->text_size = (uint32_t) r.used;
  c->text_cut = r.cut;
  __atomic_store_n (&c->answered, asked, __ATOMIC_RELEASE);
  call_event (c);
}
