/* The shape of the instruction table.

   A root entry for each opcode of each map, then nodes that select by a few
   bits of a key (mandatory prefix, ModRM fields, W, L …), end in a row.  A
   row says all that the encoding implies; rows are shared by all encodings
   that imply the same.  decode-table.c is made from decode-table.txt by
   maint/decode-table.py, which has the numbers below too.  For the decoder's
   own files only.  */

#ifndef ARCH_X86_64_DECODE_TABLE_H
#define ARCH_X86_64_DECODE_TABLE_H

#include "arch/decode.h"

/* Maps, in the order of decode_roots.  */
enum decode_map
{
  MAP_LEGACY,                   /* 0 to 3: none, 0f, 0f 38, 0f 3a */
  MAP_VEX = 3,                  /* 4 to 6: MAP_VEX + m */
  MAP_VEX5 = 7, MAP_VEX7 = 8,
  MAP_EVEX = 8,                 /* 9 to 11, 13, 14: MAP_EVEX + m */
  MAP_XOP = 7,                  /* 15 to 17: MAP_XOP + m */
  MAP_3DNOW = 18,
  N_MAPS = 19
};

/* Root entries and nodes.  A node is (SHIFT | MASK << 8) followed by
   MASK + 1 entries, selected by KEY >> SHIFT & MASK.  */
enum
{
  ENTRY_NODE = 0x8000,          /* the rest is an index of decode_nodes */
  ENTRY_MODRM = 0x4000,         /* of a root: ModRM follows */
  ENTRY_INDEX = 0x3fff
};

/* The key.  */
enum
{
  KEY_PP = 0,                   /* 2 bits: none, 66, f3, f2 */
  KEY_REGFORM = 2,              /* ModRM.mod is 3 */
  KEY_RM = 3,                   /* 3 bits */
  KEY_REG = 6,                  /* 3 bits */
  KEY_W = 9,
  KEY_L = 10,                   /* 2 bits */
  KEY_REXB = 12
};

enum row_imm
{
  IMM_NONE, IMM_8, IMM_16, IMM_Z, IMM_V, IMM_16_8, IMM_8_8, IMM_J8, IMM_JZ,
  IMM_OFFSET, IMM_32, IMM_FAR
};

/* Sizes of operands.  */
enum row_size
{
  SIZE_NONE, SIZE_1, SIZE_2, SIZE_4, SIZE_8, SIZE_10, SIZE_16, SIZE_32,
  SIZE_48, SIZE_64, SIZE_512,
  SIZE_V,                       /* operand size */
  SIZE_Y,                       /* 4, or 8 with W */
  SIZE_X, SIZE_H, SIZE_F, SIZE_E, /* vector length; half, 4th, 8th of it */
  SIZE_U,                       /* of movddup: 8, 32, 64 */
  SIZE_FAR,                     /* 2 + operand size */
  SIZE_DESC,                    /* of lgdt: 10 */
  SIZE_ENV, SIZE_FSAVE,         /* of fnstenv and fnsave */
  SIZE_XSAVE,
  SIZE_A                        /* address size */
};

/* A general register in one place of the encoding: size and access.  */
enum
{
  SLOT_SIZE = 0x1f, SLOT_READ = 0x20, SLOT_WRITE = 0x40
};

/* The ModRM r/m operand.  READ, WRITE and PREFETCH are those of
   enum insn_access.  */
enum
{
  RM_GPR = 8,                   /* the register form names a general one */
  RM_MEMORY = 16                /* the memory form is accessed */
};

/* How elements count.  */
enum
{
  ELEM_SIZE = 0x1f,
  ELEM_BROADCAST = 0x20,        /* EVEX.b broadcasts one from memory */
  ELEM_MASKED = 0x40,           /* a mask's bit N governs element N */
  ELEM_PACKED = 0x80            /* as many as a mask has bits are accessed */
};

enum row_flag
{
  ROW_BYTE = 1 << 0,            /* operand size is 1 */
  ROW_D64 = 1 << 1,             /* … 8, or 2 with 66 */
  ROW_F64 = 1 << 2,             /* … 8 */
  ROW_M66 = 1 << 3,             /* 66 is a mandatory prefix */
  ROW_LOCKABLE = 1 << 4,
  ROW_AUTOLOCK = 1 << 5,        /* locks without the prefix */
  ROW_REGFORM = 1 << 6,         /* ModRM.mod is taken for 3 */
  ROW_SHIFT = 1 << 7,           /* by imm: a count of 0 leaves the flags */
  ROW_REP = 1 << 8,             /* a string instruction: rep counts by rcx */
  ROW_IO = 1 << 9,              /* operand size is 4 at most */
  ROW_SEG = 1 << 10,            /* implicit memory that an override moves */
  ROW_COUNT = 1 << 11,          /* loop: rcx read and written */
  ROW_MASKED = 1 << 12,         /* masked without an EVEX mask: vmaskmov */
  ROW_INVALID = 1 << 13
};

/* Implicit memory.  */
enum row_memory
{
  MEM_NONE, MEM_PUSH, MEM_POP, MEM_ENTER, MEM_LEAVE, MEM_RETF, MEM_IRET,
  MEM_UIRET, MEM_CALLF, MEM_STRING, MEM_XLAT, MEM_OFFSET_R, MEM_OFFSET_W,
  MEM_MASKMOVQ,
  MEM_MASKMOVDQU, MEM_CLZERO, MEM_DEST64, MEM_BIT, MEM_VSIB4, MEM_VSIB8,
  MEM_UNKNOWN
};

/* For MEM_STRING, accesses of enum insn_access.  */
#define STRING_SRC(A) ((A) & 3)
#define STRING_DST(A) ((A) >> 2 & 3)

struct insn_row
{
  uint32_t properties;
  uint16_t flags;               /* of enum row_flag */
  uint16_t flags_read, flags_written; /* FLAG_AC at bit 1 */
  uint16_t gpr_read, gpr_written; /* implicit ones */
  uint8_t branch;               /* enum insn_branch */
  uint8_t imm;                  /* enum row_imm */
  uint8_t rm, rm_size;
  uint8_t reg, vvvv, opc, acc, dx; /* slots */
  uint8_t elem;
  uint8_t disp8;                /* size that scales an EVEX disp8; 0: rm's */
  uint8_t memory;               /* enum row_memory */
  uint8_t string;               /* STRING_SRC, STRING_DST */
};

extern const uint16_t decode_roots[N_MAPS][256];
extern const uint16_t decode_nodes[];
extern const struct insn_row decode_rows[];

/* Bytes of SIZE (enum row_size) in the instruction I.  */
unsigned decode_size (const struct insn *i, unsigned size);

/* What an EVEX disp8 of I is multiplied by.  */
unsigned decode_disp8_scale (const struct insn *i);

/* The vector length of I in bytes.  */
unsigned decode_vector_length (const struct insn *i);

#endif
