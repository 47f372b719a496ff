/* See arch/lookup.h.  */

#include "arch/lookup.h"

/* See lookup.h.  */
void
arch_emit_lookup (struct emit *e)
{
  static const uint8_t movzwl_cx_ecx[] = { 0x0f, 0xb7, 0xc9 };
  static const uint8_t jmp_rdx_rcx_8[] = { 0xff, 0x24, 0xca };

  emit_spill (e, ARCH_RDX);
  emit_store_gs (e, ARCH_RCX, CONTEXT_TARGET);
  emit_bytes (e, movzwl_cx_ecx, sizeof movzwl_cx_ecx);
  emit_load_gs (e, ARCH_RDX, CONTEXT_TABLE);
  emit_bytes (e, jmp_rdx_rcx_8, sizeof jmp_rdx_rcx_8);
}

/* See lookup.h.  */
void
arch_emit_prefix (struct emit *e, app_pc pc, cache_pc next)
{
  emit_load_gs (e, ARCH_RCX, CONTEXT_TARGET);
  emit_mov_imm (e, ARCH_RDX, -pc);
  emit_lea_index (e, ARCH_RCX, ARCH_RCX, ARCH_RDX, 0);
  emit_8 (e, 0xe3);
  emit_8 (e, 6);
  emit_jmp_slot (e, next);
  emit_unspill (e, ARCH_RCX);
  emit_unspill (e, ARCH_RDX);
}

/* See lookup.h.  */
void
arch_unit_exit (uint8_t *unit, uint32_t exit)
{
  struct emit e = { .at = unit };

  emit_store_gs_imm32 (&e, exit, CONTEXT_EXIT);
  emit_jmp_gs (&e, CONTEXT_LEAVE);
}

/* See lookup.h.  */
void
arch_unit_jump (uint8_t *unit, cache_pc to)
{
  struct emit e = { .at = unit };

  emit_jmp_slot (&e, unit + 8);
  emit_16 (&e, 0x9066);
  emit_64 (&e, (uint64_t) to);
}

/* See lookup.h.  */
void
arch_unit_data (uint8_t *unit, uint64_t value)
{
  struct emit e = { .at = unit };

  emit_64 (&e, 0x0b0f0b0f0b0f0b0full);  /* ud2: nobody runs here */
  emit_64 (&e, value);
}

/* See lookup.h.  */
enum arch_unit_kind
arch_unit_read (const uint8_t *unit, uint64_t *value)
{
  uint32_t exit;

  switch (unit[0])
    {
    case 0x65:
      __builtin_memcpy (&exit, unit + 8, 4);
      *value = exit;
      return ARCH_UNIT_EXIT;
    case 0xff:
      __builtin_memcpy (value, unit + 8, 8);
      return ARCH_UNIT_JUMP;
    default:
      __builtin_memcpy (value, unit + ARCH_UNIT_DATA_AT, 8);
      return ARCH_UNIT_DATA;
    }
}
