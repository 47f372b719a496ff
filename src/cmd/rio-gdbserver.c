/* rio-gdbserver: run a program under the engine for GDB.

   The command line is gdbserver's, and one form more: with no COMM the server
   speaks on its standard input and output, as `target remote | rio-gdbserver
   PROGRAM' wants it.  What the first word is, COMM or PROGRAM, is told by its
   form: see is_connection.  */

#define _GNU_SOURCE
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config.h"

#include "cmd/options.h"
#include "gdbstub/stub.h"
#include "host/target.h"

enum { STATUS_USAGE = 1, HELP_COLUMN = 28 };

struct command_line
{
  struct stub_options stub;
  struct channel_options engine;
  char tty[PATH_MAX];
};

struct option
{
  const char *name, *argument, *help;
  bool (*take) (struct command_line *line, const char *value);
};


/* Options.  A handler returns false after a message.  */

static bool
take_multi (struct command_line *line, const char *value)
{
  (void) value;
  return line->stub.multi = true;
}

static bool
take_once (struct command_line *line, const char *value)
{
  (void) value;
  return line->stub.once = true;
}

static bool
take_attach (struct command_line *line, const char *value)
{
  (void) line;
  (void) value;
  fputs ("Attaching to a process is not supported.\n", stderr);
  return false;
}

static bool
take_shell (struct command_line *line, const char *value)
{
  (void) value;
  return line->stub.startup_with_shell = true;
}

static bool
take_no_shell (struct command_line *line, const char *value)
{
  (void) value;
  line->stub.startup_with_shell = false;
  return true;
}

static bool
take_no_aslr (struct command_line *line, const char *value)
{
  (void) value;
  return line->stub.disable_randomization = true;
}

static bool
take_aslr (struct command_line *line, const char *value)
{
  (void) value;
  line->stub.disable_randomization = false;
  return true;
}

static bool
take_trace (struct command_line *line, const char *value)
{
  (void) value;
  return line->stub.trace_packets = true;
}

static bool
take_stdin (struct command_line *line, const char *value)
{
  line->stub.stdin_file = value;
  return true;
}

static bool
take_stdout (struct command_line *line, const char *value)
{
  line->stub.stdout_file = value;
  return true;
}

/* The parent of PID and the device of its controlling terminal, from
   /proc/PID/stat.  */
static bool
read_stat (int pid, int *parent, unsigned *tty)
{
  char name[40], text[1024];
  const char *end;
  size_t n;
  FILE *f;

  snprintf (name, sizeof name, "/proc/%d/stat", pid);
  f = fopen (name, "r");
  if (f == NULL)
    return false;
  n = fread (text, 1, sizeof text - 1, f);
  fclose (f);
  text[n] = 0;
  end = strrchr (text, ')');
  return end != NULL
         && sscanf (end + 1, " %*c %d %*d %*d %u", parent, tty) == 2;
}

/* The name of terminal device number TTY: a descriptor of process PID's tells
   it.  */
static bool
name_terminal (int pid, unsigned tty, char *to, size_t size)
{
  struct stat st;
  ssize_t n;
  char link[40];

  for (int fd = 0; fd < 256; fd++)
    {
      snprintf (link, sizeof link, "/proc/%d/fd/%d", pid, fd);
      if (stat (link, &st) != 0 || !S_ISCHR (st.st_mode)
          || st.st_rdev != (dev_t) tty)
        continue;
      n = readlink (link, to, size - 1);
      if (n > 0)
        {
          to[n] = 0;
          return true;
        }
    }
  return false;
}

/* The terminal of this process, or of the nearest ancestor that has one: GDB
   starts the program of a pipe in a session of its own, without.  */
static bool
find_terminal (char *to, size_t size)
{
  int pid = getpid (), parent;
  unsigned tty;

  for (; pid > 1 && read_stat (pid, &parent, &tty); pid = parent)
    if (tty != 0 && name_terminal (pid, tty, to, size))
      return true;
  return false;
}

static bool
take_tty (struct command_line *line, const char *value)
{
  if (*value != 0)
    line->stub.tty = value;
  else if (find_terminal (line->tty, sizeof line->tty))
    line->stub.tty = line->tty;
  else
    {
      fputs ("--tty: there is no controlling terminal\n", stderr);
      return false;
    }
  return true;
}

static bool
take_disable (struct command_line *line, const char *value)
{
  static const struct
  {
    const char *name;
    unsigned without;
  } packets[] = {
    { "vCont", STUB_WITHOUT_VCONT },
    { "T", STUB_WITHOUT_T },
    { "Tthread", STUB_WITHOUT_T_THREAD },
    { "qC", STUB_WITHOUT_QC },
    { "qfThreadInfo", STUB_WITHOUT_THREAD_INFO },
    { "threads", STUB_WITHOUT_VCONT | STUB_WITHOUT_T_THREAD | STUB_WITHOUT_QC
                   | STUB_WITHOUT_THREAD_INFO },
  };

  while (*value != 0)
    {
      size_t n = strcspn (value, ","), i = 0;

      while (i < ARRAY_SIZE (packets)
             && (strlen (packets[i].name) != n
                 || strncmp (packets[i].name, value, n) != 0))
        i++;
      if (i == ARRAY_SIZE (packets))
        {
          fprintf (stderr, "Don't know how to disable \"%.*s\".\n", (int) n,
                   value);
          return false;
        }
      line->stub.without |= packets[i].without;
      value += n + (value[n] == ',');
    }
  return true;
}

static const struct option options[] = {
#define SERVER_OPTION(WORD, NAME, ARGUMENT, HELP)                             \
  { NAME, ARGUMENT, HELP, take_##WORD },
#include "cmd/gdbserver-options.def"
#undef SERVER_OPTION
};

static void
print_usage (FILE *to)
{
  fputs ("Usage: rio-gdbserver [OPTION]... PROGRAM [ARG]...\n"
         "       rio-gdbserver [OPTION]... COMM PROGRAM [ARG]...\n"
         "       rio-gdbserver [OPTION]... --multi COMM\n"
         "Run PROGRAM under the engine, for GDB.\n\n"
         "COMM is HOST:PORT or :PORT to listen there (on the loopback\n"
         "unless a host is named), a terminal device, or - or stdio for\n"
         "standard input and output, which is the default.  The protocol\n"
         "knows no authentication: whoever connects rules the program and\n"
         "its user's files.\n\n",
         to);
}

static void
print_help (void)
{
  char left[64];

  print_usage (stdout);
  for (size_t i = 0; i < ARRAY_SIZE (options); i++)
    {
      const struct option *o = &options[i];
      bool optional = o->argument[0] == '[';

      snprintf (left, sizeof left, "--%s%s%s", o->name,
                optional ? "[=" : *o->argument != 0 ? "=" : "",
                o->argument + optional);
      if (strlen (left) < HELP_COLUMN - 3)
        printf ("  %-*s%s\n", HELP_COLUMN - 2, left, o->help);
      else
        printf ("  %s\n%-*s%s\n", left, HELP_COLUMN, "", o->help);
    }
  puts ("  --wrapper WRAPPER... --   run PROGRAM by WRAPPER\n"
        "  --help                    print this, and exit\n"
        "  --version                 print the version, and exit\n\n"
        "The engine:");
  options_help ();
}

static const struct option *
find_option (const char *arg, const char **value)
{
  const char *equals = strchrnul (arg + 2, '=');

  *value = *equals != 0 ? equals + 1 : NULL;
  for (size_t i = 0; i < ARRAY_SIZE (options); i++)
    if (strlen (options[i].name) == (size_t) (equals - arg - 2)
        && strncmp (options[i].name, arg + 2, equals - arg - 2) == 0)
      return &options[i];
  return NULL;
}

/* Take the option at *ARGV, and its argument if that is a word of its own.
   Returns how many words that were, 0 after a message.  */
static int
take_option (struct command_line *line, char **argv)
{
  const char *value;
  const struct option *o = find_option (argv[0], &value);
  char why[200];
  int used = 1;

  if (o == NULL)
    switch (options_take (&line->engine, argv[0], why, sizeof why))
      {
      case OPTIONS_OK:
        return 1;
      case OPTIONS_BAD:
        fprintf (stderr, "rio-gdbserver: %s\n", why);
        return 0;
      case OPTIONS_OTHER:
        fprintf (stderr, "Unknown argument: %s\n", argv[0]);
        return 0;
      }
  if (value == NULL && *o->argument != 0 && o->argument[0] != '['
      && argv[1] != NULL)
    value = argv[used++];
  if ((value == NULL && *o->argument != 0 && o->argument[0] != '[')
      || (value != NULL && *o->argument == 0))
    {
      fprintf (stderr, "rio-gdbserver: option '%s': %s\n", argv[0],
               value == NULL ? "a value is wanted" : "it takes no value");
      return 0;
    }
  return o->take (line, value != NULL ? value : "") ? used : 0;
}

/* Take WRAPPER's words, from ARGV to "--", which becomes their end.  Returns
   how many words that were, 0 after a message.  */
static int
take_wrapper (struct command_line *line, char **argv)
{
  int n = 0;

  while (argv[n] != NULL && strcmp (argv[n], "--") != 0)
    n++;
  if (n == 0 || argv[n] == NULL)
    {
      print_usage (stderr);
      return 0;
    }
  argv[n] = NULL;
  line->stub.wrapper = (const char *const *) argv;
  return n + 1;
}


/* Words.  */

/* Whether WORD says where GDB is: "-", "stdio", HOST:PORT, or the name of a
   terminal or of a named pipe.  A program whose name looks like that is given
   as ./NAME, or after "--".  */
static bool
is_connection (const char *word)
{
  const char *port = strrchr (word, ':');
  struct stat st;

  if (strcmp (word, "-") == 0 || strcmp (word, "stdio") == 0)
    return true;
  if (port != NULL && strchr (word, '/') == NULL && port[1] != 0
      && strspn (port + 1, "0123456789") == strlen (port + 1))
    return true;
  return stat (word, &st) == 0
         && (S_ISCHR (st.st_mode) || S_ISFIFO (st.st_mode));
}

static bool
take_words (struct command_line *line, char **argv, bool only_program)
{
  line->stub.connection = "";
  if (!only_program && *argv != NULL && is_connection (*argv))
    line->stub.connection = *argv++;
  if (*argv != NULL)
    line->stub.argv = (const char *const *) argv;
  if (line->stub.argv != NULL || line->stub.multi)
    return true;
  print_usage (stderr);
  return false;
}

/* Take the whole line.  Returns false after a message.  */
static bool
take_line (struct command_line *line, char **argv)
{
  while (*argv != NULL && (*argv)[0] == '-' && (*argv)[1] != 0)
    {
      int used;

      if (strcmp (*argv, "--") == 0)
        return take_words (line, argv + 1, true);
      if (strcmp (*argv, "--help") == 0)
        {
          print_help ();
          exit (0);
        }
      if (strcmp (*argv, "--version") == 0)
        {
          puts ("rio-gdbserver (" PACKAGE_NAME ") " PACKAGE_VERSION);
          exit (0);
        }
      if (strcmp (*argv, "--wrapper") == 0)
        {
          used = take_wrapper (line, argv + 1);
          used += used > 0;
        }
      else
        used = take_option (line, argv);
      if (used == 0)
        return false;
      argv += used;
    }
  return take_words (line, argv, false);
}

int
main (int argc, char **argv)
{
  static struct command_line line = {
    .stub = { .startup_with_shell = true, .disable_randomization = true },
  };
  enum target_refusal r;
  struct target *t;
  int status;

  (void) argc;
  options_default (&line.engine);
  if (!take_line (&line, argv + 1))
    return STATUS_USAGE;
  line.engine.debug = 1;
  line.engine.stop_at_start = 1;
  r = target_create (&t, &line.engine);
  if (r != TARGET_OK)
    {
      fprintf (stderr, "rio-gdbserver: the engine cannot be loaded: %s\n",
               target_refusal_text (r));
      return STATUS_USAGE;
    }
  status = stub_serve (t, &line.stub);
  target_destroy (t, true);
  return status;
}
