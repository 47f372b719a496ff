/* See namespace.h.  /proc/PID/status has a line NSpid with a thread's numbers
   in each namespace, the outermost first (proc(5)).  */

#include "host/namespace.h"

#include <ctype.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The innermost number of the thread whose folder in /proc is FOLDER/NAME.  */
static int
innermost (const char *folder, const char *name)
{
  char path[300], line[256];
  int inside = 0;
  FILE *f;

  snprintf (path, sizeof path, "%s/%s/status", folder, name);
  f = fopen (path, "re");
  if (f == NULL)
    return 0;
  while (fgets (line, sizeof line, f) != NULL)
    if (strncmp (line, "NSpid:", 6) == 0)
      {
        inside = atoi (strrchr (line, '\t') + 1);
        break;
      }
  fclose (f);
  return inside;
}

/* The first thread in FOLDER whose innermost number is INSIDE, and that IS_IT
   (which may be null) says is the one.  */
static int
find_in (const char *folder, int inside, bool (*is_it) (void *data, int pid),
         void *data)
{
  DIR *dir = opendir (folder);
  struct dirent *entry;
  int found = 0;

  if (dir == NULL)
    return 0;
  while (found == 0 && (entry = readdir (dir)) != NULL)
    {
      int pid = isdigit ((unsigned char) *entry->d_name)
                  ? atoi (entry->d_name) : 0;

      if (pid > 1 && innermost (folder, entry->d_name) == inside
          && (is_it == NULL || is_it (data, pid)))
        found = pid;
    }
  closedir (dir);
  return found;
}

/* See namespace.h.  */
int
namespace_find (int inside, bool (*is_it) (void *data, int pid), void *data)
{
  return find_in ("/proc", inside, is_it, data);
}

/* See namespace.h.  */
int
namespace_find_thread (int pid, int inside)
{
  char folder[64];

  snprintf (folder, sizeof folder, "/proc/%d/task", pid);
  return find_in (folder, inside, NULL, NULL);
}
