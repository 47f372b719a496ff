/* See birth.h.  */

#define _GNU_SOURCE
#include "host/birth.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "channel/hub.h"
#include "host/tracee.h"

#ifndef MAP_FIXED_NOREPLACE
#define MAP_FIXED_NOREPLACE 0x100000
#endif

#define NAME_BELOW_STACK 512    /* below the stack pointer and its red zone */
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

/* Make T open the server's descriptor FD; its own goes to *OPENED.  */
static enum birth_refusal
open_image (struct birth *b, struct tracee *t, int fd, int *opened)
{
  char name[CHANNEL_PATH_MAX] = "", under[CHANNEL_PATH_MAX];
  uint64_t at = (t->regs.gpr[ARCH_RSP] & -16ull) - NAME_BELOW_STACK;
  uint64_t args[] = { AT_FDCWD, at, O_RDWR | O_CLOEXEC };
  enum tracee_refusal r;
  int64_t result;

  snprintf (name, sizeof name, "/proc/%d/fd/%d", getpid (), fd);
  if (!tracee_read (t, at, under, sizeof under)
      || !tracee_write (t, at, name, sizeof name))
    return BIRTH_NO_MEMORY_ACCESS;
  r = tracee_call (t, &result, SYS_openat, args, 3);
  if (r != TRACEE_OK)
    return from_tracee (r);
  if (!tracee_write (t, at, under, sizeof under))
    return BIRTH_NO_MEMORY_ACCESS;
  b->system_error = result < 0 ? -result : 0;
  *opened = result;
  return result < 0 ? BIRTH_NO_OPEN : BIRTH_OK;
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

static enum birth_refusal
close_in (struct tracee *t, int fd)
{
  uint64_t args[] = { fd };
  int64_t result;

  return from_tracee (tracee_call (t, &result, SYS_close, args, 1));
}

/* Map the first of B's images that there is room for; it goes to *USED.  */
static enum birth_refusal
map_any (struct birth *b, struct tracee *t, const struct image **used)
{
  enum birth_refusal r = BIRTH_NO_ROOM;
  int fd = -1;

  for (unsigned i = 0; i < b->n_images && r == BIRTH_NO_ROOM; i++)
    {
      r = open_image (b, t, b->images[i].fd, &fd);
      if (r != BIRTH_OK)
        return r;
      *used = &b->images[i];
      b->record.image_fd = fd;
      r = map_image (b, t, *used, fd);
      if (r == BIRTH_NO_ROOM || r == BIRTH_NO_MAP)
        {
          enum birth_refusal closed = close_in (t, fd);

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
  if (r == BIRTH_OK)
    r = give_held (b, &t);
  if (r != BIRTH_OK && b->kill_on_refusal && r != BIRTH_GONE)
    end_process (&t);
  if (r == BIRTH_OK && b->keep_mem)
    b->mem = t.mem;
  tracee_let_go (&t, b->mem >= 0);
  return r;
}
