/* See disassemble.h.  */

#include "config.h"

#define _GNU_SOURCE
#include "host/disassemble.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define INSN_BYTES 15
#define LEFT_WIDTH 52           /* of the application's column */

#ifdef HAVE_CAPSTONE

#include <capstone/capstone.h>

/* See disassemble.h.  */
bool
disassemble_available (void)
{
  return true;
}

/* Write the first instruction of the N bytes CODE, at PC, to LINE: address,
   and the words; or the bytes where Capstone knows none.  Returns its
   length, N where it is not known.  */
static size_t
write_insn (csh handle, const uint8_t *code, size_t n, uint64_t pc, char *line,
            size_t size)
{
  cs_insn *insn;
  int at;

  if (n != 0 && cs_disasm (handle, code, n, pc, 1, &insn) == 1)
    {
      size_t length = insn->size;

      snprintf (line, size, "%lx: %s%s%s", pc, insn->mnemonic,
                insn->op_str[0] != 0 ? " " : "", insn->op_str);
      cs_free (insn, 1);
      return length;
    }
  at = snprintf (line, size, "%lx: (bytes)", pc);
  for (size_t i = 0; i < n && i < INSN_BYTES && (size_t) at + 4 < size; i++)
    at += snprintf (line + at, size - at, " %02x", code[i]);
  return n;
}

static csh
open_capstone (void)
{
  csh handle;

  if (cs_open (CS_ARCH_X86, CS_MODE_64, &handle) != CS_ERR_OK)
    return 0;
  cs_option (handle, CS_OPT_SYNTAX, CS_OPT_SYNTAX_ATT);
  return handle;
}

static void
close_capstone (csh handle)
{
  cs_close (&handle);
}

#else

typedef size_t csh;

/* See disassemble.h.  */
bool
disassemble_available (void)
{
  return false;
}

static size_t
write_insn (csh handle, const uint8_t *code, size_t n, uint64_t pc, char *line,
            size_t size)
{
  (void) handle;
  (void) code;
  snprintf (line, size, "%lx:", pc);
  return n;
}

static csh
open_capstone (void)
{
  return 0;
}

static void
close_capstone (csh handle)
{
  (void) handle;
}

#endif

/* The fragment whose lines are being written.  */
struct state
{
  const struct disassemble_output *o;
  csh handle;
  uint64_t app;                 /* of the line before; 0: none */
};

static size_t
read_hex (const char *hex, uint8_t bytes[INSN_BYTES])
{
  size_t n = 0;
  unsigned byte;

  while (n < INSN_BYTES && sscanf (hex + 2 * n, "%2x", &byte) == 1)
    bytes[n++] = (uint8_t) byte;
  return n;
}

/* The application's instruction at PC, for the left column.  */
static void
write_app (const struct state *s, uint64_t pc, char *line, size_t size)
{
  uint8_t bytes[INSN_BYTES];
  size_t n = s->o->read (s->o->source, pc, bytes, sizeof bytes);

  write_insn (s->handle, bytes, n, pc, line, size);
}

static void
on_fragment (struct state *s, const char *line)
{
  char kind[8], flavour[16], text[256];
  uint64_t pc, entry;
  unsigned app_size, size, in;

  if (sscanf (line, "fragment %7s %15s %lx %lx %x %x %x", kind, flavour, &pc,
              &entry, &app_size, &size, &in) != 7)
    return;
  snprintf (text, sizeof text,
            "%s%s of 0x%lx, flavour %s: %u bytes as %u at 0x%lx; "
            "%u links to it\n",
            s->app != 0 ? "\n" : "",
            strcmp (kind, "trace") == 0 ? "Trace" : "Block", pc, flavour,
            app_size, size, entry, in);
  s->o->emit (s->o->data, text);
  s->app = 0;
}

static void
on_insn (struct state *s, const char *line)
{
  char hex[2 * INSN_BYTES + 1], left[200] = "", right[200], text[512];
  uint8_t bytes[INSN_BYTES];
  uint64_t pc, app;
  size_t n;

  if (sscanf (line, "insn %lx %lx %30[0-9a-f]", &pc, &app, hex) != 3)
    return;
  n = read_hex (hex, bytes);
  if (app != 0 && app != s->app)
    write_app (s, app, left, sizeof left);
  if (app != 0)
    s->app = app;
  write_insn (s->handle, bytes, n, pc, right, sizeof right);
  snprintf (text, sizeof text, "  %-*s | %s\n", LEFT_WIDTH, left, right);
  s->o->emit (s->o->data, text);
}

static void
write_exit (const struct state *s, const char *line)
{
  char kind[16], text[256];
  uint64_t target, unit, to;

  if (sscanf (line, "exit %15s %lx %lx %lx", kind, &target, &unit, &to) != 4)
    return;
  if (to != 0)
    snprintf (text, sizeof text, "  exit, %s, to 0x%lx: linked to 0x%lx\n",
              kind, target, to);
  else
    snprintf (text, sizeof text,
              "  exit, %s, to 0x%lx: leaves the cache at 0x%lx\n", kind,
              target, unit);
  s->o->emit (s->o->data, text);
}

/* See disassemble.h.  */
void
disassemble_fragments (char *text, const struct disassemble_output *o)
{
  struct state s = { .o = o, .handle = open_capstone () };
  char *rest;

  for (char *line = strtok_r (text, "\n", &rest); line != NULL;
       line = strtok_r (NULL, "\n", &rest))
    if (strncmp (line, "fragment ", 9) == 0)
      on_fragment (&s, line);
    else if (strncmp (line, "insn ", 5) == 0)
      on_insn (&s, line);
    else if (strncmp (line, "exit ", 5) == 0)
      write_exit (&s, line);
  close_capstone (s.handle);
}
