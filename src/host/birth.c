/* See birth.h.  */

#define _GNU_SOURCE
#include "host/birth.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "channel/hub.h"
#include "host/server.h"
#include "host/tracee.h"

#ifndef MAP_FIXED_NOREPLACE
#define MAP_FIXED_NOREPLACE 0x100000
#endif

#define SCRATCH_BELOW_STACK 512 /* below the stack pointer and its red zone */
#define SCRATCH_SIZE 256
#define MAX_PASSED 3            /* descriptors in one message */
#define REFUSED_STATUS 126

/* See birth.h.  */
const char *
birth_refusal_text (enum birth_refusal r)
{
  static const char *const texts[] = {
#define BIRTH_REFUSAL(NAME, TEXT) [BIRTH_##NAME] = TEXT,
    BIRTH_REFUSALS (BIRTH_REFUSAL)
#undef BIRTH_REFUSAL
  };

  return texts[r];
}

static enum birth_refusal
from_tracee (enum tracee_refusal r)
{
  static const enum birth_refusal map[] = {
    [TRACEE_OK] = BIRTH_OK,
    [TRACEE_GONE] = BIRTH_GONE,
    [TRACEE_LATE] = BIRTH_LATE,
    [TRACEE_FOREIGN] = BIRTH_FOREIGN,
    [TRACEE_NO_MEMORY_ACCESS] = BIRTH_NO_MEMORY_ACCESS,
  };

  return map[r];
}

/* A place on T's stack for arguments, and what was there.  */
struct scratch
{
  uint64_t at;
  uint8_t under[SCRATCH_SIZE];
};

static enum birth_refusal
scratch_begin (struct scratch *s, const struct tracee *t)
{
  s->at = (t->regs.gpr[ARCH_RSP] & -16ull) - SCRATCH_BELOW_STACK;
  return tracee_read (t, s->at, s->under, sizeof s->under)
           ? BIRTH_OK : BIRTH_NO_MEMORY_ACCESS;
}

static enum birth_refusal
scratch_end (const struct scratch *s, const struct tracee *t)
{
  return tracee_write (t, s->at, s->under, sizeof s->under)
           ? BIRTH_OK : BIRTH_NO_MEMORY_ACCESS;
}

/* Make T issue a system call that must succeed.  */
static enum birth_refusal
call (struct birth *b, struct tracee *t, int64_t *result, long nr,
      const uint64_t *args, unsigned n)
{
  enum tracee_refusal r = tracee_call (t, result, nr, args, n);

  if (r != TRACEE_OK)
    return from_tracee (r);
  b->system_error = *result < 0 ? -*result : 0;
  return *result < 0 ? BIRTH_NO_OPEN : BIRTH_OK;
}

static enum birth_refusal
close_in (struct birth *b, struct tracee *t, int fd)
{
  uint64_t args[] = { fd };
  int64_t result;

  return call (b, t, &result, SYS_close, args, 1);
}

/* T has no descriptor left under its limit: raise that until its engine has
   done.  False: it is as high as it may be.  */
static bool
raise_limit (struct birth *b, const struct tracee *t)
{
  struct rlimit limit;

  if (b->record.open_files != 0
      || prlimit (t->pid, RLIMIT_NOFILE, NULL, &limit) < 0
      || limit.rlim_cur >= limit.rlim_max)
    return false;
  b->record.open_files = limit.rlim_cur;
  limit.rlim_cur = limit.rlim_max;
  return prlimit (t->pid, RLIMIT_NOFILE, &limit, NULL) == 0;
}

/* Make T open the file PATH with FLAGS; the descriptor goes to *OPENED.  */
static enum birth_refusal
open_path (struct birth *b, struct tracee *t, const struct scratch *s,
           const char *path, int flags, int *opened)
{
  uint64_t args[] = { AT_FDCWD, s->at, flags | O_CLOEXEC };
  enum birth_refusal r;
  int64_t result;

  if (!tracee_write (t, s->at, path, strlen (path) + 1))
    return BIRTH_NO_MEMORY_ACCESS;
  r = call (b, t, &result, SYS_openat, args, 3);
  if (b->system_error == EMFILE && r == BIRTH_NO_OPEN && raise_limit (b, t))
    r = call (b, t, &result, SYS_openat, args, 3);
  *opened = result;
  return r;
}

/* Make T open the server's descriptor FD; its own goes to *OPENED.  */
static enum birth_refusal
open_descriptor (struct birth *b, struct tracee *t, const struct scratch *s,
                 int fd, int *opened)
{
  char path[CHANNEL_PATH_MAX];

  server_path (path, fd);
  return open_path (b, t, s, path, O_RDWR, opened);
}

/* An engine has to read the map of its process's memory: whether T can.  */
static enum birth_refusal
try_maps (struct birth *b, struct tracee *t, const struct scratch *s)
{
  int fd;
  enum birth_refusal r = open_path (b, t, s, "/proc/self/maps", O_RDONLY, &fd);

  return r != BIRTH_OK ? r : close_in (b, t, fd);
}


/* Passing descriptors.  */

/* A message with descriptors, as both sides lay it out.  */
struct message
{
  struct msghdr head;
  struct iovec iov;
  char byte;
  union
  {
    struct cmsghdr head;
    char bytes[CMSG_SPACE (MAX_PASSED * sizeof (int))];
  } control;
};

_Static_assert (sizeof (struct message) <= SCRATCH_SIZE, "");

/* Make M, at address AT of whoever uses it, a message of N descriptors.  */
static void
lay_out (struct message *m, uint64_t at, unsigned n)
{
  memset (m, 0, sizeof *m);
  m->head.msg_iov = (void *) (at + offsetof (struct message, iov));
  m->head.msg_iovlen = 1;
  m->head.msg_control = (void *) (at + offsetof (struct message, control));
  m->head.msg_controllen = CMSG_SPACE (n * sizeof (int));
  m->iov.iov_base = (void *) (at + offsetof (struct message, byte));
  m->iov.iov_len = 1;
}

/* Send the N descriptors FDS into socket number SOCKET of T's.  */
static bool
send_descriptors (const struct tracee *t, int socket, const int *fds,
                  unsigned n)
{
  struct message m;
  int pidfd = syscall (SYS_pidfd_open, t->pid, 0);
  int own = syscall (SYS_pidfd_getfd, pidfd, socket, 0);
  bool sent;

  lay_out (&m, (uintptr_t) &m, n);
  m.control.head.cmsg_level = SOL_SOCKET;
  m.control.head.cmsg_type = SCM_RIGHTS;
  m.control.head.cmsg_len = CMSG_LEN (n * sizeof (int));
  memcpy (CMSG_DATA (&m.control.head), fds, n * sizeof (int));
  sent = own >= 0 && sendmsg (own, &m.head, MSG_NOSIGNAL | MSG_DONTWAIT) == 1;
  close (own);
  close (pidfd);
  return sent;
}

/* Make T take the N descriptors FDS from its socket; its own numbers of them
   take their place.  */
static enum birth_refusal
receive_descriptors (struct birth *b, struct tracee *t,
                     const struct scratch *s, int socket, int *fds, unsigned n)
{
  struct message m;
  uint64_t args[] = { socket, s->at, MSG_CMSG_CLOEXEC | MSG_DONTWAIT };
  enum birth_refusal r;
  int64_t result;

  lay_out (&m, s->at, n);
  if (!tracee_write (t, s->at, &m, sizeof m))
    return BIRTH_NO_MEMORY_ACCESS;
  r = call (b, t, &result, SYS_recvmsg, args, 3);
  if (r != BIRTH_OK)
    return r;
  if (!tracee_read (t, s->at, &m, sizeof m))
    return BIRTH_NO_MEMORY_ACCESS;
  if (m.control.head.cmsg_len != CMSG_LEN (n * sizeof (int)))
    return BIRTH_NO_OPEN;
  memcpy (fds, CMSG_DATA (&m.control.head), n * sizeof (int));
  return BIRTH_OK;
}

/* Pass the N descriptors FDS to T, by a pair of sockets that it makes.  */
static enum birth_refusal
pass_descriptors (struct birth *b, struct tracee *t, const struct scratch *s,
                  int *fds, unsigned n)
{
  uint64_t args[] = { AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, s->at };
  int64_t result;
  int pair[2];
  enum birth_refusal r = call (b, t, &result, SYS_socketpair, args, 4), closed;

  if (b->system_error == EMFILE && r == BIRTH_NO_OPEN && raise_limit (b, t))
    r = call (b, t, &result, SYS_socketpair, args, 4);
  if (r != BIRTH_OK)
    return r;
  if (!tracee_read (t, s->at, pair, sizeof pair))
    return BIRTH_NO_MEMORY_ACCESS;
  r = BIRTH_NO_OPEN;
  if (send_descriptors (t, pair[1], fds, n))
    r = receive_descriptors (b, t, s, pair[0], fds, n);
  for (unsigned i = 0; i < 2 && r != BIRTH_GONE; i++)
    {
      closed = close_in (b, t, pair[i]);
      if (closed != BIRTH_OK)
        r = closed;
    }
  return r;
}

/* Give T descriptors of the image FD, and of hub and channel if it could not
   open those either.  */
static enum birth_refusal
open_image (struct birth *b, struct tracee *t, int fd)
{
  struct channel_birth *record = &b->record;
  int fds[MAX_PASSED] = { fd, b->hub_fd, b->channel_fd };
  struct scratch s;
  enum birth_refusal r = scratch_begin (&s, t), ended;

  if (r != BIRTH_OK)
    return r;
  record->hub_fd = record->channel_fd = -1;
  r = open_descriptor (b, t, &s, fd, &record->image_fd);
  if (r == BIRTH_NO_OPEN && (r = try_maps (b, t, &s)) == BIRTH_OK)
    {
      r = pass_descriptors (b, t, &s, fds, b->channel_fd >= 0 ? 3 : 2);
      record->image_fd = fds[0];
      record->hub_fd = fds[1];
      record->channel_fd = b->channel_fd >= 0 ? fds[2] : -1;
    }
  if (r == BIRTH_GONE)
    return r;
  ended = scratch_end (&s, t);
  return r != BIRTH_OK ? r : ended;
}

/* Make T map IMAGE from its descriptor FD: image, channel and the places of
   hub and tether in one piece.  */
static enum birth_refusal
map_image (struct birth *b, struct tracee *t, const struct image *image,
           int fd)
{
  uint64_t args[]
    = { image->base, image->core_size, PROT_READ | PROT_WRITE | PROT_EXEC,
        MAP_PRIVATE | MAP_FIXED_NOREPLACE, fd, 0 };
  int64_t result;
  enum tracee_refusal r = tracee_call (t, &result, SYS_mmap, args, 6);

  if (r != TRACEE_OK)
    return from_tracee (r);
  if (result == (int64_t) image->base)
    return BIRTH_OK;
  b->system_error = result < 0 ? -result : EEXIST;
  return b->system_error == EEXIST ? BIRTH_NO_ROOM : BIRTH_NO_MAP;
}

/* Close what open_image has opened.  */
static enum birth_refusal
close_image (struct birth *b, struct tracee *t)
{
  int fds[] = { b->record.image_fd, b->record.hub_fd, b->record.channel_fd };
  enum birth_refusal r = BIRTH_OK;

  for (unsigned i = 0; i < ARRAY_SIZE (fds) && r == BIRTH_OK; i++)
    if (fds[i] >= 0)
      r = close_in (b, t, fds[i]);
  return r;
}

/* Map the first of B's images that there is room for; it goes to *USED.  */
static enum birth_refusal
map_any (struct birth *b, struct tracee *t, const struct image **used)
{
  enum birth_refusal r = BIRTH_NO_ROOM, closed;

  for (unsigned i = 0; r == BIRTH_NO_ROOM; i++)
    {
      *used = b->image (b->data, i);
      if (*used == NULL)
        return r;
      r = open_image (b, t, (*used)->fd);
      if (r != BIRTH_OK)
        return r;
      r = map_image (b, t, *used, b->record.image_fd);
      if (r == BIRTH_NO_ROOM || r == BIRTH_NO_MAP)
        {
          closed = close_image (b, t);
          if (closed != BIRTH_OK)
            return closed;
        }
    }
  return r;
}

/* Fill in the rest of the record and write it, at the head of T's channel.  */
static enum birth_refusal
write_record (struct birth *b, const struct tracee *t,
              const struct image *image)
{
  struct channel_birth *record = &b->record;
  struct channel_head head = channel_head (0);
  uint64_t at = image->base + image->image_size;

  record->regs = t->regs;
  record->engine_base = image->base;
  record->engine_size = image->image_size;
  record->channel_addr = at;
  record->channel_size = image->channel_size;
  record->hub_addr = at + image->channel_size;
  record->tether_addr = record->hub_addr + HUB_SIZE;
  record->tether_offset = record->tether_addr - image->base;
  record->core_end = image->base + image->core_size;
  b->core_start = image->base;
  b->core_end = record->core_end;

  if (!tracee_write (t, at, &head, sizeof head)
      || !tracee_write (t, at + offsetof (struct channel, birth), record,
                        sizeof *record))
    return BIRTH_NO_MEMORY_ACCESS;
  return BIRTH_OK;
}

/* What birth_give does while PID is held in T.  */
static enum birth_refusal
give_held (struct birth *b, struct tracee *t)
{
  const struct image *image;
  enum birth_refusal r;

  t->regs.orig_rax = -1;
  r = map_any (b, t, &image);
  if (r != BIRTH_OK)
    return r;
  r = write_record (b, t, image);
  if (r == BIRTH_OK)
    inject_start (&t->regs, image->entry, b->record.channel_addr);
  return r;
}

static void
end_process (struct tracee *t)
{
  uint64_t args[] = { REFUSED_STATUS };
  int64_t result;
  enum tracee_refusal r
    = tracee_call (t, &result, SYS_exit_group, args, 1);

  (void) r;                     /* GONE, as it should be */
}

/* See birth.h.  */
enum birth_refusal
birth_give (struct birth *b, int pid)
{
  struct tracee t;
  enum birth_refusal r = from_tracee (tracee_hold (&t, pid));

  b->mem = -1;
  b->system_error = 0;
  b->hub_fd = b->record.hub_fd;
  b->channel_fd = b->record.channel_fd;
  if (r == BIRTH_OK)
    r = give_held (b, &t);
  if (r != BIRTH_OK && b->kill_on_refusal && r != BIRTH_GONE)
    end_process (&t);
  if (r == BIRTH_OK && b->keep_mem)
    b->mem = t.mem;
  tracee_let_go (&t, b->mem >= 0);
  return r;
}
