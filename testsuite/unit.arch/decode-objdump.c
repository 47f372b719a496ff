/* See decode-objdump.h.

   Each instruction lies in a slot of 16 bytes filled up with nop, so that
   objdump is back in step at the next slot whatever it made of this one.  */

#include "unit.arch/decode-objdump.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SLOT 16

static bool
write_slots (int fd, const struct specimen *s, size_t n)
{
  uint8_t slot[SLOT];

  for (size_t k = 0; k < n; k++)
    {
      memset (slot, 0x90, SLOT);
      memcpy (slot, s[k].bytes, s[k].length);
      if (write (fd, slot, SLOT) != SLOT)
        return false;
    }
  return true;
}

/* Prefixes that objdump shows on a line of their own.  */
static bool
is_prefix (const char *name)
{
  static const char *const names[] = {
    "data16", "addr32", "lock", "rep", "repz", "repnz", "cs", "ds", "es",
    "ss", "fs", "gs"
  };

  if (!strncmp (name, "rex", 3))
    return true;
  for (unsigned k = 0; k < ARRAY_SIZE (names); k++)
    if (!strcmp (name, names[k]))
      return true;
  return false;
}

static bool
branches (unsigned kind)
{
  switch (kind)
    {
    case INSN_JCC:
    case INSN_LOOP:
    case INSN_JMP:
    case INSN_CALL:
    case INSN_JMP_IND:
    case INSN_CALL_IND:
    case INSN_RET:
      return true;
    default:
      return false;
    }
}

/* Whether NAME, of the last word shown, is that of a near branch.  */
static bool
names_branch (const char *name)
{
  return name[0] == 'j' || !strncmp (name, "call", 4)
         || !strncmp (name, "ret", 3) || !strncmp (name, "loop", 4);
}

/* The word behind prefixes in TEXT, which is cut up.  */
static const char *
mnemonic (char *text)
{
  char *word = strtok (text, " \n");

  while (word != NULL)
    {
      if (!is_prefix (word) && strcmp (word, "bnd")
          && strcmp (word, "notrack"))
        return word;
      word = strtok (NULL, " \n");
    }
  return "";
}

/* What one instruction turned out to be: START to END in its slot.  */
static void
note (struct specimen *s, unsigned end, const char *name)
{
  s->objdump.known = strcmp (name, "(bad)") != 0 && *name;
  s->objdump.length = end;
  if (!s->objdump.known)
    return;
  if (end != s->length)
    s->objdump.differs |= 1u << LENGTH;
  else if (names_branch (name) != branches (s->branch)
           && s->branch != INSN_FAR && s->branch != INSN_XBEGIN)
    s->objdump.differs |= 1u << BRANCH;
}

static void
read_lines (FILE *out, struct specimen *s, size_t n)
{
  char line[512], name[64] = "";
  size_t slot = SIZE_MAX;       /* of which the end is awaited */

  while (fgets (line, sizeof line, out))
    {
      char *end, *text;
      unsigned long at = strtoul (line, &end, 16);

      if (*end != ':' || (text = strrchr (line, '\t')) == NULL)
        continue;
      if (slot != SIZE_MAX && *name)
        {
          note (&s[slot], at - slot * SLOT, name);
          slot = SIZE_MAX;
        }
      if (at % SLOT == 0 && at / SLOT < n)
        slot = at / SLOT, *name = 0;
      if (slot != SIZE_MAX)
        snprintf (name, sizeof name, "%s", mnemonic (text + 1));
    }
}

/* See decode-objdump.h.  */
bool
objdump_judge (struct specimen *s, size_t n)
{
  char file[] = "/tmp/decode-objdump-XXXXXX", command[128];
  int fd = mkstemp (file);
  FILE *out = NULL;
  bool done = false;

  if (fd < 0)
    return false;
  snprintf (command, sizeof command,
            "LC_ALL=C objdump -D -z -b binary -m i386:x86-64 "
            "--insn-width=15 %s", file);
  if (write_slots (fd, s, n) && (out = popen (command, "r")) != NULL)
    {
      read_lines (out, s, n);
      done = pclose (out) == 0;
    }
  close (fd);
  unlink (file);
  return done;
}
