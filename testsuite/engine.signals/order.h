/* The signals that a handler has taken, in their order, with the values that
   were sent with them.  */

#ifndef ENGINE_SIGNALS_ORDER_H
#define ENGINE_SIGNALS_ORDER_H

#include <signal.h>
#include <stdio.h>

static volatile int order[64], n_order;

static void
note (int sig, siginfo_t *info, void *context)
{
  (void) context;
  order[n_order++] = sig * 1000 + info->si_value.sival_int;
}

static void
print_order (const char *what)
{
  printf ("%s:", what);
  for (int i = 0; i < n_order; i++)
    printf (" %d", order[i]);
  printf ("\n");
  n_order = 0;
}

#endif
