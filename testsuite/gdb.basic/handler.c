/* A signal to step into the handler of.  */

#include <signal.h>

volatile int handled;

static void
handler (int sig)
{
  handled = sig;
}

int
main (void)
{
  signal (SIGUSR1, handler);
  raise (SIGUSR1);
  return handled != SIGUSR1;
}
