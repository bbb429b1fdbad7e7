import type { Instant } from '../model/incident.ts'
import { Refusal, type RefusalCode } from '../model/refusal.ts'
import type { Portal } from '../portal.ts'
import type { Claim } from '../store/engine/claim.ts'
import { findRequest } from '../store/sync/requests.ts'
import type { SyncOutcome } from '../store/sync/rows.ts'
import { advanceCursor, completeSync, failSync } from '../store/sync/syncs.ts'
import { getTenant, type Tenant } from '../store/tenants/tenants.ts'
import { day, minute, second } from '../time.ts'
import type { JobContext } from './context.ts'
import { readDetails } from './details.ts'
import { readOpen } from './first.ts'
import { backfillDays, type Lists, lacks, listsOf, longList, Newest, pauseOfPartial, readList, store } from './lists.ts'
import { failurePause, nextPause } from './pace.ts'
import { handleFailure, instant, isOwnBudget, runSync, SyncRun } from './run.ts'

const narrowest = minute
/** A sync run that catches up ends after this, and is due again at once: other tenants get their turn between. */
const catchUpFor = 60 * second

/**
 * One sync run over one claimed tenant: the open incidents at first, and from then on what changed since the cursor less an
 * overlap. Pages are stored whole or not at all; the cursor moves only after what it stands for is committed, to the
 * newest update seen at Microsoft. A failure becomes the tenant's state and a later due time; only a loss of the
 * claim is thrown.
 * @throws ClaimLostError
 */
export async function syncTenant(portal: Portal, claim: Claim, turn?: JobContext): Promise<void> {
  const tenant = await getTenant(portal.db, claim.tenantId)
  const requestId = await findRequest(portal.db, claim.tenantId, portal.now())
  const run = new SyncRun(portal, claim, tenant, { kind: tenant.syncPhase, requestId }, turn)
  await runSync(
    run,
    () => (tenant.syncPhase === 'open' ? readOpen(run) : follow(run)),
    (error, code) => recordFailure(run, error, code),
  )
}

/** Where a sync run that follows begins. Without a cursor our own clock says how far back it looks, and nothing else. */
export function followsFrom(
  { cursor, partialCursor }: Pick<Tenant, 'cursor' | 'partialCursor'>,
  overlapMs: number,
  now: Date,
): Instant {
  const reached = partialCursor ?? cursor
  return reached === null ? instant(now.getTime() - backfillDays * day) : instant(Date.parse(reached) - overlapMs)
}

async function follow(run: SyncRun): Promise<SyncOutcome> {
  const { tenant, portal } = run
  const newest = new Newest(tenant.partialCursor ?? tenant.cursor, run.now)
  const since = followsFrom(tenant, portal.config.sync.overlapMs, run.now)
  let list = await readList(run, { updatedSince: since }, newest, longList)
  const behind = !list.whole && !(await catchUp(run, since, newest))
  // What changes while a list is paged through may make it skip incidents, and those before the overlap are not seen again.
  const long =
    list.pages > 1 &&
    list.whole &&
    Date.parse(newest.at ?? since) - Date.parse(since) > 2 * portal.config.sync.overlapMs
  if (long) {
    if (list.last) await store(run, list.last)
    list = await readList(run, { updatedSince: since }, newest, Number.POSITIVE_INFINITY)
  }
  const last = list.whole ? list.last : null
  const lists = listsOf(run, newest.at, since)
  const { pending, notBefore, aside } = await readDetails(run)
  const rejected = run.figures.rejected + (last?.rejected.length ?? 0)
  const incomplete = run.partial !== null || behind || aside > 0 || rejected > 0
  const changed = run.figures.changed > 0
  const lastChangeAt = changed ? run.now.toISOString() : tenant.lastChangeAt
  const usual = nextPause({ lastChangeAt, syncFailures: 0 }, portal.config.sync, run.now)
  const pause = pauseAfter(run, lists, behind || pending, usual)
  const counts = await completeSync(
    portal.db,
    run.claim,
    run.row,
    {
      ...lists,
      cursor: behind ? null : lists.cursor,
      phase: 'following',
      nextSyncAt: new Date(run.now.getTime() + pause),
      // The last page is stored only now: where lists carry no alerts, the next sync run reads those of what is new in it.
      nextSyncIfChangedAt:
        portal.microsoft.api === 'graph' && !lacks(lists) ? new Date(run.now.getTime() + second) : null,
      incomplete,
      partial: run.partial,
      notBefore,
      calls: run.calls.made,
      behind,
      changed,
    },
    run.now,
    last,
  )
  if (last) run.count(last, counts)
  return incomplete ? 'partial' : 'complete'
}

/** Milliseconds until the next sync run: at once where more is to be read, slower while Microsoft answers in part. */
function pauseAfter(run: SyncRun, lists: Lists, more: boolean, usual: number): number {
  if (lacks(lists)) return Math.max(pauseOfPartial(run), more ? 0 : usual)
  return more || !lists.whole ? second : usual
}

/**
 * So much changed that it is read in slices, oldest first: after each the cursor moves up to the newest seen in it, so
 * that a kill, or a list that Microsoft breaks off, never starts from nothing again.
 * @returns whether all of it has been read
 */
async function catchUp(run: SyncRun, since: Instant, newest: Newest): Promise<boolean> {
  const { db, config } = run.portal
  const until = run.ms + catchUpFor
  const { cursor, partialCursor } = run.tenant
  const reached = new Newest(partialCursor ?? cursor, run.now)
  let from = Date.parse(since)
  let width = Math.max((run.now.getTime() - from) / 8, narrowest)
  for (;;) {
    run.throwIfStopping()
    const to = from + width
    const open = to >= run.now.getTime() - config.sync.overlapMs
    const query = { updatedSince: instant(from), ...(open ? {} : { updatedBefore: instant(to) }) }
    const slice = new Newest(reached.at, run.now)
    const list = await readList(run, query, slice, width > narrowest ? longList : Number.POSITIVE_INFINITY)
    if (!list.whole) {
      width = Math.max(width / 4, narrowest)
      continue
    }
    if (list.last) await store(run, list.last)
    if (slice.at !== null && slice.at !== reached.at) {
      const partly = partialCursor !== null || run.partial !== null
      await advanceCursor(db, run.claim, slice.at, partly ? 'partial_cursor' : 'cursor')
    }
    reached.at = slice.at
    newest.at = slice.at
    if (open) return true
    from = to
    if (list.pages <= 2) width *= 2
    if (run.ms > until) return false
  }
}

async function recordFailure(run: SyncRun, error: unknown, code: RefusalCode | 'internal'): Promise<SyncOutcome> {
  const budget = isOwnBudget(error)
  const { checkAccess } = budget ? { checkAccess: false } : await handleFailure(run, error, code)
  const now = run.now
  const own = failurePause(run.tenant.syncFailures + 1)
  const retryAfterMs = error instanceof Refusal ? (error.retryAfterMs ?? 0) : 0
  const throttled = code === 'throttled'
  const pause = budget ? retryAfterMs : Math.max(retryAfterMs, own)
  const at = new Date(now.getTime() + pause)
  await failSync(
    run.portal.db,
    run.claim,
    run.row,
    {
      code,
      nextSyncAt: at,
      checkAccess,
      notBefore: throttled || retryAfterMs > 0 ? at : null,
      calls: run.calls.made,
      budget,
    },
    now,
  )
  return budget ? 'partial' : 'failed'
}
