/* A 32-bit system call from 64-bit code is what it is under a kernel without
   32-bit programs: a fault.  So is sysenter.  */

#define _GNU_SOURCE
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <ucontext.h>

static sigjmp_buf again;

static void
on_fault (int sig, siginfo_t *info, void *context)
{
  const greg_t *r = ((ucontext_t *)context)->uc_mcontext.gregs;
  printf ("signal %d code %d trap %lld error %llx\n", sig, info->si_code,
          r[REG_TRAPNO], r[REG_ERR]);
  siglongjmp (again, 1);
}

int
main (void)
{
  struct sigaction a = { .sa_sigaction = on_fault, .sa_flags = SA_SIGINFO };
  long result = 20; /* getpid of 32-bit programs */
  sigaction (SIGSEGV, &a, NULL);
  if (!sigsetjmp (again, 1))
    {
      asm volatile("int $0x80" : "+a"(result) : : "memory");
      printf ("int 0x80: %s\n", result > 0 ? "a process id" : "an error");
    }
  if (!sigsetjmp (again, 1))
    asm volatile("sysenter" : "+a"(result) : : "rcx", "rdx", "memory");
  return 0;
}
