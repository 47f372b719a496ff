/* Steady workloads, each about half a second of a different kind of code:
   steady NAME.

     sieve     plain loops over bytes
     calls     recursion (Ackermann's function)
     sort      qsort: calls through a pointer
     switch    an interpreter: jumps through a table
     matrix    vector arithmetic
     strings   hashing and comparing words
     virtual   calls through a table of four functions, taken in turn  */

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint32_t seed = 1;

static uint32_t
random_next (void)
{
  seed = seed * 1664525 + 1013904223;
  return seed >> 8;
}

static long
go_sieve (void)
{
  static char composite[2000000];
  long primes = 0;

  for (int round = 0; round < 240; round++)
    {
      memset (composite, 0, sizeof composite);
      for (size_t i = 2; i * i < sizeof composite; i++)
        if (!composite[i])
          for (size_t j = i * i; j < sizeof composite; j += i)
            composite[j] = 1;
      for (size_t i = 2; i < sizeof composite; i++)
        primes += !composite[i];
    }
  return primes;
}

static unsigned __attribute__ ((noinline))
ackermann (unsigned m, unsigned n)
{
  if (m == 0)
    return n + 1;
  if (n == 0)
    return ackermann (m - 1, 1);
  return ackermann (m - 1, ackermann (m, n - 1));
}

static long
go_calls (void)
{
  long sum = 0;

  for (int round = 0; round < 48; round++)
    sum += ackermann (3, 9);
  return sum;
}

static int
compare (const void *a, const void *b)
{
  uint32_t x = *(const uint32_t *) a, y = *(const uint32_t *) b;

  return (x > y) - (x < y);
}

static long
go_sort (void)
{
  static uint32_t words[400000];
  size_t n = sizeof words / sizeof *words;
  long sum = 0;

  for (int round = 0; round < 16; round++)
    {
      for (size_t i = 0; i < n; i++)
        words[i] = random_next ();
      qsort (words, n, sizeof *words, compare);
      sum += words[n / 2];
    }
  return sum;
}

/* A register machine of eight instructions.  */
static long
interpret (const uint8_t *code, size_t size, long steps)
{
  long a = 0, b = 1;
  size_t pc = 0;

  while (steps-- > 0)
    {
      switch (code[pc])
        {
        case 0: a += b; break;
        case 1: b ^= a; break;
        case 2: a -= 3; break;
        case 3: b = (b << 1) | 1; break;
        case 4: a ^= b >> 2; break;
        case 5: pc = (pc + (a & 1)) % size; break;
        case 6: b += 7; break;
        default: a = -a; break;
        }
      pc = pc + 1 == size ? 0 : pc + 1;
    }
  return a + b;
}

static long
go_switch (void)
{
  uint8_t code[512];

  for (size_t i = 0; i < sizeof code; i++)
    code[i] = random_next () % 8;
  return interpret (code, sizeof code, 500000000);
}

static long
go_matrix (void)
{
  enum { N = 320 };
  static float a[N][N], b[N][N], c[N][N];

  for (int i = 0; i < N; i++)
    for (int j = 0; j < N; j++)
      {
        a[i][j] = i + j;
        b[i][j] = i - j;
      }
  for (int round = 0; round < 160; round++)
    for (int i = 0; i < N; i++)
      for (int k = 0; k < N; k++)
        for (int j = 0; j < N; j++)
          c[i][j] += a[i][k] * b[k][j];
  return (long) c[3][7];
}

static long
go_strings (void)
{
  static char words[4096][16];
  long sum = 0;

  for (int i = 0; i < 4096; i++)
    snprintf (words[i], sizeof words[i], "word%u", random_next () % 5000);
  for (int round = 0; round < 20000; round++)
    for (int i = 0; i < 4096; i++)
      {
        uint32_t hash = 5381;

        for (const char *s = words[i]; *s; s++)
          hash = hash * 33 + *s;
        sum += strcmp (words[i], words[hash % 4096]) < 0;
        sum += strlen (words[i]);
      }
  return sum;
}

static long __attribute__ ((noinline))
add (long x)
{
  return x + 3;
}

static long __attribute__ ((noinline))
mix (long x)
{
  return x ^ (x >> 3);
}

static long __attribute__ ((noinline))
sub (long x)
{
  return x - 1;
}

static long __attribute__ ((noinline))
dbl (long x)
{
  return x + x;
}

static long
go_virtual (void)
{
  static long (*const volatile table[4]) (long) = { add, mix, sub, dbl };
  long x = 1;

  for (long i = 0; i < 450000000; i++)
    x = table[i & 3](x);
  return x;
}

static const struct
{
  const char *name;
  long (*go) (void);
} workloads[] = {
  { "sieve", go_sieve },
  { "calls", go_calls },
  { "sort", go_sort },
  { "switch", go_switch },
  { "matrix", go_matrix },
  { "strings", go_strings },
  { "virtual", go_virtual },
};

int
main (int argc, char **argv)
{
  for (size_t i = 0; i < sizeof workloads / sizeof *workloads; i++)
    if (argc == 2 && strcmp (argv[1], workloads[i].name) == 0)
      {
        printf ("%ld\n", workloads[i].go ());
        return 0;
      }
  return 2;
}
