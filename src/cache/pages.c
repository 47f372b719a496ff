/* See pages.h.  A hash of pages; a range of more pages than the hash has
   buckets is looked for bucket by bucket.  */

#include "cache/pages.h"
#include "cache/memory.h"
#include "common/assert.h"

#define N_BUCKETS 4096

struct page
{
  app_addr at;
  struct page *next;
  uint32_t fragments;           /* the first of a list */
};

static struct page *buckets[N_BUCKETS];

static struct page **
bucket (app_addr page)
{
  return buckets + (page / PAGE_SIZE) % N_BUCKETS;
}

static struct page *
find (app_addr at)
{
  struct page *p = *bucket (at);

  while (p && p->at != at)
    p = p->next;
  return p;
}

static struct page *
find_or_add (app_addr at)
{
  struct page *p = find (at);

  if (!p && (p = memory_alloc (sizeof *p)))
    {
      p->at = at;
      p->next = *bucket (at);
      *bucket (at) = p;
    }
  return p;
}

static app_addr
last_page (const struct fragment *f)
{
  return PAGE_DOWN (f->pc + f->app_size - 1);
}

/* See pages.h.  */
bool
pages_insert (struct fragment *f)
{
  app_addr first = PAGE_DOWN (f->pc), last = last_page (f);
  struct page *a = find_or_add (first);
  struct page *b = last == first ? 0 : find_or_add (last);

  vm_assert (last - first <= PAGE_SIZE);
  if (!a || (last != first && !b))
    return false;
  f->page_next[0] = a->fragments;
  a->fragments = memory_number (f);
  if (b)
    {
      f->page_next[1] = b->fragments;
      b->fragments = memory_number (f);
    }
  return true;
}

/* Which of its two places F uses for the list of PAGE.  */
static uint32_t *
next_on (struct fragment *f, app_addr page)
{
  return f->page_next + (PAGE_DOWN (f->pc) == page ? 0 : 1);
}

static void
remove_from (struct page *page, struct fragment *f)
{
  uint32_t *p = &page->fragments;

  while (*p != memory_number (f))
    p = next_on (fragment_of (*p), page->at);
  *p = *next_on (f, page->at);
}

/* See pages.h.  */
void
pages_remove (struct fragment *f)
{
  app_addr first = PAGE_DOWN (f->pc), last = last_page (f);

  remove_from (find (first), f);
  if (last != first)
    remove_from (find (last), f);
}

static struct fragment *
find_on (struct page *page, app_addr start, app_addr end)
{
  for (struct fragment *f = fragment_of (page->fragments); f;
       f = fragment_of (*next_on (f, page->at)))
    if (f->pc < end && f->pc + f->app_size > start)
      return f;
  return 0;
}

static struct fragment *
find_everywhere (app_addr start, app_addr end)
{
  struct fragment *f;

  for (unsigned i = 0; i < N_BUCKETS; i++)
    for (struct page *p = buckets[i]; p; p = p->next)
      if (p->at < end && p->at + PAGE_SIZE > start
          && (f = find_on (p, start, end)))
        return f;
  return 0;
}

/* See pages.h.  */
struct fragment *
pages_find (app_addr start, app_addr end)
{
  struct page *p;
  struct fragment *f;

  if ((end - start) / PAGE_SIZE > N_BUCKETS)
    return find_everywhere (start, end);
  for (app_addr a = PAGE_DOWN (start); a < end; a += PAGE_SIZE)
    if ((p = find (a)) && (f = find_on (p, start, end)))
      return f;
  return 0;
}

/* See pages.h.  */
bool
pages_has (app_addr page)
{
  struct page *p = find (page);
  return p && p->fragments;
}

/* See pages.h.  */
void
pages_reset (void)
{
  __builtin_memset (buckets, 0, sizeof buckets);
}
