/* See code-change.h.  */

#include "engine/code-change.h"
#include "cache/cache.h"
#include "common/log.h"
#include "engine/heap.h"
#include "engine/memory-calls.h"
#include "linux/raw.h"

#define N_BUCKETS 1024
/* Stores to a translated page before it is verified instead.  */
#define MAX_STORES 32
/* A block that begins so close to the end of its page may reach into the
   next one.  */
#define MARGIN 256

enum page_state { PAGE_WRITABLE, PAGE_PROTECTED, PAGE_VERIFIED };

struct code_page
{
  struct code_page *next;
  app_addr at;
  uint32_t state;               /* enum page_state */
  uint32_t stores;              /* faults so far */
  uint64_t mended;              /* when it was last made writable for a store
                                   that faulted for no reason that is left;
                                   0: not since its state changed */
};

static struct code_page *buckets[N_BUCKETS];
static uint32_t n_protected;
static uint64_t clock;          /* counts stores that are tried again */

static struct code_page **
bucket (app_addr page)
{
  return buckets + (page / PAGE_SIZE) % N_BUCKETS;
}

static struct code_page *
find (app_addr addr)
{
  struct code_page *p = *bucket (PAGE_DOWN (addr));

  while (p && p->at != PAGE_DOWN (addr))
    p = p->next;
  return p;
}

static struct code_page *
find_or_add (app_addr addr)
{
  struct code_page *p = find (addr);

  if (!p && (p = heap_alloc (sizeof *p, HEAP_CACHE)))
    {
      p->at = PAGE_DOWN (addr);
      p->next = *bucket (p->at);
      *bucket (p->at) = p;
    }
  return p;
}

static uint64_t
kernel_prot (const struct area *a, bool writable)
{
  return memory_kernel_prot ((a->prot & ~AREA_WRITE)
                             | (writable ? AREA_WRITE : 0));
}

static bool
set_writable (struct code_page *p, const struct area *a, bool writable)
{
  return !RAW_FAILED (raw3 (__NR_mprotect, p->at, PAGE_SIZE,
                            kernel_prot (a, writable)));
}

static void
set_state (struct code_page *p, enum page_state state)
{
  uint32_t n = n_protected + (state == PAGE_PROTECTED)
               - (p->state == PAGE_PROTECTED);
  p->state = state;
  p->mended = 0;
  __atomic_store_n (&n_protected, n, __ATOMIC_RELEASE);
}

/* What A maps may change by no store to A.  */
static bool
changes_elsewhere (const struct area *a)
{
  return a->flags & (AREA_SHARED | AREA_CHANGES);
}

/* The state that the page at ADDR of A is in once it is ready to be
   translated.  Without memory to remember a page by, its code is verified.  */
static enum page_state
prepare_page (app_addr addr, const struct area *a)
{
  struct code_page *p = find_or_add (addr);

  if (!p)
    return PAGE_VERIFIED;
  if (p->state == PAGE_WRITABLE)
    {
      if ((a->prot & AREA_WRITE) && p->stores < MAX_STORES
          && !changes_elsewhere (a) && set_writable (p, a, false))
        set_state (p, PAGE_PROTECTED);
      else
        set_state (p, PAGE_VERIFIED);
    }
  return p->state;
}

/* See code-change.h.  */
void
code_change_prepare (app_pc pc, const struct area *a, struct memory_extent *x)
{
  app_addr page = PAGE_DOWN (pc), next = page + PAGE_SIZE;
  bool stable = !(a->prot & AREA_WRITE) && !changes_elsewhere (a);
  bool verify;

  x->end = a->end;
  x->verify = false;
  if (stable)
    return;
  verify = prepare_page (page, a) == PAGE_VERIFIED;
  if (pc + MARGIN > next && next < a->end)
    verify |= prepare_page (next, a) == PAGE_VERIFIED;
  else
    x->end = next;
  x->verify = verify;
}

static void
retire_page (const struct code_page *p, const char *why)
{
  unsigned n = cache_flush (p->at, p->at + PAGE_SIZE);
  LOG (FLUSH, "%u fragments of page %#lx: %s", n, p->at, why);
}

/* A store to P, which is not protected, and which A says can be written to,
   has faulted: another thread was faster, or the protection outlived its
   reason.  The page is made writable, which is no more than it should be; a
   thread that has been told so and faults again has a fault of its own.  */
static enum code_fault
try_again (struct code_page *p, const struct area *a, uint64_t *tried)
{
  if (p->mended && *tried >= p->mended)
    return CODE_FAULT_OTHER;
  if (!p->mended)
    {
      set_writable (p, a, true);
      p->mended = ++clock;
    }
  *tried = ++clock;
  return CODE_FAULT_RETRY;
}

/* See code-change.h.  */
enum code_fault
code_change_store (app_pc pc, app_addr addr, uint64_t *tried)
{
  struct code_page *p = find (addr);
  struct area a;
  bool own = PAGE_DOWN (pc) == PAGE_DOWN (addr);

  if (!p || !area_find (addr, &a) || !(a.prot & AREA_WRITE))
    return CODE_FAULT_OTHER;
  if (p->state != PAGE_PROTECTED)
    return try_again (p, &a, tried);
  p->stores++;
  retire_page (p, own ? "a store of its own" : "a store");
  set_writable (p, &a, true);
  set_state (p, own || p->stores >= MAX_STORES ? PAGE_VERIFIED
                                               : PAGE_WRITABLE);
  return own ? CODE_FAULT_RESTART : CODE_FAULT_RETRY;
}

/* See code-change.h.  */
bool
code_change_any (void)
{
  return __atomic_load_n (&n_protected, __ATOMIC_ACQUIRE) != 0;
}

/* Do LIFT, or else forget, to each page of [START, END).  */
static void
for_pages (app_addr start, app_addr end,
           void (*visit) (struct code_page *p))
{
  struct code_page *p;

  if ((end - start) / PAGE_SIZE < N_BUCKETS)
    {
      for (app_addr a = PAGE_DOWN (start); a < end; a += PAGE_SIZE)
        if ((p = find (a)))
          visit (p);
      return;
    }
  for (unsigned i = 0; i < N_BUCKETS; i++)
    for (p = buckets[i]; p; p = p->next)
      if (p->at + PAGE_SIZE > start && p->at < end)
        visit (p);
}

static void
lift_page (struct code_page *p)
{
  struct area a;

  if (p->state != PAGE_PROTECTED || !area_find (p->at, &a))
    return;
  p->stores++;
  retire_page (p, "the kernel writes there");
  set_writable (p, &a, true);
  set_state (p, PAGE_WRITABLE);
}

static void
forget_page (struct code_page *p)
{
  set_state (p, PAGE_WRITABLE);
}

/* See code-change.h.  */
void
code_change_lift (app_addr start, app_addr end)
{
  for_pages (start, end, lift_page);
}

/* See code-change.h.  */
void
code_change_forget (app_addr start, app_addr end)
{
  for_pages (start, end, forget_page);
}
