/* See tracee.h.  */

#define _GNU_SOURCE
#include "host/tracee.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "common/clock.h"

#define STOP_LIMIT 5000                 /* milliseconds */
#define VDSO_MAX_SIZE (4 * PAGE_SIZE)

/* See tracee.h.  */
const unsigned long tracee_options
  = PTRACE_O_TRACEEXEC | PTRACE_O_TRACESYSGOOD;

/* Sleep until a child changes its state or MS milliseconds are over.  */
static void
wait_for_sigchld (int64_t ms)
{
  sigset_t set;
  struct timespec t = { .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000 };

  sigemptyset (&set);
  sigaddset (&set, SIGCHLD);
  sigtimedwait (&set, NULL, &t);
}

/* See tracee.h.  */
enum tracee_refusal
tracee_wait (int pid, int *status, int limit)
{
  int64_t until = clock_ms () + limit;

  for (;;)
    {
      int r = waitpid (pid, status, __WALL | WNOHANG);
      int64_t left = until - clock_ms ();

      if (r == pid)
        return WIFSTOPPED (*status) ? TRACEE_OK : TRACEE_GONE;
      if (r < 0 && errno != EINTR)
        return TRACEE_GONE;
      if (left <= 0)
        return TRACEE_LATE;
      wait_for_sigchld (MIN (left, 100));
    }
}

/* Run T to its next stop at a system call; other stops are passed over.  */
static enum tracee_refusal
run_to_syscall_stop (struct tracee *t)
{
  int status, sig;

  for (;;)
    {
      enum tracee_refusal r;

      if (ptrace (PTRACE_SYSCALL, t->pid, NULL, NULL) < 0)
        return TRACEE_GONE;
      r = tracee_wait (t->pid, &status, STOP_LIMIT);
      if (r != TRACEE_OK)
        return r;
      sig = WSTOPSIG (status);
      if (sig == (SIGTRAP | 0x80))
        return TRACEE_OK;
      if (sig == SIGSTOP)
        t->stop_pending = true;
    }
}

static bool
get_regs (const struct tracee *t, struct arch_regs *regs)
{
  struct user_regs_struct user;
  struct iovec iov = { &user, sizeof user };

  if (ptrace (PTRACE_GETREGSET, t->pid, (void *) NT_PRSTATUS, &iov) < 0
      || iov.iov_len != sizeof user)    /* shorter: a 32-bit process */
    return false;
  inject_regs_get (regs, &user);
  return true;
}

static bool
set_regs (const struct tracee *t, const struct arch_regs *regs)
{
  struct user_regs_struct user;

  memset (&user, 0, sizeof user);
  inject_regs_set (&user, regs);
  return ptrace (PTRACE_SETREGS, t->pid, NULL, &user) == 0;
}

/* Where the vDSO has a system call instruction, which is the same in every
   process of a kernel: offset from its start; 0: none.  */
static uint64_t
vdso_syscall (void)
{
  static uint64_t found;
  const uint8_t *vdso = (const uint8_t *) getauxval (AT_SYSINFO_EHDR);
  const Elf64_Ehdr *h = (const Elf64_Ehdr *) vdso;
  const Elf64_Phdr *p;
  const uint8_t *at;

  if (vdso == NULL || found != 0)
    return found;
  p = (const Elf64_Phdr *) (vdso + h->e_phoff);
  for (unsigned i = 0; i < h->e_phnum; i++)
    if (p[i].p_type == PT_LOAD && (p[i].p_flags & PF_X) != 0
        && p[i].p_filesz <= VDSO_MAX_SIZE)
      {
        at = memmem (vdso + p[i].p_vaddr, p[i].p_filesz, inject_syscall_code,
                     INJECT_SYSCALL_SIZE);
        if (at != NULL)
          found = at - vdso;
      }
  return found;
}

static uint64_t
vdso_of (int pid)
{
  Elf64_auxv_t auxv[64];
  char name[32];
  uint64_t base = 0;
  ssize_t n;
  int fd;

  snprintf (name, sizeof name, "/proc/%d/auxv", pid);
  fd = open (name, O_RDONLY | O_CLOEXEC);
  if (fd < 0)
    return 0;
  n = read (fd, auxv, sizeof auxv);
  close (fd);
  for (ssize_t i = 0; i < n / (ssize_t) sizeof *auxv; i++)
    if (auxv[i].a_type == AT_SYSINFO_EHDR)
      base = auxv[i].a_un.a_val;
  return base;
}

/* Find T a system call instruction: the vDSO's, or one written over its first
   instruction for the time being.  */
static bool
find_syscall (struct tracee *t)
{
  uint8_t code[INJECT_SYSCALL_SIZE];
  uint64_t offset = vdso_syscall (), base = vdso_of (t->pid);

  t->patched = false;
  t->syscall_at = base + offset;
  if (offset != 0 && base != 0 && tracee_read (t, t->syscall_at, code, 2)
      && memcmp (code, inject_syscall_code, sizeof code) == 0)
    return true;
  t->syscall_at = t->regs.rip;
  t->patched = tracee_read (t, t->syscall_at, t->under, sizeof t->under)
               && tracee_write (t, t->syscall_at, inject_syscall_code,
                                INJECT_SYSCALL_SIZE);
  return t->patched;
}

/* See tracee.h.  */
enum tracee_refusal
tracee_hold (struct tracee *t, int pid)
{
  uint64_t all = ~0ull;
  char name[32];
  enum tracee_refusal r;

  memset (t, 0, sizeof *t);
  t->pid = pid;
  t->mem = -1;
  if (ptrace (PTRACE_GETSIGMASK, pid, sizeof all, &t->sigmask) < 0
      || ptrace (PTRACE_SETSIGMASK, pid, sizeof all, &all) < 0)
    return TRACEE_GONE;
  r = run_to_syscall_stop (t);
  if (r != TRACEE_OK)
    return r;
  snprintf (name, sizeof name, "/proc/%d/mem", pid);
  t->mem = open (name, O_RDWR | O_CLOEXEC);
  if (!get_regs (t, &t->regs) || !inject_regs_fit (&t->regs))
    return TRACEE_FOREIGN;
  if (t->mem < 0 || !find_syscall (t))
    return TRACEE_NO_MEMORY_ACCESS;
  return TRACEE_OK;
}

/* See tracee.h.  */
enum tracee_refusal
tracee_call (struct tracee *t, int64_t *result, long nr, const uint64_t *args,
             unsigned n)
{
  struct arch_regs regs = t->regs;
  enum tracee_refusal r;

  inject_syscall (&regs, t->syscall_at, nr, args, n);
  if (!set_regs (t, &regs))
    return TRACEE_GONE;
  r = run_to_syscall_stop (t);          /* at its entry */
  if (r == TRACEE_OK)
    r = run_to_syscall_stop (t);        /* behind it */
  if (r != TRACEE_OK)
    return r;
  if (!get_regs (t, &regs))
    return TRACEE_GONE;
  *result = inject_result (&regs);
  return TRACEE_OK;
}

/* See tracee.h.  */
bool
tracee_read (const struct tracee *t, uint64_t addr, void *buffer, size_t n)
{
  return pread (t->mem, buffer, n, addr) == (ssize_t) n;
}

/* See tracee.h.  */
bool
tracee_write (const struct tracee *t, uint64_t addr, const void *buffer,
              size_t n)
{
  return pwrite (t->mem, buffer, n, addr) == (ssize_t) n;
}

/* See tracee.h.  */
void
tracee_let_go (struct tracee *t, bool keep_mem)
{
  if (t->patched)
    {
      bool restored = tracee_write (t, t->syscall_at, t->under,
                                    sizeof t->under);

      (void) restored;          /* it fails only when the process is gone */
    }
  set_regs (t, &t->regs);
  ptrace (PTRACE_SETSIGMASK, t->pid, sizeof t->sigmask, &t->sigmask);
  ptrace (PTRACE_DETACH, t->pid, NULL, NULL);
  if (t->stop_pending)
    kill (t->pid, SIGSTOP);
  if (!keep_mem && t->mem >= 0)
    {
      close (t->mem);
      t->mem = -1;
    }
}
