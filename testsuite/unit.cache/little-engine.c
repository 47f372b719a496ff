/* See little-engine.h.  */

#define _GNU_SOURCE
#include "little-engine.h"
#include "arch/enter.h"
#include "cache/trace.h"
#include <asm/prctl.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#define STACK_SIZE (1ul << 20)

unsigned long little_dispatches;
enum flavour little_flavour;
bool little_verify, little_no_compare;
unsigned little_threshold;
void (*little_hook) (struct arch_context *c);
void (*little_point) (struct arch_context *c);
struct arch_context *little_context;
static app_pc stop_at;
static jmp_buf back;
static char *data_at;

/* The real engine uses general registers only; this one calls libc, so it
   keeps the vector registers of what runs in the cache.  */
static char vectors[16384] __attribute__ ((aligned (64)));

static void
vectors_save (void)
{
  __asm__ volatile ("xsave64 %0" : "=m"(vectors) : "a"(-1), "d"(-1));
}

static void
vectors_restore (void)
{
  __asm__ volatile ("xrstor64 %0" : : "m"(vectors), "a"(-1), "d"(-1));
}

static bool
map_code (app_pc near, size_t size, cache_pc *rx, uint8_t **rw)
{
  int fd = memfd_create ("code", 0);
  uint64_t base = near ? (near & ~4095ul) - (512ul << 20) : 0;

  if (fd < 0 || ftruncate (fd, (off_t) size) < 0)
    return false;
  *rx = mmap ((void *) base, size, PROT_READ | PROT_EXEC, MAP_SHARED, fd, 0);
  *rw = mmap (0, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  close (fd);
  return *rx != MAP_FAILED && *rw != MAP_FAILED;
}

static void
written (uint8_t *rw, size_t size)
{
  madvise (rw, size, MADV_DONTNEED);
}

static void
soon (void *p, size_t size)
{
  (void) p, (void) size;
}

/* All data lies in one window of 1 GiB.  */
static void *
map_data (size_t size)
{
  void *p;

  if (!data_at)
    data_at = mmap (0, 1ul << 30, PROT_READ | PROT_WRITE,
                    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  p = data_at;
  data_at += (size + 4095) & ~4095ul;
  return p;
}

static bool
extent (app_pc pc, struct memory_extent *x)
{
  x->end = (pc & ~4095ul) + 4096 * 3;
  x->verify = little_verify;
  return true;
}

static const struct memory_calls calls
    = { .map_code = map_code, .written = written, .soon = soon,
        .map_data = map_data,
        .extent = extent };

/* See little-engine.h.  */
void
little_init (size_t size, bool near)
{
  struct cache_options o = { .size = size, .near = near,
                             .trace_threshold = little_threshold,
                             .inline_compare = !little_no_compare };
  char *stack;

  if (little_context)
    {
      cache_reset ();
      cache_init (&calls, &o);
      return;
    }
  cache_init (&calls, &o);
  stack = mmap (0, STACK_SIZE, PROT_READ | PROT_WRITE,
                MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  little_context = aligned_alloc (64, 8192);
  memset (little_context, 0, 8192);
  little_context->self = little_context;
  little_context->engine_rsp = (uint64_t) stack + STACK_SIZE - 64;
  little_context->leave = (uint64_t) arch_leave;
  little_context->lookup_miss = (uint64_t) arch_lookup_miss;
  syscall (SYS_arch_prctl, ARCH_SET_GS, little_context);
}

static void
do_syscall (struct arch_context *c)
{
  uint64_t *g = c->gpr;

  c->rip += 2;
  long r = syscall ((long) g[ARCH_RAX], g[ARCH_RDI], g[ARCH_RSI],
                    g[ARCH_RDX], g[ARCH_R10], g[ARCH_R8], g[ARCH_R9]);
  g[ARCH_RAX] = (uint64_t) r;
  g[ARCH_RCX] = c->rip;
  g[ARCH_R11] = c->rflags;
}

/* The fragment at PC; *E is gone if the cache was reset for it.  */
static struct fragment *
find_fragment (app_pc pc, bool indirect, struct exit **e)
{
  struct fragment *f;
  enum build_status s;
  app_pc fault;

  while ((s = cache_fragment (pc, little_flavour, indirect, &f, &fault))
         == BUILD_FULL)
    {
      cache_reset ();
      *e = 0;
    }
  if (s != BUILD_OK)
    {
      printf ("FAIL: no code at %lx\n", fault);
      exit (1);
    }
  return f;
}

/* See arch/enter.h.  */
void
arch_dispatch (struct arch_context *c, uint64_t number)
{
  struct exit *e = 0;
  struct fragment *f;
  bool indirect = number == ARCH_EXIT_INDIRECT, hot;
  enum trace_arrival how = indirect ? TRACE_ARRIVED_INDIRECT
                                    : TRACE_ARRIVED_ELSE;
  enum trace_next next;

  vectors_save ();
  little_dispatches++;
  if (indirect)
    c->rip = c->target;
  else if (number != ARCH_EXIT_RESUMED)
    {
      e = cache_exit ((uint32_t) number, &hot);
      c->rip = e->target;
      how = hot ? TRACE_ARRIVED_HOT : TRACE_ARRIVED_DIRECT;
      if (e->kind == EXIT_SYSCALL)
        {
          trace_end_at_call (c);
          do_syscall (c);
          how = TRACE_ARRIVED_ELSE;
        }
      else if (e->kind == EXIT_CHANGED)
        cache_flush (e->target, e->target + exit_fragment (e)->app_size);
      else if (e->kind == EXIT_POINT && little_point)
        {
          trace_forget (c);
          how = TRACE_ARRIVED_ELSE;
          little_point (c);
        }
      else if (e->kind != EXIT_DIRECT && e->kind != EXIT_STEPPED)
        {
          printf ("FAIL: exit of kind %d at %lx\n", e->kind, e->target);
          exit (1);
        }
    }
  if (little_hook)
    little_hook (c);
  if (c->rip == stop_at)
    longjmp (back, 1);
  next = trace_next (c, little_flavour, how, &f);
  if (next == TRACE_NO_ROOM)
    {
      cache_reset ();
      e = 0;
    }
  if (next != TRACE_RECORDING)
    f = find_fragment (c->rip, indirect, &e);
  if (e && how == TRACE_ARRIVED_DIRECT)
    cache_link (e, f);
  c->table = (uint64_t) cache_table (little_flavour);
  c->next = (uint64_t) f->entry;
  vectors_restore ();
  arch_enter (c);
}

/* See little-engine.h.  */
void
little_run (struct arch_regs *regs, app_pc stop)
{
  struct arch_context *c = little_context;

  stop_at = stop;
  memcpy (c->gpr, regs->gpr, sizeof c->gpr);
  c->rip = regs->rip;
  c->rflags = regs->rflags;
  if (setjmp (back) == 0)
    arch_restart (c, ARCH_EXIT_RESUMED);
  memcpy (regs->gpr, c->gpr, sizeof c->gpr);
  regs->rip = c->rip;
  regs->rflags = c->rflags;
}

/* See little-engine.h.  */
app_pc
little_begin (struct arch_regs *regs, long (*f) (long, long), long a, long b)
{
  static char stack[1 << 20] __attribute__ ((aligned (64)));
  static const char stop_here[1];
  uint64_t *sp = (uint64_t *) (stack + sizeof stack - 64);

  *--sp = (uint64_t) stop_here;
  *regs = (struct arch_regs){ .rip = (uint64_t) f, .rflags = 0x202 };
  regs->gpr[ARCH_RSP] = (uint64_t) sp;
  regs->gpr[ARCH_RDI] = (uint64_t) a;
  regs->gpr[ARCH_RSI] = (uint64_t) b;
  return (uint64_t) stop_here;
}

/* See little-engine.h.  */
long
little_call (long (*f) (long, long), long a, long b)
{
  struct arch_regs r;
  app_pc stop = little_begin (&r, f, a, b);

  little_run (&r, stop);
  return (long) r.gpr[ARCH_RAX];
}
