import type { Tx } from '../engine/dialect.ts'
import { dropAlarmsOf, endAlarm, raiseAlarm } from './alarms.ts'
import { addMessages } from './outbox.ts'

/** What of an audit event decides whether anybody has to be told. */
interface Heard {
  /** The event's number in the audit log. */
  id: number
  action: string
  at: Date
  customerId: string | null
  tenantId: string | null
  subjectId: string | null
  facts: Record<string, string | number | boolean | null>
}

/** States in which a tenant that was connected is connected no more until a person acts. */
const lostStates: readonly unknown[] = ['limited', 'unlicensed', 'blocked', 'disabled', 'revoked', 'gone']

/** Raises and ends alarms along with what is written to the audit log, in the same transaction, and sends it to SIEMs. */
export async function hearEvent(tx: Tx, event: Heard): Promise<void> {
  await hearings.get(event.action)?.(tx, event)
  await forwardEvent(tx, event)
}

const hearings = new Map<string, (tx: Tx, event: Heard) => Promise<unknown>>(
  Object.entries({
    'access.changed': hearAccess,
    'alarm.raised': (tx: Tx, { at, facts }: Heard) =>
      raiseAlarm(tx, { kind: 'partner-fault', subject: String(facts.code), facts: pick(facts, 'code', 'aadsts') }, at),
    'alarm.cleared': (tx: Tx, { at, facts }: Heard) =>
      endAlarm(tx, { kind: 'partner-fault', subject: String(facts.code) }, at),
    'consent.received': hearClaim,
    'consent.unclaimed': hearClaim,
    'review.confirmed': endClaim,
    'review.dismissed': endClaim,
    'attempt.declined': (tx: Tx, { at, customerId, facts }: Heard) =>
      raiseAlarm(
        tx,
        { kind: 'consent-refused', subject: customerId ?? '', customerId, facts: pick(facts, 'aadsts') },
        at,
      ),
    'tenant.offboarded': async (tx: Tx, { at, tenantId }: Heard) => {
      if (tenantId !== null) await dropAlarmsOf(tx, tenantId, at)
    },
  }),
)

async function hearAccess(tx: Tx, { at, customerId, tenantId, facts }: Heard): Promise<void> {
  if (tenantId === null) return
  const subject = { kind: 'access-lost', subject: tenantId } as const
  const tenant = await tx
    .selectFrom('tenants')
    .select('first_active_at')
    .where('tenant_id', '=', tenantId)
    .executeTakeFirst()
  if (facts.to === 'active') {
    await endAlarm(tx, subject, at)
    if (tenant?.first_active_at === at.toISOString()) {
      await raiseAlarm(tx, { kind: 'customer-proven', subject: tenantId, customerId, tenantId }, at)
    }
  } else if (lostStates.includes(facts.to) && (tenant?.first_active_at ?? null) !== null) {
    const reason = { code: String(facts.to), ...pick(facts, 'aadsts') }
    await raiseAlarm(tx, { ...subject, customerId, tenantId, facts: reason }, at)
  }
}

async function hearClaim(tx: Tx, { at, customerId, subjectId, facts }: Heard): Promise<void> {
  if (subjectId === null) return
  const reason = { code: customerId === null ? 'unclaimed' : 'unpinned', ...pick(facts, 'tenantId') }
  await raiseAlarm(tx, { kind: 'claim-waiting', subject: subjectId, customerId, subjectId, facts: reason }, at)
}

async function endClaim(tx: Tx, { at, subjectId }: Heard): Promise<void> {
  if (subjectId !== null) await endAlarm(tx, { kind: 'claim-waiting', subject: subjectId }, at)
}

/** The audit log goes to those SIEMs that were given it, event by event. What is switched off has it held. */
async function forwardEvent(tx: Tx, { id, at }: Heard): Promise<void> {
  const readers = await tx
    .selectFrom('destinations')
    .select(['id', 'off_at'])
    .where('kind', '=', 'siem')
    .where('audit', '=', 1)
    .where('paused_at', 'is', null)
    .execute()
  const messages = readers.map((reader) => ({
    destinationId: reader.id,
    topic: 'audit' as const,
    subjectId: String(id),
    change: 'written',
    dueAt: reader.off_at === null ? at : null,
  }))
  if (messages.length > 0) await addMessages(tx, messages, at)
}

/** Those of the facts that are there and may be kept with an alarm. */
function pick(facts: Heard['facts'], ...names: string[]): Record<string, string | number> {
  return Object.fromEntries(
    names.flatMap((name) => {
      const value = facts[name]
      return typeof value === 'string' || typeof value === 'number' ? [[name, value]] : []
    }),
  )
}
