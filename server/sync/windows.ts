import type { CallMeter } from '../microsoft/microsoft.ts'
import type { IncidentPage, IncidentRead, Instant } from '../model/incident.ts'
import { Refusal, type RefusalCode } from '../model/refusal.ts'
import type { Portal } from '../portal.ts'
import type { Claim } from '../store/engine/claim.ts'
import { unlistedOf } from '../store/sync/page-items.ts'
import type { SyncOutcome } from '../store/sync/rows.ts'
import { recordGone, type SliceEnd, storeWindowPage } from '../store/sync/window-pages.ts'
import {
  endIdleWindowRun,
  endWindowRun,
  failuresInARow,
  failWindowRun,
  findUrgentWindow,
  openReconcile,
} from '../store/sync/window-runs.ts'
import type { ReadWindow } from '../store/sync/windows.ts'
import { getTenant, type Tenant } from '../store/tenants/tenants.ts'
import { day, minute } from '../time.ts'
import { compares, comparisonsAfter, everything, isDue, stretchOf } from './comparison.ts'
import type { JobContext } from './context.ts'
import { isAboutOne, pageOfOne } from './details.ts'
import { openDays } from './first.ts'
import { failurePause, jittered } from './pace.ts'
import { handleFailure, instant, isOwnBudget, runSync, SyncRun } from './run.ts'
import { WindowLists } from './window-lists.ts'

/** A sync run goes on for this long, or to the end of a slice: then other due tenants get their turn. */
const runForMs = 10_000
/** In pages: after a shorter slice the next one is wider, after a longer one narrower. */
const shortSlice = 2
const longSlice = 10
/** A slice longer than this is begun again in narrower ones. */
const longestSlice = 20
const narrowest = minute
const widest = 16 * day
/** Before any incident there is. */
const beginning = instant(Date.UTC(1990, 0))
/** A window whose answers were incomplete begins anew after this, then after twice as long, up to the time between comparisons. */
const firstRoundPause = 15 * minute
/**
 * Incidents that no list showed are asked for one by one, within the budget of calls: of those in one slice that turn out
 * to be as they were, or to be refused, no more than so many.
 */
const mostUnchanged = 200
const mostRefused = 20
/** When some were found gone or changed, polls come first after this; then the slice is read again and gone on with. */
const lookAfterFor = 60_000

/**
 * Reads on in the most urgent window of a claimed tenant, slice by slice, the newest first; what it reached is committed
 * with what it read, so that a kill costs one slice. A comparison that is due begins here. Nothing is thrown but a loss
 * of the claim.
 * @throws ClaimLostError
 */
export async function readWindows(portal: Portal, claim: Claim, turn?: JobContext): Promise<void> {
  const { db } = portal
  const tenant = await getTenant(db, claim.tenantId)
  let window = await findUrgentWindow(db, claim.tenantId)
  // Never compared is due as well: a version before windows set no time.
  if (!window && (tenant.nextReconcileAt === null || isDue(tenant.nextReconcileAt, portal.now()))) {
    await openReconcile(db, claim, stretchOf(tenant, portal.now()), portal.now())
    window = await findUrgentWindow(db, claim.tenantId)
  }
  if (!window) return endIdleWindowRun(db, claim, portal.now())
  const reading = new WindowReading(portal, claim, tenant, window, turn)
  await runSync(
    reading.run,
    () => reading.read(),
    (error, code) => reading.fail(error, code),
  )
}

class WindowReading {
  readonly run: SyncRun
  readonly #window: ReadWindow
  /** What changed since then may not have been read by a sync run yet: it is no difference. Null where nothing is compared. */
  readonly #settledBefore: Instant | null
  readonly #lists: WindowLists
  #reached: Instant
  #step: number
  #seen: number

  constructor(portal: Portal, claim: Claim, tenant: Tenant, window: ReadWindow, turn: JobContext | undefined) {
    this.run = new SyncRun(portal, claim, tenant, { kind: window.kind, windowId: window.id }, turn)
    this.#window = window
    this.#lists = new WindowLists(this.run, (page) => this.#commit(page, null))
    const settled = Date.parse(tenant.cursor ?? window.to) - portal.config.sync.overlapMs
    this.#settledBefore = compares(window) ? instant(settled) : null
    this.#reached = window.reached
    this.#step = window.step
    this.#seen = window.seen
  }

  get #at() {
    return { syncId: this.run.begun.id, windowId: this.#window.id, settledBefore: this.#settledBefore }
  }

  async read(): Promise<SyncOutcome> {
    const { run } = this
    const window = this.#window
    await run.writeRow()
    const end = window.kind === 'backfill' ? window.from : beginning
    do {
      if (this.#reached <= end) break
      await (this.#reached > window.from ? this.#readSlice() : this.#readOlderOpen())
    } while (run.ms < runForMs)
    return this.#end(this.#reached <= end)
  }

  async #end(atEnd: boolean): Promise<SyncOutcome> {
    const { run } = this
    const window = this.#window
    const lacking = run.partial !== null || window.partial
    const finished = atEnd && !lacking
    const incomplete = run.partial !== null || run.figures.rejected > 0
    const { reconcileMs } = run.portal.config.sync
    const pause = Math.min(firstRoundPause * 2 ** Math.min(window.rounds, 20), reconcileMs)
    await endWindowRun(
      run.portal.db,
      run.claim,
      {
        syncId: run.begun.id,
        window,
        calls: run.calls.made,
        incomplete,
        partial: run.partial,
        finished,
        beginsAnewAt: atEnd && lacking ? new Date(run.now.getTime() + jittered(pause)) : null,
        changed: run.figures.changed > 0 && compares(window),
        ...(finished ? comparisonsAfter(run, window) : { nextReconcileAt: null, nextDeepReconcileAt: null }),
      },
      run.now,
    )
    return incomplete ? 'partial' : 'complete'
  }

  async #readSlice(): Promise<void> {
    const from = instant(Math.max(Date.parse(this.#reached) - this.#step, Date.parse(this.#window.from)))
    const listed = await this.#readBackTo(from, this.#window.kind === 'open', true)
    if (listed === null) return
    this.#seen += listed.ids.size
    // What is open and changed before is read to its end next, in one slice if it is not too long.
    if (from <= this.#window.from) this.#step = everything
    const slice = { reached: from, step: this.#step, seen: listed.ids.size, expected: this.#expected(from) }
    await this.#commit(listed.last, slice)
    this.#reached = from
  }

  /** Open ones that changed before the window began: lists by status show them, or else Microsoft is asked one by one. */
  async #readOlderOpen(): Promise<void> {
    const back = Date.parse(this.#reached) - this.#step
    const sliced = back > Date.parse(this.#window.to) - openDays * day
    const from = this.#step === everything || !sliced ? beginning : instant(back)
    const list = await this.#readBackTo(from, true, sliced || this.#step === everything)
    if (list === null) return
    await this.#commit(list.last, { reached: from, step: this.#step, seen: 0, expected: this.#expected(from) })
    this.#reached = from
  }

  /**
   * Reads from where the window is back to `from`, all but the last page of it stored.
   * @param limited a slice must not be longer than `longestSlice`
   * @returns null for what was too long, and is to be begun again, in narrower slices or as it is
   */
  async #readBackTo(
    from: Instant,
    openOnly: boolean,
    limited: boolean,
  ): Promise<{ ids: Set<string>; last: IncidentPage | null } | null> {
    const ids = new Set<string>()
    const since = from === beginning ? {} : { updatedSince: from }
    const width = Math.min(Date.parse(this.#reached) - Date.parse(from), 4 * widest)
    const query = { ...since, updatedBefore: this.#reached }
    const mostPages = limited && width > narrowest ? longestSlice : null
    const { last, pages, whole } = await this.#lists.read(query, openOnly, ids, mostPages)
    if (!whole) {
      this.#step = Math.max(width / 4, narrowest)
      const expected = this.#expected(this.#reached)
      await this.#commit(last, { reached: this.#reached, step: this.#step, seen: 0, expected })
      return null
    }
    // What a list does not show that is incomplete by its own account is no less there for it.
    if (this.#settledBefore !== null && this.run.partial === null) {
      const within = { from: from === beginning ? null : from, before: this.#reached, openOnly }
      if (!(await this.#lookAfter(within, ids))) {
        await this.#commit(last, null)
        return null
      }
    }
    if (pages <= shortSlice) this.#step = Math.min(this.#step * 2, widest)
    else if (pages > longSlice) this.#step = Math.max(width / 2, narrowest)
    return { ids, last }
  }

  /** As dense as it was so far; Microsoft's lists do not say how long they are. */
  #expected(reached: Instant): number | null {
    const whole = Date.parse(this.#window.to) - Date.parse(this.#window.from)
    const doneMs = Date.parse(this.#window.to) - Date.parse(reached)
    return doneMs <= 0 ? null : Math.max(this.#seen, Math.round((this.#seen * whole) / doneMs))
  }

  /** @returns how many incidents changed by it */
  async #commit(page: IncidentPage | null, slice: SliceEnd | null): Promise<number> {
    const { run } = this
    const counts = await storeWindowPage(run.portal.db, run.claim, this.#at, page, slice, run.now)
    if (page) run.count(page, counts)
    return counts.changed
  }

  /** What an incident's own answer, or none, makes of what is kept of it. */
  async #note(id: string, read: IncidentRead | null): Promise<'refused' | 'settled' | 'unchanged'> {
    const { run } = this
    if (read === null) return 'refused'
    run.notePartial(read.partial)
    if (read.found !== null) return (await this.#commit(pageOfOne(id, read), null)) > 0 ? 'settled' : 'unchanged'
    await recordGone(run.portal.db, run.claim, this.#at, id, run.now)
    run.figures.differences++
    return 'settled'
  }

  /**
   * What is kept and no list showed: it has changed since, or Microsoft knows it no longer. Each is gone only by its own
   * answer, in a sync run whose lists were whole.
   * @returns whether it came to its end; else there is more of it, and some of it is done
   */
  async #lookAfter(within: Parameters<typeof unlistedOf>[2], ids: ReadonlySet<string>): Promise<boolean> {
    const { run } = this
    const { db, microsoft } = run.portal
    const { tenantId } = run.claim
    const unlisted = await unlistedOf(db, tenantId, within, ids)
    let [settled, unchanged, refused] = [0, 0, 0]
    for (const id of startingAnywhere(unlisted)) {
      run.throwIfStopping()
      if (settled > 0 && run.ms > lookAfterFor) return false
      if (unchanged >= mostUnchanged || refused >= mostRefused) return true
      const ask = (calls: CallMeter) =>
        microsoft.readIncident(tenantId, id, calls).catch((error: unknown) => {
          if (!(error instanceof Refusal) || !isAboutOne(error)) throw error
          return null
        })
      const became = await run.one(ask, (read) => this.#note(id, read))
      if (became === 'refused') refused++
      else if (became === 'settled') settled++
      else unchanged++
      if (run.partial !== null) return true
    }
    return true
  }

  async fail(error: unknown, code: RefusalCode | 'internal'): Promise<SyncOutcome> {
    const { run } = this
    const { db } = run.portal
    const budget = isOwnBudget(error)
    const { checkAccess } = budget ? { checkAccess: false } : await handleFailure(run, error, code)
    const retryAfterMs = error instanceof Refusal ? (error.retryAfterMs ?? 0) : 0
    const failures = budget ? 0 : (await failuresInARow(db, this.#window)) + 1
    const pause = budget ? retryAfterMs : Math.max(retryAfterMs, failurePause(failures))
    const resumeAt = new Date(run.now.getTime() + pause)
    // The budget of polls is larger than that of windows: they need not wait for it.
    const notBefore = !budget && (code === 'throttled' || retryAfterMs > 0) ? resumeAt : null
    const failure = { code, calls: run.calls.made, resumeAt, notBefore, checkAccess, budget }
    await failWindowRun(db, run.claim, { syncId: await run.writeRow(), windowId: this.#window.id }, failure, run.now)
    return budget ? 'partial' : 'failed'
  }
}

/** Chance takes turns where not all of them are asked for. */
function startingAnywhere(ids: string[]): string[] {
  const start = Math.floor(Math.random() * ids.length)
  return [...ids.slice(start), ...ids.slice(0, start)]
}
