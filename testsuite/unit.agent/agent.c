/* Agent expressions: what is compiled against an interpreter written for the
   purpose, over random expressions, and each operation by itself.

   The compiled code runs as it would inline in the cache: %gs:0 is a thread's
   context, %rsp points to a page that cannot be touched, DF is set.  On
   return every register that the code may not change must be as it was, and
   reads that fault must go to the error exit with their address.  */

#define _GNU_SOURCE
#include <asm/prctl.h>
#include <signal.h>
#include <stdarg.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/ucontext.h>
#include <sys/uio.h>
#include <unistd.h>
#include "lib/check.h"
#include "agent/agent.h"
#include "arch/decode.h"

#define MAX_LENGTH 4000
#define MAX_EVENTS 4000
#define CODE_SIZE (1 << 20)
#define STACK_SIZE (1 << 16)
#define N_VARIABLES 8

/* What hooks were asked for, and with what: the two runs must agree.  */
struct event
{
  unsigned what;
  uint64_t a, b;
};

struct outcome
{
  enum agent_error error;
  uint64_t about;
  bool yes;
  bool outside;                 /* it read memory that is not the test's */
  unsigned n_events;
  struct event events[MAX_EVENTS];
  uint64_t variables[N_VARIABLES];
};

static uint8_t *code_at, *engine_stack, *no_page, *data;
static struct arch_context context;
static struct agent_code compiled;
static struct outcome native, model;
static struct agent_fault faults[MAX_LENGTH];
static uint8_t heights[0x10000];
static uint32_t notes[0x10000];
static struct bytecode_map map = { heights, notes };
static struct bytecode_info info;
static bool covered[256];

/* Hooks.  Both runs use them; WHERE is which is running.  */

static struct outcome *where;
#define COOKIE 0x123456789abcdefull

static void
record (unsigned what, uint64_t a, uint64_t b)
{
  if (__builtin_ia32_readeflags_u64 () & FLAG_DF)
    abort ();
  if (where->n_events < MAX_EVENTS)
    where->events[where->n_events++] = (struct event) { what, a, b };
}

static bool
is_data (app_addr addr, uint64_t size)
{
  return addr >= (uint64_t) data && addr < (uint64_t) data + 4096
         && size <= (uint64_t) data + 4096 - addr;
}

/* What certainly cannot be read.  */
static bool
is_bad (app_addr addr, uint64_t size)
{
  return addr < 4096 || (int64_t) addr << 16 >> 16 != (int64_t) addr
         || (addr + size > (uint64_t) no_page
             && addr < (uint64_t) no_page + 2 * 4096);
}

/* Called from compiled code with an aligned stack, or this would not get far:
   it has a function called that copies vector registers.  */
static enum agent_error
hook_trace (struct arch_context *c, uint64_t cookie, app_addr addr,
            uint64_t size)
{
  char copy[64];

  if (c != &context || cookie != COOKIE)
    abort ();
  snprintf (copy, sizeof copy, "%#lx %g", addr, 1.5);
  record ('t', addr, size);
  return is_data (addr, size) ? AGENT_NO_ERROR : AGENT_MEMORY;
}

static enum agent_error
hook_trace_string (struct arch_context *c, uint64_t cookie, app_addr addr,
                   uint64_t size)
{
  if (c != &context || cookie != COOKIE)
    abort ();
  record ('s', addr, size);
  return is_data (addr, 1) ? AGENT_NO_ERROR : AGENT_MEMORY;
}

static enum agent_error
hook_trace_variable (struct arch_context *c, uint64_t cookie, uint64_t n)
{
  if (c != &context || cookie != COOKIE)
    abort ();
  record ('v', n, 0);
  return n < N_VARIABLES ? AGENT_NO_ERROR : AGENT_VARIABLE;
}

static enum agent_error
hook_get_variable (struct arch_context *c, uint64_t cookie, uint64_t n,
                   uint64_t *value)
{
  if (c != &context || cookie != COOKIE)
    abort ();
  record ('g', n, 0);
  if (n >= N_VARIABLES)
    return AGENT_VARIABLE;
  *value = where->variables[n];
  return AGENT_NO_ERROR;
}

static enum agent_error
hook_set_variable (struct arch_context *c, uint64_t cookie, uint64_t n,
                   uint64_t value)
{
  if (c != &context || cookie != COOKIE)
    abort ();
  record ('w', n, value);
  if (n >= N_VARIABLES)
    return AGENT_VARIABLE;
  where->variables[n] = value;
  return AGENT_NO_ERROR;
}

static enum agent_error
hook_print (struct arch_context *c, uint64_t cookie, const char *format,
            const uint64_t *args)
{
  unsigned n = 0;

  if (c != &context || cookie != COOKIE)
    abort ();
  for (const char *f = format; *f; f++)
    if (*f == '%' && *++f != '%')
      record ('p', args[n++], strlen (format));
  record ('P', n, strlen (format));
  return AGENT_NO_ERROR;
}

static enum agent_error
hook_read_register (struct arch_context *c, uint64_t cookie, uint64_t n,
                    uint64_t *value)
{
  if (c != &context || cookie != COOKIE)
    abort ();
  record ('r', n, 0);
  if (n & 1)
    return AGENT_REGISTER;
  *value = n * 0x0101010101010101;
  return AGENT_NO_ERROR;
}

static const struct agent_hooks hooks
  = { hook_trace, hook_trace_string, hook_trace_variable, hook_get_variable,
      hook_set_variable, hook_print, hook_read_register };

/* The interpreter.  */

static uint64_t fs_base_now;

static uint64_t
selector (unsigned n)
{
  uint32_t v = 0;

  switch (n)
    {
    case 0: __asm__ ("mov %%cs, %0" : "=r"(v)); break;
    case 1: __asm__ ("mov %%ss, %0" : "=r"(v)); break;
    case 2: __asm__ ("mov %%ds, %0" : "=r"(v)); break;
    case 3: __asm__ ("mov %%es, %0" : "=r"(v)); break;
    case 4: __asm__ ("mov %%fs, %0" : "=r"(v)); break;
    case 5: __asm__ ("mov %%gs, %0" : "=r"(v)); break;
    }
  return v;
}

static enum agent_error
model_register (unsigned n, uint64_t pc, uint64_t *v)
{
  static const uint8_t order[] = { 0, 3, 1, 2, 6, 7, 5, 4 };

  if (n < 8)
    *v = context.gpr[order[n]];
  else if (n < 16)
    *v = context.gpr[n];
  else if (n == 16)
    *v = pc;
  else if (n == 17)
    *v = (uint32_t) context.rflags;
  else if (n < 24)
    *v = selector (n - 18);
  else if (n == 57)
    *v = -1ul;
  else if (n == 58)
    *v = fs_base_now;
  else if (n == 59)
    *v = context.gs_base;
  else
    return hook_read_register (&context, COOKIE, n, v);
  return AGENT_NO_ERROR;
}

struct machine
{
  const uint8_t *bytes;
  size_t pc;
  uint64_t s[BYTECODE_MAX_HEIGHT + 2];
  unsigned n, loops;
  uint64_t about;
};

static uint64_t
operand (struct machine *m, unsigned n)
{
  uint64_t v = 0;

  while (n--)
    v = v << 8 | m->bytes[m->pc++];
  return v;
}

static enum agent_error
model_division (uint64_t *a, uint64_t b, unsigned op)
{
  int64_t sa = *a, sb = b;

  if (!b)
    return AGENT_DIVISION;
  if (op == 5)
    *a = sb == -1 ? -*a : (uint64_t) (sa / sb);
  else if (op == 7)
    *a = sb == -1 ? 0 : (uint64_t) (sa % sb);
  else
    *a = op == 6 ? *a / b : *a % b;
  return AGENT_NO_ERROR;
}

static enum agent_error
model_binary (struct machine *m, unsigned op)
{
  uint64_t b = m->s[--m->n], *a = &m->s[m->n - 1];

  switch (op)
    {
    case 0x02: *a += b; break;
    case 0x03: *a -= b; break;
    case 0x04: *a *= b; break;
    case 0x05: case 0x06: case 0x07: case 0x08:
      return model_division (a, b, op);
    case 0x09: *a <<= b & 63; break;
    case 0x0a: *a = (int64_t) *a >> (b & 63); break;
    case 0x0b: *a >>= b & 63; break;
    case 0x0f: *a &= b; break;
    case 0x10: *a |= b; break;
    case 0x11: *a ^= b; break;
    case 0x13: *a = *a == b; break;
    case 0x14: *a = (int64_t) *a < (int64_t) b; break;
    case 0x15: *a = *a < b; break;
    }
  return AGENT_NO_ERROR;
}

static enum agent_error
model_ref (struct machine *m, unsigned size)
{
  uint64_t *a = &m->s[m->n - 1], v = 0;
  struct iovec to = { &v, size }, from = { (void *) *a, size };

  m->about = *a;
  if (is_data (*a, size))
    memcpy (&v, (void *) *a, size);
  else
    {
      model.outside |= !is_bad (*a, size);
      if (process_vm_readv (getpid (), &to, 1, &from, 1, 0) != (ssize_t) size)
        return AGENT_MEMORY;
    }
  *a = v;
  return AGENT_NO_ERROR;
}

static enum agent_error
model_print (struct machine *m)
{
  unsigned n_args = operand (m, 1), size = operand (m, 2);
  const char *format = (const char *) m->bytes + m->pc;
  uint64_t args[256];

  m->about = (uint64_t) format;
  m->pc += size;
  m->n -= 2;
  for (unsigned i = 0; i < n_args; i++)
    args[i] = m->s[--m->n];
  return hook_print (&context, COOKIE, format, args);
}

static enum agent_error
model_jump (struct machine *m, size_t from, bool taken)
{
  size_t to = operand (m, 2);

  if (taken)
    {
      if (to <= from && ++m->loops >= AGENT_MAX_LOOPS)
        return AGENT_LOOP;
      m->pc = to;
    }
  return AGENT_NO_ERROR;
}

/* Operations on trace state variables and records.  */
static enum agent_error
model_trace (struct machine *m, unsigned op)
{
  uint64_t *top = &m->s[m->n - 1], n;

  switch (op)
    {
    case 0x0c: case 0x2f:
      m->n -= 2;
      m->about = m->s[m->n];
      return (op == 0x0c ? hook_trace : hook_trace_string) (
        &context, COOKIE, m->s[m->n], m->s[m->n + 1]);
    case 0x0d: case 0x30:
      n = operand (m, op == 0x0d ? 1 : 2);
      m->about = *top;
      return hook_trace (&context, COOKIE, *top, n);
    case 0x2c:
      m->about = operand (m, 2);
      return hook_get_variable (&context, COOKIE, m->about, &m->s[m->n++]);
    case 0x2d:
      m->about = operand (m, 2);
      return hook_set_variable (&context, COOKIE, m->about, *top);
    default:
      m->about = operand (m, 2);
      return hook_trace_variable (&context, COOKIE, m->about);
    }
}

static void
model_extend (uint64_t *top, unsigned bits, bool is_signed)
{
  if (bits >= 64)
    return;
  *top &= (1ul << bits) - 1;
  if (is_signed && *top >> (bits - 1) & 1)
    *top |= -1ul << bits;
}

static void
model_rot (struct machine *m)
{
  uint64_t *s = &m->s[m->n - 3], c = s[2];

  s[2] = s[1];
  s[1] = s[0];
  s[0] = c;
}

static enum agent_error
model_step (struct machine *m, uint64_t pc, bool *ended)
{
  size_t from = m->pc;
  unsigned op = m->bytes[m->pc++];
  uint64_t *top = &m->s[m->n - 1], t;

  switch (op)
    {
    case 0x0e: *top = !*top; break;
    case 0x12: *top = ~*top; break;
    case 0x16: model_extend (top, operand (m, 1), true); break;
    case 0x2a: model_extend (top, operand (m, 1), false); break;
    case 0x17: return model_ref (m, 1);
    case 0x18: return model_ref (m, 2);
    case 0x19: return model_ref (m, 4);
    case 0x1a: return model_ref (m, 8);
    case 0x20: t = m->s[--m->n]; return model_jump (m, from, t != 0);
    case 0x21: return model_jump (m, from, true);
    case 0x22: m->s[m->n++] = operand (m, 1); break;
    case 0x23: m->s[m->n++] = operand (m, 2); break;
    case 0x24: m->s[m->n++] = operand (m, 4); break;
    case 0x25: m->s[m->n++] = operand (m, 8); break;
    case 0x26:
      m->about = operand (m, 2);
      return model_register (m->about, pc, &m->s[m->n++]);
    case 0x27: *ended = true; break;
    case 0x28: m->s[m->n++] = *top; break;
    case 0x29: m->n--; break;
    case 0x2b: t = top[0]; top[0] = top[-1]; top[-1] = t; break;
    case 0x32: t = m->s[m->n - 1 - operand (m, 1)]; m->s[m->n++] = t; break;
    case 0x33: model_rot (m); break;
    case 0x34: return model_print (m);
    case 0x0c: case 0x0d: case 0x2c: case 0x2d: case 0x2e: case 0x2f:
    case 0x30:
      return model_trace (m, op);
    default:
      return model_binary (m, op);
    }
  return AGENT_NO_ERROR;
}

static void
interpret (const struct agent_request *r)
{
  struct machine m = { .bytes = r->bytes };
  bool ended = false;

  where = &model;
  model.error = AGENT_NO_ERROR;
  model.outside = false;
  while (!ended && !model.error)
    {
      covered[m.bytes[m.pc]] = true;
      model.error = model_step (&m, r->pc, &ended);
    }
  model.about = m.about;
  if (model.error == AGENT_DIVISION || model.error == AGENT_LOOP)
    model.about = 0;
  model.yes = r->want_value && !model.error ? m.s[m.n - 1] != 0 : true;
}

/* Running compiled code.  enter loads all registers from IN, jumps to TARGET,
   and the code's exits come back to leave, which stores them to OUT.  */

struct registers { uint64_t gpr[16], saved_rsp, target; };
static struct registers regs_in __asm__ ("regs_in") __attribute__ ((used));
static struct registers regs_out __asm__ ("regs_out") __attribute__ ((used));
extern void run_compiled (void);
extern const uint8_t run_leave[];

__asm__ (".text\n"
         "run_compiled:\n"
         "push %rbx; push %rbp; push %r12; push %r13; push %r14; push %r15\n"
         "mov %rsp, regs_in+128(%rip)\n"
         "mov regs_in+0(%rip), %rax\n"
         "mov regs_in+8(%rip), %rcx\n"
         "mov regs_in+16(%rip), %rdx\n"
         "mov regs_in+24(%rip), %rbx\n"
         "mov regs_in+32(%rip), %rsp\n"
         "mov regs_in+40(%rip), %rbp\n"
         "mov regs_in+48(%rip), %rsi\n"
         "mov regs_in+56(%rip), %rdi\n"
         "mov regs_in+64(%rip), %r8\n"
         "mov regs_in+72(%rip), %r9\n"
         "mov regs_in+80(%rip), %r10\n"
         "mov regs_in+88(%rip), %r11\n"
         "mov regs_in+96(%rip), %r12\n"
         "mov regs_in+104(%rip), %r13\n"
         "mov regs_in+112(%rip), %r14\n"
         "mov regs_in+120(%rip), %r15\n"
         "std\n"
         "jmp *regs_in+136(%rip)\n"
         "run_leave:\n"
         "mov %rax, regs_out+0(%rip)\n"
         "mov %rcx, regs_out+8(%rip)\n"
         "mov %rdx, regs_out+16(%rip)\n"
         "mov %rbx, regs_out+24(%rip)\n"
         "mov %rsp, regs_out+32(%rip)\n"
         "mov %rbp, regs_out+40(%rip)\n"
         "mov %rsi, regs_out+48(%rip)\n"
         "mov %rdi, regs_out+56(%rip)\n"
         "mov %r8, regs_out+64(%rip)\n"
         "mov %r9, regs_out+72(%rip)\n"
         "mov %r10, regs_out+80(%rip)\n"
         "mov %r11, regs_out+88(%rip)\n"
         "mov %r12, regs_out+96(%rip)\n"
         "mov %r13, regs_out+104(%rip)\n"
         "mov %r14, regs_out+112(%rip)\n"
         "mov %r15, regs_out+120(%rip)\n"
         "cld\n"
         "mov regs_in+128(%rip), %rsp\n"
         "pop %r15; pop %r14; pop %r13; pop %r12; pop %rbp; pop %rbx\n"
         "ret\n");

static void
on_fault (int sig, siginfo_t *si, void *uc)
{
  greg_t *g = ((ucontext_t *) uc)->uc_mcontext.gregs;
  cache_pc to = agent_fault_exit (&compiled, (cache_pc) g[REG_RIP]);

  (void) si;
  if (to)
    {
      g[REG_RIP] = (greg_t) to;
      return;
    }
  dprintf (2, "signal %d at %#llx, code at %p\n", sig, g[REG_RIP],
           (void *) code_at);
  signal (sig, SIG_DFL);
}

/* Exits stand in front of the code: each notes which it is.  */
static uint8_t exit_taken;

static cache_pc
write_exit (struct emit *e, unsigned number)
{
  cache_pc at = emit_pc (e);
  uint8_t *flag = &exit_taken;

  /* movb $NUMBER, FLAG(%rip): the code lies near this program.  */
  emit_8 (e, 0xc6);
  emit_8 (e, 0x05);
  emit_32 (e, (uint32_t) (flag - (emit_pc (e) + 5)));
  emit_8 (e, number);
  emit_jmp (e, run_leave);
  return at;
}

enum { TAKEN_YES = 1, TAKEN_NO, TAKEN_ERROR };

/* All registers have their values, and the context only those that have to be
   saved there.  */
static void
prepare_registers (void)
{
  unsigned saved = info.gpr_read | agent_clobbers (&info);

  context.gpr[ARCH_RSP] = (uint64_t) no_page + 2048;
  for (unsigned i = 0; i < 16; i++)
    {
      regs_in.gpr[i] = context.gpr[i];
      if (!(saved >> i & 1))
        context.gpr[i] = 0xbadbadbadbad;
    }
}

/* Compile R and run it.  VARIANT: which exits are at the end of the code.
   Returns false if a rule about registers was broken.  */
static bool
run_native (struct agent_request *r, unsigned variant)
{
  struct emit e = { code_at, 0 };
  cache_pc yes = write_exit (&e, TAKEN_YES), no = write_exit (&e, TAKEN_NO);
  cache_pc error = write_exit (&e, TAKEN_ERROR);
  uint8_t *start = e.at;

  r->exits = (struct agent_exits) { yes, no, error };
  if (variant == 1)
    r->exits.yes = NULL;
  else if (variant == 2)
    r->exits.no = NULL;
  else if (variant == 3)
    r->exits.error = NULL;
  compiled.faults = faults;
  if (agent_compile (r, &map, &info, &e, &compiled))
    abort ();
  if (e.at - start != compiled.size || compiled.start != start)
    abort ();
  write_exit (&e, variant ? variant : 9);

  native.error = AGENT_NO_ERROR;
  where = &native;
  prepare_registers ();
  regs_in.target = (uint64_t) start;
  exit_taken = 0;
  context.spill[0] = context.spill[1] = 0x7777;
  run_compiled ();
  native.yes = exit_taken == TAKEN_YES;
  native.about = context.spill[1];
  if (exit_taken == TAKEN_ERROR)
    {
      native.error = context.spill[0];
      native.yes = false;
    }
  for (unsigned i = 0; i < 16; i++)
    if (!(agent_clobbers (&info) >> i & 1)
        && regs_in.gpr[i] != regs_out.gpr[i])
      {
        printf ("register %u was changed\n", i);
        return false;
      }
  return exit_taken >= TAKEN_YES && exit_taken <= TAKEN_ERROR;
}

static void
dump (const struct agent_request *r)
{
  printf ("expression:");
  for (size_t i = 0; i < r->length; i++)
    printf (" %02x", r->bytes[i]);
  printf ("\nmodel: error %d about %#lx yes %d events %u\n"
          "native: error %d about %#lx yes %d events %u\n",
          model.error, model.about, model.yes, model.n_events, native.error,
          native.about, native.yes, native.n_events);
}

/* Run R both ways, and whether they agree.  */
static bool
agrees (struct agent_request *r, unsigned variant)
{
  native.n_events = model.n_events = 0;
  for (unsigned i = 0; i < N_VARIABLES; i++)
    native.variables[i] = model.variables[i] = i * 0x1111;
  context.gpr[ARCH_RSP] = (uint64_t) no_page + 2048;
  interpret (r);
  bool ok = run_native (r, variant);
  if (model.outside)
    return ok;                  /* it may have changed in between */
  ok = ok && native.error == model.error;
  if (model.error)
    ok = ok && native.about == model.about;
  else
    ok = ok && native.yes == model.yes;
  ok = ok && native.n_events == model.n_events
       && !memcmp (native.events, model.events,
                   model.n_events * sizeof *model.events)
       && !memcmp (native.variables, model.variables,
                   sizeof model.variables);
  if (!ok)
    dump (r);
  return ok;
}

static struct agent_request
request (const uint8_t *bytes, size_t length, bool want_value)
{
  return (struct agent_request) { .bytes = bytes, .length = length,
                                  .want_value = want_value,
                                  .pc = 0x401234567, .hooks = &hooks,
                                  .cookie = COOKIE };
}

/* Random expressions.  */

static uint64_t random_state;

static uint64_t
rnd (uint64_t below)
{
  random_state = random_state * 6364136223846793005u + 1442695040888963407u;
  uint64_t v = random_state >> 11;
  return below ? v % below : v;
}

static uint8_t program[MAX_LENGTH + 200];
static unsigned program_size, program_height;

static void
put (unsigned n, ...)
{
  va_list ap;

  va_start (ap, n);
  while (n--)
    program[program_size++] = va_arg (ap, int);
  va_end (ap);
}

static void
put_const64 (uint64_t v)
{
  put (1, 0x25);
  for (int i = 56; i >= 0; i -= 8)
    put (1, (int) (v >> i & 255));
  program_height++;
}

static uint64_t
interesting (void)
{
  static const uint64_t values[]
    = { 0, 1, 2, 63, 64, 127, 128, 255, 256, 32767, 32768, 65535, 65536,
        0x7fffffff, 0x80000000, 0xffffffff, 0x100000000, INT64_MAX,
        1ul << 63, -1ul, -2ul };
  return rnd (3) ? values[rnd (ARRAY_SIZE (values))]
                 : (rnd (0) << 32 ^ rnd (0)) >> rnd (64);
}

/* An address that can be read, mostly.  */
static uint64_t
some_address (void)
{
  switch (rnd (12))
    {
    case 0: return (uint64_t) no_page + rnd (4096);
    case 1: return rnd (2) ? 0 : 1ul << 63 | rnd (0);   /* #GP */
    case 2: return (uint64_t) data + 4090 + rnd (8);
    default: return (uint64_t) data + rnd (4000);
    }
}

static void
put_push (void)
{
  uint64_t v = interesting ();

  switch (rnd (7))
    {
    case 0: put (2, 0x22, (int) (v & 255)); break;
    case 1: put (3, 0x23, (int) (v >> 8 & 255), (int) (v & 255)); break;
    case 2:
      put (5, 0x24, (int) (v >> 24 & 255), (int) (v >> 16 & 255),
           (int) (v >> 8 & 255), (int) (v & 255));
      break;
    case 3: put_const64 (v); return;
    case 4: put (3, 0x26, 0, (int) rnd (24)); break;
    case 5:
      put (3, 0x26, 0, (int) (rnd (8) ? 57 + rnd (3) : 24 + rnd (150)));
      break;
    default: put (3, 0x2c, 0, (int) rnd (N_VARIABLES + !rnd (20))); break;
    }
  program_height++;
}

/* trace, ref and the like.  */
static void
put_memory (void)
{
  static const uint8_t refs[] = { 0x17, 0x18, 0x19, 0x1a };
  unsigned n = rnd (8);

  put_const64 (some_address ());
  if (n < 5)
    put (1, refs[rnd (4)]);
  else if (n == 5)
    put (2, 0x0d, (int) rnd (90));
  else if (n == 6)
    put (3, 0x30, (int) rnd (4), (int) rnd (256));
  else
    {
      put (2, 0x22, (int) rnd (256));
      put (1, rnd (2) ? 0x0c : 0x2f);
      program_height--;
    }
}

static void
put_print (void)
{
  static const char *const formats[]
    = { "plain", "%d", "%s and %%", "%x %lu", "%c%5d%-8lx" };
  static const uint8_t counts[] = { 0, 1, 1, 2, 3 };
  unsigned n = rnd (ARRAY_SIZE (formats));
  unsigned size = strlen (formats[n]) + 1;

  for (unsigned i = 0; i < counts[n] + 2u; i++)
    put_push ();
  put (4, 0x34, counts[n], 0, (int) size);
  memcpy (program + program_size, formats[n], size);
  program_size += size;
  program_height -= counts[n] + 2;
}

static void
put_operation (void)
{
  static const uint8_t binary[]
    = { 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x08, 0x09, 0x0a, 0x0b, 0x0f,
        0x10, 0x11, 0x13, 0x14, 0x15 };
  unsigned h = program_height;

  switch (rnd (14))
    {
    case 0: case 1: case 2: case 3:
      if (h < 2)
        break;
      put (1, binary[rnd (ARRAY_SIZE (binary))]);
      program_height--;
      return;
    case 4:
      if (h)
        put (1, rnd (2) ? 0x0e : 0x12);
      return;
    case 5:
      if (h)
        put (2, 0x16, (int) (1 + rnd (70)));
      return;
    case 6:
      if (h)
        put (2, 0x2a, (int) rnd (70));
      return;
    case 7: put_memory (); return;
    case 8:
      if (!h)
        break;
      put (1, 0x28);
      program_height++;
      return;
    case 9:
      if (h < 3)
        break;
      put (1, rnd (2) ? 0x33 : 0x2b);
      return;
    case 10:
      if (!h)
        break;
      put (2, 0x32, (int) rnd (h));
      program_height++;
      return;
    case 11:
      if (h)
        put (3, 0x2d, 0, (int) rnd (N_VARIABLES + !rnd (20)));
      return;
    case 12:
      if (!rnd (4))
        put_print ();
      else
        put (3, 0x2e, 0, (int) rnd (N_VARIABLES + !rnd (40)));
      return;
    default:
      if (h && rnd (2))
        {
          put (1, 0x29);
          program_height--;
          return;
        }
    }
  put_push ();
}

static void put_block (unsigned n, unsigned depth);

/* Bring the stack to HEIGHT.  */
static void
level (unsigned height)
{
  while (program_height > height)
    {
      put (1, 0x29);
      program_height--;
    }
  while (program_height < height)
    put_push ();
}

static void
set_target (unsigned field, unsigned to)
{
  program[field] = to >> 8;
  program[field + 1] = to;
}

/* if (X) { block } [else { block }]  */
static void
put_if (unsigned depth)
{
  unsigned height, field, over;

  put_push ();
  put (3, 0x20, 0, 0);
  field = program_size - 2;
  height = --program_height;
  put_block (rnd (6), depth + 1);
  level (height);
  if (rnd (2))
    {
      put (3, 0x21, 0, 0);
      over = program_size - 2;
      set_target (field, program_size);
      put_block (rnd (6), depth + 1);
      level (height);
      set_target (over, program_size);
    }
  else
    set_target (field, program_size);
}

/* A block some times over.  */
static void
put_loop (unsigned depth)
{
  unsigned height, start;

  put (2, 0x22, (int) (1 + rnd (4)));
  start = program_size;
  height = ++program_height;
  put_push ();
  put_block (rnd (4), depth + 1);
  level (height + 1);
  /* What the block left of the counter may be anything: its own copy lies
     below, unless the block replaced it; so the counter is a variable.  */
  put (1, 0x29);
  put (1, 0x29);
  program_height = height - 1;
  put (3, 0x2c, 0, 7);
  put (2, 0x22, 1);
  put (1, 0x02);
  put (3, 0x2d, 0, 7);
  put (2, 0x22, 0x7f);
  put (1, 0x0f);
  put (2, 0x22, 0x7d);
  put (1, 0x15);
  /* The loop's entry has one element more than here: put one there.  */
  put (2, 0x22, 3);
  put (1, 0x2b);
  put (3, 0x20, (int) (start >> 8), (int) (start & 255));
  put (1, 0x29);
}

static void
put_block (unsigned n, unsigned depth)
{
  while (n-- && program_size < MAX_LENGTH - 500 && program_height < 80)
    if (depth < 4 && !rnd (12))
      put_if (depth);
    else if (depth < 2 && !rnd (40))
      put_loop (depth);
    else
      put_operation ();
}

static void
make_program (void)
{
  program_size = program_height = 0;
  if (!rnd (8))
    level (rnd (30));           /* past the registers */
  put_block (1 + rnd (rnd (10) ? 15 : 150), 0);
  if (!program_height)
    put_push ();
  put (1, 0x27);
}

static void
test_random (unsigned n)
{
  unsigned bad = 0, errors = 0, values = 0, missing = 0, looped = 0;

  for (unsigned i = 0; i < n && bad < 3; i++)
    {
      for (unsigned j = 0; j < 16; j++)
        context.gpr[j] = interesting ();
      context.rflags = 0x202 | (rnd (0) & 0xcd5) | rnd (2) << 40;
      context.gs_base = interesting ();
      make_program ();
      struct agent_request r = request (program, program_size, rnd (8));
      enum bytecode_refusal why = agent_verify (&r, &map, &info);
      if (why)
        {
          printf ("refused at %u: %s\n", info.at, bytecode_sentence (why));
          dump (&r);
          bad++;
        }
      else if (!agrees (&r, rnd (4)))
        bad++;
      errors += model.error != 0;
      values += !model.error && !model.yes;
      looped += info.has_loops;
    }
  check (bad == 0, "%u random expressions give the interpreter's results", n);
  check (errors > n / 100 && errors < n - n / 10 && values > n / 100
         && looped > n / 1000,
         "they are of all kinds: %u errors, %u false, %u loops", errors,
         values, looped);
  for (unsigned op = 0; op < 256; op++)
    if (bytecode_name (op) && !covered[op])
      printf ("%s was not run\n", bytecode_name (op)), missing++;
  check (missing == 0, "every operation was run");
}

/* Garbage, and good expressions with a byte changed, are refused or run.  */
static void
test_garbage (unsigned n)
{
  unsigned refused = 0, accepted = 0, bad = 0;

  for (unsigned i = 0; i < n && !bad; i++)
    {
      if (rnd (2))
        {
          program_size = 1 + rnd (60);
          for (unsigned j = 0; j < program_size; j++)
            program[j] = rnd (2) ? rnd (256) : 1 + rnd (0x35);
        }
      else
        {
          make_program ();
          for (unsigned j = rnd (4); j < 5; j++)
            program[rnd (program_size)] = rnd (2) ? rnd (256)
                                                  : 1 + rnd (0x35);
        }
      /* In a mapping that ends with the expression.  */
      uint8_t *bytes = no_page - program_size;
      memcpy (bytes, program, program_size);
      struct agent_request r = request (bytes, program_size, rnd (2));
      if (agent_verify (&r, &map, &info))
        refused++;
      else
        {
          accepted++;
          bad += !agrees (&r, rnd (4));
        }
    }
  check (!bad, "garbage never goes wrong");
  check (refused > n / 10 && accepted > n / 100,
         "%u of garbage refused, %u accepted", refused, accepted);
}

/* Refusals, each by its name.  */
static enum bytecode_refusal
why_not (const char *bytes, size_t length, bool want_value)
{
  struct agent_request r = request ((const uint8_t *) bytes, length,
                                    want_value);
  return agent_verify (&r, &map, &info);
}

#define WHY(S, VALUE) why_not (S, sizeof (S) - 1, VALUE)

static void
test_refusals (void)
{
  static char deep[300];

  memset (deep, 0x22, sizeof deep);
  check (WHY ("", true) == BYTECODE_EMPTY, "empty");
  check (WHY ("\x22\x01", true) == BYTECODE_NO_END, "no end");
  check (WHY ("\x22", true) == BYTECODE_TRUNCATED, "truncated");
  check (WHY ("\x34\x00\x00\x05%", false) == BYTECODE_TRUNCATED,
         "truncated format");
  check (WHY ("\xee\x27", true) == BYTECODE_UNKNOWN_OPCODE, "unknown");
  check (WHY ("\x31\x27", true) == BYTECODE_UNKNOWN_OPCODE, "invalid2");
  check (WHY ("\x22\x01\x1e\x27", true) == BYTECODE_FLOAT, "float");
  check (WHY ("\x22\x01\x02\x27", true) == BYTECODE_UNDERFLOW, "underflow");
  check (WHY ("\x22\x01\x32\x01\x27", true) == BYTECODE_UNDERFLOW,
         "pick too deep");
  check (why_not (deep, sizeof deep, true) == BYTECODE_OVERFLOW, "overflow");
  check (WHY ("\x27", true) == BYTECODE_EMPTY_STACK, "no value");
  check (WHY ("\x27", false) == BYTECODE_OK, "an action needs no value");
  check (WHY ("\x21\x00\x04\x22\x21\x00\x03\x27", true) == BYTECODE_BAD_GOTO
         || WHY ("\x21\x00\x02", true) == BYTECODE_BAD_GOTO,
         "into an operation");
  check (WHY ("\x21\x00\x63", true) == BYTECODE_BAD_GOTO, "out of it");
  check (WHY ("\x22\x01\x20\x00\x07\x22\x01\x27", true)
           == BYTECODE_HEIGHT, "heights differ");
  check (WHY ("\x22\x01\x16\x00\x27", true) == BYTECODE_BAD_OPERAND,
         "ext of no bits");
  check (WHY ("\x26\x01\x00\x27", true) == BYTECODE_BAD_REGISTER,
         "a register that is not there");
  check (WHY ("\x22\x01\x22\x01\x34\x00\x00\x03%d\0\x27", false)
           == BYTECODE_BAD_FORMAT, "too few arguments");
  check (WHY ("\x22\x01\x22\x01\x22\x01\x34\x01\x00\x03%n\0\x27", false)
           == BYTECODE_BAD_FORMAT, "a directive that is none");
  check (WHY ("\x22\x01\x22\x01\x34\x00\x00\x03xxx\x27", false)
           == BYTECODE_BAD_FORMAT, "no end of the format");

  struct agent_request r = request ((const uint8_t *) "\x2c\x00\x01\x27", 4,
                                    true);
  r.hooks = NULL;
  check (agent_verify (&r, &map, &info) == BYTECODE_BAD_OPERAND, "no hook");
  r = request ((const uint8_t *) "\x26\x00\x28\x27", 4, true);
  r.hooks = NULL;
  check (agent_verify (&r, &map, &info) == BYTECODE_BAD_REGISTER,
         "no hook for a register");
  unsigned empty = 0;
  for (unsigned i = 1; i < BYTECODE_N_REFUSALS; i++)
    empty += !bytecode_sentence (i)[0];
  for (unsigned i = 1; i < AGENT_N_ERRORS; i++)
    empty += !agent_sentence (i)[0];
  check (!empty, "each refusal and error has a sentence");
}

static bool
runs_to (const char *bytes, size_t length, bool yes)
{
  struct agent_request r = request ((const uint8_t *) bytes, length, true);

  if (agent_verify (&r, &map, &info))
    return false;
  for (unsigned variant = 0; variant < 4; variant++)
    if (!agrees (&r, variant) || native.error || native.yes != yes)
      return false;
  return true;
}

#define RUNS(S, YES) runs_to (S, sizeof (S) - 1, YES)

/* Results that are not left to the interpreter.  */
static void
test_known (void)
{
  static const char endless[] = "\x21\x00\x00";

  context.gpr[ARCH_RDI] = 42;
  check (RUNS ("\x26\x00\x05\x22\x2a\x13\x27", true), "$rdi == 42");
  check (!info.has_calls && info.gpr_read == 1 << ARCH_RDI
         && agent_clobbers (&info)
              == (1 << ARCH_RAX | 1 << ARCH_RCX | 1 << ARCH_RDX
                  | 1 << ARCH_RBX | 1 << ARCH_R12),
         "a compare needs few registers, and no stack");
  context.gpr[ARCH_RDI] = 43;
  check (RUNS ("\x26\x00\x05\x22\x2a\x13\x27", false), "$rdi is not 42");
  check (RUNS ("\x25\x80\0\0\0\0\0\0\0\x25\xff\xff\xff\xff\xff\xff\xff\xff"
               "\x05\x25\x80\0\0\0\0\0\0\0\x13\x27", true),
         "the smallest number by -1");
  check (RUNS ("\x22\x80\x16\x08\x22\x00\x14\x27", true),
         "ext makes a byte negative");
  check (RUNS ("\x22\x80\x2a\x08\x22\x00\x14\x27", false),
         "zero_ext does not");
  check (RUNS ("\x22\x01\x22\x02\x22\x03\x33\x22\x02\x13\x2b\x22\x01\x13\x0f"
               "\x0f\x27", true), "rot: 1 2 3 becomes 3 1 2");
  check (RUNS ("\x22\x05\x22\x03\x03\x22\x02\x13\x27", true), "5 - 3 == 2");
  check (RUNS ("\x26\x00\x10\x25\0\0\0\x04\x01\x23\x45\x67\x13\x27", true),
         "$rip is the point's");

  /* What GDB makes of `n == 3 && p->d[n] > -5', an int in %rdi and the array
     of long 8 bytes into what %rsi points to.  */
  static const char gdb[]
    = "\x26\x00\x05\x16\x20\x22\x03\x13\x20\x00\x0e\x21\x00\x35\x26\x00"
      "\x04\x2a\x40\x22\x08\x02\x26\x00\x05\x16\x20\x22\x08\x04\x02\x2a"
      "\x40\x1a\x16\x40\x22\xfb\x16\x08\x2b\x14\x20\x00\x30\x21\x00\x35"
      "\x22\x01\x21\x00\x37\x22\x00\x27";
  int64_t element = -4;
  context.gpr[ARCH_RDI] = 0xabcdef00000003;
  context.gpr[ARCH_RSI] = (uint64_t) data;
  memcpy (data + 8 + 3 * 8, &element, 8);
  check (RUNS (gdb, true), "GDB's expression is true");
  element = -6;
  memcpy (data + 8 + 3 * 8, &element, 8);
  check (RUNS (gdb, false), "and false");
  context.gpr[ARCH_RSI] = (uint64_t) no_page;
  struct agent_request r = request ((const uint8_t *) gdb, sizeof gdb - 1,
                                    true);
  check (!agent_verify (&r, &map, &info) && agrees (&r, 0)
         && native.error == AGENT_MEMORY
         && native.about == (uint64_t) no_page + 8 + 3 * 8,
         "and cannot access memory at an address that it tells");

  r = request ((const uint8_t *) endless, 3, false);
  check (!agent_verify (&r, &map, &info) && agrees (&r, 0)
         && native.error == AGENT_LOOP, "an endless loop is cut off");
}

static void
set_up (void)
{
  static uint8_t alt[65536];
  stack_t ss = { .ss_sp = alt, .ss_size = sizeof alt };
  struct sigaction sa = { .sa_sigaction = on_fault,
                          .sa_flags = SA_SIGINFO | SA_ONSTACK };
  uint8_t *near = (uint8_t *) ((uintptr_t) run_leave & ~0xffffful);

  for (code_at = MAP_FAILED; code_at == MAP_FAILED;)
    code_at = mmap (near -= 1 << 24, CODE_SIZE,
                    PROT_READ | PROT_WRITE | PROT_EXEC,
                    MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
  engine_stack = mmap (NULL, STACK_SIZE, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  data = mmap (NULL, 3 * 4096, PROT_READ | PROT_WRITE,
               MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  no_page = data + 4096;
  mprotect (no_page, 2 * 4096, PROT_NONE);
  for (unsigned i = 0; i < 4096; i++)
    data[i] = rnd (256);
  sigaltstack (&ss, NULL);
  sigaction (SIGSEGV, &sa, NULL);
  sigaction (SIGBUS, &sa, NULL);
  __asm__ volatile ("mov %0, %%es" : : "r"(0x2b));      /* unlike %ds */
  context.self = &context;
  context.engine_rsp = (uint64_t) engine_stack + STACK_SIZE - 8;
  syscall (SYS_arch_prctl, ARCH_SET_GS, &context);
  syscall (SYS_arch_prctl, ARCH_GET_FS, &fs_base_now);
  context.fs_base = fs_base_now;
}

int
main (void)
{
  random_state = check_seed ();
  set_up ();
  test_known ();
  test_refusals ();
  test_random (100000);
  test_garbage (100000);
  return check_done ();
}
