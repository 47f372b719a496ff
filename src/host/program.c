/* See program.h.  */

#define _GNU_SOURCE
#include "host/program.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "common/elf.h"

#define MAX_SCRIPTS 5           /* as the kernel has it */
#define SCRIPT_LINE 256

static enum program_verdict PRINTF_LIKE (3, 4)
refuse (struct program *p, enum program_verdict verdict, const char *fmt, ...)
{
  va_list args;

  va_start (args, fmt);
  vsnprintf (p->why, sizeof p->why, fmt, args);
  va_end (args);
  return verdict;
}

static enum program_verdict
refuse_errno (struct program *p, const char *path)
{
  return refuse (p,
                 errno == ENOENT || errno == ENOTDIR ? PROGRAM_MISSING
                                                     : PROGRAM_UNFIT,
                 "%s: %s", path, strerror (errno));
}

/* Whether PATH is a file that may be executed; errno says why not.  */
static bool
is_executable (const char *path)
{
  struct stat st;

  if (stat (path, &st) < 0)
    return false;
  errno = EACCES;
  return S_ISREG (st.st_mode) && access (path, X_OK) == 0;
}

/* Look NAME up as execvp does.  */
static enum program_verdict
look_up (struct program *p, const char *name)
{
  const char *dirs = getenv ("PATH"), *end = NULL;
  int found_errno = ENOENT;

  if (strchr (name, '/') != NULL)
    {
      if (snprintf (p->path, sizeof p->path, "%s", name)
          < (int) sizeof p->path)
        return PROGRAM_OK;
      errno = ENAMETOOLONG;
      return refuse_errno (p, "program");
    }
  if (dirs == NULL)
    dirs = "/bin:/usr/bin";
  for (; *name != 0; dirs = end + 1)
    {
      int n;

      end = strchrnul (dirs, ':');
      n = end - dirs;
      if (snprintf (p->path, sizeof p->path, "%.*s%s%s", n, dirs,
                    n > 0 ? "/" : "./", name)
              < (int) sizeof p->path
          && is_executable (p->path))
        return PROGRAM_OK;
      if (errno == EACCES)
        found_errno = EACCES;
      if (*end == 0)
        break;
    }
  errno = found_errno;
  return refuse_errno (p, name);
}

/* Refuse what would gain privileges by its exec: a traced process does not
   get them, so the program would not be the one that it is.  */
static enum program_verdict
check_privileges (struct program *p, const char *path, int fd)
{
  struct stat st;
  struct statvfs fs;

  if (fstat (fd, &st) < 0)
    return refuse_errno (p, path);
  if (fstatvfs (fd, &fs) == 0 && (fs.f_flag & ST_NOSUID) != 0)
    return PROGRAM_OK;
  if ((st.st_mode & S_ISUID) != 0 && st.st_uid != geteuid ())
    return refuse (p, PROGRAM_UNFIT,
                   "%s: it is set-user-id, and would not get its rights when "
                   "run by an engine", path);
  if ((st.st_mode & (S_ISGID | S_IXGRP)) == (S_ISGID | S_IXGRP)
      && st.st_gid != getegid ())
    return refuse (p, PROGRAM_UNFIT,
                   "%s: it is set-group-id, and would not get its rights "
                   "when run by an engine", path);
  if (geteuid () != 0 && fgetxattr (fd, "security.capability", NULL, 0) > 0)
    return refuse (p, PROGRAM_UNFIT,
                   "%s: it has file capabilities, and would not get them "
                   "when run by an engine", path);
  return PROGRAM_OK;
}

static enum program_verdict check_file (struct program *p, const char *path,
                                        unsigned depth);

/* Check the interpreter of the script PATH that begins with HEAD.  */
static enum program_verdict
check_script (struct program *p, const char *path, const char *head,
              size_t size, unsigned depth)
{
  char interpreter[SCRIPT_LINE];
  size_t start, length;

  if (!elf_script_interpreter (head, MIN (size, (size_t) SCRIPT_LINE), &start,
                               &length))
    return refuse (p, PROGRAM_UNFIT, "%s: its #! line names no interpreter",
                   path);
  if (depth == MAX_SCRIPTS)
    return refuse (p, PROGRAM_UNFIT, "%s: too many levels of scripts", path);
  memcpy (interpreter, head + start, length);
  interpreter[length] = 0;
  return check_file (p, interpreter, depth + 1);
}

static enum program_verdict
check_contents (struct program *p, const char *path, const void *bytes,
                size_t size, unsigned depth)
{
  enum elf_kind kind = elf_examine (bytes, size);

  if (kind == ELF_SCRIPT)
    return check_script (p, path, bytes, size, depth);
  if (kind != ELF_X86_64)
    return refuse (p, PROGRAM_UNFIT, "%s: it is %s", path,
                   elf_kind_text (kind));
  return PROGRAM_OK;
}

/* Check the file PATH, which an exec would load.  */
static enum program_verdict
check_file (struct program *p, const char *path, unsigned depth)
{
  enum program_verdict v;
  struct stat st;
  void *bytes;
  int fd;

  if (!is_executable (path))
    return refuse_errno (p, path);
  fd = open (path, O_RDONLY | O_CLOEXEC);
  if (fd < 0)
    return refuse (p, PROGRAM_UNFIT,
                   "%s: it may be executed, but not be read (%s), and the "
                   "engine has to read it", path, strerror (errno));
  v = check_privileges (p, path, fd);
  if (v != PROGRAM_OK || fstat (fd, &st) < 0)
    goto out;
  if (st.st_size == 0)
    {
      v = refuse (p, PROGRAM_UNFIT, "%s: it is %s", path,
                  elf_kind_text (ELF_EMPTY));
      goto out;
    }
  bytes = mmap (NULL, st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
  if (bytes == MAP_FAILED)
    {
      v = refuse_errno (p, path);
      goto out;
    }
  v = check_contents (p, path, bytes, st.st_size, depth);
  munmap (bytes, st.st_size);
 out:
  close (fd);
  return v;
}

/* See program.h.  */
enum program_verdict
program_find (struct program *p, const char *name)
{
  enum program_verdict v = look_up (p, name);

  return v == PROGRAM_OK ? check_file (p, p->path, 0) : v;
}
