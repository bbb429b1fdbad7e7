import { z } from 'zod'
import { PortalError } from '../../errors.ts'
import { operatorActor, roleOf } from '../../http/access.ts'
import { type FieldFault, pathValue, readForm, says, several, type Typed } from '../../http/forms.ts'
import { isNamedAdmin } from '../../http/operator.ts'
import type { Handler, OperatorRequest } from '../../http/route.ts'
import { groupsFromEntra, scopeOfLimits } from '../../http/scope.ts'
import { setLimits } from '../../operators/limits.ts'
import type { Portal } from '../../portal.ts'
import { customerNames, listCustomers } from '../../store/customers/customers.ts'
import type { Database } from '../../store/engine/dialect.ts'
import type { OperatorLimits } from '../../store/operators/limits.ts'
import { findOperator, type Operator } from '../../store/operators/operators.ts'
import type { Scope } from '../../store/scope.ts'
import { openInFleet } from '../../store/tenants/fleet.ts'
import { page } from '../page/page.ts'
import { render } from '../page/render.ts'
import { type ScopeFacts, scopeView } from './scope-view.ts'

const scopePage = page('operators/scope', scopeView)

const mostCustomers = 500
const mostGroups = 200
/** As many as can be looked through; a longer word finds fewer. */
const mostFound = 20

const form = {
  which: z.enum(['all', 'some']),
  groups: several(z.string().min(1).max(40), mostGroups),
  customers: several(z.string().regex(/^[\w-]{1,60}$/), mostCustomers),
  find: z.string().trim().max(200, says('customers.name.long')).default(''),
  act: z.enum(['find', 'save']).default('save'),
}

/** What an operator may see, for an Admin of the whole portal. @throws PortalError NOT_FOUND */
export const showScope: Handler<OperatorRequest> = async (portal, req, res) => {
  const person = await personOf(portal, req)
  const chosen: Choice = { all: person.limits === null, ...(person.limits ?? none), find: '' }
  await render(res, scopePage, await factsOf(portal, req, person, chosen, null))
}

/** Limits an operator, or shows the page again with the customers that were looked for. @throws PortalError NOT_FOUND */
export const saveScope: Handler<OperatorRequest> = async (portal, req, res) => {
  const person = await personOf(portal, req)
  const read = readForm(form, req)
  if (read.faults) {
    return render(res, scopePage, await factsOf(portal, req, person, typedChoice(read.typed), read.faults), 422)
  }
  const { which, groups, customers, find, act } = read.value
  const limits: OperatorLimits = { customerIds: [...new Set(customers)], groups: [...new Set(groups)] }
  const chosen: Choice = { all: which === 'all', ...limits, find }
  if (act === 'find') {
    // Whoever looks for a customer means to limit somebody to it.
    const found: Choice = { ...chosen, all: false }
    return render(res, scopePage, await factsOf(portal, req, person, found, null))
  }
  const fault = await faultOf(portal, req, person, chosen)
  if (fault) return render(res, scopePage, await factsOf(portal, req, person, chosen, [fault]), 422)
  const limitsGiven = chosen.all ? null : limits
  await setLimits(portal, operatorActor(req), person.id, limitsGiven)
  res.redirect(303, '/settings#people')
}

const none: OperatorLimits = { customerIds: [], groups: [] }

interface Choice extends OperatorLimits {
  all: boolean
  /** By what other customers are looked for; empty for nothing. */
  find: string
}

async function personOf(portal: Portal, req: OperatorRequest): Promise<Operator> {
  const person = await findOperator(portal.db, pathValue(req, 'id'))
  if (person === null) throw new PortalError('NOT_FOUND')
  return person
}

const typedChoice = ({ which, groups, customers, find }: Typed): Choice => ({
  all: which !== 'some',
  groups: [groups ?? []].flat().slice(0, mostGroups),
  customerIds: [customers ?? []].flat().slice(0, mostCustomers),
  find: typeof find === 'string' ? find.slice(0, 200) : '',
})

/** Why nothing is said here about this person; null where an Admin may choose. */
function fixedBy(portal: Portal, req: OperatorRequest, person: Operator): ScopeFacts['fixed'] {
  if (isNamedAdmin(person, portal.config)) return 'named'
  if (groupsFromEntra(person).length > 0) return 'entra'
  // The last Admin of all could not undo it.
  return person.id === req.operator.id ? 'self' : null
}

async function faultOf(
  portal: Portal,
  req: OperatorRequest,
  person: Operator,
  { all, groups, customerIds }: Choice,
): Promise<FieldFault | null> {
  const fixed = fixedBy(portal, req, person)
  if (fixed !== null) return { field: 'which', key: `scope.fixed.${fixed}` }
  if (all) return null
  if (groups.length + customerIds.length === 0) return { field: 'which', key: 'scope.nobody' }
  const customers = await listCustomers(portal.db, undefined, undefined, req.scope)
  const [ids, names] = [new Set(customers.map(({ id }) => id)), new Set(customers.flatMap((one) => one.groups))]
  // A group that lost its last customer may stay chosen, but is not chosen anew.
  for (const group of person.limits?.groups ?? []) names.add(group)
  const isGone = customerIds.some((id) => !ids.has(id)) || groups.some((name) => !names.has(name))
  return isGone ? { field: 'which', key: 'scope.gone' } : null
}

/** What somebody of that scope sees, in numbers and names. */
async function sightOf(db: Database, scope: Scope) {
  const [customers, open] = await Promise.all([customerNames(db, undefined, undefined, scope), openInFleet(db, scope)])
  return { names: customers.map(({ name }) => name), open }
}

async function factsOf(
  portal: Portal,
  req: OperatorRequest,
  person: Operator,
  choice: Choice,
  faults: FieldFault[] | null,
): Promise<ScopeFacts> {
  const { db } = portal
  const { scope } = req
  const customers = await listCustomers(db, undefined, undefined, scope)
  const [preview, openOfAll] = await Promise.all([sightOf(db, scopeOfLimits(choice)), openInFleet(db, scope)])
  const sought = choice.find.toLowerCase()
  const found =
    sought === ''
      ? []
      : customers.filter(({ id, name }) => !choice.customerIds.includes(id) && name.toLowerCase().includes(sought))
  return {
    person: { ...person, role: roleOf(person, portal.config) },
    fixed: fixedBy(portal, req, person),
    entraGroups: groupsFromEntra(person),
    all: choice.all,
    customers,
    chosenGroups: choice.groups,
    chosen: customers.filter(({ id }) => choice.customerIds.includes(id)),
    find: choice.find,
    found: found.slice(0, mostFound),
    moreFound: Math.max(0, found.length - mostFound),
    preview: { ...preview, openOfAll },
    faults,
  }
}
