/* The hub: what all processes of one server share with it.

   One small shared mapping that every process of the tree has and that
   survives fork, so that a process needs no descriptor and no set-up of its
   own to be heard.  It carries calls (a thread of an engine asks, the server
   answers), the one futex that the server waits on, and the counts that
   --stats adds up over the tree.

   Beside it stands the tether: a page of the image's memfd, mapped shared and
   writable by every process and never by the server.  F_SEAL_WRITE on that
   memfd fails with EBUSY as long as one of them lives; so the server of a
   tree whose processes it does not all know learns that it may go.

   A call, and who moves it:

     FREE -> CLAIMED        engine, by compare and swap
     CLAIMED -> ASKED       engine, the fields are valid; then `event'
     ASKED -> GRANTED       server, the answer is valid
     ASKED -> REFUSED       server: go native (HUB_EXEC), go on with a
                            private channel and no debugger (HUB_FORK), or
                            die as things are (HUB_CORE)
     GRANTED -> FAILED      engine: execve came back; then `event'
     GRANTED -> FREE        server: the exec was seen, or the caller is gone
     FAILED -> DONE         server: has let go of the thread
     GRANTED -> DONE        server (HUB_CORE): all threads are held
     ASKED -> FREE          engine: gave up waiting, by compare and swap;
                            server, by compare and swap: the caller is gone
     GRANTED (HUB_FORK), REFUSED, DONE -> FREE     engine

   Everything in here is at the mercy of the applications: the server copies
   a field once, checks it, and believes no more than that some process asked
   for something.  */

#ifndef CHANNEL_HUB_H
#define CHANNEL_HUB_H

#include "channel/channel.h"
#include "channel/trace.h"

#define HUB_MAGIC 0x6275682d6f6972ull   /* "rio-hub" */
#define HUB_N_CALLS 64

enum hub_call_state
{
  HUB_FREE, HUB_CLAIMED, HUB_ASKED, HUB_GRANTED, HUB_REFUSED, HUB_FAILED,
  HUB_DONE
};

enum hub_call_kind
{
  HUB_EXEC = 1,                 /* TID of PID is about to call execve */
  HUB_FORK,                     /* PID was born by a fork of PARENT and wants
                                   a channel */
  HUB_CORE                      /* TID of PID is about to dump core: its other
                                   threads shall be held where they take the
                                   signal CHANNEL_LEFT_SIGNAL */
};

struct hub_call
{
  uint32_t state;               /* enum hub_call_state; a futex */
  uint32_t kind;                /* enum hub_call_kind */
  int32_t pid, tid;
  int32_t parent;
  uint32_t generation;          /* of PID so far */
  uint64_t nonce;               /* as in the caller's own birth record: tells
                                   it from others, in whatever pid namespace */
  char channel_path[CHANNEL_PATH_MAX];  /* answer to HUB_FORK */
};

/* Processes, and calls of theirs, that run without the engine, by reason.  */
#define HUB_NATIVE_REASONS(X)                                                 \
  X (TRACED, "it is traced by another process")                               \
  X (SETID, "its file is set-user-id or set-group-id")                        \
  X (CAPABILITY, "its file has capabilities")                                 \
  X (FOREIGN, "its file is not an x86-64 ELF file")                           \
  X (UNREADABLE, "its file cannot be read")                                   \
  X (NOT_FOLLOWED, "children are not followed")                               \
  X (NO_SERVER, "the server is gone")                                         \
  X (NO_ENGINE, "the engine could not be mapped")                             \
  X (NO_PTRACE, "ptrace was refused")

enum hub_native_reason
{
#define HUB_NATIVE_REASON(NAME, TEXT) HUB_NATIVE_##NAME,
  HUB_NATIVE_REASONS (HUB_NATIVE_REASON)
#undef HUB_NATIVE_REASON
  HUB_N_NATIVE_REASONS
};

struct channel_hub
{
  uint64_t magic;
  uint32_t version;             /* CHANNEL_VERSION */
  uint32_t event;               /* futex, any engine to the server */
  uint32_t server;              /* robust futex: the server's thread id while
                                   it lives (bits of FUTEX_TID_MASK) */
  uint32_t n_births;            /* images that the engine was put into */
  uint32_t n_native[HUB_N_NATIVE_REASONS];
  uint32_t asker;               /* the process that asks another to go native,
                                   to trace it; 0: none */
  struct hub_call calls[HUB_N_CALLS];
  struct channel_trace trace;
};

#define HUB_SIZE PAGE_UP (sizeof (struct channel_hub))
#define HUB_SERVER_DIED 0x40000000u     /* FUTEX_OWNER_DIED */

#endif
