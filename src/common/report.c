/* See report.h.  */

#include "common/report.h"
#include "common/format.h"
#include "common/string.h"

#define PIECE_MAX 401           /* with the closing zero */

/* See report.h.  */
void
report_add (struct report *r, const char *fmt, ...)
{
  char piece[PIECE_MAX];
  size_t length;
  va_list args;

  va_start (args, fmt);
  length = format_text_v (piece, sizeof piece, fmt, args);
  va_end (args);
  length = MIN (length, sizeof piece - 1);
  if (r->cut || r->size - r->used < length)
    {
      r->cut = true;
      return;
    }
  memcpy (r->text + r->used, piece, length);
  r->used += length;
}

/* See report.h.  */
void
report_value (struct report *r, const char *name, uint64_t value)
{
  report_add (r, "%-40s %12lu\n", name, value);
}
