/* The application's memory map.  See areas.h.

   A sorted array, searched by halving: a map changes thousands of times less
   often than it is asked about, and has a few hundred areas.  Every change is
   made of three steps: split at both ends, edit what lies between, join
   neighbours that now continue each other.  */

#include "engine/areas.h"
#include "common/assert.h"
#include "common/log.h"
#include "common/string.h"
#include "engine/heap.h"
#include "engine/lock.h"
#include "linux/raw.h"

/* For the log: C where SET has BIT.  */
#define LETTER(SET, BIT, C) ((SET) & (BIT) ? (C) : '-')

static struct lock areas_lock = LOCK_INIT (LOCK_RANK_AREAS);
static struct area *areas;
static unsigned n_areas, capacity;
static bool (*owned) (uint64_t start, uint64_t end);

/* Index of the first area that ends above ADDR; n_areas: none.  */

static unsigned
index_of (app_addr addr)
{
  unsigned low = 0, high = n_areas;
  while (low < high)
    {
      unsigned mid = (low + high) / 2;
      if (areas[mid].end > addr)
        high = mid;
      else
        low = mid + 1;
    }
  return low;
}

static void
reserve_one (void)
{
  if (n_areas < capacity)
    return;
  unsigned more = capacity ? capacity * 2 : 128;
  struct area *p = heap_resize (areas, capacity * sizeof *areas,
                                more * sizeof *areas, HEAP_AREAS);
  vm_assert (p);
  areas = p;
  capacity = more;
}

static void
insert (unsigned i, const struct area *a)
{
  reserve_one ();
  memmove (areas + i + 1, areas + i, (n_areas - i) * sizeof *areas);
  areas[i] = *a;
  n_areas++;
}

static void
erase (unsigned i, unsigned n)
{
  memmove (areas + i, areas + i + n, (n_areas - i - n) * sizeof *areas);
  n_areas -= n;
}

/* Move A's start to START, its offset with it.  */

static void
set_start (struct area *a, app_addr start)
{
  if (a->flags & AREA_FILE)
    a->offset += start - a->start;
  a->start = start;
}

/* Make ADDR a border between areas, if it lies inside one.  Returns the index
   of the first area that starts at or above ADDR.  */

static unsigned
split (app_addr addr)
{
  unsigned i = index_of (addr);
  if (i == n_areas || areas[i].start >= addr)
    return i;
  struct area upper = areas[i];
  set_start (&upper, addr);
  areas[i].end = addr;
  insert (i + 1, &upper);
  return i + 1;
}

static bool
continues (const struct area *a, const struct area *b)
{
  return a->end == b->start && a->prot == b->prot && a->flags == b->flags
         && a->device == b->device && a->inode == b->inode
         && (!(a->flags & AREA_FILE)
             || a->offset + (a->end - a->start) == b->offset);
}

/* Join areas I - 1 and I if they continue each other.  */

static bool
join (unsigned i)
{
  if (i == 0 || i >= n_areas || !continues (&areas[i - 1], &areas[i]))
    return false;
  areas[i - 1].end = areas[i].end;
  erase (i, 1);
  return true;
}

/* Join all that can be joined from FIRST to LAST, borders included.  */

static void
join_range (unsigned first, unsigned last)
{
  for (unsigned i = MIN (last, n_areas) + 1; i-- > first;)
    join (i);
}

static void
unmap (app_addr start, app_addr end)
{
  if (start >= end)
    return;
  unsigned first = split (start);
  unsigned last = split (end);
  erase (first, last - first);
}

static void
map (app_addr start, app_addr end, const struct area *a)
{
  if (start >= end)
    return;
  unmap (start, end);
  struct area new = *a;
  new.start = start;
  new.end = end;
  if (new.prot & AREA_EXEC)
    new.flags |= AREA_WAS_EXEC;
  unsigned i = index_of (start);
  insert (i, &new);
  join_range (i, i + 1);
}

/* See areas.h.  */

bool
area_find (app_addr addr, struct area *a)
{
  lock_acquire (&areas_lock);
  unsigned i = index_of (addr);
  bool found = i < n_areas && areas[i].start <= addr;
  if (found)
    *a = areas[i];
  lock_release (&areas_lock);
  return found;
}

/* See areas.h.  */

bool
area_next (app_addr addr, struct area *a)
{
  lock_acquire (&areas_lock);
  unsigned i = index_of (addr);
  bool found = i < n_areas;
  if (found)
    *a = areas[i];
  lock_release (&areas_lock);
  return found;
}

/* See areas.h.  */

void
areas_map (app_addr start, app_addr end, const struct area *a)
{
  LOG (MEMORY, "mapped %lx-%lx %c%c%c%c", PAGE_DOWN (start), PAGE_UP (end),
       LETTER (a->prot, AREA_READ, 'r'), LETTER (a->prot, AREA_WRITE, 'w'),
       LETTER (a->prot, AREA_EXEC, 'x'),
       a->flags & AREA_SHARED ? 's' : 'p');
  lock_acquire (&areas_lock);
  map (PAGE_DOWN (start), PAGE_UP (end), a);
  lock_release (&areas_lock);
}

/* See areas.h.  */

void
areas_unmap (app_addr start, app_addr end)
{
  LOG (MEMORY, "unmapped %lx-%lx", PAGE_DOWN (start), PAGE_UP (end));
  lock_acquire (&areas_lock);
  unmap (PAGE_DOWN (start), PAGE_UP (end));
  lock_release (&areas_lock);
}

/* See areas.h.  */

void
areas_protect (app_addr start, app_addr end, unsigned prot)
{
  LOG (MEMORY, "protected %lx-%lx %c%c%c", PAGE_DOWN (start), PAGE_UP (end),
       LETTER (prot, AREA_READ, 'r'), LETTER (prot, AREA_WRITE, 'w'),
       LETTER (prot, AREA_EXEC, 'x'));
  lock_acquire (&areas_lock);
  unsigned first = split (PAGE_DOWN (start));
  unsigned last = split (PAGE_UP (end));
  for (unsigned i = first; i < last; i++)
    {
      areas[i].prot = prot;
      if (prot & AREA_EXEC)
        areas[i].flags |= AREA_WAS_EXEC;
    }
  join_range (first, last);
  lock_release (&areas_lock);
}

/* See areas.h.  */

void
areas_flag (app_addr start, app_addr end, unsigned flag, bool set)
{
  lock_acquire (&areas_lock);
  unsigned first = split (PAGE_DOWN (start));
  unsigned last = split (PAGE_UP (end));
  for (unsigned i = first; i < last; i++)
    areas[i].flags = set ? areas[i].flags | flag : areas[i].flags & ~flag;
  join_range (first, last);
  lock_release (&areas_lock);
}

/* Map at NEW what is mapped at OLD, for SIZE bytes; *LAST becomes a copy of
   the last piece as it stands at the new place.  */

static void
copy_pieces (app_addr old, app_addr new, uint64_t size, struct area *last)
{
  app_addr at = old;
  while (at < old + size)
    {
      unsigned i = index_of (at);
      if (i == n_areas || areas[i].start >= old + size)
        return;
      struct area piece = areas[i];
      if (piece.start < at)
        set_start (&piece, at);
      at = MIN (piece.end, old + size);
      *last = piece;
      last->start = piece.start - old + new;
      last->end = at - old + new;
      map (last->start, last->end, &piece);
    }
}

static void
move (app_addr old, uint64_t old_size, app_addr new, uint64_t new_size,
      bool keep)
{
  struct area last = { 0 };
  uint64_t common = MIN (old_size ? old_size : PAGE_SIZE, new_size);
  if (new != old)
    {
      unmap (new, new + new_size);
      copy_pieces (old, new, common, &last);
    }
  else
    {
      unsigned i = index_of (old + common - 1);
      if (i == n_areas)
        return;
      last = areas[i];
      unmap (new + new_size, old + old_size);
    }
  if (new_size > common)
    {
      if (last.flags & AREA_FILE)
        last.offset += new + common - last.start;
      map (new + common, new + new_size, &last);
    }
  if (new != old && !keep)
    unmap (old, old + old_size);
}

/* See areas.h.  */

void
areas_move (app_addr old, uint64_t old_size, app_addr new, uint64_t new_size,
            bool keep)
{
  LOG (MEMORY, "moved %lx-%lx to %lx-%lx", old, old + PAGE_UP (old_size), new,
       new + PAGE_UP (new_size));
  lock_acquire (&areas_lock);
  move (old, PAGE_UP (old_size), new, PAGE_UP (new_size), keep);
  lock_release (&areas_lock);
}

/* See areas.h.  */

bool
areas_were_executable (app_addr start, app_addr end)
{
  bool was = false;
  lock_acquire (&areas_lock);
  for (unsigned i = index_of (start);
       i < n_areas && areas[i].start < end && !was; i++)
    was = areas[i].flags & AREA_WAS_EXEC;
  lock_release (&areas_lock);
  return was;
}

/* See areas.h.  */

unsigned
areas_count (void)
{
  return __atomic_load_n (&n_areas, __ATOMIC_RELAXED);
}

/* Reading /proc/self/maps.  */

static unsigned
prot_of (const char *s)
{
  return (s[0] == 'r' ? AREA_READ : 0) | (s[1] == 'w' ? AREA_WRITE : 0)
         | (s[2] == 'x' ? AREA_EXEC : 0);
}

static unsigned
flags_of (const char *prot, const char *path, const struct area *a)
{
  unsigned flags = prot[3] == 's' ? AREA_SHARED : 0;
  if (a->inode || a->device)
    flags |= AREA_FILE;
  static const struct { char name[16]; uint8_t flag; } special[] = {
    { "[stack]", AREA_STACK },   { "[heap]", AREA_HEAP },
    { "[vdso]", AREA_VDSO },     { "[vsyscall]", AREA_VSYSCALL },
  };
  for (unsigned i = 0; i < ARRAY_SIZE (special); i++)
    if (string_has_prefix (path, special[i].name))
      flags |= special[i].flag;
  return flags;
}

/* Fill in *A from one LINE of the file, ended by END:
   start-end rwxp offset major:minor inode path.  */

static bool
parse_line (const char *line, const char *end, struct area *a)
{
  uint64_t major, minor;
  *a = (struct area) { 0 };
  const char *s = string_number (line, end, 16, &a->start);
  if (s == line || end - s < 8)
    return false;
  s = string_number (s + 1, end, 16, &a->end);
  const char *prot = s + 1;
  s = string_number (prot + 5, end, 16, &a->offset);
  s = string_number (s + 1, end, 16, &major);
  s = string_number (s + 1, end, 16, &minor);
  s = string_number (s + 1, end, 10, &a->inode);
  while (s < end && *s == ' ')
    s++;
  a->device = major << 20 | minor;
  a->prot = prot_of (prot);
  a->flags = flags_of (prot, s, a);
  if (!(a->flags & AREA_FILE))
    a->offset = 0;
  return true;
}

/* Clip A to [START, END) and enter it, but for what is the engine's.  */

static void
enter (struct area *a, app_addr start, app_addr end)
{
  if (a->start < start)
    set_start (a, start);
  a->end = MIN (a->end, end);
  if (a->start < a->end && !owned (a->start, a->end))
    map (a->start, a->end, a);
}

/* Enter the whole lines of the N bytes at TEXT; returns how many bytes they
   have.  A newline stands behind them, so that parse_line may look at the
   byte at END.  */

static size_t
enter_lines (const char *text, size_t n, app_addr start, app_addr end)
{
  size_t done = 0;
  for (size_t i = 0; i < n; i++)
    if (text[i] == '\n')
      {
        struct area a;
        if (parse_line (text + done, text + i, &a))
          enter (&a, start, end);
        done = i + 1;
      }
  return done;
}

/* The first number of each line is what is wanted; lines are in order.  */
static uint64_t
first_start_above (long fd, uint64_t addr)
{
  static char text[4096];
  bool in_number = true;
  uint64_t start = 0;
  long n;
  while ((n = raw3 (__NR_read, fd, RAW_PTR (text), sizeof text)) > 0)
    for (const char *s = text; s < text + n; s++)
      if (*s == '\n')
        {
          in_number = true;
          start = 0;
        }
      else if (in_number && *s == '-')
        {
          if (start >= addr)
            return start;
          in_number = false;
        }
      else if (in_number)
        start = start << 4 | ((*s & 15) + (*s > '9' ? 9 : 0));
  return 1ul << 47;
}

static const char maps_path[] = "/proc/self/maps";

/* See areas.h.  */

uint64_t
areas_first_above (uint64_t addr)
{
  long fd = raw4 (__NR_openat, RAW_AT_FDCWD, RAW_PTR (maps_path),
                  RAW_O_RDONLY | RAW_O_CLOEXEC, 0);
  if (fd < 0)
    return addr;
  uint64_t start = first_start_above (fd, addr);
  raw3 (__NR_close, fd, 0, 0);
  return start;
}

#define MAPS_BUFFER (64 * 1024ul)

static bool
read_maps (app_addr start, app_addr end)
{
  long fd = raw4 (__NR_openat, RAW_AT_FDCWD, RAW_PTR (maps_path),
                  RAW_O_RDONLY | RAW_O_CLOEXEC, 0);
  if (fd < 0)
    return false;
  char *buffer = heap_pages (MAPS_BUFFER, false, HEAP_AREAS);
  size_t have = 0;
  long n = 0;
  while (buffer
         && (n = raw3 (__NR_read, fd, RAW_PTR (buffer + have),
                       MAPS_BUFFER - have)) > 0)
    {
      have += n;
      size_t done = enter_lines (buffer, have, start, end);
      memmove (buffer, buffer + done, have - done);
      have -= done;
    }
  raw3 (__NR_close, fd, 0, 0);
  if (buffer)
    heap_pages_free (buffer, MAPS_BUFFER, false, HEAP_AREAS);
  return buffer && n == 0;
}

/* See areas.h.  */

bool
areas_init (bool (*is_owned) (uint64_t start, uint64_t end))
{
  owned = is_owned;
  lock_acquire (&areas_lock);
  bool done = read_maps (0, UINT64_MAX);
  lock_release (&areas_lock);
  return done;
}

/* See areas.h.  */

void
areas_reread (app_addr start, app_addr end)
{
  lock_acquire (&areas_lock);
  unmap (PAGE_DOWN (start), PAGE_UP (end));
  read_maps (PAGE_DOWN (start), PAGE_UP (end));
  lock_release (&areas_lock);
}

/* ADDR is below a stack that may have grown down to it.  */

static bool
may_have_grown (app_addr addr, app_addr *start)
{
  struct area a;
  if (!area_next (addr, &a) || !(a.flags & AREA_STACK) || a.start <= addr)
    return false;
  *start = a.start;
  return true;
}

/* See areas.h.  */

bool
area_executable (app_pc pc, struct area *a)
{
  app_addr start;
  if (!area_find (pc, a))
    {
      if (!may_have_grown (pc, &start))
        return false;
      areas_reread (pc, start);
      if (!area_find (pc, a))
        return false;
    }
  return (a->prot & AREA_EXEC) && !(a->flags & AREA_VSYSCALL);
}

/* See areas.h.  */

void
areas_before_fork (void)
{
  lock_acquire (&areas_lock);
}

/* See areas.h.  */

void
areas_after_fork (void)
{
  lock_release (&areas_lock);
}
