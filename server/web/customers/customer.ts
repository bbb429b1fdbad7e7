import type { Response } from 'express'
import { findExpectedConflict } from '../../customers/expected.ts'
import { type CustomerRecord, loadCustomerRecord, statusOfRecord, stepsOf } from '../../customers/progress.ts'
import type { CustomerStatus } from '../../customers/status.ts'
import { PortalError } from '../../errors.ts'
import { operatorActor } from '../../http/access.ts'
import { line } from '../../http/fields.ts'
import { type FieldFault, pathValue, readForm, says, type Typed } from '../../http/forms.ts'
import type { Handler, OperatorRequest } from '../../http/route.ts'
import { customerFor, tenantFor } from '../../http/scope.ts'
import { enterTenant } from '../../onboarding/by-hand.ts'
import type { Portal } from '../../portal.ts'
import { listAudit } from '../../store/audit.ts'
import { type Customer, customerNames } from '../../store/customers/customers.ts'
import { linkState } from '../../store/onboarding/links.ts'
import { readSettings } from '../../store/partner/settings.ts'
import { blindSince } from '../../store/tenants/blind.ts'
import { checksOf } from '../../store/tenants/checks.ts'
import { day } from '../../time.ts'
import { sentenceOf } from '../page/audit-sentence.ts'
import { page } from '../page/page.ts'
import { render } from '../page/render.ts'
import { describeClaimed } from './claimed-tenant.ts'
import { type CustomerFacts, customerView, type Notice } from './customer-view.ts'
import { addUp } from './customers.ts'
import { whyNot } from './form.ts'
import { takeIssued } from './issued-link.ts'
import { findObstacleView } from './link-obstacle.ts'

const customerPage = page('customers/customer', customerView)

const shownEvents = 40

export const showCustomer: Handler<OperatorRequest> = (portal, req, res) =>
  showCustomerWith(portal, req, res, pathValue(req, 'id'), {})

/** The page of a customer, after a form of it was not taken as it was. @throws PortalError NOT_FOUND */
export async function showCustomerWith(
  portal: Portal,
  req: OperatorRequest,
  res: Response,
  customerId: string,
  said: { faults?: FieldFault[]; typed?: Typed; notice?: Notice },
): Promise<void> {
  const { db } = portal
  const now = portal.now()
  const customer = await customerFor(portal, req, customerId)
  const file = await loadCustomerRecord(db, customer)
  const { reviews } = file
  const link = file.links[0] ?? null
  const standing = statusOfRecord(file, now)
  const [settings, events, worst, described, obstacle, conflict] = await Promise.all([
    readSettings(db),
    listAudit(db, { customerId, limit: shownEvents }, req.scope),
    worstOf(portal, file, standing),
    describeClaimed(portal, reviews),
    findObstacleView(portal, req),
    conflictOf(portal, req, customer),
  ])
  const open = addUp(file.tenants)
  const steps = stepsOf(file, now)
  const stepsDone = steps.filter(({ state }) => state === 'done')
  await render(
    res,
    customerPage,
    {
      customer,
      stands: standing,
      steps,
      progress: {
        steps: steps.length,
        done: stepsDone.length,
        skipped: stepsDone.filter(({ at }) => at === null).length,
      },
      link,
      linkState: link && linkState(link, now),
      linkDays: settings.linkDays,
      daysLeft: link ? Math.max(0, Math.round((Date.parse(link.expiresAt) - now.getTime()) / day)) : 0,
      issued: await takeIssued(portal, req, res, customer, link),
      conflict,
      obstacle,
      attempts: file.attempts,
      reviews: described,
      awaited: file.awaited,
      tenants: file.tenants.map((tenant) => ({ ...tenant, blindSince: blindSince(tenant, now) })),
      open: { ...open, total: open.high + open.medium + open.low + open.informational + open.unknown },
      worst,
      events: events.map((event) => sentenceOf(event, 'here')),
      mayChange: req.operator.role === 'Admin',
      mayCheck: req.operator.role !== 'Reader',
      faults: said.faults ?? null,
      typed: said.typed ?? {},
      notice: said.notice ?? null,
    },
    said.notice ? 409 : said.faults ? 422 : 200,
  )
}

async function conflictOf(
  portal: Portal,
  req: OperatorRequest,
  customer: Customer,
): Promise<CustomerFacts['conflict']> {
  if (customer.expectedTenantId === null || customer.offboardedAt !== null) return null
  const conflict = await findExpectedConflict(portal.db, customer.expectedTenantId, customer.id)
  if (conflict === null || req.operator.role !== 'Admin') return conflict && { ...conflict, customer: null }
  // Whose it is, is told to who may see that customer.
  const [other] = await customerNames(portal.db, [conflict.customer.id], undefined, req.scope)
  return { ...conflict, customer: other ?? null }
}

async function worstOf(
  portal: Portal,
  file: CustomerRecord,
  standing: CustomerStatus,
): Promise<CustomerFacts['worst']> {
  const now = portal.now()
  const tenant = file.tenants.find((one) =>
    standing === 'blind'
      ? blindSince(one, now) !== null
      : standing === 'paused'
        ? one.pausedAt !== null
        : one.accessState === standing,
  )
  if (!tenant) return null
  const [check] = await checksOf(portal.db, tenant.tenantId, 1)
  const blind = blindSince(tenant, now)
  const span =
    now.getTime() - Date.parse(blind ?? (standing === 'paused' ? tenant.pausedAt : null) ?? tenant.stateSince)
  return { tenant, check: check ?? null, blindSince: blind, span }
}

/**
 * What an operator may know of a tenant that was refused: not whose it is, where she may not see that customer. Throws on
 * what is no such refusal.
 */
export async function noticeOf(portal: Portal, req: OperatorRequest, error: unknown): Promise<Notice> {
  if (!(error instanceof PortalError)) throw error
  if (error.code === 'TENANT_IS_PARTNER') return { kind: 'partner' }
  if (error.code !== 'TENANT_TAKEN') throw error
  const { customerId } = await tenantFor(portal, req, String(error.facts.tenantId)).catch(() => {
    throw error
  })
  return { kind: 'taken', customer: await customerFor(portal, req, customerId) }
}

const names = {
  tenant: line(2_000, { missing: says('customers.tenant.missing'), long: says('customers.tenant.unknown') }),
}

/** Takes on a tenant that consented long ago; it is proven like any other. */
export const addTenant: Handler<OperatorRequest> = async (portal, req, res) => {
  const customerId = pathValue(req, 'id')
  const form = readForm(names, req)
  if (form.faults) return showCustomerWith(portal, req, res, customerId, form)
  const { typed } = form
  try {
    const { id } = await customerFor(portal, req, customerId)
    const tenantId = await enterTenant(portal, operatorActor(req), id, form.value.tenant)
    res.redirect(303, `/tenants/${tenantId}`)
  } catch (error) {
    if (error instanceof PortalError && error.code !== 'TENANT_UNKNOWN') {
      return showCustomerWith(portal, req, res, customerId, { typed, notice: await noticeOf(portal, req, error) })
    }
    const faults = [{ field: 'tenant', key: whyNot(error, 'tenant') }]
    return showCustomerWith(portal, req, res, customerId, { typed, faults })
  }
}
