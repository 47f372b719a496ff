/* A child that shares the program's memory traces its threads, as
   LeakSanitizer does: one computes, one waits in a system call.  What it reads
   as their registers is theirs.  */

#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#define MAGIC 0x1234567890abcdef
#define NT_PRSTATUS 1

extern const char loop_begin[], loop_end[];
static volatile int stop, n_ready;
static volatile pid_t spinner, waiter;
static char *volatile spinner_stack, *volatile waiter_stack;
static int never[2];

/* Go round with a known value in %r12, and with calls, until told.  */
static void *
spin (void *arg)
{
  char here;

  spinner_stack = &here;
  spinner = gettid ();
  __atomic_add_fetch (&n_ready, 1, __ATOMIC_SEQ_CST);
  asm volatile ("mov %0, %%r12\n"
                ".globl loop_begin, loop_end\n"
                "loop_begin:\n"
                "1:\tcmpl $0, %1\n\tjne 2f\n\tlea 3f(%%rip), %%rcx\n\t"
                "call *%%rcx\n\tjmp 1b\n"
                "3:\tadd $1, %%rdx\n\tret\n"
                "loop_end:\n2:"
                : : "i" (MAGIC), "m" (stop)
                : "r12", "rcx", "rdx", "memory", "cc");
  return arg;
}

static void *
wait_in_call (void *arg)
{
  char here;

  waiter_stack = &here;
  waiter = gettid ();
  __atomic_add_fetch (&n_ready, 1, __ATOMIC_SEQ_CST);
  (void) !read (never[0], &here, 1);
  return arg;
}

static const char *
is_near (uint64_t sp, const char *stack)
{
  return sp - (uint64_t) stack + 8192 < 16384 ? "its stack" : "elsewhere";
}

static int
attach (pid_t tid)
{
  int status;

  return ptrace (PTRACE_ATTACH, tid, 0, 0) == 0
         && waitpid (tid, &status, __WALL) == tid && WIFSTOPPED (status);
}

/* The tracer: several times, as the spinner is somewhere else each time.  */
static int
trace (void *arg)
{
  struct user_regs_struct regs;
  struct iovec iov = { &regs, sizeof regs };
  int in_loop = 0, magic = 0, on_stack = 0, peeked = 0, n;

  (void) arg;
  for (n = 0; n < 50; n++)
    {
      if (!attach (spinner)
          || ptrace (PTRACE_GETREGSET, spinner, NT_PRSTATUS, &iov) < 0)
        return 1;
      in_loop += regs.rip >= (uint64_t) loop_begin
                 && regs.rip < (uint64_t) loop_end;
      magic += regs.r12 == MAGIC;
      on_stack += is_near (regs.rsp, spinner_stack)[0] == 'i';
      peeked += (uint64_t) ptrace (PTRACE_PEEKUSER, spinner,
                                   offsetof (struct user_regs_struct, r12), 0)
                == MAGIC;
      ptrace (PTRACE_DETACH, spinner, 0, 0);
    }
  printf ("spinning: in its loop %d, its %%r12 %d and %d, its stack %d\n",
          in_loop, magic, peeked, on_stack);
  for (;;)
    {
      if (!attach (waiter) || ptrace (PTRACE_GETREGS, waiter, 0, &regs) < 0)
        return 2;
      if (regs.orig_rax == SYS_read)
        break;
      ptrace (PTRACE_DETACH, waiter, 0, 0);
    }
  printf ("waiting: %s, call %lld, descriptor %s\n",
          is_near (regs.rsp, waiter_stack), regs.orig_rax,
          regs.rdi == (unsigned) never[0] ? "right" : "wrong");
  ptrace (PTRACE_DETACH, waiter, 0, 0);
  return 0;
}

int
main (void)
{
  static char stack[65536] __attribute__ ((aligned (16)));
  pthread_t a, b;
  int status;
  pid_t tracer;

  (void) !pipe (never);
  prctl (PR_SET_PTRACER, PR_SET_PTRACER_ANY, 0, 0, 0);
  pthread_create (&a, NULL, spin, NULL);
  pthread_create (&b, NULL, wait_in_call, NULL);
  while (n_ready < 2 || !spinner || !waiter)
    sched_yield ();
  tracer = clone (trace, stack + sizeof stack,
                  CLONE_VM | CLONE_FS | CLONE_FILES | SIGCHLD, NULL);
  waitpid (tracer, &status, __WALL);
  printf ("tracer: %d\n", WEXITSTATUS (status));
  stop = 1;
  (void) !write (never[1], "", 1);
  pthread_join (a, NULL);
  pthread_join (b, NULL);
  return 0;
}
