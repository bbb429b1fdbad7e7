import type { IncidentPage, IncidentRead, RejectedItem } from '../model/incident.ts'
import { Refusal } from '../model/refusal.ts'
import { alertsDue, alertsDueAgain, setAlertsAside, storeAlerts } from '../store/incidents/alerts.ts'
import { dropRejected, rejectedDue } from '../store/incidents/rejected.ts'
import { sourcesInWords } from '../store/sync/partial.ts'
import { storePage } from '../store/sync/syncs.ts'
import { isOwnBudget, type Pass } from './run.ts'

/** Alert calls in one pass, for the API whose list carries none: far below the quota of a minute. */
const alertCalls = 30
/** So many incidents in one pass whose alerts cannot be read: that is no longer about the incidents. */
const mostAside = 5
/** And so many that get no answer at all, each of which took its time. */
const mostUnanswered = 2
const rejectedAtOnce = 3
const throttledPause = 30_000

/** What lists do not bring: alerts, and items that could not be read. */
export interface Details {
  /** Some are still due after this pass. */
  pending: boolean
  /** Microsoft wants to be left alone until then, or our own budget does. */
  notBefore: Date | null
  /** Incidents whose alerts were set aside. */
  aside: number
}

/**
 * Reads the alerts that are due, and asks again for items that were rejected. An incident whose alerts Microsoft cannot
 * give, as happens for good with large ones, is set aside alone: it holds up neither the others nor the cursor. Nor does
 * being throttled: the list was read.
 */
export async function readDetails(pass: Pass): Promise<Details> {
  const details: Details = { pending: false, notBefore: null, aside: 0 }
  try {
    await retryRejected(pass)
    await readAlerts(pass, details)
  } catch (error) {
    if (!(error instanceof Refusal)) throw error
    if (error.code !== 'throttled') {
      // The list was read: what single incidents are refused for is no failure of the tenant.
      details.aside++
      return details
    }
    const wait = isOwnBudget(error) ? (error.retryAfterMs ?? 0) : Math.max(error.retryAfterMs ?? 0, throttledPause)
    details.pending = true
    details.notBefore = new Date(pass.now.getTime() + wait)
  }
  return details
}

async function readAlerts(pass: Pass, details: Details): Promise<void> {
  const { db, microsoft } = pass.portal
  const { tenantId } = pass.claim
  const due = await alertsDue(db, tenantId, alertCalls + 1, pass.now)
  if (microsoft.api === 'graph' && due.length < alertCalls) {
    due.push(...(await alertsDueAgain(db, tenantId, alertCalls - due.length, pass.now)))
  }
  details.pending = due.length > alertCalls
  let unanswered = 0
  for (const incident of due.slice(0, alertCalls)) {
    if (details.aside >= mostAside || pass.turn.stopping?.aborted) {
      details.pending = details.aside < mostAside
      return
    }
    try {
      const found = await microsoft.alertsOf(tenantId, incident.id, pass.calls)
      const { partial = null } = found
      pass.notePartial(partial)
      await storeAlerts(db, pass.claim, incident, found, pass.now)
      if (found.odd > 0 || partial !== null) {
        await pass.appear()
        details.aside++
      }
    } catch (error) {
      if (!(error instanceof Refusal) || !isAboutOne(error)) throw error
      await pass.appear()
      await setAlertsAside(db, pass.claim, incident.id, said(error), pass.now)
      details.aside++
      if (error.code === 'unavailable' && ++unanswered >= mostUnanswered) return
    }
  }
}

/** What was rejected leaves the list when it has become readable, or is gone. */
async function retryRejected(pass: Pass): Promise<void> {
  const { db, microsoft } = pass.portal
  const { tenantId } = pass.claim
  for (const id of await rejectedDue(db, tenantId, rejectedAtOnce, pass.now)) {
    pass.mayGoOn()
    const read = await microsoft.incidentById(tenantId, id, pass.calls).catch((error: unknown): IncidentRead => {
      if (!(error instanceof Refusal) || !isAboutOne(error)) throw error
      return { found: { id, reason: 'unreadable', detail: said(error) }, partial: null }
    })
    const { found } = read
    pass.notePartial(read.partial)
    const page = pageOfOne(id, read)
    pass.count(page, await storePage(db, pass.claim, await pass.appear(), page, pass.now))
    if (found === null) await dropRejected(db, pass.claim, id)
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
 * has ended, or a service that is away, shows there in the next pass. What times out may be too much of one incident.
 */
export const isAboutOne = ({ code, facts }: Refusal): boolean =>
  code !== 'unlicensed' &&
  code !== 'not-set-up' &&
  (code === 'unexpected-answer' || code === 'unavailable' || [400, 403, 404, 410].includes(facts.status ?? 0))

const said = ({ facts }: Refusal) => [facts.status, facts.error].filter((part) => part !== null).join(' ')
