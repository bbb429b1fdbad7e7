import type { Response } from 'express'
import { listStatuses } from '../../customers/progress.ts'
import { runsPortal } from '../../http/operator.ts'
import type { Handler, OperatorRequest } from '../../http/route.ts'
import { ownerOf, type RefusalCode } from '../../model/refusal.ts'
import { partnerCredentials } from '../../partner/expiry.ts'
import type { Portal } from '../../portal.ts'
import { customerNames } from '../../store/customers/customers.ts'
import { createdPerDay } from '../../store/incidents/queue.ts'
import { invitedCustomers } from '../../store/onboarding/link-list.ts'
import { countOpenReviews, openReviews, type Review } from '../../store/onboarding/reviews.ts'
import { type PartnerFault, readPartnerFaults } from '../../store/partner/faults.ts'
import { readRolesUnseen } from '../../store/partner/roles-unseen.ts'
import { findIntroductionGap, readSettings } from '../../store/partner/settings.ts'
import { blindSince } from '../../store/tenants/blind.ts'
import { heatOfFleet, openInFleet, troubledTenants } from '../../store/tenants/fleet.ts'
import { type Pause, readPause } from '../../store/tenants/pauses.ts'
import type { Tenant } from '../../store/tenants/tenants.ts'
import { day } from '../../time.ts'
import type { MessageValues } from '../../words.ts'
import { findObstacleView } from '../customers/link-obstacle.ts'
import { severities } from '../incidents/filters.ts'
import { lackingKeys, refusalKeys } from '../page/badges.ts'
import { page } from '../page/page.ts'
import { render } from '../page/render.ts'
import { chartDays, chartOf } from './chart.ts'
import { firstDayView } from './first-day-view.ts'
import { funnelDays, funnelOf } from './funnel.ts'
import type { Needs, Owned } from './needs-view.ts'
import { type Beginning, type Blind, type OverviewFacts, overviewView } from './overview-view.ts'
import { scopedTo } from './scoped.ts'

const firstDayPage = page('overview/first-day', firstDayView)
const overviewPage = page('overview/overview', overviewView)

const mostBlind = 10
const mostReviews = 8
const mostHeat = 12

/** The first page: what Muster cannot see, what needs somebody, what is open, how consent goes. */
export const showOverview: Handler<OperatorRequest> = async (portal, req, res) => {
  const { db } = portal
  const { scope } = req
  const now = portal.now()
  const { alphabet } = res.locals.reader
  const [troubled, fleet, alarms, reviews, waiting, pause, invited, rolesUnseenSince, credentials] = await Promise.all([
    troubledTenants(db, now, alphabet, scope),
    openInFleet(db, scope),
    readPartnerFaults(db),
    openReviews(db, undefined, mostReviews, scope),
    countOpenReviews(db, scope),
    readPause(db),
    invitedCustomers(db, new Date(now.getTime() - funnelDays * day), scope),
    readRolesUnseen(db),
    partnerCredentials(portal),
  ])
  const [lines, names] = await Promise.all([
    listStatuses(db, now, invited, alphabet, scope),
    customerNames(db, [...new Set(reviews.flatMap(({ customerId }) => customerId ?? []))], undefined, scope),
  ])
  const beginning: Beginning = {
    now,
    alarms,
    needs: {
      ...needsOf(troubled, reviews, names, now),
      moreReviews: sum([...waiting.values()], (open) => open) - reviews.length,
      mayResume: req.operator.role === 'Admin',
    },
    funnel: funnelOf(lines, now),
    obstacle: await findObstacleView(portal, req),
    rolesUnseenSince: runsPortal(req) ? rolesUnseenSince : null,
    scoped: await scopedTo(portal, req),
    credentials,
  }
  if (fleet.tenants === 0) return showFirstDay(portal, req, res, beginning)
  const [created, heat] = await Promise.all([
    createdPerDay(db, new Date(now.getTime() - (chartDays - 1) * day), scope),
    heatOfFleet(db, mostHeat, now, alphabet, scope),
  ])
  const tally = severities.map((severity) => ({
    severity,
    open: fleet.open[severity],
    unassigned: fleet.unassigned[severity],
  }))
  await render(res, overviewPage, {
    ...beginning,
    blind: blindOf(troubled, alarms, pause, now),
    tally,
    unassigned: sum(tally, (one) => one.unassigned),
    heat,
    chart: chartOf(created, now),
    isAdmin: req.operator.role === 'Admin',
  })
}

/** The page while nothing is read yet: what is to be done first. */
async function showFirstDay({ db }: Portal, req: OperatorRequest, res: Response, beginning: Beginning): Promise<void> {
  const { scope } = req
  const [customers, everInvited, settings] = await Promise.all([
    customerNames(db, undefined, undefined, scope),
    invitedCustomers(db, null, scope),
    readSettings(db),
  ])
  await render(res, firstDayPage, {
    ...beginning,
    customers: customers.length,
    invited: everInvited.length,
    introduced: findIntroductionGap(settings) === null,
    mayAdd: runsPortal(req),
  })
}

const sum = <T>(items: readonly T[], of: (item: T) => number) => items.reduce((total, item) => total + of(item), 0)

/**
 * While the partner's own credential fails, or while everything is paused, nothing is read at all: that is one trouble,
 * not one for every tenant.
 */
function blindOf(
  tenants: readonly Owned[],
  alarms: readonly PartnerFault[],
  pause: Pause | null,
  now: Date,
): OverviewFacts['blind'] {
  const blind = tenants.flatMap((owned) => {
    const since = blindSince(owned.tenant, now)
    return since === null ? [] : [{ ...owned, since, ...causeOf(owned.tenant, now) }]
  })
  const byAlarm = (one: (typeof blind)[number]) =>
    alarms.length > 0 &&
    one.tenant.accessState === 'active' &&
    one.tenant.pausedAt === null &&
    one.tenant.partial === null &&
    (one.code === null || ownerOf(one.code) === 'partner')
  const byPause = (one: (typeof blind)[number]) =>
    pause !== null &&
    one.tenant.accessState === 'active' &&
    one.tenant.pausedAt === null &&
    one.owner === 'partner' &&
    one.code === null
  const paused = blind.filter(byPause)
  const alarmed = blind.filter((one) => !byPause(one) && byAlarm(one))
  const own = blind.filter((one) => !byPause(one) && !byAlarm(one))
  own.sort((a, b) => b.tenant.open.high - a.tenant.open.high || (a.since < b.since ? -1 : 1))
  return {
    shown: own.slice(0, mostBlind),
    more: Math.max(0, own.length - mostBlind),
    byAlarm: alarmed.length,
    byPause: paused.length,
    high: sum(blind, ({ tenant }) => tenant.open.high),
  }
}

const byConsent: ReadonlySet<string> = new Set<RefusalCode>(['not-consented', 'role-missing'])

type Cause = Omit<Blind, 'tenant' | 'customerName' | 'since'> & { code: RefusalCode | null }

function causeOf(tenant: Tenant, now: Date): Cause {
  const waitsUntil = tenant.notBefore !== null && tenant.notBefore > now.toISOString() ? tenant.notBefore : null
  const values: MessageValues = { by: tenant.pausedBy ?? '', aadsts: 0, status: 0 }
  if (tenant.pausedAt !== null && tenant.accessState === 'active') {
    const why = 'overview.blind.paused'
    return { code: null, why, next: `${why}.next`, values, waitsUntil: null, owner: 'partner', byConsent: false }
  }
  const lastCode = tenant.accessState === 'active' ? tenant.lastReadCode : tenant.stateCode
  if (lastCode === null && tenant.partial !== null) {
    const next = 'signal.partial.next'
    return { code: null, ...lackingKeys(tenant.partial), next, waitsUntil, owner: 'microsoft', byConsent: false }
  }
  if (lastCode === null || lastCode === 'internal') {
    const why = lastCode === null ? 'overview.blind.late' : 'overview.blind.internal'
    return { code: null, why, next: `${why}.next`, values, waitsUntil, owner: 'partner', byConsent: false }
  }
  const code = lastCode as RefusalCode
  return {
    code,
    ...refusalKeys(code, tenant),
    values,
    waitsUntil,
    owner: ownerOf(code),
    byConsent: byConsent.has(code),
  }
}

function needsOf(
  troubled: readonly Owned[],
  reviews: readonly Review[],
  customers: readonly { id: string; name: string; offboardedAt: string | null }[],
  now: Date,
): Omit<Needs, 'mayResume' | 'moreReviews'> {
  const names = new Map(customers.filter(({ offboardedAt }) => offboardedAt === null).map(({ id, name }) => [id, name]))
  return {
    reviews: reviews.map((review) => ({
      ...review,
      customerName: review.customerId === null ? null : (names.get(review.customerId) ?? null),
    })),
    paused: troubled.filter(
      ({ tenant }) => tenant.accessState === 'active' && tenant.pausedAt !== null && blindSince(tenant, now) === null,
    ),
    lost: troubled.filter(
      ({ tenant }) => !['active', 'proving'].includes(tenant.accessState) && blindSince(tenant, now) === null,
    ),
  }
}
