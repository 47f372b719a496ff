/* See memory.h.  The arena takes chunks from the engine and keeps them: a
   reset starts again at the first.  */

#include "cache/memory.h"
#include "arch/enter.h"
#include "common/assert.h"

#define CHUNK_SIZE (256 * 1024ul)
#define MAX_CHUNKS 4096
#define SOON_STEP (64 * 1024ul)

static const struct memory_calls *the_calls;
static uint8_t *base;
static uint8_t *chunks[MAX_CHUNKS];
static unsigned n_chunks, current;
static size_t used, soon;       /* of the current chunk; soon: as
                                   memory_calls.soon knows */

/* See memory.h.  */
void
memory_init (const struct memory_calls *calls)
{
  the_calls = calls;
}

/* See memory.h.  */
const struct memory_calls *
memory_calls (void)
{
  return the_calls;
}

static bool
next_chunk (void)
{
  if (n_chunks && current + 1 < n_chunks)
    current++;
  else
    {
      uint8_t *p
          = n_chunks < MAX_CHUNKS ? the_calls->map_data (CHUNK_SIZE) : 0;
      if (!p)
        return false;
      if (!base)
        base = p;
      vm_assert ((uint64_t) (p - base) < 1ull << 32);
      current = n_chunks;
      chunks[n_chunks++] = p;
    }
  /* Numbers below ARCH_EXIT_FIRST have a meaning of their own.  */
  soon = 0;
  used = current == 0 ? ARCH_EXIT_FIRST : 0;
  return true;
}

/* See memory.h.  */
void *
memory_alloc (size_t size)
{
  uint8_t *p;

  size = ALIGN_UP (size, 16);
  vm_assert (size <= CHUNK_SIZE - ARCH_EXIT_FIRST);
  if ((!n_chunks || used + size > CHUNK_SIZE) && !next_chunk ())
    return 0;
  p = chunks[current] + used;
  used += size;
  for (; soon < used; soon += SOON_STEP)
    the_calls->soon (chunks[current] + soon, SOON_STEP);
  __builtin_memset (p, 0, size);
  return p;
}

/* See memory.h.  What is no whole chunk is lost.  */
void
memory_give (void *p, size_t size)
{
  uint8_t *at = p;

  for (; size >= CHUNK_SIZE && n_chunks && n_chunks < MAX_CHUNKS && at > base;
       at += CHUNK_SIZE, size -= CHUNK_SIZE)
    chunks[n_chunks++] = at;
}

/* See memory.h.  */
uint32_t
memory_number (const void *p)
{
  return (uint32_t) ((const uint8_t *) p - base);
}

/* See memory.h.  */
void *
memory_pointer (uint32_t number)
{
  return base + number;
}

/* See memory.h.  */
size_t
memory_bytes_used (void)
{
  return n_chunks ? current * CHUNK_SIZE + used : 0;
}

/* See memory.h.  */
void
memory_reset (void)
{
  current = 0;
  used = ARCH_EXIT_FIRST;
  soon = CHUNK_SIZE;
}
