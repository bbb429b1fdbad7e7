import type { IncidentPage, Instant } from '../../model/incident.ts'
import type { Claim } from '../engine/claim.ts'
import type { Database } from '../engine/dialect.ts'
import { offloaded } from '../engine/offload.ts'
import { write } from '../engine/write.ts'
import { type PageOfRows, rowsOf } from '../incidents/rows.ts'
import { markGone } from '../incidents/write.ts'
import { holdClaim } from './claims.ts'
import type { PageStored } from './page-items.ts'
import { storePageOf } from './syncs.ts'

/** A slice that has been read to its end, or that proved too long: then only its width changes. */
export interface SliceEnd {
  reached: Instant
  /** Milliseconds of the next slice. */
  step: number
  /** Incidents listed in it. */
  seen: number
  expected: number | null
}

/**
 * Stores a page of a window, and with the last page of a slice that the slice is done: in one transaction, so that a
 * window never claims to have reached what is not stored.
 * @throws ClaimLostError
 */
export async function storeWindowPage(
  db: Database,
  claim: Claim,
  at: WindowPageAt,
  page: IncidentPage | null,
  slice: SliceEnd | null,
  now: Date,
): Promise<PageStored> {
  return offloadedStoreWindowPage(db, claim, at, page && rowsOf(claim.tenantId, page, now), slice, now)
}

interface WindowPageAt {
  syncId: string
  windowId: string
  /** As in `storePageOf`. */
  settledBefore: Instant | null
}

const offloadedStoreWindowPage = offloaded(
  'storeWindowPage',
  async (
    db: Database,
    claim: Claim,
    at: WindowPageAt,
    page: PageOfRows | null,
    slice: SliceEnd | null,
    now: Date,
  ): Promise<PageStored> => {
    return write(db, async (tx) => {
      await holdClaim(tx, claim)
      let counts: PageStored = { added: 0, changed: 0, differences: 0 }
      if (page) counts = await storePageOf(tx, claim.tenantId, at.syncId, page, now, at.settledBefore)
      await tx
        .updateTable('windows')
        .set((eb) => ({
          started_at: eb.fn.coalesce('started_at', eb.val(now.toISOString())),
          pages: eb('pages', '+', page ? 1 : 0),
          stored: eb('stored', '+', counts.changed),
          added: eb('added', '+', counts.added),
          differences: eb('differences', '+', counts.differences),
          ...(slice
            ? {
                reached_at: slice.reached,
                step_ms: Math.round(slice.step),
                seen: eb('seen', '+', slice.seen),
                expected: slice.expected,
              }
            : {}),
        }))
        .where('id', '=', at.windowId)
        .execute()
      return counts
    })
  },
)

/** Microsoft no longer knows an incident that is kept: a difference as well. @throws ClaimLostError */
export async function recordGone(
  db: Database,
  claim: Claim,
  at: { syncId: string; windowId: string },
  incidentId: string,
  now: Date,
): Promise<void> {
  await write(db, async (tx) => {
    await holdClaim(tx, claim)
    await markGone(tx, claim.tenantId, incidentId, now)
    for (const [table, id] of [
      ['syncs', at.syncId],
      ['windows', at.windowId],
    ] as const) {
      await tx
        .updateTable(table)
        .set((eb) => ({ differences: eb('differences', '+', 1) }))
        .where('id', '=', id)
        .execute()
    }
  })
}
