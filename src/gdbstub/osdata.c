/* See osdata.h.  A table is a document <osdata> of <item>s, with a <column>
   for each of its values (GDB manual, "Operating System Information").  */

#define _GNU_SOURCE
#include "gdbstub/osdata.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <dirent.h>
#include <grp.h>
#include <inttypes.h>
#include <pwd.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "gdbstub/alloc.h"

enum { MAX_TEXT = 4096, MAX_CPUS = 1024, MAX_FIELDS = 16 };

static void PRINTF_LIKE (3, 4)
put_column (struct reply *doc, const char *name, const char *format, ...)
{
  char text[MAX_TEXT];
  va_list ap;

  va_start (ap, format);
  vsnprintf (text, sizeof text, format, ap);
  va_end (ap);
  reply_text (doc, "<column name=\"");
  reply_xml (doc, name);
  reply_text (doc, "\">");
  reply_xml (doc, text);
  reply_text (doc, "</column>");
}

static void
begin_item (struct reply *doc)
{
  reply_text (doc, "<item>");
}

static void
end_item (struct reply *doc)
{
  reply_text (doc, "</item>\n");
}

/* NAME, of what has number ID; null: it has no name.  */
static void
put_name (struct reply *doc, const char *column, const char *name, unsigned id)
{
  if (name != NULL)
    put_column (doc, column, "%s", name);
  else
    put_column (doc, column, "%u", id);
}

static void
put_user (struct reply *doc, const char *column, uid_t uid)
{
  const struct passwd *p = getpwuid (uid);

  put_name (doc, column, p != NULL ? p->pw_name : NULL, uid);
}

static void
put_group (struct reply *doc, const char *column, gid_t gid)
{
  const struct group *g = getgrgid (gid);

  put_name (doc, column, g != NULL ? g->gr_name : NULL, gid);
}

static void
put_time (struct reply *doc, const char *name, time_t at)
{
  char text[64] = "";
  struct tm tm;

  if (at != 0 && localtime_r (&at, &tm) != NULL)
    strftime (text, sizeof text, "%c", &tm);
  put_column (doc, name, "%s", text);
}


/* Processes.  */

/* A thread's line in /proc, TID its process's id for the first.  */
struct task
{
  int pid, tid, group, core;
  char command[64];
};

/* Read file NAME of process PID in /proc into TEXT, with a null at its end.
   Returns its length, 0 if it cannot be read.  */
static size_t
read_file (int pid, const char *name, char *text, size_t size)
{
  char path[64];
  size_t n;
  FILE *f;

  snprintf (path, sizeof path, "/proc/%d/%s", pid, name);
  f = fopen (path, "re");
  if (f == NULL)
    return 0;
  n = fread (text, 1, size - 1, f);
  fclose (f);
  text[n] = 0;
  return n;
}

/* The command stands in parentheses, and may have some itself; behind it are
   fields 3 and so on: proc_pid_stat(5).  */
static bool
read_task (int pid, int tid, struct task *t)
{
  char name[64], text[MAX_TEXT], *start, *end;

  *t = (struct task) { .pid = pid, .tid = tid };
  snprintf (name, sizeof name, "task/%d/stat", tid);
  if (read_file (pid, name, text, sizeof text) == 0
      || (start = strchr (text, '(')) == NULL
      || (end = strrchr (text, ')')) == NULL
      || sscanf (end + 1,
                 " %*c %*d %d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d"
                 " %*d %*d %*d %*d %*u %*u %*d %*u %*u %*u %*u %*u %*u %*u"
                 " %*u %*u %*u %*u %*u %*u %*d %d",
                 &t->group, &t->core)
           != 2)
    return false;
  *end = 0;
  snprintf (t->command, sizeof t->command, "%s", start + 1);
  return true;
}

/* The program and its arguments; of one that has none to show, its name.  */
static void
read_command_line (const struct task *t, char *text, size_t size)
{
  size_t n = read_file (t->pid, "cmdline", text, size);

  while (n > 0 && text[n - 1] == 0)
    n--;
  for (size_t i = 0; i < n; i++)
    if (text[i] == 0)
      text[i] = ' ';
  if (n == 0)
    snprintf (text, size, "[%s]", t->command);
}

typedef void each_function (struct reply *doc, int number, void *data);

/* Call EACH for each of the numbers that folder PATH has for names.  */
static void
each_number (const char *path, struct reply *doc, each_function *each,
             void *data)
{
  DIR *folder = opendir (path);
  const struct dirent *e;

  while (folder != NULL && (e = readdir (folder)) != NULL)
    if (isdigit ((unsigned char) e->d_name[0]))
      each (doc, atoi (e->d_name), data);
  if (folder != NULL)
    closedir (folder);
}

static void
each_of_process (int pid, const char *folder, struct reply *doc,
                 each_function *each, void *data)
{
  char path[64];

  snprintf (path, sizeof path, "/proc/%d/%s", pid, folder);
  each_number (path, doc, each, data);
}

/* The processors that have threads of a process.  */
struct cores
{
  int pid;
  bool used[MAX_CPUS];
};

static void
note_core (struct reply *doc, int tid, void *data)
{
  struct cores *c = data;
  struct task t;

  (void) doc;
  if (read_task (c->pid, tid, &t) && t.core >= 0 && t.core < MAX_CPUS)
    c->used[t.core] = true;
}

static void
put_cores (struct reply *doc, int pid)
{
  struct cores c = { .pid = pid };
  char text[MAX_TEXT] = "";
  size_t n = 0;

  each_of_process (pid, "task", doc, note_core, &c);
  for (int i = 0; i < MAX_CPUS && n < sizeof text - 8; i++)
    if (c.used[i])
      n += snprintf (text + n, sizeof text - n, n > 0 ? ",%d" : "%d", i);
  put_column (doc, "cores", "%s", text);
}

static void
put_process (struct reply *doc, int pid, void *data)
{
  char path[64], line[MAX_TEXT];
  struct stat st;
  struct task t;

  (void) data;
  snprintf (path, sizeof path, "/proc/%d", pid);
  if (!read_task (pid, pid, &t) || stat (path, &st) != 0)
    return;
  read_command_line (&t, line, sizeof line);
  begin_item (doc);
  put_column (doc, "pid", "%d", pid);
  put_user (doc, "user", st.st_uid);
  put_column (doc, "command", "%s", line);
  put_cores (doc, pid);
  end_item (doc);
}

static void
put_processes (struct reply *doc)
{
  each_number ("/proc", doc, put_process, NULL);
}

/* Processes by group.  */
struct groups
{
  struct task *task;
  size_t n, size;
};

static void
note_group (struct reply *doc, int pid, void *data)
{
  struct groups *g = data;

  (void) doc;
  g->task = alloc_reserve (g->task, &g->size, (g->n + 1) * sizeof *g->task);
  g->n += read_task (pid, pid, &g->task[g->n]);
}

static int
compare_groups (const void *a, const void *b)
{
  const struct task *x = a, *y = b;

  return x->group != y->group ? x->group - y->group : x->pid - y->pid;
}

static void
put_member (struct reply *doc, const struct task *t)
{
  char line[MAX_TEXT];
  struct task leader;

  if (!read_task (t->group, t->group, &leader))
    leader.command[0] = 0;
  read_command_line (t, line, sizeof line);
  begin_item (doc);
  put_column (doc, "pgid", "%d", t->group);
  put_column (doc, "leader command", "%s", leader.command);
  put_column (doc, "pid", "%d", t->pid);
  put_column (doc, "command line", "%s", line);
  end_item (doc);
}

static void
put_groups (struct reply *doc)
{
  struct groups g = { NULL, 0, 0 };

  each_number ("/proc", doc, note_group, &g);
  if (g.n > 0)
    qsort (g.task, g.n, sizeof *g.task, compare_groups);
  for (size_t i = 0; i < g.n; i++)
    put_member (doc, &g.task[i]);
  free (g.task);
}

static void
put_thread (struct reply *doc, int tid, void *data)
{
  const int *pid = data;
  struct task t;

  if (!read_task (*pid, tid, &t))
    return;
  begin_item (doc);
  put_column (doc, "pid", "%d", t.pid);
  put_column (doc, "command", "%s", t.command);
  put_column (doc, "tid", "%d", t.tid);
  put_column (doc, "core", "%d", t.core);
  end_item (doc);
}

static void
put_threads_of (struct reply *doc, int pid, void *data)
{
  (void) data;
  each_of_process (pid, "task", doc, put_thread, &pid);
}

static void
put_threads (struct reply *doc)
{
  each_number ("/proc", doc, put_threads_of, NULL);
}

static void
put_file (struct reply *doc, int fd, void *data)
{
  const struct task *t = data;
  char path[64], name[MAX_TEXT];
  ssize_t n;

  snprintf (path, sizeof path, "/proc/%d/fd/%d", t->pid, fd);
  n = readlink (path, name, sizeof name - 1);
  if (n < 0)
    return;
  name[n] = 0;
  begin_item (doc);
  put_column (doc, "pid", "%d", t->pid);
  put_column (doc, "command", "%s", t->command);
  put_column (doc, "file descriptor", "%d", fd);
  put_column (doc, "name", "%s", name);
  end_item (doc);
}

static void
put_files_of (struct reply *doc, int pid, void *data)
{
  struct task t;

  (void) data;
  if (read_task (pid, pid, &t))
    each_of_process (pid, "fd", doc, put_file, &t);
}

static void
put_files (struct reply *doc)
{
  each_number ("/proc", doc, put_files_of, NULL);
}


/* Sockets.  */

static const char *
socket_state (unsigned state)
{
  static const char *const names[]
    = { "",          "ESTABLISHED", "SYN_SENT",   "SYN_RECV",
        "FIN_WAIT1", "FIN_WAIT2",   "TIME_WAIT",  "CLOSE",
        "CLOSE_WAIT", "LAST_ACK",   "LISTEN",     "CLOSING" };

  return state < ARRAY_SIZE (names) ? names[state] : "";
}

/* TEXT is HEX:PORT, an address as words of the machine's byte order: columns
   "SIDE address" and "SIDE port".  */
static void
put_address (struct reply *doc, const char *side, int family, char *text)
{
  char column[32], address[INET6_ADDRSTRLEN] = "", *colon = strchr (text, ':');
  unsigned n = family == AF_INET6 ? 4 : 1;
  uint32_t word[4] = { 0 };

  for (unsigned i = 0; i < n && colon == text + 8 * n; i++)
    sscanf (text + 8 * i, "%8" SCNx32, &word[i]);
  inet_ntop (family, word, address, sizeof address);
  snprintf (column, sizeof column, "%s address", side);
  put_column (doc, column, "%s", address);
  snprintf (column, sizeof column, "%s port", side);
  put_column (doc, column, "%lu",
              colon != NULL ? strtoul (colon + 1, NULL, 16) : 0);
}

static void
put_socket (struct reply *doc, char *line, int family, const char *protocol)
{
  char local[64], remote[64];
  unsigned state, uid;

  if (sscanf (line, "%*d: %63s %63s %x %*s %*s %*s %u", local, remote, &state,
              &uid)
      != 4)
    return;
  begin_item (doc);
  put_address (doc, "local", family, local);
  put_address (doc, "remote", family, remote);
  put_column (doc, "state", "%s", socket_state (state));
  put_user (doc, "user", uid);
  put_column (doc, "family", "%s", family == AF_INET6 ? "INET6" : "INET");
  put_column (doc, "protocol", "%s", protocol);
  end_item (doc);
}

static void
put_sockets (struct reply *doc)
{
  static const struct
  {
    const char *file;
    int family;
    const char *protocol;
  } lists[] = { { "/proc/net/tcp", AF_INET, "STREAM" },
                { "/proc/net/tcp6", AF_INET6, "STREAM" },
                { "/proc/net/udp", AF_INET, "DGRAM" },
                { "/proc/net/udp6", AF_INET6, "DGRAM" } };
  char line[MAX_TEXT];

  for (size_t i = 0; i < ARRAY_SIZE (lists); i++)
    {
      FILE *f = fopen (lists[i].file, "re");

      while (f != NULL && fgets (line, sizeof line, f) != NULL)
        put_socket (doc, line, lists[i].family, lists[i].protocol);
      if (f != NULL)
        fclose (f);
    }
}


/* Tables that a file has as they are.  */

enum field_kind { TEXT, USER, GROUP, COMMAND, TIME, LEFT_OUT };

struct field
{
  const char *name;             /* null: there are no more */
  enum field_kind kind;
};

static void
put_field (struct reply *doc, const struct field *f, const char *text)
{
  long number = strtol (text, NULL, 10);
  struct task t;

  switch (f->kind)
    {
    case TEXT:
      put_column (doc, f->name, "%s", text);
      break;
    case USER:
      put_user (doc, f->name, number);
      break;
    case GROUP:
      put_group (doc, f->name, number);
      break;
    case TIME:
      put_time (doc, f->name, number);
      break;
    case COMMAND:
      put_column (doc, f->name, "%s",
                  read_task (number, number, &t) ? t.command : "");
      break;
    case LEFT_OUT:
      break;
    }
}

/* The lines of FILE but the first HEADERS, whose words are FIELDS.  */
static void
put_lines (struct reply *doc, const char *file, unsigned headers,
           const struct field *fields)
{
  FILE *f = fopen (file, "re");
  char line[MAX_TEXT], *rest, *word;

  while (f != NULL && fgets (line, sizeof line, f) != NULL)
    {
      if (headers > 0)
        {
          headers--;
          continue;
        }
      begin_item (doc);
      word = strtok_r (line, " \n", &rest);
      for (unsigned i = 0; fields[i].name != NULL && word != NULL; i++)
        {
          put_field (doc, &fields[i], word);
          word = strtok_r (NULL, " \n", &rest);
        }
      end_item (doc);
    }
  if (f != NULL)
    fclose (f);
}

static void
put_shm (struct reply *doc)
{
  static const struct field fields[]
    = { { "key", TEXT }, { "shmid", TEXT }, { "perm", TEXT },
        { "size", TEXT }, { "creator command", COMMAND },
        { "last op. command", COMMAND }, { "num attached", TEXT },
        { "user", USER }, { "group", GROUP }, { "creator user", USER },
        { "creator group", GROUP }, { "last shmat() time", TIME },
        { "last shmdt() time", TIME }, { "last shmctl() time", TIME },
        { NULL, TEXT } };

  put_lines (doc, "/proc/sysvipc/shm", 1, fields);
}

static void
put_sem (struct reply *doc)
{
  static const struct field fields[]
    = { { "key", TEXT }, { "semid", TEXT }, { "perm", TEXT },
        { "num semaphores", TEXT }, { "user", USER }, { "group", GROUP },
        { "creator user", USER }, { "creator group", GROUP },
        { "last semop() time", TIME }, { "last semctl() time", TIME },
        { NULL, TEXT } };

  put_lines (doc, "/proc/sysvipc/sem", 1, fields);
}

static void
put_msg (struct reply *doc)
{
  static const struct field fields[]
    = { { "key", TEXT }, { "msqid", TEXT }, { "perm", TEXT },
        { "num used bytes", TEXT }, { "num messages", TEXT },
        { "last msgsnd() command", COMMAND },
        { "last msgrcv() command", COMMAND }, { "user", USER },
        { "group", GROUP }, { "creator user", USER },
        { "creator group", GROUP }, { "last msgsnd() time", TIME },
        { "last msgrcv() time", TIME }, { "last msgctl() time", TIME },
        { NULL, TEXT } };

  put_lines (doc, "/proc/sysvipc/msg", 1, fields);
}

static void
put_modules (struct reply *doc)
{
  static const struct field fields[]
    = { { "name", TEXT }, { "size", TEXT }, { "num uses", TEXT },
        { "dependencies", TEXT }, { "status", TEXT }, { "address", TEXT },
        { NULL, TEXT } };

  put_lines (doc, "/proc/modules", 0, fields);
}

/* /proc/cpuinfo is a paragraph of `name : value' for each processor.  */
static void
put_cpus (struct reply *doc)
{
  FILE *f = fopen ("/proc/cpuinfo", "re");
  char line[MAX_TEXT], name[64], value[MAX_TEXT];
  bool inside = false;

  while (f != NULL && fgets (line, sizeof line, f) != NULL)
    {
      int fields = sscanf (line, "%63[^\t:]%*[\t]: %4095[^\n]", name, value);

      if (fields < 1 || line[0] == '\n')
        continue;
      if (strcmp (name, "processor") == 0)
        {
          if (inside)
            end_item (doc);
          begin_item (doc);
          inside = true;
        }
      if (inside)
        put_column (doc, name, "%s", fields == 2 ? value : "");
    }
  if (inside)
    end_item (doc);
  if (f != NULL)
    fclose (f);
}


/* All of them.  */

static void put_types (struct reply *doc);

static const struct table
{
  const char *type, *title, *description;
  void (*put) (struct reply *doc);
} tables[] = {
  { "types", "Types", "Listing of info os types you can list", put_types },
  { "cpus", "CPUs", "Listing of all cpus/cores on the system", put_cpus },
  { "files", "File descriptors", "Listing of all file descriptors",
    put_files },
  { "modules", "Kernel modules", "Listing of all loaded kernel modules",
    put_modules },
  { "msg", "Message queues", "Listing of all message queues", put_msg },
  { "processes", "Processes", "Listing of all processes", put_processes },
  { "procgroups", "Process groups", "Listing of all process groups",
    put_groups },
  { "semaphores", "Semaphores", "Listing of all semaphores", put_sem },
  { "shm", "Shared-memory regions", "Listing of all shared-memory regions",
    put_shm },
  { "sockets", "Internet-domain sockets",
    "Listing of all internet-domain sockets", put_sockets },
  { "threads", "Threads", "Listing of all threads", put_threads },
};

static void
put_types (struct reply *doc)
{
  for (size_t i = 1; i < ARRAY_SIZE (tables); i++)
    {
      begin_item (doc);
      put_column (doc, "Type", "%s", tables[i].type);
      put_column (doc, "Description", "%s", tables[i].description);
      put_column (doc, "Title", "%s", tables[i].title);
      end_item (doc);
    }
}

/* See osdata.h.  */
void
osdata_read (const char *type, struct reply *doc)
{
  const struct table *t = NULL;

  for (size_t i = 0; i < ARRAY_SIZE (tables) && t == NULL; i++)
    if (strcmp (tables[i].type, type[0] != 0 ? type : "types") == 0)
      t = &tables[i];
  if (t == NULL)
    return;
  reply_text (doc,
              "<?xml version=\"1.0\"?>\n"
              "<!DOCTYPE target SYSTEM \"osdata.dtd\">\n"
              "<osdata type=\"%s\">\n",
              t->type);
  t->put (doc);
  reply_text (doc, "</osdata>\n");
}
