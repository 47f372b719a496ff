/* See tls.h.  The thread control block on x86-64 lies at the thread pointer,
   static blocks below it (variant II of the ELF TLS ABI); the word at +8 in it
   is the address of the dtv, an array of { pointer, to_free } by module.  */

#include "gdbstub/tls.h"

#include <stdlib.h>
#include <string.h>

#include "gdbstub/alloc.h"

static const char *const names[TLS_N_SYMBOLS] = {
  [TLS_MODID] = "_thread_db_link_map_l_tls_modid",
  [TLS_OFFSET] = "_thread_db_link_map_l_tls_offset",
};

static struct tls_process *
find (struct tls *tls, int pid)
{
  struct tls_process *p = tls->first;

  while (p != NULL && p->pid != pid)
    p = p->next;
  if (p == NULL)
    {
      p = alloc_zeroed (sizeof *p);
      p->pid = pid;
      p->next = tls->first;
      tls->first = p;
    }
  return p;
}

static void
ask (enum tls_symbol which, struct reply *out)
{
  reply_text (out, "qSymbol:");
  reply_hex (out, names[which], strlen (names[which]));
}

/* See tls.h.  */
void
tls_qSymbol (struct tls *tls, int pid, struct scan *in, struct reply *out)
{
  struct tls_process *p = find (tls, pid);
  app_addr value;
  char *name;

  if (scan_is (in, ":") && !p->ready)
    {
      ask (0, out);
      return;
    }
  value = scan_skip (in, ':') ? 0 : scan_hex (in);
  if (value != 0)
    scan_char (in, ':');
  name = scan_string (in);
  for (int i = 0; name != NULL && value != 0 && i < TLS_N_SYMBOLS; i++)
    if (strcmp (name, names[i]) == 0)
      {
        p->symbol[i] = value;
        p->ready = i + 1 == TLS_N_SYMBOLS;
        if (!p->ready)
          ask (i + 1, out);
        break;
      }
  free (name);
  if (out->length == 0)
    reply_ok (out);
}

static bool
read_word (struct target *t, int pid, app_addr addr, uint64_t *value)
{
  return target_memory_read (t, pid, addr, value, sizeof *value)
         == sizeof *value;
}

/* Read the field of the link map at LM that the descriptor at SYMBOL tells
   of: { size in bits, count, offset }.  */
static bool
read_field (struct target *t, int pid, app_addr symbol, app_addr lm,
            uint64_t *value)
{
  uint32_t field[3];

  return target_memory_read (t, pid, symbol, field, sizeof field)
           == sizeof field
         && field[0] == 64 && read_word (t, pid, lm + field[2], value);
}

/* By the thread's own table.  */
static enum tls_answer
dynamic_block (struct target *t, int pid, app_addr fs_base, uint64_t module,
               app_addr *block)
{
  uint64_t dtv, n;

  if (!read_word (t, pid, fs_base + 8, &dtv)
      || !read_word (t, pid, dtv - 16, &n))
    return TLS_FAULT;
  if (module > n)
    return TLS_NOT_ALLOCATED;
  if (!read_word (t, pid, dtv + 16 * module, block))
    return TLS_FAULT;
  return *block & 1 ? TLS_NOT_ALLOCATED : TLS_OK;
}

/* See tls.h.  */
enum tls_answer
tls_address (struct tls *tls, struct target *t, int pid, app_addr fs_base,
             app_addr lm, uint64_t offset, app_addr *address)
{
  struct tls_process *p = find (tls, pid);
  uint64_t module = 1, static_offset = 0;
  enum tls_answer answer = TLS_OK;
  app_addr block;

  if (fs_base == 0)
    return TLS_NOT_ALLOCATED;
  if (lm != 0)
    {
      if (!p->ready)
        return TLS_NOT_READY;
      if (!read_field (t, pid, p->symbol[TLS_MODID], lm, &module)
          || !read_field (t, pid, p->symbol[TLS_OFFSET], lm, &static_offset))
        return TLS_FAULT;
    }
  /* 0 is "none", -1 "forced to be dynamic".  */
  if (static_offset + 1 > 1)
    block = fs_base - static_offset;
  else
    answer = dynamic_block (t, pid, fs_base, module, &block);
  if (answer == TLS_OK)
    *address = block + offset;
  return answer;
}

/* See tls.h.  */
void
tls_forget (struct tls *tls, int pid)
{
  for (struct tls_process **p = &tls->first; *p != NULL;)
    if (pid == 0 || (*p)->pid == pid)
      {
        struct tls_process *gone = *p;

        *p = gone->next;
        free (gone);
      }
    else
      p = &(*p)->next;
}
