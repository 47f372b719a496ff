/* The application's memory map, as the engine knows it.

   Invariants:
   1. Areas are sorted by address, do not overlap, are not empty, and lie on
      page boundaries; neighbours that continue each other are one.
   2. Protection is what the application asked for: with the nx_app option,
      or on pages that the engine protects against writes, the kernel's is
      less.
   3. Nothing of the engine's own is in it.

   Filled from /proc/self/maps at birth, and kept up by the gate (memory-calls)
   after each call that changes the map.  One lock (LOCK_RANK_AREAS), taken by
   each function here.  Not for signal context.  */

#ifndef ENGINE_AREAS_H
#define ENGINE_AREAS_H

#include "common/types.h"

enum area_prot { AREA_READ = 1, AREA_WRITE = 2, AREA_EXEC = 4 };

/* Properties, a bit each.  */
enum area_flag
{
  AREA_SHARED = 1,      /* a store is seen by other mappings */
  AREA_FILE = 2,        /* device, inode and offset name what is mapped */
  AREA_STACK = 4,       /* grows down */
  AREA_HEAP = 8,        /* brk */
  AREA_VDSO = 16,
  AREA_VSYSCALL = 32,   /* execute-only, never to be read */
  AREA_GUARDED = 64,    /* the engine took PROT_WRITE from some pages */
  AREA_WAS_EXEC = 128,  /* was executable once: may have been translated */
  AREA_CHANGES = 256    /* private, but of a file that its mapper may write:
                           pages that are not copied yet change with it */
};

struct area
{
  app_addr start, end;
  uint8_t prot;         /* of enum area_prot */
  uint16_t flags;       /* of enum area_flag */
  uint32_t device;      /* major << 20 | minor */
  uint64_t inode;
  uint64_t offset;      /* of START, bytes */
};

/* Read /proc/self/maps.  What OWNED says is the engine's is left out.  False
   when it cannot be read.  */
MUST_USE bool areas_init (bool (*owned) (uint64_t start, uint64_t end));

/* The start of the first mapping that begins at ADDR or above, as the kernel
   has it; the end of the address space if there is none.  Needs nothing of the
   engine's; the calling thread is the only one.  */
MUST_USE uint64_t areas_first_above (uint64_t addr);

/* The area with ADDR in it goes to *A.  False when there is none.  */
MUST_USE bool area_find (app_addr addr, struct area *a);

/* The first area that ends above ADDR goes to *A; false: there is none.
   For going through all of them: start at 0, go on at A->end.  */
MUST_USE bool area_next (app_addr addr, struct area *a);

/* The application may execute at PC, until A->end at least; *A is its
   area.  Not so in the vsyscall page, whose code cannot be read.  */
MUST_USE bool area_executable (app_pc pc, struct area *a);

/* [START, END) is now mapped as A says (A->start and A->end are ignored;
   A->offset is that of START).  */
void areas_map (app_addr start, app_addr end, const struct area *a);

void areas_unmap (app_addr start, app_addr end);

/* mprotect: PROT for what is mapped of [START, END).  */
void areas_protect (app_addr start, app_addr end, unsigned prot);

/* mremap: what was mapped at OLD, OLD_SIZE bytes, is now at NEW, NEW_SIZE
   bytes, and no longer at OLD unless KEEP (DONTUNMAP).  */
void areas_move (app_addr old, uint64_t old_size, app_addr new,
                 uint64_t new_size, bool keep);

/* Set or clear (SET false) a flag on what is mapped of [START, END).  */
void areas_flag (app_addr start, app_addr end, unsigned flag, bool set);

/* Some area in [START, END) is, or was once, executable: translations may
   exist.  */
MUST_USE bool areas_were_executable (app_addr start, app_addr end);

/* Read the kernel's map again for [START, END): after calls whose effect the
   gate cannot tell from arguments and result.  */
void areas_reread (app_addr start, app_addr end);

unsigned areas_count (void);

void areas_before_fork (void);
void areas_after_fork (void);

#endif
