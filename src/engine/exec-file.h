/* Looking at the file of an exec beforehand, for what can be known only then:
   a traced process does not get the rights that a file would give it, and
   whether an exec will fail is cheaper to ask than to try under a tracer.  */

#ifndef ENGINE_EXEC_FILE_H
#define ENGINE_EXEC_FILE_H

#include "channel/hub.h"

enum exec_file_verdict
{
  EXEC_FILE_FOLLOW,             /* the engine can go along */
  EXEC_FILE_NATIVE,             /* it must not; *REASON says why */
  EXEC_FILE_ERROR               /* execve would return *ERROR */
};

/* Look at the file that execveat (DIRFD, PATH, …, FLAGS) would load.  PATH is
   a pointer of the application's, checked by the kernel alone.  No lock.  */
MUST_USE enum exec_file_verdict
exec_file_look (int dirfd, uint64_t path, unsigned flags,
                enum hub_native_reason *reason, long *error);

#endif
