/* An assembler as small as it can be: where code is written, and where
   instructions begin.  */

#ifndef TESTSUITE_ENGINE_RANDOM_ASSEMBLE_H
#define TESTSUITE_ENGINE_RANDOM_ASSEMBLE_H

#include "engine.random/layout.h"

enum
{
  RAX, RCX, RDX, RBX, RSP, RBP, RSI, RDI
};

/* Begin an empty program.  */
void asm_reset (void);

/* Write to area N from now on.  */
void asm_select (unsigned n);
unsigned asm_area (void);

/* The address of the next byte; go back to an earlier one.  */
uint64_t asm_here (void);
void asm_rewind (uint64_t to);
bool asm_is_full (void);

/* An instruction begins here.  */
void asm_mark (void);

void asm_8 (uint8_t b);
void asm_32 (uint32_t v);
void asm_64 (uint64_t v);
void asm_bytes (const void *bytes, unsigned n);

/* Whole instructions.  */
void asm_insn (const char *bytes, unsigned n);
#define ASM(BYTES) asm_insn (BYTES, sizeof (BYTES) - 1)
void asm_mov_imm (unsigned reg, uint64_t value);
void asm_lea_rsp (int32_t disp);
/* BYTES is an opcode and its ModRM byte for disp32(%rip): then that, so that
   it is TARGET, with IMM_SIZE bytes to follow.  */
void asm_rip (const char *bytes, unsigned n, uint64_t target,
              unsigned imm_size);
#define ASM_RIP(BYTES, TARGET) asm_rip (BYTES, sizeof (BYTES) - 1, TARGET, 0)

/* An opcode of a branch with an offset of 32 bits, to be set later: returns
   where that stands.  */
uint64_t asm_branch (const char *bytes, unsigned n);
#define ASM_BRANCH(BYTES) asm_branch (BYTES, sizeof (BYTES) - 1)
void asm_land (uint64_t field);
void asm_offset (uint64_t field, uint64_t target);

/* Whether an instruction begins at PC.  */
bool asm_is_start (uint64_t pc);
/* The first one behind PC.  */
uint64_t asm_next (uint64_t pc);

#endif
