/* What a unit test is made of.

   A unit test is a hosted program that calls check () as often as it likes
   and ends with `return check_done ();'.  Each call prints one line, which
   the driver testsuite/unit.programs/programs.exp relays to DejaGnu; so a
   test can be run, and debugged, alone.  Not for several threads at once.  */

#ifndef TESTSUITE_LIB_CHECK_H
#define TESTSUITE_LIB_CHECK_H

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

static unsigned check_n_passed, check_n_failed;

/* Print the verdict RESULT on the test named by FMT and what follows.  */
static void __attribute__ ((format (printf, 2, 0)))
check_print (const char *result, const char *fmt, va_list args)
{
  printf ("%s: ", result);
  vprintf (fmt, args);
  putchar ('\n');
  fflush (stdout);
}

/* The test named by FMT and what follows passes if COND holds.  Returns COND,
   so that a test can leave out what depends on it.  A loop over thousands of
   cases checks once, after it, or on its failures: the name then says which
   case.  */
static bool __attribute__ ((format (printf, 4, 5), unused))
check_at (const char *file, int line, bool cond, const char *fmt, ...)
{
  va_list args;

  va_start (args, fmt);
  check_print (cond ? "PASS" : "FAIL", fmt, args);
  va_end (args);
  if (cond)
    check_n_passed++;
  else
    {
      check_n_failed++;
      printf ("%s:%d: the failed check\n", file, line);
    }
  return cond;
}

#define check(COND, ...) check_at (__FILE__, __LINE__, (COND), __VA_ARGS__)

/* What cannot run here is said, and does not count as passed.  */
static void __attribute__ ((format (printf, 1, 2), unused))
check_unsupported (const char *fmt, ...)
{
  va_list args;

  va_start (args, fmt);
  check_print ("UNSUPPORTED", fmt, args);
  va_end (args);
}

/* The exit status of main: 0 if every check passed and the end was reached.
   The last line tells the driver that it was.  */
static int __attribute__ ((unused))
check_done (void)
{
  printf ("DONE: %u passed, %u failed\n", check_n_passed, check_n_failed);
  return check_n_failed == 0 ? 0 : 1;
}

/* The seed of a fuzzer: RIO_SEED of the environment, else a fresh one.
   Printed either way.  */
static unsigned long __attribute__ ((unused))
check_seed (void)
{
  const char *given = getenv ("RIO_SEED");
  unsigned long seed;

  if (given != NULL)
    seed = strtoul (given, NULL, 0);
  else
    {
      FILE *f = fopen ("/dev/urandom", "r");

      if (f == NULL || fread (&seed, sizeof seed, 1, f) != 1)
        abort ();
      fclose (f);
    }
  printf ("RIO_SEED=%#lx\n", seed);
  return seed;
}

#endif
