/* The dispatcher: where a thread is whenever it is not in the cache.

   Each time a thread leaves the cache it comes here, on an empty engine
   stack; one switch says why it left, and what that needs is done.  Then
   signals and stops that wait are seen to, the next fragment is found or
   built, the exit is linked to it, and the thread enters the cache.  */

#ifndef ENGINE_DISPATCH_H
#define ENGINE_DISPATCH_H

#include "common/report.h"
#include "engine/code-change.h"
#include "engine/thread.h"

/* Make the cache ready; once a process, before the first dispatch_run.  */
void dispatch_init (void);

/* Run T, the calling thread, from what its context says.  Whatever is on its
   engine stack is given up.  */
NORETURN void dispatch_run (struct thread *t);

/* Code that holds registers expects CONSTANT from now on (cache.h); what there
   is that expects another is the caller's to flush.  */
void dispatch_hold (uint64_t constant);

/* Retire what was translated from [START, END), whose content has changed or
   is about to.  Threads may still be inside until they next leave the cache.
   Takes the cache lock.  */
void dispatch_flush (app_addr start, app_addr end, const char *why);

/* The same for a mapping that has changed: the protection that the engine had
   placed there is gone.  */
void dispatch_remapped (app_addr start, app_addr end, const char *why);

/* A store by T, the calling thread, at its context's PC to ADDR faulted: as
   code_change_store (code-change.h).  The caller holds no lock.  */
enum code_fault dispatch_store_fault (struct thread *t, app_addr addr);

/* A system call is about to write to [START, END): lift what the engine has
   protected there.  */
void dispatch_kernel_writes (app_addr start, app_addr end);

/* Call LOOK (DATA, R) with the cache lock held.  */
void dispatch_inspect (void (*look) (struct report *r, uint64_t data),
                       struct report *r, uint64_t data);

/* T is about to end, or has; no lock is held that is of a higher rank than the
   cache lock.  */
void dispatch_thread_gone (struct thread *t);

/* Around fork, in the parent and in the child: no other thread is inside the
   cache's data.  */
void dispatch_before_fork (void);
void dispatch_release_after_fork (void);

/* In the child of fork, after that, while the parent still waits: the code
   memory becomes the child's own.  The caller is its only thread.  */
void dispatch_after_fork (void);

#endif
