/* System calls that change the memory map.

   Each does the call, and brings areas.c and the cache in line with it.
   maps_lock is held over both, so that the areas see changes in the order in
   which the kernel made them.  A call that keeps the pages' protection needs
   the engine's taken off before (dispatch_kernel_writes).  A range with
   something of the engine's in it is answered as if nothing were there.  */

#include "engine/memory-calls.h"
#include "engine/areas.h"
#include "engine/dispatch.h"
#include "engine/gate.h"
#include "engine/heap.h"
#include "engine/lock.h"
#include "engine/options.h"
#include "linux/syscall.h"

enum { MADV_DONTNEED_ = 4, MADV_FREE_ = 8, MADV_REMOVE_ = 9,
       MADV_DONTNEED_LOCKED_ = 24 };
enum { F_GETFL_ = 3, F_GET_SEALS_ = 1034, F_SEAL_WRITE_ = 8, O_ACCMODE_ = 3 };

static struct lock maps_lock = LOCK_INIT (LOCK_RANK_MAPS);
static app_addr brk_now;        /* 0: not asked yet */

gate_function gate_mmap, gate_munmap, gate_mprotect, gate_mremap, gate_brk,
  gate_madvise, gate_shmat, gate_shmdt, gate_remap_file_pages;

/* See memory-calls.h.  */

void
memory_calls_acquire (void)
{
  lock_acquire (&maps_lock);
}

/* See memory-calls.h.  */

void
memory_calls_release (void)
{
  lock_release (&maps_lock);
}

/* See memory-calls.h.  */

uint64_t
memory_kernel_prot (uint64_t prot)
{
  if (!(prot & RAW_PROT_EXEC))
    return prot;
  prot |= RAW_PROT_READ;
  return options.nx_app ? prot & ~(uint64_t) RAW_PROT_EXEC : prot;
}

/* See memory-calls.h.  A mapping that cannot be changed (a sealed vDSO)
   stays as it is.  */

void
memory_calls_init (void)
{
  struct area a;
  for (app_addr at = 0; area_next (at, &a); at = a.end)
    if (memory_kernel_prot (a.prot) != a.prot && !(a.flags & AREA_VSYSCALL))
      raw3 (__NR_mprotect, a.start, a.end - a.start,
            memory_kernel_prot (a.prot));
}

/* See memory-calls.h.  */

void
memory_calls_undo (void)
{
  struct area a;
  dispatch_kernel_writes (0, UINT64_MAX);
  for (app_addr at = 0; area_next (at, &a); at = a.end)
    if (memory_kernel_prot (a.prot) != a.prot && !(a.flags & AREA_VSYSCALL))
      raw3 (__NR_mprotect, a.start, a.end - a.start, a.prot);
}

/* Issue the call of T with argument N replaced by VALUE.  */

static long
issue_with (struct thread *t, unsigned n, uint64_t value)
{
  uint64_t args[6];
  for (unsigned i = 0; i < 6; i++)
    args[i] = gate_arg (t, i);
  args[n] = value;
  return gate_issue_args (t, gate_number (t), args);
}

/* Retire translations of [START, END), if there can be any.  */

static void
flush (app_addr start, app_addr end, const char *why)
{
  if (areas_were_executable (start, end))
    dispatch_remapped (start, end, why);
}

/* Name in *A what descriptor FD is open on.  */

static void
name_file (struct area *a, int fd)
{
  struct { uint64_t dev, ino, rest[16]; } st = { 0 };
  if (raw3 (__NR_fstat, fd, RAW_PTR (&st), 0) < 0)
    return;
  a->device = (st.dev >> 8 & 0xfff) << 20
              | (st.dev & 0xff) | (st.dev >> 12 & 0xfff00);
  a->inode = st.ino;
  a->flags |= AREA_FILE;
}

/* The highest free place of SIZE bytes below the core region; 0: none.  */

static app_addr
place_below_core (uint64_t size)
{
  struct area a;
  app_addr end = core_start;
  while (size < end && area_next (end - size, &a) && a.start < end)
    end = a.start;
  return size < end ? end - size : 0;
}

/* Issue T's mmap, of SIZE bytes.  The kernel may find place in a part of the
   core region that nothing is mapped in yet: then it is told another.  */

static long
issue_mmap (struct thread *t, uint64_t size)
{
  uint64_t args[6];
  for (unsigned i = 0; i < 6; i++)
    args[i] = gate_arg (t, i);
  args[2] = memory_kernel_prot (args[2]);
  long r = gate_issue_args (t, gate_number (t), args);
  if (RAW_FAILED (r) || !engine_owns (r, r + size))
    return r;
  raw3 (__NR_munmap, r, size, 0);
  args[0] = place_below_core (size);
  r = args[0] ? gate_issue_args (t, gate_number (t), args) : -RAW_ENOMEM;
  if (RAW_FAILED (r) || !engine_owns (r, r + size))
    return r;
  raw3 (__NR_munmap, r, size, 0);
  return -RAW_ENOMEM;
}

/* Whoever has descriptor FD can write to its file.  */

static bool
file_changes (int fd)
{
  long mode = raw3 (__NR_fcntl, fd, F_GETFL_, 0);
  long seals = raw3 (__NR_fcntl, fd, F_GET_SEALS_, 0);
  return mode >= 0 && (mode & O_ACCMODE_) != 0
         && !(seals >= 0 && (seals & F_SEAL_WRITE_));
}

static long
do_mmap (struct thread *t)
{
  uint64_t addr = gate_arg (t, 0), size = PAGE_UP (gate_arg (t, 1));
  uint64_t prot = gate_arg (t, 2), flags = gate_arg (t, 3);
  bool fixed = flags & (RAW_MAP_FIXED | RAW_MAP_FIXED_NOREPLACE);
  if (fixed && engine_owns (addr, addr + size))
    return flags & RAW_MAP_FIXED_NOREPLACE ? -RAW_EEXIST : -RAW_ENOMEM;
  long r = issue_mmap (t, size);
  if (RAW_FAILED (r))
    return r;
  struct area a = { .prot = prot & 7, .offset = gate_arg (t, 5) };
  if ((flags & RAW_MAP_TYPE) != RAW_MAP_PRIVATE)
    a.flags |= AREA_SHARED;
  if (flags & RAW_MAP_GROWSDOWN)
    a.flags |= AREA_STACK;
  if (flags & RAW_MAP_ANONYMOUS)
    a.offset = 0;
  else
    {
      name_file (&a, gate_arg (t, 4));
      if (!(a.flags & AREA_SHARED) && file_changes (gate_arg (t, 4)))
        a.flags |= AREA_CHANGES;
    }
  if (fixed)
    flush (r, r + size, "mmap");
  areas_map (r, r + size, &a);
  return r;
}

/* The engine's part of [START, END) stays; all areas in it go.  */

static long
unmap_around (app_addr start, app_addr end)
{
  struct area a;
  for (app_addr at = start; area_next (at, &a) && a.start < end; at = a.end)
    {
      app_addr from = MAX (a.start, start), to = MIN (a.end, end);
      raw3 (__NR_munmap, from, to - from, 0);
    }
  return 0;
}

static long
do_munmap (struct thread *t)
{
  uint64_t addr = gate_arg (t, 0), end = addr + PAGE_UP (gate_arg (t, 1));
  bool odd = addr % PAGE_SIZE || end <= addr || end >> 47;
  long r = !odd && engine_owns (addr, end) ? unmap_around (addr, end)
                                           : gate_issue (t);
  if (r == 0)
    {
      flush (addr, end, "munmap");
      areas_unmap (addr, end);
    }
  return r;
}

/* The end of what is mapped without a gap from START on, END at most.  */

static app_addr
mapped_until (app_addr start, app_addr end)
{
  struct area a;
  app_addr at = start;
  while (at < end && area_find (at, &a))
    at = a.end;
  return MIN (at, end);
}

static long
do_mprotect (struct thread *t)
{
  uint64_t addr = gate_arg (t, 0), end = addr + PAGE_UP (gate_arg (t, 1));
  uint64_t prot = gate_arg (t, 2);
  if (addr % PAGE_SIZE == 0 && end > addr && engine_owns (addr, end))
    return -RAW_ENOMEM;
  long r = issue_with (t, 2, memory_kernel_prot (prot));
  if (r == -RAW_ENOMEM)         /* done up to the first gap */
    end = mapped_until (addr, end);
  else if (r < 0)
    return r;
  if (prot & (RAW_PROT_GROWSDOWN | RAW_PROT_GROWSUP))
    {
      areas_reread (addr, end);
      areas_protect (addr, end, prot & 7);
      return r;
    }
  flush (addr, end, "mprotect");
  areas_protect (addr, end, prot & 7);
  return r;
}

static long
do_mremap (struct thread *t)
{
  uint64_t old = gate_arg (t, 0), new = gate_arg (t, 4);
  uint64_t old_size = PAGE_UP (gate_arg (t, 1));
  uint64_t new_size = PAGE_UP (gate_arg (t, 2));
  uint64_t flags = gate_arg (t, 3);
  if (engine_owns (old, old + old_size))
    return -RAW_EFAULT;
  if ((flags & RAW_MREMAP_FIXED) && engine_owns (new, new + new_size))
    return -RAW_ENOMEM;
  dispatch_kernel_writes (old, old + old_size);
  long r = gate_issue (t);
  if (RAW_FAILED (r))
    return r;
  flush (old, old + old_size, "mremap");
  flush (r, r + new_size, "mremap");
  areas_move (old, old_size, r, new_size, flags & RAW_MREMAP_DONTUNMAP);
  return r;
}

static long
do_brk (struct thread *t)
{
  if (!brk_now)
    brk_now = raw3 (__NR_brk, 0, 0, 0);
  long r = gate_issue (t);
  if (r == GATE_AGAIN)
    return r;
  app_addr old = PAGE_UP (brk_now), new = PAGE_UP ((uint64_t) r);
  struct area a = { .prot = AREA_READ | AREA_WRITE, .flags = AREA_HEAP };
  if (new < old)
    {
      flush (new, old, "brk");
      areas_unmap (new, old);
    }
  else if (new > old)
    areas_map (old, new, &a);
  brk_now = r;
  return r;
}

static long
do_madvise (struct thread *t)
{
  uint64_t addr = gate_arg (t, 0), end = addr + PAGE_UP (gate_arg (t, 1));
  int advice = gate_arg (t, 2);
  if (end > addr && engine_owns (addr, end))
    return -RAW_ENOMEM;
  if (advice != MADV_DONTNEED_ && advice != MADV_FREE_
      && advice != MADV_REMOVE_ && advice != MADV_DONTNEED_LOCKED_)
    return gate_issue (t);
  dispatch_kernel_writes (addr, end);
  long r = gate_issue (t);
  if (r != GATE_AGAIN)
    flush (addr, end, "madvise");
  return r;
}

static long
do_shmat (struct thread *t)
{
  struct { uint64_t perm[6], size, rest[16]; } ds;
  enum { IPC_STAT_ = 2, SHM_EXEC_ = 0100000, SHM_REMAP_ = 040000 };
  uint64_t addr = gate_arg (t, 1), flags = gate_arg (t, 2);
  long r = raw3 (__NR_shmctl, gate_arg (t, 0), IPC_STAT_, RAW_PTR (&ds));
  if (r < 0)
    ds.size = 0;
  if (addr && engine_owns (addr, addr + PAGE_UP (ds.size)))
    return -RAW_EINVAL;
  r = issue_with (t, 2, options.nx_app ? flags & ~(uint64_t) SHM_EXEC_
                                       : flags);
  if (RAW_FAILED (r))
    return r;
  if (flags & SHM_REMAP_)
    flush (r, r + ds.size, "shmat");
  areas_reread (r, r + ds.size);
  if (flags & SHM_EXEC_)
    {
      struct area a;
      if (area_find (r, &a))
        areas_protect (r, r + ds.size, a.prot | AREA_EXEC);
    }
  return r;
}

static long
do_shmdt (struct thread *t)
{
  struct area a;
  app_addr addr = gate_arg (t, 0);
  bool known = area_find (addr, &a);
  long r = gate_issue (t);
  if (r == 0 && known)
    {
      flush (addr, a.end, "shmdt");
      areas_reread (addr, a.end);
    }
  return r;
}

static long
do_remap_file_pages (struct thread *t)
{
  uint64_t addr = gate_arg (t, 0), end = addr + PAGE_UP (gate_arg (t, 1));
  if (engine_owns (addr, end))
    return -RAW_EINVAL;
  dispatch_kernel_writes (addr, end);
  long r = gate_issue (t);
  if (r == 0)
    {
      flush (addr, end, "remap_file_pages");
      areas_reread (addr, end);
    }
  return r;
}

static long
locked (gate_function *f, struct thread *t)
{
  lock_acquire (&maps_lock);
  long r = f (t);
  lock_release (&maps_lock);
  return r;
}

/* See calls.def for these.  */

#define LOCKED(NAME)                                                          \
  long gate_##NAME (struct thread *t) { return locked (do_##NAME, t); }

LOCKED (mmap)
LOCKED (munmap)
LOCKED (mprotect)
LOCKED (mremap)
LOCKED (brk)
LOCKED (madvise)
LOCKED (shmat)
LOCKED (shmdt)
LOCKED (remap_file_pages)
