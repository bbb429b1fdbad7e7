import { sql } from 'kysely'
import type { PartialAnswer } from '../../model/incident.ts'
import type { Tx } from '../engine/dialect.ts'

/** Reasons by which items are listed that Microsoft gave in part, and that are asked for again. */
export const partlyAnswered = ['partly-answered', 'alerts-partly-answered'] as const
/** A source that was silent is back more often than what was not understood becomes readable. */
export const partialTriedEvery = 5 * 60_000

/** `Microsoft/WDATP (401), Microsoft/MCAS`; empty where no source is named. */
export const sourcesInWords = ({ sources }: PartialAnswer): string =>
  sources.map(({ name, status }) => (status === null ? name : `${name} (${status})`)).join(', ')

/** Microsoft answered in part: from now on the tenant counts with the blind, until answers are whole again. */
export async function notePartialAnswer(tx: Tx, tenantId: string, partial: PartialAnswer, now: Date): Promise<void> {
  await tx
    .updateTable('tenants')
    .set((eb) => ({
      partial_since: eb.fn.coalesce('partial_since', eb.val(now.toISOString())),
      partial_sources: JSON.stringify(partial.sources),
    }))
    .where('tenant_id', '=', tenantId)
    .execute()
}

/** A list was read whole. The tenant is whole again, unless a window or an item of it still waits for its whole answer. */
export async function forgetPartialAnswers(tx: Tx, tenantId: string): Promise<void> {
  await tx
    .updateTable('tenants')
    .set({ partial_since: null, partial_sources: null })
    .where('tenant_id', '=', tenantId)
    .where('partial_since', 'is not', null)
    .where(sql<boolean>`not exists (select 1 from windows where windows.tenant_id = tenants.tenant_id
      and finished_at is null and (partial = 1 or rounds > 0))`)
    .where(({ not, exists, selectFrom }) =>
      not(
        exists(
          selectFrom('rejected_items')
            .select('item')
            .whereRef('rejected_items.tenant_id', '=', 'tenants.tenant_id')
            .where('reason', 'in', partlyAnswered),
        ),
      ),
    )
    .execute()
}

/** As it is kept beside a tenant or a sync run. @returns null for what is whole */
export const partialFromText = (sources: string | null): PartialAnswer | null =>
  sources === null ? null : { sources: JSON.parse(sources) as PartialAnswer['sources'] }
