/* See monitor.h.  What the engine says is passed on as text, with all bytes
   that a terminal may act on taken out.  */

#define _GNU_SOURCE
#include "host/monitor.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/disassemble.h"
#include "linux/systext.h"

/* A command that is being run, about process P.  */
struct run
{
  struct target *t;
  struct process *p;
  const char *const *words;     /* behind those of the row */
  size_t n;
  void (*emit) (void *data, const char *text);
  void *data;
};

#define MONITOR(HANDLER, WORDS, ARGUMENTS, TEXT)                              \
  static enum target_refusal do_##HANDLER (struct run *r);
#include "host/monitor.def"
#undef MONITOR

static const struct command
{
  const char *words, *arguments, *text;
  enum target_refusal (*run) (struct run *r);
} commands[] = {
#define MONITOR(HANDLER, WORDS, ARGUMENTS, TEXT)                              \
  { WORDS, ARGUMENTS, TEXT, do_##HANDLER },
#include "host/monitor.def"
#undef MONITOR
};

static void PRINTF_LIKE (2, 3)
say (struct run *r, const char *fmt, ...)
{
  char line[512];
  va_list args;

  va_start (args, fmt);
  vsnprintf (line, sizeof line, fmt, args);
  va_end (args);
  r->emit (r->data, line);
}

static enum target_refusal
bad_argument (struct run *r, const char *want)
{
  return target_explain (r->t, TARGET_BAD_ARGUMENT, "%s", want);
}

/* The number that is the only argument of R.  */
static bool
number_argument (const struct run *r, uint64_t *value)
{
  char *end;

  if (r->n != 1 || r->words[0][0] == '-')
    return false;
  errno = 0;
  *value = strtoull (r->words[0], &end, 0);
  return errno == 0 && end != r->words[0] && *end == 0;
}

/* The engine's answer; it is the caller's to free.  */
static enum target_refusal
ask (struct run *r, enum channel_question question, uint64_t arg, char **text)
{
  enum target_refusal why;

  if (r->t->running)
    return target_explain (r->t, TARGET_RUNNING,
                           "the program is running: stop it first");
  why = process_ask (r->p, question, arg, text);
  if (why == TARGET_NO_THREAD)
    return target_explain (r->t, why,
                           "every thread is inside a system call, and the "
                           "engine cannot answer: stop the program elsewhere, "
                           "at a breakpoint for example");
  if (why != TARGET_OK)
    return target_explain (r->t, why, "the engine does not answer");
  return TARGET_OK;
}

/* Print the engine's answer as it is.  */
static enum target_refusal
pass_on (struct run *r, enum channel_question question, uint64_t arg)
{
  char *text;
  enum target_refusal why = ask (r, question, arg, &text);

  if (why != TARGET_OK)
    return why;
  r->emit (r->data, text);
  free (text);
  return TARGET_OK;
}

static enum target_refusal
plain_question (struct run *r, enum channel_question question)
{
  if (r->n != 0)
    return bad_argument (r, "this command has no arguments");
  return pass_on (r, question, 0);
}

static const char *
state_name (const struct process *p, unsigned slot)
{
  switch (process_state (p, slot))
    {
    case CHANNEL_RUNNING:
      return "runs";
    case CHANNEL_SYSCALL:
      return "inside a system call";
    case CHANNEL_STOPPED:
      return "stopped";
    default:
      return "gone";
    }
}

static void
list_threads (struct run *r)
{
  char name[32];

  for (unsigned i = 0; i < r->p->n_threads; i++)
    {
      int tid = r->p->threads[i].tid;

      if (tid == 0)
        continue;
      target_thread_name (r->t, tid, name, sizeof name);
      say (r, "thread %d \"%s\": %s\n", tid, name, state_name (r->p, i));
    }
}

static enum target_refusal
do_info (struct run *r)
{
  enum target_refusal why = plain_question (r, CHANNEL_ASK_INFO);

  if (why == TARGET_NO_THREAD)
    say (r, "process %d: %s\n", r->p->pid, target_explanation (r->t));
  else if (why != TARGET_OK)
    return why;
  list_threads (r);
  return TARGET_OK;
}

static enum target_refusal
do_stats (struct run *r)
{
  return plain_question (r, CHANNEL_ASK_STATS);
}

static enum target_refusal
do_memory (struct run *r)
{
  return plain_question (r, CHANNEL_ASK_MEMORY);
}

static enum target_refusal
do_traces (struct run *r)
{
  return plain_question (r, CHANNEL_ASK_TRACES);
}

static enum target_refusal
do_map (struct run *r)
{
  uint64_t address;

  if (!number_argument (r, &address))
    return bad_argument (r, "an address is wanted, as a number");
  return pass_on (r, CHANNEL_ASK_MAP, address);
}

static size_t
read_memory (void *data, app_addr at, void *buffer, size_t length)
{
  return process_read (data, at, buffer, length);
}

static enum target_refusal
do_disassemble (struct run *r)
{
  const struct disassemble_output output
    = { read_memory, r->p, r->emit, r->data };
  enum target_refusal why;
  uint64_t address;
  char *text;

  if (!number_argument (r, &address))
    return bad_argument (r, "an address is wanted, as a number");
  if (!disassemble_available ())
    return target_explain (r->t, TARGET_UNSUPPORTED,
                           "this server was built without Capstone");
  why = ask (r, CHANNEL_ASK_CODE, address, &text);
  if (why != TARGET_OK)
    return why;
  if (*text == 0)
    say (r, "0x%lx is not in the cache: it has not been executed, or what it "
            "was translated to has been retired\n", address);
  else
    disassemble_fragments (text, &output);
  free (text);
  return TARGET_OK;
}

static bool
read_all (void *cookie, app_addr from, void *to, size_t size)
{
  return process_read (cookie, from, to, size) == size;
}

/* The call of REGS, in or just behind it.  */
static void
fill_call (struct sysmem_call *c, const struct arch_regs *regs)
{
  static const uint8_t args[SYSCALL_N_ARGS] = {
    ARCH_RDI, ARCH_RSI, ARCH_RDX, ARCH_R10, ARCH_R8, ARCH_R9,
  };

  c->nr = regs->orig_rax;
  for (unsigned i = 0; i < SYSCALL_N_ARGS; i++)
    c->args[i] = regs->gpr[args[i]];
}

static enum target_refusal
do_syscall (struct run *r)
{
  struct sysmem_call call = { .read = read_all, .cookie = r->p };
  struct channel_thread *slot;
  char text[2048];
  uint64_t tid;
  int n;

  if (!number_argument (r, &tid))
    return bad_argument (r, "a thread is wanted, by its number in the system");
  n = tid <= INT32_MAX ? process_find (r->p, (int) tid) : -1;
  if (n < 0)
    return target_explain (r->t, TARGET_NO_THREAD, "no thread has number %lu",
                           tid);
  slot = process_slot (r->p, (unsigned) n);
  if (slot->stop != CHANNEL_STOP_SYSCALL_ENTRY
      && slot->stop != CHANNEL_STOP_SYSCALL_RETURN)
    return target_explain (r->t, TARGET_UNSUPPORTED,
                           "thread %lu has not stopped for a system call",
                           tid);
  fill_call (&call, &slot->regs);
  if (slot->stop == CHANNEL_STOP_SYSCALL_RETURN)
    {
      call.result = (long) slot->regs.gpr[ARCH_RAX];
      call.returned = true;
    }
  systext_write (&call, text, sizeof text);
  r->emit (r->data, call.returned ? "return " : "entry ");
  r->emit (r->data, text);
  r->emit (r->data, "\n");
  return TARGET_OK;
}

static enum target_refusal
help (struct run *r)
{
  for (size_t i = 0; i < ARRAY_SIZE (commands); i++)
    say (r, "  %s%s%s\n    %s\n", commands[i].words,
         *commands[i].arguments != 0 ? " " : "", commands[i].arguments,
         commands[i].text);
  return TARGET_OK;
}

/* See monitor.h.  */
enum target_refusal
monitor_run (struct target *t, struct process *p, const char *const *words,
             size_t n, void (*emit) (void *data, const char *text), void *data)
{
  struct run r = { t, p, words + 1, n - 1, emit, data };

  target_explain (t, TARGET_OK, "%s", "");
  if (n == 0)
    return TARGET_UNSUPPORTED;
  if (n == 1 && strcmp (words[0], "help") == 0)
    return help (&r);
  for (size_t i = 0; i < ARRAY_SIZE (commands); i++)
    if (strcmp (words[0], commands[i].words) == 0)
      return p != NULL ? commands[i].run (&r)
                       : target_explain (t, TARGET_NO_PROCESS,
                                         "there is no process");
  return TARGET_UNSUPPORTED;
}
