/* The arithmetic of common/types.h.  */

#include "common/types.h"
#include "lib/check.h"

static void
test_pages (void)
{
  check (PAGE_DOWN (0x1fff) == 0x1000, "PAGE_DOWN cuts to the page");
  check (PAGE_DOWN (0x1000) == 0x1000, "PAGE_DOWN keeps a page's start");
  check (PAGE_UP (0x1001) == 0x2000, "PAGE_UP goes to the next page");
  check (PAGE_UP (0x1000) == 0x1000, "PAGE_UP keeps a page's start");
  check (PAGE_UP (0x7fffffffe001ul) == 0x7ffffffff000ul,
         "PAGE_UP keeps 64 bits");
}

static void
test_align (void)
{
  unsigned bad = 0;

  for (unsigned long n = 1; n < 100; n++)
    {
      unsigned long a = ALIGN_UP (n, 16);

      bad += a % 16 != 0 || a < n || a - n > 15;
    }
  check (bad == 0, "ALIGN_UP for 1 to 99");
}

int
main (void)
{
  test_pages ();
  test_align ();
  return check_done ();
}
