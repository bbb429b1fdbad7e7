import type { CallMeter } from '../microsoft/microsoft.ts'
import { tooLarge } from '../microsoft/wire/http.ts'
import type { IncidentPage, IncidentRead, RejectedItem } from '../model/incident.ts'
import { Refusal } from '../model/refusal.ts'
import { alertsDue, alertsDueAgain, setAlertsAside, storeAlerts } from '../store/incidents/alerts.ts'
import { dropRejected, rejectedDue } from '../store/incidents/rejected.ts'
import { sourcesInWords } from '../store/sync/partial.ts'
import { storePage } from '../store/sync/syncs.ts'
import { isOwnBudget, type SyncRun } from './run.ts'

/** Alert calls in one sync run, for the API whose list carries none: far below the quota of a minute. */
const alertCalls = 30
/** So many incidents in one sync run whose alerts cannot be read: that is no longer about the incidents. */
const mostAside = 5
/** And so many that get no answer at all, each of which took its time. */
const mostUnanswered = 2
const rejectedAtOnce = 3
const throttledPause = 30_000

/** What lists do not bring: alerts, and items that could not be read. */
export interface Details {
  /** Some are still due after this sync run. */
  pending: boolean
  /** Microsoft wants to be left alone until then, or our own budget does. */
  notBefore: Date | null
  /** Incidents whose alerts were set aside. */
  aside: number
}

/**
 * Reads the alerts that are due, and asks again for items that were rejected. An incident whose alerts Microsoft cannot
 * give, as happens for good with large ones, is set aside alone: it holds up neither other incidents nor the cursor. Nor does
 * being throttled: the list was read.
 */
export async function readDetails(run: SyncRun): Promise<Details> {
  const details: Details = { pending: false, notBefore: null, aside: 0 }
  try {
    await retryRejected(run)
    await readAlerts(run, details)
  } catch (error) {
    if (!(error instanceof Refusal)) throw error
    if (error.code !== 'throttled') {
      // The list was read: what single incidents are refused for is no failure of the tenant.
      details.aside++
      return details
    }
    const wait = isOwnBudget(error) ? (error.retryAfterMs ?? 0) : Math.max(error.retryAfterMs ?? 0, throttledPause)
    details.pending = true
    details.notBefore = new Date(run.now.getTime() + wait)
  }
  return details
}

async function readAlerts(run: SyncRun, details: Details): Promise<void> {
  const { db, microsoft } = run.portal
  const { tenantId } = run.claim
  const due = await alertsDue(db, tenantId, alertCalls + 1, run.now)
  if (microsoft.api === 'graph' && due.length < alertCalls) {
    due.push(...(await alertsDueAgain(db, tenantId, alertCalls - due.length, run.now)))
  }
  details.pending = due.length > alertCalls
  let unanswered = 0
  for (const incident of due.slice(0, alertCalls)) {
    if (details.aside >= mostAside || run.turn.stopping?.aborted) {
      details.pending = details.aside < mostAside
      return
    }
    try {
      const ask = (calls: CallMeter) => microsoft.alertsOf(tenantId, incident.id, calls)
      await run.one(ask, async (found) => {
        const { partial = null } = found
        run.notePartial(partial)
        await storeAlerts(db, run.claim, incident, found, run.now)
        if (found.odd > 0 || partial !== null) {
          await run.writeRow()
          details.aside++
        }
      })
    } catch (error) {
      if (!(error instanceof Refusal) || !isAboutOne(error)) throw error
      await run.writeRow()
      await setAlertsAside(db, run.claim, incident.id, said(error), run.now)
      details.aside++
      if (error.code === 'unavailable' && ++unanswered >= mostUnanswered) return
    }
  }
}

/** What was rejected leaves the list when it has become readable, or is gone. */
async function retryRejected(run: SyncRun): Promise<void> {
  const { db, microsoft } = run.portal
  const { tenantId } = run.claim
  for (const id of await rejectedDue(db, tenantId, rejectedAtOnce, run.now)) {
    run.throwIfStopping()
    const ask = (calls: CallMeter) =>
      microsoft.readIncident(tenantId, id, calls).catch((error: unknown): IncidentRead => {
        if (!(error instanceof Refusal) || !isAboutOne(error)) throw error
        const reason = error.facts.error === tooLarge ? 'too-large' : 'unreadable'
        return { found: { id, reason, detail: said(error) }, partial: null }
      })
    await run.one(ask, async (read) => {
      run.notePartial(read.partial)
      const page = pageOfOne(id, read)
      run.count(page, await storePage(db, run.claim, await run.writeRow(), page, run.now))
      if (read.found === null) await dropRejected(db, run.claim, id)
    })
  }
}

/** One incident that was asked for by itself, as a page: what came of it in part is stored, and asked for again. */
export function pageOfOne(id: string, { found, partial }: IncidentRead): IncidentPage {
  const lacking = partial === null ? {} : { partial }
  if (found === null) return { incidents: [], rejected: [], ...lacking }
  if ('reason' in found) return { incidents: [], rejected: [{ ...found, id }], ...lacking }
  const again: RejectedItem[] =
    partial === null ? [] : [{ id, reason: 'partly-answered', detail: sourcesInWords(partial) }]
  return { incidents: [found], rejected: again, ...lacking }
}

/**
 * Whether a refusal may concern the one incident that was asked for: the list was read a moment ago, so an access that
 * has ended, or a service that is away, shows there in the next sync run. What times out may be too much of one incident.
 */
export const isAboutOne = ({ code, facts }: Refusal): boolean =>
  code !== 'unlicensed' &&
  code !== 'not-set-up' &&
  (code === 'unexpected-answer' || code === 'unavailable' || [400, 403, 404, 410].includes(facts.status ?? 0))

const said = ({ facts }: Refusal) => [facts.status, facts.error].filter((part) => part !== null).join(' ')
