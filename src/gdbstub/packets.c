/* See packets.h.  */

#include "gdbstub/packets.h"

#include <string.h>

#include "gdbstub/stub-impl.h"

enum match { WHOLE, PREFIX };
enum needs { NOTHING, PROCESS = 1, TRACING = 2 };

static const struct packet
{
  const char *text;
  enum match match;
  enum needs needs;
  void (*handle) (struct stub *s, struct scan *in, struct reply *out);
} packets[] = {
#define PACKET(WORD, TEXT, MATCH, NEEDS) { TEXT, MATCH, NEEDS, cmd_##WORD },
#include "gdbstub/packets.def"
#undef PACKET
};

static const struct packet *
find (struct scan *in)
{
  for (size_t i = 0; i < ARRAY_SIZE (packets); i++)
    {
      struct scan rest = *in;

      if (scan_skip_word (&rest, packets[i].text)
          && (packets[i].match == PREFIX || scan_done (&rest)))
        {
          *in = rest;
          return &packets[i];
        }
    }
  return NULL;
}

/* See packets.h.  */
void
packets_dispatch (struct stub *s, struct scan *in, struct reply *out)
{
  const struct packet *p = find (in);

  if (p == NULL)
    return;
  if ((p->needs & PROCESS) != 0 && !stub_has_process (s))
    reply_error (out, 1);
  else if ((p->needs & TRACING) == 0 || tracing_is_possible (&s->tracing))
    p->handle (s, in, out);
}
