/* Application code that changes under its translations.

   Each page that code was translated from and that the application may write
   to is in one of two states (code_page in code-change.c):

     (unknown) -> PROTECTED   translated: the kernel has no PROT_WRITE for it
     PROTECTED -> (unknown)   a store faulted: its fragments are retired, the
                              page is writable again
     PROTECTED -> VERIFIED    stores came too often, or from the page itself
     (unknown) -> VERIFIED    shared, or of a file that the one who mapped it
                              may write: another mapping, another process, or
                              a write to the file can change it
     any -> (unknown)         its mapping changed

   Fragments from VERIFIED pages compare the application's bytes with what was
   translated before each execution, and end at their first store; such a page
   stays writable.

   Guarded by the cache lock, but for code_change_any.  */

#ifndef ENGINE_CODE_CHANGE_H
#define ENGINE_CODE_CHANGE_H

#include "cache/memory.h"
#include "engine/areas.h"

/* Code at PC, in area A, is about to be translated: do what its pages need,
   and fill in X.  */
void code_change_prepare (app_pc pc, const struct area *a,
                          struct memory_extent *x);

enum code_fault
{
  CODE_FAULT_OTHER,     /* none of the engine's doing */
  CODE_FAULT_RETRY,     /* the store will succeed now */
  CODE_FAULT_RESTART    /* as RETRY, but the fragment that made the store is
                           stale: go on from the application's state */
};

/* A store at application PC to ADDR faulted.  *TRIED is the thread's own, 0 at
   first: it tells a fault that comes again from one that another thread has
   seen to in the meantime.  No thread is changing the memory map.  */
enum code_fault code_change_store (app_pc pc, app_addr addr, uint64_t *tried);

/* Some page is protected: kernel calls may fail that write to it.  No lock. */
bool code_change_any (void);

/* Take the protection from what is protected of [START, END), and retire what
   was translated from there.  */
void code_change_lift (app_addr start, app_addr end);

/* The mapping of [START, END) has changed: forget its pages.  */
void code_change_forget (app_addr start, app_addr end);

#endif
