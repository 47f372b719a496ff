/* See tracebuf.h.  */

#include "tracebuf/tracebuf.h"

#include <stdlib.h>
#include <string.h>

#include "tracebuf/store.h"

/* Blocks, well formed, one behind the other.  */
struct blocks
{
  uint8_t *bytes;
  size_t used, room;
};

/* What the store has of a frame: this, and SIZE bytes of blocks.  */
struct frame
{
  struct tracebuf_frame f;
  uint64_t size;
};

/* A frame of which not all parts are there.  */
struct partial
{
  struct partial *next;
  struct tracebuf_frame f;
  struct blocks blocks;
};

struct tracebuf
{
  uint64_t limit, used;
  bool full;
  struct store *frames;
  struct partial *partial;
};

/* See tracebuf.h.  */
struct tracebuf *
tracebuf_create (void)
{
  struct tracebuf *b = calloc (1, sizeof *b);

  if (b == NULL)
    return NULL;
  b->limit = TRACEBUF_DEFAULT_SIZE;
  b->frames = store_create ();
  if (b->frames == NULL)
    {
      free (b);
      return NULL;
    }
  return b;
}

static void
drop_partial (struct partial **link)
{
  struct partial *p = *link;

  *link = p->next;
  free (p->blocks.bytes);
  free (p);
}

static void
drop_partials (struct tracebuf *b)
{
  while (b->partial != NULL)
    drop_partial (&b->partial);
}

/* See tracebuf.h.  Without memory for a new store nothing is taken.  */
void
tracebuf_clear (struct tracebuf *b, uint64_t limit)
{
  drop_partials (b);
  store_destroy (b->frames);
  *b = (struct tracebuf){ .limit = limit, .frames = store_create () };
}

/* See tracebuf.h.  */
void
tracebuf_destroy (struct tracebuf *b)
{
  if (b == NULL)
    return;
  drop_partials (b);
  store_destroy (b->frames);
  free (b);
}


/* Taking.  */

/* Make room for N more bytes.  */
static bool
extend (struct blocks *to, size_t n)
{
  size_t room = MAX (to->room, 4096u);
  uint8_t *more;

  if (to->used + n <= to->room)
    return true;
  while (room < to->used + n)
    room *= 2;
  more = realloc (to->bytes, room);
  if (more == NULL)
    return false;
  to->bytes = more;
  to->room = room;
  return true;
}

static bool
append (struct blocks *to, const uint8_t *bytes, size_t n)
{
  if (!extend (to, n))
    return false;
  if (n > 0)
    memcpy (to->bytes + to->used, bytes, n);
  to->used += n;
  return true;
}

/* Whether the SIZE bytes at BYTES are blocks.  */
static bool
well_formed (const uint8_t *bytes, size_t size)
{
  while (size > 0)
    {
      struct channel_trace_block block;

      if (size < sizeof block)
        return false;
      memcpy (&block, bytes, sizeof block);
      if (CHANNEL_BLOCK_BYTES (block.size) > size
          || (block.kind == CHANNEL_BLOCK_REGISTERS
              && block.size != sizeof (struct arch_regs))
          || (block.kind == CHANNEL_BLOCK_VARIABLE
              && block.size != sizeof (uint64_t)))
        return false;
      bytes += CHANNEL_BLOCK_BYTES (block.size);
      size -= CHANNEL_BLOCK_BYTES (block.size);
    }
  return true;
}

/* The link to what there is of a frame of that thread; or the list's end.  */
static struct partial **
find_partial (struct tracebuf *b, int pid, uint32_t thread)
{
  struct partial **link = &b->partial;

  while (*link != NULL
         && ((*link)->f.pid != pid || (*link)->f.thread != thread))
    link = &(*link)->next;
  return link;
}

/* The frame F with SIZE bytes of blocks is complete.  */
static bool
complete (struct tracebuf *b, const struct tracebuf_frame *f,
          const uint8_t *bytes, size_t size)
{
  const struct frame head = { *f, size };

  if (f->size > tracebuf_free (b) || b->frames == NULL
      || !store_add (b->frames, f->number ^ f->thread << 3, &head,
                     sizeof head, bytes, size))
    {
      b->full = true;
      return false;
    }
  b->used += f->size;
  return true;
}

/* Add the SIZE BYTES of part P to what there is at LINK.  */
static void
add_part (struct tracebuf *b, struct partial **link,
          const struct tracebuf_frame *f, const uint8_t *bytes, size_t size)
{
  struct partial *p = *link;

  if (p == NULL)
    {
      p = calloc (1, sizeof *p);
      if (p == NULL)
        return;
      p->f = *f;
      *link = p;
    }
  else
    p->f.size += f->size;
  if (p->f.size > tracebuf_free (b) || !append (&p->blocks, bytes, size))
    {
      b->full = true;
      drop_partial (link);
    }
}

/* See tracebuf.h.  */
bool
tracebuf_take (struct tracebuf *b, int pid, const void *bytes, size_t size)
{
  const uint8_t *blocks = bytes;
  struct channel_trace_part part;
  struct tracebuf_frame f;
  struct partial **link;
  bool done;

  if (size < sizeof part)
    return false;
  memcpy (&part, bytes, sizeof part);
  blocks += sizeof part;
  f = (struct tracebuf_frame){ part.number, part.index, pid, part.thread,
                               size };
  size -= sizeof part;
  link = find_partial (b, pid, part.thread);
  if ((part.flags & CHANNEL_PART_FIRST) != 0 && *link != NULL)
    drop_partial (link);
  if (!well_formed (blocks, size)
      || ((part.flags & CHANNEL_PART_FIRST) == 0 && *link == NULL))
    return false;
  if (part.flags == (CHANNEL_PART_FIRST | CHANNEL_PART_LAST))
    return complete (b, &f, blocks, size);
  if ((part.flags & CHANNEL_PART_DROP) != 0)
    {
      if (*link != NULL)
        drop_partial (link);
      return false;
    }
  add_part (b, link, &f, blocks, size);
  if ((part.flags & CHANNEL_PART_LAST) == 0 || *link == NULL)
    return false;
  done = complete (b, &(*link)->f, (*link)->blocks.bytes,
                   (*link)->blocks.used);
  drop_partial (link);
  return done;
}


/* Looking.  */

/* See tracebuf.h.  */
size_t
tracebuf_count (const struct tracebuf *b)
{
  return b->frames != NULL ? store_count (b->frames) : 0;
}

/* See tracebuf.h.  */
uint64_t
tracebuf_free (const struct tracebuf *b)
{
  return b->limit - b->used;
}

/* See tracebuf.h.  */
bool
tracebuf_is_full (const struct tracebuf *b)
{
  return b->full;
}

/* Frame N, with its blocks behind it; without memory one that has none.  */
static const struct frame *
frame (const struct tracebuf *b, size_t n)
{
  static const struct frame none;
  const struct frame *f = store_get (b->frames, n);

  return f != NULL ? f : &none;
}

/* See tracebuf.h.  */
struct tracebuf_frame
tracebuf_frame (const struct tracebuf *b, size_t n)
{
  return frame (b, n)->f;
}

/* See tracebuf.h.  */
const struct channel_trace_block *
tracebuf_next (const struct tracebuf *b, size_t n, size_t *at)
{
  const struct frame *f = frame (b, n);
  const struct channel_trace_block *block;

  if (*at >= f->size)
    return NULL;
  block = (const struct channel_trace_block *)
    ((const uint8_t *) (f + 1) + *at);
  *at += CHANNEL_BLOCK_BYTES (block->size);
  return block;
}

/* See tracebuf.h.  */
bool
tracebuf_registers (const struct tracebuf *b, size_t n,
                    struct arch_regs *regs)
{
  const struct channel_trace_block *block;
  size_t at = 0;

  while ((block = tracebuf_next (b, n, &at)) != NULL)
    if (block->kind == CHANNEL_BLOCK_REGISTERS)
      {
        memcpy (regs, block + 1, sizeof *regs);
        return true;
      }
  return false;
}

/* See tracebuf.h.  */
size_t
tracebuf_vector (const struct tracebuf *b, size_t n, uint8_t *image,
                 size_t size)
{
  const struct channel_trace_block *block;
  size_t at = 0, end = 0;

  memset (image, 0, size);
  while ((block = tracebuf_next (b, n, &at)) != NULL)
    if (block->kind == CHANNEL_BLOCK_VECTOR && block->addr <= size
        && block->size <= size - block->addr)
      {
        memcpy (image + block->addr, block + 1, block->size);
        end = block->addr + block->size;
      }
  return end;
}

/* The block of memory of frame N that has the byte at ADDR.  */
static const struct channel_trace_block *
find_memory (const struct tracebuf *b, size_t n, app_addr addr)
{
  const struct channel_trace_block *block;
  size_t at = 0;

  while ((block = tracebuf_next (b, n, &at)) != NULL)
    if (block->kind == CHANNEL_BLOCK_MEMORY
        && addr - block->addr < block->size)
      return block;
  return NULL;
}

/* See tracebuf.h.  */
size_t
tracebuf_memory (const struct tracebuf *b, size_t n, app_addr addr,
                 void *bytes, size_t size)
{
  const struct channel_trace_block *block;
  size_t got = 0;

  while (got < size && (block = find_memory (b, n, addr + got)) != NULL)
    {
      uint64_t skip = addr + got - block->addr;
      size_t some = MIN (block->size - skip, size - got);

      memcpy ((uint8_t *) bytes + got, (const uint8_t *) (block + 1) + skip,
              some);
      got += some;
    }
  return got;
}

/* See tracebuf.h.  */
bool
tracebuf_variable (const struct tracebuf *b, size_t n, uint32_t number,
                   uint64_t *value)
{
  const struct channel_trace_block *block;
  bool found = false;
  size_t at = 0;

  while ((block = tracebuf_next (b, n, &at)) != NULL)
    if (block->kind == CHANNEL_BLOCK_VARIABLE && block->addr == number)
      {
        memcpy (value, block + 1, sizeof *value);
        found = true;
      }
  return found;
}
