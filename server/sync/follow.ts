import type { IncidentPage, IncidentQuery, Instant } from '../model/incident.ts'
import { Refusal, type RefusalCode } from '../model/refusal.ts'
import type { Portal } from '../portal.ts'
import type { Claim } from '../store/engine/claim.ts'
import { believedAhead } from '../store/incidents/upsert.ts'
import { requestOf } from '../store/sync/requests.ts'
import type { SyncOutcome } from '../store/sync/rows.ts'
import { advanceCursor, type Completed, completeSync, failSync, storePage } from '../store/sync/syncs.ts'
import { type Tenant, tenantById } from '../store/tenants/tenants.ts'
import type { Turn } from './context.ts'
import { readDetails } from './details.ts'
import { failurePause, nextPause, partialPause } from './pace.ts'
import { heed, instant, isOwnBudget, Pass, runPass } from './run.ts'

const second = 1_000
const minute = 60 * second
const day = 24 * 60 * minute

export const backfillDays = 30
/** Slices of open incidents go back this far; Microsoft keeps incidents for 180 days. */
export const openDays = 365
/** A list longer than this is read in slices, so that whatever ends a pass leaves part of it done for good. */
const longList = 8
const narrowest = minute
/** A pass that catches up ends after this, and goes on at once: others have their turn between. */
const catchUpFor = 60 * second

/**
 * One pass over one claimed tenant: the open incidents at first, and from then on what changed since the cursor less an
 * overlap. Pages are stored whole or not at all; the cursor moves only after what it stands for is committed, to the
 * newest update seen at Microsoft. Whatever goes wrong becomes the tenant's state and a later due time; nothing is
 * thrown but a loss of the claim.
 * @throws ClaimLostError
 */
export async function syncTenant(portal: Portal, claim: Claim, turn?: Turn): Promise<void> {
  const tenant = await tenantById(portal.db, claim.tenantId)
  const requestId = await requestOf(portal.db, claim.tenantId, portal.now())
  const pass = new Pass(portal, claim, tenant, { kind: tenant.syncPhase, requestId }, turn)
  await runPass(
    pass,
    () => (tenant.syncPhase === 'open' ? readOpen(pass) : follow(pass)),
    (error, code) => recordFailure(pass, error, code),
  )
}

/**
 * The newest time among incidents, as far as it can be believed: one further ahead moves nothing. What bears a time after
 * its page was sent, by Microsoft's own clock, would carry the cursor past incidents that are still to be shown.
 */
export class Newest {
  at: Instant | null
  readonly #latest: Instant

  constructor(at: Instant | null, now: Date) {
    this.at = at
    this.#latest = instant(now.getTime() + believedAhead)
  }

  see({ incidents, sentAt = this.#latest }: IncidentPage): void {
    const latest = sentAt < this.#latest ? sentAt : this.#latest
    // As a version before left it.
    if (this.at !== null && this.at > latest) this.at = latest
    for (const { lastUpdateAt } of incidents) {
      if (lastUpdateAt <= latest && (this.at === null || lastUpdateAt > this.at)) this.at = lastUpdateAt
    }
  }
}

/** What is open, newest first as it comes; then a beginning for the cursor, and the days before as a window. */
async function readOpen(pass: Pass): Promise<SyncOutcome> {
  const now = pass.now.getTime()
  const newest = new Newest(null, pass.now)
  const read = async (query: IncidentQuery, mostPages = Number.POSITIVE_INFINITY): Promise<boolean> => {
    let pages = 0
    for await (const page of pass.pages(query)) {
      pass.mayGoOn()
      await store(pass, page)
      newest.see(page)
      if (++pages > mostPages) return false
    }
    return true
  }
  await pass.appear()
  const allActive = await read({ status: 'active' }, longList)
  const allOpen = (await read({ status: 'inProgress' }, longList)) && allActive
  // Our own clock only says how far back the first looks go; it never is the cursor.
  for (let days = 1, before: Instant | null = null; days < 2 * backfillDays; days *= 2) {
    const from = instant(now - Math.min(days, backfillDays) * day)
    if (newest.at !== null && newest.at >= from) break
    await read({ updatedSince: from, ...(before === null ? {} : { updatedBefore: before }) })
    before = from
  }
  const to = newest.at ?? instant(now)
  const from = instant(Math.min(now, Date.parse(to)) - backfillDays * day)
  const lists = listsOf(pass, newest.at, from)
  const { notBefore, aside } = await readDetails(pass)
  const incomplete = pass.partial !== null || pass.figures.rejected + aside > 0
  await completeSync(
    pass.portal.db,
    pass.claim,
    await pass.appear(),
    {
      ...lists,
      phase: 'following',
      nextSyncAt: new Date(pass.now.getTime() + (lists.whole ? second : pauseOfPartial(pass))),
      incomplete,
      partial: pass.partial,
      notBefore,
      calls: pass.calls.made,
      changed: pass.figures.changed > 0,
      windows: [
        // A kill would begin them anew here; there it costs a slice.
        ...(allOpen
          ? []
          : [
              {
                kind: 'open',
                from: instant(now - openDays * day),
                to: instant(Math.max(now, Date.parse(to)) + 1),
                step: day,
              } as const,
            ]),
        { kind: 'backfill', from, to, step: day },
      ],
    },
    pass.now,
  )
  return incomplete ? 'partial' : 'complete'
}

const pauseOfPartial = ({ tenant, portal, now }: Pass) => partialPause(tenant.partialSince, portal.config.sync, now)

type Lists = Pick<Completed, 'cursor' | 'partialCursor' | 'whole'>

const lacks = ({ partialCursor }: Lists) => typeof partialCursor === 'string'

/**
 * What the lists of a pass mean for the cursor. Lists that are incomplete by their own account leave it where it is: what
 * they lack is found when it is read again from there. They go on meanwhile from a cursor of their own, so that a source
 * that is silent for days costs no more than a poll.
 * @param newest the newest time seen
 * @param since where the lists began
 */
function listsOf(pass: Pass, newest: Instant | null, since: Instant): Lists {
  const { tenant, portal } = pass
  if (pass.partial !== null) {
    // Where nothing was seen, the next one begins where this one did.
    const partialCursor = newest ?? instant(Date.parse(since) + portal.config.sync.overlapMs)
    return { cursor: null, partialCursor, whole: false }
  }
  // Whole again, from where the incomplete ones had come: what lies before is read next.
  if (tenant.partialCursor !== null) return { cursor: null, partialCursor: null, whole: false }
  return { cursor: newest, whole: true }
}

/** Where a pass that follows begins. Without a cursor our own clock says how far back it looks, and nothing else. */
export function followsFrom(
  { cursor, partialCursor }: Pick<Tenant, 'cursor' | 'partialCursor'>,
  overlapMs: number,
  now: Date,
): Instant {
  const reached = partialCursor ?? cursor
  return reached === null ? instant(now.getTime() - backfillDays * day) : instant(Date.parse(reached) - overlapMs)
}

async function follow(pass: Pass): Promise<SyncOutcome> {
  const { tenant, portal } = pass
  const newest = new Newest(tenant.partialCursor ?? tenant.cursor, pass.now)
  const since = followsFrom(tenant, portal.config.sync.overlapMs, pass.now)
  let list = await readList(pass, { updatedSince: since }, newest, longList)
  const behind = !list.whole && !(await catchUp(pass, since, newest))
  // What changes while a list is paged through may make it skip others: those before the overlap are not seen again.
  const long =
    list.pages > 1 &&
    list.whole &&
    Date.parse(newest.at ?? since) - Date.parse(since) > 2 * portal.config.sync.overlapMs
  if (long) {
    if (list.last) await store(pass, list.last)
    list = await readList(pass, { updatedSince: since }, newest, Number.POSITIVE_INFINITY)
  }
  const last = list.whole ? list.last : null
  const lists = listsOf(pass, newest.at, since)
  const { pending, notBefore, aside } = await readDetails(pass)
  const rejected = pass.figures.rejected + (last?.rejected.length ?? 0)
  const incomplete = pass.partial !== null || behind || aside > 0 || rejected > 0
  const changed = pass.figures.changed > 0
  const lastChangeAt = changed ? pass.now.toISOString() : tenant.lastChangeAt
  const usual = nextPause({ lastChangeAt, syncFailures: 0 }, portal.config.sync, pass.now)
  const pause = pauseAfter(pass, lists, behind || pending, usual)
  const stored = await completeSync(
    portal.db,
    pass.claim,
    pass.row,
    {
      ...lists,
      cursor: behind ? null : lists.cursor,
      phase: 'following',
      nextSyncAt: new Date(pass.now.getTime() + pause),
      // The last page is stored only now: where lists carry no alerts, the next pass reads those of what is new in it.
      nextSyncIfChangedAt:
        portal.microsoft.api === 'graph' && !lacks(lists) ? new Date(pass.now.getTime() + second) : null,
      incomplete,
      partial: pass.partial,
      notBefore,
      calls: pass.calls.made,
      behind,
      changed,
    },
    pass.now,
    last,
  )
  if (last) pass.count(last, stored)
  return incomplete ? 'partial' : 'complete'
}

/** Milliseconds until the next pass: at once where more is to be read, slower while Microsoft answers in part. */
function pauseAfter(pass: Pass, lists: Lists, more: boolean, usual: number): number {
  if (lacks(lists)) return Math.max(pauseOfPartial(pass), more ? 0 : usual)
  return more || !lists.whole ? second : usual
}

async function store(pass: Pass, page: IncidentPage): Promise<void> {
  pass.count(page, await storePage(pass.portal.db, pass.claim, await pass.appear(), page, pass.now))
}

interface List {
  /** The last page, still to be stored: with whatever the end of the list decides, in one transaction. */
  last: IncidentPage | null
  pages: number
  /** False where it was broken off for being too long. */
  whole: boolean
}

async function readList(pass: Pass, query: IncidentQuery, newest: Newest, mostPages: number): Promise<List> {
  const list: List = { last: null, pages: 0, whole: true }
  for await (const page of pass.pages(query)) {
    pass.mayGoOn()
    if (list.last) await store(pass, list.last)
    list.last = page
    list.pages++
    if (list.pages > mostPages) {
      await store(pass, page)
      return { ...list, last: null, whole: false }
    }
    newest.see(page)
  }
  return list
}

/**
 * So much changed that it is read in slices, oldest first: after each the cursor moves up to the newest seen in it, so
 * that a kill, or a list that Microsoft breaks off, never starts from nothing again.
 * @returns whether all of it has been read
 */
async function catchUp(pass: Pass, since: Instant, newest: Newest): Promise<boolean> {
  const { db, config } = pass.portal
  const until = pass.ms + catchUpFor
  const { cursor, partialCursor } = pass.tenant
  const seen = new Newest(partialCursor ?? cursor, pass.now)
  let from = Date.parse(since)
  let width = Math.max((pass.now.getTime() - from) / 8, narrowest)
  for (;;) {
    pass.mayGoOn()
    const to = from + width
    const open = to >= pass.now.getTime() - config.sync.overlapMs
    const query = { updatedSince: instant(from), ...(open ? {} : { updatedBefore: instant(to) }) }
    const slice = new Newest(seen.at, pass.now)
    const list = await readList(pass, query, slice, width > narrowest ? longList : Number.POSITIVE_INFINITY)
    if (!list.whole) {
      width = Math.max(width / 4, narrowest)
      continue
    }
    if (list.last) await store(pass, list.last)
    if (slice.at !== null && slice.at !== seen.at) {
      const partly = partialCursor !== null || pass.partial !== null
      await advanceCursor(db, pass.claim, slice.at, partly ? 'partial_cursor' : 'cursor')
    }
    seen.at = slice.at
    newest.at = slice.at
    if (open) return true
    from = to
    if (list.pages <= 2) width *= 2
    if (pass.ms > until) return false
  }
}

async function recordFailure(pass: Pass, error: unknown, code: RefusalCode | 'internal'): Promise<SyncOutcome> {
  const budget = isOwnBudget(error)
  const { checkAccess } = budget ? { checkAccess: false } : await heed(pass, error, code)
  const now = pass.now
  const own = failurePause(pass.tenant.syncFailures + 1)
  const asked = error instanceof Refusal ? (error.retryAfterMs ?? 0) : 0
  const throttled = code === 'throttled'
  const pause = budget ? asked : Math.max(asked, own)
  const at = new Date(now.getTime() + pause)
  await failSync(
    pass.portal.db,
    pass.claim,
    pass.row,
    {
      code,
      nextSyncAt: at,
      checkAccess,
      notBefore: throttled || asked > 0 ? at : null,
      calls: pass.calls.made,
      budget,
    },
    now,
  )
  return budget ? 'partial' : 'failed'
}
