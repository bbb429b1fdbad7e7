import { z } from 'zod'
import { PortalError } from '../../errors.ts'
import { operatorActor } from '../../http/access.ts'
import { line, linkDays, nameList, optionalEmail, optionalLine, optionalText } from '../../http/fields.ts'
import { type FieldFault, pathValue, readForm, says, type Typed } from '../../http/forms.ts'
import { runsPortal } from '../../http/operator.ts'
import type { Handler, OperatorRequest } from '../../http/route.ts'
import { customerFor } from '../../http/scope.ts'
import { readTenantName } from '../../microsoft/wire/tenant-name.ts'
import { Refusal } from '../../model/refusal.ts'
import { resolveExpected } from '../../onboarding/by-hand.ts'
import { registerCustomer } from '../../onboarding/links.ts'
import { lookAtPermissions, lookEvery } from '../../partner/asked-permissions.ts'
import type { Portal } from '../../portal.ts'
import { type Customer, type CustomerDetails, changeCustomer, listGroups } from '../../store/customers/customers.ts'
import { linksOf } from '../../store/onboarding/link-list.ts'
import { linkState } from '../../store/onboarding/links.ts'
import { readSettings } from '../../store/partner/settings.ts'
import { languages, type MessageKey } from '../../words.ts'
import { fieldViews } from '../page/field-view.ts'
import { page } from '../page/page.ts'
import { render } from '../page/render.ts'
import { type Doubts, findDoubts } from './doubts.ts'
import { showOnce } from './issued-link.ts'
import { findObstacleView, type ObstacleView } from './link-obstacle.ts'

interface CustomerFormFacts {
  /** The customer that is changed; null for a new one. */
  customer: Customer | null
  typed: Typed
  faults: FieldFault[] | null
  /** Other customers of the same name, and what can be saved all the same by a tick. */
  namesakes: Doubts['namesakes']
  asks: Doubts['asks']
  groups: string[]
  /** Whether she may say in which groups the customer is: they decide who sees it. */
  mayGroup: boolean
  /** Whether a link is open that keeps the tenant it was issued for. */
  linkOpen: boolean
  /** Why the new customer can be saved without a link alone; null when a link can be issued. */
  obstacle: ObstacleView | null
}

const fieldNames = ['name', 'expected', 'contactName', 'contactEmail', 'language', 'groups', 'notes', 'days'] as const

const ticks = {
  sameName: { field: 'name', label: 'customers.name.exists.tick' },
  ownTenant: { field: 'expected', label: 'customers.expected.partner.tick' },
} as const satisfies Record<Doubts['asks'][number], { field: string; label: MessageKey }>

const formPage = page('customers/form', ({ typed, asks, ...facts }: CustomerFormFacts, { t }) => {
  const { customer, faults, namesakes } = facts
  const ticksOf = (field: string) =>
    asks
      .filter((name) => ticks[name].field === field)
      .map((name) => ({ name, label: t(ticks[name].label), checked: typed[name] === 'yes' }))
  const fields = fieldViews(fieldNames, typed, faults)
  return {
    ...facts,
    namesakes: namesakes.map(({ id, name }) => ({ id, label: t('customers.form.look-at', { name }) })),
    nameTicks: ticksOf('name'),
    tenantTicks: ticksOf('expected'),
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
  // Ticks without which a name that exists, or the partner's own tenant, is asked about.
  sameName: z.literal('yes').optional(),
  ownTenant: z.literal('yes').optional(),
}

type FormDetails = z.output<z.ZodObject<typeof details>>

/** What whoever sees some customers alone may change: not the groups, which decide who sees a customer. */
const { groups: _groups, ...ungrouped } = details

const newCustomer = { ...details, days: linkDays, link: z.enum(['issue', 'none']).default('issue') }

export const showNewCustomer: Handler<OperatorRequest> = async (portal, req, res) => {
  const settings = await readSettings(portal.db)
  const typed = { language: res.locals.reader.language, days: String(settings.linkDays) }
  const obstacle = await findObstacleView(portal, req)
  await showForm(portal, req, res, { customer: null, typed, faults: null, obstacle })
}

export const addCustomer: Handler<OperatorRequest> = async (portal, req, res) => {
  const form = readForm(newCustomer, req)
  const expected = await resolve(portal, form.typed.expected, null)
  const doubts = await doubtsOf(portal, req, form, expected, null)
  const faults = faultsOf(form, expected, doubts)
  if (form.value?.link === 'issue') await lookAtPermissions(portal, lookEvery)
  const obstacle = await findObstacleView(portal, req, form.value?.link !== 'none')
  if (form.faults || faults || (obstacle && form.value.link === 'issue')) {
    return showForm(portal, req, res, { customer: null, typed: form.typed, faults, obstacle }, doubts)
  }
  const { days, link } = form.value
  const actor = operatorActor(req)
  const details = { ...detailsOf(form.value), ...expected.tenant }
  const { customer, issued } = await registerCustomer(portal, actor, details, link === 'none' ? null : days)
  if (issued) await showOnce(portal, req, res, issued)
  res.redirect(303, `/customers/${customer.id}`)
}

export const showCustomerForm: Handler<OperatorRequest> = async (portal, req, res) => {
  const customer = await customerFor(portal, req, pathValue(req, 'id'))
  const typed = {
    name: customer.name,
    expected: customer.expectedDomain ?? customer.expectedTenantId ?? '',
    contactName: customer.contactName ?? '',
    contactEmail: customer.contactEmail ?? '',
    language: customer.language,
    groups: customer.groups.join(', '),
    notes: customer.notes ?? '',
  }
  await showForm(portal, req, res, { customer, typed, faults: null, obstacle: null })
}

export const editCustomer: Handler<OperatorRequest> = async (portal, req, res) => {
  const customer = await customerFor(portal, req, pathValue(req, 'id'))
  const form = runsPortal(req) ? readForm(details, req) : readForm(ungrouped, req)
  const expected = await resolve(portal, form.typed.expected, customer)
  const doubts = await doubtsOf(portal, req, form, expected, customer)
  const faults = faultsOf(form, expected, doubts)
  if (form.faults || faults) {
    return showForm(portal, req, res, { customer, typed: form.typed, faults, obstacle: null }, doubts)
  }
  const change = { ...detailsOf({ groups: customer.groups, ...form.value }), ...expected.tenant }
  await changeCustomer(portal.db, operatorActor(req), customer.id, change, portal.now())
  res.redirect(303, `/customers/${customer.id}`)
}

async function showForm(
  portal: Portal,
  req: OperatorRequest,
  res: Parameters<typeof render>[0],
  view: Pick<CustomerFormFacts, 'customer' | 'typed' | 'faults' | 'obstacle'>,
  { namesakes, asks }: Pick<Doubts, 'namesakes' | 'asks'> = { namesakes: [], asks: [] },
): Promise<void> {
  const { customer, faults, obstacle } = view
  const links = customer ? await linksOf(portal.db, customer.id) : []
  const linkOpen = links.some((link) => linkState(link, portal.now()) === 'issued')
  const groups = await listGroups(portal.db, res.locals.reader.alphabet, req.scope)
  const status = faults ? 422 : obstacle?.refused ? obstacle.status : 200
  await render(res, formPage, { ...view, namesakes, asks, groups, mayGroup: runsPortal(req), linkOpen }, status)
}

interface Expected {
  tenant: Pick<CustomerDetails, 'expectedTenantId' | 'expectedDomain'>
  fault: FieldFault | null
}

/**
 * Asks Microsoft which tenant is meant, unless it is the one already known. It is asked even when another field is to be
 * mended, so that all there is to mend is said at once.
 */
async function resolve(portal: Portal, typed: Typed[string] | undefined, before: Customer | null): Promise<Expected> {
  const none = { expectedTenantId: null, expectedDomain: null }
  const read = details.expected.safeParse(typed)
  if (!read.success || read.data === null) return { tenant: none, fault: null }
  const name = readTenantName(read.data)
  const same =
    name !== null && (name.id ?? name.domain) === (name.id ? before?.expectedTenantId : before?.expectedDomain)
  if (before?.expectedTenantId && same) {
    const { expectedTenantId, expectedDomain } = before
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
function faultsOf(form: { faults: FieldFault[] | null }, { fault }: Expected, doubts: Doubts): FieldFault[] | null {
  const faults = [...(form.faults ?? []), ...(fault ? [fault] : []), ...doubts.faults]
  const place = ({ field }: FieldFault) => ['name', 'expected'].indexOf(field) + 1 || 3
  return faults.length > 0 ? faults.sort((a, b) => place(a) - place(b)) : null
}

/** Also while another field is to be mended, so that all there is to say is said at once. */
async function doubtsOf(
  portal: Portal,
  { scope }: OperatorRequest,
  { typed }: { typed: Typed },
  { tenant }: Expected,
  customer: Customer | null,
): Promise<Doubts> {
  const name = details.name.safeParse(typed.name)
  return findDoubts(
    portal,
    {
      name: name.success ? name.data : null,
      tenantId: tenant.expectedTenantId,
      sameName: typed.sameName === 'yes',
      ownTenant: typed.ownTenant === 'yes',
    },
    customer,
    scope,
  )
}

/** What is kept of a form, without the tenant, which Microsoft names, and without the ticks. */
function detailsOf({ name, contactName, contactEmail, language, groups, notes }: FormDetails) {
  return { name, contactName, contactEmail, language, groups, notes }
}

/** Why a tenant that somebody named could not be looked up. Throws on what is no answer to that. */
export function whyNot(error: unknown, field: 'expected' | 'tenant'): MessageKey {
  if (error instanceof PortalError && error.code === 'TENANT_UNKNOWN') return `customers.${field}.unknown`
  if (!(error instanceof Refusal)) throw error
  return error.code === 'other-cloud' ? `customers.${field}.other-cloud` : `customers.${field}.unreachable`
}
