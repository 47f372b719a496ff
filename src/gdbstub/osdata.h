/* What GDB's `info os' shows: tables of the system's, read out of /proc at the
   moment.  Names and order of the columns are gdbserver's; GDB shows what it
   gets.

   What cannot be read, for want of permission or as its process has just gone,
   is left out.  */

#ifndef GDBSTUB_OSDATA_H
#define GDBSTUB_OSDATA_H

#include "gdbstub/reply.h"

/* Append the table TYPE to DOC, "" for the table of tables; nothing if there
   is none of this name.  */
void osdata_read (const char *type, struct reply *doc);

#endif
