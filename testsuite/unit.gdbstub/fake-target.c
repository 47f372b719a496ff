/* See fake-target.h.  */

#include "fake-target.h"

#include "channel/trace.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum { MAX_THREADS = 64, LOG_SIZE = 1 << 16 };

struct fake_thread
{
  int pid, tid;                 /* 0: free */
  struct target_regs regs;
  bool has_siginfo;
  uint8_t siginfo[TARGET_SIGINFO_SIZE];
};

struct target
{
  int fd;
  struct fake_script script;
  size_t next_event;
  int spawned;
  bool running, pending;
  struct fake_thread thread[MAX_THREADS];
  uint8_t memory[FAKE_MEMORY_SIZE];
  char log[LOG_SIZE];
  size_t log_length;

  struct target_records records;
  struct target_tracepoint points[8];
  size_t n_points;
  struct target_trace_status trace;
  uint64_t variable[TARGET_MAX_VARIABLES];
  bool defined[TARGET_MAX_VARIABLES];
  unsigned n_frames;
};

static struct fake_script the_script;

void
fake_set_script (const struct fake_script *script)
{
  the_script = *script;
}

static void PRINTF_LIKE (2, 3)
note (struct target *t, const char *fmt, ...)
{
  size_t room = sizeof t->log - t->log_length;
  va_list args;
  int n;

  va_start (args, fmt);
  n = vsnprintf (t->log + t->log_length, room, fmt, args);
  va_end (args);
  if ((size_t) n < room)
    t->log_length += n;
}

const char *
target_refusal_text (enum target_refusal r)
{
  static const char *const texts[] = {
#define TARGET_REFUSAL(NAME, TEXT) TEXT,
    TARGET_REFUSALS (TARGET_REFUSAL)
#undef TARGET_REFUSAL
  };

  return texts[r];
}

enum target_refusal
target_create (struct target **t, const struct channel_options *options)
{
  (void) options;
  *t = calloc (1, sizeof **t);
  (*t)->fd = eventfd (0, EFD_CLOEXEC | EFD_NONBLOCK);
  (*t)->script = the_script;
  for (size_t i = 0; i < FAKE_MEMORY_SIZE; i++)
    (*t)->memory[i] = i;
  return TARGET_OK;
}

void
target_destroy (struct target *t, bool kill)
{
  (void) kill;
  close (t->fd);
  free (t);
}

int
target_event_fd (const struct target *t)
{
  return t->fd;
}

void
target_join (struct target *t, int pid)
{
  note (t, "join %x\n", pid);
}

const char *
target_explanation (const struct target *t)
{
  (void) t;
  return "";
}

static struct fake_thread *
find (struct target *t, int tid)
{
  for (int i = 0; i < MAX_THREADS; i++)
    if (t->thread[i].tid == tid && tid != 0)
      return &t->thread[i];
  return NULL;
}

static void
add_thread (struct target *t, int pid, int tid)
{
  struct fake_thread *th = t->thread;

  while (th->tid != 0)
    th++;
  memset (th, 0, sizeof *th);
  th->pid = pid;
  th->tid = tid;
  for (int i = 0; i < ARCH_N_GPR; i++)
    th->regs.regs.gpr[i] = tid * 0x10000ull + i;
  th->regs.regs.rip = FAKE_MEMORY + 0x10;
  th->regs.regs.rflags = 0x246;
  th->regs.regs.orig_rax = -1;
  th->regs.regs.fs_base = FAKE_MEMORY + 0x1000;
  th->regs.xsave_size = t->script.xsave_size;
}

static void
remove_process (struct target *t, int pid)
{
  for (int i = 0; i < MAX_THREADS; i++)
    if (t->thread[i].pid == pid)
      t->thread[i].pid = t->thread[i].tid = 0;
}

static void
note_words (struct target *t, const char *what, const char *const *words)
{
  note (t, " %s", what);
  for (; words != NULL && *words != NULL; words++)
    note (t, " [%s]", *words);
}

enum target_refusal
target_spawn (struct target *t, const struct target_program *p, int *pid)
{
  if (t->script.cannot_spawn)
    return TARGET_NO_PROGRAM;
  note (t, "spawn");
  note_words (t, "argv", p->argv);
  note_words (t, "wrapper", p->wrapper);
  for (const char *const *e = p->envp; e != NULL && *e != NULL; e++)
    if (strncmp (*e, "FAKE", 4) == 0)
      note (t, " env [%s]", *e);
  note (t, " cwd %s shell %d aslr %d\n", p->cwd ? p->cwd : "-",
        p->startup_with_shell, !p->disable_randomization);
  *pid = FAKE_PID * ++t->spawned;
  add_thread (t, *pid, *pid);
  return TARGET_OK;
}

enum target_refusal
target_kill (struct target *t, int pid)
{
  if (find (t, pid) == NULL)
    return TARGET_NO_PROCESS;
  note (t, "kill %x\n", pid);
  remove_process (t, pid);
  return TARGET_OK;
}

enum target_refusal
target_detach (struct target *t, int pid, int signal)
{
  if (find (t, pid) == NULL)
    return TARGET_NO_PROCESS;
  note (t, "detach %x signal %d\n", pid, signal);
  remove_process (t, pid);
  return TARGET_OK;
}

/* See target.h.  The fake never runs by itself.  */
void
target_listen (struct target *t, int fd)
{
  (void) t;
  (void) fd;
}

/* See target.h.  */
void
target_will_sleep (struct target *t)
{
  (void) t;
}

void
target_expect_interrupt (struct target *t)
{
  note (t, "expect interrupt\n");
}

enum target_refusal
target_send_signal (struct target *t, int pid, int tid, int signal)
{
  note (t, "send %x %x signal %d\n", pid, tid, signal);
  target_interrupt (t, pid);
  return TARGET_OK;
}

size_t
target_processes (struct target *t, int *pids, size_t max)
{
  size_t n = 0;

  for (int i = 0; i < MAX_THREADS; i++)
    if (t->thread[i].tid != 0 && t->thread[i].tid == t->thread[i].pid)
      {
        if (n < max)
          pids[n] = t->thread[i].pid;
        n++;
      }
  return n;
}

size_t
target_threads (struct target *t, int pid, int *tids, size_t max)
{
  size_t n = 0;

  for (int i = 0; i < MAX_THREADS; i++)
    if (t->thread[i].tid != 0 && t->thread[i].pid == pid)
      {
        if (n < max)
          tids[n] = t->thread[i].tid;
        n++;
      }
  return n;
}

int
target_thread_process (struct target *t, int tid)
{
  struct fake_thread *th = find (t, tid);

  return th == NULL ? 0 : th->pid;
}

int
target_thread_core (struct target *t, int tid)
{
  (void) t;
  return tid == FAKE_PID ? 3 : -1;
}

void
target_thread_name (struct target *t, int tid, char *name, size_t size)
{
  (void) t;
  snprintf (name, size, "%s", tid == FAKE_PID ? "a<b>&\"c'" : "");
}

enum target_refusal
target_exec_file (struct target *t, int pid, char *name, size_t size)
{
  if (find (t, pid) == NULL)
    return TARGET_NO_PROCESS;
  snprintf (name, size, "/bin/fake%x", pid);
  return TARGET_OK;
}

enum target_refusal
target_auxv (struct target *t, int pid, void *auxv, size_t *length)
{
  /* Each byte of the fourth has a meaning in packets.  */
  static const uint64_t words[] = { 3, FAKE_MEMORY, 5, 0x7d2a2423, 0, 0 };

  if (find (t, pid) == NULL)
    return TARGET_NO_PROCESS;
  *length = MIN (*length, sizeof words);
  memcpy (auxv, words, *length);
  return TARGET_OK;
}

enum target_refusal
target_regs_read (struct target *t, int tid, struct target_regs *regs)
{
  struct fake_thread *th = find (t, tid);

  if (th == NULL)
    return TARGET_NO_THREAD;
  *regs = th->regs;
  return TARGET_OK;
}

enum target_refusal
target_regs_write (struct target *t, int tid, const struct target_regs *regs)
{
  struct fake_thread *th = find (t, tid);

  if (th == NULL)
    return TARGET_NO_THREAD;
  th->regs = *regs;
  return TARGET_OK;
}

enum target_refusal
target_siginfo_read (struct target *t, int tid,
                     uint8_t info[TARGET_SIGINFO_SIZE])
{
  struct fake_thread *th = find (t, tid);

  if (th == NULL || !th->has_siginfo)
    return TARGET_NO_THREAD;
  memcpy (info, th->siginfo, TARGET_SIGINFO_SIZE);
  return TARGET_OK;
}

enum target_refusal
target_siginfo_write (struct target *t, int tid,
                      const uint8_t info[TARGET_SIGINFO_SIZE])
{
  struct fake_thread *th = find (t, tid);

  if (th == NULL || !th->has_siginfo)
    return TARGET_NO_THREAD;
  memcpy (th->siginfo, info, TARGET_SIGINFO_SIZE);
  return TARGET_OK;
}

/* How many of LENGTH bytes at ADDR there are.  */
static size_t
available (struct target *t, int pid, app_addr addr, size_t length)
{
  if (find (t, pid) == NULL || addr < FAKE_MEMORY
      || addr >= FAKE_MEMORY + FAKE_MEMORY_SIZE)
    return 0;
  return MIN (length, FAKE_MEMORY + FAKE_MEMORY_SIZE - addr);
}

size_t
target_memory_read (struct target *t, int pid, app_addr addr, void *buffer,
                    size_t length)
{
  size_t n = available (t, pid, addr, length);

  if (n > 0)
    memcpy (buffer, t->memory + (addr - FAKE_MEMORY), n);
  return n;
}

size_t
target_memory_write (struct target *t, int pid, app_addr addr,
                     const void *buffer, size_t length)
{
  size_t n = available (t, pid, addr, length);

  if (n > 0)
    memcpy (t->memory + (addr - FAKE_MEMORY), buffer, n);
  return n;
}

bool
target_memory_hidden (struct target *t, int pid, app_addr start, app_addr end)
{
  (void) t;
  (void) pid;
  return start < FAKE_HIDDEN + 0x1000 && end > FAKE_HIDDEN;
}

static void
note_code (struct target *t, const char *what,
           const struct target_bytecode *codes, size_t n)
{
  for (size_t i = 0; i < n; i++)
    {
      note (t, " %s ", what);
      for (size_t j = 0; j < codes[i].length; j++)
        note (t, "%02x", codes[i].code[j]);
    }
}

enum target_refusal
target_point_insert (struct target *t, int pid, const struct target_point *p)
{
  if (p->kind != TARGET_POINT_BREAK
      && !(t->script.abilities & TARGET_CAN_WATCH))
    return TARGET_UNSUPPORTED;
  if (p->addr == 0xbad)
    return TARGET_FAULT;
  note (t, "insert %x kind %d %lx+%lx", pid, p->kind, p->addr, p->length);
  note_code (t, "if", p->conditions, p->n_conditions);
  note_code (t, "do", p->commands, p->n_commands);
  note (t, "%s\n", p->no_stop ? " nostop" : "");
  return TARGET_OK;
}

enum target_refusal
target_point_remove (struct target *t, int pid, enum target_point_kind kind,
                     app_addr addr, uint64_t length)
{
  note (t, "remove %x kind %d %lx+%lx\n", pid, kind, addr, length);
  return TARGET_OK;
}

unsigned
target_abilities (const struct target *t)
{
  return t->script.abilities;
}

static void
raise_event (struct target *t)
{
  uint64_t one = 1;

  t->pending = true;
  if (write (t->fd, &one, sizeof one) < 0)
    abort ();
}

/* Tracing.  */

static size_t
put_block (uint8_t *to, uint32_t kind, uint64_t addr, const void *data,
           uint32_t size)
{
  struct channel_trace_block block = { kind, size, addr };

  memcpy (to, &block, sizeof block);
  memcpy (to + sizeof block, data, size);
  return CHANNEL_BLOCK_BYTES (size);
}

/* One frame of P, in two parts.  */
static void
collect (struct target *t, const struct target_tracepoint *p)
{
  struct channel_trace_part part = { p->number, p->index, 1,
                                     CHANNEL_PART_FIRST };
  struct arch_regs regs = { .rip = p->addr };
  uint64_t seven = t->n_frames;
  uint8_t record[1024];
  size_t n = sizeof part;

  regs.gpr[ARCH_RAX] = t->n_frames++;
  memcpy (record, &part, sizeof part);
  if (p->registers)
    n += put_block (record + n, CHANNEL_BLOCK_REGISTERS, 0, &regs,
                    sizeof regs);
  t->records.trace (t->records.data, FAKE_PID, record, n);
  part.flags = CHANNEL_PART_LAST;
  memcpy (record, &part, sizeof part);
  n = sizeof part;
  for (size_t i = 0; i < p->n_actions; i++)
    if (p->actions[i].code.code == NULL)
      n += put_block (record + n, CHANNEL_BLOCK_MEMORY,
                      p->actions[i].memory.offset, "sixteen bytes...", 16);
  n += put_block (record + n, CHANNEL_BLOCK_VARIABLE, 7, &seven, 8);
  t->records.trace (t->records.data, FAKE_PID, record, n);
  if (p->pass_count == t->n_frames)
    target_trace_stop (t, TARGET_TRACE_PASSED, p->number);
}

static void
trace (struct target *t)
{
  for (size_t i = 0; i < t->n_points; i++)
    if (t->trace.running)
      collect (t, &t->points[i]);
}

enum target_refusal
target_trace_change (struct target *t, const struct target_tracepoint *points,
                     size_t n)
{
  t->n_points = MIN (n, ARRAY_SIZE (t->points));
  for (size_t i = 0; i < t->n_points; i++)
    {
      const struct target_tracepoint *p = &points[i];

      t->points[i] = *p;
      note (t, "tracepoint %u.%u %lx %lu%s%s", p->number, p->index, p->addr,
            p->pass_count, p->registers ? " regs" : "",
            p->vector ? " vector" : "");
      if (p->condition != NULL)
        note (t, " if %zu", p->condition->length);
      for (size_t k = 0; k < p->n_actions; k++)
        if (p->actions[k].code.code != NULL)
          note (t, " code %zu", p->actions[k].code.length);
        else
          note (t, " memory %d+%lx,%lx", p->actions[k].memory.base,
                p->actions[k].memory.offset, p->actions[k].memory.size);
      note (t, "\n");
    }
  return TARGET_OK;
}

enum target_refusal
target_trace_start (struct target *t, const struct target_tracepoint *points,
                    size_t n, uint64_t size)
{
  note (t, "trace %lx\n", size);
  t->trace = (struct target_trace_status) { .running = true, .text = "" };
  t->n_frames = 0;
  return target_trace_change (t, points, n);
}

void
target_trace_stop (struct target *t, enum target_trace_end end,
                   uint32_t number)
{
  if (!t->trace.running)
    return;
  note (t, "end trace\n");
  t->trace = (struct target_trace_status) { .end = end, .number = number,
                                            .text = "why" };
}

struct target_trace_status
target_trace_status (struct target *t)
{
  return t->trace;
}

enum target_refusal
target_stream_add (struct target *t, const struct target_tracepoint *p)
{
  note (t, "stream %x.%u %lx %lu\n", p->number, p->index, p->addr,
        p->pass_count);
  return TARGET_OK;
}

enum target_refusal
target_stream_remove (struct target *t, uint32_t number)
{
  note (t, "end stream %x\n", number);
  return TARGET_OK;
}

uint64_t
target_records_lost (struct target *t)
{
  (void) t;
  return 0;
}

void
target_stream_count_from (struct target *t, uint32_t index, uint64_t hits)
{
  (void) t, (void) index, (void) hits;
}

enum target_refusal
target_variable_define (struct target *t, uint32_t number, uint64_t value,
                        bool is_time)
{
  if (!is_time)
    note (t, "variable %u %lx\n", number, value);
  t->variable[number] = value;
  t->defined[number] = true;
  return TARGET_OK;
}

enum target_refusal
target_variable_get (struct target *t, uint32_t number, uint64_t *value)
{
  *value = t->variable[number];
  return t->defined[number] ? TARGET_OK : TARGET_BAD_ARGUMENT;
}

enum target_refusal
target_resume (struct target *t, const struct target_action *a, size_t n)
{
  static const char *const words[] = { "stay", "continue", "step", "range" };

  note (t, "resume");
  for (size_t i = 0; i < n; i++)
    {
      note (t, " (%x.%x %s %d", a[i].pid, a[i].tid, words[a[i].kind],
            a[i].signal);
      if (a[i].kind == TARGET_RESUME_RANGE)
        note (t, " %lx-%lx", a[i].range_start, a[i].range_end);
      note (t, ")");
    }
  note (t, "\n");
  t->running = true;
  trace (t);
  if (t->next_event < t->script.n_events
      && t->script.events[t->next_event].kind != TARGET_EVENT_NONE)
    raise_event (t);
  return TARGET_OK;
}

void
target_interrupt (struct target *t, int pid)
{
  note (t, "interrupt %x%s\n", pid, t->running ? "" : " while stopped");
  if (t->running && !t->pending)
    raise_event (t);
}

/* What EVENT does to the processes.  */
static void
apply (struct target *t, const struct target_event *e)
{
  struct fake_thread *th = find (t, e->tid);

  switch (e->kind)
    {
    case TARGET_EVENT_FORK:
    case TARGET_EVENT_VFORK:
      add_thread (t, e->child, e->child);
      break;
    case TARGET_EVENT_CLONE:
      add_thread (t, e->pid, e->child);
      break;
    case TARGET_EVENT_EXITED:
    case TARGET_EVENT_KILLED:
      remove_process (t, e->pid);
      break;
    case TARGET_EVENT_THREAD_EXIT:
      if (th != NULL)
        th->pid = th->tid = 0;
      break;
    case TARGET_EVENT_SIGNAL:
      if (th != NULL)
        {
          th->has_siginfo = true;
          memset (th->siginfo, e->signal, sizeof th->siginfo);
        }
      break;
    default:
      break;
    }
}

size_t
target_text (struct target *t, char *text, size_t size)
{
  (void) t, (void) text, (void) size;
  return 0;
}

void
target_set_records (struct target *t, const struct target_records *records)
{
  t->records = *records;
}

void
target_set_changes (struct target *t, const struct target_changes *changes)
{
  (void) t, (void) changes;
}

void
target_symbol (int pid, app_addr addr, char *text, size_t size)
{
  (void) pid;
  snprintf (text, size, "%#lx", addr);
}

void
target_take_records (struct target *t)
{
  (void) t;
}

bool
target_next_event (struct target *t, struct target_event *event)
{
  uint64_t n;

  *event = (struct target_event) { .kind = TARGET_EVENT_NONE };
  if (!t->running || !t->pending)
    return false;
  if (read (t->fd, &n, sizeof n) < 0)
    abort ();
  if (t->next_event < t->script.n_events
      && t->script.events[t->next_event].kind != TARGET_EVENT_NONE)
    *event = t->script.events[t->next_event];
  else
    {
      int pid = 0;

      target_processes (t, &pid, 1);
      *event = (struct target_event) { .kind = TARGET_EVENT_INTERRUPT,
                                       .pid = pid, .tid = pid };
    }
  t->next_event++;
  t->running = t->pending = false;
  apply (t, event);
  return true;
}

void
target_set_wants (struct target *t, unsigned wants)
{
  note (t, "wants %x\n", wants);
}

void
target_set_pass_signals (struct target *t, uint64_t set)
{
  note (t, "pass %lx\n", set);
}

void
target_set_program_signals (struct target *t, uint64_t set)
{
  note (t, "program %lx\n", set);
}

enum target_refusal
target_catch_syscalls (struct target *t, int pid, bool on, const int *numbers,
                       size_t n)
{
  note (t, "catch %x %d", pid, on);
  for (size_t i = 0; i < n; i++)
    note (t, " %d", numbers[i]);
  note (t, "\n");
  return TARGET_OK;
}

enum target_refusal
target_monitor (struct target *t, int pid, const char *const *words, size_t n,
                void (*emit) (void *data, const char *text), void *data)
{
  (void) pid;
  if (n == 1 && strcmp (words[0], "help") == 0)
    emit (data, "  log\n    Print what was done\n");
  else if (n == 1 && strcmp (words[0], "log") == 0)
    {
      emit (data, t->log);
      t->log_length = 0;
      t->log[0] = 0;
    }
  else
    return TARGET_UNSUPPORTED;
  return TARGET_OK;
}
