/* Every packet of the table, answered for the fake target.  */

#include "asking.h"
#include "fake-target.h"
#include "gdbstub/packets.h"

#define ALL                                                                   \
  (TARGET_CAN_WATCH | TARGET_CAN_CONDITION | TARGET_CAN_COMMAND               \
   | TARGET_CAN_CATCH_SYSCALL | TARGET_CAN_FOLLOW_FORK                        \
   | TARGET_CAN_FOLLOW_EXEC | TARGET_CAN_THREAD_EVENTS)

/* The general registers in a stop reply: those that the fake target gives to
   thread 1TT, as bytes of digits, and the lowest byte of its pc.  */
#define REGISTER(N, V, TT) N ":" V "00" TT "0100000000;"
#define GENERAL(TT, PC)                                                       \
  REGISTER ("00", "00", TT) REGISTER ("01", "03", TT)                         \
  REGISTER ("02", "01", TT) REGISTER ("03", "02", TT)                         \
  REGISTER ("04", "06", TT) REGISTER ("05", "07", TT)                         \
  REGISTER ("06", "05", TT) REGISTER ("07", "04", TT)                         \
  REGISTER ("08", "08", TT) REGISTER ("09", "09", TT)                         \
  REGISTER ("0a", "0a", TT) REGISTER ("0b", "0b", TT)                         \
  REGISTER ("0c", "0c", TT) REGISTER ("0d", "0d", TT)                         \
  REGISTER ("0e", "0e", TT) REGISTER ("0f", "0f", TT)                         \
  "10:" PC "00010000000000;11:46020000;"

/* Where a step ended: those that tell the frame.  */
#define FRAME(TT, PC)                                                         \
  REGISTER ("06", "05", TT) REGISTER ("07", "04", TT)                         \
  "10:" PC "00010000000000;"

/* The answer begins with START.  */
static void
ask_start (const char *packet, const char *start)
{
  const char *got = peer_ask (&p, packet);

  if (!check (strncmp (got, start, strlen (start)) == 0, "%.60s -> %.60s...",
              packet, start))
    printf ("  got: %.300s\n", got);
}

static void
start (const struct target_event *events, size_t n, unsigned abilities,
       const char *features)
{
  static const char *const argv[] = { "/bin/fake", "one", "two words", NULL };
  static struct stub_options options = {
    .connection = "stdio", .argv = argv, .startup_with_shell = true,
    .disable_randomization = true
  };
  struct fake_script script = { .abilities = abilities,
                                .xsave_size = 2696,
                                .events = events, .n_events = n };

  fake_set_script (&script);
  peer_start (&p, &options, NULL);
  peer_ask (&p, features);
}

static void
test_queries (void)
{
  start (NULL, 0, 0, "qSupported:multiprocess+;swbreak+;xmlRegisters=i386");
  ask ("vMustReplyEmpty", "");
  ask ("qNoSuchThing", "");
  ask ("Q", "");
  ask ("", "");
  ask ("?", "T05" FRAME ("00", "10") "thread:p100.100;core:3;");
  ask ("qC", "QCp100.100");
  ask ("qCx", "");
  ask ("qfThreadInfo", "mp100.100");
  ask ("qsThreadInfo", "l");
  ask ("qAttached", "0");
  ask ("qAttached:100", "0");
  ask ("qAttached:77", "E01");
  ask ("qOffsets", "");
  ask ("qTStatus", "");
  ask ("vCont?", "vCont;c;C;t;s;S;r");
  ask ("vAttach;1", "E.Attaching to a process is not supported.");
  ask ("Hg0", "OK");
  ask ("Hgp0.0", "OK");
  ask ("Hgp100.100", "OK");
  ask ("Hgp100.-1", "OK");
  ask ("Hgp77.77", "E01");
  ask ("Hgp200.100", "E01");
  ask ("Hc-1", "OK");
  ask ("Hcp100.100", "OK");
  ask ("Hs0", "OK");
  ask ("Hx0", "");
  ask ("Hg", "E01");
  ask ("Tp100.100", "OK");
  ask ("Tp100.101", "E01");
  ask ("T", "E01");
  stop ();
}

static void
test_qSupported (void)
{
  const char *got;

  start (NULL, 0, 0, "qSupported");
  got = peer_ask (&p, "qSupported:multiprocess+;fork-events+");
  check (strncmp (got, "PacketSize=47ff;", 16) == 0, "PacketSize");
  check (strstr (got, ";QStartNoAckMode+") != NULL
           && strstr (got, ";multiprocess+") != NULL
           && strstr (got, ";qXfer:libraries-svr4:read+") != NULL,
         "what always works is announced");
  check (strstr (got, "fork-events") == NULL
           && strstr (got, "ConditionalBreakpoints") == NULL
           && strstr (got, "QCatchSyscalls") == NULL
           && strstr (got, "QThreadEvents") == NULL,
         "what the target cannot do is not announced");
  ask ("QCatchSyscalls:1", "");
  ask ("QThreadEvents:1", "");
  ask ("Z2,10000,4", "");
  ask ("z2,10000,4", "");
  stop ();
  start (NULL, 0, ALL, "qSupported");
  got = peer_ask (&p, "qSupported:");
  check (strstr (got, ";fork-events+") != NULL
           && strstr (got, ";vfork-events+") != NULL
           && strstr (got, ";exec-events+") != NULL
           && strstr (got, ";ConditionalBreakpoints+") != NULL
           && strstr (got, ";BreakpointCommands+") != NULL
           && strstr (got, ";QCatchSyscalls+") != NULL
           && strstr (got, ";QThreadEvents+") != NULL,
         "what the target can do is announced");
  stop ();
}

static void
test_memory (void)
{
  start (NULL, 0, 0, "qSupported:multiprocess+");
  ask ("m10000,10", "000102030405060708090a0b0c0d0e0f");
  ask ("m17ffe,10", "feff");
  ask ("m18000,1", "E01");
  ask ("m0,0", "");
  ask ("m", "E01");
  ask ("m10000", "E01");
  ask ("m10000,zz", "E01");
  ask ("m11111111111111111,1", "E01");
  ask ("M10000,3:aabbcc", "OK");
  ask ("m10000,4", "aabbcc03");
  ask ("M10000,3:aabb", "E01");
  ask ("M10000,1:a", "E01");
  ask ("M18000,1:00", "E01");
  ask ("M17fff,2:0000", "E01");
  ask ("X10000,0:", "OK");
  ask ("X10000,4:a}\x03}\x04z", "OK");
  ask ("m10000,4", "6123247a");
  ask ("X10000,2:a", "E01");
  ask ("X10000,1:}", "E01");
  peer_send_n (&p, "X10001,3:\0a\0", 12);
  check (strcmp (peer_wait (&p, 5000), "OK") == 0, "X with zeros in it");
  ask ("m10000,5", "6100610004");
  ask ("qSearch:memory:10004;1000;\x09\x0a\x0b", "1,10009");
  ask ("qSearch:memory:10010;20;zzz", "0");
  ask ("qSearch:memory:17f00;1000;zzz", "E01");
  ask ("qSearch:memory:10000;1000;", "E01");
  ask ("M17000,9:313233343536373839", "OK");
  ask ("qCRC:17000,9", "C376e6e7"); /* CRC-32/MPEG-2 */
  ask ("qCRC:18000,4", "E01");
  stop ();
}

static void
test_registers (void)
{
  char long_packet[8192];
  const char *got;

  start (NULL, 0, 0, "qSupported:multiprocess+");
  ask ("p0", "0000000100000000");
  ask ("p1", "0300000100000000");
  ask ("p7", "0400000100000000");
  ask ("p10", "1000010000000000");
  ask ("p11", "46020000");
  ask ("p20", "7f030000");
  ask ("p22", "ffff0000");
  ask ("p39", "ffffffffffffffff");
  ask ("p3a", "0010010000000000");
  ask ("pffff", "E01");
  ask ("p", "E01");
  ask ("P0=8877665544332211", "OK");
  ask ("p0", "8877665544332211");
  ask ("P0=88", "E01");
  ask ("P0=88776655443322110", "E01");
  ask ("P0", "E01");
  ask ("P28=000102030405060708090a0b0c0d0e0f", "OK");
  ask ("p28", "000102030405060708090a0b0c0d0e0f");
  ask ("P38=ffffffff", "OK");
  ask ("p38", "ffff0000");
  got = peer_ask (&p, "g");
  check (strncmp (got, "887766554433221103000001", 24) == 0, "g");
  snprintf (long_packet, sizeof long_packet, "G%s", got);
  memcpy (long_packet + 1, "0100000000000000xxxxxxxxxxxxxxxx", 32);
  ask (long_packet, "OK");
  ask ("p0", "0100000000000000");
  ask ("p1", "0300000100000000");
  ask ("G00", "E01");
  ask ("p0", "0100000000000000");
  stop ();
}

static void
test_documents (void)
{
  start (NULL, 0, 0, "qSupported:multiprocess+");
  ask_start ("qXfer:features:read:target.xml:0,1000", "m<?xml");
  ask ("qXfer:features:read:nix.xml:0,100", "E00");
  ask ("qXfer:features:read:target.xml:ffffff,100", "E01");
  ask ("qXfer:features:write:target.xml:0:a", "");
  ask ("qXfer:features:read:target.xml:0", "E01");
  ask ("qXfer:nix:read::0,100", "");
  ask ("qXfer:threads:read::0,1000",
       "l<threads>\n<thread id=\"p100.100\" core=\"3\" "
       "name=\"a&lt;b&gt;&amp;&quot;c&apos;\" "
       "handle=\"0010010000000000\"/>\n</threads>\n");
  ask ("qXfer:threads:read::0,5", "m<thre");
  ask ("qXfer:threads:read::5,3", "mads");
  ask ("qXfer:osdata:read::0,3d", "m<?xml version=\"1.0\"?>\n"
                                 "<!DOCTYPE target SYSTEM \"osdata.dtd\">\n<");
  ask ("qXfer:osdata:read:nonsense:0,1000", "l");
  ask ("qXfer:exec-file:read::0,100", "l/bin/fake100");
  ask ("qXfer:exec-file:read:100:0,100", "l/bin/fake100");
  ask ("qXfer:exec-file:read:77:0,100", "E01");

  peer_ask (&p, "qXfer:siginfo:read::0,100");
  check (p.length == 129 && p.answer[1] == 5 && p.answer[9] == 2,
         "the siginfo of a step");
  ask ("qXfer:siginfo:write::0:a", "E01");
  ask ("qXfer:libraries-svr4:read::0,100", "E01");
  ask ("qXfer:auxv:read:x:0,100", "E00");
  peer_ask (&p, "qXfer:auxv:read::0,100");
  check (p.length == 53 && p.answer[0] == 'l' && p.answer[1] == 3
           && p.answer[11] == 1
           && memcmp (p.answer + 25, "}\3}\4}\12}]", 8) == 0,
         "auxv");
  stop ();
}

static void
test_settings (void)
{
  start (NULL, 0, ALL, "qSupported:multiprocess+");
  peer_monitor (&p, "log");
  ask ("QPassSignals:e;10;2d", "OK");
  ask ("QProgramSignals:2;5", "OK");
  ask ("QPassSignals:zz", "E01");
  ask ("QCatchSyscalls:1;0;e7", "OK");
  ask ("QCatchSyscalls:0", "OK");
  ask ("QCatchSyscalls:2", "E01");
  ask ("QThreadEvents:1", "OK");
  ask ("QThreadEvents:7", "E.Neither 0 nor 1.");
  done ("pass 100402000\nprogram 12\ncatch 100 1 0 231\ncatch 100 0\n"
        "wants 8\nwants 8\n");
  ask ("QStartupWithShell:0", "OK");
  ask ("QStartupWithShell:2", "E.Neither 0 nor 1.");
  ask ("QDisableRandomization:0", "OK");
  ask ("QEnvironmentHexEncoded:46414b453d31", "OK");
  ask ("QEnvironmentHexEncoded:46414b45323d32", "OK");
  ask ("QEnvironmentHexEncoded:46414b453d33", "OK");
  ask ("QEnvironmentHexEncoded:46414b45", "E.Not of the form NAME=VALUE.");
  ask ("QEnvironmentUnset:46414b4532", "OK");
  ask ("QEnvironmentUnset:4", "E01");
  ask ("QSetWorkingDir:2f746d70", "OK");
  ask ("!", "OK");
  ask_start ("vRun;2f62696e2f78;61;", "T05");
  done ("spawn argv [/bin/x] [a] [] wrapper env [FAKE=3] cwd /tmp shell 0 "
        "aslr 1\n");
  ask ("QEnvironmentReset", "OK");
  ask ("QSetWorkingDir:7e2f78", "OK");
  ask_start ("vRun;", "T05");
  done ("spawn argv [/bin/x] wrapper cwd /home/of/x shell 0 aslr 1\n");
  ask ("QSetWorkingDir:7e2d2f78", "OK");
  ask_start ("vRun;", "T05");
  done ("spawn argv [/bin/x] wrapper cwd ~-/x shell 0 aslr 1\n");
  ask ("QSetWorkingDir:", "OK");
  ask_start ("vRun;", "T05");
  done ("spawn argv [/bin/x] wrapper cwd - shell 0 aslr 1\n");
  ask ("vRun;zz", "E01");
  ask ("vRun;4", "E01");
  stop ();
}

static void
test_processes (void)
{
  start (NULL, 0, ALL, "qSupported:multiprocess+");
  done ("spawn argv [/bin/fake] [one] [two words] wrapper cwd - shell 1 "
        "aslr 0\nwants 0\n");
  ask ("vRun;61", "E01");
  ask ("vKill;77", "E01");
  ask ("D;77", "E01");
  ask ("!", "OK");
  ask_start ("vRun;61", "T05");
  ask ("qfThreadInfo", "mp100.100");
  ask ("qsThreadInfo", "mp200.200");
  ask ("qsThreadInfo", "l");
  ask ("D;100", "OK");
  ask ("vKill;200", "OK");
  ask ("?", "W00");
  ask ("g", "E01");
  ask ("m10000,4", "E01");
  ask ("Hg0", "E01");
  ask ("qC", "E01");
  ask ("vCont;c", "E01");
  ask ("qXfer:exec-file:read::0,10", "E01");
  ask ("qXfer:features:read:target.xml:0,10", "E01");
  ask ("qXfer:threads:read::0,100", "l<threads>\n</threads>\n");
  ask_start ("vRun;", "T05");
  peer_send (&p, "k");
  ask ("?", "W00");
  peer_send (&p, "R0");
  ask_start ("?", "T05");
  done ("spawn argv [a] wrapper cwd - shell 1 aslr 0\n"
        "detach 100 signal 0\nkill 200\n"
        "spawn argv [a] wrapper cwd - shell 1 aslr 0\nkill 300\n"
        "spawn argv [a] wrapper cwd - shell 1 aslr 0\n");
  stop ();
  start (NULL, 0, ALL, "qSupported:multiprocess+");
  ask ("D;100", "OK");
  check (strcmp (peer_wait (&p, 5000), "(closed)") == 0,
         "the stub goes with the last process");
  stop ();
  start (NULL, 0, ALL, "qSupported");
  peer_send (&p, "k");
  check (strcmp (peer_wait (&p, 5000), "(closed)") == 0,
         "k ends a stub that is not extended");
  stop ();
}

static void
test_points (void)
{
  start (NULL, 0, ALL, "qSupported:multiprocess+");
  peer_monitor (&p, "log");
  ask ("Z0,10010,1", "OK");
  ask ("Z1,10010,1;X2,aabb", "OK");
  ask ("z0,10010,1", "OK");
  ask ("Z1,10010,1;X2,aabbX1,cc;cmds:0,X1,dd", "OK");
  ask ("z1,10010,1", "OK");
  ask ("z1,10010,1", "E01");
  ask ("Z2,10020,200", "OK");
  ask ("Z3,10020,8", "OK");
  ask ("Z4,10020,8", "OK");
  ask ("z2,10020,200", "OK");
  ask ("z2,10020,200", "E01");
  ask ("Z5,10020,8", "");
  ask ("Z0,bad,1", "E01");
  ask ("z0,bad,1", "E01");
  ask ("Z0,8000,1", "E01");
  ask ("Z1,8000,1", "OK");
  ask ("z1,8000,1", "OK");
  ask ("Z0,10010", "E01");
  ask ("Z0,10010,1;X2,aa", "E01");
  ask ("Z0,10010,1;Xffffffff,aa", "E01");
  ask ("Z0,10010,1x", "E01");
  ask ("Z", "");
  done ("insert 100 kind 0 10010+0\ninsert 100 kind 0 10010+0\n"
        "insert 100 kind 0 10010+0 if aabb\n"
        "insert 100 kind 0 10010+0 if aabb if cc do dd nostop\n"
        "remove 100 kind 0 10010+0\n"
        "insert 100 kind 1 10020+200\ninsert 100 kind 2 10020+8\n"
        "insert 100 kind 3 10020+8\nremove 100 kind 1 10020+200\n"
        "insert 100 kind 0 8000+0\nremove 100 kind 0 8000+0\n");
  stop ();
}

#define TAIL GENERAL ("00", "10") "thread:p100.100;core:3;"
#define EVENT(KIND, ...)                                                      \
  { .kind = TARGET_EVENT_##KIND, .pid = FAKE_PID, .tid = FAKE_PID,            \
    __VA_ARGS__ }

static void
test_events (void)
{
  static const struct target_event events[] = {
    EVENT (BREAKPOINT, .signal = 5),
    EVENT (BREAKPOINT, .signal = 5),
    EVENT (WATCH, .addr = 0x10020, .access = TARGET_POINT_WATCH_WRITE),
    EVENT (WATCH, .addr = 0x10020, .access = TARGET_POINT_WATCH_READ),
    EVENT (WATCH, .addr = 0x10020, .access = TARGET_POINT_WATCH_ACCESS),
    EVENT (STEP, .signal = 5),
    EVENT (SIGNAL, .signal = 10),
    EVENT (SYSCALL_ENTRY, .syscall = 231),
    EVENT (SYSCALL_RETURN, .syscall = 231),
    EVENT (FORK, .child = FAKE_CHILD),
    EVENT (VFORK, .child = FAKE_CHILD + 1),
    EVENT (VFORK_DONE, .child = 0),
    EVENT (EXEC, .signal = 5),
    EVENT (CLONE, .child = 0x101),
    { .kind = TARGET_EVENT_THREAD_EXIT, .pid = FAKE_PID, .tid = 0x101,
      .status = 7 },
    EVENT (NO_RESUMED, .signal = 0),
    EVENT (NONE, .signal = 0),
    EVENT (KILLED, .signal = 10),
    { .kind = TARGET_EVENT_EXITED, .pid = FAKE_CHILD, .tid = FAKE_CHILD,
      .status = 300 & 0xff },
  };

  start (events, ARRAY_SIZE (events), ALL,
         "qSupported:multiprocess+;swbreak+;hwbreak+;fork-events+;"
         "vfork-events+;exec-events+;no-resumed+;vContSupported+");
  peer_ask (&p, "QThreadEvents:1");
  done ("spawn argv [/bin/fake] [one] [two words] wrapper cwd - shell 1 "
        "aslr 0\nwants 7\nwants f\n");
  ask ("Z0,10010,1", "OK");
  ask ("vCont;c", "T05swbreak:;" TAIL);
  ask ("Z1,10010,1", "OK");
  ask ("z0,10010,1", "OK");
  ask ("vCont;c:p100.-1", "T05hwbreak:;" TAIL);
  ask ("vCont;s:p100.100;c", "T05watch:0000000000010020;" TAIL);
  ask ("vCont;S1e:p100.100;t", "T05rwatch:0000000000010020;" TAIL);
  ask ("vCont;C0b:p100.100", "T05awatch:0000000000010020;" TAIL);
  ask ("vCont;r10010,10020:p100.100",
       "T05" FRAME ("00", "10") "thread:p100.100;core:3;");
  ask ("c", "T1e" TAIL);
  done ("insert 100 kind 0 10010+0\nresume (0.0 continue 0)\n"
        "insert 100 kind 0 10010+0\ninsert 100 kind 0 10010+0\n"
        "resume (100.0 continue 0)\n"
        "resume (100.100 step 0) (0.0 continue 0)\n"
        "resume (100.100 step 10) (0.0 stay 0)\n"
        "resume (100.100 continue 11)\n"
        "resume (100.100 range 0 10010-10020)\n"
        "resume (100.100 continue 0) (0.0 continue 0)\n");
  peer_ask (&p, "qXfer:siginfo:read::0,1000");
  check (p.length == 129 && p.answer[1] == 10 && p.answer[128] == 10,
         "siginfo can be read");
  ask ("qXfer:siginfo:write::7e:zz", "2");
  ask ("qXfer:siginfo:read::7c,100", "l\n\nzz");
  ask ("qXfer:siginfo:write::7f:zz", "E01");
  ask ("S0b;10020", "T05syscall_entry:e7;" GENERAL ("00", "20")
                    "thread:p100.100;core:3;");
  ask ("s10010", "T05syscall_return:e7;" TAIL);
  ask ("vCont;c", "T05fork:p900.900;" TAIL);
  ask ("Hgp900.900", "OK");
  ask ("z1,10010,1", "OK");
  ask ("vCont;c:p100.-1", "T05vfork:p901.901;" TAIL);
  ask ("D;901", "OK");
  ask ("vCont;c", "T05vforkdone:;" TAIL);
  ask ("vCont;c", "T05exec:2f62696e2f66616b65313030;" TAIL);
  ask ("z1,10010,1", "E01");
  ask ("vCont;c", "T05create:;" GENERAL ("01", "10") "thread:p100.101;");
  ask ("vCont;c", "w7;p100.101");
  ask ("?", "T05" FRAME ("00", "10") "thread:p100.100;core:3;");
  ask ("vCont;c", "N");
  peer_send (&p, "vCont;c");
  check (strcmp (peer_wait (&p, 200), "(silence)") == 0, "it runs");
  peer_raw (&p, "\003", 1);
  check (strcmp (peer_wait (&p, 5000), "T02" TAIL) == 0, "Ctrl-C stops it");
  ask ("Hcp900.900", "OK");
  ask ("c", "X1e;process:100");
  ask ("c", "W2c;process:900");
  ask ("?", "W00");
  stop ();
}

/* One that crosses a stop comes when the target next runs, once.  */
static void
test_interrupts (void)
{
  static const struct target_event events[] = {
    EVENT (BREAKPOINT, .signal = 5), EVENT (NONE, .signal = 0),
    EVENT (NONE, .signal = 0), EVENT (NONE, .signal = 0),
    EVENT (EXITED, .status = 3)
  };

  start (events, ARRAY_SIZE (events), ALL, "qSupported:multiprocess+");
  ask ("vCont;c", "T05" TAIL);
  peer_raw (&p, "\003\003", 2);
  ask ("?", "T05" TAIL);
  ask ("vCont;c", "T02" TAIL);
  peer_send (&p, "vCont;c");
  check (strcmp (peer_wait (&p, 200), "(silence)") == 0, "it runs");
  peer_raw (&p, "\003", 1);
  check (strcmp (peer_wait (&p, 5000), "T02" TAIL) == 0, "Ctrl-C stops it");
  peer_raw (&p, "$vCont;c#a8\003", 12);
  check (strcmp (peer_wait (&p, 5000), "T02" TAIL) == 0,
         "Ctrl-C in one piece with what lets it run");
  ask ("vCont;c", "W3;process:100");
  stop ();
}

/* What an old GDB sees, that says nothing in qSupported.  */
static void
test_single_process (void)
{
  static const struct target_event events[] = {
    EVENT (BREAKPOINT, .signal = 5), EVENT (NO_RESUMED, .signal = 0),
    EVENT (EXITED, .status = 3)
  };

  start (events, ARRAY_SIZE (events), ALL, "qSupported");
  ask ("Hg0", "OK");
  ask ("qC", "QC100");
  ask ("Hg100", "OK");
  ask ("T100", "OK");
  ask ("c", "T05" GENERAL ("00", "10") "thread:100;core:3;");
  ask ("c", "E.No unwaited-for children left.");
  ask ("c", "W03");
  stop ();
}

static void
test_monitor (void)
{
  const char *text;

  start (NULL, 0, ALL, "qSupported");
  text = peer_monitor (&p, "help");
  check (strstr (text, "  exit\n") != NULL && strstr (text, "  log\n") != NULL,
         "monitor help lists the stub's commands and the target's");
  text = peer_monitor (&p, "nonsense");
  check (strncmp (text, "Unknown monitor command.\n", 25) == 0
           && strcmp (p.answer, "E01") == 0,
         "an unknown monitor command is refused");
  ask ("qRcmd,6", "E01");
  text = peer_monitor (&p, "set debug 1");
  check (strcmp (text, "Debug output enabled.\n") == 0, "monitor set debug 1");
  text = peer_monitor (&p, "set debug 0");
  check (strcmp (text, "Debug output disabled.\n") == 0,
         "monitor set debug 0");
  text = peer_monitor (&p, "set debug-format none");
  check (strcmp (text, "All extra debug format options disabled.\n") == 0,
         "monitor set debug-format");
  text = peer_monitor (&p, "set   remote-debug 1");
  check (strcmp (text, "Protocol debug output enabled.\n") == 0,
         "monitor set remote-debug");
  peer_monitor (&p, "exit");
  check (strcmp (p.answer, "OK") == 0
           && strcmp (peer_wait (&p, 5000), "(closed)") == 0,
         "monitor exit answers and ends");
  stop ();
}

int
main (void)
{
  setenv ("HOME", "/home/of", 1);
  test_queries ();
  test_qSupported ();
  test_memory ();
  test_registers ();
  test_documents ();
  test_settings ();
  test_processes ();
  test_points ();
  test_events ();
  test_interrupts ();
  test_single_process ();
  test_monitor ();
  return check_done ();
}
