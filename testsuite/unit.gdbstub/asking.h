/* Checks of what a stub with the fake target answers, over the connection P of
   the file that includes this.  */

#ifndef UNIT_GDBSTUB_ASKING_H
#define UNIT_GDBSTUB_ASKING_H

#include "lib/check.h"

#include <string.h>

#include "peer.h"

static struct peer p;

/* PACKET is answered by ANSWER.  */
static void
ask (const char *packet, const char *answer)
{
  const char *got = peer_ask (&p, packet);

  if (!check (strcmp (got, answer) == 0, "%.60s -> %.60s", packet, answer))
    printf ("  got: %.300s\n", got);
}

/* What the target was told since the last look.  */
static void
done (const char *log)
{
  const char *got = peer_monitor (&p, "log");

  if (!check (strcmp (got, log) == 0, "done: %.70s", log))
    printf ("  got: %.300s\n", got);
}

static void
stop (void)
{
  check (peer_end (&p) == 0, "the stub ends");
}

#endif
