/* Bytes on the wire: packets that arrive split, merged, damaged, too long and
   among garbage; acknowledgements; run lengths.  */

#include "lib/check.h"

#include <string.h>

#include "gdbstub/rsp.h"

static struct rsp r;

static void
begin (bool noack)
{
  rsp_fini (&r);
  rsp_init (&r);
  r.noack = noack;
}

static void
feed (const char *text)
{
  rsp_feed (&r, text, strlen (text));
}

/* The next item is a packet with TEXT.  */
static bool
packet_is (const char *text)
{
  return rsp_next (&r) == RSP_PACKET && r.length == strlen (text)
         && memcmp (r.data, text, r.length) == 0;
}

/* What waits to be sent is TEXT; it is taken away.  */
static bool
sent (const char *text)
{
  size_t n = r.out_end - r.out_at;
  bool same = n == strlen (text) && memcmp (r.out + r.out_at, text, n) == 0;

  rsp_sent (&r, n);
  return same;
}

static void
test_pieces (void)
{
  static const char text[] = "$qC#b4";
  bool early = false;

  begin (false);
  for (size_t i = 0; i < sizeof text - 2; i++)
    {
      rsp_feed (&r, text + i, 1);
      early |= rsp_next (&r) != RSP_NOTHING;
    }
  rsp_feed (&r, "4", 1);
  check (!early && packet_is ("qC"), "a packet in single bytes");
  check (sent ("+"), "acknowledged once");
  feed ("+$qC#b4+$g#67$?#3f");
  check (packet_is ("qC") && packet_is ("g") && packet_is ("?")
           && rsp_next (&r) == RSP_NOTHING,
         "three packets at once");
  check (sent ("+++"), "each acknowledged");
  feed ("noise\r\n#00$qC#B4");
  check (packet_is ("qC"), "noise in front, capital digits");
  feed ("$abc$qC#b4");
  check (packet_is ("qC"), "a packet begun anew");
  feed ("$#00");
  check (packet_is (""), "an empty packet");
}

static void
test_damage (void)
{
  begin (false);
  feed ("$qC#b5");
  check (rsp_next (&r) == RSP_NOTHING && sent ("-"), "a wrong sum: NAK");
  feed ("$qC#x4$qC#4x");
  check (rsp_next (&r) == RSP_NOTHING && sent ("--"), "no sum: NAK");
  feed ("$qC#b4");
  check (packet_is ("qC") && sent ("+"), "sent again: taken");
  rsp_send (&r, "OK", 2);
  check (sent ("$OK#9a"), "an answer");
  feed ("-");
  check (rsp_next (&r) == RSP_NOTHING && sent ("$OK#9a"), "sent again on NAK");
  begin (false);
  feed ("-");
  check (rsp_next (&r) == RSP_NOTHING && sent (""), "a NAK for nothing");
  begin (true);
  feed ("$qC#b5");
  check (rsp_next (&r) == RSP_BAD_PACKET && sent (""),
         "without acknowledgements a wrong sum is told by the answer");
  feed ("$qC#b4-");
  check (packet_is ("qC") && rsp_next (&r) == RSP_NOTHING && sent (""),
         "without acknowledgements none is sent or heeded");
}

static void
test_size (void)
{
  static char text[RSP_PACKET_SIZE + 10];
  char sum[4];

  begin (false);
  memset (text, 'a', sizeof text);
  text[0] = '$';
  for (int extra = 0; extra < 2; extra++)
    {
      size_t n = RSP_PACKET_SIZE + extra;

      rsp_feed (&r, text, n + 1);
      snprintf (sum, sizeof sum, "#%02x", (uint8_t) ('a' * n));
      feed (sum);
      if (extra == 0)
        check (rsp_next (&r) == RSP_PACKET && r.length == n && sent ("+"),
               "the largest packet");
      else
        check (rsp_next (&r) == RSP_BAD_PACKET && sent ("+"),
               "a packet one byte larger is refused, with no NAK");
    }
  feed ("$qC#b4");
  check (packet_is ("qC"), "and the next one is taken");
}

static void
test_interrupt (void)
{
  begin (false);
  feed ("\003$m\003#70\003");
  check (rsp_next (&r) == RSP_INTERRUPT, "an interrupt before a packet");
  check (packet_is ("m\003"), "0x03 in a packet is data");
  check (rsp_next (&r) == RSP_INTERRUPT, "an interrupt behind a packet");
  feed ("$m\003#70$g");
  check (!rsp_take_interrupt (&r), "none is seen in a packet");
  feed ("#67\003");
  check (rsp_take_interrupt (&r) && !rsp_take_interrupt (&r),
         "one is taken from behind packets that wait");
  check (packet_is ("m\003") && packet_is ("g")
           && rsp_next (&r) == RSP_NOTHING,
         "which stay");
  feed ("$qC#");
  rsp_next (&r);
  feed ("\003\003");
  check (!rsp_take_interrupt (&r), "nor in the digits of a sum");
}

/* Undo the run lengths of the frame that waits, into TO.  Returns the length,
   or -1 when it is no good frame.  */
static long
decode (char *to)
{
  const uint8_t *in = r.out + r.out_at;
  size_t n = r.out_end - r.out_at;
  uint8_t sum = 0;
  unsigned sent_sum;
  long length = 0;

  if (n < 4 || in[0] != '$' || in[n - 3] != '#'
      || sscanf ((const char *) in + n - 2, "%2x", &sent_sum) != 1)
    return -1;
  for (size_t i = 1; i < n - 3; i++)
    {
      sum += in[i];
      if (in[i] == '#' || in[i] == '$')
        return -1;
      if (in[i] == '*' && length > 0)
        {
          sum += in[++i];
          if (in[i] < 32 || in[i] > 126 || strchr ("#$+-", in[i]) != NULL)
            return -1;
          for (int k = in[i] - 29; k > 0; k--, length++)
            to[length] = to[length - 1];
        }
      else
        to[length++] = in[i];
    }
  return sum == sent_sum ? length : -1;
}

static void
test_run_lengths (void)
{
  static char text[5000], back[6000];
  unsigned long seed = check_seed ();
  int bad = 0;

  begin (true);
  for (int round = 0; round < 20000; round++)
    {
      size_t n = 0, want = rand_r ((unsigned *) &seed) % 400;

      while (n < want)
        {
          char c = "0123456789abcdef,;l"[rand_r ((unsigned *) &seed) % 19];
          size_t run = rand_r ((unsigned *) &seed) % 8 == 0
                         ? rand_r ((unsigned *) &seed) % 250
                         : 1;

          while (run-- > 0)
            text[n++] = c;
        }
      rsp_send (&r, text, n);
      if (decode (back) != (long) n || memcmp (text, back, n) != 0)
        bad++;
      rsp_sent (&r, r.out_end - r.out_at);
    }
  check (bad == 0, "run lengths can be undone");
  rsp_send (&r, "0000000000000000", 16);
  check (sent ("$0*,#86"), "sixteen zeros in three characters");
}

int
main (void)
{
  test_pieces ();
  test_damage ();
  test_size ();
  test_interrupt ();
  test_run_lengths ();
  rsp_fini (&r);
  return check_done ();
}
