/* The decoder against the processor that this runs on.

   usage: decode-cpu [-v] [COUNT [FILE...]]

   COUNT random instructions, and each distinct one of FILEs.

   Random instructions are single-stepped in a child.  Each lies before a
   page that cannot be fetched: the processor faults on that page exactly
   when its instruction is longer than what is left, so it says how long the
   instruction is.  What a step then changes in registers, flags and memory
   must be what the decoder says may be written, and must not depend on
   registers that it says are not read.

   Branches out of user mode, and what would stop or leave the machine, are
   left out.  What this processor does not have (it raises #UD) is counted.
   RIO_SEED=N runs the same again.  */

#define _GNU_SOURCE
#include "lib/check.h"
#include "unit.arch/decode-random.h"
#include "unit.arch/decode-sweep.h"

#include "arch/decode.h"

#include <cpuid.h>
#include <elf.h>
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#define USUAL_COUNT 30000

/* In the child: a page of code, which ends at WALL, and data.  Both are below
   4 GiB, for addresses of 4 bytes.  */
#define CODE 0x10000000ul
#define WALL (CODE + PAGE_SIZE)
#define DATA 0x20000000ul
#define DATA_SIZE (4 * PAGE_SIZE)

/* Bases of %fs and %gs, such that what lies in the middle of the data is
   still within them.  */
#define FS_BASE 0x800
#define GS_BASE 0x1000

enum
{
  BAD_LENGTH, BAD_VALIDITY, BAD_BRANCH, BAD_GPR_WRITTEN, BAD_READ,
  BAD_FLAGS, BAD_KEPT, BAD_MEMORY, N_BADS
};

static const char *const bad_names[N_BADS] = {
  "length", "validity", "where branches go", "registers written",
  "registers and flags read", "flags written",
  "flags written whatever they were",
  "memory written"
};

static unsigned long n_bad[N_BADS], n_stepped, n_absent, n_done[5];
static bool verbose;

static pid_t child;
static uint8_t *code, *data;    /* the child's pages, seen from here */
static uint8_t pattern[DATA_SIZE];
static struct user_regs_struct start_regs;
static uint8_t vectors[16384];
static size_t vectors_size;

static void
complain (unsigned what, const struct insn *i, uint64_t detail)
{
  n_bad[what]++;
  if (!verbose && n_bad[what] > 3)
    return;
  printf ("%s: ", bad_names[what]);
  for (unsigned k = 0; k < i->length; k++)
    printf ("%02x", i->bytes[k]);
  printf (" length %u, %#lx\n", i->length, (unsigned long)detail);
}

/* The child.  */

/* All bits of mask registers set, so that EVEX masks let everything by.  */
static void
set_masks (void)
{
  unsigned a, b, c, d;

  if (!__get_cpuid_count (7, 0, &a, &b, &c, &d) || !(b & bit_AVX512BW))
    return;
  asm volatile ("kxnorq %k1, %k1, %k1\n\tkmovq %k1, %k2\n\t"
                "kmovq %k1, %k3\n\tkmovq %k1, %k4\n\tkmovq %k1, %k5\n\t"
                "kmovq %k1, %k6\n\tkmovq %k1, %k7");
}

static void *
map_shared (int fd, off_t at, unsigned long where, size_t size, int prot)
{
  return mmap ((void *)where, size, prot,
               MAP_SHARED | (where ? MAP_FIXED : 0), fd, at);
}

static void
live (int fd)
{
  map_shared (fd, 0, CODE, PAGE_SIZE, PROT_READ | PROT_EXEC);
  map_shared (fd, PAGE_SIZE, DATA, DATA_SIZE, PROT_READ | PROT_WRITE);
  mmap ((void *)WALL, PAGE_SIZE, PROT_NONE,
        MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
  ptrace (PTRACE_TRACEME, 0, 0, 0);
  set_masks ();
  raise (SIGSTOP);
  _exit (1);
}

static bool
give_birth (void)
{
  int fd = memfd_create ("decode-cpu", 0), status;
  struct iovec iov = { vectors, sizeof vectors };

  if (fd < 0 || ftruncate (fd, PAGE_SIZE + DATA_SIZE) < 0)
    return false;
  code = map_shared (fd, 0, 0, PAGE_SIZE, PROT_READ | PROT_WRITE);
  data = map_shared (fd, PAGE_SIZE, 0, DATA_SIZE, PROT_READ | PROT_WRITE);
  child = fork ();
  if (child == 0)
    live (fd);
  close (fd);
  if (child < 0 || waitpid (child, &status, 0) != child
      || !WIFSTOPPED (status)
      || ptrace (PTRACE_GETREGS, child, 0, &start_regs) < 0
      || ptrace (PTRACE_GETREGSET, child, NT_X86_XSTATE, &iov) < 0)
    return false;
  vectors_size = iov.iov_len;
  ptrace (PTRACE_SETOPTIONS, child, 0, PTRACE_O_EXITKILL);
  return true;
}

/* Registers by number, as the decoder has them.  */
static unsigned long long *
gpr (struct user_regs_struct *r, unsigned n)
{
  switch (n)
    {
    case ARCH_RAX: return &r->rax;
    case ARCH_RCX: return &r->rcx;
    case ARCH_RDX: return &r->rdx;
    case ARCH_RBX: return &r->rbx;
    case ARCH_RSP: return &r->rsp;
    case ARCH_RBP: return &r->rbp;
    case ARCH_RSI: return &r->rsi;
    case ARCH_RDI: return &r->rdi;
    case ARCH_R8: return &r->r8;
    case ARCH_R9: return &r->r9;
    case ARCH_R10: return &r->r10;
    case ARCH_R11: return &r->r11;
    case ARCH_R12: return &r->r12;
    case ARCH_R13: return &r->r13;
    case ARCH_R14: return &r->r14;
    default: return &r->r15;
    }
}

/* A pointer into the middle of the data, aligned or not, or a small
   number.  */
static uint64_t
random_value (void)
{
  uint64_t r = random_bits ();

  if (r & 0x10000)
    return r >> 20 & 0x7f;
  return DATA + DATA_SIZE / 2 + (r >> 20 & (r & 0x20000 ? 0x3c0 : 0x3ff));
}

/* What came of a step.  */
struct outcome
{
  struct user_regs_struct regs;
  int signal;                   /* SIGTRAP: done */
  uint64_t address;             /* of a fault */
};

/* Step over the LENGTH bytes at BYTES, that end at the wall, with REGS.  */
static bool
step (const uint8_t *bytes, unsigned length,
      const struct user_regs_struct *regs, struct outcome *o)
{
  struct user_regs_struct r = *regs;
  struct iovec iov = { vectors, vectors_size };
  siginfo_t info;
  int status;

  memcpy (code + PAGE_SIZE - length, bytes, length);
  memcpy (data, pattern, DATA_SIZE);
  r.rip = WALL - length;
  if (ptrace (PTRACE_SETREGS, child, 0, &r) < 0
      || ptrace (PTRACE_SETREGSET, child, NT_X86_XSTATE, &iov) < 0
      || ptrace (PTRACE_SINGLESTEP, child, 0, 0) < 0
      || waitpid (child, &status, 0) != child || !WIFSTOPPED (status)
      || ptrace (PTRACE_GETREGS, child, 0, &o->regs) < 0
      || ptrace (PTRACE_GETSIGINFO, child, 0, &info) < 0)
    return false;
  o->signal = WSTOPSIG (status);
  o->address = (uint64_t)info.si_addr;
  return true;
}

/* Whether the processor wanted bytes behind the wall for an instruction at
   RIP.  */
static bool
hit_wall (const struct outcome *o, uint64_t rip)
{
  return o->signal == SIGSEGV && o->address == WALL && o->regs.rip == rip;
}

/* What must not be run: it enters the kernel, the hypervisor, or waits.  */
static bool
is_dangerous (const struct insn *i)
{
  switch (i->branch)
    {
    case INSN_SYSCALL:
    case INSN_SYSENTER:
    case INSN_INT:
    case INSN_FAR:
    case INSN_XBEGIN:
      return true;
    default:
      break;
    }
  if (i->vex == 0 && i->map == 1 && i->opcode == 0x01)
    /* vmcall, mwaitx.  */
    return (i->properties & INSN_UNKNOWN) || i->modrm == 0xc1
           || i->modrm == 0xfb;
  return false;
}

/* On AMD's processors 66 makes a near branch one of 16 bits, on Intel's it
   does nothing; the decoder has it Intel's way (see decode.h).  */
static bool
is_vendor_matter (const struct insn *i)
{
  return i->prefix_66 && !(i->rex & 8) && i->branch != INSN_NO_BRANCH;
}

static bool
is_in_operand (const struct insn_mem *op, uint64_t address, uint64_t at)
{
  uint64_t size = op->size;

  if (op->kind == INSN_MEM_VSIB)
    size = 64;
  return (op->access & INSN_WRITE) && at - address < size;
}

/* The address of OP with the registers REGS before the step.  Vector
   indices are 0 in the child.  */
static uint64_t
address_of (const struct insn_mem *op, struct user_regs_struct *regs)
{
  uint64_t a = op->disp;

  if (op->kind == INSN_MEM_PUSH)
    return regs->rsp - op->size;
  if (op->base == INSN_RIP)
    a += WALL;
  else if (op->base != INSN_NO_REG)
    a += *gpr (regs, op->base);
  if (op->index != INSN_NO_REG && op->kind != INSN_MEM_VSIB)
    a += *gpr (regs, op->index) * op->scale;
  if (op->addrsize == 4)
    a = (uint32_t)a;
  if (op->kind == INSN_MEM_LINE)
    a &= -(uint64_t)op->size;
  if (op->kind == INSN_MEM_BIT)
    {
      int shift = op->size == 8 ? 6 : op->size == 4 ? 5 : 4;
      int64_t bit = *gpr (regs, op->element);

      bit = op->size == 8 ? bit : op->size == 4 ? (int32_t)bit : (int16_t)bit;
      a += (bit >> shift) * op->size;
    }
  if (op->seg)
    a += op->seg == 4 ? FS_BASE : GS_BASE;
  return a;
}

static void
judge_memory (const struct insn *i, struct user_regs_struct *before)
{
  struct insn_mem ops[INSN_MAX_MEM];
  unsigned n = insn_memory (i, ops);
  uint64_t address[INSN_MAX_MEM];

  for (unsigned k = 0; k < n; k++)
    {
      if (ops[k].kind == INSN_MEM_UNKNOWN || ops[k].kind == INSN_MEM_XSAVE)
        return;
      address[k] = address_of (&ops[k], before);
    }
  for (unsigned at = 0; at < DATA_SIZE; at++)
    if (data[at] != pattern[at])
      {
        bool found = false;

        for (unsigned k = 0; k < n; k++)
          found |= is_in_operand (&ops[k], address[k], DATA + at);
        if (!found)
          {
            complain (BAD_MEMORY, i, DATA + at);
            return;
          }
      }
}

static void
judge_branch (const struct insn *i, const struct outcome *o)
{
  bool next = o->regs.rip == WALL, target = o->regs.rip == i->target;
  bool good = true;

  switch (i->branch)
    {
    case INSN_NO_BRANCH:
      good = next || ((i->properties & INSN_REP)
                      && o->regs.rip == WALL - i->length);
      break;
    case INSN_JCC:
    case INSN_LOOP:
      good = next || target;
      break;
    case INSN_JMP:
    case INSN_CALL:
      good = target;
      break;
    }
  if (!good)
    complain (BAD_BRANCH, i, o->regs.rip);
}

static void
judge_writes (const struct insn *i, struct user_regs_struct *before,
              struct outcome *o)
{
  unsigned written = 0;
  unsigned flags = (before->eflags ^ o->regs.eflags)
                   & (FLAG_ARITH | FLAG_DF | FLAG_AC);

  for (unsigned n = 0; n < ARCH_N_GPR; n++)
    if (*gpr (before, n) != *gpr (&o->regs, n))
      written |= 1u << n;
  if (written & ~insn_gpr_written (i))
    complain (BAD_GPR_WRITTEN, i, written & ~insn_gpr_written (i));
  if (flags & ~insn_flags_written (i))
    complain (BAD_FLAGS, i, flags & ~insn_flags_written (i));
}

/* REGS with other values where the decoder says that nothing is read.  */
static struct user_regs_struct
change_unread (const struct insn *i, struct user_regs_struct regs)
{
  unsigned read = insn_gpr_read (i);
  unsigned flags = (FLAG_ARITH | FLAG_DF) & ~insn_flags_read (i);

  for (unsigned n = 0; n < ARCH_N_GPR; n++)
    if (!(read >> n & 1) && n != ARCH_RSP)
      *gpr (&regs, n) = random_value ();
  regs.eflags ^= random_bits () >> 20 & flags;
  return regs;
}

/* Step again with REGS like that: all else must come out as before.  */
static void
judge_reads (const struct insn *i, struct user_regs_struct regs,
             struct outcome *first)
{
  static uint8_t data_before[DATA_SIZE];
  unsigned written = insn_gpr_written (i), flags;
  struct outcome second;
  bool same;

  if (i->properties & (INSN_NONDETERMINISTIC | INSN_X87_PC))
    return;
  memcpy (data_before, data, DATA_SIZE);
  regs = change_unread (i, regs);
  same = step (i->bytes, i->length, &regs, &second)
         && second.signal == first->signal
         && second.regs.rip == first->regs.rip
         && !memcmp (data_before, data, DATA_SIZE);
  for (unsigned n = 0; n < ARCH_N_GPR && same; n++)
    same = !(written >> n & 1)
           || *gpr (&second.regs, n) == *gpr (&first->regs, n);
  if (!same)
    complain (BAD_READ, i, second.signal);
  flags = (first->regs.eflags ^ second.regs.eflags) & FLAG_ARITH
          & insn_flags_written (i) & ~insn_flags_read (i);
  if (same && second.signal == SIGTRAP && flags)
    complain (BAD_KEPT, i, flags);
}

/* Registers and flags to begin with.  */
static struct user_regs_struct
random_regs (void)
{
  struct user_regs_struct regs = start_regs;

  for (unsigned n = 0; n < ARCH_N_GPR; n++)
    *gpr (&regs, n) = random_value ();
  regs.rsp = DATA + DATA_SIZE / 2 + (random_bits () >> 20 & 0x3ff);
  regs.eflags = 0x202 | (random_bits () >> 20 & (FLAG_ARITH | FLAG_DF));
  regs.fs_base = FS_BASE;
  regs.gs_base = GS_BASE;
  regs.orig_rax = -1;
  return regs;
}

/* Whether the processor takes I for longer than it is.  It may look further
   at what it does not know in the end, and find that too long.  */
static bool
is_longer (const struct insn *i, const uint8_t *bytes,
           const struct user_regs_struct *regs, struct outcome *o)
{
  if (!hit_wall (o, WALL - i->length))
    return false;
  if (!step (bytes, 16, regs, o)
      || (o->signal != SIGILL
          && !((i->properties & INSN_UNKNOWN) && o->signal == SIGSEGV)))
    complain (BAD_LENGTH, i, i->length + 1);
  return true;
}

static bool
is_shorter (const struct insn *i, const struct user_regs_struct *regs)
{
  struct outcome o;

  if (i->length == 1
      || (step (i->bytes, i->length - 1, regs, &o)
          && hit_wall (&o, WALL - i->length + 1)))
    return false;
  complain (BAD_LENGTH, i, i->length - 1);
  return true;
}

/* What a completed step has done.  */
static void
judge_effects (const struct insn *i, struct user_regs_struct *regs,
               struct outcome *o)
{
  n_done[i->vex]++;
  if (i->properties & INSN_UNKNOWN)
    return;
  judge_branch (i, o);
  judge_writes (i, regs, o);
  judge_memory (i, regs);
  judge_reads (i, *regs, o);
}

static bool
try_valid (const struct insn *i, const uint8_t *bytes)
{
  struct user_regs_struct regs = random_regs ();
  struct outcome o;

  if (!step (i->bytes, i->length, &regs, &o))
    return false;
  n_stepped++;
  if (is_longer (i, bytes, &regs, &o) || o.signal == SIGILL)
    {
      n_absent += i->branch != INSN_UD;
      return true;
    }
  if (i->branch == INSN_UD)
    complain (BAD_VALIDITY, i, o.signal);
  if (o.signal == SIGTRAP)
    judge_effects (i, &regs, &o);
  is_shorter (i, &regs);
  return true;
}

/* What is refused must raise #UD, or #GP for being too long: the processor
   may count up to 8 bytes of operands that the decoder does not.  */
static bool
try_invalid (const struct insn *i, const uint8_t *bytes)
{
  struct user_regs_struct regs = random_regs ();
  struct outcome o;

  if (!step (bytes, 16, &regs, &o))
    return false;
  n_stepped++;
  if (o.signal != SIGILL
      && !(i->length + 8 > INSN_MAX_LENGTH && o.signal == SIGSEGV))
    complain (BAD_VALIDITY, i, o.signal);
  return true;
}

static bool
try (const uint8_t *bytes)
{
  struct insn i;
  enum insn_status status = insn_decode (&i, bytes, 16, WALL);

  if (status == INSN_OK
      && insn_decode (&i, bytes, 16, WALL - i.length) == INSN_OK)
    return is_dangerous (&i) || is_vendor_matter (&i)
           || try_valid (&i, bytes);
  return try_invalid (&i, bytes);
}

static bool child_lives = true;

static unsigned
try_found (const struct insn *i, enum insn_status status,
           const uint8_t *bytes, size_t avail)
{
  uint8_t copy[16] = { 0 };

  (void)i;
  (void)status;
  memcpy (copy, bytes, MIN (avail, sizeof copy));
  child_lives = child_lives && try (copy);
  return 0;
}

int
main (int argc, char **argv)
{
  unsigned long count = USUAL_COUNT, k;
  uint8_t bytes[16];

  verbose = argc > 1 && !strcmp (argv[1], "-v");
  if (argc > 1 + verbose)
    count = strtoul (argv[1 + verbose], NULL, 0);
  random_seed (check_seed ());
  if (!give_birth ())
    {
      check_unsupported ("the processor as an oracle: no ptrace");
      return check_done ();
    }
  for (k = 0; k < DATA_SIZE; k++)
    pattern[k] = random_bits () >> 40;
  for (k = 0; k < count && child_lives; k++)
    {
      random_insn (bytes);
      child_lives = try (bytes);
    }
  for (int f = 2 + verbose; f < argc && child_lives; f++)
    sweep_file (argv[f], try_found);
  kill (child, SIGKILL);
  printf ("%lu stepped, %lu not known to this processor; run to their end: "
          "%lu legacy, %lu VEX, %lu EVEX\n", n_stepped, n_absent, n_done[0],
          n_done[1], n_done[2]);
  check (child_lives, "the child lives to the end");
  for (unsigned b = 0; b < N_BADS; b++)
    check (n_bad[b] == 0, "%s as the processor has it (%lu differ)",
           bad_names[b], n_bad[b]);
  return check_done ();
}
