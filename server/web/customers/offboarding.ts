import { reinstate } from '../../customers/offboarding.ts'
import { loadCustomerRecord } from '../../customers/progress.ts'
import { PortalError } from '../../errors.ts'
import { operatorActor } from '../../http/access.ts'
import { pathValue, readForm } from '../../http/forms.ts'
import type { Handler, OperatorRequest } from '../../http/route.ts'
import { customerFor } from '../../http/scope.ts'
import type { Customer } from '../../store/customers/customers.ts'
import { offboardCustomer } from '../../store/customers/offboarding.ts'
import { linkState } from '../../store/onboarding/links.ts'
import { readSettings } from '../../store/partner/settings.ts'
import { type Tenant, tenantsOf } from '../../store/tenants/tenants.ts'
import { page } from '../page/page.ts'
import { render } from '../page/render.ts'
import { addUp } from './customers.ts'

interface OffboardingFacts {
  customer: Customer
  tenants: Tenant[]
  open: number
  incidents: number
  linkOpen: boolean
  appName: string
  /** How long what was read is kept; 0 for ever. */
  offboardedDays: number
}

const offboardingPage = page('customers/offboarding', (facts: OffboardingFacts, { t }) => ({
  ...facts,
  title: t('customers.offboarding.title', { name: facts.customer.name }),
  app: facts.appName || t('customers.offboarding.app'),
}))

export const showOffboarding: Handler<OperatorRequest> = async (portal, req, res) => {
  const file = await loadCustomerRecord(portal.db, await customerFor(portal, req, pathValue(req, 'id')))
  if (file.customer.offboardedAt !== null) throw new PortalError('CUSTOMER_OFFBOARDED')
  const { unassigned, ...open } = addUp(file.tenants)
  const { appName, offboardedDays } = await readSettings(portal.db)
  const view: OffboardingFacts = {
    customer: file.customer,
    tenants: file.tenants,
    open: Object.values(open).reduce((sum, count) => sum + count, 0),
    incidents: file.tenants.reduce((sum, tenant) => sum + tenant.incidentCount, 0),
    linkOpen: file.links.some((link) => linkState(link, portal.now()) === 'issued'),
    appName,
    offboardedDays,
  }
  await render(res, offboardingPage, view)
}

/** Ends the service. Tokens that this process holds are dropped; those of others end by themselves within the hour. */
export const offboard: Handler<OperatorRequest> = async (portal, req, res) => {
  readForm({}, req)
  const { id } = await customerFor(portal, req, pathValue(req, 'id'))
  await offboardCustomer(portal.db, operatorActor(req), id, portal.now())
  for (const { tenantId } of await tenantsOf(portal.db, id)) portal.microsoft.forget(tenantId)
  res.redirect(303, `/customers/${id}`)
}

/** Takes the offboarding back: every tenant is proven anew. */
export const takeBack: Handler<OperatorRequest> = async (portal, req, res) => {
  readForm({}, req)
  const { id } = await customerFor(portal, req, pathValue(req, 'id'))
  await reinstate(portal, operatorActor(req), id)
  res.redirect(303, `/customers/${id}`)
}
