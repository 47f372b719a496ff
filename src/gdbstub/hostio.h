/* vFile: files of the machine that the program runs on, for GDB.

   Descriptors that GDB sees are indices of a table here.  A list of mappings
   (/proc/PID/maps and the like) is read whole at its opening and shown without
   the engine's part.  */

#ifndef GDBSTUB_HOSTIO_H
#define GDBSTUB_HOSTIO_H

#include "gdbstub/reply.h"
#include "gdbstub/scan.h"
#include "host/target.h"

#define HOSTIO_MAX_FILES 64

struct hostio_file
{
  int fd;                       /* -1: this place is free */
  char *text;                   /* shown in place of FD's contents, or NULL */
  size_t length;
};

struct hostio
{
  struct hostio_file file[HOSTIO_MAX_FILES];
  int root_pid;                 /* of vFile:setfs; 0: the server's own view */
};

void hostio_init (struct hostio *h);

/* Close all, and see the server's files again.  */
void hostio_reset (struct hostio *h);

/* Answer the packet whose rest after "vFile:" is IN.  An operation that is not
   known leaves OUT empty.  */
void hostio_handle (struct hostio *h, struct target *t, struct scan *in,
                    struct reply *out);

#endif
