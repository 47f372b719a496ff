/* What the flags of an action do, and what is blocked while a handler
   runs.  */

#include <signal.h>
#include <stdio.h>
#include <string.h>

static sigset_t seen;
static volatile sig_atomic_t depth, deepest, calls;

static void
look (int sig)
{
  calls++;
  depth++;
  deepest = depth > deepest ? depth : deepest;
  sigprocmask (SIG_BLOCK, NULL, &seen);
  if (calls < 3)
    raise (sig);
  depth--;
}

static void
print_mask (const char *what, const sigset_t *set)
{
  printf ("%s:", what);
  for (int sig = 1; sig < 65; sig++)
    if (sigismember (set, sig) == 1)
      printf (" %d", sig);
  printf ("\n");
}

static void
try (const char *name, int sig, int flags)
{
  struct sigaction a, after;

  memset (&a, 0, sizeof a);
  a.sa_handler = look;
  a.sa_flags = flags;
  sigaddset (&a.sa_mask, SIGUSR2);
  sigaddset (&a.sa_mask, SIGRTMIN + 3);
  calls = depth = deepest = 0;
  sigaction (sig, &a, NULL);
  raise (sig);
  sigaction (sig, NULL, &after);
  printf ("%s: calls %d, deepest %d, handler %s, flags %#x\n", name, calls,
          deepest, after.sa_handler == SIG_DFL ? "default" : "ours",
          after.sa_flags & ~0x04000000);
  print_mask ("  in the handler", &seen);
  sigprocmask (SIG_BLOCK, NULL, &seen);
  print_mask ("  after it", &seen);
}

int
main (void)
{
  signal (SIGUSR1, SIG_IGN);
  raise (SIGUSR1);
  try ("plain", SIGUSR1, 0);
  try ("nodefer", SIGUSR1, SA_NODEFER);
  try ("real-time", SIGRTMIN, SA_RESTART);
  try ("the highest", SIGRTMAX, 0);
  try ("resethand on what is ignored after", SIGCHLD, SA_RESETHAND);
  return 0;
}
