/* See start.h.  Runs before anything of the engine is set up: no locks, no
   allocation, no thread block.  */

#include "engine/start.h"

#include "arch/native.h"
#include "common/elf.h"
#include "linux/raw.h"

#define PT_LOAD 1
#define O_RDWR 2
#define RLIMIT_NOFILE 7

/* The image's own ELF header, from the linker.  */
extern const struct elf_file_header __ehdr_start
  __attribute__ ((visibility ("hidden")));

static struct channel_hub *hub;
static struct channel *own_channel;

/* See start.h.  */
struct channel_hub *
engine_hub (void)
{
  return hub;
}

/* See start.h.  */
struct channel *
engine_channel (void)
{
  return own_channel;
}

/* The kernel's protection bits for a segment's flags.  */
static uint64_t
protection (uint32_t flags)
{
  return ((flags & 4) != 0 ? RAW_PROT_READ : 0)
         | ((flags & 2) != 0 ? RAW_PROT_WRITE : 0)
         | ((flags & 1) != 0 ? RAW_PROT_EXEC : 0);
}

/* Give each segment of the image its own protection.  There is nothing
   between segments: the linker puts them on adjoining pages.  */
static void
protect_image (void)
{
  const char *base = (const char *) &__ehdr_start;
  const struct elf_program_header *p
    = (const struct elf_program_header *) (base + __ehdr_start.phoff);

  for (unsigned i = 0; i < __ehdr_start.phnum; i++)
    if (p[i].type == PT_LOAD)
      raw3 (__NR_mprotect, PAGE_DOWN (RAW_PTR (base + p[i].vaddr)),
            PAGE_UP (p[i].vaddr + p[i].memsz) - PAGE_DOWN (p[i].vaddr),
            protection (p[i].flags));
}

/* Map SIZE bytes of descriptor FD, from OFFSET, over what is at ADDR.  */
static bool
map_shared (uint64_t addr, uint64_t size, long fd, uint64_t offset)
{
  return !RAW_FAILED (raw6 (__NR_mmap, addr, size,
                            RAW_PROT_READ | RAW_PROT_WRITE,
                            RAW_MAP_SHARED | RAW_MAP_FIXED, fd, offset));
}

/* The next number in *S, which is moved behind it.  */
static long
take_number (const char **s)
{
  long n = 0;

  while (**s != 0 && (**s < '0' || **s > '9'))
    ++*s;
  for (; **s >= '0' && **s <= '9'; ++*s)
    n = 10 * n + (**s - '0');
  return n;
}

/* Open PATH, which is /proc/PID/fd/N: where there is no such directory, as
   after a chroot, by asking for that descriptor itself.  */
static long
open_server_file (const char *path)
{
  long fd = raw4 (__NR_openat, RAW_AT_FDCWD, RAW_PTR (path),
                  O_RDWR | RAW_O_CLOEXEC, 0);
  long pidfd;

  if (!RAW_FAILED (fd))
    return fd;
  pidfd = raw3 (__NR_pidfd_open, take_number (&path), 0, 0);
  if (RAW_FAILED (pidfd))
    return fd;
  fd = raw3 (__NR_pidfd_getfd, pidfd, take_number (&path), 0);
  raw3 (__NR_close, pidfd, 0, 0);
  return fd;
}

/* Likewise, of descriptor FD, or if that is -1 the file PATH, closed in the
   end.  */
static bool
map_file (uint64_t addr, uint64_t size, long fd, const char *path)
{
  bool done;

  if (fd < 0)
    fd = open_server_file (path);
  if (RAW_FAILED (fd))
    return false;
  done = map_shared (addr, size, fd, 0);
  raw3 (__NR_close, fd, 0, 0);
  return done;
}

/* Map a shared channel over C, by descriptor or path.  */
static bool
map_channel (struct channel *c, long fd, const char *path)
{
  struct channel_birth birth = c->birth;

  if (!map_file (birth.channel_addr, birth.channel_size, fd, path))
    {
      engine_drop_channel (c);
      return false;
    }
  c->birth = birth;
  return true;
}

/* See start.h.  */
bool
engine_map_channel (struct channel *c, const char *path)
{
  return map_channel (c, -1, path);
}

/* See start.h.  */
struct channel *
engine_map_another (const struct channel *from, uint64_t at, const char *path)
{
  struct channel *c = (struct channel *) at;

  if (!map_file (at, from->birth.channel_size, -1, path))
    return NULL;
  c->birth = from->birth;
  return c;
}

/* Put back the limit on open files, which the server raised for a moment.  */
static void
restore_limit (uint64_t soft)
{
  uint64_t limit[2];

  if (soft == 0 || raw4 (__NR_prlimit64, 0, RLIMIT_NOFILE, 0, RAW_PTR (limit)))
    return;
  limit[0] = soft;
  raw4 (__NR_prlimit64, 0, RLIMIT_NOFILE, RAW_PTR (limit), 0);
}

/* See start.h.  */
void
engine_drop_channel (struct channel *c)
{
  struct channel_birth birth = c->birth;

  raw6 (__NR_mmap, birth.channel_addr, birth.channel_size,
        RAW_PROT_READ | RAW_PROT_WRITE,
        RAW_MAP_PRIVATE | RAW_MAP_ANONYMOUS | RAW_MAP_FIXED, -1, 0);
  c->head = channel_head (0);
  c->birth = birth;
}

/* See start.h.  */
void
engine_begin (struct channel *c)
{
  const struct channel_birth *b = &c->birth;

  own_channel = c;
  raw3 (__NR_mprotect, b->channel_addr, b->core_end - b->channel_addr,
        RAW_PROT_READ | RAW_PROT_WRITE);
  protect_image ();
  map_shared (b->tether_addr, PAGE_SIZE, b->image_fd, b->tether_offset);
  raw3 (__NR_close, b->image_fd, 0, 0);
  if (map_file (b->hub_addr, HUB_SIZE, b->hub_fd, b->hub_path))
    hub = (struct channel_hub *) b->hub_addr;
  if (b->channel_path[0] != 0
      && !map_channel (c, b->channel_fd, b->channel_path))
    c->birth.options.debug = 0;
  restore_limit (b->open_files);
  engine_main (c);
}

/* See start.h.  */
void
engine_go_native (const struct arch_regs *regs)
{
  raw3 (__NR_arch_prctl, RAW_ARCH_SET_FS, regs->fs_base, 0);
  raw3 (__NR_arch_prctl, RAW_ARCH_SET_GS, regs->gs_base, 0);
  arch_go_native (regs);
}
