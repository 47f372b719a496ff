/* Raw system calls, and the kernel's structures that the engine shares with
   it, for the engine only: no errno, no cancellation, no libc.

   Each call returns what the kernel returned: a value, or -errno.  The numbers
   come from <asm/unistd.h>; the layouts are those of the kernel's uapi headers
   (named linux_* here, because the same files are compiled hosted for tests,
   beside the libc's own definitions).  */

#ifndef LINUX_RAW_H
#define LINUX_RAW_H

#include <asm/unistd.h>
#include "common/types.h"

static inline long
raw6 (long nr, uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e,
      uint64_t f)
{
  long ret;
  register uint64_t r10 __asm__ ("r10") = d;
  register uint64_t r8 __asm__ ("r8") = e;
  register uint64_t r9 __asm__ ("r9") = f;
  __asm__ volatile ("syscall"
                    : "=a"(ret)
                    : "0"(nr), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8),
                      "r"(r9)
                    : "rcx", "r11", "memory");
  return ret;
}

static inline long
raw4 (long nr, uint64_t a, uint64_t b, uint64_t c, uint64_t d)
{
  long ret;
  register uint64_t r10 __asm__ ("r10") = d;
  __asm__ volatile ("syscall"
                    : "=a"(ret)
                    : "0"(nr), "D"(a), "S"(b), "d"(c), "r"(r10)
                    : "rcx", "r11", "memory");
  return ret;
}

static inline long
raw3 (long nr, uint64_t a, uint64_t b, uint64_t c)
{
  long ret;
  __asm__ volatile ("syscall"
                    : "=a"(ret)
                    : "0"(nr), "D"(a), "S"(b), "d"(c)
                    : "rcx", "r11", "memory");
  return ret;
}

#define RAW_PTR(P) ((uint64_t) (uintptr_t) (P))
#define RAW_FAILED(R) ((unsigned long) (R) >= -4095ul)

/* errno values that the engine itself returns or looks for.  */
enum
{
  RAW_EPERM = 1, RAW_ENOENT = 2, RAW_ESRCH = 3, RAW_EINTR = 4, RAW_EIO = 5,
  RAW_EBADF = 9, RAW_EAGAIN = 11, RAW_ENOMEM = 12, RAW_EACCES = 13,
  RAW_EFAULT = 14,
  RAW_EEXIST = 17, RAW_EINVAL = 22, RAW_ENOSPC = 28, RAW_ENOSYS = 38,
  RAW_ETIMEDOUT = 110
};

/* mmap.  */
enum
{
  RAW_PROT_READ = 1, RAW_PROT_WRITE = 2, RAW_PROT_EXEC = 4,
  RAW_PROT_GROWSDOWN = 0x01000000, RAW_PROT_GROWSUP = 0x02000000
};
enum
{
  RAW_MAP_SHARED = 1, RAW_MAP_PRIVATE = 2, RAW_MAP_SHARED_VALIDATE = 3,
  RAW_MAP_TYPE = 15, RAW_MAP_FIXED = 0x10, RAW_MAP_ANONYMOUS = 0x20,
  RAW_MAP_32BIT = 0x40, RAW_MAP_GROWSDOWN = 0x100,
  RAW_MAP_NORESERVE = 0x4000, RAW_MAP_FIXED_NOREPLACE = 0x100000,
  RAW_MADV_DONTNEED = 4, RAW_MADV_POPULATE_READ = 22,
  RAW_MADV_POPULATE_WRITE = 23
};
enum { RAW_MREMAP_MAYMOVE = 1, RAW_MREMAP_FIXED = 2,
       RAW_MREMAP_DONTUNMAP = 4 };

/* Signals.  */
enum
{
  RAW_SIGILL = 4, RAW_SIGTRAP = 5, RAW_SIGABRT = 6, RAW_SIGBUS = 7,
  RAW_SIGFPE = 8, RAW_SIGKILL = 9, RAW_SIGSEGV = 11, RAW_SIGCHLD = 17,
  RAW_SIGCONT = 18, RAW_SIGSTOP = 19, RAW_SIGTSTP = 20, RAW_SIGTTIN = 21,
  RAW_SIGTTOU = 22, RAW_SIGURG = 23, RAW_SIGWINCH = 28, RAW_SIGSYS = 31,
  RAW_NSIG = 64
};
enum
{
  RAW_SA_NOCLDSTOP = 1, RAW_SA_NOCLDWAIT = 2, RAW_SA_SIGINFO = 4,
  RAW_SA_UNSUPPORTED = 0x400, RAW_SA_EXPOSE_TAGBITS = 0x800,
  RAW_SA_RESTORER = 0x04000000, RAW_SA_ONSTACK = 0x08000000,
  RAW_SA_RESTART = 0x10000000, RAW_SA_NODEFER = 0x40000000
};
#define RAW_SA_RESETHAND 0x80000000u
enum { RAW_SIG_BLOCK, RAW_SIG_UNBLOCK, RAW_SIG_SETMASK };
enum { RAW_SIG_DFL, RAW_SIG_IGN };
enum { RAW_SI_USER = 0, RAW_SI_KERNEL = 0x80, RAW_SI_QUEUE = -1,
       RAW_SI_TKILL = -6 };
enum { RAW_SEGV_MAPERR = 1, RAW_SEGV_ACCERR = 2, RAW_ILL_ILLOPN = 2,
       RAW_TRAP_BRKPT = 1, RAW_TRAP_TRACE = 2, RAW_BUS_ADRALN = 1 };
enum { RAW_SS_ONSTACK = 1, RAW_SS_DISABLE = 2 };
#define RAW_SS_AUTODISARM 0x80000000u

/* A signal set as the kernel has it: bit N - 1 is signal N.  */
typedef uint64_t linux_sigset;
#define SIGSET_BIT(SIG) (1ull << ((SIG) - 1))

struct linux_sigaction
{
  uint64_t handler;
  uint64_t flags;
  uint64_t restorer;
  linux_sigset mask;
};

struct linux_siginfo
{
  int32_t signo, err, code, pad;
  union
  {
    uint64_t words[14];
    struct { uint64_t addr; } fault;
    struct { int32_t pid; uint32_t uid; uint64_t value; } queue;
  };
};
_Static_assert (sizeof (struct linux_siginfo) == 128, "");

struct linux_timespec { int64_t sec, nsec; };

/* clone.  */
#define RAW_CSIGNAL 0xffull
#define RAW_CLONE_VM 0x100ull
#define RAW_CLONE_SIGHAND 0x800ull
#define RAW_CLONE_PIDFD 0x1000ull
#define RAW_CLONE_VFORK 0x4000ull
#define RAW_CLONE_PARENT 0x8000ull
#define RAW_CLONE_THREAD 0x10000ull
#define RAW_CLONE_SETTLS 0x80000ull
#define RAW_CLONE_PARENT_SETTID 0x100000ull
#define RAW_CLONE_CHILD_CLEARTID 0x200000ull
#define RAW_CLONE_UNTRACED 0x800000ull
#define RAW_CLONE_CHILD_SETTID 0x1000000ull
#define RAW_CLONE_CLEAR_SIGHAND 0x100000000ull

struct linux_clone_args
{
  uint64_t flags, pidfd, child_tid, parent_tid, exit_signal;
  uint64_t stack, stack_size, tls, set_tid, set_tid_size, cgroup;
};

enum { RAW_FUTEX_WAIT = 0, RAW_FUTEX_WAKE = 1, RAW_FUTEX_PRIVATE = 128 };
enum { RAW_ARCH_SET_GS = 0x1001, RAW_ARCH_SET_FS, RAW_ARCH_GET_FS,
       RAW_ARCH_GET_GS };
enum { RAW_AT_NULL = 0, RAW_AT_HWCAP2 = 26, RAW_AT_MINSIGSTKSZ = 51 };
enum { RAW_O_RDONLY = 0, RAW_O_CLOEXEC = 02000000 };
#define RAW_AT_FDCWD ((uint64_t) -100)

/* Write N bytes at S to descriptor FD, whatever it takes; errors are
   dropped.  */
static inline void
raw_write_all (int fd, const char *s, size_t n)
{
  while (n)
    {
      long r = raw3 (__NR_write, fd, RAW_PTR (s), n);
      if (r == -RAW_EINTR)
        continue;
      if (r <= 0)
        return;
      s += r;
      n -= r;
    }
}

#endif
