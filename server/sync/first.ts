import type { IncidentQuery, Instant } from '../model/incident.ts'
import type { SyncOutcome } from '../store/sync/rows.ts'
import { completeSync } from '../store/sync/syncs.ts'
import { day, second } from '../time.ts'
import { readDetails } from './details.ts'
import { backfillDays, listsOf, longList, Newest, pauseOfPartial, store } from './lists.ts'
import { instant, isFilterRefused, type SyncRun } from './run.ts'

/** Slices of open incidents go back this far; Microsoft keeps incidents for 180 days. */
export const openDays = 365

/** What is open, newest first as it comes; then a beginning for the cursor, and the days before as a window. */
export async function readOpen(run: SyncRun): Promise<SyncOutcome> {
  const now = run.now.getTime()
  const newest = new Newest(null, run.now)
  await run.writeRow()
  const allOpen = await readOpenLists(run, newest)
  await findNewest(run, newest, now)
  const to = newest.at ?? instant(now)
  const from = instant(Math.min(now, Date.parse(to)) - backfillDays * day)
  const lists = listsOf(run, newest.at, from)
  const { notBefore, aside } = await readDetails(run)
  const incomplete = run.partial !== null || run.figures.rejected + aside > 0
  // A kill would begin what is open anew here; in a window it costs a slice.
  const openTo = instant(Math.max(now, Date.parse(to)) + 1)
  const open = { kind: 'open', from: instant(now - openDays * day), to: openTo, step: day } as const
  const backfill = { kind: 'backfill', from, to, step: day } as const
  await completeSync(
    run.portal.db,
    run.claim,
    await run.writeRow(),
    {
      ...lists,
      phase: 'following',
      nextSyncAt: new Date(run.now.getTime() + (lists.whole ? second : pauseOfPartial(run))),
      incomplete,
      partial: run.partial,
      notBefore,
      calls: run.calls.made,
      changed: run.figures.changed > 0,
      windows: allOpen ? [backfill] : [open, backfill],
    },
    run.now,
  )
  return incomplete ? 'partial' : 'complete'
}

/** @returns whether all of what is open was read; else a list of it is too long for one sync run */
async function readOpenLists(run: SyncRun, newest: Newest): Promise<boolean> {
  let allOpen = true
  for (const status of run.portal.microsoft.openLists) {
    const whole = await readUpTo(run, { status }, newest, longList).catch((error: unknown) => {
      // What has no name yet is found by the comparison.
      if (status === 'other' && isFilterRefused(error)) return true
      throw error
    })
    allOpen = whole && allOpen
  }
  return allOpen
}

/** Reads back, twice as far each time, until there is an incident for the cursor to begin with, or until `backfillDays`. */
async function findNewest(run: SyncRun, newest: Newest, now: number): Promise<void> {
  // Our own clock only says how far back the first looks go; it never is the cursor.
  for (let days = 1, before: Instant | null = null; days < 2 * backfillDays; days *= 2) {
    const from = instant(now - Math.min(days, backfillDays) * day)
    if (newest.at !== null && newest.at >= from) break
    const query = { updatedSince: from, ...(before === null ? {} : { updatedBefore: before }) }
    await readUpTo(run, query, newest, Number.POSITIVE_INFINITY)
    before = from
  }
}

/** Reads and stores a list; @returns false where it goes on behind `mostPages` */
async function readUpTo(run: SyncRun, query: IncidentQuery, newest: Newest, mostPages: number): Promise<boolean> {
  let pages = 0
  for await (const page of run.pages(query)) {
    run.throwIfStopping()
    await store(run, page)
    newest.see(page)
    if (++pages > mostPages) return false
  }
  return true
}
