/* The instruction decoder: what the instruction at an address is.

   insn_decode looks at bytes only and fills in what every user of the decoder
   needs: length, layout, branch kind, and the row of the instruction table.
   What only some users need (flags, registers, memory operands) is computed
   from that row on demand, so that building a block pays for none of it.

   Every instruction decodes, known or not: an encoding that the tables do not
   know still gets a length where the map that it lies in fixes one
   (INSN_UNKNOWN set), and only an encoding that no processor can accept is
   refused.  No state, no locks; may run in signal context.

   Sources: SDM volume 2, chapters 2 to 6 and appendix A; APM volume 3 for
   what only AMD has (XOP, 3DNow!, clzero, monitorx, rdpru, …).

   Where processors differ: 66 in front of a near branch without REX.W is
   ignored, as Intel's do (SDM volume 2, 2.2.1.2 and JMP).  AMD's take an
   offset of 16 bits, or pop 16, and cut the target to 16 bits, where Linux
   lets nobody map code.  What only some processors know (MPX, CET,
   femms, …) is decoded as by one that does, but MPX: as NOP.  APX (REX2, and
   EVEX forms that need it) is refused.  */

#ifndef ARCH_DECODE_H
#define ARCH_DECODE_H

#include "arch/regs.h"

#define INSN_MAX_LENGTH 15

enum insn_status
{
  INSN_OK,
  INSN_TRUNCATED,       /* more bytes than AVAIL are needed */
  INSN_INVALID          /* raises #UD on every processor, or #GP for more
                           than 15 bytes */
};

/* Where control goes after an instruction.  */
enum insn_branch
{
  INSN_NO_BRANCH,
  INSN_JCC,             /* direct, conditional on flags; INSN.cc */
  INSN_LOOP,            /* loop, loope, loopne, jcxz, jecxz, jrcxz */
  INSN_JMP,             /* direct */
  INSN_CALL,            /* direct */
  INSN_JMP_IND,         /* near, through register or memory */
  INSN_CALL_IND,
  INSN_RET,             /* near; INSN.imm bytes more are popped */
  INSN_FAR,             /* far jmp, call, ret; iret */
  INSN_SYSCALL,         /* syscall */
  INSN_SYSENTER,        /* sysenter; on x86-64 Linux a fault or 32-bit call */
  INSN_INT,             /* int N; INSN.imm is N */
  INSN_INT3,            /* cc */
  INSN_INT1,            /* f1 */
  INSN_UD,              /* ud0, ud1, ud2, and what raises #UD */
  INSN_HLT,             /* privileged: raises #GP in user mode */
  INSN_XBEGIN           /* falls through, or goes to its target on abort */
};

/* Properties that the engine asks for, a bit each.  */
enum insn_property
{
  INSN_RIP_RELATIVE = 1 << 0,   /* ModRM operand is disp32(%rip) */
  INSN_SEG_FS = 1 << 1,         /* an effective fs segment override */
  INSN_SEG_GS = 1 << 2,
  INSN_NONDETERMINISTIC = 1 << 3, /* rdtsc, cpuid, rdrand, rdpid, xgetbv… */
  INSN_GS_BASE = 1 << 4,        /* rdgsbase, wrgsbase, swapgs, mov to or from
                                   %gs, push/pop %gs, lgs */
  INSN_FS_BASE = 1 << 5,
  INSN_PRIVILEGED = 1 << 6,     /* raises #GP in user mode */
  INSN_LOCK = 1 << 7,           /* an effective lock prefix, xchg m included */
  INSN_REP = 1 << 8,            /* an effective rep on a string instruction */
  INSN_STRING = 1 << 9,
  INSN_UNKNOWN = 1 << 10,       /* length is right, effects are not known */
  INSN_SERIALISING = 1 << 11,   /* cpuid, serialize, iret, … */
  INSN_STACK = 1 << 12,         /* uses %rsp implicitly: push, pop, enter … */
  INSN_X87_PC = 1 << 13,        /* stores the address of an x87 instruction:
                                   fnstenv, fnsave, fxsave, xsave … */
  INSN_SETS_TF = 1 << 14        /* popf: may set the trap flag */
};

/* Arithmetic flags and the others in %rflags, at their places there.  */
enum
{
  FLAG_CF = 1 << 0, FLAG_PF = 1 << 2, FLAG_AF = 1 << 4, FLAG_ZF = 1 << 6,
  FLAG_SF = 1 << 7, FLAG_TF = 1 << 8, FLAG_IF = 1 << 9, FLAG_DF = 1 << 10,
  FLAG_OF = 1 << 11, FLAG_RF = 1 << 16, FLAG_AC = 1 << 18,
  FLAG_ARITH = FLAG_CF | FLAG_PF | FLAG_AF | FLAG_ZF | FLAG_SF | FLAG_OF
};

struct insn_row;                /* of the instruction table; decode.c's own */

struct insn
{
  const uint8_t *bytes;         /* where it was read from */
  app_pc pc;                    /* where it runs */
  const struct insn_row *row;
  app_pc target;                /* of a direct branch */
  int64_t imm;                  /* first immediate, sign-extended, but for
                                   those of ret and enter; a moffs too */
  int32_t disp;                 /* displacement of the ModRM operand, in
                                   bytes: that of EVEX scaled already */
  uint16_t properties;          /* of enum insn_property */
  uint8_t length;
  uint8_t branch;               /* enum insn_branch */
  uint8_t cc;                   /* condition, 0 to 15, of jcc, setcc, cmovcc;
                                   of INSN_LOOP the low opcode byte */
  uint8_t map;                  /* 0 one-byte, 1 0f, 2 0f38, 3 0f3a, 5, 6
                                   EVEX maps, 8 to 10 XOP, 15 3DNow! */
  uint8_t opcode;
  uint8_t opcode_at;            /* offset of the opcode byte; of 3DNow! the
                                   last one of the instruction */
  uint8_t modrm_at;             /* 0: none */
  uint8_t modrm, sib;
  uint8_t disp_at, disp_size;   /* offset and bytes; 0: none */
  uint8_t imm_at, imm_size;     /* of all immediates together */
  uint8_t rex;                  /* REX byte, or the same bits W R X B taken
                                   from VEX or EVEX, as 0x4?; 0: none, or
                                   ignored for not being last */
  uint8_t vex;                  /* 0 legacy, 1 VEX, 2 EVEX, 3 XOP */
  uint8_t opsize;               /* 1, 2, 4, 8: effective operand size */
  uint8_t addrsize;             /* 4 or 8 */
  uint8_t prefix_66, prefix_rep; /* rep: 0, 0xf2 or 0xf3 as written */
};

/* Decode the instruction in BYTES, of which AVAIL may be read, as if it stood
   at PC.  On INSN_OK all of *I is filled in.  On INSN_INVALID length is that
   of the bytes that the processor would look at.  */
MUST_USE enum insn_status insn_decode (struct insn *i, const uint8_t *bytes,
                                       size_t avail, app_pc pc);

/* Flags (FLAG_*) that I may read, and those that it may write.  A flag left
   undefined counts as written.  A flag that is written only sometimes (a
   shift by %cl, rep with a count of 0) counts as both read and written; so
   does one that is left undefined where some processors keep it, as AMD's do
   in mul, div, bt, bsf and their like.  What insn_flags_written has and
   insn_flags_read has not is dead before I.  */
unsigned insn_flags_read (const struct insn *i);
unsigned insn_flags_written (const struct insn *i);

/* General registers that I may read or write, as masks by number (enum
   arch_gpr), implicit ones and those of addresses included.  A register that
   is written in part (1 or 2 bytes) or only sometimes (cmov, bsf, rep with a
   count of 0) counts as read too: what insn_gpr_written has and insn_gpr_read
   has not is dead before I.  For an INSN_UNKNOWN instruction, and for those
   that enter the kernel, all bits are set in both or in the mask read.  */
unsigned insn_gpr_read (const struct insn *i);
unsigned insn_gpr_written (const struct insn *i);

/* One memory operand.  */
enum insn_access { INSN_READ = 1, INSN_WRITE = 2, INSN_PREFETCH = 4 };

enum insn_mem_kind
{
  INSN_MEM_PLAIN,       /* SEG:BASE + INDEX * SCALE + DISP, SIZE bytes */
  INSN_MEM_PUSH,        /* SIZE bytes below %rsp: address %rsp - SIZE */
  INSN_MEM_POP,         /* SIZE bytes at %rsp */
  INSN_MEM_STRING_SRC,  /* at %rsi, going by DF; SIZE is one element */
  INSN_MEM_STRING_DST,  /* at %rdi */
  INSN_MEM_VSIB,        /* INDEX is a vector register: gather, scatter */
  INSN_MEM_XSAVE,       /* size depends on %edx:%eax and XCR0 */
  INSN_MEM_XLAT,        /* one byte at BASE + %al, zero-extended */
  INSN_MEM_LINE,        /* the address is rounded down to SIZE: clzero */
  INSN_MEM_BIT,         /* bt, bts, btr, btc with a register: as PLAIN, and
                           moved by SIZE * (register ELEMENT, cut to SIZE
                           bytes and signed, shifted right arithmetically by
                           the log2 of the bits in SIZE) */
  INSN_MEM_UNKNOWN      /* the extent cannot be told from the encoding */
};

/* How a mask governs an operand.  A mask is the EVEX mask register of the
   encoding, or, for VEX and maskmov, the top bits of the elements of a
   vector.  */
enum insn_masking
{
  INSN_UNMASKED,
  INSN_MASKED,          /* element N is accessed if bit N is set */
  INSN_MASKED_PACKED,   /* the first elements, one for each bit that is set */
  INSN_MASKED_WHOLE     /* all of it, or nothing if no bit is set */
};

#define INSN_NO_REG 0xff
#define INSN_RIP 0xfe           /* as BASE: the next instruction's address */

struct insn_mem
{
  uint8_t kind;         /* enum insn_mem_kind */
  uint8_t access;       /* of enum insn_access */
  uint8_t seg;          /* 0, 4 = %fs, 5 = %gs */
  uint8_t base, index;  /* number, INSN_NO_REG or INSN_RIP */
  uint8_t scale;        /* 1, 2, 4, 8 */
  uint8_t addrsize;     /* 4 or 8: the sum is cut to it before SEG is added */
  uint8_t masked;       /* enum insn_masking */
  uint8_t element;      /* bytes of one element of VSIB or of a mask; of BIT
                           the number of the register with the offset */
  uint8_t n_elements;   /* of VSIB */
  uint32_t size;        /* bytes; of one element for STRING and VSIB;
                           an upper bound for XSAVE */
  int64_t disp;         /* moffs64 included */
};

#define INSN_MAX_MEM 4

/* Fill in OPS with the memory operands of I, implicit ones included, and
   return their number.  lea, nop and monitor have none; prefetches and
   flushes of a cache line have one.  */
unsigned insn_memory (const struct insn *i, struct insn_mem ops[INSN_MAX_MEM]);

#endif
