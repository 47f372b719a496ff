/* System calls that change the memory map: the functions are named in
   calls.def and called by the gate alone.  */

#ifndef ENGINE_MEMORY_CALLS_H
#define ENGINE_MEMORY_CALLS_H

/* Around fork: no thread is changing the map.  */
void memory_calls_before_fork (void);
void memory_calls_after_fork (void);

#endif
