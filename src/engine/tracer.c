/* See tracer.h.  */

#include "engine/tracer.h"
#include "engine/gate.h"
#include "engine/park.h"

enum request
{
  PEEKUSER = 3, POKEUSER = 6, GETREGS = 12, SETREGS = 13, ATTACH = 16,
  GETREGSET = 0x4204, SETREGSET = 0x4205, SEIZE = 0x4206
};
enum { NOTE_PRSTATUS = 1 };
enum
{
  WAIT_FOR_PID = 1, STOPPED = 2, KEEP = 0x1000000, ANY_CHILD = 0x40000000
};

/* struct user_regs_struct of sys/user.h: the general registers by number, and
   what else is not as the kernel has it.  */
enum { N_WORDS = 27, RAX_AT = 10 };
enum { OTHER = ARCH_N_GPR, ORIG_RAX, RIP, RFLAGS, GS_BASE };
static const uint8_t words[N_WORDS]
    = { ARCH_R15, ARCH_R14, ARCH_R13, ARCH_R12, ARCH_RBP, ARCH_RBX,
        ARCH_R11, ARCH_R10, ARCH_R9,  ARCH_R8,  ARCH_RAX, ARCH_RCX,
        ARCH_RDX, ARCH_RSI, ARCH_RDI, ORIG_RAX, RIP,      OTHER,
        RFLAGS,   ARCH_RSP, OTHER,    OTHER,    GS_BASE,  OTHER,
        OTHER,    OTHER,    OTHER };

/* Another thread than T that has the kernel's id TID.  */
static struct thread *
find_other (const struct thread *t, uint64_t tid)
{
  struct thread *other;

  lock_acquire (&thread_lock);
  for (other = thread_list; other; other = other->next)
    if (other != t && (uint64_t) other->tid == tid)
      break;
  lock_release (&thread_lock);
  return other;
}

/* While T waits for the attached thread TID to stop, none that could come to
   hold a lock runs.  */
static long
attach (struct thread *t, uint64_t tid)
{
  uint64_t wait[6] = { WAIT_FOR_PID, tid, 0, STOPPED | KEEP | ANY_CHILD };
  long r;

  while (!park_all (t))
    continue;
  r = gate_issue (t);
  if (r == 0 && gate_arg (t, 0) == ATTACH)
    (void) gate_issue_args (t, __NR_waitid, wait);
  park_release (t);
  return r;
}

/* Word N of the registers of OTHER, which is in a system call or parked; the
   kernel says KERNEL.  */
static uint64_t
app_word (const struct thread *other, unsigned n, uint64_t kernel)
{
  const struct arch_context *c = &other->context;
  bool in_call = other->syscall != -1;

  switch (words[n])
    {
    case OTHER:
      return kernel;
    case ORIG_RAX:
      return (uint64_t) other->syscall;
    case RIP:
      return c->rip;
    case RFLAGS:
      return c->rflags;
    case GS_BASE:
      return c->gs_base;
    case ARCH_RAX:
      return in_call ? kernel : c->gpr[ARCH_RAX];
    case ARCH_RCX:
      return in_call ? c->rip : c->gpr[ARCH_RCX];
    case ARCH_R11:
      return in_call ? c->rflags : c->gpr[ARCH_R11];
    default:
      return c->gpr[words[n]];
    }
}

/* The kernel has stored words of OTHER's registers, from word N on, to the
   SIZE bytes at ADDR.  */
static bool
mend_words (const struct thread *other, unsigned n, app_addr addr,
            uint64_t size)
{
  uint64_t word;

  for (; n < N_WORDS && size >= sizeof word; n++, addr += 8, size -= 8)
    {
      if (!safe_read (&word, addr, sizeof word))
        return false;
      word = app_word (other, n, word);
      if (!safe_write (addr, &word, sizeof word))
        return false;
    }
  return true;
}

/* The call has returned R: the registers in its result are mended.  */
static long
mend (struct thread *t, const struct thread *other, long r)
{
  uint64_t addr = gate_arg (t, 2), data = gate_arg (t, 3);
  uint64_t iov[2];
  bool done = true;

  if (r < 0)
    return r;
  switch (gate_arg (t, 0))
    {
    case PEEKUSER:
      if (addr % 8 == 0 && addr / 8 < N_WORDS)
        done = mend_words (other, (unsigned) (addr / 8), data, 8);
      break;
    case GETREGS:
      done = mend_words (other, 0, data, N_WORDS * 8);
      break;
    case GETREGSET:
      if (addr == NOTE_PRSTATUS)
        done = safe_read (iov, data, sizeof iov)
               && mend_words (other, 0, iov[0], iov[1]);
      break;
    }
  return done ? r : -RAW_EFAULT;
}

/* See tracer.h.  */
bool
tracer_call (struct thread *t, long *result)
{
  struct thread *other = find_other (t, gate_arg (t, 1));

  if (!other)
    return false;
  switch (gate_arg (t, 0))
    {
    case ATTACH:
    case SEIZE:
      *result = attach (t, gate_arg (t, 1));
      break;
    case SETREGS:
    case POKEUSER:
      *result = -RAW_EIO;
      break;
    case SETREGSET:
      *result = gate_arg (t, 2) == NOTE_PRSTATUS ? -RAW_EIO : gate_issue (t);
      break;
    default:
      *result = mend (t, other, gate_issue (t));
    }
  return true;
}
