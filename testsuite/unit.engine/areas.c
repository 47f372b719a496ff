/* The application's memory map against a model that has a cell for each page:
   random changes, after each of which every page and every border agree.  */

#define _GNU_SOURCE
#include <asm/prctl.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "engine/areas.h"
#include "engine/heap.h"
#include "engine/thread.h"
#include "lib/check.h"

#define BASE 0x10000000ull
#define N_PAGES 200u
#define N_ROUNDS 20000

struct cell
{
  bool mapped;
  unsigned prot, flags;
  uint64_t inode, offset;
};

static struct cell model[N_PAGES];
static struct thread self;

static app_addr
page (unsigned n)
{
  return BASE + n * PAGE_SIZE;
}

static void
model_map (unsigned first, unsigned n, const struct area *a)
{
  for (unsigned i = 0; i < n; i++)
    model[first + i] = (struct cell){
      .mapped = true,
      .prot = a->prot,
      .flags = a->flags | (a->prot & AREA_EXEC ? AREA_WAS_EXEC : 0),
      .inode = a->inode,
      .offset = a->flags & AREA_FILE ? a->offset + i * PAGE_SIZE : 0,
    };
}

static bool
page_agrees (unsigned n)
{
  struct area a;
  const struct cell *m = &model[n];
  if (area_find (page (n) + rand () % PAGE_SIZE, &a) != m->mapped)
    return false;
  if (!m->mapped)
    return true;
  uint64_t offset = a.flags & AREA_FILE ? a.offset + page (n) - a.start : 0;
  return a.prot == m->prot && a.flags == m->flags && a.inode == m->inode
         && offset == m->offset;
}

/* Sorted, not empty, and no two neighbours that continue each other.  */
static bool
shape_holds (void)
{
  struct area a, before = { 0 };
  for (app_addr at = 0; area_next (at, &a); at = a.end)
    {
      if (a.start >= a.end || a.start < before.end)
        return false;
      if (a.start == before.end && a.prot == before.prot
          && a.flags == before.flags && a.inode == before.inode
          && (!(a.flags & AREA_FILE)
              || before.offset + (before.end - before.start) == a.offset))
        return false;
      before = a;
    }
  return true;
}

static bool
all_agrees (void)
{
  for (unsigned n = 0; n < N_PAGES; n++)
    if (!page_agrees (n))
      return false;
  return shape_holds ();
}

static void
change_map (unsigned first, unsigned n)
{
  struct area a = { .prot = rand () % 8, .flags = rand () & AREA_SHARED };
  if (rand () & 1)
    {
      a.flags |= AREA_FILE;
      a.inode = 1 + rand () % 3;
      a.offset = (uint64_t) (rand () % 8) * PAGE_SIZE;
    }
  areas_map (page (first), page (first + n), &a);
  model_map (first, n, &a);
}

static void
change_unmap (unsigned first, unsigned n)
{
  areas_unmap (page (first), page (first + n));
  memset (model + first, 0, n * sizeof *model);
}

static void
change_protect (unsigned first, unsigned n)
{
  unsigned prot = rand () % 8;
  areas_protect (page (first), page (first + n), prot);
  for (unsigned i = first; i < first + n; i++)
    if (model[i].mapped)
      {
        model[i].prot = prot;
        model[i].flags |= prot & AREA_EXEC ? AREA_WAS_EXEC : 0;
      }
}

static void
change_flag (unsigned first, unsigned n)
{
  bool set = rand () & 1;
  areas_flag (page (first), page (first + n), AREA_GUARDED, set);
  for (unsigned i = first; i < first + n; i++)
    if (model[i].mapped)
      model[i].flags = set ? model[i].flags | AREA_GUARDED
                           : model[i].flags & ~AREA_GUARDED;
}

/* Move N pages elsewhere, where they do not overlap, as a larger or smaller
   mapping; the kernel moves one mapping only.  */
static void
change_move (unsigned first, unsigned n)
{
  struct cell old[N_PAGES];
  struct area a;
  unsigned to = rand () % (N_PAGES / 2), size = 1 + rand () % 20;
  bool keep = rand () % 4 == 0;
  if (!area_find (page (first), &a) || a.end < page (first + n)
      || (to < first + n && first < to + size))
    return;
  memcpy (old, model + first, n * sizeof *old);
  areas_move (page (first), n * PAGE_SIZE, page (to), size * PAGE_SIZE, keep);
  if (!keep)
    memset (model + first, 0, n * sizeof *model);
  for (unsigned i = 0; i < size; i++)
    {
      model[to + i] = old[i < n ? i : n - 1];
      if (i >= n && (old[0].flags & AREA_FILE))
        model[to + i].offset = old[0].offset + i * PAGE_SIZE;
    }
}

static void
test_random (unsigned seed)
{
  static void (*const change[]) (unsigned, unsigned)
    = { change_map, change_map, change_map, change_unmap, change_protect,
        change_flag, change_move };
  srand (seed);
  for (unsigned round = 0; round < N_ROUNDS; round++)
    {
      unsigned which = rand () % ARRAY_SIZE (change);
      unsigned first = rand () % (N_PAGES - 30), n = 1 + rand () % 30;
      change[which](first, n);
      if (!all_agrees ())
        {
          check (false, "random changes, seed %#x, round %u, change %u", seed,
                 round, which);
          return;
        }
    }
  check (true, "random changes, seed %#x", seed);
}

static bool
owns_none (uint64_t start, uint64_t end)
{
  (void) start, (void) end;
  return false;
}

static void
test_real (void)
{
  struct area a;
  static int variable;
  areas_unmap (0, UINT64_MAX & ~(PAGE_SIZE - 1));
  check (areas_count () == 0, "empty");
  check (areas_init (owns_none), "the kernel's map is read");
  check (area_executable ((app_pc) test_real, &a)
           && (a.flags & AREA_FILE) && !(a.prot & AREA_WRITE),
         "this function is executable");
  check (area_find ((app_addr) &variable, &a) && (a.prot & AREA_WRITE)
           && !(a.prot & AREA_EXEC),
         "this variable is not");
  check (area_find ((app_addr) &a, &a) && (a.flags & AREA_STACK),
         "this is the stack");
  check (!area_executable ((app_pc) &a, &a), "the stack is not executable");
}

int
main (void)
{
  unsigned seed = check_seed ();

  self.context.self = &self.context;
  syscall (SYS_arch_prctl, ARCH_SET_GS, &self);
  heap_init (0x7e9000000000, 0x7e9000001000, 0x7f0000000000);
  test_random (seed);
  test_real ();
  return check_done ();
}
