/* See reply.h.  */

#include "gdbstub/reply.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gdbstub/alloc.h"
#include "gdbstub/rsp.h"

/* See reply.h.  */
void
reply_fini (struct reply *out)
{
  free (out->data);
  *out = (struct reply) { NULL, 0, 0 };
}

/* See reply.h.  */
void
reply_clear (struct reply *out)
{
  out->length = 0;
}

/* See reply.h.  */
void
reply_raw (struct reply *out, const void *bytes, size_t n)
{
  out->data = alloc_reserve (out->data, &out->size, out->length + n + 1);
  memcpy (out->data + out->length, bytes, n);
  out->length += n;
  out->data[out->length] = 0;
}

/* See reply.h.  */
void
reply_text (struct reply *out, const char *fmt, ...)
{
  va_list args;
  int n;

  va_start (args, fmt);
  n = vsnprintf (NULL, 0, fmt, args);
  va_end (args);
  out->data = alloc_reserve (out->data, &out->size, out->length + n + 1);
  va_start (args, fmt);
  vsnprintf (out->data + out->length, n + 1, fmt, args);
  va_end (args);
  out->length += n;
}

/* See reply.h.  */
void
reply_hex (struct reply *out, const void *bytes, size_t n)
{
  static const char digits[] = "0123456789abcdef";
  const uint8_t *from = bytes;
  char *to;

  out->data = alloc_reserve (out->data, &out->size, out->length + 2 * n + 1);
  to = out->data + out->length;
  for (size_t i = 0; i < n; i++)
    {
      *to++ = digits[from[i] >> 4];
      *to++ = digits[from[i] & 15];
    }
  *to = 0;
  out->length += 2 * n;
}

/* See reply.h.  */
size_t
reply_binary (struct reply *out, const void *bytes, size_t n)
{
  const char *from = bytes;
  size_t i;

  out->data = alloc_reserve (out->data, &out->size, out->length + 2 * n + 1);
  for (i = 0; i < n; i++)
    {
      bool escape = from[i] == '#' || from[i] == '$' || from[i] == '}'
                    || from[i] == '*';

      if (out->length + 1 + escape > RSP_PACKET_SIZE)
        break;
      if (escape)
        out->data[out->length++] = '}';
      out->data[out->length++] = escape ? from[i] ^ 0x20 : from[i];
    }
  out->data[out->length] = 0;
  return i;
}

/* How many bytes the character at TEXT has that may stand in XML, by UTF-8; 0:
   it is none.  What programs are called is theirs to choose.  */
static unsigned
xml_character (const char *text)
{
  const uint8_t *c = (const uint8_t *) text;
  unsigned n = *c < 0x80 ? 1 : *c < 0xc2 ? 0 : *c < 0xe0 ? 2
               : *c < 0xf0 ? 3 : *c < 0xf5 ? 4 : 0;

  if (n == 1 && *c < ' ' && *c != '\t' && *c != '\n' && *c != '\r')
    return 0;
  for (unsigned i = 1; i < n; i++)
    if ((c[i] & 0xc0) != 0x80)
      return 0;
  return n;
}

/* See reply.h.  */
void
reply_xml (struct reply *out, const char *text)
{
  unsigned n;

  for (; *text != 0; text++)
    switch (*text)
      {
      case '<':
        reply_raw (out, "&lt;", 4);
        break;
      case '>':
        reply_raw (out, "&gt;", 4);
        break;
      case '&':
        reply_raw (out, "&amp;", 5);
        break;
      case '"':
        reply_raw (out, "&quot;", 6);
        break;
      case '\'':
        reply_raw (out, "&apos;", 6);
        break;
      default:
        n = xml_character (text);
        reply_raw (out, n > 0 ? text : "?", MAX (n, 1u));
        text += n > 0 ? n - 1 : 0;
        break;
      }
}

/* See reply.h.  */
void
reply_ok (struct reply *out)
{
  reply_clear (out);
  reply_raw (out, "OK", 2);
}

/* See reply.h.  */
void
reply_error (struct reply *out, unsigned code)
{
  reply_clear (out);
  reply_text (out, "E%02x", code & 0xff);
}

/* See reply.h.  */
void
reply_ok_if (struct reply *out, bool well)
{
  if (well)
    reply_ok (out);
  else
    reply_error (out, 1);
}

/* See reply.h.  */
void
reply_error_text (struct reply *out, const char *text)
{
  reply_clear (out);
  reply_text (out, "E.%s", text);
}
