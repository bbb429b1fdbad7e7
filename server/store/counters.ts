import type { Severity } from '../microsoft/microsoft.ts'
import type { Tx } from './database.ts'

/** Keeps the tenant's counters in step with its incidents; called in the transaction that changed them. */
export async function recount(tx: Tx, tenantId: string, now: Date): Promise<{ firstIncident: boolean }> {
  const groups = await tx
    .selectFrom('incidents')
    .select(({ fn, eb }) => [
      'severity',
      fn.countAll<number>().as('n'),
      fn.sum<number | null>(eb.case().when('assigned_to', 'is', null).then(1).else(0).end()).as('unassigned'),
    ])
    .where('tenant_id', '=', tenantId)
    .where('open', '=', 1)
    .where('redirect_id', 'is', null)
    .groupBy('severity')
    .execute()
  const total = await tx
    .selectFrom('incidents')
    .select(({ fn }) => fn.countAll<number>().as('n'))
    .where('tenant_id', '=', tenantId)
    .where('redirect_id', 'is', null)
    .executeTakeFirstOrThrow()
  const group = (severity: Severity) => groups.find((one) => one.severity === severity)
  const count = (severity: Severity) => Number(group(severity)?.n ?? 0)
  const unassigned = (severity: Severity) => Number(group(severity)?.unassigned ?? 0)
  await tx
    .updateTable('tenants')
    .set({
      open_high: count('high'),
      open_medium: count('medium'),
      open_low: count('low'),
      open_informational: count('informational'),
      open_unknown: count('unknown'),
      unassigned_high: unassigned('high'),
      unassigned_medium: unassigned('medium'),
      unassigned_low: unassigned('low'),
      unassigned_informational: unassigned('informational'),
      unassigned_unknown: unassigned('unknown'),
      incident_count: Number(total.n),
    })
    .where('tenant_id', '=', tenantId)
    .execute()
  if (Number(total.n) === 0) return { firstIncident: false }
  const first = await tx
    .updateTable('tenants')
    .set({ first_incident_at: now.toISOString() })
    .where('tenant_id', '=', tenantId)
    .where('first_incident_at', 'is', null)
    .executeTakeFirst()
  return { firstIncident: first.numUpdatedRows > 0n }
}
