/* See state.h.  Layout: SDM volume 1, 13.4 and table 10-2.  */

#include "engine.random/state.h"

#include <cpuid.h>
#include <string.h>

#include "unit.arch/decode-random.h"

#define XSTATE_BV 512
#define MXCSR 24
#define ST_AT 32
#define XMM_AT 160
#define XMM_END 416
#define N_COMPONENTS 8

static struct
{
  unsigned at, size;
} components[N_COMPONENTS];
static uint64_t features;

/* See state.h.  */
void
state_init (void)
{
  unsigned a, b, c, d;

  __cpuid_count (0xd, 0, a, b, c, d);
  features = a & STATE_FEATURES;
  for (unsigned n = 2; n < N_COMPONENTS; n++)
    if (features >> n & 1)
      {
        __cpuid_count (0xd, n, a, b, c, d);
        components[n].at = b;
        components[n].size = a;
      }
}

/* See state.h.  */
void
state_random (uint8_t *area)
{
  memset (area, 0, STATE_XSAVE_SIZE);
  for (unsigned at = ST_AT; at < XMM_END; at += 8)
    memcpy (area + at, &(uint64_t){ random_bits () }, 8);
  for (unsigned n = 2; n < N_COMPONENTS; n++)
    for (unsigned at = 0; at < components[n].size; at += 8)
      memcpy (area + components[n].at + at, &(uint64_t){ random_bits () }, 8);
  memcpy (area, "\x7f\x03", 2);         /* control word */
  area[4] = random_bits () >> 40;       /* which registers are not empty */
  memcpy (area + MXCSR, "\x80\x1f", 2);
  memcpy (area + XSTATE_BV, &features, 8);
}

/* See state.h.  */
uint64_t
state_mix (uint64_t hash, const void *p, size_t size)
{
  for (const uint8_t *at = p, *end = at + size; at < end; at += 8)
    {
      uint64_t word;

      memcpy (&word, at, 8);
      hash = (hash ^ word) * 0x9e3779b97f4a7c15;
      hash ^= hash >> 29;
    }
  return hash;
}

/* See state.h.  */
uint64_t
state_vectors (uint64_t hash, uint8_t *area)
{
  uint64_t stored;
  uint16_t control[4];

  memcpy (&stored, area + XSTATE_BV, 8);
  if (!(stored & 1))
    {
      memset (area, 0, MXCSR);
      memset (area + ST_AT, 0, XMM_AT - ST_AT);
      memcpy (area, "\x7f\x03", 2);
    }
  if (!(stored & 2))
    memset (area + XMM_AT, 0, XMM_END - XMM_AT);
  memcpy (control, area, 6);
  memcpy (control + 3, area + MXCSR, 2);
  hash = state_mix (hash, control, 8);
  for (unsigned n = 0; n < 8; n++)
    {
      uint64_t st[2] = { 0, 0 };

      memcpy (st, area + ST_AT + 16 * n, 10);
      hash = state_mix (hash, st, 16);
    }
  hash = state_mix (hash, area + XMM_AT, XMM_END - XMM_AT);
  for (unsigned n = 2; n < N_COMPONENTS; n++)
    if (features >> n & 1)
      {
        if (!(stored >> n & 1))
          memset (area + components[n].at, 0, components[n].size);
        hash = state_mix (hash, area + components[n].at, components[n].size);
      }
  return hash;
}
