/* A system call as text, as strace writes it:

     openat(AT_FDCWD, "/etc/passwd", O_RDONLY|O_CLOEXEC) = 3

   Everything comes from syscalls.def and the tables it names.  Pointers that
   the call fills in are followed once it has returned; before, and where the
   table knows no way to show a struct, its address is written.  Strings,
   but not paths, are cut after SYSTEXT_STRING bytes.

   No state, no locks, no allocation; may run in signal context, on both
   sides.  */

#ifndef LINUX_SYSTEXT_H
#define LINUX_SYSTEXT_H

#include "linux/sysmem.h"

#define SYSTEXT_STRING 32

/* Write C to BUF, at most SIZE bytes with the closing zero, and ` = RESULT' at
   its end if it has returned.  Returns the length that was written.  */
size_t systext_write (const struct sysmem_call *c, char *buf, size_t size);

/* Write the value V of name set SET, FLAGS if it is a set of bits, in the same
   way.  */
size_t systext_write_names (unsigned set, uint32_t v, bool flags, char *buf,
                            size_t size);

#endif
