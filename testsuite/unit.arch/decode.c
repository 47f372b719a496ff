/* The decoder on encodings of which each has caught a decoder out, with what
   the manuals say of them; and on input that ends early.  */

#include "lib/check.h"

#include "arch/decode.h"

#include <inttypes.h>
#include <string.h>
#include <sys/mman.h>

#define PC 0x400000

struct sample
{
  const char *what;
  const char *hex;
  uint8_t status, length, branch;
  uint16_t properties;          /* that it has, of those in PROPERTIES */
  uint64_t target;
};

#define PROPERTIES \
  (INSN_RIP_RELATIVE | INSN_SEG_FS | INSN_SEG_GS | INSN_LOCK | INSN_REP \
   | INSN_STACK | INSN_PRIVILEGED | INSN_UNKNOWN | INSN_NONDETERMINISTIC)

static const struct sample samples[] = {
  { "nop", "90", 0, 1, 0, 0, 0 },
  { "REX ignored when not last", "4866b80100", 0, 5, 0, 0, 0 },
  { "REX.W over 66", "6648b80102030405060708", 0, 11, 0, 0, 0 },
  { "movabs", "48b80102030405060708", 0, 10, 0, 0, 0 },
  { "mov moffs64", "48a10102030405060708", 0, 10, 0, 0, 0 },
  { "mov moffs32 with 67", "67a101020304", 0, 6, 0, 0, 0 },
  { "mov gs:moffs64", "65a10102030405060708", 0, 10, 0, INSN_SEG_GS, 0 },
  { "rip-relative", "488b0511000000", 0, 7, 0, INSN_RIP_RELATIVE, 0 },
  { "rip-relative with imm", "c7051100000001000000", 0, 10, 0,
    INSN_RIP_RELATIVE, 0 },
  { "SIB without base", "8b042544332211", 0, 7, 0, 0, 0 },
  { "fs", "64488b042528000000", 0, 9, 0, INSN_SEG_FS, 0 },
  { "gs on a register form", "654889c0", 0, 4, 0, 0, 0 },
  { "gs on lea", "65488d4508", 0, 5, 0, 0, 0 },
  { "lock", "f00fb10f", 0, 4, 0, INSN_LOCK, 0 },
  { "xchg locks by itself", "8707", 0, 2, 0, INSN_LOCK, 0 },
  { "lock on a register", "f001c0", INSN_INVALID, 3, INSN_UD, 0, 0 },
  { "lock on mov", "f08907", INSN_INVALID, 3, INSN_UD, 0, 0 },
  { "rep movs", "f348a5", 0, 3, 0, INSN_REP, 0 },
  { "rep ret", "f3c3", 0, 2, INSN_RET, INSN_STACK, 0 },
  { "ret imm16", "c20800", 0, 3, INSN_RET, INSN_STACK, 0 },
  { "bnd jmp", "f2e901000000", 0, 6, INSN_JMP, 0, PC + 7 },
  { "notrack jmp", "3effe0", 0, 3, INSN_JMP_IND, 0, 0 },
  { "call", "e8fbffffff", 0, 5, INSN_CALL, INSN_STACK, PC },
  { "data16 rex.W call", "6648e800000000", 0, 7, INSN_CALL, INSN_STACK,
    PC + 7 },
  { "call through memory", "ff1511000000", 0, 6, INSN_CALL_IND,
    INSN_RIP_RELATIVE | INSN_STACK, 0 },
  { "jcc short", "75fe", 0, 2, INSN_JCC, 0, PC },
  { "jcc near", "0f8500010000", 0, 6, INSN_JCC, 0, PC + 0x106 },
  { "jrcxz", "e300", 0, 2, INSN_LOOP, 0, PC + 2 },
  { "jecxz", "67e300", 0, 3, INSN_LOOP, 0, PC + 3 },
  { "loopne", "e0fe", 0, 2, INSN_LOOP, 0, PC },
  { "far jump", "ff28", 0, 2, INSN_FAR, 0, 0 },
  { "syscall", "0f05", 0, 2, INSN_SYSCALL, 0, 0 },
  { "int 0x80", "cd80", 0, 2, INSN_INT, 0, 0 },
  { "ud2", "0f0b", 0, 2, INSN_UD, 0, 0 },
  { "hlt", "f4", 0, 1, INSN_HLT, INSN_PRIVILEGED, 0 },
  { "xbegin", "c7f800000000", 0, 6, INSN_XBEGIN, 0, PC + 6 },
  { "push imm8", "6aff", 0, 2, 0, INSN_STACK, 0 },
  { "push imm32", "6801020304", 0, 5, 0, INSN_STACK, 0 },
  { "push imm16", "66680102", 0, 4, 0, INSN_STACK, 0 },
  { "enter", "c8100002", 0, 4, 0, INSN_STACK, 0 },
  { "test imm8", "f60001", 0, 3, 0, 0, 0 },
  { "test imm16", "66f7000102", 0, 5, 0, 0, 0 },
  { "not has none", "f710", 0, 2, 0, 0, 0 },
  { "mov %cr0 ignores mod", "0f2000", 0, 3, 0, INSN_PRIVILEGED, 0 },
  { "endbr64", "f30f1efa", 0, 4, 0, 0, 0 },
  { "rdtsc", "0f31", 0, 2, 0, INSN_NONDETERMINISTIC, 0 },
  { "3DNow!", "0f0fc19e", 0, 4, 0, 0, 0 },
  { "3DNow! with displacement", "0f0f450890", 0, 5, 0, 0, 0 },
  { "extrq", "660f78c01020", 0, 6, 0, 0, 0 },
  { "VEX of two bytes", "c5f858c1", 0, 4, 0, 0, 0 },
  { "VEX with imm", "c4e37d0a0501000000aa", 0, 10, 0, INSN_RIP_RELATIVE, 0 },
  { "66 before VEX", "66c5f858c1", INSN_INVALID, 5, INSN_UD, 0, 0 },
  { "REX before VEX", "48c5f858c1", INSN_INVALID, 5, INSN_UD, 0, 0 },
  { "vzeroupper", "c5f877", 0, 3, 0, 0, 0 },
  { "EVEX", "62f17c4858c1", 0, 6, 0, 0, 0 },
  { "XOP", "8fe878a3c1aa00", 0, 6, 0, 0, 0 },
  { "pop is no XOP", "8fc0", 0, 2, 0, INSN_STACK, 0 },
  { "push %es", "06", INSN_INVALID, 1, INSN_UD, 0, 0 },
  { "jmp far", "ea000000000000", INSN_INVALID, 7, INSN_UD, 0, 0 },
  { "aaa", "37", INSN_INVALID, 1, INSN_UD, 0, 0 },
  { "15 bytes", "666666666666666666666666666690", 0, 15, 0, 0, 0 },
  { "16 bytes", "66666666666666666666666666666690", INSN_INVALID, 15, INSN_UD,
    0, 0 },
};

static size_t
from_hex (uint8_t *bytes, const char *hex)
{
  size_t n = strlen (hex) / 2;

  for (size_t k = 0; k < n; k++)
    sscanf (hex + 2 * k, "%2hhx", bytes + k);
  return n;
}

static void
test_samples (void)
{
  for (unsigned k = 0; k < ARRAY_SIZE (samples); k++)
    {
      const struct sample *s = &samples[k];
      uint8_t bytes[32] = { 0 };
      struct insn i;
      enum insn_status status;

      from_hex (bytes, s->hex);
      status = insn_decode (&i, bytes, sizeof bytes, PC);
      check (status == s->status && i.length == s->length
             && i.branch == s->branch && i.target == s->target
             && (i.properties & PROPERTIES) == s->properties,
             "%s (status %u, length %u, branch %u, properties %#x, target %#"
             PRIx64 ")", s->what, status, i.length, i.branch,
             i.properties & PROPERTIES, i.target);
    }
}

/* Every prefix of a sample is TRUNCATED, and nothing behind it is read: a
   page that cannot be read follows.  */
static void
test_truncated (void)
{
  uint8_t *page = mmap (NULL, 2 * PAGE_SIZE, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  unsigned wrong = 0;

  mprotect (page + PAGE_SIZE, PAGE_SIZE, PROT_NONE);
  for (unsigned k = 0; k < ARRAY_SIZE (samples); k++)
    for (unsigned avail = 0; avail <= samples[k].length; avail++)
      {
        uint8_t bytes[32];
        struct insn i;
        enum insn_status status;

        from_hex (bytes, samples[k].hex);
        memcpy (page + PAGE_SIZE - avail, bytes, avail);
        status = insn_decode (&i, page + PAGE_SIZE - avail, avail, PC);
        wrong += status != (avail < samples[k].length ? INSN_TRUNCATED
                                                      : samples[k].status);
      }
  check (wrong == 0, "input that ends early (%u wrong)", wrong);
}

static void
decode_hex (struct insn *i, uint8_t bytes[32], const char *hex)
{
  memset (bytes, 0, 32);
  from_hex (bytes, hex);
  if (insn_decode (i, bytes, 32, PC) != INSN_OK)
    abort ();
}

/* Flags and registers: HEX reads and writes these.  */
static const struct
{
  const char *what, *hex;
  unsigned flags_read, flags_written, gpr_read, gpr_written;
} effects[] = {
  { "add %rcx, %rax", "4801c8", 0, FLAG_ARITH, 3, 1 },
  { "adc %ecx, %eax", "11c8", FLAG_CF, FLAG_ARITH, 3, 1 },
  { "mov %cl, %al keeps the rest", "88c8", 0, 0, 3, 1 },
  { "mov %ch, %ah is of the same", "88ec", 0, 0, 3, 1 },
  { "mov %spl, %al with REX", "4088e0", 0, 0, 0x11, 1 },
  { "mov %ecx, %eax", "89c8", 0, 0, 2, 1 },
  { "shl $0", "c1e000", 0, 0, 1, 1 },
  { "shl $1", "d1e0", 0, FLAG_ARITH, 1, 1 },
  { "shl %cl", "d3e0", FLAG_ARITH, FLAG_ARITH, 3, 1 },
  { "inc keeps CF", "ffc0", 0, FLAG_ARITH & ~FLAG_CF, 1, 1 },
  { "cmovne", "0f45c1", FLAG_ZF, 0, 3, 1 },
  { "jbe", "7600", FLAG_CF | FLAG_ZF, 0, 0, 0 },
  { "rep movsb", "f3a4", FLAG_DF, 0, 0xc2, 0xc2 },
  { "movsb", "a4", FLAG_DF, 0, 0xc0, 0xc0 },
  { "repne scasb", "f2ae", FLAG_DF | FLAG_ARITH, FLAG_ARITH, 0x83, 0x82 },
  { "mulx", "c4e2f3f6c3", 0, 0, 0xc, 3 },
  { "cqo", "4899", 0, 0, 1, 4 },
  { "loop", "e200", 0, 0, 2, 2 },
  { "push %rbx", "53", 0, 0, 0x18, 0x10 },
  { "lea 8(%rdi,%rsi), %rax", "488d443708", 0, 0, 0xc0, 1 },
  { "syscall keeps flags in %r11", "0f05",
    FLAG_ARITH | FLAG_DF | FLAG_TF, 0, 0xffff, 0x803 },
  { "xchg %r8, %rax by 90", "4990", 0, 0, 0x101, 0x101 },
};

static void
test_effects (void)
{
  for (unsigned k = 0; k < ARRAY_SIZE (effects); k++)
    {
      struct insn i;
      uint8_t bytes[32];

      decode_hex (&i, bytes, effects[k].hex);
      check (insn_flags_read (&i) == effects[k].flags_read
             && insn_flags_written (&i) == effects[k].flags_written
             && insn_gpr_read (&i) == effects[k].gpr_read
             && insn_gpr_written (&i) == effects[k].gpr_written,
             "effects of %s (%#x %#x %#x %#x)", effects[k].what,
             insn_flags_read (&i), insn_flags_written (&i),
             insn_gpr_read (&i), insn_gpr_written (&i));
    }
}

/* The first memory operand of HEX, and how many there are.  */
static const struct
{
  const char *what, *hex;
  unsigned n;
  struct insn_mem op;
} operands[] = {
  { "lea", "488d443708", 0, { 0 } },
  { "mov 8(%rdi,%rsi,4), %eax", "8b44b708", 1,
    { .access = INSN_READ, .base = 7, .index = 6, .scale = 4, .addrsize = 8,
      .size = 4, .disp = 8 } },
  { "push 8(%rax)", "ff7008", 2,
    { .kind = INSN_MEM_PUSH, .access = INSN_WRITE, .base = 4,
      .index = INSN_NO_REG, .scale = 1, .addrsize = 8, .size = 8 } },
  { "fnstenv", "d930", 1,
    { .access = INSN_WRITE, .base = 0, .index = INSN_NO_REG, .scale = 1,
      .addrsize = 8, .size = 28 } },
  { "fnstenv with 66", "66d930", 1,
    { .access = INSN_WRITE, .base = 0, .index = INSN_NO_REG, .scale = 1,
      .addrsize = 8, .size = 14 } },
  { "fnstenv with 66 and REX.W", "6648d930", 1,
    { .access = INSN_WRITE, .base = 0, .index = INSN_NO_REG, .scale = 1,
      .addrsize = 8, .size = 28 } },
  { "movs", "a5", 2,
    { .kind = INSN_MEM_STRING_SRC, .access = INSN_READ, .base = 6,
      .index = INSN_NO_REG, .scale = 1, .addrsize = 8, .size = 4 } },
  { "EVEX disp8 of 64 bytes", "62f17c48106701", 1,
    { .access = INSN_READ, .base = 7, .index = INSN_NO_REG, .scale = 1,
      .addrsize = 8, .size = 64, .disp = 64 } },
  { "EVEX broadcast of 4 bytes", "62f17c58586701", 1,
    { .access = INSN_READ, .base = 7, .index = INSN_NO_REG, .scale = 1,
      .addrsize = 8, .size = 4, .disp = 4 } },
  { "EVEX store under a mask", "62f17c49112f", 1,
    { .access = INSN_WRITE, .base = 7, .index = INSN_NO_REG, .scale = 1,
      .addrsize = 8, .size = 64, .masked = INSN_MASKED, .element = 4 } },
  { "scatter", "62f27d4aa0040f", 1,
    { .kind = INSN_MEM_VSIB, .access = INSN_WRITE, .base = 7, .index = 1,
      .scale = 1, .addrsize = 8, .size = 4, .masked = INSN_MASKED,
      .element = 4, .n_elements = 16 } },
  { "bts %rax, (%rdi)", "480fab07", 1,
    { .kind = INSN_MEM_BIT, .access = INSN_READ | INSN_WRITE, .base = 7,
      .index = INSN_NO_REG, .scale = 1, .addrsize = 8, .size = 8,
      .element = 0 } },
  { "cmpxchg16b %gs:(%rdi)", "65480fc70f", 1,
    { .access = INSN_READ | INSN_WRITE, .seg = 5, .base = 7,
      .index = INSN_NO_REG, .scale = 1, .addrsize = 8, .size = 16 } },
};

static void
test_operands (void)
{
  for (unsigned k = 0; k < ARRAY_SIZE (operands); k++)
    {
      struct insn i;
      struct insn_mem ops[INSN_MAX_MEM] = { 0 };
      uint8_t bytes[32];
      unsigned n;

      decode_hex (&i, bytes, operands[k].hex);
      n = insn_memory (&i, ops);
      check (n == operands[k].n && !memcmp (ops, &operands[k].op, sizeof *ops),
             "operands of %s (%u: kind %u size %u)", operands[k].what, n,
             ops[0].kind, ops[0].size);
    }
}

int
main (void)
{
  test_samples ();
  test_truncated ();
  test_effects ();
  test_operands ();
  return check_done ();
}
