import type { SyncSettings } from '../../config/config.ts'
import { type Database, isPostgres, type Tx } from '../engine/dialect.ts'
import { offloaded } from '../engine/offload.ts'
import { write } from '../engine/write.ts'

/** Calls a tenant's API still takes, as far as all processes of this portal know. */
export interface Budget {
  minuteLeft: number
  hourLeft: number
  /** When the next call may be made; null when one may be made now. */
  nextAt: string | null
}

export type CallLimits = Pick<SyncSettings, 'callsPerMinute' | 'callsPerHour'>

/** So many calls were taken in that second. Sorted, each second at most once. */
type Mark = [second: number, calls: number]

/** What was taken is used within this or given back. */
export const goodForMs = 5_000
/** Reading windows leaves the rest of a tenant's limits to polls and to people who are waiting. */
export const windowShare = 0.8

/**
 * A call arrives at Microsoft up to this much later than it was taken: `goodForMs`, and as long again for its way. Calls
 * of the last minute at Microsoft are therefore among those taken in this much more than a minute here.
 */
const late = 10
const minute = 60 + late
const hour = 3_600 + late
/** Marks older than a minute count for the hour alone, and are kept to this many seconds. */
const coarse = 60

/**
 * Takes up to `wanted` calls out of a tenant's budget, for the process that asks. The windows slide: no 60 seconds in a
 * row hold more than a minute's calls, and no hour more than an hour's. `share` leaves the rest of the limits to other work.
 * @returns how many were granted, and when none were, how long to wait in milliseconds
 */
export const takeCalls = offloaded(
  'takeCalls',
  async (
    db: Database,
    tenantId: string,
    wanted: number,
    limits: CallLimits,
    now: Date,
    share?: number,
  ): Promise<{ granted: number; waitMs: number }> => {
    return write(db, async (tx) => {
      const text = await held(tx, tenantId)
      const marks = lately(text, secondOf(now))
      const taken = takeFrom(marks, wanted, within(limits, share ?? 1), now)
      // Marks from a future that was none are written down as of now, or they would be as of now for ever.
      const corrected = (parsed(text).at(-1)?.[0] ?? 0) > secondOf(now)
      if (taken.granted > 0 || corrected) await keep(tx, [{ tenant_id: tenantId, calls: JSON.stringify(marks) }])
      return taken
    })
  },
)

/**
 * One call each for tenants that were just claimed, in the claim's own transaction: a poll that brings nothing then costs
 * no transaction for its budget.
 * @returns the tenants that were granted theirs
 */
export async function takeOneEach(
  tx: Tx,
  tenantIds: readonly string[],
  limits: CallLimits,
  now: Date,
): Promise<Set<string>> {
  // Always locked in this order, so that two processes cannot wait for each other.
  const sorted = [...tenantIds].sort()
  if (sorted.length === 0) return new Set()
  if (isPostgres(tx)) await makeRows(tx, sorted)
  const rows = await tx
    .selectFrom('call_budgets')
    .selectAll()
    .where('tenant_id', 'in', sorted)
    .orderBy('tenant_id')
    .$if(isPostgres(tx), (query) => query.forUpdate())
    .execute()
  const textOf = new Map(rows.map((row) => [row.tenant_id, row.calls]))
  const budgetRows: { tenant_id: string; calls: string }[] = []
  for (const tenantId of sorted) {
    const marks = lately(textOf.get(tenantId), secondOf(now))
    const { granted } = takeFrom(marks, 1, limits, now)
    if (granted > 0) budgetRows.push({ tenant_id: tenantId, calls: JSON.stringify(marks) })
  }
  if (budgetRows.length > 0) await keep(tx, budgetRows)
  return new Set(budgetRows.map((row) => row.tenant_id))
}

/** Counts calls that were made without asking the budget, because a person waited for them: access checks. */
export async function countCalls(db: Database, tenantId: string, calls: number, now: Date): Promise<void> {
  if (calls <= 0) return
  await write(db, async (tx) => {
    const marks = lately(await held(tx, tenantId), secondOf(now))
    add(marks, calls, secondOf(now))
    await keep(tx, [{ tenant_id: tenantId, calls: JSON.stringify(marks) }])
  })
}

/** Puts calls back that were taken at `taken`, a moment ago, and not made. */
export async function giveCallsBack(db: Database, tenantId: string, calls: number, takenAt: Date): Promise<void> {
  if (calls > 0) await putBack(db, tenantId, calls, takenAt)
}

const putBack = offloaded(
  'putBack',
  async (db: Database, tenantId: string, calls: number, takenAt: Date): Promise<void> => {
    await write(db, async (tx) => {
      const marks = parsed(await held(tx, tenantId))
      const mark = marks.find(([second]) => second === secondOf(takenAt))
      // Merged into an older mark meanwhile: it stays counted, which errs on the side of fewer calls.
      if (!mark) return
      mark[1] = Math.max(0, mark[1] - calls)
      await keep(tx, [{ tenant_id: tenantId, calls: JSON.stringify(marks.filter(([, made]) => made > 0)) }])
    })
  },
)

/** What is left of a tenant's budget. */
export async function budgetOf(db: Database, tenantId: string, limits: CallLimits, now: Date): Promise<Budget> {
  const row = await db.selectFrom('call_budgets').select('calls').where('tenant_id', '=', tenantId).executeTakeFirst()
  const at = secondOf(now)
  const marks = lately(row?.calls, at)
  const { minuteLeft, hourLeft } = leftOf(marks, limits, at)
  const free = minuteLeft > 0 && hourLeft > 0
  return { minuteLeft, hourLeft, nextAt: free ? null : new Date(freeAt(marks, limits, at) * 1000).toISOString() }
}

const secondOf = (now: Date) => Math.floor(now.getTime() / 1000)

const within = (limits: CallLimits, share: number): CallLimits => ({
  callsPerMinute: Math.max(1, Math.floor(limits.callsPerMinute * share)),
  callsPerHour: Math.max(1, Math.floor(limits.callsPerHour * share)),
})

function takeFrom(marks: Mark[], calls: number, limits: CallLimits, now: Date): { granted: number; waitMs: number } {
  const at = secondOf(now)
  const { minuteLeft, hourLeft } = leftOf(marks, limits, at)
  const granted = Math.min(calls, minuteLeft, hourLeft)
  if (granted > 0) {
    add(marks, granted, at)
    return { granted, waitMs: 0 }
  }
  return { granted: 0, waitMs: Math.max(1, freeAt(marks, limits, at) * 1000 - now.getTime()) }
}

function add(marks: Mark[], calls: number, at: number): void {
  const last = marks.at(-1)
  if (last?.[0] === at) last[1] += calls
  else marks.push([at, calls])
}

const parsed = (text: string | undefined): Mark[] => (text === undefined ? [] : (JSON.parse(text) as Mark[]))

/**
 * The marks of the last hour. What lies in the future was written before a clock was put back, and counts as made now:
 * that can only delay. Older marks are merged into the latest second of theirs, for the same reason.
 */
function lately(text: string | undefined, at: number): Mark[] {
  const marks: Mark[] = []
  for (const [written, calls] of parsed(text)) {
    const second = Math.min(written, at)
    if (second <= at - hour) continue
    const last = marks.at(-1)
    const together =
      last &&
      (last[0] === second || (second < at - minute && Math.floor(last[0] / coarse) === Math.floor(second / coarse)))
    if (together) {
      last[0] = second
      last[1] += calls
    } else marks.push([second, calls])
  }
  return marks
}

const sum = (marks: readonly Mark[]) => marks.reduce((total, [, calls]) => total + calls, 0)

function leftOf(marks: readonly Mark[], limits: CallLimits, at: number) {
  return {
    minuteLeft: Math.max(0, limits.callsPerMinute - sum(marks.filter(([second]) => second >= at - minute))),
    hourLeft: Math.max(0, limits.callsPerHour - sum(marks)),
  }
}

/** The first second in which both windows have room again. */
function freeAt(marks: readonly Mark[], limits: CallLimits, at: number): number {
  const roomIn = (window: number, limit: number) => {
    let count = 0
    for (let i = marks.length - 1; i >= 0; i--) {
      const [second, calls] = marks[i] as Mark
      count += calls
      if (count >= limit) return second + window + 1
    }
    return at
  }
  return Math.max(roomIn(minute, limits.callsPerMinute), roomIn(hour, limits.callsPerHour))
}

/** The row of a tenant, which nobody else changes until the transaction ends. */
async function held(tx: Tx, tenantId: string): Promise<string | undefined> {
  const read = () =>
    tx
      .selectFrom('call_budgets')
      .select('calls')
      .where('tenant_id', '=', tenantId)
      .$if(isPostgres(tx), (query) => query.forUpdate())
      .executeTakeFirst()
  const row = await read()
  if (row || !isPostgres(tx)) return row?.calls
  // A row that is not there holds nobody up: it is made first.
  await makeRows(tx, [tenantId])
  return (await read())?.calls
}

async function makeRows(tx: Tx, tenantIds: readonly string[]): Promise<void> {
  await tx
    .insertInto('call_budgets')
    .values(tenantIds.map((tenant_id) => ({ tenant_id, calls: '[]' })))
    .onConflict((oc) => oc.column('tenant_id').doNothing())
    .execute()
}

async function keep(tx: Tx, rows: { tenant_id: string; calls: string }[]): Promise<void> {
  await tx
    .insertInto('call_budgets')
    .values(rows)
    .onConflict((oc) => oc.column('tenant_id').doUpdateSet((eb) => ({ calls: eb.ref('excluded.calls') })))
    .execute()
}
