/* format_text against the libc's snprintf, and the log's list of topics.  */

#include <string.h>

#include "common/format.h"
#include "common/log.h"
#include "common/string.h"
#include "lib/check.h"

#pragma GCC diagnostic ignored "-Wformat"

/* The same directive and arguments to both.  */
#define same(...)                                                             \
  do                                                                          \
    {                                                                         \
      char a[80], b[80];                                                      \
      size_t n = format_text (a, sizeof a, __VA_ARGS__);                      \
      int m = snprintf (b, sizeof b, __VA_ARGS__);                            \
      check (n == (size_t) m && strcmp (a, b) == 0, "%s: `%s'", #__VA_ARGS__, \
             a);                                                              \
    }                                                                         \
  while (0)

static void
test_directives (void)
{
  same ("plain %% text");
  same ("%d %i %u", -5, 0, 4000000000u);
  same ("%ld %lu %lx", INT64_MIN, UINT64_MAX, UINT64_MAX);
  same ("%x %X %o %#lx", 0xbeefu, 0xbeefu, 511u, 0x1234ul);
  same ("[%5d] [%-5d] [%05d] [%2d]", -42, -42, -42, 12345);
  same ("[%10s] [%-10s] [%.2s] [%.*s]", "abc", "abc", "abc", 1, "abc");
  same ("%c%c", 'x', 'y');
  same ("%hhu %hd", 300, 70000);
  same ("%zu %jd", (size_t) 7, (intmax_t) -7);
  same ("%*d", 7, 3);
  same ("[%016lx]", 0x123456789abcul);
}

static void
test_bounds (void)
{
  char buf[8] = "zzzzzzz";
  size_t n = format_text (buf, 4, "%d", 1234567);
  check (n == 7 && strcmp (buf, "123") == 0 && buf[4] == 'z', "cut short");
  n = format_text (buf, 0, "%s", "abc");
  check (n == 3 && buf[0] == '1', "no room at all");
}

static void
test_topics (void)
{
  uint64_t set;
  check (!log_parse ("birth,signal", &set)
           && set == (1u << LOG_BIRTH | 1u << LOG_SIGNAL),
         "two topics");
  check (!log_parse ("all", &set) && set == (1u << LOG_N_TOPICS) - 1,
         "all topics");
  const char *list = "birth,nonsense";
  check (log_parse (list, &set) == list + 6, "what is no topic is told");
}

static void
test_numbers (void)
{
  const char *s = "7ffF-12z";
  uint64_t n;
  const char *e = string_number (s, s + 8, 16, &n);
  check (n == 0x7fff && e == s + 4, "a hexadecimal number");
  e = string_number (s + 5, s + 8, 10, &n);
  check (n == 12 && e == s + 7, "a decimal number");
  check (string_number (s + 7, s + 8, 10, &n) == s + 7, "no number");
}

int
main (void)
{
  test_directives ();
  test_bounds ();
  test_topics ();
  test_numbers ();
  return check_done ();
}
