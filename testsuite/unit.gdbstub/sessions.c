/* Connections that come and go: GDB vanishes in mid-packet, while the program
   runs, stalls; the next connection; the ways in which a stub ends.  */

#define _GNU_SOURCE
#include "lib/check.h"

#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "fake-target.h"
#include "peer.h"

static struct peer p;
static char errors[] = "/tmp/rio-sessions-XXXXXX";

static const char *
messages (void)
{
  static char text[8192];
  FILE *f = fopen (errors, "r");
  size_t n = fread (text, 1, sizeof text - 1, f);

  fclose (f);
  text[n] = 0;
  return text;
}

static struct stub_options
options (const char *connection)
{
  static const char *const argv[] = { "/bin/fake", NULL };

  return (struct stub_options) { .connection = connection, .argv = argv };
}

static void
script (const struct target_event *events, size_t n)
{
  struct fake_script s = { .events = events, .n_events = n };

  fake_set_script (&s);
}

static void
again (void)
{
  close (p.fd);
  usleep (50000);
  peer_connect (&p, peer_port (errors));
}

/* Over TCP the stub and its program outlive a connection.  */
static void
test_vanishing (void)
{
  struct stub_options o = options ("127.0.0.1:0");

  script (NULL, 0);
  peer_start_tcp (&p, &o, errors);
  check (strcmp (peer_ask (&p, "qC"), "QC100") == 0, "connected");
  peer_raw (&p, "$m1000", 6);
  again ();
  check (strcmp (peer_ask (&p, "qC"), "QC100") == 0,
         "after GDB vanished in mid-packet the next one is served");
  peer_send (&p, "c");
  again ();
  check (strncmp (peer_ask (&p, "?"), "T02", 3) == 0,
         "a program that ran when GDB vanished is stopped for the next");
  check (strstr (messages (), "Remote side has terminated connection.  "
                              "GDBserver will reopen the connection.\n")
           != NULL,
         "and a message says so");
  check (strstr (peer_monitor (&p, "log"), "interrupt") != NULL,
         "the target was interrupted");
  peer_send (&p, "k");
  check (peer_end (&p) == 0, "k ends it");
  check (strstr (messages (), "Killing all inferiors\n") != NULL,
         "with gdbserver's message");
}

/* An interrupt that has come with the packet that lets the program run.  */
static void
test_interrupt (void)
{
  struct stub_options o = options ("127.0.0.1:0");
  const char *log;

  script (NULL, 0);
  peer_start_tcp (&p, &o, errors);
  peer_raw (&p, "$vCont;c#a8\3", 12);
  check (strncmp (peer_wait (&p, 5000), "T02", 3) == 0, "it stops");
  log = peer_monitor (&p, "log");
  check (strstr (log, "expect interrupt\nresume (0.0 continue 0)\n"
                      "interrupt 100\n") != NULL,
         "an interrupt in the same piece is known before the resume");
  peer_send (&p, "vCont;c");
  check (peer_byte (&p, 5000) == '+', "it runs");
  peer_raw (&p, "\3", 1);
  peer_wait (&p, 5000);
  check (strstr (peer_monitor (&p, "log"), "expect") == NULL,
         "one that comes later is not");
  peer_send (&p, "k");
  peer_end (&p);
}

/* A peer that takes nothing: the stub waits, and goes on.  */
static void
test_stall (void)
{
  struct stub_options o = options ("127.0.0.1:0");
  int wrong = 0;

  script (NULL, 0);
  peer_start_tcp (&p, &o, errors);
  for (int i = 0; i < 2000; i++)
    peer_send (&p, "m10000,2000");
  for (int i = 0; i < 2000; i++)
    wrong += strncmp (peer_wait (&p, 5000), "00010203", 8) != 0;
  check (wrong == 0, "2000 answers of 16 KiB wait for a peer that stalls");
  peer_send (&p, "k");
  check (peer_end (&p) == 0, "it ends");
}

/* Bytes without end, and no packet in them.  */
static void
test_garbage (void)
{
  struct stub_options o = options ("127.0.0.1:0");
  static char noise[1 << 16];

  script (NULL, 0);
  peer_start_tcp (&p, &o, errors);
  memset (noise, 'x', sizeof noise);
  for (int i = 0; i < 100; i++)
    peer_raw (&p, noise, sizeof noise);
  check (strcmp (peer_ask (&p, "qC"), "QC100") == 0,
         "answers after 6 MiB of noise");
  noise[0] = '$';
  for (int i = 0; i < 100; i++)
    peer_raw (&p, noise + (i > 0), sizeof noise - 1);
  peer_raw (&p, "#00", 3);
  peer_byte (&p, 5000);
  check (strcmp (peer_ask (&p, "qC"), "QC100") == 0,
         "answers after a packet of 6 MiB");
  peer_send (&p, "k");
  check (peer_end (&p) == 0, "it ends");
}

static void
test_ends (void)
{
  static const struct target_event exit_3[] = {
    { .kind = TARGET_EVENT_EXITED, .pid = FAKE_PID, .tid = FAKE_PID,
      .status = 3 }
  };
  static const struct target_event killed[] = {
    { .kind = TARGET_EVENT_KILLED, .pid = FAKE_PID, .tid = FAKE_PID,
      .signal = 11 }
  };
  struct stub_options o = options ("127.0.0.1:0");

  script (exit_3, 1);
  peer_start_tcp (&p, &o, errors);
  check (strcmp (peer_ask (&p, "c"), "W03") == 0, "the program exits");
  check (peer_end (&p) == 0, "the stub ends with the connection");
  check (strstr (messages (), "\nChild exited with status 3\n") != NULL,
         "Child exited");
  script (killed, 1);
  peer_start_tcp (&p, &o, errors);
  check (strcmp (peer_ask (&p, "c"), "X0b") == 0, "the program dies");
  check (peer_end (&p) == 0, "the stub ends with the connection");
  check (strstr (messages (),
                 "\nChild terminated with signal = 0xb (SIGSEGV)\n")
           != NULL,
         "Child terminated");
  script (NULL, 0);
  o.once = true;
  peer_start_tcp (&p, &o, errors);
  peer_ask (&p, "qC");
  check (peer_end (&p) == 0, "--once ends with the connection");
  check (strstr (messages (), "Killing process(es): 256\n") != NULL,
         "and kills");
  o = options ("stdio");
  peer_start (&p, &o, errors);
  peer_ask (&p, "qC");
  check (peer_end (&p) == 0, "so does one on a pipe");
  check (strstr (messages (), "Remote debugging using stdio\n") != NULL
           && strstr (messages (), "Process /bin/fake created; pid = 256\n")
                != NULL,
         "the messages of a pipe");
}

/* The server is asked to end, whatever it is doing.  */
static void
test_signals (void)
{
  struct stub_options o = options ("127.0.0.1:0");
  static const char *const doing[] = { "qC", "vCont;c", "" };

  script (NULL, 0);
  for (size_t i = 0; i < ARRAY_SIZE (doing); i++)
    {
      peer_start_tcp (&p, &o, errors);
      if (doing[i][0] != 0)
        {
          peer_send (&p, doing[i]);
          peer_byte (&p, 5000);
        }
      else
        again ();
      kill (p.pid, SIGTERM);
      check (peer_end (&p) == -1, "SIGTERM ends it (%s)", doing[i]);
      check (strstr (messages (), "Killing process(es): 256\n") != NULL,
             "and the program before");
    }
}

static void
test_multi (void)
{
  struct stub_options o = options ("127.0.0.1:0");

  o.multi = true;
  o.argv = NULL;
  script (NULL, 0);
  peer_start_tcp (&p, &o, errors);
  check (strcmp (peer_ask (&p, "?"), "W00") == 0, "no program at first");
  check (strcmp (peer_ask (&p, "vRun;"), "E01") == 0, "none to run again");
  check (strcmp (peer_ask (&p, "!"), "OK") == 0, "extended");
  check (strncmp (peer_ask (&p, "vRun;61"), "T05", 3) == 0, "vRun");
  again ();
  check (strncmp (peer_ask (&p, "?"), "T05", 3) == 0,
         "the program is there for the next connection");
  peer_send (&p, "k");
  check (strcmp (peer_ask (&p, "?"), "W00") == 0, "k leaves the stub");
  again ();
  check (strcmp (peer_ask (&p, "?"), "W00") == 0, "so does leaving");
  peer_monitor (&p, "exit");
  check (peer_end (&p) == 0, "monitor exit ends it");
}

static void
test_refusals (void)
{
  struct fake_script s = { .cannot_spawn = true };
  struct stub_options o = options ("stdio"), taken = options (NULL);
  struct peer other;
  char name[40];

  fake_set_script (&s);
  peer_start (&p, &o, errors);
  check (strcmp (peer_wait (&p, 5000), "(closed)") == 0, "no program");
  check (peer_end (&p) == 1, "exit status 1");
  check (strstr (messages (), "Cannot exec /bin/fake: the program cannot be "
                              "found.\nExiting\n")
           != NULL,
         "with the reason");
  script (NULL, 0);
  o = options ("127.0.0.1:0");
  peer_start_tcp (&other, &o, errors);
  snprintf (name, sizeof name, "127.0.0.1:%d", peer_port (errors));
  taken.connection = name;
  peer_start (&p, &taken, errors);
  check (strcmp (peer_wait (&p, 5000), "(closed)") == 0, "a port in use");
  check (peer_end (&p) == 1, "exit status 1");
  check (strstr (messages (),
                 "Can't bind address: Address already in use.\n")
           != NULL,
         "Can't bind address");
  peer_send (&other, "k");
  peer_end (&other);
  o = options ("no.such.host.invalid:1");
  peer_start (&p, &o, errors);
  check (peer_end (&p) == 1, "a host that is none");
  o = options ("/dev/null/no-terminal");
  peer_start (&p, &o, errors);
  check (peer_end (&p) == 1, "a terminal that is none");
}

int
main (void)
{
  close (mkstemp (errors));
  test_vanishing ();
  test_interrupt ();
  test_stall ();
  test_garbage ();
  test_ends ();
  test_signals ();
  test_multi ();
  test_refusals ();
  unlink (errors);
  return check_done ();
}
