/* See exec-file.h.  The kernel's rules: fs/exec.c, begin_new_exec and
   bprm_fill_uid; a file's rights count for nothing under no_new_privs or on a
   nosuid mount, and then the process goes native all the same.  */

#include "engine/exec-file.h"

#include "linux/raw.h"

#define STATX_BASIC 0x7ff
#define AT_EMPTY_PATH 0x1000
#define AT_SYMLINK_NOFOLLOW 0x100
#define AT_EACCESS 0x200
#define S_IFMT 0170000
#define S_IFREG 0100000
#define S_IFLNK 0120000
#define S_ISUID 04000
#define S_ISGID 02000
#define S_IXGRP 010
#define R_OK 4
#define X_OK 1

/* struct statx of <linux/stat.h>, as far as it is wanted.  */
struct file_facts
{
  uint32_t mask, blksize;
  uint64_t attributes;
  uint32_t nlink, uid, gid;
  uint16_t mode, pad;
  uint8_t rest[256 - 32];
};
_Static_assert (sizeof (struct file_facts) == 256, "");

/* Whether the file at PATH has capabilities.  One that is named relative to a
   descriptor other than the working directory is not looked at.  */
static bool
has_capabilities (int dirfd, uint64_t path, unsigned flags)
{
  static const char name[] = "security.capability";

  if ((flags & AT_EMPTY_PATH) != 0 && dirfd >= 0)
    return raw4 (__NR_fgetxattr, dirfd, RAW_PTR (name), 0, 0) > 0;
  return raw4 (__NR_getxattr, path, RAW_PTR (name), 0, 0) > 0;
}

static bool
gains_rights (const struct file_facts *f)
{
  uint32_t uid = raw3 (__NR_geteuid, 0, 0, 0);
  uint32_t gid = raw3 (__NR_getegid, 0, 0, 0);

  return ((f->mode & S_ISUID) != 0 && f->uid != uid)
         || ((f->mode & (S_ISGID | S_IXGRP)) == (S_ISGID | S_IXGRP)
             && f->gid != gid);
}

/* See exec-file.h.  */
enum exec_file_verdict
exec_file_look (int dirfd, uint64_t path, unsigned flags,
                enum hub_native_reason *reason, long *error)
{
  unsigned at = flags & (AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW);
  struct file_facts f;

  *error = raw6 (__NR_statx, dirfd, path, at, STATX_BASIC, RAW_PTR (&f), 0);
  if (*error == -RAW_ENOSYS || *error == -RAW_EPERM)
    return EXEC_FILE_FOLLOW;    /* a seccomp filter; the kernel will say */
  if (*error < 0)
    return EXEC_FILE_ERROR;
  if ((f.mode & S_IFMT) == S_IFLNK)
    return EXEC_FILE_FOLLOW;    /* which the kernel refuses */
  *error = -RAW_EACCES;
  if ((f.mode & S_IFMT) != S_IFREG
      || raw4 (__NR_faccessat2, dirfd, path, X_OK, at | AT_EACCESS)
             == -RAW_EACCES)
    return EXEC_FILE_ERROR;
  *reason = HUB_NATIVE_SETID;
  if (gains_rights (&f))
    return EXEC_FILE_NATIVE;
  *reason = HUB_NATIVE_UNREADABLE;
  if (raw4 (__NR_faccessat2, dirfd, path, R_OK, at | AT_EACCESS)
      == -RAW_EACCES)
    return EXEC_FILE_NATIVE;
  *reason = HUB_NATIVE_CAPABILITY;
  if (raw3 (__NR_geteuid, 0, 0, 0) != 0
      && has_capabilities (dirfd, path, flags))
    return EXEC_FILE_NATIVE;
  return EXEC_FILE_FOLLOW;
}
