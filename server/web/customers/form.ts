import { z } from 'zod'
import { PortalError } from '../../errors.ts'
import { operatorActor } from '../../http/access.ts'
import { line, linkDays, nameList, optionalEmail, optionalLine, optionalText } from '../../http/fields.ts'
import { type FieldFault, pathValue, readForm, says, type Typed } from '../../http/forms.ts'
import type { Handler, OperatorRequest } from '../../http/route.ts'
import { readTenantName } from '../../microsoft/wire/tenant-name.ts'
import { Refusal } from '../../model/refusal.ts'
import { resolveExpected } from '../../onboarding/by-hand.ts'
import { issueConsentLink } from '../../onboarding/links.ts'
import { lookAtPermissions, lookEvery } from '../../partner/asked-permissions.ts'
import type { Portal } from '../../portal.ts'
import {
  type Customer,
  type CustomerDetails,
  changeCustomer,
  createCustomer,
  customerById,
  listGroups,
} from '../../store/customers/customers.ts'
import { write } from '../../store/engine/write.ts'
import { linkState, linksOf } from '../../store/onboarding/links.ts'
import { readSettings } from '../../store/partner/settings.ts'
import { languages, type MessageKey } from '../../words.ts'
import { fieldViews } from '../page/field-view.ts'
import { page } from '../page/page.ts'
import { render } from '../page/render.ts'
import { showOnce } from './issued-link.ts'
import { findObstacleView, type ObstacleView } from './link-obstacle.ts'

interface CustomerFormFacts {
  /** The customer that is changed; null for a new one. */
  customer: Customer | null
  typed: Typed
  faults: FieldFault[] | null
  groups: string[]
  /** Whether a link is open that keeps the tenant it was issued for. */
  linkOpen: boolean
  /** Why the new customer can be saved without a link alone; null when a link can be issued. */
  obstacle: ObstacleView | null
}

const fieldNames = ['name', 'expected', 'contactName', 'contactEmail', 'language', 'groups', 'notes', 'days'] as const

const formPage = page('customers/form', ({ typed, ...facts }: CustomerFormFacts, { t }) => {
  const { customer, faults } = facts
  const fields = fieldViews(fieldNames, typed, faults)
  return {
    ...facts,
    fields,
    title: customer ? t('customers.form.edit', { name: customer.name }) : t('customers.form.new'),
    action: customer ? `/customers/${customer.id}` : '/customers',
    choices: languages.map(({ code, name }) => ({ code, name, selected: fields.language.value === code })),
  }
})

const details = {
  name: line(200, { missing: says('customers.name.missing'), long: says('customers.name.long') }),
  expected: optionalLine(2_000, says('customers.expected.unknown')),
  contactName: optionalLine(200, says('customers.name.long')),
  contactEmail: optionalEmail(says('customers.email.unusable')),
  language: z.enum(languages.map(({ code }) => code)),
  groups: nameList(says('customers.groups.unusable')),
  notes: optionalText(4_000, says('customers.notes.long')),
}

const newCustomer = { ...details, days: linkDays, link: z.enum(['issue', 'none']).default('issue') }

export const showNewCustomer: Handler<OperatorRequest> = async (portal, req, res) => {
  const settings = await readSettings(portal.db)
  const typed = { language: res.locals.reader.language, days: String(settings.linkDays) }
  const obstacle = await findObstacleView(portal, req)
  await showForm(portal, res, { customer: null, typed, faults: null, obstacle })
}

export const addCustomer: Handler<OperatorRequest> = async (portal, req, res) => {
  const form = readForm(newCustomer, req)
  const expected = await resolve(portal, form.typed.expected, null)
  const faults = faultsOf(form, expected)
  if (form.value?.link === 'issue') await lookAtPermissions(portal, lookEvery)
  const obstacle = await findObstacleView(portal, req, form.value?.link !== 'none')
  if (form.faults || faults || (obstacle && form.value.link === 'issue')) {
    return showForm(portal, res, { customer: null, typed: form.typed, faults, obstacle })
  }
  const { days, link, expected: _, ...rest } = form.value
  const actor = operatorActor(req)
  const { customer, issued } = await write(portal.db, async (tx) => {
    const customer = await createCustomer(tx, actor, { ...rest, ...expected.tenant }, portal.now())
    if (link === 'none') return { customer, issued: null }
    return { customer, issued: await issueConsentLink({ ...portal, db: tx }, actor, { customerId: customer.id, days }) }
  })
  if (issued) await showOnce(portal, req, res, issued)
  res.redirect(303, `/customers/${customer.id}`)
}

export const showCustomerForm: Handler<OperatorRequest> = async (portal, req, res) => {
  const customer = await customerById(portal.db, pathValue(req, 'id'))
  const typed = {
    name: customer.name,
    expected: customer.expectedDomain ?? customer.expectedTenantId ?? '',
    contactName: customer.contactName ?? '',
    contactEmail: customer.contactEmail ?? '',
    language: customer.language,
    groups: customer.groups.join(', '),
    notes: customer.notes ?? '',
  }
  await showForm(portal, res, { customer, typed, faults: null, obstacle: null })
}

export const editCustomer: Handler<OperatorRequest> = async (portal, req, res) => {
  const customer = await customerById(portal.db, pathValue(req, 'id'))
  const form = readForm(details, req)
  const expected = await resolve(portal, form.typed.expected, customer)
  const faults = faultsOf(form, expected)
  if (form.faults || faults) return showForm(portal, res, { customer, typed: form.typed, faults, obstacle: null })
  const { expected: _, ...rest } = form.value
  await changeCustomer(portal.db, operatorActor(req), customer.id, { ...rest, ...expected.tenant }, portal.now())
  res.redirect(303, `/customers/${customer.id}`)
}

async function showForm(
  portal: Portal,
  res: Parameters<typeof render>[0],
  view: Pick<CustomerFormFacts, 'customer' | 'typed' | 'faults' | 'obstacle'>,
): Promise<void> {
  const { customer, faults, obstacle } = view
  const links = customer ? await linksOf(portal.db, customer.id) : []
  const linkOpen = links.some((link) => linkState(link, portal.now()) === 'issued')
  const groups = await listGroups(portal.db)
  const status = faults ? 422 : obstacle?.refused ? obstacle.status : 200
  await render(res, formPage, { ...view, groups, linkOpen }, status)
}

interface Expected {
  tenant: Pick<CustomerDetails, 'expectedTenantId' | 'expectedDomain'>
  fault: FieldFault | null
}

/**
 * Asks Microsoft which tenant is meant, unless it is the one already known. It is asked even when another field is to be
 * mended, so that all there is to mend is said at once.
 */
async function resolve(portal: Portal, typed: Typed[string] | undefined, known: Customer | null): Promise<Expected> {
  const none = { expectedTenantId: null, expectedDomain: null }
  const read = details.expected.safeParse(typed)
  if (!read.success || read.data === null) return { tenant: none, fault: null }
  const named = readTenantName(read.data)
  const same =
    named !== null && (named.id ?? named.domain) === (named.id ? known?.expectedTenantId : known?.expectedDomain)
  if (known?.expectedTenantId && same) {
    const { expectedTenantId, expectedDomain } = known
    return { tenant: { expectedTenantId, expectedDomain }, fault: null }
  }
  try {
    const { tenantId, domain } = await resolveExpected(portal, read.data)
    return { tenant: { expectedTenantId: tenantId, expectedDomain: domain }, fault: null }
  } catch (error) {
    return { tenant: none, fault: { field: 'expected', key: whyNot(error, 'expected') } }
  }
}

/** In the order of the form: the name, the tenant, the rest. */
function faultsOf(form: { faults: FieldFault[] | null }, { fault }: Expected): FieldFault[] | null {
  const faults = [...(form.faults ?? [])]
  if (fault) faults.splice(faults[0]?.field === 'name' ? 1 : 0, 0, fault)
  return faults.length > 0 ? faults : null
}

/** Why a tenant that somebody named could not be looked up. Throws on what is no answer to that. */
export function whyNot(error: unknown, field: 'expected' | 'tenant'): MessageKey {
  if (error instanceof PortalError && error.code === 'TENANT_UNKNOWN') return `customers.${field}.unknown`
  if (!(error instanceof Refusal)) throw error
  return error.code === 'other-cloud' ? `customers.${field}.other-cloud` : `customers.${field}.unreachable`
}
