/* The sample of the manual's session on a crash: the end of a list is taken
   for an element of it.  */

#include <stdio.h>
#include <stdlib.h>

struct node
{
  int value;
  struct node *next;
};

static struct node *
push (struct node *list, int value)
{
  struct node *n = malloc (sizeof *n);

  if (n == NULL)
    exit (1);
  n->value = value;
  n->next = list;
  return n;
}

static int
last_value (struct node *list)
{
  while (list->value != 0)
    list = list->next;
  return list->value;
}

int
main (void)
{
  struct node *list = push (push (push (NULL, 1), 2), 3);

  printf ("%d\n", last_value (list));
  return 0;
}
