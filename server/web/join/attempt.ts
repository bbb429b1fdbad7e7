import type { Response } from 'express'
import { PortalError } from '../../errors.ts'
import { pathValue, readForm } from '../../http/forms.ts'
import type { CustomerRequest, Handler } from '../../http/route.ts'
import type { LoginWords } from '../../model/aadsts.ts'
import { findEntry, wantsOtherAccount } from '../../model/dictionary.ts'
import { ownerOf, type RefusalCode } from '../../model/refusal.ts'
import { beginAgain } from '../../onboarding/consent.ts'
import { readAsking } from '../../partner/asked-permissions.ts'
import type { Portal } from '../../portal.ts'
import { getCustomer, isExpectedElsewhere } from '../../store/customers/customers.ts'
import type { Database } from '../../store/engine/dialect.ts'
import { findAttemptOfBrowser } from '../../store/onboarding/attempt-list.ts'
import type { ConsentAttempt } from '../../store/onboarding/attempts.ts'
import { type AwaitedProof, findAwaitedProof } from '../../store/onboarding/awaited-proofs.ts'
import { getLink, linkState } from '../../store/onboarding/links.ts'
import { hasOpenReview } from '../../store/onboarding/reviews.ts'
import { readPartnerFaults } from '../../store/partner/faults.ts'
import { readSettings } from '../../store/partner/settings.ts'
import { findProof } from '../../store/tenants/checks.ts'
import { type AccessState, findTenant, type Tenant } from '../../store/tenants/tenants.ts'
import { page } from '../page/page.ts'
import { render } from '../page/render.ts'
import type { AttemptEnd } from './attempt-end.ts'
import { type AttemptFacts, attemptView } from './attempt-view.ts'
import { goOn, visitorOf } from './callback.ts'
import { linkOnPage, speakTo } from './join.ts'
import { findJourney } from './journey.ts'
import { partnerViewOf } from './partner.ts'
import { adviseAtEnd, type TenantStanding } from './removal-advice.ts'

const attemptPage = page('join/attempt', attemptView)

/**
 * What became of a run through Microsoft, told openly, but only to the browser that made it.
 * @throws PortalError `CONSENT_NOT_YOURS`
 */
export const showAttempt: Handler<CustomerRequest> = async (portal, req, res) => {
  const { db } = portal
  const attempt = await findAttemptOfBrowser(db, pathValue(req, 'attemptId'), req.browser)
  if (!attempt) throw new PortalError('CONSENT_NOT_YOURS')
  const [link, customer, settings, { tenant, awaited }, alarms, proof, asking, journey] = await Promise.all([
    getLink(db, attempt.linkId),
    getCustomer(db, attempt.customerId),
    readSettings(db),
    proofOf(db, attempt),
    readPartnerFaults(db),
    attempt.boundTenantId === null ? null : findProof(db, attempt.boundTenantId),
    readAsking(portal),
    findJourney(portal, req, attempt.linkId),
  ])
  speakTo(req, res, customer, journey?.language ?? null)
  const signedIn = attempt.signedInTenantId !== null && attempt.signedInTenantId === tenantOf(attempt)
  const { end, removal } = adviseAtEnd({
    end: endOf(attempt, tenant, awaited),
    signedIn,
    tenant: await standingOfTenant(portal, attempt),
    mayHaveConsented: tenantOf(attempt) !== null || attempt.kind === 'classic' || attempt.outcome === 'link-withdrawn',
  })
  const usable = linkState(link, portal.now()) === 'issued'
  await render(res, attemptPage, {
    end,
    partner: partnerViewOf(portal, settings, res.locals.reader.language),
    customerName: customer.name,
    attempt,
    reference: link.reference,
    pinnedDomain: link.pinnedDomain,
    tenant,
    provenRoles: proof?.claims?.roles ?? [],
    asking,
    awaited,
    nextTryIn: untilNextTry(awaited?.nextAt ?? tenant?.nextCheckAt ?? null, portal.now()),
    removal,
    signedIn,
    heldUp: alarms.length > 0 ? 'partner' : heldUpBy(awaited?.lastCode ?? tenant?.stateCode ?? null),
    again: usable ? `/consent/${attempt.id}/attempts` : null,
    link: usable && journey ? linkOnPage(portal, link, journey.token) : null,
    told: toldOf(end, attempt, awaited?.lastCode ?? tenant?.stateCode ?? null),
    refresh: refreshAfter(end, tenant, awaited !== null),
  })
}

/** The browser of an attempt that came to nothing tries again. */
export const addAttemptAgain: Handler<CustomerRequest> = async (portal, req, res) => {
  if (readForm({}, req).value === null) throw new PortalError('BAD_REQUEST')
  await speakToBrowser(portal, req, res)
  const visitor = { ...visitorOf(portal, req), browser: req.browser }
  await goOn(portal, req, res, await beginAgain(portal, visitor, pathValue(req, 'attemptId')))
}

/** In the language of the page that the form stands on, also where there is nothing to try any more. */
async function speakToBrowser(portal: Portal, req: CustomerRequest, res: Response): Promise<void> {
  const attempt = await findAttemptOfBrowser(portal.db, pathValue(req, 'attemptId'), req.browser)
  if (!attempt) return
  const [customer, journey] = await Promise.all([
    getCustomer(portal.db, attempt.customerId),
    findJourney(portal, req, attempt.linkId),
  ])
  speakTo(req, res, customer, journey?.language ?? null)
}

const tenantOf = (attempt: ConsentAttempt): string | null => attempt.claimedTenantId ?? attempt.boundTenantId

async function standingOfTenant({ db, config }: Portal, attempt: ConsentAttempt): Promise<TenantStanding> {
  const tenantId = tenantOf(attempt)
  if (tenantId === null) return 'unknown'
  // The app has its home there: without it nothing could be proven any more.
  if (tenantId === config.partnerTenantId) return 'held'
  const [tenant, awaited, reviewed, expected] = await Promise.all([
    findTenant(db, tenantId),
    findAwaitedProof(db, tenantId),
    hasOpenReview(db, tenantId),
    isExpectedElsewhere(db, tenantId, attempt.customerId),
  ])
  if (tenant?.accessState === 'active' || tenant?.accessState === 'proving') return 'connected'
  if (awaited || reviewed || expected || (tenant !== null && tenant.accessState !== 'offboarded')) return 'held'
  return tenant === null ? 'unknown' : 'offboarded'
}

/** The tenant a run led to, or one that is this customer's already, and the proof it waits for. */
async function proofOf(
  db: Database,
  attempt: ConsentAttempt,
): Promise<{ tenant: Tenant | null; awaited: AwaitedProof | null }> {
  const waits = attempt.outcome === 'awaiting-proof'
  const tenantId = attempt.boundTenantId ?? (waits ? attempt.claimedTenantId : null)
  if (tenantId === null) return { tenant: null, awaited: null }
  const tenant = await findTenant(db, tenantId)
  return {
    // What is only claimed tells nothing of a tenant that is another customer's.
    tenant: waits && tenant?.customerId !== attempt.customerId ? null : tenant,
    awaited: waits ? await findAwaitedProof(db, tenantId) : null,
  }
}

/** What Microsoft's refusal of a token tells about the claimed tenant; everything else may pass by itself. */
const endOfCode: Partial<Record<RefusalCode, AttemptEnd>> = {
  unlicensed: 'unlicensed',
  'app-disabled': 'disabled',
  'blocked-by-policy': 'blocked',
  'tenant-gone': 'gone',
  'other-cloud': 'gone',
}

function endOf(attempt: ConsentAttempt, tenant: Tenant | null, awaited: AwaitedProof | null): AttemptEnd {
  switch (attempt.outcome) {
    case 'bound':
      return tenant === null ? 'review' : endOfTenant(tenant.accessState)
    case 'awaiting-proof':
      if (awaited !== null) return (awaited.lastCode && endOfCode[awaited.lastCode]) || 'claimed'
      // Decided by an operator, or proven this instant: the tenant itself says how far it is.
      return tenant === null ? 'review' : endOfTenant(tenant.accessState)
    case 'started':
      return 'late'
    case 'claimed':
    case 'mangled':
    case 'proving-tenant':
      return 'sign-in'
    case 'other-tenant-signed-in':
      return 'wrong-tenant'
    case 'refused':
      return attempt.claimedTenantId === null ? 'refused' : 'dismissed'
    default:
      return attempt.outcome
  }
}

function endOfTenant(state: AccessState): AttemptEnd {
  if (state === 'active') return 'done'
  return state === 'unlicensed' ? 'no-data' : state
}

function toldOf(end: AttemptEnd, attempt: ConsentAttempt, code: string | null): AttemptFacts['told'] {
  const words = loginWordsOf(end, attempt, code)
  if (words === null) return null
  return { title: `login.${words}`, next: `login.${words}.next`, otherAccount: wantsOtherAccount(words) }
}

function loginWordsOf(end: AttemptEnd, attempt: ConsentAttempt, code: string | null): LoginWords | null {
  if (end === 'gone') return code === 'tenant-unavailable' ? 'tenant-unavailable' : null
  if (end !== 'refused' && end !== 'sign-in-failed') return null
  const entry = findEntry(attempt.aadsts)
  return entry === null || entry.outcome === 'misconfigured' ? null : entry.login
}

function heldUpBy(code: string | null): AttemptFacts['heldUp'] {
  if (code === null) return null
  const owner = ownerOf(code as RefusalCode)
  return owner === 'partner' || owner === 'microsoft' ? owner : null
}

function untilNextTry(nextAt: string | null, now: Date): number | null {
  if (nextAt === null) return null
  const wait = Date.parse(nextAt) - now.getTime()
  // Less than a second is told as under way.
  return wait >= 1_000 ? wait : null
}

/** Quickly while something is under way, slowly while somebody has to act. */
function refreshAfter(end: AttemptEnd, tenant: Tenant | null, waiting: boolean): number | null {
  if (end === 'proving' || end === 'claimed') return 5
  if (end === 'done' && tenant?.partialSince != null) return tenant.firstIncidentAt === null ? 30 : null
  if (end === 'done') return tenant?.firstIncidentAt == null && tenant?.lastReadAt == null ? 5 : null
  return end === 'review' || end === 'sign-in' || waiting || tenant !== null ? 30 : null
}
