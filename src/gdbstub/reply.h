/* An answer in the making: text, numbers, bytes in hexadecimal, escaped binary
   data.  It grows as needed; the packet size is the caller's care.  */

#ifndef GDBSTUB_REPLY_H
#define GDBSTUB_REPLY_H

#include "common/types.h"

struct reply
{
  char *data;
  size_t length, size;
};

void reply_fini (struct reply *out);

/* Throw away what is there.  An empty reply says: not supported.  */
void reply_clear (struct reply *out);

void reply_text (struct reply *out, const char *fmt, ...) PRINTF_LIKE (2, 3);
void reply_raw (struct reply *out, const void *bytes, size_t n);
void reply_hex (struct reply *out, const void *bytes, size_t n);

/* Up to N BYTES with the protocol's escapes, as many as fit into a packet with
   what is there already.  Returns how many went in.  */
size_t reply_binary (struct reply *out, const void *bytes, size_t n);

/* Text with XML's five special characters written as entities, and `?' for
   bytes that are none in UTF-8.  */
void reply_xml (struct reply *out, const char *text);

/* The whole answer is "OK", or "E" and the number CODE.  */
void reply_ok (struct reply *out);
void reply_error (struct reply *out, unsigned code);

/* "OK" if WELL, else "E01".  */
void reply_ok_if (struct reply *out, bool well);

/* The whole answer is "E." and TEXT, which GDB shows as it is.  */
void reply_error_text (struct reply *out, const char *text);

#endif
