/* The engine's entry, and its ways out.  */

#ifndef ENGINE_START_H
#define ENGINE_START_H

#include "channel/hub.h"

/* Where the server's birth sends a process (arch/x86-64/start.S), on the boot
   stack, with every mapping of the core region writable and executable.
   Gives each its protection, maps hub, tether and a shared channel, closes
   what it opened, and calls engine_main.  */
NORETURN void engine_begin (struct channel *c);

/* The engine proper: C->birth says where the program begins.  Runs on the
   boot stack (64 KiB), in the process's only thread.  */
NORETURN void engine_main (struct channel *c);

/* The hub of this process; NULL: the server's could not be opened.  It
   outlives fork.  */
struct channel_hub *engine_hub (void);

/* The channel of this process, from engine_begin on.  */
struct channel *engine_channel (void);

/* Run the program natively from REGS on: the caller's thread leaves the
   engine for ever.  Everything of the engine's stays mapped.  */
NORETURN void engine_go_native (const struct arch_regs *regs);

/* Map the shared channel that PATH names over C, keeping its birth record,
   for the child of a fork, which has the only thread.  False: it cannot be
   opened, and C is a private, empty channel without slots.  */
MUST_USE bool engine_map_channel (struct channel *c, const char *path);

/* Map the shared channel that PATH names at AT, reserved for it, with the
   birth record of FROM, for a child of vfork.  Null: it cannot be opened.  */
MUST_USE struct channel *engine_map_another (const struct channel *from,
                                             uint64_t at, const char *path);

/* Make C, inherited by fork, a private channel without slots.  */
void engine_drop_channel (struct channel *c);

#endif
