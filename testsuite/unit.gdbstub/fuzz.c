/* Packets at random, and good ones damaged, to a stub with the fake target.
   Whatever was sent, the stub lives, answers the next packet, and ends with
   its connection.  A fresh seed each time, printed; RIO_SEED repeats one.  */

#define _GNU_SOURCE
#include "lib/check.h"

#include <string.h>
#include <unistd.h>

#include "fake-target.h"
#include "peer.h"

enum { ROUNDS = 40, PACKETS = 250, TICK_MS = 20, TICKS = 1000 };

static const char *const seeds[] = {
#define PACKET(WORD, TEXT, MATCH, NEEDS) TEXT,
#include "gdbstub/packets.def"
#undef PACKET
  "m10000,20", "M10000,2:aabb", "X10000,2:ab", "P0=0000000000000000", "p10",
  "vCont;c:p100.-1", "vCont;s:p100.100;c", "vCont;r10,20:p100.100;t",
  "Z0,10010,1;X2,aabb;cmds:0,X1,cc", "z0,10010,1", "Z2,10020,8",
  "qXfer:features:read:target.xml:0,fff", "qXfer:auxv:read::0,fff",
  "qXfer:siginfo:write::0:abc", "qXfer:libraries-svr4:read:start=10000;:0,ff",
  "qSupported:multiprocess+;swbreak+", "Hgp100.100", "Hcp100.-1", "Tp100.100",
  "vFile:open:2f70726f632f73656c662f6d617073,0,0", "vFile:pread:3,100,0",
  "vFile:close:3", "vFile:fstat:3", "vFile:setfs:1", "vFile:readlink:2f",
  "vRun;2f62696e2f66616b65;61", "vKill;100", "D;100", "QPassSignals:e;f",
  "QEnvironmentHexEncoded:46414b453d31", "qSearch:memory:10000;100;abc",
  "qCRC:10000,100", "qGetTLSAddr:p100.100,0,0", "qSymbol::", "qRcmd,68656c70",
  "qSymbol:1000:5f7468726561645f64625f6c696e6b5f6d61705f6c5f746c735f6d6f646964"
};

static unsigned state;
static char errors[] = "/tmp/rio-fuzz-XXXXXX";

/* A link, of which nobody but settle asks where it points to.  */
static char link_name[sizeof errors + 5];
static const char link_text[] = "nowhere/at/all";

static unsigned
any (unsigned below)
{
  return (unsigned) rand_r (&state) % below;
}

/* Damage the N bytes of PACKET, which may grow to 2 N + 64.  Returns the new
   length.  */
static size_t
damage (char *packet, size_t n)
{
  static const char favourites[] = "0123456789abcdef,;:=.-+p}*#$\003\377";

  for (unsigned i = any (5); i > 0; i--)
    {
      size_t at = any (n + 1);

      switch (any (4))
        {
        case 0:
          memmove (packet + at + 1, packet + at, n - at);
          packet[at] = favourites[any (sizeof favourites)];
          n++;
          break;
        case 1:
          n = at;
          break;
        case 2:
          if (at < n)
            packet[at] = any (256);
          break;
        default:
          if (at < n)
            packet[at] = favourites[any (sizeof favourites)];
          break;
        }
    }
  return n;
}

/* Forget what the stub has sent.  Returns false when it has closed.  */
static bool
drain (struct peer *p, int timeout_ms)
{
  int c;

  while ((c = peer_byte (p, timeout_ms)) >= 0)
    ;
  return c == -2;
}

static void
send_one (struct peer *p)
{
  char packet[1024];
  const char *seed = seeds[any (ARRAY_SIZE (seeds))];
  size_t n = strlen (seed);

  memcpy (packet, seed, n);
  n = damage (packet, n);
  if (any (8) == 0)
    peer_raw (p, packet, n);
  else if (memchr (packet, '#', n) == NULL && memchr (packet, '$', n) == NULL)
    peer_send_n (p, packet, n);
  if (any (20) == 0)
    peer_raw (p, "\003", 1);
}

/* Show what a stub that did wrong has said.  */
static void
show_errors (void)
{
  char line[1024];
  FILE *f = fopen (errors, "r");

  while (f != NULL && fgets (line, sizeof line, f) != NULL)
    fputs (line, stdout);
  if (f != NULL)
    fclose (f);
}

/* End what the stub may be in the middle of, and see that it answers or ends:
   answers to what it was sent before may come first, however late.  */
static bool
settle (struct peer *p)
{
  char question[128] = "vFile:readlink:";
  size_t at = strlen (question);
  const char *answer;

  for (const char *c = link_name; *c != 0; c++)
    at += sprintf (question + at, "%02x", (uint8_t) *c);
  for (int i = 0; i < TICKS; i++)
    {
      peer_raw (p, "#00\003", 4);
      peer_send (p, "vFile:setfs:0");
      peer_send (p, question);
      do
        answer = peer_wait (p, TICK_MS);
      while (answer[0] != '(' && strstr (answer, link_text) == NULL);
      if (strcmp (answer, "(silence)") != 0)
        return true;
    }
  printf ("does not answer\n");
  return false;
}

/* One life of a stub.  Returns false when it did wrong.  */
static bool
life (void)
{
  static const char *const argv[] = { "/bin/fake", NULL };
  static struct stub_options options = { .connection = "stdio",
                                         .argv = argv };
  static struct peer p;
  bool alive = true;
  int status;

  peer_start (&p, &options, errors);
  p.noack = any (2);
  if (p.noack)
    peer_ask (&p, "QStartNoAckMode");
  peer_ask (&p, "!");
  for (int i = 0; alive && i < PACKETS; i++)
    {
      send_one (&p);
      if (i % 50 == 49)
        alive = drain (&p, TICK_MS);
    }
  alive = !alive || settle (&p);
  status = peer_end (&p);
  if (status != 0)
    {
      printf ("ended with %d\n", status);
      show_errors ();
    }
  return alive && status == 0;
}

int
main (void)
{
  /* Events without end: signals, steps, forks.  */
  static struct target_event events[PACKETS];
  struct fake_script script = { .abilities = -1u, .xsave_size = 2696,
                                .events = events,
                                .n_events = ARRAY_SIZE (events) };
  int bad = 0, made;

  state = check_seed ();
  for (size_t i = 0; i < ARRAY_SIZE (events); i++)
    events[i] = (struct target_event) {
      .kind = i % 5 == 0 ? TARGET_EVENT_NONE : TARGET_EVENT_SIGNAL,
      .pid = FAKE_PID, .tid = FAKE_PID, .signal = 10
    };
  fake_set_script (&script);
  close (mkstemp (errors));
  sprintf (link_name, "%s.link", errors);
  made = symlink (link_text, link_name);
  check (made == 0, "a link is made");
  for (int i = 0; i < ROUNDS; i++)
    bad += !life ();
  unlink (link_name);
  unlink (errors);
  check (bad == 0, "%d stubs out of %d survived %d packets each",
         ROUNDS - bad, ROUNDS, PACKETS);
  return check_done ();
}
