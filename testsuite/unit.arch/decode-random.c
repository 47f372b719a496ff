/* See decode-random.h.  */

#include "unit.arch/decode-random.h"

#include <string.h>

static uint64_t state;

/* See decode-random.h.  */
void
random_seed (uint64_t seed)
{
  state = seed | 1;
}

/* See decode-random.h.  */
uint64_t
random_bits (void)
{
  state ^= state << 13;
  state ^= state >> 7;
  state ^= state << 17;
  return state * 0x2545f4914f6cdd1d;
}

static unsigned
below (unsigned n)
{
  return (random_bits () >> 33) % n;
}

static uint8_t
any_of (const char *bytes, unsigned n)
{
  return bytes[below (n)];
}

static unsigned
put_prefixes (uint8_t *p)
{
  static const char legacy[] = "\x66\x67\xf2\xf3\xf0\x2e\x36\x3e\x26\x64\x65";
  unsigned n = 0;

  while (below (3) == 0 && n < 12)
    p[n++] = any_of (legacy, sizeof legacy - 1);
  return n;
}

static unsigned
put_legacy (uint8_t *p)
{
  unsigned n = 0;

  if (below (3) == 0)
    p[n++] = 0x40 | below (16);
  switch (below (8))
    {
    case 0:
    case 1:
      break;
    case 2:
      p[n++] = 0x0f;
      p[n++] = 0x38;
      break;
    case 3:
      p[n++] = 0x0f;
      p[n++] = 0x3a;
      break;
    default:
      p[n++] = 0x0f;
    }
  return n;
}

static unsigned
put_vex (uint8_t *p)
{
  if (below (4) == 0)
    {
      p[0] = 0xc5;
      return 2;
    }
  p[0] = below (6) ? 0xc4 : 0x8f;
  p[1] = (p[1] & 0xe0) | (p[0] == 0xc4 ? 1 + below (3) : 8 + below (3));
  if (below (2))
    p[2] |= 0x78;
  return 3;
}

static unsigned
put_evex (uint8_t *p)
{
  static const char maps[] = "\1\1\2\2\2\3\3\5\6";

  p[0] = 0x62;
  p[1] = (p[1] & 0xf0) | any_of (maps, sizeof maps - 1);
  p[2] |= 4;
  if (below (2))
    p[2] |= 0x78;
  if (below (4))
    p[3] = (p[3] & 0x7f) | 8;
  if (below (4))
    p[3] &= ~0x10;
  if (below (2))
    p[3] &= ~7;
  return 4;
}

/* See decode-random.h.  */
void
random_insn (uint8_t code[16])
{
  uint64_t bits[2] = { random_bits (), random_bits () };
  unsigned n, kind = below (8);

  memcpy (code, bits, 16);
  if (kind == 0)
    return;
  n = kind < 5 ? put_prefixes (code) : 0;
  if (kind < 4)
    n += put_legacy (code + n);
  else if (kind < 6)
    n += put_vex (code + n);
  else
    n += put_evex (code + n);
  if (n < 15 && code[n + 1] >> 6 == 2 && below (4))
    code[n + 1] ^= below (2) ? 0xc0 : 0x80;
}
