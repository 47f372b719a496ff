/* The frame that the kernel builds on a stack for a signal handler, and
   rt_sigreturn takes: its layout, and building one that nobody can tell from
   the kernel's (arch/x86/kernel/signal.c and signal_64.c, fpu/signal.c).

   From high addresses to low: the red zone or the top of the alternate stack;
   the vector image (XSAVE, standard format, aligned to 64) and the second
   magic behind it; struct frame, its address 8 below a multiple of 16.

   No state; may run in signal context.  */

#ifndef ARCH_SIGNAL_FRAME_H
#define ARCH_SIGNAL_FRAME_H

#include "arch/context.h"

/* stack_t.  */
struct frame_stack
{
  uint64_t sp;
  uint32_t flags;
  uint32_t pad;
  uint64_t size;
};

/* struct sigcontext_64 of <asm/sigcontext.h>.  */
struct frame_regs
{
  uint64_t r8, r9, r10, r11, r12, r13, r14, r15;
  uint64_t rdi, rsi, rbp, rbx, rdx, rax, rcx, rsp, rip, rflags;
  uint16_t cs, gs, fs, ss;
  uint64_t err, trapno, oldmask, cr2;
  uint64_t vector;              /* address of the image; 0: initial state */
  uint64_t reserved[8];
};

struct frame_ucontext
{
  uint64_t flags;               /* of enum frame_flag */
  uint64_t link;
  struct frame_stack stack;
  struct frame_regs regs;
  uint64_t mask;
};

enum frame_flag
{
  FRAME_XSTATE = 1, FRAME_SS = 2, FRAME_STRICT_SS = 4
};

struct frame
{
  uint64_t restorer;
  struct frame_ucontext uc;
  uint8_t info[128];            /* siginfo */
};

/* struct _fpx_sw_bytes, at FRAME_SW_AT in the vector image.  */
struct frame_sw
{
  uint32_t magic1;
  uint32_t extended_size;       /* xstate_size and the second magic */
  uint64_t features;
  uint32_t xstate_size;
  uint32_t pad[7];
};

#define FRAME_SW_AT 464
#define FRAME_HEADER_AT 512
#define FRAME_MAGIC1 0x46505853u
#define FRAME_MAGIC2 0x46505845u

_Static_assert (sizeof (struct frame_regs) == 256, "");
_Static_assert (sizeof (struct frame_ucontext) == 304, "");
_Static_assert (sizeof (struct frame) == 440, "");
_Static_assert (sizeof (struct frame_sw) == 48, "");

/* What a frame says beside the registers.  */
struct frame_facts
{
  uint64_t mask;
  struct frame_stack stack;
  uint64_t trapno, err, cr2;
  uint64_t restorer;
};

/* Copies N bytes at SRC to the application's ADDR; false: it faulted.  */
typedef bool frame_writer (app_addr addr, const void *src, size_t n);

/* The address for a frame and, in *VECTOR, for its vector image, when SP is
   where the room ends: the stack pointer less the red zone, or the top of
   the alternate stack.  SW is the kernel's description of an image.  */
app_addr frame_place (app_addr sp, const struct frame_sw *sw,
                      app_addr *vector);

/* Fill in F, but for the siginfo, from the state in C and from FACTS.  */
void frame_fill (struct frame *f, const struct arch_context *c,
                 const struct frame_facts *facts, app_addr vector);

/* Write the live vector registers as an image to VECTOR.  */
MUST_USE bool frame_write_vector (app_addr vector, const struct frame_sw *sw,
                                  frame_writer *write);

/* Make the context registers those of F's, as rt_sigreturn does; flags that a
   program cannot set stay as they are in C.  */
void frame_take (struct arch_context *c, const struct frame_regs *f);

/* The general registers, rip and rflags of a frame to REGS, and back.  */
void frame_get_regs (struct arch_regs *regs, const struct frame_regs *f);
void frame_set_regs (struct frame_regs *f, const uint64_t gpr[ARCH_N_GPR],
                     uint64_t rip, uint64_t rflags);

/* Change F so that its sigreturn goes on at FUNCTION (A, B), which does not
   return, on the stack whose top is STACK.  */
void frame_redirect (struct frame_regs *f, const void *function, uint64_t a,
                     uint64_t b, uint64_t stack);

#endif
