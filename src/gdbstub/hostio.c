/* See hostio.h.  Formats and numbers: GDB manual, "File-I/O Remote Protocol
   Extension", "Protocol-specific Representation of Datatypes" and
   "Constants".  */

#define _GNU_SOURCE
#include "gdbstub/hostio.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "gdbstub/alloc.h"
#include "gdbstub/rsp.h"

static const struct
{
  int host, fileio;
} errnos[] = {
  { EPERM, 1 }, { ENOENT, 2 }, { EINTR, 4 }, { EIO, 5 }, { EBADF, 9 },
  { EACCES, 13 }, { EFAULT, 14 }, { EBUSY, 16 }, { EEXIST, 17 },
  { ENODEV, 19 }, { ENOTDIR, 20 }, { EISDIR, 21 }, { EINVAL, 22 },
  { ENFILE, 23 }, { EMFILE, 24 }, { EFBIG, 27 }, { ENOSPC, 28 },
  { ESPIPE, 29 }, { EROFS, 30 }, { ENOSYS, 88 }, { ENAMETOOLONG, 91 },
};
enum { FILEIO_EUNKNOWN = 9999 };

static const struct
{
  int host;
  unsigned fileio;
} open_flags[] = {
  { O_WRONLY, 0x1 }, { O_RDWR, 0x2 }, { O_APPEND, 0x8 }, { O_CREAT, 0x200 },
  { O_TRUNC, 0x400 }, { O_EXCL, 0x800 }
};

/* struct stat as the protocol has it: big-endian.  */
struct fileio_stat
{
  uint8_t dev[4], ino[4], mode[4], nlink[4], uid[4], gid[4], rdev[4];
  uint8_t size[8], blksize[8], blocks[8], atime[4], mtime[4], ctime[4];
};
_Static_assert (sizeof (struct fileio_stat) == 64, "protocol's layout");

/* See hostio.h.  */
void
hostio_init (struct hostio *h)
{
  memset (h, 0, sizeof *h);
  for (unsigned i = 0; i < HOSTIO_MAX_FILES; i++)
    h->file[i].fd = -1;
}

static void
close_file (struct hostio_file *f)
{
  close (f->fd);
  free (f->text);
  *f = (struct hostio_file) { -1, NULL, 0 };
}

/* See hostio.h.  */
void
hostio_reset (struct hostio *h)
{
  for (unsigned i = 0; i < HOSTIO_MAX_FILES; i++)
    if (h->file[i].fd >= 0)
      close_file (&h->file[i]);
  h->root_pid = 0;
}

static void
put_error (struct reply *out, int error)
{
  int code = FILEIO_EUNKNOWN;

  for (size_t i = 0; i < ARRAY_SIZE (errnos); i++)
    if (errnos[i].host == error)
      code = errnos[i].fileio;
  reply_clear (out);
  reply_text (out, "F-1,%x", code);
}

/* The answer to an operation that gave RESULT, -1 with errno set.  */
static void
put_result (struct reply *out, long result)
{
  if (result < 0)
    put_error (out, errno);
  else
    reply_text (out, "F%lx", result);
}

/* A result with DATA behind it, as much of it as fits.  */
static void
put_data (struct reply *out, const void *data, size_t n)
{
  struct reply body = { NULL, 0, 0 };
  size_t in;

  /* Room for the count, whose digits are not known yet.  */
  reply_text (&body, "F0000;");
  in = reply_binary (&body, data, n);
  reply_clear (out);
  reply_text (out, "F%zx;", in);
  reply_raw (out, body.data + 6, body.length - 6);
  reply_fini (&body);
}

/* The name in hexadecimal at IN, as it is to be given to the kernel: through
   the root of the process whose files GDB wants to see.  NULL when it makes no
   sense.  */
static char *
file_name (const struct hostio *h, struct scan *in)
{
  struct scan part = scan_until (in, ",");
  char *name = scan_string (&part), *full;

  if (name == NULL || h->root_pid == 0 || name[0] != '/')
    return name;
  full = alloc_zeroed (strlen (name) + 40);
  sprintf (full, "/proc/%d/root%s", h->root_pid, name);
  free (name);
  return full;
}


/* Lists of mappings.  */

/* Whether NAME is /proc/PID/maps, or one of its kin, of a process of T's; its
   id goes to *PID.  */
static bool
is_mapping_list (struct target *t, const char *name, int *pid)
{
  static const char *const kin[] = { "maps", "smaps", "numa_maps" };
  int tid, n = 0;

  if (sscanf (name, "/proc/%d/%n", pid, &n) != 1 || n == 0)
    return false;
  name += n;
  n = 0;
  if (sscanf (name, "task/%d/%n", &tid, &n) == 1 && n > 0)
    name += n;
  for (size_t i = 0; i < ARRAY_SIZE (kin); i++)
    if (strcmp (name, kin[i]) == 0)
      return target_threads (t, *pid, NULL, 0) > 0;
  return false;
}

/* Keep of the text of F the lines about mappings that are the program's.  A
   line that begins with a range (of numa_maps: an address) is the first about
   its mapping.  */
static void
leave_out_hidden (struct hostio_file *f, struct target *t, int pid)
{
  char *to = f->text, *line = f->text;
  bool hidden = false;

  while (line < f->text + f->length)
    {
      char *end = memchr (line, '\n', f->text + f->length - line);
      unsigned long start, stop;
      int n;

      end = end == NULL ? f->text + f->length : end + 1;
      n = sscanf (line, "%lx-%lx ", &start, &stop);
      if (n == 1)
        stop = start + 1;
      if (n > 0 && line[0] >= '0' && line[0] <= 'f' && start >= PAGE_SIZE)
        hidden = target_memory_hidden (t, pid, start, stop);
      if (!hidden)
        {
          memmove (to, line, end - line);
          to += end - line;
        }
      line = end;
    }
  f->length = to - f->text;
  *to = 0;
}

static void
read_whole (struct hostio_file *f)
{
  size_t size = 0;
  ssize_t n;

  do
    {
      f->text = alloc_reserve (f->text, &size, f->length + 65536);
      n = read (f->fd, f->text + f->length, 65535);
      if (n > 0)
        f->length += n;
    }
  while (n > 0);
  f->text[f->length] = 0;
}


/* Operations.  */

static struct hostio_file *
find_file (struct hostio *h, struct scan *in)
{
  uint64_t fd = scan_hex (in);

  if (!scan_ok (in) || fd >= HOSTIO_MAX_FILES || h->file[fd].fd < 0)
    return NULL;
  return &h->file[fd];
}

static struct hostio_file *
free_file (struct hostio *h)
{
  /* 0, 1 and 2 might mean GDB's own console to it.  */
  for (unsigned i = 3; i < HOSTIO_MAX_FILES; i++)
    if (h->file[i].fd < 0)
      return &h->file[i];
  return NULL;
}

static int
host_flags (uint64_t fileio, int *flags)
{
  *flags = 0;
  for (size_t i = 0; i < ARRAY_SIZE (open_flags); i++)
    if (fileio & open_flags[i].fileio)
      {
        *flags |= open_flags[i].host;
        fileio &= ~(uint64_t) open_flags[i].fileio;
      }
  return fileio == 0;
}

static void
do_open (struct hostio *h, struct target *t, struct scan *in,
         struct reply *out)
{
  char *name = file_name (h, in);
  struct hostio_file *f = free_file (h);
  uint64_t fileio, mode;
  int flags, pid;

  scan_char (in, ',');
  fileio = scan_hex (in);
  scan_char (in, ',');
  mode = scan_hex (in);
  if (name == NULL || !scan_done (in) || !host_flags (fileio, &flags))
    put_error (out, EINVAL);
  else if (f == NULL)
    put_error (out, EMFILE);
  else
    {
      f->fd = open (name, flags | O_CLOEXEC | O_NOCTTY, mode & 07777);
      if (f->fd >= 0 && is_mapping_list (t, name, &pid))
        {
          read_whole (f);
          leave_out_hidden (f, t, pid);
        }
      put_result (out, f->fd < 0 ? -1 : f - h->file);
    }
  free (name);
}

static void
do_close (struct hostio *h, struct scan *in, struct reply *out)
{
  struct hostio_file *f = find_file (h, in);

  if (f == NULL || !scan_done (in))
    {
      put_error (out, EBADF);
      return;
    }
  close_file (f);
  put_result (out, 0);
}

static void
do_pread (struct hostio *h, struct scan *in, struct reply *out)
{
  static uint8_t buffer[RSP_PACKET_SIZE];
  struct hostio_file *f = find_file (h, in);
  uint64_t count, offset;
  ssize_t n;

  scan_char (in, ',');
  count = MIN (scan_hex (in), sizeof buffer);
  scan_char (in, ',');
  offset = scan_hex (in);
  if (f == NULL || !scan_done (in))
    {
      put_error (out, f == NULL ? EBADF : EINVAL);
      return;
    }
  if (f->text != NULL)
    {
      offset = MIN (offset, f->length);
      put_data (out, f->text + offset, MIN (count, f->length - offset));
      return;
    }
  n = pread (f->fd, buffer, count, offset);
  if (n < 0 && errno == ESPIPE)
    n = read (f->fd, buffer, count);
  if (n < 0)
    put_error (out, errno);
  else
    put_data (out, buffer, n);
}

static void
do_pwrite (struct hostio *h, struct scan *in, struct reply *out)
{
  static uint8_t buffer[RSP_PACKET_SIZE];
  struct hostio_file *f = find_file (h, in);
  uint64_t offset;
  size_t count;

  scan_char (in, ',');
  offset = scan_hex (in);
  scan_char (in, ',');
  count = scan_binary (in, buffer, sizeof buffer);
  if (f == NULL || !scan_done (in))
    put_error (out, f == NULL ? EBADF : EINVAL);
  else
    {
      ssize_t n = pwrite (f->fd, buffer, count, offset);

      if (n < 0 && errno == ESPIPE)
        n = write (f->fd, buffer, count);
      put_result (out, n);
    }
}

static void
big_endian (uint8_t *to, size_t size, uint64_t value)
{
  for (size_t i = size; i-- > 0; value >>= 8)
    to[i] = value;
}

static void
do_fstat (struct hostio *h, struct scan *in, struct reply *out)
{
  struct hostio_file *f = find_file (h, in);
  struct fileio_stat to;
  struct stat st;

  if (f == NULL || !scan_done (in))
    {
      put_error (out, EBADF);
      return;
    }
  if (fstat (f->fd, &st) != 0)
    {
      put_error (out, errno);
      return;
    }
#define PUT(FIELD) big_endian (to.FIELD, sizeof to.FIELD, st.st_##FIELD)
  PUT (dev), PUT (ino), PUT (mode), PUT (nlink), PUT (uid), PUT (gid);
  PUT (rdev), PUT (size), PUT (blksize), PUT (blocks);
#undef PUT
  big_endian (to.atime, sizeof to.atime, st.st_atim.tv_sec);
  big_endian (to.mtime, sizeof to.mtime, st.st_mtim.tv_sec);
  big_endian (to.ctime, sizeof to.ctime, st.st_ctim.tv_sec);
  put_data (out, &to, sizeof to);
}

static void
do_unlink (struct hostio *h, struct scan *in, struct reply *out)
{
  char *name = file_name (h, in);

  if (name == NULL || !scan_done (in))
    put_error (out, EINVAL);
  else
    put_result (out, unlink (name));
  free (name);
}

static void
do_readlink (struct hostio *h, struct scan *in, struct reply *out)
{
  char *name = file_name (h, in);
  char buffer[PATH_MAX];
  ssize_t n;

  if (name == NULL || !scan_done (in))
    put_error (out, EINVAL);
  else
    {
      n = readlink (name, buffer, sizeof buffer);
      if (n < 0)
        put_error (out, errno);
      else
        put_data (out, buffer, n);
    }
  free (name);
}

/* See files as process PID does (0: as the server does).  */
static void
do_setfs (struct hostio *h, struct scan *in, struct reply *out)
{
  uint64_t pid = scan_hex (in);
  struct stat own, other;
  char name[40];

  if (!scan_done (in) || pid > INT_MAX)
    {
      put_error (out, EINVAL);
      return;
    }
  h->root_pid = 0;
  if (pid != 0)
    {
      snprintf (name, sizeof name, "/proc/%d/ns/mnt", (int) pid);
      if (stat ("/proc/self/ns/mnt", &own) != 0 || stat (name, &other) != 0)
        {
          put_error (out, errno);
          return;
        }
      if (own.st_ino != other.st_ino)
        h->root_pid = pid;
    }
  put_result (out, 0);
}

/* See hostio.h.  */
void
hostio_handle (struct hostio *h, struct target *t, struct scan *in,
               struct reply *out)
{
  if (scan_skip_word (in, "open:"))
    do_open (h, t, in, out);
  else if (scan_skip_word (in, "close:"))
    do_close (h, in, out);
  else if (scan_skip_word (in, "pread:"))
    do_pread (h, in, out);
  else if (scan_skip_word (in, "pwrite:"))
    do_pwrite (h, in, out);
  else if (scan_skip_word (in, "fstat:"))
    do_fstat (h, in, out);
  else if (scan_skip_word (in, "unlink:"))
    do_unlink (h, in, out);
  else if (scan_skip_word (in, "readlink:"))
    do_readlink (h, in, out);
  else if (scan_skip_word (in, "setfs:"))
    do_setfs (h, in, out);
}
