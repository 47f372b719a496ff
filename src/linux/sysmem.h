/* Which memory a system call reads and writes.

   The gate asks before the call, to lift the protection that it has placed on
   pages that the kernel will write, and after it, for watchpoints on stores
   that the kernel made for the program.  Both are one walk over the row of
   the call in syscalls.def; a struct sysmem_call carries what must be noted
   in between.

   Promise: before the call, every byte that it can write is told; after it,
   every byte that it has written, and of others only such that the kernel
   itself cannot be asked about (a struct is told whole).  Not told, because
   they happen outside of the call: stores to what a row calls LATER, those of
   io_uring and io_submit, signal frames, and the words of the clear_child_tid
   and robust lists at exit.

   No state, no locks, no allocation; may run in signal context, on both
   sides.  */

#ifndef LINUX_SYSMEM_H
#define LINUX_SYSMEM_H

#include "linux/syscall.h"

/* Copies SIZE bytes at FROM in the application to TO, and returns whether all
   of them could be read.  COOKIE is sysmem_call's.  */
typedef bool (*sysmem_reader) (void *cookie, app_addr from, void *to,
                               size_t size);

/* Is told that the call uses [ADDR, ADDR + SIZE), SIZE > 0, as ACCESS (of
   enum syscall_access) says, on account of argument ARG.  */
typedef void (*sysmem_visitor) (void *cookie, unsigned arg, app_addr addr,
                                size_t size, unsigned access);

struct sysmem_call
{
  long nr;
  uint64_t args[SYSCALL_N_ARGS];
  long result;                  /* as the kernel returned it; unset before */
  bool returned;                /* result is valid */
  uint32_t room[2];             /* noted by sysmem_enter: lengths that the
                                   call replaces by other lengths */
  sysmem_reader read;
  void *cookie;
};

/* Note of C, whose nr, args, read and cookie are set, what the call is going
   to overwrite and sysmem_walk needs after it.  Call it before the call.  */
void sysmem_enter (struct sysmem_call *c);

/* Note that C returned RESULT.  */
void sysmem_leave (struct sysmem_call *c, long result);

/* Tell VISIT of all memory that C uses in one of the ways of ACCESS
   (SYSCALL_READ, SYSCALL_WRITE): before sysmem_leave all that it may use, and
   after it what it did.  */
void sysmem_walk (const struct sysmem_call *c, unsigned access,
                  sysmem_visitor visit, void *cookie);

/* Whether sysmem_walk knows all that C may write.  False for a number newer
   than the table, for ioctl and its like with a command that commands.def
   has no row for, bpf, and io_uring: the gate then has to lift all protection,
   and to compare all that is watched by value.  */
bool sysmem_is_complete (const struct sysmem_call *c);

#endif
