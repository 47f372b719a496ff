/* See pages.h.  A fragment that is retired stays in the lists until they are
   next looked through.  A hash of pages; a range of more pages than the hash
   has buckets is looked for bucket by bucket.  */

#include "cache/pages.h"
#include "cache/memory.h"
#include "common/assert.h"

#define N_BUCKETS 4096

struct page
{
  app_addr at;
  struct page *next;
  uint32_t fragments;           /* segment: the first of a list */
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
last_page (const struct segment *s)
{
  return PAGE_DOWN (s->pc + s->app_size - 1);
}

static struct segment *
segment_of (uint32_t number)
{
  return number ? memory_pointer (number) : 0;
}

/* Which of its two places S uses for the list of PAGE.  */
static uint32_t *
next_on (struct segment *s, app_addr page)
{
  return s->page_next + (PAGE_DOWN (s->pc) == page ? 0 : 1);
}

static bool
insert_segment (struct segment *s)
{
  app_addr first = PAGE_DOWN (s->pc), last = last_page (s);
  struct page *a = find_or_add (first);
  struct page *b = last == first ? 0 : find_or_add (last);

  vm_assert (last - first <= PAGE_SIZE);
  if (!a || (last != first && !b))
    return false;
  s->page_next[0] = a->fragments;
  a->fragments = memory_number (s);
  if (b)
    {
      s->page_next[1] = b->fragments;
      b->fragments = memory_number (s);
    }
  return true;
}

/* See pages.h.  */
bool
pages_insert (struct fragment *f)
{
  for (unsigned n = 0; n <= f->n_more; n++)
    if (fragment_segment (f, n)->app_size
        && !insert_segment (fragment_segment (f, n)))
      return false;
  return true;
}

/* Drop what has been retired from the list of PAGE, up to the first that has
   not.  */
static uint32_t *
drop_retired (struct page *page, uint32_t *p)
{
  while (*p && segment_fragment (segment_of (*p))->state == FRAGMENT_RETIRED)
    *p = *next_on (segment_of (*p), page->at);
  return p;
}

static struct fragment *
find_on (struct page *page, app_addr start, app_addr end)
{
  uint32_t *p = drop_retired (page, &page->fragments);

  while (*p)
    {
      struct segment *s = segment_of (*p);
      if (s->pc < end && s->pc + s->app_size > start)
        return segment_fragment (s);
      p = drop_retired (page, next_on (s, page->at));
    }
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
pages_find (app_addr *start, app_addr end)
{
  struct page *p;
  struct fragment *f;

  if ((end - *start) / PAGE_SIZE > N_BUCKETS)
    return find_everywhere (*start, end);
  for (; *start < end; *start = PAGE_DOWN (*start) + PAGE_SIZE)
    if ((p = find (PAGE_DOWN (*start))) && (f = find_on (p, *start, end)))
      return f;
  return 0;
}

/* See pages.h.  */
bool
pages_has (app_addr page)
{
  struct page *p = find (page);
  return p && *drop_retired (p, &p->fragments);
}

/* See pages.h.  */
void
pages_reset (void)
{
  __builtin_memset (buckets, 0, sizeof buckets);
}
