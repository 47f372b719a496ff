/* System calls as text: strace is the oracle.

   The program runs itself under strace, makes calls between two marks, and
   compares each line of strace's with its own.  */

#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>
#include <linux/futex.h>
#include "lib/check.h"
#include "linux/names.h"
#include "linux/systext.h"

#define MARK -77
#define MAX_LINES 100

static FILE *mine;

static bool
reader (void *cookie, app_addr from, void *to, size_t size)
{
  (void) cookie;
  if (from < 4096)
    return false;
  memcpy (to, (void *) from, size);
  return true;
}

/* Make the call and write it down.  */
static long
call (long nr, uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e,
      uint64_t f)
{
  struct sysmem_call s = { .nr = nr, .args = { a, b, c, d, e, f },
                           .read = reader };
  char line[2000];

  sysmem_enter (&s);
  long ret = syscall (nr, a, b, c, d, e, f);
  sysmem_leave (&s, ret == -1 ? -errno : ret);
  systext_write (&s, line, sizeof line);
  fprintf (mine, "%s\n", line);
  return ret;
}

#define CALL_(NR, A, B, C, D, E, F, ...)                                      \
  call (NR, (uint64_t) (A), (uint64_t) (B), (uint64_t) (C), (uint64_t) (D),   \
        (uint64_t) (E), (uint64_t) (F))
#define CALL(...) CALL_ (__VA_ARGS__, 0, 0, 0, 0, 0, 0)

static void
files (const char *path)
{
  struct stat st;
  char buf[100];
  int fds[2];

  int fd = CALL (SYS_openat, AT_FDCWD, path, O_RDWR | O_CREAT | O_CLOEXEC,
                 0640);
  CALL (SYS_write, fd, "one\ttwo\n\1\0012\"\\\0end", 17);
  CALL (SYS_pwrite64, fd, "a text that is longer than what is shown of it", 46,
        100);
  CALL (SYS_lseek, fd, 3, SEEK_SET);
  CALL (SYS_lseek, fd, -1, SEEK_CUR);
  memset (buf, 'b', sizeof buf);
  CALL (SYS_read, fd, buf, 9);
  CALL (SYS_read, -1, buf, 9);
  CALL (SYS_read, fd, NULL, 0);
  struct iovec v[2] = { { "first", 5 }, { "second", 6 } };
  CALL (SYS_writev, fd, v, 2);
  CALL (SYS_fstat, fd, &st);
  CALL (SYS_newfstatat, AT_FDCWD, "/no such \303\251", &st, 0);
  CALL (SYS_fchmod, fd, 0644);
  CALL (SYS_ftruncate, fd, 10);
  CALL (SYS_flock, fd, LOCK_EX | LOCK_NB);
  CALL (SYS_access, path, R_OK | W_OK);
  CALL (SYS_access, path, F_OK);
  CALL (SYS_open, path, O_RDONLY);
  CALL (SYS_open, path, O_WRONLY | O_APPEND | O_NONBLOCK);
  CALL (SYS_readlink, "/proc/self/fd/999", buf, sizeof buf);
  CALL (SYS_pipe2, fds, O_CLOEXEC);
  CALL (SYS_dup3, fd, fds[0], O_CLOEXEC);
  CALL (SYS_unlink, path);
  CALL (SYS_mkdir, "/", 0755);
  CALL (SYS_close, fd);
}

static void
memory (void)
{
  void *p = (void *) CALL (SYS_mmap, NULL, 8192, PROT_READ | PROT_WRITE,
                           MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  CALL (SYS_mprotect, p, 4096, PROT_NONE);
  CALL (SYS_mprotect, p, 4096, PROT_READ | PROT_EXEC);
  CALL (SYS_madvise, p, 4096, MADV_DONTNEED);
  CALL (SYS_munmap, p, 8192);
  CALL (SYS_munmap, 1, 8192);
}

static void
sockets (void)
{
  struct sockaddr_un un = { AF_UNIX, "/no/such/socket" };
  struct sockaddr_in in = { AF_INET, htons (80), { htonl (0x7f000001) },
                            { 0 } };
  int fds[2];

  CALL (SYS_socketpair, AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds);
  CALL (SYS_sendto, fds[0], "hello", 5, MSG_NOSIGNAL, NULL, 0);
  CALL (SYS_connect, fds[0], &un, sizeof un);
  int s = socket (AF_INET, SOCK_DGRAM, 0);
  CALL (SYS_connect, s, &in, sizeof in);
  CALL (SYS_shutdown, fds[0], SHUT_RDWR);
  CALL (SYS_listen, s, 5);
}

static void
others (void)
{
  struct timespec ts = { 0, 1000 };
  struct rlimit rl = { 77, RLIM_INFINITY };
  uint64_t set = 1 << (SIGUSR1 - 1) | 1 << (SIGCHLD - 1), old;
  int word = 5;
  pid_t self = getppid ();

  CALL (SYS_nanosleep, &ts, NULL);
  CALL (SYS_rt_sigprocmask, SIG_BLOCK, &set, NULL, 8);
  CALL (SYS_rt_sigprocmask, SIG_SETMASK, NULL, &old, 8);
  CALL (SYS_kill, self, 0);
  CALL (SYS_kill, -999999, SIGTERM);
  CALL (SYS_setrlimit, RLIMIT_CORE, &rl);
  CALL (SYS_getrlimit, RLIMIT_CORE, &rl);
  CALL (SYS_futex, &word, FUTEX_WAKE | FUTEX_PRIVATE_FLAG, 1);
  CALL (SYS_getpid);
  CALL (SYS_umask, 022);
  CALL (SYS_sched_yield);
  CALL (SYS_epoll_create1, EPOLL_CLOEXEC);
  CALL (SYS_memfd_create, "a name", MFD_CLOEXEC);
}

static int
guest (const char *path)
{
  mine = fopen (path, "w");
  if (!mine)
    return 1;
  setvbuf (mine, malloc (65536), _IOFBF, 65536);
  char file[200];
  snprintf (file, sizeof file, "%s.file", path);
  close (MARK);
  files (file);
  memory ();
  sockets ();
  others ();
  close (MARK);
  fclose (mine);
  return 0;
}

/* Read PATH's lines, with one space before each result.  */
static unsigned
lines_of (const char *path, char *lines[MAX_LINES])
{
  FILE *f = fopen (path, "r");
  char *line = NULL;
  size_t size = 0;
  unsigned n = 0;

  while (f && n < MAX_LINES && getline (&line, &size, f) > 0)
    {
      char *end = strstr (line, ")   "), *equals;

      line[strcspn (line, "\n")] = 0;
      if (end && (equals = strstr (end, "= ")))
        memmove (end + 2, equals, strlen (equals) + 1);
      lines[n++] = strdup (line);
    }
  if (f)
    fclose (f);
  return n;
}

static void
compare (const char *mine_at, const char *theirs_at)
{
  static char *a[MAX_LINES], *b[MAX_LINES];
  unsigned n_a = lines_of (mine_at, a), n_b = lines_of (theirs_at, b);
  unsigned i = 0, bad = 0, same = 0;
  bool on = false;

  for (unsigned j = 0; j < n_b; j++)
    {
      if (strstr (b[j], "close(-77)"))
        on = !on;
      else if (on && i < n_a && strncmp (b[j], "socket(", 7)
               && strncmp (b[j], "getppid(", 8))
        {
          if (strcmp (a[i], b[j]))
            printf ("-%s\n+%s\n", b[j], a[i]), bad++;
          else
            same++;
          i++;
        }
    }
  check (bad == 0 && same > 20, "%u calls are written as by strace", same);
}

/* What needs no strace.  */
static void
test_names (void)
{
  char buf[100];

  systext_write_names (NAMES_prot, 0, true, buf, sizeof buf);
  check (!strcmp (buf, "PROT_NONE"), "no flags: %s", buf);
  systext_write_names (NAMES_prot, 0x103, true, buf, sizeof buf);
  check (!strcmp (buf, "PROT_READ|PROT_WRITE|0x100"), "flags: %s", buf);
  systext_write_names (NAMES_open, 02101101, true, buf, sizeof buf);
  check (strstr (buf, "O_WRONLY|") == buf, "open flags: %s", buf);
  systext_write_names (NAMES_whence, 77, false, buf, sizeof buf);
  check (!strcmp (buf, "0x4d"), "an unknown value: %s", buf);

  struct sysmem_call c = { .nr = SYS_write,
                           .args = { 1, (uint64_t) "text", 4 },
                           .read = reader };
  check (systext_write (&c, buf, 8) == 7 && !strcmp (buf, "write(1"),
         "text is cut: %s", buf);
  c.nr = 5000;
  systext_write (&c, buf, sizeof buf);
  check (!strcmp (buf, "syscall_0x1388()"), "an unknown call: %s", buf);
  c.nr = SYS_read;
  sysmem_enter (&c);
  c.args[1] = 0x1234;
  systext_write (&c, buf, sizeof buf);
  check (!strcmp (buf, "read(1, 0x1234, 4)"), "before it returns: %s", buf);
  sysmem_leave (&c, -512);
  systext_write (&c, buf, sizeof buf);
  check (strstr (buf, "= ? ERESTARTSYS (To be"), "to be restarted: %s", buf);
}

int
main (int argc, char **argv)
{
  char dir[] = "/tmp/rio-systext-XXXXXX", mine_at[100], theirs_at[100];
  int status = -1;

  if (argc == 3 && !strcmp (argv[1], "--guest"))
    return guest (argv[2]);
  if (!mkdtemp (dir))
    return 1;
  snprintf (mine_at, sizeof mine_at, "%s/mine", dir);
  snprintf (theirs_at, sizeof theirs_at, "%s/theirs", dir);
  test_names ();

  pid_t pid = fork ();
  if (pid == 0)
    {
      execlp ("strace", "strace", "-o", theirs_at, argv[0], "--guest", mine_at,
              (char *) NULL);
      _exit (127);
    }
  waitpid (pid, &status, 0);
  if (WIFEXITED (status) && WEXITSTATUS (status) == 0)
    compare (mine_at, theirs_at);
  else
    check_unsupported ("no strace, or it may not trace");
  unlink (mine_at);
  unlink (theirs_at);
  rmdir (dir);
  return check_done ();
}
