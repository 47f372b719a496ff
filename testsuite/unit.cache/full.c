/* A region that is full: what is asked of a block in it comes to stand in
   another, and nothing else is lost.  */

#include "little-engine.h"
#include "cache/region.h"
#include "lib/check.h"
#include <string.h>

/* Instructions of ten bytes, and a block begins at each.  */
#define N_PLACES (1u << 18)
static const uint8_t movabs[10] = { 0x48, 0xb8 };
static uint8_t places[N_PLACES][sizeof movabs];

static struct fragment *
block_at (unsigned n, bool indirect)
{
  struct fragment *f;
  app_pc fault;

  return cache_fragment ((app_pc) places[n], FLAVOUR_PLAIN, indirect, &f,
                         &fault) == BUILD_OK ? f : 0;
}

/* Blocks at one place after the other, until the region of *F has no room.
   Returns how many, or 0.  */
static unsigned
fill (const struct fragment *first)
{
  const struct region *r = region_find ((uint64_t) first->entry);
  const struct fragment *f;

  for (unsigned n = 1; n < N_PLACES; n++)
    if (!(f = block_at (n, false)))
      return 0;
    else if (region_find ((uint64_t) f->entry) != r)
      return n;
  return 0;
}

int
main (void)
{
  const struct fragment *first, *other;
  unsigned n, found = 0;

  little_init (0, true);
  for (n = 0; n < N_PLACES; n++)
    memcpy (places[n], movabs, sizeof movabs);
  first = block_at (0, false);
  if (!check (first && !first->prefix, "a block that was not looked up yet"))
    return check_done ();
  n = fill (first);
  if (!check (n, "its region is full after %u blocks", n))
    return check_done ();

  /* The prefixes of those that have none take what room there is.  */
  for (unsigned i = 0; i < n; i++)
    {
      other = block_at (i, true);
      found += other && other->prefix && other->state == FRAGMENT_LIVE
               && other->pc == (app_pc) places[i];
    }
  check (found == n, "%u of %u can be looked up", found, n);
  check (region_find ((uint64_t) block_at (n - 1, true)->entry)
           != region_find ((uint64_t) first->entry),
         "the last in another region");
  check (cache_stats ()->resets == 0, "no reset");
  return check_done ();
}
