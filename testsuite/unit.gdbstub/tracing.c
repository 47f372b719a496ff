/* Packets about tracepoints, for the fake target; and the buffer of frames,
   with parts that make no sense.  */

#include "asking.h"
#include "fake-target.h"
#include "gdbstub/streams.h"
#include "tracebuf/tracebuf.h"

static void
has (const char *packet, const char *part)
{
  const char *got = peer_ask (&p, packet);

  if (!check (strstr (got, part) != NULL, "%.60s has %.60s", packet, part))
    printf ("  got: %.300s\n", got);
}

static void
start (const struct target_event *events, size_t n, unsigned abilities)
{
  static const char *const argv[] = { "/bin/fake", NULL };
  static struct stub_options options = { .connection = "stdio",
                                         .argv = argv };
  struct fake_script script = { .abilities = abilities,
                                .events = events, .n_events = n };

  fake_set_script (&script);
  peer_start (&p, &options, NULL);
  peer_ask (&p, "qSupported:multiprocess+");
  peer_monitor (&p, "log");
}

static void
test_without (void)
{
  start (NULL, 0, 0);
  ask ("QTinit", "");
  ask ("qTStatus", "");
  ask ("QTDP:1:1000:E:0:0", "");
  ask ("qTfV", "");
  ask ("QTFrame:0", "");
  ask ("QTBuffer:size:1000", "");
  check (strstr (peer_ask (&p, "qSupported"), "Tracepoints") == NULL,
         "nothing is announced");
  stop ();
}

static void
test_definitions (void)
{
  start (NULL, 0, TARGET_CAN_TRACE);
  has ("qSupported", ";ConditionalTracepoints+;TraceStateVariables+;"
                     "TracepointSource+;FastTracepoints+;InstallInTrace+;"
                     "qXfer:traceframe-info:read+;EnableDisableTracepoints+;"
                     "QTBuffer:size+");
  peer_monitor (&p, "log");
  has ("qTStatus", "T0;tnotrun:0;tframes:0;tcreated:0;tfree:50");
  ask ("qTMinFTPILen", "1");
  ask ("QTinit", "OK");
  ask ("qTfP", "l");
  ask ("QTDP:1:1000:E:0:3:X2,2227-", "OK");
  ask ("QTDP:-1:1000:R01ffff-", "OK");
  ask ("QTDP:-1:1000:M-1,10000,10M6,fffffffffffffff8,4X3,220427", "OK");
  ask ("QTDP:2:2000:D:0:0:F5-", "OK");
  ask ("QTDP:-2:2000:R0100000000000000", "OK");
  ask ("QTDP:1:1000:E:0:0", "E01");
  ask ("QTDP:-3:1000:R01", "E01");
  ask ("QTDP:3:1000:E:5:0", "E.while-stepping is not supported");
  ask ("QTDP:-1:1000:SR01", "E.while-stepping is not supported");
  ask ("QTDP:-1:1000:Z", "E01");
  ask ("QTDP:4:", "E01");
  ask ("QTDP:4:4000:E:0:0:X5,22", "E01");
  ask ("QTDPsrc:1:1000:at:0:4:776f726b", "OK");
  ask ("QTDPsrc:9:1000:at:0:4:776f726b", "E01");
  ask ("qTfP", "T1:1000:E:0:3:X2,2227");
  ask ("qTsP", "A1:1000:R01ffff");
  ask ("qTsP", "A1:1000:M-1,10000,10");
  ask ("qTsP", "A1:1000:M6,fffffffffffffff8,4");
  ask ("qTsP", "A1:1000:X3,220427");
  ask ("qTsP", "Z1:1000:at:0:4:776f726b");
  ask ("qTsP", "T2:2000:D:0:0:F5");
  ask ("qTsP", "A2:2000:R0100000000000000");
  ask ("qTsP", "l");
  ask ("QTDV:7:5:0:666f6f", "OK");
  ask ("QTDV:ffff:5:0:666f6f", "E01");
  ask ("qTfV", "7:5:0:666f6f");
  ask ("qTsV", "1:0:1:74726163655f74696d657374616d70");
  ask ("qTsV", "l");
  ask ("qTV:7", "U");
  ask ("QTStart", "OK");
  done ("variable 7 5\ntrace 500000\n"
        "tracepoint 1.0 1000 3 regs if 2 memory -1+10000,10 "
        "memory 6+fffffffffffffff8,4 code 3\n");
  ask ("QTEnable:2:2000", "OK");
  ask ("QTDisable:1:1000", "OK");
  ask ("QTDisable:1:1001", "E01");
  done ("tracepoint 1.0 1000 3 regs if 2 memory -1+10000,10 "
        "memory 6+fffffffffffffff8,4 code 3\n"
        "tracepoint 2.1 2000 0 regs vector\n"
        "tracepoint 2.1 2000 0 regs vector\n");
  ask ("qTV:7", "V5");
  ask ("qTV:8", "U");
  ask ("QTDP:2:2000:E:0:7-", "OK");
  done ("");
  ask ("QTDP:-2:2000:R01", "OK");
  done ("tracepoint 2.1 2000 7 regs\n");
  ask ("QTStop", "OK");
  ask ("QTDP:2:2000:E:0:7", "E01");
  ask ("QTinit", "OK");
  ask ("qTfP", "l");
  stop ();
}

static void
test_frames (void)
{
  static const struct target_event events[] = {
    { .kind = TARGET_EVENT_STEP, .pid = FAKE_PID, .tid = FAKE_PID },
    { .kind = TARGET_EVENT_STEP, .pid = FAKE_PID, .tid = FAKE_PID },
  };

  start (events, 2, TARGET_CAN_TRACE);
  ask ("QTinit", "OK");
  ask ("QTNotes:user:6d65;notes:6161;tstop:6262;", "OK");
  ask ("QTNotes:other:6d65;", "E01");
  ask ("QTDP:1:1000:E:0:0-", "OK");
  ask ("QTDP:-1:1000:R01M-1,10000,10", "OK");
  ask ("QTDP:2:2000:E:0:0-", "OK");
  ask ("QTDP:-2:2000:M-1,10000,10", "OK");
  ask ("QTro:20000,21000:10000,10020", "OK");
  ask ("QTStart", "OK");
  peer_ask (&p, "vCont;c");
  peer_ask (&p, "vCont;c");
  has ("qTStatus", "T1;tnotrun:0;tframes:4;tcreated:4;");
  has ("qTStatus", ";username:6d65;notes:6161:");
  ask ("QTStop", "OK");
  has ("qTStatus", "T0;tstop:6262:0;tframes:4");
  has ("qTP:1:1000", "V2:");
  ask ("qTP:1:1001", "E01");
  ask ("qXfer:traceframe-info:read::0,1000", "E01");
  ask ("QTFrame:4", "F-1");
  has ("qTBuffer:0,6", "0100");
  check (strlen (peer_ask (&p, "qTBuffer:6,10")) == 32
             && memcmp (p.answer, "52", 2) == 0,
         "a block of registers comes first");
  ask ("qTBuffer:10000000,10", "l");
  ask ("qTBuffer:0", "E01");
  ask ("QTFrame:0", "F0T1");
  has ("p0", "0000000000000000");
  has ("p10", "0010000000000000");
  ask ("QTFrame:tdp:2", "F1T2");
  ask ("QTFrame:pc:1000", "F2T1");
  has ("p0", "0200000000000000");
  ask ("P0=0300000000000000", "E01");
  ask ("M10000,1:00", "E01");
  ask ("m10000,4", "73697874");
  ask ("m1000e,4", "2e2e");
  ask ("m30000,4", "E01");
  ask ("qTV:7", "V2");
  ask ("qTV:8", "U");
  has ("qXfer:traceframe-info:read::0,1000",
       "<memory start=\"0x10000\" length=\"0x10\"/>\n<tvar id=\"0x7\"/>");
  ask ("QTFrame:outside:0:1fff", "F3T2");
  ask ("p0", "xxxxxxxxxxxxxxxx");
  ask ("p10", "0020000000000000");
  ask ("QTFrame:range:0:1000", "F-1");
  ask ("QTFrame:ffffffff", "OK");
  ask ("QTFrame:range:1fff:2000", "F1T2");
  ask ("QTFrame:tdp:", "E01");
  ask ("QTFrame:ffffffff", "OK");
  ask ("QTDisconnected:0", "OK");
  ask ("QTDisconnected:1", "E.disconnected tracing is not supported");
  ask ("QTBuffer:circular:1", "E.a circular trace buffer is not supported");
  stop ();
}

static void
test_ends (void)
{
  static const struct target_event events[] = {
    { .kind = TARGET_EVENT_STEP, .pid = FAKE_PID, .tid = FAKE_PID },
    { .kind = TARGET_EVENT_STEP, .pid = FAKE_PID, .tid = FAKE_PID },
  };

  start (events, 2, TARGET_CAN_TRACE);
  ask ("QTinit", "OK");
  ask ("QTDP:9:1000:E:0:1", "OK");
  ask ("QTStart", "OK");
  peer_ask (&p, "vCont;c");
  has ("qTStatus", "T0;tpasscount:9;tframes:1;");
  ask ("QTinit", "OK");
  ask ("QTBuffer:size:80", "OK");
  ask ("QTDP:1:1000:E:0:0", "OK");
  ask ("QTDP:2:1000:E:0:0", "OK");
  ask ("QTDP:3:1000:E:0:0", "OK");
  ask ("QTStart", "OK");
  peer_ask (&p, "vCont;c");
  has ("qTStatus", "T0;tfull:0;tframes:2;tcreated:2;");
  has ("qTStatus", ";tsize:80;");
  ask ("QTBuffer:size:-1", "OK");
  has ("qTStatus", "tframes:0;");
  stop ();
}

/* A frame of point NUMBER with the N VALUES, and a string at the third's
   address.  */
static size_t
make_frame (uint8_t *to, uint32_t number, uint32_t index,
            const uint64_t *values, size_t n)
{
  const struct channel_trace_part part
    = { number, index, 3, CHANNEL_PART_FIRST | CHANNEL_PART_LAST };
  struct channel_trace_block block = { CHANNEL_BLOCK_MEMORY, 16, values[2] };
  size_t at = sizeof part;

  memcpy (to, &part, sizeof part);
  memcpy (to + at, &block, sizeof block);
  memcpy (to + at + sizeof block, "say \"hi\"\n\0rest!", 16);
  at += sizeof block + 16;
  for (size_t i = 0; i < n; i++)
    {
      block = (struct channel_trace_block) { CHANNEL_BLOCK_VARIABLE, 8,
                                             TARGET_STREAM_VALUE + i };
      memcpy (to + at, &block, sizeof block);
      memcpy (to + at + sizeof block, &values[i], 8);
      at += sizeof block + 8;
    }
  return at;
}

/* Lines of streams, with values of each kind; and what ends them.  */
static void
test_streams (void)
{
  static const char *const kinds[] = { "d", "u", "s", "c", "b", "F", "f",
                                       "e0=RED,-1=BLUE", "x", "d" };
  const uint64_t numbers[] = { -5ul, -1ul, 0x1000, 'a', 7,
                               0x3ff8000000000000, 0x3fc00000, -1ul, 255 };
  struct stream_value values[ARRAY_SIZE (kinds)];
  struct stream_order o = { .number = 4, .addr = 0x1000, .limit = 2,
                            .place = "f (a.c:1)", .values = values,
                            .n_values = ARRAY_SIZE (kinds) };
  static const uint8_t code[] = { 0x27 };
  struct streams l = { NULL, { NULL, 0, 0 }, 0 };
  uint8_t frame[1024];
  struct target *t;
  size_t n;

  check (target_create (&t, NULL) == TARGET_OK, "a target");
  for (size_t i = 0; i < ARRAY_SIZE (kinds); i++)
    values[i] = (struct stream_value) { "v", kinds[i], { code, 1 } };
  check (streams_add (&l, t, &o) == NULL, "a stream");
  n = make_frame (frame, TARGET_STREAM | TARGET_FIRST_STREAM << 16,
                  TARGET_FIRST_STREAM, numbers, ARRAY_SIZE (numbers));
  check (streams_take (&l, frame, n), "its frame is taken");
  reply_raw (&l.text, "", 1);
  check (strcmp (l.text.data,
                 "1: thread 3, f (a.c:1): v = -5, "
                 "v = 18446744073709551615, "
                 "v = 0x1000 \"say \\\"hi\\\"\\012\", v = 97 'a', v = true, "
                 "v = 1.5, v = 1.5, v = BLUE, v = 0xff, v = <error>\n")
           == 0,
         "and shown: %s", l.text.data);
  reply_clear (&l.text);
  frame[4] ^= 1;
  check (streams_take (&l, frame, n) && l.text.length == 0,
         "one of no stream is dropped");
  frame[4] ^= 1;
  for (size_t cut = 0; cut < n; cut++)
    streams_take (&l, frame, cut);
  check (streams_hits (&l, 4) == 2, "what is cut is survived, to the limit");
  frame[3] = 0;
  check (!streams_take (&l, frame, n), "others are not taken");
  check (streams_end (&l, t, 4) && streams_hits (&l, 4) == 2
           && streams_forget (&l, t, 4) && streams_hits (&l, 4) == 0,
         "it ends, and is forgotten");
  streams_fini (&l);
  target_destroy (t, true);
}

/* Whatever the engine's words are.  */
static void
test_nonsense (void)
{
  struct tracebuf *b = tracebuf_create ();
  uint64_t words[64], seed = 1;
  uint8_t bytes[512];

  tracebuf_clear (b, 1 << 20);
  for (unsigned n = 0; n < 200000; n++)
    {
      struct channel_trace_part *part = (struct channel_trace_part *) words;
      size_t at = 0;

      for (size_t i = 0; i < ARRAY_SIZE (words); i++)
        words[i] = (seed = seed * 6364136223846793005 + 1442695040888963407)
                   >> (n % 2 != 0 ? 60 : 20);
      part->flags %= 8;
      part->thread %= 4;
      if (tracebuf_take (b, 1, words, n % (sizeof words + 1)))
        while (tracebuf_next (b, tracebuf_count (b) - 1, &at) != NULL)
          continue;
    }
  check (tracebuf_free (b) <= 1 << 20, "the limit is kept");
  for (size_t n = 0; n < tracebuf_count (b); n++)
    {
      struct arch_regs regs;
      uint64_t value;

      tracebuf_registers (b, n, &regs);
      tracebuf_vector (b, n, bytes, sizeof bytes);
      tracebuf_memory (b, n, n, bytes, sizeof bytes);
      tracebuf_variable (b, n, n, &value);
    }
  check (tracebuf_count (b) > 0, "nonsense is survived");
  tracebuf_destroy (b);
}

int
main (void)
{
  test_without ();
  test_definitions ();
  test_frames ();
  test_ends ();
  test_streams ();
  test_nonsense ();
  return check_done ();
}
