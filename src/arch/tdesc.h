/* The target description: which registers a thread has, as a debugger sees
   them, and where each lies in struct arch_regs or in the XSAVE image.

   Names, numbers and sizes are those of GDB's standard features for
   i386:x86-64 GNU/Linux (GDB manual, "i386 Features").  Which features there
   are depends on XCR0 alone.  No global state; used by the server only.  */

#ifndef ARCH_TDESC_H
#define ARCH_TDESC_H

#include "arch/regs.h"

#define TDESC_MAX_REGS 160
#define TDESC_MAX_REG_SIZE 32           /* bytes: the upper half of a zmm */
#define TDESC_N_COMPONENTS 10           /* of XSAVE, 0 to PKRU */

struct tdesc_reg
{
  char name[12];
  uint16_t size;                /* bytes */
  uint16_t at;                  /* offset in the `g' packet's data */
  uint16_t group;               /* row of the table in tdesc.c */
  uint16_t index;               /* within that row */
};

struct tdesc
{
  uint64_t xcr0;
  size_t component[TDESC_N_COMPONENTS]; /* offset in a standard image */
  unsigned n_regs;
  size_t size;                  /* of all registers together, in bytes */
  struct tdesc_reg reg[TDESC_MAX_REGS]; /* by GDB's number */
};

/* Registers that a stop reply carries along.  */
enum { TDESC_RBP = 6, TDESC_RSP = 7, TDESC_RIP = 16, TDESC_EFLAGS = 17 };

/* Whether register N is in struct arch_regs, in every description.  */
static inline bool
tdesc_is_general (size_t n)
{
  return n < 24 || (n >= 57 && n < 60);
}

/* Describe in *D the processor that this runs on.  */
void tdesc_init_host (struct tdesc *d);

/* Describe in *D a processor with XCR0, whose components lie in an XSAVE
   image at the offsets COMPONENT.  */
void tdesc_init (struct tdesc *d, uint64_t xcr0,
                 const size_t component[TDESC_N_COMPONENTS]);

/* Write the description as XML to BUF, at most SIZE bytes with the closing
   zero.  Returns the length that the whole has.  */
size_t tdesc_xml (const struct tdesc *d, char *buf, size_t size);

/* Put register number N, in target byte order, into VALUE (reg[N].size bytes).
   XSAVE of XSAVE_SIZE bytes is in the standard format; a component that is in
   its initial state there reads as that.  Returns false, VALUE untouched, when
   the register is not to be had (no image, or one too small).  */
bool tdesc_get (const struct tdesc *d, unsigned n,
                const struct arch_regs *regs, const uint8_t *xsave,
                size_t xsave_size, uint8_t *value);

/* The opposite.  A component in its initial state is given its initial bytes
   first when VALUE differs from them.  What software cannot change (the
   reserved bits of mxcsr, the segment registers' upper halves) is dropped.
   Returns false, nothing changed, when the register is not to be had.  */
bool tdesc_set (const struct tdesc *d, unsigned n, struct arch_regs *regs,
                uint8_t *xsave, size_t xsave_size, const uint8_t *value);

#endif
