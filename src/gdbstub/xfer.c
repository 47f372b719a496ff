/* The packet qXfer: documents read in pieces, by a table of objects.

   A document is made whole when its beginning is asked for, and kept until
   another one is, so that its pieces fit together.  */

#define _GNU_SOURCE
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gdbstub/libraries.h"
#include "gdbstub/alloc.h"
#include "gdbstub/osdata.h"
#include "gdbstub/packets.h"
#include "gdbstub/stub-impl.h"

enum xfer_result
{
  XFER_OK,
  XFER_BAD_ANNEX,               /* E00: GDB manual, "qXfer" */
  XFER_ERROR                    /* E01 */
};

/* The process that packets are about, or one that ANNEX names in
   hexadecimal.  */
static int
annex_process (struct stub *s, struct scan *annex)
{
  uint64_t pid = stub_process (s);

  if (scan_left (annex) > 0)
    pid = scan_hex (annex);
  return scan_done (annex) && pid <= INT32_MAX ? (int) pid : 0;
}

static enum xfer_result
xfer_auxv (struct stub *s, struct scan *annex, struct reply *doc)
{
  uint8_t auxv[4096];
  size_t n = sizeof auxv;

  if (scan_left (annex) > 0)
    return XFER_BAD_ANNEX;
  if (target_auxv (s->t, stub_process (s), auxv, &n) != TARGET_OK)
    return XFER_ERROR;
  reply_raw (doc, auxv, n);
  return XFER_OK;
}

static enum xfer_result
xfer_exec_file (struct stub *s, struct scan *annex, struct reply *doc)
{
  char name[4096];

  if (target_exec_file (s->t, annex_process (s, annex), name, sizeof name)
      != TARGET_OK)
    return XFER_ERROR;
  reply_raw (doc, name, strlen (name));
  return XFER_OK;
}

/* What registers a process has: with none GDB goes by the architecture that
   its user has set, and asks again when there is one.  */
static enum xfer_result
xfer_features (struct stub *s, struct scan *annex, struct reply *doc)
{
  size_t n = tdesc_xml (&s->tdesc, NULL, 0) + 1;
  char *xml;

  if (!scan_is (annex, "target.xml"))
    return XFER_BAD_ANNEX;
  if (!stub_has_process (s))
    return XFER_ERROR;
  xml = alloc_zeroed (n);
  tdesc_xml (&s->tdesc, xml, n);
  reply_raw (doc, xml, n - 1);
  free (xml);
  return XFER_OK;
}

/* NAME=ADDRESS; any number of times.  Unknown names are passed over.  */
static bool
scan_start (struct scan *annex, struct libraries_start *start)
{
  while (scan_left (annex) > 0)
    {
      struct scan name = scan_until (annex, "=");
      uint64_t value;

      scan_char (annex, '=');
      value = scan_hex (annex);
      if (scan_left (annex) > 0)
        scan_char (annex, ';');
      if (scan_is (&name, "lmid"))
        start->lmid = value;
      else if (scan_is (&name, "start"))
        start->start = value;
      else if (scan_is (&name, "prev"))
        start->prev = value;
    }
  return scan_ok (annex);
}

static enum xfer_result
xfer_libraries_svr4 (struct stub *s, struct scan *annex, struct reply *doc)
{
  struct libraries_start start = { 0, 0, 0 };

  if (!scan_start (annex, &start))
    return XFER_BAD_ANNEX;
  return libraries_list (s->t, stub_process (s), &start, doc) ? XFER_OK
                                                              : XFER_ERROR;
}

static enum xfer_result
xfer_osdata (struct stub *s, struct scan *annex, struct reply *doc)
{
  char type[32];

  (void) s;
  snprintf (type, sizeof type, "%.*s", (int) scan_left (annex), annex->at);
  osdata_read (type, doc);
  return XFER_OK;
}

/* What the kernel gives a tracer of a thread that stopped by E.  */
static siginfo_t
event_siginfo (const struct target_event *e)
{
  siginfo_t info = { .si_signo = SIGTRAP, .si_code = SIGTRAP };

  switch (e->kind)
    {
    case TARGET_EVENT_BREAKPOINT:
      info.si_code = SI_KERNEL;
      break;
    case TARGET_EVENT_STEP:
      info.si_code = TRAP_TRACE;
      break;
    case TARGET_EVENT_WATCH:
      info.si_code = TRAP_HWBKPT;
      info.si_addr = (void *) e->addr;
      break;
    case TARGET_EVENT_INTERRUPT:
      info.si_signo = SIGINT;
      info.si_code = SI_USER;
      break;
    default:
      break;
    }
  return info;
}

/* The siginfo of thread TID.  One that stopped along with another has what a
   debugger stops threads with.  */
static bool
read_siginfo (struct stub *s, int tid, uint8_t info[TARGET_SIGINFO_SIZE])
{
  siginfo_t known = { .si_signo = SIGSTOP, .si_code = SI_TKILL };

  if (target_siginfo_read (s->t, tid, info) == TARGET_OK)
    return true;
  if (tid == s->last.tid)
    known = event_siginfo (&s->last);
  memcpy (info, &known, TARGET_SIGINFO_SIZE);
  return target_thread_process (s->t, tid) != 0;
}

static enum xfer_result
xfer_siginfo (struct stub *s, struct scan *annex, struct reply *doc)
{
  uint8_t info[TARGET_SIGINFO_SIZE];

  if (scan_left (annex) > 0)
    return XFER_BAD_ANNEX;
  if (!read_siginfo (s, stub_thread (s), info))
    return XFER_ERROR;
  reply_raw (doc, info, sizeof info);
  return XFER_OK;
}

/* The thread's handle, by which the program's C library knows it: pthread_t is
   the thread pointer, in glibc and musl.  */
static void
put_handle (struct stub *s, int tid, struct reply *doc)
{
  static struct target_regs regs;

  if (target_regs_read (s->t, tid, &regs) != TARGET_OK
      || regs.regs.fs_base == 0)
    return;
  reply_text (doc, " handle=\"");
  reply_hex (doc, &regs.regs.fs_base, sizeof regs.regs.fs_base);
  reply_text (doc, "\"");
}

static void
put_thread (struct stub *s, int pid, int tid, struct reply *doc)
{
  int core = target_thread_core (s->t, tid);
  char name[64];

  reply_text (doc, "<thread id=\"");
  stub_put_ptid (s, pid, tid, doc);
  reply_text (doc, "\"");
  if (core >= 0)
    reply_text (doc, " core=\"%d\"", core);
  target_thread_name (s->t, tid, name, sizeof name);
  if (name[0] != 0)
    {
      reply_text (doc, " name=\"");
      reply_xml (doc, name);
      reply_text (doc, "\"");
    }
  put_handle (s, tid, doc);
  reply_text (doc, "/>\n");
}

static void
put_threads_of (struct stub *s, int pid, struct reply *doc)
{
  size_t n = target_threads (s->t, pid, NULL, 0);
  int *tids = alloc_zeroed ((n + 1) * sizeof *tids);

  n = MIN (n, target_threads (s->t, pid, tids, n));
  for (size_t i = 0; i < n; i++)
    put_thread (s, pid, tids[i], doc);
  free (tids);
}

static enum xfer_result
xfer_threads (struct stub *s, struct scan *annex, struct reply *doc)
{
  size_t n = target_processes (s->t, NULL, 0);
  int *pids = alloc_zeroed ((n + 1) * sizeof *pids);

  if (scan_left (annex) > 0)
    {
      free (pids);
      return XFER_BAD_ANNEX;
    }
  reply_text (doc, "<threads>\n");
  n = MIN (n, target_processes (s->t, pids, n));
  for (size_t i = 0; i < n; i++)
    put_threads_of (s, pids[i], doc);
  reply_text (doc, "</threads>\n");
  free (pids);
  return XFER_OK;
}

/* What the trace frame has that GDB looks at.  */
static enum xfer_result
xfer_traceframe_info (struct stub *s, struct scan *annex, struct reply *doc)
{
  const struct tracing *x = &s->tracing;
  const struct channel_trace_block *block;
  size_t at = 0;

  if (scan_left (annex) > 0)
    return XFER_BAD_ANNEX;
  if (x->frame < 0)
    return XFER_ERROR;
  reply_text (doc, "<!DOCTYPE traceframe-info SYSTEM "
                   "\"traceframe-info.dtd\">\n<traceframe-info>\n");
  while ((block = tracebuf_next (x->frames, x->frame, &at)) != NULL)
    if (block->kind == CHANNEL_BLOCK_MEMORY)
      reply_text (doc, "<memory start=\"0x%lx\" length=\"0x%x\"/>\n",
                  block->addr, block->size);
    else if (block->kind == CHANNEL_BLOCK_VARIABLE)
      reply_text (doc, "<tvar id=\"0x%lx\"/>\n", block->addr);
  reply_text (doc, "</traceframe-info>\n");
  return XFER_OK;
}

static const struct object
{
  const char *name;
  bool of_process;
  enum xfer_result (*produce) (struct stub *s, struct scan *annex,
                               struct reply *doc);
} objects[] = {
#define XFER(WORD, NAME, OF_PROCESS) { NAME, OF_PROCESS, xfer_##WORD },
#include "gdbstub/xfer.def"
#undef XFER
};

/* Make the document NAME (OBJECT:ANNEX) the one that is kept.  */
static enum xfer_result
produce (struct stub *s, const struct object *o, struct scan *annex,
         char *name)
{
  enum xfer_result r;

  stub_forget_document (s);
  r = o->produce (s, annex, &s->document);
  if (r == XFER_OK)
    s->document_name = name;
  else
    free (name);
  return r;
}

/* Answer with up to LENGTH bytes from OFFSET, after `m', or `l' when it is the
   last piece.  */
static void
put_piece (struct stub *s, uint64_t offset, uint64_t length,
           struct reply *out)
{
  uint64_t left;

  if (offset > s->document.length)
    {
      reply_error (out, 1);
      return;
    }
  left = s->document.length - offset;
  reply_text (out, "l");
  if (reply_binary (out, s->document.data + offset, MIN (length, left)) < left)
    out->data[0] = 'm';
}

static const struct object *
find (struct scan *in)
{
  struct scan name = scan_until (in, ":");

  for (size_t i = 0; i < ARRAY_SIZE (objects); i++)
    if (scan_is (&name, objects[i].name))
      return &objects[i];
  return NULL;
}

static void
read_object (struct stub *s, const struct object *o, struct scan *in,
             struct reply *out)
{
  struct scan annex = scan_until (in, ":");
  char *name = alloc_zeroed (strlen (o->name) + scan_left (&annex) + 2);
  enum xfer_result r = XFER_OK;
  uint64_t offset, length;

  sprintf (name, "%s:%.*s", o->name, (int) scan_left (&annex), annex.at);
  scan_char (in, ':');
  offset = scan_hex (in);
  scan_char (in, ',');
  length = scan_hex (in);
  if (!scan_done (in))
    r = XFER_ERROR;
  else if (offset == 0 || s->document_name == NULL
           || strcmp (name, s->document_name) != 0)
    {
      r = produce (s, o, &annex, name);
      name = NULL;
    }
  free (name);
  if (r == XFER_OK)
    put_piece (s, offset, length, out);
  else
    reply_error (out, r == XFER_BAD_ANNEX ? 0 : 1);
}

/* siginfo is the one object that can be written, from offset 0 on.  */
static void
write_siginfo (struct stub *s, struct scan *in, struct reply *out)
{
  uint8_t info[TARGET_SIGINFO_SIZE], data[TARGET_SIGINFO_SIZE];
  int tid = stub_thread (s);
  uint64_t offset;
  size_t n;

  scan_char (in, ':');
  offset = scan_hex (in);
  scan_char (in, ':');
  n = scan_binary (in, data, sizeof data);
  if (!scan_done (in) || offset > sizeof info || n > sizeof info - offset
      || target_siginfo_read (s->t, tid, info) != TARGET_OK)
    {
      reply_error (out, 1);
      return;
    }
  memcpy (info + offset, data, n);
  stub_forget_document (s);
  if (target_siginfo_write (s->t, tid, info) != TARGET_OK)
    reply_error (out, 1);
  else
    reply_text (out, "%zx", n);
}

/* See packets.def.  */
void
cmd_qXfer (struct stub *s, struct scan *in, struct reply *out)
{
  const struct object *o = find (in);

  if (o == NULL)
    return;
  if (scan_skip_word (in, ":read:"))
    {
      if (!o->of_process || stub_has_process (s))
        read_object (s, o, in, out);
      else
        reply_error (out, 1);
    }
  else if (strcmp (o->name, "siginfo") == 0 && scan_skip_word (in, ":write:"))
    write_siginfo (s, in, out);
}
