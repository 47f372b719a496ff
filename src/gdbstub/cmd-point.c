/* Packets about points: Z z.  */

#include <string.h>

#include "gdbstub/alloc.h"
#include "gdbstub/packets.h"
#include "gdbstub/stub-impl.h"

/* Read expressions, XLENGTH,BYTES one after the other, to the end of LIST.  */
static void
scan_code (struct scan *in, struct point_code **list)
{
  struct point_code **end = list;

  while (*end != NULL)
    end = &(*end)->next;
  while (scan_skip (in, 'X'))
    {
      uint64_t length = scan_hex (in);

      scan_char (in, ',');
      if (length > scan_left (in) / 2)
        in->bad = true;
      if (!scan_ok (in))
        break;
      *end = alloc_zeroed (sizeof **end);
      (*end)->code = alloc_zeroed (length + 1);
      (*end)->length = scan_bytes (in, (*end)->code, length);
      if ((*end)->length != length)
        in->bad = true;
      end = &(*end)->next;
    }
}

/* Read TYPE,ADDR,KIND.  */
static void
scan_point (struct scan *in, char *type, app_addr *addr, uint64_t *kind)
{
  *type = scan_left (in) > 0 ? *in->at++ : 0;
  scan_char (in, ',');
  *addr = scan_hex (in);
  scan_char (in, ',');
  *kind = scan_hex (in);
}

static bool
known_type (struct stub *s, char type)
{
  if (type == '0' || type == '1')
    return true;
  return type >= '2' && type <= '4'
         && target_abilities (s->t) & TARGET_CAN_WATCH;
}

/* Whether a breakpoint of TYPE could be put in the program's memory at ADDR.
   Nothing is put there; but who debugs wants to know that an address makes no
   sense.  */
static bool
has_place (struct stub *s, char type, app_addr addr)
{
  uint8_t byte;

  return type != '0'
         || target_memory_read (s->t, stub_process (s), addr, &byte, 1) == 1;
}

static void
answer (enum target_refusal r, struct reply *out)
{
  if (r == TARGET_OK)
    reply_ok (out);
  else if (r != TARGET_UNSUPPORTED)
    reply_error (out, 1);
}

/* See packets.def.  */
void
cmd_Z (struct stub *s, struct scan *in, struct reply *out)
{
  struct point_code *conditions = NULL, *commands = NULL;
  app_addr addr;
  uint64_t kind;
  char type;

  scan_point (in, &type, &addr, &kind);
  if (!known_type (s, type))
    return;
  while (scan_skip (in, ';'))
    if (scan_skip_word (in, "cmds:"))
      {
        scan_hex (in);          /* whether they outlive the connection */
        scan_char (in, ',');
        scan_code (in, &commands);
      }
    else
      scan_code (in, &conditions);
  if (scan_done (in) && has_place (s, type, addr))
    answer (inserted_add (&s->inserted, s->t, stub_process (s), type, addr,
                           kind, conditions, commands),
            out);
  else
    {
      point_code_free (conditions);
      point_code_free (commands);
      reply_error (out, 1);
    }
}

/* See packets.def.  */
void
cmd_z (struct stub *s, struct scan *in, struct reply *out)
{
  app_addr addr;
  uint64_t kind;
  char type;
  enum target_refusal r = TARGET_BAD_ARGUMENT;

  scan_point (in, &type, &addr, &kind);
  if (!known_type (s, type))
    return;
  if (scan_done (in))
    r = inserted_remove (&s->inserted, s->t, stub_process (s), type, addr,
                         kind);
  if (r == TARGET_OK && !has_place (s, type, addr))
    r = TARGET_FAULT;
  answer (r, out);
}
