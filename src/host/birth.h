/* Putting the engine into a process that has just executed a file.

   Called for a traced process at its PTRACE_EVENT_EXEC stop, at birth and at
   each later exec alike.  The process maps the image itself: it is made to
   open the server's memfd through /proc, and to map it, by two system calls
   of its own; then it goes on in the engine, traced no more.  Its stack below
   the stack pointer is used for the name and then put back.

   A process that cannot open it (it has another user, another root, or sees
   another /proc) makes a pair of sockets, one end of which the server fetches
   to send it the descriptors.  */

#ifndef HOST_BIRTH_H
#define HOST_BIRTH_H

#include "channel/channel.h"
#include "host/image.h"

#define BIRTH_REFUSALS(X)                                                     \
  X (OK, "done")                                                              \
  X (GONE, "the process is gone")                                             \
  X (LATE, "the process does not answer")                                     \
  X (FOREIGN, "it is not a 64-bit program")                                   \
  X (NO_MEMORY_ACCESS, "its memory cannot be reached")                        \
  X (NO_OPEN, "it cannot open the engine's image")                            \
  X (NO_ROOM, "the engine's place in memory is taken")                        \
  X (NO_MAP, "it cannot map the engine's image")

enum birth_refusal
{
#define BIRTH_REFUSAL(NAME, TEXT) BIRTH_##NAME,
  BIRTH_REFUSALS (BIRTH_REFUSAL)
#undef BIRTH_REFUSAL
};

const char *birth_refusal_text (enum birth_refusal r);

/* What a birth is made of, and what comes out of it.  */
struct birth
{
  /* In.  */
  /* The image to try in turn N, each if the one before has its place taken;
     null: there is no more.  */
  const struct image *(*image) (void *data, unsigned n);
  void *data;
  struct channel_birth record;  /* but for what is found out: registers,
                                   addresses; with the server's descriptors
                                   of hub and channel */
  bool keep_mem;
  bool kill_on_refusal;         /* else the process goes native */

  /* Out.  */
  int mem;                      /* /proc/PID/mem if KEEP_MEM; else -1 */
  uint64_t core_start, core_end;
  int system_error;             /* errno behind NO_OPEN, NO_MAP */

  /* The server's descriptors, while RECORD has the process's.  */
  int hub_fd, channel_fd;
};

/* Give PID the engine as B says.  Whatever the answer, PID is traced no more;
   on a refusal it runs natively, or ends with exit status 126.  */
MUST_USE enum birth_refusal birth_give (struct birth *b, int pid);

#endif
