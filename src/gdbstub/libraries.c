/* See libraries.h.  */

#include "gdbstub/libraries.h"

#include <elf.h>
#include <limits.h>
#include <string.h>

enum { MAX_LIBRARIES = 16384, MAX_NAMESPACES = 64, MAX_DYNAMIC = 1024 };

struct debug                    /* struct r_debug_extended */
{
  int32_t version, pad;
  app_addr map, brk, state, ldbase, next;
};

struct map                      /* struct link_map, its public part */
{
  app_addr addr, name, ld, next, prev;
};

static bool
read_exactly (struct target *t, int pid, app_addr addr, void *to, size_t n)
{
  return target_memory_read (t, pid, addr, to, n) == n;
}

/* The value of ENTRY in PID's auxiliary vector, 0 when there is none.  */
static uint64_t
auxv_value (struct target *t, int pid, uint64_t entry)
{
  Elf64_auxv_t auxv[128];
  size_t size = sizeof auxv;

  if (target_auxv (t, pid, auxv, &size) != TARGET_OK)
    return 0;
  for (size_t i = 0; i < size / sizeof *auxv; i++)
    if (auxv[i].a_type == entry)
      return auxv[i].a_un.a_val;
  return 0;
}

/* The address of the program's dynamic section, 0 when it has none.  */
static app_addr
find_dynamic (struct target *t, int pid)
{
  app_addr at = auxv_value (t, pid, AT_PHDR), bias = 0, dynamic = 0;
  uint64_t n = MIN (auxv_value (t, pid, AT_PHNUM), 256);
  bool found = false;

  for (uint64_t i = 0; i < n; i++)
    {
      Elf64_Phdr ph;

      if (!read_exactly (t, pid, at + i * sizeof ph, &ph, sizeof ph))
        return 0;
      if (ph.p_type == PT_PHDR)
        bias = at - ph.p_vaddr;
      else if (ph.p_type == PT_DYNAMIC)
        {
          dynamic = ph.p_vaddr;
          found = true;
        }
    }
  return found ? dynamic + bias : 0;
}

/* Put the address of r_debug into *DEBUG, 0 while the dynamic linker has not
   set it.  Returns false when there is no DT_DEBUG.  */
static bool
find_debug (struct target *t, int pid, app_addr *debug)
{
  app_addr at = find_dynamic (t, pid);

  for (int i = 0; at != 0 && i < MAX_DYNAMIC; i++, at += sizeof (Elf64_Dyn))
    {
      Elf64_Dyn dyn;

      if (!read_exactly (t, pid, at, &dyn, sizeof dyn)
          || dyn.d_tag == DT_NULL)
        return false;
      if (dyn.d_tag == DT_DEBUG)
        {
          *debug = dyn.d_un.d_ptr;
          return true;
        }
    }
  return false;
}

/* Read the string at ADDR, by pieces that end at page ends.  */
static void
read_name (struct target *t, int pid, app_addr addr, char name[PATH_MAX])
{
  size_t n = 0;

  name[0] = 0;
  while (n < PATH_MAX - 1)
    {
      size_t to_page_end = PAGE_SIZE - (addr + n) % PAGE_SIZE;
      size_t piece = MIN (PATH_MAX - 1 - n, to_page_end);
      size_t got = target_memory_read (t, pid, addr + n, name + n, piece);

      name[n + got] = 0;
      if (got < piece || memchr (name + n, 0, got) != NULL)
        return;
      n += got;
    }
}

static void
put_library (const struct map *m, app_addr lm, app_addr lmid,
             const char *name, struct reply *out)
{
  reply_text (out, "<library name=\"");
  reply_xml (out, name);
  reply_text (out,
              "\" lm=\"0x%lx\" l_addr=\"0x%lx\" l_ld=\"0x%lx\" "
              "lmid=\"0x%lx\"/>",
              lm, m->addr, m->ld, lmid);
}

/* The libraries of the namespace of LMID from LM on, whose predecessor is
   PREV.  */
static void
walk (struct target *t, int pid, app_addr lmid, app_addr lm, app_addr prev,
      struct reply *out)
{
  char name[PATH_MAX];
  struct map m;

  for (int i = 0; lm != 0 && i < MAX_LIBRARIES; i++)
    {
      if (!read_exactly (t, pid, lm, &m, sizeof m) || m.prev != prev)
        return;
      read_name (t, pid, m.name, name);
      if (name[0] != 0)
        put_library (&m, lm, lmid, name, out);
      prev = lm;
      lm = m.next;
    }
}

/* All namespaces, the main one's r_debug being at DEBUG.  The first map there
   is the program itself.  */
static void
walk_all (struct target *t, int pid, app_addr debug, struct reply *out)
{
  struct debug d = { 0 };
  struct map m;

  if (debug == 0 || !read_exactly (t, pid, debug, &d, 40) || d.version < 1
      || !read_exactly (t, pid, d.map, &m, sizeof m))
    {
      reply_text (out, ">");
      return;
    }
  reply_text (out, " main-lm=\"0x%lx\">", d.map);
  walk (t, pid, debug, m.next, d.map, out);
  for (int i = 0; d.version >= 2 && i < MAX_NAMESPACES; i++)
    {
      if (!read_exactly (t, pid, debug, &d, sizeof d) || d.next == 0)
        return;
      debug = d.next;
      if (!read_exactly (t, pid, debug, &d, sizeof d))
        return;
      walk (t, pid, debug, d.map, 0, out);
    }
}

/* See libraries.h.  */
bool
libraries_list (struct target *t, int pid,
                const struct libraries_start *start, struct reply *out)
{
  app_addr debug = 0;

  if (start->start == 0 && !find_debug (t, pid, &debug))
    return false;
  reply_text (out, "<library-list-svr4 version=\"1.0\"");
  if (start->start != 0)
    {
      reply_text (out, ">");
      walk (t, pid, start->lmid, start->start, start->prev, out);
    }
  else
    walk_all (t, pid, debug, out);
  reply_text (out, "</library-list-svr4>");
  return true;
}
