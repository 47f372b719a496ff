/* One function, called often, and bytes of one word that change in turn.  */

union
{
  unsigned char byte[8];
  unsigned long word;
} both;

volatile long sum;

void __attribute__ ((noinline))
work (long n, const char *name)
{
  sum += n * name[0];
}

int
main (void)
{
  for (long n = 0; n < 1000; n++)
    work (n, n % 2 ? "odd" : "even");
  for (long n = 0; n < 32; n++)
    both.byte[n % 8]++;
  return both.word == 0x0404040404040404 ? 0 : 1;
}
