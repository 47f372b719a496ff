/* See inserted.h.  */

#include "gdbstub/inserted.h"

#include <stdlib.h>
#include <string.h>

#include "gdbstub/alloc.h"

struct point
{
  struct point *next;
  int pid;
  char type;
  app_addr addr;
  uint64_t kind;
  struct point_code *conditions, *commands;
};

/* See inserted.h.  */
void
point_code_free (struct point_code *c)
{
  while (c != NULL)
    {
      struct point_code *next = c->next;

      free (c->code);
      free (c);
      c = next;
    }
}

static struct point_code *
copy_code (const struct point_code *c)
{
  struct point_code *first = NULL, **end = &first;

  for (; c != NULL; c = c->next, end = &(*end)->next)
    {
      *end = alloc_zeroed (sizeof **end);
      (*end)->code = alloc_zeroed (c->length + 1);
      memcpy ((*end)->code, c->code, c->length);
      (*end)->length = c->length;
    }
  return first;
}

static size_t
code_count (const struct point_code *c)
{
  size_t n = 0;

  for (; c != NULL; c = c->next)
    n++;
  return n;
}

static bool
is_break (char type)
{
  return type == '0' || type == '1';
}

static enum target_point_kind
target_kind (char type)
{
  switch (type)
    {
    case '2':
      return TARGET_POINT_WATCH_WRITE;
    case '3':
      return TARGET_POINT_WATCH_READ;
    case '4':
      return TARGET_POINT_WATCH_ACCESS;
    default:
      return TARGET_POINT_BREAK;
    }
}

/* The link to the point of that description, or to the list's end.  */
static struct point **
find (struct inserted *list, int pid, char type, app_addr addr, uint64_t kind)
{
  struct point **p = &list->first;

  while (*p != NULL
         && !((*p)->pid == pid && (*p)->type == type && (*p)->addr == addr
              && (is_break (type) || (*p)->kind == kind)))
    p = &(*p)->next;
  return p;
}

static void
drop (struct point **link)
{
  struct point *p = *link;

  *link = p->next;
  point_code_free (p->conditions);
  point_code_free (p->commands);
  free (p);
}

static size_t
gather (const struct point_code *c, struct target_bytecode *to, size_t n)
{
  for (; c != NULL; c = c->next)
    to[n++] = (struct target_bytecode) { c->code, c->length };
  return n;
}

/* Tell the target what the points at P's place come to.  Two breakpoints of
   which one is unconditional are unconditional.  */
static enum target_refusal
apply (struct inserted *list, struct target *t, const struct point *p)
{
  struct target_point sum = { .kind = target_kind (p->type), .addr = p->addr };
  const struct point *other = NULL;
  struct target_bytecode *codes;
  size_t n_conditions = code_count (p->conditions);
  size_t n_commands = code_count (p->commands);
  enum target_refusal r;

  if (!is_break (p->type))
    sum.length = p->kind;
  else
    other = *find (list, p->pid, p->type ^ 1, p->addr, 0);
  if (other != NULL)
    {
      n_conditions += code_count (other->conditions);
      n_commands += code_count (other->commands);
    }
  codes = alloc_zeroed ((n_conditions + n_commands + 1) * sizeof *codes);
  sum.conditions = codes;
  sum.commands = codes + n_conditions;
  n_conditions = gather (p->conditions, codes, 0);
  if (other != NULL)
    n_conditions = gather (other->conditions, codes, n_conditions);
  n_commands = gather (p->commands, codes, n_conditions);
  if (other != NULL)
    n_commands = gather (other->commands, codes, n_commands);
  sum.n_commands = n_commands - n_conditions;
  sum.n_conditions = n_conditions;
  if (p->conditions == NULL || (other != NULL && other->conditions == NULL))
    sum.n_conditions = 0;
  sum.no_stop = p->commands != NULL
                && (other == NULL || other->commands != NULL);
  r = target_point_insert (t, p->pid, &sum);
  free (codes);
  return r;
}

static struct watch_condition **
find_condition (struct inserted *list, int pid, app_addr addr,
                uint64_t length)
{
  struct watch_condition **c = &list->conditions;

  while (*c != NULL
         && !((*c)->pid == pid && (*c)->addr == addr
              && (*c)->length == length))
    c = &(*c)->next;
  return c;
}

static void
drop_condition (struct watch_condition **link)
{
  struct watch_condition *c = *link;

  *link = c->next;
  point_code_free (c->conditions);
  free (c);
}

/* P, which GDB inserts, has the conditions that were set for it.  */
static void
take_conditions (struct inserted *list, struct point *p)
{
  const struct watch_condition *c;

  if (p->type != '2' || p->conditions != NULL)
    return;
  c = *find_condition (list, p->pid, p->addr, p->kind);
  if (c != NULL)
    p->conditions = copy_code (c->conditions);
}

/* See inserted.h.  */
enum target_refusal
inserted_set_condition (struct inserted *list, struct target *t, int pid,
                        app_addr addr, uint64_t length,
                        struct point_code *conditions)
{
  struct watch_condition **link = find_condition (list, pid, addr, length);
  struct point *p = *find (list, pid, '2', addr, length);

  if (*link != NULL)
    drop_condition (link);
  if (conditions != NULL)
    {
      struct watch_condition *c = alloc_zeroed (sizeof *c);

      *c = (struct watch_condition) { list->conditions, pid, addr, length,
                                      conditions };
      list->conditions = c;
    }
  if (p == NULL)
    return TARGET_OK;
  point_code_free (p->conditions);
  p->conditions = NULL;
  take_conditions (list, p);
  return apply (list, t, p);
}

/* See inserted.h.  */
enum target_refusal
inserted_add (struct inserted *list, struct target *t, int pid, char type,
               app_addr addr, uint64_t kind, struct point_code *conditions,
               struct point_code *commands)
{
  struct point **link = find (list, pid, type, addr, kind);
  struct point *p = *link;
  bool is_new = p == NULL;
  enum target_refusal r;

  if (is_new)
    {
      p = alloc_zeroed (sizeof *p);
      *p = (struct point) { list->first, pid, type, addr, kind, NULL, NULL };
      list->first = p;
      link = &list->first;
    }
  point_code_free (p->conditions);
  point_code_free (p->commands);
  p->conditions = conditions;
  p->commands = commands;
  take_conditions (list, p);
  r = apply (list, t, p);
  if (r != TARGET_OK && is_new)
    drop (link);
  return r;
}

/* See inserted.h.  */
enum target_refusal
inserted_remove (struct inserted *list, struct target *t, int pid, char type,
               app_addr addr, uint64_t kind)
{
  struct point **link = find (list, pid, type, addr, kind);
  struct point *other = NULL;

  if (*link == NULL)
    return TARGET_BAD_ARGUMENT;
  if (is_break (type))
    other = *find (list, pid, type ^ 1, addr, 0);
  kind = (*link)->kind;
  drop (link);
  if (other != NULL)
    return apply (list, t, other);
  return target_point_remove (t, pid, target_kind (type), addr,
                              is_break (type) ? 0 : kind);
}

/* See inserted.h.  */
bool
inserted_is_hardware (const struct inserted *list, int pid, app_addr addr)
{
  struct inserted *l = (struct inserted *) list;

  return *find (l, pid, '1', addr, 0) != NULL
         && *find (l, pid, '0', addr, 0) == NULL;
}

/* See inserted.h.  */
void
inserted_copy (struct inserted *list, int pid, int child)
{
  for (struct point *p = list->first; p != NULL; p = p->next)
    if (p->pid == pid)
      {
        struct point *copy = alloc_zeroed (sizeof *copy);

        *copy = *p;
        copy->pid = child;
        copy->conditions = copy_code (p->conditions);
        copy->commands = copy_code (p->commands);
        copy->next = list->first;
        list->first = copy;
      }
  for (struct watch_condition *c = list->conditions; c != NULL; c = c->next)
    if (c->pid == pid)
      {
        struct watch_condition *copy = alloc_zeroed (sizeof *copy);

        *copy = *c;
        copy->pid = child;
        copy->conditions = copy_code (c->conditions);
        copy->next = list->conditions;
        list->conditions = copy;
      }
}

/* See inserted.h.  */
void
inserted_forget (struct inserted *list, int pid)
{
  for (struct point **p = &list->first; *p != NULL;)
    if (pid == 0 || (*p)->pid == pid)
      drop (p);
    else
      p = &(*p)->next;
  for (struct watch_condition **c = &list->conditions; *c != NULL;)
    if (pid == 0 || (*c)->pid == pid)
      drop_condition (c);
    else
      c = &(*c)->next;
}
