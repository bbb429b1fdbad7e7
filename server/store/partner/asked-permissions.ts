import { sql } from 'kysely'
import { hour, minute } from '../../time.ts'
import { type Actor, muster, recordAudit } from '../audit.ts'
import type { DueClaim } from '../engine/claim.ts'
import type { Database, Tx } from '../engine/dialect.ts'
import { claimDueRows, type DueWork, endDueClaim, holdDueRow } from '../engine/due.ts'

/** A permission as a registration or an Admin names it. */
export interface AskedPermission {
  /** The role's or scope's own name; its ID where the name is not known. */
  name: string
  /** `application`: Muster acts by itself · `delegated`: in the name of a person who is signed in. */
  kind: 'application' | 'delegated'
}

/** An application role, beyond what Muster needs, met in a token; with the first tenant it was met in. */
export interface SeenRole {
  role: string
  tenantId: string
  at: string
}

/** All that is known of what customers are asked for. */
export interface AskedPermissions {
  /** As the registration itself says; null when it could not be read, or not lately. */
  registration: { permissions: AskedPermission[]; readAt: string } | null
  /** As an Admin said: `asked` is asked of customers; `known` is all that was put to her, and need not be put again. */
  confirmed: { asked: string[]; known: string[]; by: string; at: string } | null
  /** What no Admin was asked about yet. */
  seen: SeenRole[]
}

const rowName = 'permissions'
/** What tokens carry is bounded by Microsoft; what is kept of it is bounded here. */
const mostSeen = 200
const longestName = 200

const nothing: AskedPermissions = { registration: null, confirmed: null, seen: [] }

export async function readAskedPermissions(db: Database): Promise<AskedPermissions> {
  const row = await db.selectFrom('settings').select('value').where('name', '=', rowName).executeTakeFirst()
  return row ? { ...nothing, ...(JSON.parse(row.value) as Partial<AskedPermissions>) } : nothing
}

/** Keeps roles of a tenant's token that Muster does not need, where no Admin was asked about them and none is kept yet. */
export async function recordSeenRoles(
  tx: Tx,
  { tenantId, roles }: { tenantId: string; roles: readonly string[] },
  now: Date,
): Promise<void> {
  const record = await readAskedPermissions(tx)
  const news = unmet(record, roles)
  // Most checks meet nothing new, and hold no row that other checks wait for.
  if (news.length === 0) return
  await change(tx, now, (before) => {
    const roleSightings = unmet(before, roles).map((role) => ({ role, tenantId, at: now.toISOString() }))
    return { ...before, seen: [...before.seen, ...roleSightings] }
  })
  const registered = new Set(record.registration?.permissions.map(({ name }) => name))
  const names = news.filter((role) => !registered.has(role)).join(', ')
  if (names !== '') await recordAudit(tx, muster, { action: 'permissions.seen', at: now, tenantId, facts: { names } })
}

function unmet({ seen, confirmed }: AskedPermissions, roles: readonly string[]): string[] {
  const met = new Set([...seen.map(({ role }) => role), ...(confirmed?.known ?? [])])
  const names = roles.map((role) => role.replaceAll('\0', '').slice(0, longestName))
  return [...new Set(names)].filter((role) => role !== '' && !met.has(role)).slice(0, mostSeen - seen.length)
}

/** Keeps what the registration said, or that it cannot be read. */
export async function recordRegistration(
  tx: Tx,
  permissions: readonly AskedPermission[] | null,
  now: Date,
): Promise<void> {
  const readAt = now.toISOString()
  await change(tx, now, (before) => ({
    ...before,
    registration: permissions === null ? null : { permissions: [...permissions], readAt },
  }))
}

const looking: DueWork = {
  name: 'look at permissions',
  table: 'chores',
  key: 'name',
  due: 'due_at',
  lease: 'lease_until',
  fence: 'fence',
}

/** The next look is due so long after the last one, for whoever is in no hurry. */
export const lookEveryMs = hour
/** Longer than the registration and the partner's own tenant are asked. */
const leaseMs = 2 * minute

/** Whether a look may be due for whoever takes one every `everyMs`: without a transaction, for pages. */
export async function mayLook(db: Database, everyMs: number, now: Date): Promise<boolean> {
  const row = await db
    .selectFrom('chores')
    .select(['due_at', 'lease_until'])
    .where('name', '=', rowName)
    .executeTakeFirst()
  if (!row) return true
  const held = row.lease_until !== null && row.lease_until > now.toISOString()
  return !held && (row.due_at ?? '') <= hurried(everyMs, now)
}

/** The due time of a look that is due now for whoever takes one every `everyMs`, be it early for others. */
const hurried = (everyMs: number, now: Date) => new Date(now.getTime() + lookEveryMs - everyMs).toISOString()

/** Claims the next look. @returns null where somebody has it, or took it within `everyMs` */
export async function claimLook(tx: Tx, everyMs: number, now: Date): Promise<DueClaim | null> {
  await tx
    .insertInto('chores')
    .values({ name: rowName, due_at: now.toISOString(), lease_until: null })
    .onConflict((oc) => oc.column('name').doNothing())
    .execute()
  const where = sql`name = ${rowName} and due_at <= ${hurried(everyMs, now)}`
  const [claim] = await claimDueRows(tx, looking, { now, limit: 1, leaseMs, where, early: true })
  return claim ?? null
}

/** @throws ClaimLostError */
export const holdLook = (tx: Tx, claim: DueClaim): Promise<void> => holdDueRow(tx, looking, claim)

/** @throws ClaimLostError */
export async function endLook(tx: Tx, claim: DueClaim, now: Date): Promise<void> {
  await endDueClaim(tx, looking, claim, new Date(now.getTime() + lookEveryMs))
}

/** An Admin says what customers are asked for, of all that she was shown. */
export async function confirmPermissions(
  tx: Tx,
  actor: Actor & { kind: 'operator' },
  { asked, known }: { asked: readonly string[]; known: readonly string[] },
  now: Date,
): Promise<void> {
  await change(tx, now, (before) => ({
    ...before,
    seen: before.seen.filter(({ role }) => !known.includes(role)),
    confirmed: { asked: [...asked], known: [...known], by: actor.name, at: now.toISOString() },
  }))
  const facts = { names: asked.join(', ') }
  await recordAudit(tx, actor, { action: 'permissions.confirmed', at: now, facts })
}

/** The row is there and held before it is read, so that no two changes lose one another. */
async function change(tx: Tx, now: Date, make: (before: AskedPermissions) => AskedPermissions): Promise<void> {
  const changed_at = now.toISOString()
  await tx
    .insertInto('settings')
    .values({ name: rowName, value: '{}', changed_at })
    .onConflict((oc) => oc.column('name').doUpdateSet({ changed_at }))
    .execute()
  const value = JSON.stringify(make(await readAskedPermissions(tx)))
  await tx.updateTable('settings').set({ value }).where('name', '=', rowName).execute()
}
