/* See children.h.  */

#include "host/children.h"

#include "host/target-impl.h"

/* See children.h.  */
bool
children_hidden (const struct process *p)
{
  return p->parent != 0;
}

/* See children.h.  */
void
children_hide (struct process *p, int parent)
{
  p->parent = parent;
}

/* See children.h.  */
void
children_show (struct target *t, int pid)
{
  struct process *child = target_find (t, pid);

  if (child == NULL)
    return;
  child->parent = 0;
  for (unsigned i = 0; i < child->n_threads; i++)
    if (process_event (child, i) == CHANNEL_STOP_START)
      child->threads[i].taken = true;
}

/* See children.h.  */
void
children_let_go (struct target *t, int pid)
{
  struct process *child = target_find (t, pid);

  if (child != NULL && children_hidden (child))
    target_let_go (t, child, 0);
}

/* The first of PARENT's hidden children; null: there is none.  */
static struct process *
first_of (const struct target *t, int parent)
{
  struct process *p = t->processes;

  while (p != NULL && p->parent != parent)
    p = p->next;
  return p;
}

/* See children.h.  */
void
children_let_go_of (struct target *t, int parent)
{
  struct process *child;

  while ((child = first_of (t, parent)) != NULL)
    target_let_go (t, child, 0);
}

/* See children.h.  */
void
children_kill_of (struct target *t, int parent)
{
  struct process *child;

  while ((child = first_of (t, parent)) != NULL)
    if (target_kill (t, child->pid) != TARGET_OK)
      target_drop (t, child);
}
