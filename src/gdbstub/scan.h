/* Reading a packet: a cursor that remembers when it met what it should not.

   Every function advances IN over what it reads.  After a mismatch IN is bad,
   and all further reads return nothing of worth; so a handler reads all that
   it wants and asks scan_ok once.  Nothing is read past the end.  */

#ifndef GDBSTUB_SCAN_H
#define GDBSTUB_SCAN_H

#include "common/types.h"

struct scan
{
  const char *at, *end;
  bool bad;
};

/* A thread as the protocol writes it: 0 any, -1 all.  PID is 0 when none was
   given.  */
struct scan_ptid
{
  int64_t pid, tid;
};

struct scan scan_of (const char *text, size_t length);

/* All was as expected so far; scan_done: and nothing is left.  */
bool scan_ok (const struct scan *in);
bool scan_done (const struct scan *in);
size_t scan_left (const struct scan *in);

/* Expect the character C.  */
void scan_char (struct scan *in, char c);

/* Whether the next character is C (the text is WORD); if so, skip it.  */
bool scan_skip (struct scan *in, char c);
bool scan_skip_word (struct scan *in, const char *word);

/* A number in hexadecimal, at least one digit and at most 16.  */
uint64_t scan_hex (struct scan *in);

/* A thread: TID, pPID or pPID.TID.  */
struct scan_ptid scan_ptid (struct scan *in);

/* Bytes in hexadecimal, two digits each, up to MAX of them or the first
   character that is no digit.  Returns how many.  */
size_t scan_bytes (struct scan *in, uint8_t *to, size_t max);

/* All that is left, as bytes in hexadecimal, into a new zero-terminated
   string; NULL when bad or when there is a zero in it.  */
char *scan_string (struct scan *in);

/* All that is left, as binary data with its escapes undone.  */
size_t scan_binary (struct scan *in, uint8_t *to, size_t max);

/* What stands before the next character of STOPS, or all that is left.  The
   cursor is left in front of that character.  */
struct scan scan_until (struct scan *in, const char *stops);

/* Whether all that is left is WORD.  */
bool scan_is (const struct scan *in, const char *word);

#endif
