/* See call.h.  */

#include "engine/call.h"

#include "common/string.h"
#include "engine/start.h"
#include "engine/ticks.h"
#include "linux/raw.h"

#define PR_SET_PTRACER 0x59616d61
#define SLICE_NS 50000000       /* between looks whether the server lives */
#define SLICES (CALL_LIMIT * (1000000000 / SLICE_NS))

static uint32_t
state_of (struct hub_call *call)
{
  return __atomic_load_n (&call->state, __ATOMIC_ACQUIRE);
}

static bool
move (struct hub_call *call, uint32_t from, uint32_t to)
{
  return __atomic_compare_exchange_n (&call->state, &from, to, false,
                                      __ATOMIC_ACQ_REL, __ATOMIC_RELAXED);
}

static bool
server_lives (const struct channel_hub *hub)
{
  uint32_t word = __atomic_load_n (&hub->server, __ATOMIC_ACQUIRE);

  return word != 0 && (word & HUB_SERVER_DIED) == 0;
}

static void
ring (struct channel_hub *hub)
{
  __atomic_add_fetch (&hub->event, 1, __ATOMIC_ACQ_REL);
  raw6 (__NR_futex, RAW_PTR (&hub->event), RAW_FUTEX_WAKE, 1, 0, 0, 0);
}

/* See call.h.  */
bool
call_server_lives (void)
{
  struct channel_hub *hub = engine_hub ();

  return hub != NULL && server_lives (hub);
}

/* See call.h.  */
struct channel_trace *
call_trace (void)
{
  struct channel_hub *hub = engine_hub ();

  return hub != NULL ? &hub->trace : NULL;
}

/* See call.h.  */
void
call_event (struct channel *c)
{
  struct channel_hub *hub = engine_hub ();

  __atomic_add_fetch (&c->event, 1, __ATOMIC_ACQ_REL);
  if (hub != NULL)
    ring (hub);
}

/* See call.h.  */
void
call_count_native (enum hub_native_reason reason)
{
  struct channel_hub *hub = engine_hub ();

  if (hub != NULL)
    __atomic_add_fetch (&hub->n_native[reason], 1, __ATOMIC_RELAXED);
}

/* Take a free call; null: there is none for CALL_LIMIT, or no server.  */
static struct hub_call *
claim (struct channel_hub *hub)
{
  struct linux_timespec nap = { 0, SLICE_NS / 50 };

  for (unsigned n = 0; n < SLICES * 50; n++)
    {
      if (!server_lives (hub))
        return NULL;
      for (unsigned i = 0; i < HUB_N_CALLS; i++)
        if (move (&hub->calls[i], HUB_FREE, HUB_CLAIMED))
          return &hub->calls[i];
      raw4 (__NR_nanosleep, RAW_PTR (&nap), 0, 0, 0);
    }
  return NULL;
}

/* Wait until CALL is no longer in state FROM; the state that it is in then,
   or FROM when the server is gone or slow.  */
static uint32_t
wait_for_change (struct channel_hub *hub, struct hub_call *call, uint32_t from)
{
  struct linux_timespec slice = { 0, SLICE_NS };
  uint32_t now = state_of (call);

  for (unsigned n = 0; now == from && n < SLICES && server_lives (hub); n++)
    {
      raw6 (__NR_futex, RAW_PTR (&call->state), RAW_FUTEX_WAIT, from,
            RAW_PTR (&slice), 0, 0);
      now = state_of (call);
    }
  return now;
}

/* A number that no other process has, in CALL and where the server finds it in
   this process's memory.  */
static void
identify (struct hub_call *call, int pid)
{
  static uint64_t nonce;
  static int owner;

  if (owner != pid)
    {
      nonce = ticks_now () ^ (uint64_t) pid << 40;
      owner = pid;
    }
  engine_channel ()->birth.nonce = call->nonce = nonce;
}

/* Ask, with the fields of CALL filled in: HUB_GRANTED, or HUB_REFUSED and the
   call is free again.  */
static uint32_t
ask (struct channel_hub *hub, struct hub_call *call)
{
  uint32_t answer;

  __atomic_store_n (&call->state, HUB_ASKED, __ATOMIC_RELEASE);
  ring (hub);
  answer = wait_for_change (hub, call, HUB_ASKED);
  if (answer == HUB_ASKED)
    {
      if (move (call, HUB_ASKED, HUB_FREE))
        return HUB_REFUSED;
      answer = state_of (call);         /* it came at the last moment */
    }
  if (answer == HUB_GRANTED)
    return HUB_GRANTED;
  __atomic_store_n (&call->state, HUB_FREE, __ATOMIC_RELEASE);
  return HUB_REFUSED;
}

/* Ask for KIND, which makes the server a tracer of threads of PID.  False: it
   is not.  */
static bool
ask_tracer (enum hub_call_kind kind, int pid, int tid, uint32_t generation,
            unsigned *number)
{
  struct channel_hub *hub = engine_hub ();
  struct hub_call *call = hub != NULL ? claim (hub) : NULL;

  if (call == NULL)
    return false;
  call->kind = kind;
  identify (call, pid);
  call->pid = pid;
  call->tid = tid;
  call->parent = 0;
  call->generation = generation;
  /* Where Yama lets a process be traced by its ancestors alone.  */
  raw3 (__NR_prctl, PR_SET_PTRACER, hub->server, 0);
  *number = call - hub->calls;
  return ask (hub, call) == HUB_GRANTED;
}

/* See call.h.  */
bool
call_exec (int pid, int tid, uint32_t generation, unsigned *number)
{
  if (ask_tracer (HUB_EXEC, pid, tid, generation, number))
    return true;
  call_count_native (call_server_lives () ? HUB_NATIVE_NO_PTRACE
                                          : HUB_NATIVE_NO_SERVER);
  return false;
}

/* See call.h.  */
bool
call_core (int pid, int tid, uint32_t generation, unsigned *number)
{
  return ask_tracer (HUB_CORE, pid, tid, generation, number);
}

/* See call.h.  */
void
call_core_wait (unsigned number)
{
  struct channel_hub *hub = engine_hub ();

  if (wait_for_change (hub, &hub->calls[number], HUB_GRANTED) == HUB_DONE)
    __atomic_store_n (&hub->calls[number].state, HUB_FREE, __ATOMIC_RELEASE);
}

/* See call.h.  */
void
call_exec_failed (unsigned number)
{
  struct channel_hub *hub = engine_hub ();
  struct hub_call *call = &hub->calls[number];

  if (!move (call, HUB_GRANTED, HUB_FAILED))
    return;
  ring (hub);
  wait_for_change (hub, call, HUB_FAILED);
  __atomic_store_n (&call->state, HUB_FREE, __ATOMIC_RELEASE);
}

/* The PATH of a channel for PID, a child of PARENT with the channel C.  False:
   there is none.  */
static bool
ask_channel (const struct channel *c, int pid, int parent,
             char path[CHANNEL_PATH_MAX])
{
  struct channel_hub *hub = engine_hub ();
  struct hub_call *call = hub != NULL ? claim (hub) : NULL;

  if (call == NULL)
    return false;
  call->kind = HUB_FORK;
  call->nonce = c->birth.nonce;
  call->pid = call->tid = pid;
  call->parent = parent;
  call->generation = c->birth.generation;
  if (ask (hub, call) != HUB_GRANTED)
    return false;
  memcpy (path, call->channel_path, CHANNEL_PATH_MAX);
  path[CHANNEL_PATH_MAX - 1] = 0;
  __atomic_store_n (&call->state, HUB_FREE, __ATOMIC_RELEASE);
  return true;
}

/* See call.h.  */
bool
call_fork (struct channel *c, int pid, int parent)
{
  char path[CHANNEL_PATH_MAX];

  if (ask_channel (c, pid, parent, path))
    return engine_map_channel (c, path);
  engine_drop_channel (c);
  return false;
}

/* See call.h.  */
struct channel *
call_vfork (const struct channel *from, uint64_t at, int pid, int parent)
{
  char path[CHANNEL_PATH_MAX];

  return ask_channel (from, pid, parent, path)
           ? engine_map_another (from, at, path) : NULL;
}
