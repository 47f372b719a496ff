/* GDB's agent bytecode: what its operations are, and whether an expression is
   one that can be run.

   bytecode_verify follows every way through the expression and finds the
   height of the stack at each operation, so that the compiler can give each
   stack element a place of its own.  What no way leads to is not looked at.

   No state, no locks, no allocation; both sides.  */

#ifndef AGENT_BYTECODE_H
#define AGENT_BYTECODE_H

#include "common/types.h"

#define BYTECODE_MAX_LENGTH 0xffff      /* what goto can reach */
#define BYTECODE_MAX_HEIGHT 98          /* as gdbserver */

enum bytecode_opcode
{
#define OPCODE(CODE, NAME, OPERAND, CONSUMED, PRODUCED) BYTECODE_##NAME = CODE,
#include "agent/opcodes.def"
#undef OPCODE
};

/* Why not; 0 is none.  */
enum bytecode_refusal
{
  BYTECODE_OK,
#define REFUSAL(NAME, SENTENCE) BYTECODE_##NAME,
#include "agent/refusals.def"
#undef REFUSAL
  BYTECODE_N_REFUSALS
};

/* Marks in bytecode_map.height of what is no height.  */
enum { BYTECODE_UNSEEN = 0xff, BYTECODE_OPERAND = 0xfe };

/* What is known of an expression, by byte.  Both arrays are the caller's, of
   as many elements as the expression has bytes.  */
struct bytecode_map
{
  uint8_t *height;              /* of the stack before the operation, or a
                                   mark */
  uint32_t *note;               /* scratch: the compiler's too */
};

/* What an expression needs.  */
struct bytecode_info
{
  uint32_t n_ops;               /* operations that can be reached */
  uint32_t n_refs;              /* of them, reads of memory */
  uint32_t n_args;              /* of all printfs */
  uint16_t gpr_read;            /* mask by enum arch_gpr */
  uint8_t max_height;
  uint8_t max_args;             /* of a printf */
  bool rflags_read;
  bool has_calls;               /* calls hooks: the application's registers
                                   have all to be saved */
  bool has_loops;               /* jumps backwards */
  bool has_value;               /* there is one on the stack at each end */
  uint32_t at;                  /* on a refusal: the offending byte */
};

/* One operation.  */
struct bytecode_op
{
  uint8_t code;
  uint8_t consumed, produced;
  uint32_t size;                /* with operands and format */
  uint64_t operand;             /* big-endian in the expression; of printf the
                                   number of arguments */
};

/* Decode the operation at PC of the LENGTH bytes at BYTES.  */
MUST_USE enum bytecode_refusal bytecode_decode (const uint8_t *bytes,
                                                size_t length, size_t pc,
                                                struct bytecode_op *op);

/* Follow all of the expression of LENGTH bytes at BYTES, and fill in MAP and
   INFO.  WANT_VALUE: it must leave a value.  */
MUST_USE enum bytecode_refusal bytecode_verify (const uint8_t *bytes,
                                                size_t length,
                                                bool want_value,
                                                struct bytecode_map *map,
                                                struct bytecode_info *info);

/* The sentence for REFUSAL, and the name of operation CODE (null: none).  */
const char *bytecode_sentence (enum bytecode_refusal refusal);
const char *bytecode_name (uint8_t code);

/* GDB's numbers of registers, as the target description that the server sends
   has them (features org.gnu.gdb.i386.core, sse, linux, segments).  */
enum
{
  BYTECODE_REG_RIP = 16, BYTECODE_REG_RFLAGS = 17, BYTECODE_REG_CS = 18,
  BYTECODE_REG_GS = 23, BYTECODE_REG_ORIG_RAX = 57,
  BYTECODE_REG_FS_BASE = 58, BYTECODE_REG_GS_BASE = 59,
  BYTECODE_N_REGS = 200
};

/* The number of GDB's register 0 to 15 in enum arch_gpr.  */
unsigned bytecode_gpr (unsigned reg);

#endif
