/* What a program sees when it looks at itself, one subject for each word that
   may be given.  What is printed does not depend on chance.  */

#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

/* Print the lines of PATH that begin with one of the words in KEYS, which
   has blanks around each; all of them if it is null.  */
static void
print_lines (const char *path, const char *keys)
{
  char line[4096];
  FILE *f = fopen (path, "r");

  if (!f)
    perror (path);
  while (f && fgets (line, sizeof line, f))
    {
      char word[64] = " ", *end = strchr (line, ':');
      if (end && end - line < 60)
        {
          memcpy (word + 1, line, end - line);
          strcpy (word + 1 + (end - line), " ");
        }
      if (!keys || strstr (keys, word))
        fputs (line, stdout);
    }
  if (f)
    fclose (f);
}

/* How many names FOLDER has, but for . and ..  */
static int
count_names (const char *folder)
{
  DIR *d = opendir (folder);
  int n = 0;

  for (struct dirent *e; (e = readdir (d));)
    n += e->d_name[0] != '.';
  closedir (d);
  return n;
}

static void
see_exe (void)
{
  char path[4096] = "", self[64];

  if (readlink ("/proc/self/exe", path, sizeof path - 1) < 0)
    perror ("exe");
  puts (path);
  snprintf (self, sizeof self, "/proc/%d/exe", getpid ());
  printf ("%zd bytes, %s\n", readlink (self, path, sizeof path - 1),
          program_invocation_name);
}

static void
see_names (void)
{
  char text[4096];
  int fd = open ("/proc/self/cmdline", O_RDONLY);
  ssize_t n = read (fd, text, sizeof text);

  close (fd);
  fwrite (text, 1, n, stdout);
  print_lines ("/proc/self/comm", NULL);
}

static void
see_status (void)
{
  print_lines ("/proc/self/status",
               " Name State TracerPid Uid Gid Threads"
               " NoNewPrivs Seccomp SigPnd ShdPnd SigBlk SigIgn SigCgt"
               " Umask ");
}

static void
see_task (void)
{
  printf ("%d threads\n", count_names ("/proc/self/task"));
}

static void
see_fd (void)
{
  int fd = open ("/dev/null", O_RDONLY);

  printf ("%d descriptors, the next is %d\n", count_names ("/proc/self/fd"),
          fd);
}

static void
see_auxv (void)
{
  static const int same[]
      = { AT_PHENT,  AT_PHNUM,  AT_PAGESZ,     AT_FLAGS,  AT_UID,
          AT_EUID,   AT_GID,    AT_EGID,       AT_SECURE, AT_HWCAP,
          AT_HWCAP2, AT_CLKTCK, AT_MINSIGSTKSZ };

  for (size_t i = 0; i < sizeof same / sizeof *same; i++)
    printf ("%d: %lx\n", same[i], getauxval (same[i]));
  printf ("%s %s, base %d, vdso %d\n", (char *)getauxval (AT_EXECFN),
          (char *)getauxval (AT_PLATFORM), getauxval (AT_BASE) != 0,
          getauxval (AT_SYSINFO_EHDR) != 0);
}

static void
see_brk (void)
{
  char *old = sbrk (1 << 20);
  bool grew = (char *)sbrk (0) - old == 1 << 20;

  memset (old, 1, 1 << 20);
  int back = brk (old);
  bool same = sbrk (0) == old;
  printf ("%d %d %d\n", grew, back, same);
}

/* The bytes below the stack's pointer stay what they are over branches of all
   kinds, and what is on the stack is the program's own address.  */
static int __attribute__ ((noinline)) one_of (int which)
{
  void *back = __builtin_return_address (0);
  extern char __executable_start, etext;

  return ((char *)back > &__executable_start && (char *)back < &etext) + which;
}

static void
see_stack (void)
{
  int (*volatile call) (int) = one_of;
  int n = 0;
  uint64_t left = 1;

  for (int i = 0; i < 1000; i++)
    n += call (0);
  printf ("%d return addresses of its own\n", n);
  __asm__ volatile("movq $0x1234567, -8(%%rsp)\n\t"
                   "movq $0x89abcde, -120(%%rsp)\n\t"
                   "movl $1000, %%ecx\n"
                   "1:\tlea 2f(%%rip), %%rdx\n\t"
                   "jmp *%%rdx\n\t"
                   "ud2\n"
                   "2:\tdec %%ecx\n\t"
                   "jnz 1b\n\t"
                   "movq -8(%%rsp), %0\n\t"
                   "xorq -120(%%rsp), %0"
                   : "=a"(left)
                   :
                   : "rcx", "rdx", "cc", "memory");
  printf ("below the stack: %lx\n", (unsigned long)left);
}

/* Its code, from memory and from its file.  */
static void
see_code (void)
{
  extern char etext;
  uint64_t sum = 0, again = 0;
  int fd = open ("/proc/self/mem", O_RDONLY);

  for (const unsigned char *p = (void *)one_of;
       p < (const unsigned char *)&etext; p++)
    {
      unsigned char c = 0;
      sum = sum * 31 + *p;
      if (pread (fd, &c, 1, (off_t)(uintptr_t)p) != 1)
        puts ("not to be read");
      again = again * 31 + c;
    }
  close (fd);
  printf ("%lx, by the kernel %s\n", (unsigned long)sum,
          sum == again ? "too" : "not");
}

static void
see_family (void)
{
  char path[64];

  printf ("group %d, session %d, parent ", getpgrp () == getppid (),
          getsid (0) == getsid (getppid ()));
  fflush (stdout);
  snprintf (path, sizeof path, "/proc/%d/comm", getppid ());
  print_lines (path, NULL);
  printf ("no child: %d\n", wait (NULL));
}

static void
see_limits (void)
{
  static const int all[] = { RLIMIT_STACK, RLIMIT_NOFILE,     RLIMIT_AS,
                             RLIMIT_CORE,  RLIMIT_SIGPENDING, RLIMIT_FSIZE };

  for (size_t i = 0; i < sizeof all / sizeof *all; i++)
    {
      struct rlimit r;
      getrlimit (all[i], &r);
      printf ("%d: %lx %lx\n", all[i], r.rlim_cur, r.rlim_max);
    }
}

/* Two runs of a program stand at different addresses.  */
static void
see_aslr (void)
{
  char command[4200], text[2][64] = { "", "" };

  snprintf (command, sizeof command, "%s where", program_invocation_name);
  for (int i = 0; i < 2; i++)
    {
      FILE *f = popen (command, "r");
      if (!fgets (text[i], sizeof text[i], f))
        puts ("nothing");
      pclose (f);
    }
  printf ("addresses %s\n", strcmp (text[0], text[1]) ? "differ" : "agree");
}

static void
see_where (void)
{
  printf ("%p %p\n", (void *)see_where, (void *)getauxval (AT_BASE));
}

static const struct
{
  const char *name;
  void (*see) (void);
} subjects[] = {
  { "exe", see_exe },       { "names", see_names },   { "status", see_status },
  { "task", see_task },     { "fd", see_fd },         { "auxv", see_auxv },
  { "brk", see_brk },       { "stack", see_stack },   { "code", see_code },
  { "family", see_family }, { "limits", see_limits }, { "aslr", see_aslr },
  { "where", see_where },
};

int
main (int argc, char **argv)
{
  for (size_t i = 0; i < sizeof subjects / sizeof *subjects; i++)
    if (argc == 2 && strcmp (argv[1], subjects[i].name) == 0)
      {
        subjects[i].see ();
        return 0;
      }
  return 1;
}
