/* See evaluate.h.

   At the start of the memory stand three ways out, for agent_exits; behind
   them the code of the expressions.  */

#include "debug/evaluate.h"
#include "arch/enter.h"
#include "arch/gate.h"
#include "common/assert.h"
#include "common/sorted.h"
#include "engine/heap.h"
#include "engine/thread.h"

#define CODE_SIZE (256ul << 10)
#define MAX_CODES 4096
#define MAX_READS 16384

static uint8_t *code;           /* CODE_SIZE bytes */
static struct emit out;
static struct agent_exits exits;
static cache_pc entries[MAX_CODES];
static unsigned n_entries;

/* Reads that may fault, and where each then goes on; by address.  */
static struct read { cache_pc at, to; } reads[MAX_READS];
static unsigned n_reads;

static uint8_t heights[CONDITION_MAX_LENGTH];
static uint32_t notes[CONDITION_MAX_LENGTH];
static struct agent_fault faults[ARCH_MAX_FAULTS];

static void
protect (uint64_t prot)
{
  long r = raw3 (__NR_mprotect, RAW_PTR (code), CODE_SIZE, prot);

  vm_assert (r == 0);
}

/* mov $TO, %rax; jmp *%rax  */
static cache_pc
emit_way (const uint8_t *to)
{
  cache_pc at = emit_pc (&out);

  emit_mov_imm (&out, ARCH_RAX, (uint64_t) to);
  emit_8 (&out, 0xff);
  emit_8 (&out, 0xe0);
  return at;
}

/* See evaluate.h.  */
bool
evaluate_begin (void)
{
  if (!code)
    code = core_map_far (CODE_SIZE);
  else
    protect (RAW_PROT_READ | RAW_PROT_WRITE);
  n_entries = n_reads = 0;
  if (!code)
    return false;
  out = (struct emit){ .at = code };
  exits.yes = emit_way (arch_evaluate_yes);
  exits.no = emit_way (arch_evaluate_no);
  exits.error = emit_way (arch_evaluate_error);
  return true;
}

static void
add_reads (const struct agent_code *made)
{
  for (uint32_t n = 0; n < made->n_faults; n++, n_reads++)
    {
      reads[n_reads].at = made->start + made->faults[n].at;
      reads[n_reads].to = made->start + made->faults[n].exit;
    }
}

static enum bytecode_refusal
add_one (const uint8_t *bytes, uint32_t length)
{
  struct agent_request r
      = { .bytes = bytes, .length = length, .want_value = true,
          .hooks = condition_hooks (), .exits = exits,
          .has_fsgsbase = thread_has_fsgsbase () };
  struct bytecode_map map = { heights, notes };
  struct agent_code made = { .faults = faults };
  struct bytecode_info info;
  enum bytecode_refusal why;

  if (length > CONDITION_MAX_LENGTH)
    return BYTECODE_TOO_LONG;
  why = agent_verify (&r, &map, &info);
  if (why)
    return why;
  if (n_entries == MAX_CODES || info.n_refs > ARCH_MAX_FAULTS
      || info.n_refs > MAX_READS - n_reads
      || agent_code_max (&info) > (size_t) (code + CODE_SIZE - out.at))
    return BYTECODE_TOO_LONG;
  entries[n_entries++] = emit_pc (&out);
  why = agent_compile (&r, &map, &info, &out, &made);
  vm_assert (!why);
  add_reads (&made);
  return BYTECODE_OK;
}

/* See evaluate.h.  */
enum bytecode_refusal
evaluate_add (const struct condition_list *l, unsigned *first)
{
  const uint8_t *bytes;
  uint32_t at = 0, length;
  enum bytecode_refusal why = BYTECODE_OK;

  *first = n_entries;
  for (uint32_t n = 0; !why && n < l->n; n++)
    why = condition_next (l, &at, &bytes, &length) ? add_one (bytes, length)
                                                   : BYTECODE_TRUNCATED;
  if (why)
    n_entries = *first;
  return why;
}

/* See evaluate.h.  */
void
evaluate_end (void)
{
  protect (RAW_PROT_READ | RAW_PROT_EXEC);
}

/* See evaluate.h.  */
bool
evaluate_any (struct thread *t, unsigned first, unsigned n)
{
  vm_assert (first + n <= n_entries);
  for (unsigned k = first; k < first + n; k++)
    if (arch_evaluate (&t->context, entries[k]))
      return true;
  return false;
}

/* See evaluate.h.  */
uint64_t
evaluate_fault (uint64_t pc)
{
  unsigned n = sorted_index (reads, n_reads, sizeof *reads,
                             offsetof (struct read, at), pc);

  return n < n_reads && (uint64_t) reads[n].at == pc
             ? (uint64_t) reads[n].to : 0;
}
