/* Addresses of thread-local variables, by glibc's own description of itself.

   The C library exports where, in its structures, the module number and the
   static offset of a link map lie (the _thread_db_* symbols that libthread_db
   reads; glibc: nptl_db/structs.def).  GDB is asked for those symbols by
   qSymbol; the rest is memory reads, so no library of the host's is needed.

   States, by process: UNKNOWN -> asked one symbol after the other -> READY, or
   back to UNKNOWN when one is not known (yet).  */

#ifndef GDBSTUB_TLS_H
#define GDBSTUB_TLS_H

#include "gdbstub/reply.h"
#include "gdbstub/scan.h"
#include "host/target.h"

enum tls_symbol { TLS_MODID, TLS_OFFSET, TLS_N_SYMBOLS };

struct tls_process
{
  struct tls_process *next;
  int pid;
  bool ready;
  app_addr symbol[TLS_N_SYMBOLS];
};

struct tls
{
  struct tls_process *first;
};

/* Answer a qSymbol packet about PID, whose rest is IN: ask for the next
   symbol, or say OK.  */
void tls_qSymbol (struct tls *tls, int pid, struct scan *in,
                  struct reply *out);

enum tls_answer
{
  TLS_OK,
  TLS_NOT_READY,                /* the symbols are not known */
  TLS_NOT_ALLOCATED,            /* the thread has not touched them yet */
  TLS_FAULT
};

/* The address in thread TID of PID, whose thread pointer is FS_BASE, of what
   lies at OFFSET in the thread-local block of the module whose link map is at
   LM (0: the main program, linked statically).  */
MUST_USE enum tls_answer tls_address (struct tls *tls, struct target *t,
                                      int pid, app_addr fs_base,
                                      app_addr lm, uint64_t offset,
                                      app_addr *address);

/* PID is gone or runs another program; 0: all.  */
void tls_forget (struct tls *tls, int pid);

#endif
