/* See assemble.h.  */

#include "engine.random/assemble.h"

#include <string.h>

static unsigned area;
static uint64_t here[N_AREAS];
static uint8_t starts[N_AREAS][CODE_SIZE / 8];

/* See assemble.h.  */
void
asm_reset (void)
{
  memset (starts, 0, sizeof starts);
  for (unsigned n = 0; n < N_AREAS; n++)
    here[n] = CODE (n);
  area = 0;
}

/* See assemble.h.  */
void
asm_select (unsigned n)
{
  area = n;
}

/* See assemble.h.  */
unsigned
asm_area (void)
{
  return area;
}

/* See assemble.h.  */
uint64_t
asm_here (void)
{
  return here[area];
}

/* See assemble.h.  */
void
asm_rewind (uint64_t to)
{
  for (uint64_t at = to - CODE (area); at < here[area] - CODE (area); at++)
    starts[area][at / 8] &= ~(1u << at % 8);
  here[area] = to;
}

/* See assemble.h.  */
bool
asm_is_full (void)
{
  return here[area] - CODE (area) > CODE_SIZE - 0x8000;
}

/* See assemble.h.  */
void
asm_mark (void)
{
  uint64_t at = here[area] - CODE (area);

  starts[area][at / 8] |= 1u << at % 8;
}

/* See assemble.h.  */
void
asm_bytes (const void *bytes, unsigned n)
{
  memcpy ((void *)here[area], bytes, n);
  here[area] += n;
}

/* See assemble.h.  */
void
asm_8 (uint8_t b)
{
  asm_bytes (&b, 1);
}

/* See assemble.h.  */
void
asm_32 (uint32_t v)
{
  asm_bytes (&v, 4);
}

/* See assemble.h.  */
void
asm_64 (uint64_t v)
{
  asm_bytes (&v, 8);
}

/* See assemble.h.  */
void
asm_insn (const char *bytes, unsigned n)
{
  asm_mark ();
  asm_bytes (bytes, n);
}

/* See assemble.h.  */
void
asm_mov_imm (unsigned reg, uint64_t value)
{
  asm_mark ();
  asm_8 (0x48 | reg >> 3);
  asm_8 (0xb8 | (reg & 7));
  asm_64 (value);
}

/* See assemble.h.  */
void
asm_lea_rsp (int32_t disp)
{
  ASM ("\x48\x8d\xa4\x24");
  asm_32 (disp);
}

/* See assemble.h.  */
void
asm_rip (const char *bytes, unsigned n, uint64_t target, unsigned imm_size)
{
  asm_insn (bytes, n);
  asm_32 (target - (asm_here () + 4 + imm_size));
}

/* See assemble.h.  */
uint64_t
asm_branch (const char *bytes, unsigned n)
{
  asm_insn (bytes, n);
  asm_32 (0);
  return asm_here () - 4;
}

/* See assemble.h.  */
void
asm_offset (uint64_t field, uint64_t target)
{
  uint32_t offset = target - (field + 4);

  memcpy ((void *)field, &offset, 4);
}

/* See assemble.h.  */
void
asm_land (uint64_t field)
{
  asm_offset (field, asm_here ());
}

/* See assemble.h.  */
bool
asm_is_start (uint64_t pc)
{
  for (unsigned n = 0; n < N_AREAS; n++)
    if (pc - CODE (n) < CODE_SIZE)
      return starts[n][(pc - CODE (n)) / 8] >> (pc - CODE (n)) % 8 & 1;
  return false;
}

/* See assemble.h.  */
uint64_t
asm_next (uint64_t pc)
{
  do
    pc++;
  while (!asm_is_start (pc) && pc - CODE (pc >= CODE (1)) < CODE_SIZE);
  return pc;
}
