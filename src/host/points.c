/* See points.h.  */

#include "host/points.h"

#include <stdlib.h>
#include <string.h>

#define CODE_MAX 65535          /* bytes, or expressions, in one point */

struct point
{
  uint8_t kind;                 /* enum target_point_kind */
  bool no_stop;
  bool present;                 /* else removed since the last publishing */
  bool published;               /* the engine has it as it is */
  uint16_t n_conditions, n_commands;
  app_addr addr;
  uint64_t length;
  uint8_t *code;                /* as it goes into the pool */
  uint32_t code_size;
};

static int
compare (const struct point *p, enum target_point_kind kind, app_addr addr,
         uint64_t length)
{
  if (p->addr != addr)
    return p->addr < addr ? -1 : 1;
  if (p->kind != kind)
    return p->kind < kind ? -1 : 1;
  return p->length < length ? -1 : p->length > length;
}

/* The index of the first point that is not below the one named.  */
static size_t
lower_bound (const struct point_set *set, enum target_point_kind kind,
             app_addr addr, uint64_t length)
{
  size_t low = 0, high = set->n;

  while (low < high)
    {
      size_t mid = low + (high - low) / 2;

      if (compare (&set->points[mid], kind, addr, length) < 0)
        low = mid + 1;
      else
        high = mid;
    }
  return low;
}

/* The point of that name, removed or not; null: there is none.  */
static struct point *
find (const struct point_set *set, enum target_point_kind kind, app_addr addr,
      uint64_t length)
{
  size_t i = lower_bound (set, kind, addr, length);

  if (i < set->n && compare (&set->points[i], kind, addr, length) == 0)
    return &set->points[i];
  return NULL;
}

/* See points.h.  */
bool
points_have_break (const struct point_set *set, app_addr addr)
{
  const struct point *p = find (set, TARGET_POINT_BREAK, addr, 0);

  return p != NULL && p->present;
}


/* Bytecode.  */

static size_t
code_size (const struct target_bytecode *code, size_t n)
{
  size_t size = 0;

  for (size_t i = 0; i < n; i++)
    size += sizeof (uint32_t) + ALIGN_UP (code[i].length, 4);
  return size;
}

static uint8_t *
put_code (uint8_t *at, const struct target_bytecode *code, size_t n)
{
  for (size_t i = 0; i < n; i++)
    {
      uint32_t length = code[i].length;

      memcpy (at, &length, sizeof length);
      at += sizeof length;
      memcpy (at, code[i].code, length);
      at += ALIGN_UP (length, 4);
    }
  return at;
}

/* Copy POINT's bytecode into MADE.  */
static enum target_refusal
copy_code (struct point *made, const struct target_point *point)
{
  size_t size;
  uint8_t *at;

  if (point->n_conditions > CODE_MAX || point->n_commands > CODE_MAX)
    return TARGET_TOO_MANY;
  for (size_t i = 0; i < point->n_conditions; i++)
    if (point->conditions[i].length > CODE_MAX)
      return TARGET_BAD_ARGUMENT;
  for (size_t i = 0; i < point->n_commands; i++)
    if (point->commands[i].length > CODE_MAX)
      return TARGET_BAD_ARGUMENT;
  size = code_size (point->conditions, point->n_conditions)
         + code_size (point->commands, point->n_commands);
  if (size > CHANNEL_POOL_SIZE)
    return TARGET_TOO_MANY;
  made->code = NULL;
  made->code_size = size;
  if (size == 0)
    return TARGET_OK;
  made->code = at = calloc (1, size);
  if (at == NULL)
    return TARGET_TOO_MANY;
  at = put_code (at, point->conditions, point->n_conditions);
  put_code (at, point->commands, point->n_commands);
  return TARGET_OK;
}

static bool
same (const struct point *a, const struct point *b)
{
  return a->no_stop == b->no_stop && a->n_conditions == b->n_conditions
         && a->n_commands == b->n_commands && a->code_size == b->code_size
         && (a->code_size == 0
             || memcmp (a->code, b->code, a->code_size) == 0);
}


/* Changing the set.  */

/* Make room for one more at index I.  */
static bool
open_gap (struct point_set *set, size_t i)
{
  if (set->n == set->room)
    {
      size_t room = MAX (16, 2 * set->room);
      struct point *more = realloc (set->points, room * sizeof *more);

      if (more == NULL)
        return false;
      set->points = more;
      set->room = room;
    }
  memmove (set->points + i + 1, set->points + i,
           (set->n - i) * sizeof *set->points);
  set->n++;
  return true;
}

/* Put MADE into the set, which takes its code over.  */
static enum target_refusal
put (struct point_set *set, struct point *made)
{
  size_t i = lower_bound (set, made->kind, made->addr, made->length);
  struct point *old = find (set, made->kind, made->addr, made->length);
  size_t used = set->pool_used + made->code_size;

  if (old != NULL && old->present)
    used -= old->code_size;
  if (used > CHANNEL_POOL_SIZE)
    return TARGET_TOO_MANY;
  if (old == NULL)
    {
      if (set->n >= CHANNEL_MAX_POINTS || !open_gap (set, i))
        return TARGET_TOO_MANY;
      old = &set->points[i];
    }
  else
    {
      made->published = old->published && same (old, made);
      free (old->code);
    }
  set->pool_used = used;
  *old = *made;
  return TARGET_OK;
}

/* See points.h.  */
enum target_refusal
points_insert (struct point_set *set, const struct target_point *point)
{
  struct point made = {
    .kind = point->kind,
    .no_stop = point->no_stop,
    .present = true,
    .n_conditions = point->n_conditions,
    .n_commands = point->n_commands,
    .addr = point->addr,
    .length = point->kind == TARGET_POINT_BREAK ? 0 : point->length,
  };
  enum target_refusal r;

  if (point->kind >= TARGET_N_POINT_KINDS
      || (point->kind != TARGET_POINT_BREAK
          && (point->length == 0 || point->length - 1 > ~point->addr)))
    return TARGET_BAD_ARGUMENT;
  r = copy_code (&made, point);
  if (r == TARGET_OK)
    r = put (set, &made);
  if (r != TARGET_OK)
    free (made.code);
  return r;
}

/* See points.h.  */
enum target_refusal
points_remove (struct point_set *set, enum target_point_kind kind,
               app_addr addr, uint64_t length)
{
  struct point *p
    = find (set, kind, addr, kind == TARGET_POINT_BREAK ? 0 : length);

  if (p == NULL || !p->present)
    return TARGET_BAD_ARGUMENT;
  p->present = false;
  set->pool_used -= p->code_size;
  return TARGET_OK;
}

/* See points.h.  */
void
points_remove_kind (struct point_set *set, enum target_point_kind kind,
                    uint64_t low, uint64_t high)
{
  for (size_t i = 0; i < set->n; i++)
    if (set->points[i].kind == kind && set->points[i].present
        && set->points[i].length >= low && set->points[i].length <= high)
      {
        set->points[i].present = false;
        set->pool_used -= set->points[i].code_size;
      }
}

/* See points.h.  */
enum target_refusal
points_copy (struct point_set *set, const struct point_set *from)
{
  for (size_t i = 0; i < from->n; i++)
    {
      struct point made = from->points[i];
      enum target_refusal r = TARGET_TOO_MANY;

      if (!made.present)
        continue;
      made.published = false;
      if (made.code_size != 0)
        {
          made.code = malloc (made.code_size);
          if (made.code == NULL)
            return r;
          memcpy (made.code, from->points[i].code, made.code_size);
        }
      r = put (set, &made);
      if (r != TARGET_OK)
        {
          free (made.code);
          return r;
        }
    }
  return TARGET_OK;
}

/* See points.h.  */
void
points_clear (struct point_set *set)
{
  for (size_t i = 0; i < set->n; i++)
    free (set->points[i].code);
  free (set->points);
  *set = (struct point_set){ 0 };
}


/* Publishing.  */

/* Whether all is as the engine has it; what has been removed is dropped.  */
static bool
settle (struct point_set *set)
{
  bool settled = true;
  size_t kept = 0;

  for (size_t i = 0; i < set->n; i++)
    {
      struct point *p = &set->points[i];

      settled &= p->present == p->published;
      if (p->present)
        set->points[kept++] = *p;
      else
        free (p->code);
    }
  set->n = kept;
  return settled;
}

/* See points.h.  */
void
points_publish (struct point_set *set, struct channel *c)
{
  uint32_t at = 0;

  if (settle (set))
    return;
  for (size_t i = 0; i < set->n; i++)
    {
      struct point *p = &set->points[i];

      if (p->code_size != 0)
        memcpy (c->pool + at, p->code, p->code_size);
      c->points[i] = (struct channel_point){
        .kind = CHANNEL_POINT_BREAK + p->kind,
        .no_stop = p->no_stop,
        .addr = p->addr,
        .length = p->length,
        .code_at = at,
        .n_conditions = p->n_conditions,
        .n_commands = p->n_commands,
      };
      at += p->code_size;
      p->published = true;
    }
  c->n_points = set->n;
  __atomic_add_fetch (&c->points_generation, 1, __ATOMIC_RELEASE);
}
