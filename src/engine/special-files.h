/* Descriptors whose contents the engine has a part in: a signalfd for signals
   that are pending with the engine, and the status of one of the process's
   threads in /proc.

   What is known is that the application once got such a descriptor by that
   number; it may have closed it since.  So whoever reads looks again.  A
   duplicate by another number is not known.  */

#ifndef ENGINE_SPECIAL_FILES_H
#define ENGINE_SPECIAL_FILES_H

#include "engine/thread.h"

enum special_file
{
  SPECIAL_NONE, SPECIAL_SIGNALFD, SPECIAL_STATUS, SPECIAL_MAP
};

/* FD may be of that KIND from now on.  */
void special_note (int fd, enum special_file kind);

/* The kind of FD, a file in /proc; *TID is the thread of which it tells.
   Supplied by proc-files.c.  */
enum special_file proc_file_kind (const struct thread *t, int fd, int *tid);

/* read, by T, of a descriptor that may be a signalfd.  Supplied by
   signal-fd.c.  */
long special_read_signalfd (struct thread *t);

/* T has read N bytes from the descriptor FD, which may be a thread's status,
   to TO, from offset AT of the file: mend what is said of signals there.
   Supplied by proc-status.c.  */
void special_mend_status (struct thread *t, int fd, app_addr to, uint64_t n,
                          uint64_t at);

#endif
