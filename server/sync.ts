import type { IncidentPage, IncidentQuery, Instant } from './microsoft/microsoft.ts'
import { Refusal, type RefusalCode } from './microsoft/refusals.ts'
import type { Portal } from './portal.ts'
import { raiseAlarm } from './store/alarms.ts'
import { type Claim, ClaimLostError, releaseClaim } from './store/claims.ts'
import { alertsDue } from './store/incidents.ts'
import { completeSync, failSync, setAlertsAside, startSync, storeAlerts, storePage } from './store/syncs.ts'
import { type SyncPhase, type Tenant, tenantById } from './store/tenants.ts'

const second = 1_000
const minute = 60 * second
const day = 24 * 60 * minute

/** Microsoft shows an incident minutes after the time it bears: each window begins this much before the last one's end. */
const overlap = 15 * minute
const backfillDays = 30
/** Between passes over a tenant with nothing unusual. */
const pace = 90 * second
const failurePause = 30 * second
const longestPause = 10 * minute
/** Alert calls in one pass, for the API whose list carries none: far below the quota of a minute. */
const alertCalls = 30
/** So many incidents in one pass whose alerts cannot be read: that is no longer about the incidents. */
const mostAside = 5

/** Refusals that say something about the tenant's access, which an access check has to look into. */
const accessRefusals = new Set<RefusalCode>([
  'not-consented',
  'role-missing',
  'app-disabled',
  'unlicensed',
  'data-unavailable',
  'blocked-by-policy',
  'tenant-gone',
  'other-cloud',
  'unauthorized',
  'wrong-tenant-token',
])

/**
 * One pass over one claimed tenant: read what is due, store it page by page, then move the cursor.
 *
 * The first passes fetch open incidents, then the last 30 days; after that everything updated since the cursor less an
 * overlap. Pages are stored whole or not at all; the cursor moves only after the last of them, to the newest update
 * seen at Microsoft. Whatever goes wrong becomes the tenant's state and a later due time; nothing is thrown but a loss
 * of the claim.
 * @param stopping ends the pass at the edge of a page: what is stored stays, and the tenant is due again at once
 * @throws ClaimLostError
 */
export async function syncTenant(portal: Portal, claim: Claim, stopping?: AbortSignal): Promise<void> {
  const { db } = portal
  const tenant = await tenantById(db, claim.tenantId)
  const syncId = await startSync(db, claim, tenant.syncPhase, portal.now())
  try {
    const read = await readTenant(portal, claim, tenant, syncId, stopping)
    const { pending, notBefore, aside } = await readAlerts(portal, claim, syncId, stopping)
    const phase: SyncPhase = tenant.syncPhase === 'open' ? 'backfill' : 'following'
    const soon = phase === 'backfill' || pending
    const pause = Math.max(soon ? second : jittered(pace), notBefore)
    await completeSync(
      db,
      claim,
      syncId,
      {
        phase,
        cursor: tenant.syncPhase === 'open' ? null : read.newest,
        nextSyncAt: new Date(portal.now().getTime() + pause),
        partial: read.rejected > 0 || aside > 0,
      },
      portal.now(),
    )
  } catch (error) {
    if (error instanceof ClaimLostError) throw error
    if (stopping?.aborted && error === stopping.reason) return releaseClaim(db, claim, portal.now())
    await recordFailure(portal, claim, tenant, syncId, error)
  }
}

interface Reading {
  newest: Instant | null
  rejected: number
}

async function readTenant(
  portal: Portal,
  claim: Claim,
  tenant: Tenant,
  syncId: string,
  stopping: AbortSignal | undefined,
): Promise<Reading> {
  const reading: Reading = { newest: tenant.cursor, rejected: 0 }
  for (const query of windows(tenant, portal.now())) {
    for await (const page of oneAhead(portal.microsoft.listIncidents(tenant.tenantId, query))) {
      stopping?.throwIfAborted()
      await storePage(portal.db, claim, syncId, page, portal.now())
      note(reading, page, instant(portal.now().getTime() + overlap))
    }
  }
  return reading
}

/** Asks for the next page while the one at hand is being stored. */
async function* oneAhead<Page>(pages: AsyncGenerator<Page>): AsyncGenerator<Page> {
  let coming = pages.next()
  try {
    for (;;) {
      const { value, done } = await coming
      if (done) return
      coming = pages.next()
      // Whoever stops in between never looks at it; without this its failure would end the process.
      coming.catch(() => undefined)
      yield value
    }
  } finally {
    pages.return(undefined).catch(() => undefined)
  }
}

/** A time from the far future would move the window past everything that is still to come: it moves nothing. */
function note(reading: Reading, page: IncidentPage, latestBelieved: Instant): void {
  reading.rejected += page.rejected.length
  for (const { lastUpdateAt } of page.incidents) {
    if (lastUpdateAt > latestBelieved) continue
    if (reading.newest === null || lastUpdateAt > reading.newest) reading.newest = lastUpdateAt
  }
}

/** What a pass asks for. Our own clock only says how far back the first one looks; it never moves the cursor. */
export function windows(tenant: Pick<Tenant, 'syncPhase' | 'cursor'>, now: Date): IncidentQuery[] {
  if (tenant.syncPhase === 'open') return [{ status: 'active' }, { status: 'inProgress' }]
  if (tenant.syncPhase === 'backfill' || tenant.cursor === null) {
    return [{ updatedSince: instant(now.getTime() - backfillDays * day) }]
  }
  return [{ updatedSince: instant(Date.parse(tenant.cursor) - overlap) }]
}

const instant = (time: number): Instant => new Date(time).toISOString().replace('Z', '0000Z')

/**
 * Reads the alerts that are due. An incident whose alerts Microsoft cannot give, as happens for good with large ones,
 * is set aside alone: it holds up neither the others nor the cursor. Nor does being throttled: the list was read.
 * @returns whether alerts are still due after this pass, how many milliseconds Microsoft wants to be left alone, and how
 * many incidents were set aside
 */
async function readAlerts(
  portal: Portal,
  claim: Claim,
  syncId: string,
  stopping: AbortSignal | undefined,
): Promise<{ pending: boolean; notBefore: number; aside: number }> {
  const due = await alertsDue(portal.db, claim.tenantId, alertCalls + 1, portal.now())
  let aside = 0
  for (const incident of due.slice(0, alertCalls)) {
    if (aside >= mostAside) return { pending: false, notBefore: 0, aside }
    if (stopping?.aborted) return { pending: true, notBefore: 0, aside }
    try {
      const alerts = await portal.microsoft.alertsOf(claim.tenantId, incident.id)
      await storeAlerts(portal.db, claim, incident, alerts, portal.now())
    } catch (error) {
      if (!(error instanceof Refusal)) throw error
      if (error.code === 'throttled') {
        return { pending: true, notBefore: Math.max(error.retryAfterMs ?? 0, failurePause), aside }
      }
      if (!isAboutOne(error)) throw error
      await setAlertsAside(portal.db, claim, syncId, incident.id, said(error), portal.now())
      aside++
    }
  }
  return { pending: due.length > alertCalls, notBefore: 0, aside }
}

/**
 * Whether a refusal may concern the alerts of the one incident that was asked for: the list was read a moment ago, so an
 * access that has ended, or a service that is away, shows there in the next pass.
 */
const isAboutOne = ({ code, facts }: Refusal) =>
  code === 'unexpected-answer' || [400, 403, 404, 410, 500, 501].includes(facts.status ?? 0)

const said = ({ facts }: Refusal) => [facts.status, facts.error].filter((part) => part !== null).join(' ')

async function recordFailure(
  portal: Portal,
  claim: Claim,
  tenant: Tenant,
  syncId: string,
  error: unknown,
): Promise<void> {
  const now = portal.now()
  const code = error instanceof Refusal ? error.code : 'internal'
  if (error instanceof Refusal && (code === 'partner-credential' || code === 'partner-registration')) {
    await raiseAlarm(portal.db, code, error.facts, now)
  }
  const level = error instanceof Refusal ? 'info' : 'error'
  portal.log[level]({ err: error, tenantId: claim.tenantId, syncId }, 'a pass over a tenant failed')
  const asked = error instanceof Refusal ? (error.retryAfterMs ?? 0) : 0
  const pause = Math.min(failurePause * 2 ** Math.min(tenant.syncFailures, 10), longestPause)
  await failSync(
    portal.db,
    claim,
    syncId,
    {
      code,
      nextSyncAt: new Date(now.getTime() + Math.max(asked, jittered(pause))),
      checkAccess: code !== 'internal' && accessRefusals.has(code),
    },
    now,
  )
}

const jittered = (ms: number) => ms * (0.8 + Math.random() * 0.4)
