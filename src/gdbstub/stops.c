/* See stops.h.  The order of the fields is gdbserver's.  */

#include "gdbstub/stops.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "gdbstub/signals.h"
#include "gdbstub/stub-impl.h"

static void
put_exec (struct stub *s, const struct target_event *e, struct reply *out)
{
  char name[PATH_MAX] = "";

  if (target_exec_file (s->t, e->pid, name, sizeof name) != TARGET_OK)
    name[0] = 0;
  reply_text (out, "exec:");
  reply_hex (out, name, strlen (name));
  reply_text (out, ";");
}

static void
put_child (struct stub *s, const char *word, int child, struct reply *out)
{
  reply_text (out, "%s:", word);
  stub_put_ptid (s, child, child, out);
  reply_text (out, ";");
}

static void
put_breakpoint (struct stub *s, const struct target_event *e,
                struct reply *out)
{
  const struct target_regs *r = stub_regs (s, e->tid);
  bool hardware = r != NULL
                  && inserted_is_hardware (&s->inserted, e->pid, r->regs.rip);

  if (hardware && s->gdb.hwbreak)
    reply_text (out, "hwbreak:;");
  else if (!hardware && s->gdb.swbreak)
    reply_text (out, "swbreak:;");
}

static void
put_watch (const struct target_event *e, struct reply *out)
{
  const char *word = e->access == TARGET_POINT_WATCH_READ     ? "rwatch"
                     : e->access == TARGET_POINT_WATCH_ACCESS ? "awatch"
                                                              : "watch";

  reply_text (out, "%s:%016lx;", word, e->addr);
}

/* What the event is, where the signal does not say it all.  */
static void
put_reason (struct stub *s, const struct target_event *e, struct reply *out)
{
  switch (e->kind)
    {
    case TARGET_EVENT_FORK:
      if (s->gdb.fork_events)
        put_child (s, "fork", e->child, out);
      break;
    case TARGET_EVENT_VFORK:
      if (s->gdb.vfork_events)
        put_child (s, "vfork", e->child, out);
      break;
    case TARGET_EVENT_VFORK_DONE:
      if (s->gdb.vfork_events)
        reply_text (out, "vforkdone:;");
      break;
    case TARGET_EVENT_EXEC:
      if (s->gdb.exec_events)
        put_exec (s, e, out);
      break;
    case TARGET_EVENT_CLONE:
      if (s->gdb.thread_events)
        reply_text (out, "create:;");
      break;
    case TARGET_EVENT_SYSCALL_ENTRY:
      reply_text (out, "syscall_entry:%lx;", (long) e->syscall);
      break;
    case TARGET_EVENT_SYSCALL_RETURN:
      reply_text (out, "syscall_return:%lx;", (long) e->syscall);
      break;
    case TARGET_EVENT_WATCH:
      put_watch (e, out);
      break;
    case TARGET_EVENT_BREAKPOINT:
      put_breakpoint (s, e, out);
      break;
    default:
      break;
    }
}

/* Whether GDB is going to want register N when it hears of E.  For a place
   that it shows with arguments and callers it wants one or another of the
   general registers, and else asks for all there are, with the vectors, which
   takes five times as long as these.  Where a step ends, it looks at the
   frame's address only, and what it does not need costs it time: most often
   the next thing is another step.  */
static bool
is_wanted (const struct target_event *e, unsigned n)
{
  return e->kind != TARGET_EVENT_STEP || n == TDESC_RBP || n == TDESC_RSP
         || n == TDESC_RIP;
}

static void
put_registers (struct stub *s, const struct target_event *e, int tid,
               struct reply *out)
{
  const struct target_regs *r = stub_regs (s, tid);
  uint8_t value[TDESC_MAX_REG_SIZE];

  for (unsigned n = 0; r != NULL && n <= TDESC_EFLAGS; n++)
    {
      if (!is_wanted (e, n)
          || !tdesc_get (&s->tdesc, n, &r->regs, r->xsave, r->xsave_size,
                         value))
        continue;
      reply_text (out, "%02x:", n);
      reply_hex (out, value, s->tdesc.reg[n].size);
      reply_text (out, ";");
    }
}

/* A thread stopped.  */
static void
put_stop (struct stub *s, const struct target_event *e, struct reply *out)
{
  int tid = e->kind == TARGET_EVENT_CLONE ? e->child : e->tid;
  int core = target_thread_core (s->t, tid);
  int signal = e->kind == TARGET_EVENT_SIGNAL      ? signal_to_gdb (e->signal)
               : e->kind == TARGET_EVENT_INTERRUPT ? GDB_SIGNAL_INT
                                                   : GDB_SIGNAL_TRAP;

  s->general = tid;
  if (s->options->without & STUB_WITHOUT_T)
    {
      reply_text (out, "S%02x", signal);
      return;
    }
  reply_text (out, "T%02x", signal);
  put_reason (s, e, out);
  put_registers (s, e, tid, out);
  if (s->options->without & STUB_WITHOUT_T_THREAD)
    return;
  reply_text (out, "thread:");
  stub_put_ptid (s, e->pid, tid, out);
  reply_text (out, ";");
  if (core >= 0)
    reply_text (out, "core:%x;", core);
}

static void
put_end (struct stub *s, char letter, int code, int pid, struct reply *out)
{
  if (s->gdb.multiprocess)
    reply_text (out, "%c%x;process:%x", letter, code, pid);
  else
    reply_text (out, "%c%02x", letter, code);
}

/* See stops.h.  */
void
stops_reply (struct stub *s, const struct target_event *e, struct reply *out)
{
  switch (e->kind)
    {
    case TARGET_EVENT_NONE:
      reply_text (out, "W00");
      break;
    case TARGET_EVENT_EXITED:
      put_end (s, 'W', e->status, e->pid, out);
      break;
    case TARGET_EVENT_KILLED:
      put_end (s, 'X', signal_to_gdb (e->signal), e->pid, out);
      break;
    case TARGET_EVENT_THREAD_EXIT:
      reply_text (out, "w%x;", e->status);
      stub_put_ptid (s, e->pid, e->tid, out);
      break;
    case TARGET_EVENT_NO_RESUMED:
      if (s->gdb.no_resumed)
        reply_text (out, "N");
      else
        reply_error_text (out, "No unwaited-for children left.");
      break;
    default:
      put_stop (s, e, out);
      break;
    }
}
