/* Steps through repeated string instructions: in FLAVOUR_STEP each is one
   turn, as the processor's own single steps are, with which every state is
   compared; in FLAVOUR_WHOLE all turns are one.  And the state in the cache
   between a turn and its count.  */

#define _GNU_SOURCE
#include "little-engine.h"
#include "lib/check.h"
#include <signal.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#define MAX_STATES 4096
#define FLAGS_COMPARED 0xcd5ul

struct state
{
  uint64_t rip, rcx, rsi, rdi, flags;
};
struct states
{
  unsigned n;
  struct state s[MAX_STATES];
};
static struct states native, cached;

static char from[256], to[256];

/* Each of these with COUNT and buffers that differ at the ninth byte, so that
   cmps and scas end before their count.  The flags begin with ZF.  */
#define FORM(NAME, CODE)                                                      \
  static long __attribute__ ((noinline, no_stack_protector))                  \
  NAME (long count, long unused)                                              \
  {                                                                           \
    char *s = from, *d = to;                                                  \
    (void) unused;                                                            \
    __asm__ volatile ("cmp %%eax, %%eax; " CODE                               \
                      : "+S"(s), "+D"(d), "+c"(count)                         \
                      : "a"(1)                                                \
                      : "memory", "cc");                                      \
    return count + (s - from) * 1000 + (d - to) * 1000000;                    \
  }
FORM (movsb, "rep movsb")
FORM (movsq, "rep movsq")
FORM (stosw, "rep stosw")
FORM (lodsb_back, "std; rep lodsb; cld")
FORM (cmps_equal, "repe cmpsb")
FORM (cmps_not, "repne cmpsb")
FORM (scas_equal, "repe scasb")
FORM (scas_not, "repne scasb")

static const struct form
{
  const char *name;
  long (*f) (long, long);
} forms[] = {
  { "rep movsb", movsb },        { "rep movsq", movsq },
  { "rep stosw", stosw },        { "rep lodsb, backwards", lodsb_back },
  { "repe cmpsb", cmps_equal },  { "repne cmpsb", cmps_not },
  { "repe scasb", scas_equal },  { "repne scasb", scas_not },
};

static void
prepare (void)
{
  memset (from, 1, sizeof from);
  memset (to, 1, sizeof to);
  from[8] = 2;
  to[9] = 3;
}

static void
add (struct states *all, const struct state *s)
{
  if (all->n < MAX_STATES)
    all->s[all->n++] = *s;
}

/* The states of F (COUNT), instruction by instruction, by single steps.  */
static long
step_natively (long (*f) (long, long), long count)
{
  struct user_regs_struct r;
  bool inside = false;
  int status, pid = fork ();

  if (pid == 0)
    {
      long result;
      ptrace (PTRACE_TRACEME, 0, 0, 0);
      raise (SIGSTOP);
      result = f (count, 0);
      write (STDOUT_FILENO, "", 0);
      _exit (result & 127);
    }
  native.n = 0;
  waitpid (pid, &status, 0);
  while (WIFSTOPPED (status))
    {
      ptrace (PTRACE_GETREGS, pid, 0, &r);
      inside |= r.rip == (uint64_t) f;
      if (inside && r.rip - (uint64_t) f < 256)
        add (&native, &(struct state){ r.rip, r.rcx, r.rsi, r.rdi,
                                       r.eflags & FLAGS_COMPARED });
      ptrace (inside && r.rip - (uint64_t) f >= 256 ? PTRACE_CONT
                                                    : PTRACE_SINGLESTEP,
              pid, 0, 0);
      waitpid (pid, &status, 0);
    }
  return WEXITSTATUS (status);
}

static uint64_t the_function;

static void
note_state (struct arch_context *c)
{
  if (c->rip - the_function < 256)
    add (&cached, &(struct state){ c->rip, c->gpr[ARCH_RCX],
                                   c->gpr[ARCH_RSI], c->gpr[ARCH_RDI],
                                   c->rflags & FLAGS_COMPARED });
}

static long
run_cached (long (*f) (long, long), long count, enum flavour flavour)
{
  long result;

  cached.n = 0;
  the_function = (uint64_t) f;
  little_flavour = flavour;
  little_hook = note_state;
  result = little_call (f, count, 0);
  little_hook = NULL;
  return result;
}

static bool
is_repeated (uint64_t rip)
{
  const uint8_t *b = (const uint8_t *) rip;

  b += b[0] == 0x66;
  return (b[0] | 1) == 0xf3 && b[1] != 0x0f;
}

static bool
same (const struct state *a, const struct state *b, bool all)
{
  return a->rip == b->rip
         && (!all || (a->rcx == b->rcx && a->rsi == b->rsi
                      && a->rdi == b->rdi && a->flags == b->flags));
}

/* The first state that is not the processor's.  What the function finds in its
   registers is not compared, before they are loaded.  */
static unsigned
first_difference (unsigned *turns)
{
  unsigned n;

  *turns = 0;
  for (n = 0; n < native.n && n < cached.n; n++)
    {
      *turns += is_repeated (native.s[n].rip);
      if (!same (native.s + n, cached.s + n, *turns))
        break;
    }
  return n;
}

static void
compare_steps (const struct form *form, long count)
{
  unsigned n, turns, n_whole;
  long result, whole;

  prepare ();
  result = step_natively (form->f, count);
  prepare ();
  whole = run_cached (form->f, count, FLAVOUR_WHOLE);
  n_whole = cached.n;
  prepare ();
  check (whole == run_cached (form->f, count, FLAVOUR_STEP)
           && (whole & 127) == result,
         "%s, %ld: the same result", form->name, count);
  n = first_difference (&turns);
  check (n == native.n && n == cached.n, "%s, %ld: %u of %u states",
         form->name, count, n, native.n);
  check (n_whole == native.n - turns + 1, "%s, %ld: %u turns in one",
         form->name, count, turns);
}

/* The state behind a turn of CODE and in front of its count, RCX turns being
   left before it.  */
static void
between (const char *name, const uint8_t *code, unsigned length, uint64_t rcx,
         uint64_t flags, bool goes_on, uint64_t then)
{
  static uint8_t place[64];
  struct arch_regs machine = { .rflags = flags }, app;
  struct fragment *f;
  app_pc fault;
  unsigned n = 0;

  memcpy (place, code, length);
  place[length] = 0xc3;
  cache_flush ((uint64_t) place, (uint64_t) place + sizeof place);
  if (!check (cache_fragment ((uint64_t) place, FLAVOUR_STEP, false, &f,
                              &fault) == BUILD_OK, "%s: built", name))
    return;
  while (n < f->n_notes && fragment_notes (f)[n].kind != ARCH_NOTE_TURN)
    n++;
  if (!check (n < f->n_notes, "%s: has a turn", name))
    return;
  machine.gpr[ARCH_RCX] = rcx;
  machine.rip = (uint64_t) f->entry + fragment_notes (f)[n].at;
  check (cache_translate (little_context, &machine, &app)
           && app.rip == (uint64_t) place + (goes_on ? 0 : length)
           && app.gpr[ARCH_RCX] == then,
         "%s, %lu left, flags %lx", name, rcx, flags);
}

static void
translations (void)
{
  static const uint8_t movs[] = { 0xf3, 0xa4 }, cmpse[] = { 0xf3, 0xa6 },
                       scasne[] = { 0xf2, 0x48, 0xaf },
                       short_stos[] = { 0x67, 0xf3, 0xaa };

  between ("rep movsb", movs, 2, 5, 0, true, 4);
  between ("rep movsb", movs, 2, 1, 0, false, 0);
  between ("repe cmpsb", cmpse, 2, 5, FLAG_ZF, true, 4);
  between ("repe cmpsb", cmpse, 2, 5, 0, false, 4);
  between ("repe cmpsb", cmpse, 2, 1, FLAG_ZF, false, 0);
  between ("repne scasq", scasne, 3, 5, 0, true, 4);
  between ("repne scasq", scasne, 3, 5, FLAG_ZF, false, 4);
  between ("rep stosb, ecx", short_stos, 3, 0, 0, true, 0xffffffff);
  between ("rep stosb, ecx", short_stos, 3, 1, 0, false, 0);
}

int
main (void)
{
  little_init (0, true);
  for (unsigned n = 0; n < ARRAY_SIZE (forms); n++)
    for (long count = 0; count < 20; count += count < 2 ? 1 : 15)
      compare_steps (forms + n, count);
  translations ();
  return check_done ();
}
