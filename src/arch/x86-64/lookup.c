/* See arch/lookup.h.  */

#include "arch/lookup.h"

/* See lookup.h.  */
void
arch_emit_lookup (struct emit *e)
{
  static const uint8_t movzwl_cx_ecx[] = { 0x0f, 0xb7, 0xc9 };
  static const uint8_t jmp_rdx_rcx_8[] = { 0xff, 0x24, 0xca };

  emit_bytes (e, movzwl_cx_ecx, sizeof movzwl_cx_ecx);
  emit_load_gs (e, ARCH_RDX, CONTEXT_TABLE);
  emit_bytes (e, jmp_rdx_rcx_8, sizeof jmp_rdx_rcx_8);
}

/* See lookup.h.  */
void
arch_emit_shared_lookup (struct emit *e)
{
  emit_spill (e, ARCH_RDX);
  emit_store_gs (e, ARCH_RCX, CONTEXT_TARGET);
  arch_emit_lookup (e);
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
arch_emit_counter (struct emit *e, app_pc pc, unsigned threshold,
                   uint32_t exit, cache_pc to)
{
  static const uint8_t movzwl_gs_ecx[] = { 0x65, 0x0f, 0xb7, 0x0c, 0x25 };
  static const uint8_t mov_cx_gs[] = { 0x66, 0x65, 0x89, 0x0c, 0x25 };
  static const uint8_t lea_1_rcx_ecx[] = { 0x8d, 0x49, 0x01 };
  static const uint8_t lea_rcx_ecx[] = { 0x8d, 0x89 };
  uint32_t heat = CONTEXT_HEAT (arch_heat_index (pc));

  emit_spill (e, ARCH_RCX);
  emit_bytes (e, movzwl_gs_ecx, sizeof movzwl_gs_ecx);
  emit_32 (e, heat);
  emit_bytes (e, lea_1_rcx_ecx, sizeof lea_1_rcx_ecx);
  emit_bytes (e, mov_cx_gs, sizeof mov_cx_gs);
  emit_32 (e, heat);
  emit_bytes (e, lea_rcx_ecx, sizeof lea_rcx_ecx);
  emit_32 (e, -threshold);
  emit_8 (e, 0xe3);             /* jrcxz, over the next two */
  emit_8 (e, 9 + 5);
  emit_unspill (e, ARCH_RCX);
  emit_jmp (e, to);
  emit_unspill (e, ARCH_RCX);
  emit_store_gs_imm32 (e, exit, CONTEXT_EXIT);
  emit_jmp_gs (e, CONTEXT_LEAVE);
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
