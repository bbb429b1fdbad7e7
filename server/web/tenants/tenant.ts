import type { Response } from 'express'
import { operatorActor } from '../../http/access.ts'
import { type FieldFault, pathValue, readForm, type Typed } from '../../http/forms.ts'
import { zoneOf } from '../../http/reader.ts'
import type { Handler, OperatorRequest } from '../../http/route.ts'
import { type ApiExample, apiExamples } from '../../microsoft/registration/examples.ts'
import type { Capability, CapabilityState, LiveCall } from '../../model/access.ts'
import { ownerOfRefusal } from '../../model/dictionary.ts'
import type { RefusalOwner } from '../../model/refusal.ts'
import type { Portal } from '../../portal.ts'
import { type Customer, customerById } from '../../store/customers/customers.ts'
import { rejectedOf } from '../../store/incidents/rejected.ts'
import { readSettings } from '../../store/partner/settings.ts'
import { blindAfterMs, blindSince } from '../../store/tenants/blind.ts'
import { type AccessCheck, checksOf, requestCheck } from '../../store/tenants/checks.ts'
import { type Tenant, tenantById } from '../../store/tenants/tenants.ts'
import { page } from '../page/page.ts'
import { render } from '../page/render.ts'
import { wallClockAt } from '../page/zoned-time.ts'
import { noteOpened } from './opened.ts'
import { type ReadingView, readingOf } from './reading.ts'
import { spanNames } from './reread.ts'

export interface TenantView {
  tenant: Tenant
  customer: Customer
  blindSince: string | null
  /** For how many milliseconds it has been blind, or in its state. */
  sinceMs: number
  /** The next check is due, and begins as soon as a worker is free. */
  checkDue: boolean
  /** Seconds until the page looks again: few while something is about to change. */
  renewal: number
  /** Open incidents as last read. */
  open: number
  /** Newest first; the first one is the proof that the page explains. */
  checks: AccessCheck[]
  /** Who must act on what the last check met; null when it met nothing. */
  mustAct: RefusalOwner | null
  capabilities: CapabilityLine[]
  reading: ReadingView
  blindAfterMs: number
  reread: RereadForm
  rejected: Awaited<ReturnType<typeof rejectedOf>>
  examples: ApiExample[]
  /** Our own app, for comparison with the token's. */
  appId: string
  linkDays: number
  mayChange: boolean
  mayCheck: boolean
}

const tenantPage = page<TenantView>('tenants/tenant')

/** What was typed, or what the form begins with; times as clocks show them in `zone`. */
interface RereadForm {
  spans: readonly string[]
  span: string
  from: string
  to: string
  zone: string
  faults: FieldFault[] | null
}

interface CapabilityLine {
  capability: Capability
  state: CapabilityState
  /** The permission it is asked for by; null while Muster does not ask for it. */
  permission: string | null
  call: LiveCall | null
}

const checksShown = 25

const tenantIn = (req: OperatorRequest) => pathValue(req, 'tenantId').toLowerCase()

export const showTenant: Handler<OperatorRequest> = (portal, req, res) =>
  showTenantWith(portal, req, res, tenantIn(req), null)

/** The page of a tenant, after the form to read a stretch of time again was not taken as it was. @throws PortalError NOT_FOUND */
export async function showTenantWith(
  portal: Portal,
  req: OperatorRequest,
  res: Response,
  id: string,
  said: { faults: FieldFault[]; typed: Typed } | null,
): Promise<void> {
  const { db, config } = portal
  const tenant = await tenantById(db, id)
  const { tenantId } = tenant
  noteOpened(portal, req, res, tenantId)
  const [customer, checks, reading, rejected, settings] = await Promise.all([
    customerById(db, tenant.customerId),
    checksOf(db, tenantId, checksShown),
    readingOf(portal, tenant, req.operator.role),
    rejectedOf(db, tenantId),
    readSettings(db),
  ])
  const { unassigned, ...open } = tenant.open
  const now = portal.now()
  const blind = blindSince(tenant, now)
  const code = checks[0]?.refusalCode ?? null
  const view: TenantView = {
    tenant,
    customer,
    blindSince: blind,
    sinceMs: now.getTime() - Date.parse(blind ?? tenant.stateSince),
    checkDue: isDue(tenant.nextCheckAt, now),
    renewal: reading.progress.length > 0 || aboutToChange(tenant, now) ? 3 : 10,
    open: Object.values(open).reduce((sum, count) => sum + count, 0),
    checks,
    mustAct: code === null ? null : ownerOfRefusal(code, checks[0]?.refusal?.aadsts ?? null),
    capabilities: capabilitiesOf(portal, tenant, checks[0] ?? null),
    reading,
    blindAfterMs,
    reread: rereadForm(said, res.locals.reader.timeZone ?? 'UTC', now),
    rejected,
    examples: inOrder(apiExamples({ tenantId, config })),
    appId: config.app.clientId,
    linkDays: settings.linkDays,
    mayChange: req.operator.role === 'Admin',
    mayCheck: req.operator.role !== 'Reader',
  }
  await render(res, tenantPage, view, said === null ? 200 : 422)
}

/** It begins with the last day; what was typed stays, in the zone in which it was typed. */
function rereadForm(said: { faults: FieldFault[]; typed: Typed } | null, readerZone: string, now: Date): RereadForm {
  const typed = (name: string) => (typeof said?.typed[name] === 'string' ? (said.typed[name] as string) : null)
  const zone = zoneOf(typed('zone') ?? undefined) ?? readerZone
  return {
    spans: spanNames,
    span: typed('span') ?? spanNames[0] ?? '',
    from: typed('from') ?? wallClockAt(now.getTime() - 86_400_000, zone),
    to: typed('to') ?? wallClockAt(now, zone),
    zone,
    faults: said?.faults ?? null,
  }
}

const isDue = (at: string | null, now: Date) => at !== null && at <= now.toISOString()

/** A check that runs has its due time at the end of its lease. */
const aboutToChange = ({ accessState, nextCheckAt, nextSyncAt }: Tenant, now: Date) =>
  accessState === 'proving' || isDue(nextCheckAt, new Date(now.getTime() + 60_000)) || isDue(nextSyncAt, now)

function capabilitiesOf({ microsoft }: Portal, tenant: Tenant, check: AccessCheck | null): CapabilityLine[] {
  return (Object.entries(tenant.capabilities) as [Capability, CapabilityState][]).map(([capability, state]) => ({
    capability,
    // A consent that Microsoft does not show yet is no missing permission.
    state: tenant.accessState === 'proving' && state === 'missing' ? 'unknown' : state,
    permission: microsoft.permissions.find((one) => one.capability === capability)?.name ?? null,
    call: check?.calls.find((call) => call.capability === capability) ?? null,
  }))
}

const languageOrder: readonly ApiExample['language'][] = ['powershell', 'csharp', 'curl', 'typescript']

const inOrder = (examples: ApiExample[]) =>
  examples.sort((a, b) => languageOrder.indexOf(a.language) - languageOrder.indexOf(b.language))

/** Proves the access now instead of when it is due. */
export const addCheck: Handler<OperatorRequest> = async (portal, req, res) => {
  readForm({}, req)
  const tenantId = tenantIn(req)
  await requestCheck(portal.db, operatorActor(req), tenantId, portal.now())
  res.redirect(303, `/tenants/${tenantId}`)
}
