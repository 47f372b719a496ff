/* The tables of src/linux against the system's headers and GDB's.  */

#define _GNU_SOURCE
#include <string.h>
#include <ctype.h>
#include <aio.h>
#include <errno.h>
#include <fcntl.h>
#include <mqueue.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/msg.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/sysinfo.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <sys/times.h>
#include <sys/timex.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>
#include <utime.h>
#include <linux/aio_abi.h>
#include <linux/bpf.h>
#include <linux/capability.h>
#include <linux/falloc.h>
#include <linux/futex.h>
#include <linux/io_uring.h>
#include <linux/landlock.h>
#include <linux/membarrier.h>
#include <linux/mman.h>
#include <linux/perf_event.h>
#include <linux/rseq.h>
#undef PAGE_SIZE
#include "lib/check.h"
#include "linux/command.h"
#include "linux/errors.h"
#include "linux/names.h"
#include "linux/signals.h"
#include "linux/syscall.h"

/* Numbers: each of the header's is in the table, and none of the table's is
   another one there.  */
static void
test_numbers (void)
{
  FILE *f = fopen ("/usr/include/x86_64-linux-gnu/asm/unistd_64.h", "r");
  char line[200], name[100];
  long nr, last = 0;
  unsigned bad = 0, n = 0;

  if (!f)
    {
      check_unsupported ("numbers: no asm/unistd_64.h");
      return;
    }
  while (fgets (line, sizeof line, f))
    if (sscanf (line, "#define __NR_%99s %ld", name, &nr) == 2)
      {
        n++;
        last = nr > last ? nr : last;
        if (syscall_number (name) != nr
            || strcmp (syscall_row (nr)->name, name))
          {
            printf ("%s: %ld in the header, %ld in the table\n", name, nr,
                    syscall_number (name));
            bad++;
          }
      }
  fclose (f);
  for (nr = 0; nr <= last; nr++)
    if (syscall_row (nr)->name[0])
      n--;
  check (bad == 0, "numbers are those of asm/unistd_64.h");
  check ((int) n == -2, "no row but uretprobe and uprobe is unknown there");
}

/* Groups, from the file that GDB reads them from.  */
static void
test_groups (void)
{
  FILE *f = fopen ("/usr/share/gdb/syscalls/amd64-linux.xml", "r");
  char line[200], name[100], groups[100];
  unsigned bad = 0;

  if (!f)
    {
      check_unsupported ("groups: no gdb");
      return;
    }
  while (fgets (line, sizeof line, f))
    if (sscanf (line, " <syscall name=\"%99[^\"]\" number=\"%*d\" "
                "groups=\"%99[^\"]\"", name, groups) == 2)
      {
        unsigned want = 0, have;

        for (char *g = strtok (groups, ","); g; g = strtok (NULL, ","))
          want |= syscall_group (g);
        have = syscall_row (syscall_number (name))->groups;
        if (want != have)
          printf ("%s: groups %#x, GDB has %#x\n", name, have, want), bad++;
      }
  fclose (f);
  check (bad == 0, "groups are GDB's");
  check (!strcmp (syscall_group_name (GROUP_IPC), "ipc"), "group names");
}

/* Sanity of every row: an argument that gives a length exists and is a
   number, a deadline points to something.  */
static void
test_rows (void)
{
  unsigned bad = 0;

  for (long nr = 0; nr < SYSCALL_END; nr++)
    {
      const struct syscall_row *row = syscall_row (nr);
      unsigned n = syscall_n_args (row);

      if (row->name[0] && row->class == SYSCALL_CLASS_UNKNOWN)
        bad++;
      if (row->deadline && row->deadline_arg >= n)
        bad++, printf ("%s: deadline\n", row->name);
      for (unsigned i = 0; i < n; i++)
        {
          const struct syscall_arg *a = &row->args[i];
          bool counted = a->kind == SYSCALL_ARRAY || a->kind == SYSCALL_BUF
                         || a->kind == SYSCALL_BYTES || a->kind == SYSCALL_IOV
                         || a->kind == SYSCALL_MMSG
                         || a->kind == SYSCALL_FDSET
                         || a->kind == SYSCALL_POLLFDS
                         || a->kind == SYSCALL_WAITV;

          if (counted && a->count != SYSCALL_N_ARGS
              && (a->count >= n || row->args[a->count].kind >= SYSCALL_ADDR))
            bad++, printf ("%s: argument %u\n", row->name, i);
          if ((a->kind == SYSCALL_LENGTH
               || (a->kind == SYSCALL_SOCKADDR && (a->access & SYSCALL_WRITE)))
              && row->args[a->count].kind != SYSCALL_STRUCT)
            bad++, printf ("%s: argument %u\n", row->name, i);
        }
    }
  check (bad == 0, "rows are consistent");
  check (syscall_row (-1)->class == SYSCALL_CLASS_UNKNOWN
         && syscall_row (SYSCALL_END)->class == SYSCALL_CLASS_UNKNOWN
         && syscall_number ("no_such_call") == -1,
         "what is not in the table");
}

struct kernel_sigaction { void *h; unsigned long f; void *r, *m; };

static void
test_structs (void)
{
  unsigned bad = 0;

#define IS(NAME, TYPE)                                                        \
  if (syscall_struct_size (SYSCALL_STRUCT_##NAME) != sizeof (TYPE))           \
    bad++, printf ("%s: %u, and %zu\n", #NAME,                                \
                   syscall_struct_size (SYSCALL_STRUCT_##NAME), sizeof (TYPE));
  IS (int, int)
  IS (long, long)
  IS (fdpair, int[2])
  IS (sigaction, struct kernel_sigaction)
  IS (stack, stack_t)
  IS (siginfo, siginfo_t)
  IS (sigevent, struct sigevent)
  IS (timespec, struct timespec)
  IS (timeval, struct timeval)
  IS (timezone, struct timezone)
  IS (itimerval, struct itimerval)
  IS (itimerspec, struct itimerspec)
  IS (timex, struct timex)
  IS (tms, struct tms)
  IS (utimbuf, struct utimbuf)
  IS (stat, struct stat)
  IS (statfs, struct statfs)
  IS (statx, struct statx)
  IS (utsname, struct utsname)
  IS (sysinfo, struct sysinfo)
  IS (rlimit, struct rlimit)
  IS (rusage, struct rusage)
  IS (caphdr, struct __user_cap_header_struct)
  IS (epoll_event, struct epoll_event)
  IS (pollfd, struct pollfd)
  IS (sembuf, struct sembuf)
  IS (mq_attr, struct mq_attr)
  IS (iocb, struct iocb)
  IS (io_event, struct io_event)
  IS (io_uring_params, struct io_uring_params)
  IS (robust_list, struct robust_list_head)
  IS (rseq, struct rseq)
  IS (landlock_path, struct landlock_path_beneath_attr)
  IS (futex_waitv, struct futex_waitv)
  IS (flock, struct flock)
  IS (f_owner, struct f_owner_ex)
  IS (shmid_ds, struct shmid_ds)
  IS (semid_ds, struct semid_ds)
  IS (msqid_ds, struct msqid_ds)
  IS (user_regs, struct user_regs_struct)
#undef IS
  check (bad == 0, "sizes of structs are those of the headers");
}

#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE 25
#endif
#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 8
#define MFD_EXEC 16
#endif
#ifndef SCHED_DEADLINE
#define SCHED_DEADLINE 6
#endif
#ifndef SOL_NETLINK
#define SOL_NETLINK 270
#endif
#ifndef CLONE_DETACHED
#define CLONE_DETACHED 0x00400000
#endif
#undef O_LARGEFILE
#define O_LARGEFILE 0x8000      /* libc's is 0, which open(2) does not see */

static void
test_names (void)
{
  unsigned bad = 0, n = 0;

#define NAME_SET(SET, PREFIX)
#define NAME(SET, VALUE, PREFIX, TEXT)                                        \
  if (n++, (unsigned) (PREFIX##TEXT) != VALUE)                                \
    bad++, printf ("%s%s: %#x\n", #PREFIX, #TEXT, VALUE);
#include "linux/names.def"
#undef NAME_SET
#undef NAME
  check (bad == 0, "%u names have the headers' values", n);
  n = 0;
  for (const struct name_row *r = names_first (NAMES_whence); r;
       r = names_next (r))
    n++;
  check (n == 5, "a set ends where the next begins");
}

static void
test_signals (void)
{
  unsigned bad = 0;

  for (int sig = 1; sig < 32; sig++)   /* libc calls SIGIO SIGPOLL */
    if (sig != SIGIO && strcmp (signals_name (sig) + 3, sigabbrev_np (sig)))
      bad++, printf ("%d: %s\n", sig, signals_name (sig));
  for (int sig = 1; sig <= SIGNALS_MAX; sig++)
    if (sig != SIGSTKFLT && signals_from_gdb (signals_to_gdb (sig)) != sig)
      bad++, printf ("%d: %d of GDB's\n", sig, signals_to_gdb (sig));
  check (bad == 0, "signals");
  check (signals_to_gdb (SIGSTKFLT) == SIGNALS_GDB_UNKNOWN
         && signals_from_gdb (SIGNALS_GDB_UNKNOWN) == -1
         && signals_to_gdb (SIGUSR1) == 30 && signals_to_gdb (34) == 46
         && signals_to_gdb (32) == 77 && signals_to_gdb (64) == 78
         && signals_name (65) == NULL && signals_name (0) == NULL,
         "signals of GDB");
}

/* The default action of each signal, by dying of it.  */
static void
test_defaults (void)
{
  unsigned bad = 0;

  for (int sig = 1; sig <= SIGNALS_MAX; sig++)
    {
      if (sig == 32 || sig == 33)       /* libc keeps these */
        continue;
      enum signals_default want = signals_default (sig);
      int status;
      pid_t pid = fork ();

      if (pid == 0)
        {
          struct rlimit none = { 0, 0 };
          setrlimit (RLIMIT_CORE, &none);
          signal (sig, SIG_DFL);
          raise (sig);
          _exit (77);
        }
      waitpid (pid, &status, WUNTRACED);
      bool died = WIFSIGNALED (status) && WTERMSIG (status) == sig;
      bool stopped = WIFSTOPPED (status);
      bool went_on = WIFEXITED (status) && WEXITSTATUS (status) == 77;

      if (stopped)
        {
          kill (pid, SIGKILL);
          waitpid (pid, &status, 0);
        }
      /* A process whose group is an orphan is not stopped by these.  */
      bool orphan = want == SIGNALS_STOP && sig != SIGSTOP && went_on;
      if (!(want <= SIGNALS_CORE ? died
            : want == SIGNALS_STOP ? stopped || orphan : went_on))
        bad++, printf ("%s: status %#x\n", signals_name (sig), status);
    }
  check (bad == 0, "default actions are the kernel's");
}

static void
test_errors (void)
{
  unsigned bad = 0;

  for (int e = 1; e < 134; e++)
    {
      const char *name = strerrorname_np (e), *mine = errors_name (e);

      if (!name != !mine || (name && strcmp (e == EOPNOTSUPP ? "EOPNOTSUPP"
                                             : name, mine)))
        bad++, printf ("%d: %s, not %s\n", e, mine, name);
      else if (mine && strcmp (errors_message (e), strerror (e)))
        bad++, printf ("%d: %s\n", e, errors_message (e));
    }
  check (bad == 0, "errors have libc's names and messages");
  check (errors_is (-1) && errors_is (-4095) && !errors_is (-4096)
         && !errors_is (0), "what is an error");
}

static void
test_commands (void)
{
  const struct command_row *row = command_row (LINUX_ioctl, 0x5413);
  uint64_t args[6] = { 0, 0x100000003, 0 };

  check (row && !strcmp (row->name, "TIOCGWINSZ") && row->size == 8,
         "an ioctl");
  row = command_of_call (LINUX_fcntl, args);
  check (row && !strcmp (row->name, "F_GETFL"), "a command is cut to 32 bits");
  check (!command_row (LINUX_ioctl, 0xffff) && !command_of_call (0, args),
         "unknown commands");
}

int
main (void)
{
  test_numbers ();
  test_groups ();
  test_rows ();
  test_structs ();
  test_names ();
  test_signals ();
  test_defaults ();
  test_errors ();
  test_commands ();
  return check_done ();
}
