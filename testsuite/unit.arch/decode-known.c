/* See decode-known.h.  Each row is one opcode, the aspects, and the place in
   the Software Developer's Manual (SDM, volume and section, or the name of
   the instruction in volume 2) that says so.  */

#include "unit.arch/decode-known.h"

const char *const aspect_names[N_ASPECTS] = {
  "validity", "length", "layout", "branch kind", "branch target", "known",
  "effective prefixes", "flags read", "flags written", "registers read",
  "registers written", "memory operands"
};

#define A(X) (1u << X)
#define FLAGS (A (FLAGS_READ) | A (FLAGS_WRITTEN))
#define GPRS (A (GPR_READ) | A (GPR_WRITTEN))

static const struct
{
  uint8_t vex, map, opcode;
  uint8_t regs;                 /* values of ModRM.reg, a bit each; 0: all */
  uint16_t aspects;
  const char *why;
} rows[] = {
  { 0, 0, 0x6c, 0, A (GPR_WRITTEN), "SDM INS: DI is advanced" },
  { 0, 0, 0x6d, 0, A (GPR_WRITTEN) | A (LAYOUT),
    "SDM INS: DI is advanced; 4 bytes at most" },
  { 0, 0, 0x6e, 0, A (GPR_WRITTEN), "SDM OUTS: SI is advanced" },
  { 0, 0, 0x6f, 0, A (GPR_WRITTEN) | A (LAYOUT),
    "SDM OUTS: SI is advanced; 4 bytes at most" },
  { 0, 0, 0xa6, 0, A (GPR_WRITTEN), "SDM CMPS: SI and DI are advanced" },
  { 0, 0, 0xa7, 0, A (GPR_WRITTEN), "SDM CMPS: SI and DI are advanced" },
  { 0, 0, 0xae, 0, A (GPR_WRITTEN), "SDM SCAS: DI is advanced" },
  { 0, 0, 0xaf, 0, A (GPR_WRITTEN), "SDM SCAS: DI is advanced" },
  { 0, 0, 0x8f, 0, A (MEMORY), "SDM POP: the address uses the new RSP" },
  { 0, 0, 0x90, 0, GPRS, "SDM XCHG: with REX.B, F3 90 is no PAUSE" },
  { 0, 0, 0xc0, 0, FLAGS, "SDM SHL, ROL: a count of 0 leaves the flags" },
  { 0, 0, 0xc1, 0, FLAGS, "SDM SHL, ROL: a count of 0 leaves the flags" },
  { 0, 0, 0xc8, 0, A (MEMORY), "SDM ENTER: nested levels copy pointers" },
  { 0, 0, 0xd7, 0, A (LAYOUT), "SDM XLAT: one byte" },
  { 0, 0, 0xd9, 0x50, A (MEMORY), "SDM FSTENV: 14 bytes with 66" },
  { 0, 0, 0xdd, 0x50, A (MEMORY), "SDM FSAVE: 94 bytes with 66" },
  { 0, 0, 0xe9, 0, A (LENGTH), "SDM JMP: 66 is ignored (APM: rel16)" },
  { 0, 1, 0x01, 0, A (BRANCH), "SDM XEND: does not transfer control" },
  { 0, 1, 0x01, 0x80, A (MEMORY) | A (PREFIXES) | A (GPR_READ) | FLAGS,
    "SDM INVLPG: makes no access; APM MWAITX, RDPRU: EBX, flags" },
  { 0, 1, 0x01, 0x0d, A (KNOWN) | A (GPR_READ) | A (LAYOUT),
    "SDM VMCALL, ENCLU: as the leaf has it; VMFUNC: ECX is read" },
  { 0, 1, 0x01, 0x22,
    A (FLAGS_WRITTEN) | A (PREFIXES) | A (MEMORY) | A (LAYOUT),
    "SDM ENCLS: addresses of 8 bytes; RSTORSSP: writes CF, clears the "
    "others; UIRET: pops 24 bytes" },
  { 0, 1, 0x1a, 0, A (MEMORY) | A (PREFIXES) | A (LAYOUT) | GPRS,
    "SDM BNDMOV: a NOP without MPX" },
  { 0, 1, 0x1b, 0, A (MEMORY) | A (PREFIXES) | A (LAYOUT) | GPRS,
    "SDM BNDMOV: a NOP without MPX" },
  { 0, 1, 0x1e, 0, A (GPR_READ), "SDM RDSSP: a NOP without CET" },
  { 0, 1, 0xa4, 0, FLAGS, "SDM SHLD: a count of 0 leaves the flags" },
  { 0, 1, 0xaa, 0, GPRS | FLAGS, "SDM RSM: restores all registers" },
  { 0, 1, 0xac, 0, FLAGS, "SDM SHRD: a count of 0 leaves the flags" },
  { 0, 1, 0xae, 0x40, A (FLAGS_WRITTEN) | A (PREFIXES),
    "SDM CLRSSBSY: writes CF, clears the others; UMONITOR: an address" },
  { 0, 1, 0xbc, 0, A (GPR_READ), "SDM BSF: a source of 0 leaves it" },
  { 0, 1, 0xbd, 0, A (GPR_READ), "SDM BSR: a source of 0 leaves it" },
  { 0, 2, 0xf8, 0, A (MEMORY), "SDM ENQCMD, MOVDIR64B: to ES:reg" },
  { 3, 9, 0x12, 0, A (KNOWN), "APM LLWPCB: LWP has been removed" },
  { 3, 10, 0x12, 0, A (KNOWN), "APM LWPVAL: LWP has been removed" },
  { 1, 2, 0x0e, 0, A (FLAGS_WRITTEN), "SDM VTEST: clears OF, AF, PF, SF" },
  { 1, 2, 0x0f, 0, A (FLAGS_WRITTEN), "SDM VTEST: clears OF, AF, PF, SF" },
  { 1, 2, 0x17, 0, A (FLAGS_WRITTEN), "SDM PTEST: clears OF, AF, PF, SF" },
};

_Static_assert (ARRAY_SIZE (rows) <= 40, "the table may only shrink");

/* See decode-known.h.  */
bool
known_disagreement (const struct insn *i, enum aspect aspect)
{
  unsigned reg = i->modrm >> 3 & 7;

  for (unsigned k = 0; k < ARRAY_SIZE (rows); k++)
    if (rows[k].vex == i->vex && rows[k].map == i->map
        && rows[k].opcode == i->opcode && (rows[k].aspects >> aspect & 1)
        && (rows[k].regs == 0 || (rows[k].regs >> reg & 1)))
      return true;
  return false;
}
