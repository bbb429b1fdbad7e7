import { sql } from 'kysely'
import { hour } from '../../time.ts'
import { type Actor, type AuditSubject, recordAudit } from '../audit.ts'
import type { Tx } from '../engine/dialect.ts'
import type { ConsentLink } from './links.ts'

/** A person opened the page: told by its own script or by going on, never by the fetch a scanner makes. */
export async function recordOpening(tx: Tx, actor: Actor, link: ConsentLink, now: Date): Promise<void> {
  const first = await tx
    .updateTable('consent_links')
    .set({ opened_at: now.toISOString(), opened_count: 1 })
    .where('id', '=', link.id)
    .where('opened_at', 'is', null)
    .executeTakeFirst()
  if (first.numUpdatedRows > 0n) {
    await recordAudit(tx, actor, { action: 'link.opened', at: now, customerId: link.customerId, subjectId: link.id })
    return
  }
  await tx
    .updateTable('consent_links')
    .set((eb) => ({ opened_count: eb('opened_count', '+', 1) }))
    .where('id', '=', link.id)
    .where('opened_count', '<', 1_000)
    .execute()
}

/** Departures counted at most: what comes after says nothing new. */
const mostDepartures = 100_000

/**
 * Somebody leaves for Microsoft: counted, and seldom written to the audit log, because whoever holds the link can press as
 * often as they like. The pinned tenant is looked at when they had the time to consent.
 */
export async function recordDeparture(
  tx: Tx,
  actor: Actor,
  link: ConsentLink,
  now: Date,
  probeAt: Date,
): Promise<void> {
  const at = now.toISOString()
  const probe = probeAt.toISOString()
  await tx
    .updateTable('consent_links')
    .set((eb) => ({
      departures: sql<number>`case when departures < ${mostDepartures} then departures + 1 else departures end`,
      first_departed_at: eb.fn.coalesce('first_departed_at', eb.val(at)),
      last_departed_at: at,
      next_probe_at: sql<string | null>`case
        when pinned_tenant_id is null or completed_at is not null or withdrawn_at is not null then null
        when next_probe_at is null or next_probe_at > ${probe} then ${probe} else next_probe_at end`,
    }))
    .where('id', '=', link.id)
    .execute()
  const noted = await tx
    .updateTable('consent_links')
    .set({ departure_noted_at: at })
    .where('id', '=', link.id)
    .where((eb) => eb.or([eb('departure_noted_at', 'is', null), eb('departure_noted_at', '<=', hourBefore(now))]))
    .executeTakeFirst()
  if (noted.numUpdatedRows === 0n) return
  await recordAudit(tx, actor, { action: 'attempt.started', at: now, customerId: link.customerId, subjectId: link.id })
}

/** Events of one link that are written to the audit log within an hour; more of them say nothing new. */
export const mostNoted = 20

/** Writes what whoever holds a link did to the audit log, so often an hour at most. */
export async function recordVisitorAudit(tx: Tx, actor: Actor, linkId: string, subject: AuditSubject): Promise<void> {
  const over = hourBefore(subject.at)
  const fresh = sql<boolean>`noted_from is null or noted_from <= ${over}`
  const noted = await tx
    .updateTable('consent_links')
    .set({
      noted: sql<number>`case when ${fresh} then 1 else noted + 1 end`,
      noted_from: sql<string>`case when ${fresh} then ${subject.at.toISOString()} else noted_from end`,
    })
    .where('id', '=', linkId)
    .where(sql<boolean>`${fresh} or noted < ${mostNoted}`)
    .returning('noted')
    .executeTakeFirst()
  if (!noted) return
  const last = noted.noted === mostNoted
  await recordAudit(tx, actor, { ...subject, facts: { ...subject.facts, ...(last ? { more: true } : {}) } })
}

const hourBefore = (now: Date) => new Date(now.getTime() - hour).toISOString()
