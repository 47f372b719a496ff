/* Formatted text without a libc.

   The directives are a part of printf's: %d %i %u %x %X %o %c %s %p %%, with
   the flags `-' `0' `#' (of %x only), a width and a precision (of %s only)
   that may be `*', and the lengths h, hh, l, ll, z, j.  Freestanding; may run
   in signal context.  */

#ifndef COMMON_FORMAT_H
#define COMMON_FORMAT_H

#include <stdarg.h>
#include "common/types.h"

/* Write what FMT says to BUF, at most SIZE bytes with the closing zero.
   Returns the length that the whole would have had.  */
size_t format_text (char *buf, size_t size, const char *fmt, ...)
  PRINTF_LIKE (3, 4);
size_t format_text_v (char *buf, size_t size, const char *fmt, va_list ap);

#endif
