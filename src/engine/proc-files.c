/* /proc/self/maps and smaps without the engine.

   After an open that succeeded, the descriptor's file is looked at, so that
   it does not matter by which path it was reached.  A map of this process is
   replaced by a memory file with the same text, but for the mappings of the
   engine; protection is written as the application asked for it.  The text
   is that of the moment of the open.  The status of a thread of this process
   is noted as one that is to be read by special-files.h.

   Named in calls.def, called by the gate alone.  */

#include "common/format.h"
#include "common/string.h"
#include "engine/areas.h"
#include "engine/gate.h"
#include "engine/heap.h"
#include "engine/special-files.h"

enum { O_CLOEXEC_ = 02000000, MFD_CLOEXEC_ = 1, BUFFER = 64 * 1024 };

gate_function gate_open, gate_openat, gate_openat2;

/* A map being copied: from FROM to TO, LENGTH bytes of TEXT being there.  */
struct copy
{
  int from, to;
  char *text;
  size_t length;
  bool skipping;                /* in an entry of the engine's */
};

/* The device of /proc, learned once.  */

static uint64_t
proc_device (void)
{
  static uint64_t device;
  static const char path[] = "/proc/self/";
  struct { uint64_t dev, rest[20]; } st;
  if (!device && raw3 (__NR_stat, RAW_PTR (path), RAW_PTR (&st), 0) == 0)
    __atomic_store_n (&device, st.dev, __ATOMIC_RELAXED);
  return device;
}

static bool
is_on_proc (int fd)
{
  struct { uint64_t dev, rest[20]; } st;
  return raw3 (__NR_fstat, fd, RAW_PTR (&st), 0) == 0
         && st.dev == proc_device ();
}

/* Skip a number at S; null: there is none.  */

static const char *
skip_number (const char *s, uint64_t *n)
{
  const char *e = string_number (s, s + strlen (s), 10, n);
  return e == s ? NULL : e;
}

/* The name in PATH, if that is /proc/PID/NAME, or the same of one of its
   threads, whose number goes to *TID; else null.  */

static const char *
name_of (const char *path, int pid, uint64_t *tid)
{
  const char *s = path;
  if (!string_has_prefix (s, "/proc/") || !(s = skip_number (s + 6, tid))
      || *tid != (uint64_t) pid)
    return NULL;
  if (string_has_prefix (s, "/task/") && !(s = skip_number (s + 6, tid)))
    return NULL;
  return s + (*s == '/');
}

/* See special-files.h.  */

enum special_file
proc_file_kind (const struct thread *t, int fd, int *tid)
{
  char link[40], path[64];
  uint64_t number;
  format_text (link, sizeof link, "/proc/self/fd/%d", fd);
  long n = raw3 (__NR_readlink, RAW_PTR (link), RAW_PTR (path),
                 sizeof path - 1);
  path[MAX (n, 0)] = 0;
  const char *name = n > 0 ? name_of (path, t->tgid, &number) : NULL;
  if (!name)
    return SPECIAL_NONE;
  *tid = number;
  return strcmp (name, "maps") == 0 || strcmp (name, "smaps") == 0
           ? SPECIAL_MAP
         : strcmp (name, "status") == 0 ? SPECIAL_STATUS : SPECIAL_NONE;
}

/* The text from S to END, a line, begins an entry: set its bounds.  */

static bool
is_header (char *s, char *end, uint64_t *first, uint64_t *last, char **prot)
{
  const char *e = string_number (s, end, 16, first);
  if (e == s || e == end || *e != '-')
    return false;
  const char *f = string_number (e + 1, end, 16, last);
  if (f == e + 1 || end - f < 5 || *f != ' ')
    return false;
  *prot = (char *) f + 1;
  return true;
}

static void
copy_line (struct copy *c, char *s, char *end)
{
  uint64_t first, last;
  char *prot;
  struct area a;
  if (is_header (s, end, &first, &last, &prot))
    {
      c->skipping = engine_owns (first, last);
      if (area_find (first, &a))
        {
          prot[0] = a.prot & AREA_READ ? 'r' : '-';
          prot[1] = a.prot & AREA_WRITE ? 'w' : '-';
          prot[2] = a.prot & AREA_EXEC ? 'x' : '-';
        }
    }
  if (!c->skipping)
    raw_write_all (c->to, s, end - s);
}

/* Copy the whole lines that are there, and keep the rest.  */

static void
copy_lines (struct copy *c)
{
  char *at = c->text, *end = c->text + c->length;
  for (char *s = at; s < end; s++)
    if (*s == '\n')
      {
        copy_line (c, at, s + 1);
        at = s + 1;
      }
  c->length = end - at;
  memmove (c->text, at, c->length);
}

static bool
copy_all (struct copy *c)
{
  long n;
  while ((n = raw3 (__NR_read, c->from, RAW_PTR (c->text + c->length),
                    BUFFER - c->length)) > 0)
    {
      c->length += n;
      copy_lines (c);
    }
  return n == 0;
}

/* Put a copy without the engine in the place of descriptor FD.  */

static void
replace (int fd, bool cloexec)
{
  static const char name[] = "maps";
  struct copy c = { .from = fd };
  c.to = raw3 (__NR_memfd_create, RAW_PTR (name), MFD_CLOEXEC_, 0);
  c.text = heap_pages (BUFFER, false, HEAP_OTHER);
  if (c.to >= 0 && c.text && copy_all (&c))
    {
      raw3 (__NR_lseek, c.to, 0, 0);
      raw3 (__NR_dup3, c.to, fd, cloexec ? O_CLOEXEC_ : 0);
    }
  if (c.text)
    heap_pages_free (c.text, BUFFER, false, HEAP_OTHER);
  if (c.to >= 0)
    raw3 (__NR_close, c.to, 0, 0);
}

static long
open_with (struct thread *t, uint64_t flags)
{
  long fd = gate_issue (t);
  int tid;
  if (fd < 0 || !is_on_proc (fd))
    return fd;
  switch (proc_file_kind (t, fd, &tid))
    {
    case SPECIAL_MAP:
      replace (fd, flags & O_CLOEXEC_);
      break;
    case SPECIAL_STATUS:
      special_note (fd, SPECIAL_STATUS);
      break;
    case SPECIAL_NONE:
    case SPECIAL_SIGNALFD:
      break;
    }
  return fd;
}

/* See calls.def for these.  */

long
gate_open (struct thread *t)
{
  return open_with (t, gate_arg (t, 1));
}

long
gate_openat (struct thread *t)
{
  return open_with (t, gate_arg (t, 2));
}

long
gate_openat2 (struct thread *t)
{
  uint64_t flags = 0;
  if (!safe_read (&flags, gate_arg (t, 2), sizeof flags))
    flags = 0;
  return open_with (t, flags);
}
