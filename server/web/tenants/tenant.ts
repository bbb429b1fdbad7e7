import type { Response } from 'express'
import { operatorActor } from '../../http/access.ts'
import { type FieldFault, pathValue, readForm, type Typed } from '../../http/forms.ts'
import { zoneOf } from '../../http/reader.ts'
import type { Handler, OperatorRequest } from '../../http/route.ts'
import { customerFor, tenantFor } from '../../http/scope.ts'
import { type ApiExample, apiExamples } from '../../microsoft/registration/examples.ts'
import type { Capability, CapabilityState } from '../../model/access.ts'
import { ownerOfRefusal } from '../../model/dictionary.ts'
import type { Portal } from '../../portal.ts'
import { rejectedOf } from '../../store/incidents/rejected.ts'
import { readSettings } from '../../store/partner/settings.ts'
import { blindAfterMs, blindSince } from '../../store/tenants/blind.ts'
import { type AccessCheck, checksOf, requestCheck } from '../../store/tenants/checks.ts'
import type { Tenant } from '../../store/tenants/tenants.ts'
import { day } from '../../time.ts'
import { page } from '../page/page.ts'
import { render } from '../page/render.ts'
import { wallClockAt } from '../page/zoned-time.ts'
import type { CapabilityLine } from './capabilities-view.ts'
import { noteOpened } from './opened.ts'
import { readingOf } from './reading.ts'
import type { RereadForm } from './reading-view.ts'
import { spanNames } from './reread.ts'
import { type TenantFacts, tenantView } from './tenant-view.ts'

const tenantPage = page('tenants/tenant', tenantView)

const checksShown = 25

/** @throws PortalError NOT_FOUND */
export const showTenant: Handler<OperatorRequest> = async (portal, req, res) =>
  showTenantWith(portal, req, res, await tenantFor(portal, req, pathValue(req, 'tenantId')), null)

/** The page of a tenant, after the form to read a stretch of time again was not taken as it was. */
export async function showTenantWith(
  portal: Portal,
  req: OperatorRequest,
  res: Response,
  tenant: Tenant,
  said: { faults: FieldFault[]; typed: Typed } | null,
): Promise<void> {
  const { db, config } = portal
  const { tenantId } = tenant
  noteOpened(portal, req, res, tenantId)
  const [customer, checks, reading, rejected, settings] = await Promise.all([
    customerFor(portal, req, tenant.customerId),
    checksOf(db, tenantId, checksShown),
    readingOf(portal, tenant, req.operator.role),
    rejectedOf(db, tenantId),
    readSettings(db),
  ])
  const { unassigned, ...open } = tenant.open
  const now = portal.now()
  const blind = blindSince(tenant, now)
  const code = checks[0]?.refusalCode ?? null
  const facts: TenantFacts = {
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
  await render(res, tenantPage, facts, said === null ? 200 : 422)
}

/** It begins with the last day; what was typed stays, in the zone in which it was typed. */
function rereadForm(form: { faults: FieldFault[]; typed: Typed } | null, readerZone: string, now: Date): RereadForm {
  const typed = (name: string) => (typeof form?.typed[name] === 'string' ? (form.typed[name] as string) : null)
  const zone = zoneOf(typed('zone') ?? undefined) ?? readerZone
  return {
    spans: spanNames,
    span: typed('span') ?? spanNames[0] ?? '',
    from: typed('from') ?? wallClockAt(now.getTime() - day, zone),
    to: typed('to') ?? wallClockAt(now, zone),
    zone,
    faults: form?.faults ?? null,
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
  const { tenantId } = await tenantFor(portal, req, pathValue(req, 'tenantId'))
  await requestCheck(portal.db, operatorActor(req), tenantId, portal.now())
  res.redirect(303, `/tenants/${tenantId}`)
}
