/* The server's side of the hub: births, execs and forks of a whole tree of
   processes, whether a debugger is there or not.

   A server is driven by a loop of its owner's: when server_fd is readable, or
   a SIGCHLD has come, the owner calls server_serve.  All calls are made by
   one thread, which is the tracer of what is being born and must keep
   SIGCHLD blocked; a second thread turns the hub's futex into the readable
   descriptor.

   States of a birth, and who moves it:

     (none) -> SEIZED      server_adopt, or an engine that asks for an exec
     SEIZED -> (none)      the exec was seen and the engine given, or refused;
                           or the process is gone
     SEIZED -> RETURNED    the engine tells that execve failed
     RETURNED -> (none)    the thread has stopped, and is let go  */

#ifndef HOST_SERVER_H
#define HOST_SERVER_H

#include "channel/hub.h"
#include "host/birth.h"

struct server;

#define SERVER_REFUSALS(X)                                                    \
  X (OK, "done")                                                              \
  X (NO_ENGINE, "the engine's image cannot be loaded")                        \
  X (NO_MEMORY, "out of memory")                                              \
  X (NO_PROCESS, "no such process")                                           \
  X (NO_PTRACE, "ptrace is not permitted")                                    \
  X (TOO_MANY, "too many births at once")

enum server_refusal
{
#define SERVER_REFUSAL(NAME, TEXT) SERVER_##NAME,
  SERVER_REFUSALS (SERVER_REFUSAL)
#undef SERVER_REFUSAL
};

const char *server_refusal_text (enum server_refusal r);

/* What the owner of a server is told, and asked; each may be NULL.  */
struct server_hooks
{
  void *data;

  /* PID is about to get the engine: put path and descriptor of a shared
     channel into RECORD if it shall have one.  GENERATION of its images is in
     there.  */
  void (*prepare) (void *data, int pid, struct channel_birth *record);

  /* PID has got it, or R says why not; B->mem is the owner's now.  */
  void (*born) (void *data, int pid, const struct birth *b,
                enum birth_refusal r);

  /* PID, a fork of PARENT, wants a channel: put its path into PATH (of
     CHANNEL_PATH_MAX bytes) and return true; false: it goes on with none.  */
  bool (*forked) (void *data, int pid, int parent, char *path);

  /* PID has ended while it was held for a birth, with this wait status, which
     nobody else will get to see if it was the server's own child.  */
  void (*ended) (void *data, int pid, int status);
};

/* Make a server that puts the engine's image from file ENGINE into processes,
   with OPTIONS; with SHARED, channels can be shared, with slots.  */
MUST_USE enum server_refusal
server_create (struct server **s, const char *engine,
               const struct channel_options *options, bool shared,
               const struct server_hooks *hooks);

/* Give S up.  Processes run on; those being born are let go.  */
void server_destroy (struct server *s);

int server_fd (const struct server *s);

/* Seize PID: at its next exec but SKIP it gets the engine, and if it cannot,
   it ends with status 126.  */
MUST_USE enum server_refusal server_adopt (struct server *s, int pid,
                                           unsigned skip);

/* Do whatever there is to do.  Never waits for a process that may sleep.  */
void server_serve (struct server *s);

/* Whether there is still a process that has the engine from S, or is about to
   get it.  The answer false is final.  */
bool server_in_use (const struct server *s);

/* The hub, for counts, and for tests.  */
struct channel_hub *server_hub (const struct server *s);

/* A channel for a process, made by the server: DESCRIPTOR of it, and where
   the server has it mapped.  */
struct server_channel
{
  int fd;
  struct channel *channel;
  struct ring_reader records;   /* where there is a ring */
};

MUST_USE enum server_refusal server_channel_create (const struct server *s,
                                                    struct server_channel *c);
void server_channel_destroy (const struct server *s, struct server_channel *c);

/* The path by which a process opens descriptor FD of the server.  */
void server_path (char path[CHANNEL_PATH_MAX], int fd);

#endif
