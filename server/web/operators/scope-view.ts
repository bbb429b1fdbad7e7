import type { FieldFault } from '../../http/forms.ts'
import type { Html } from '../../http/html.ts'
import type { OperatorRole } from '../../http/operator.ts'
import type { Customer } from '../../store/customers/customers.ts'
import type { Operator } from '../../store/operators/operators.ts'
import type { openInFleet } from '../../store/tenants/fleet.ts'
import type { PageTools } from '../page/tools.ts'

type Open = Awaited<ReturnType<typeof openInFleet>>

export interface ScopeFacts {
  person: Operator & { role: OperatorRole | null }
  /** Why an Admin has nothing to choose here; null where she has. */
  fixed: 'named' | 'entra' | 'self' | null
  entraGroups: string[]
  all: boolean
  /** Every customer there is. */
  customers: Pick<Customer, 'id' | 'name' | 'groups'>[]
  chosenGroups: string[]
  chosen: Pick<Customer, 'id' | 'name'>[]
  find: string
  found: Pick<Customer, 'id' | 'name'>[]
  /** How many more were found than are listed. */
  moreFound: number
  preview: { names: string[]; open: Open; openOfAll: Open }
  faults: FieldFault[] | null
}

interface Box {
  id: string
  value: string
  label: Html | string
  /** Said below the label; null for nothing. */
  note: string | null
  picked: boolean
}

export interface ScopeView {
  title: string
  lead: string
  name: string
  action: string
  faults: FieldFault[] | null
  fixed: { title: string; text: string } | null
  which: { value: string; label: string; picked: boolean }[]
  groups: Box[]
  customers: Box[]
  found: Box[]
  find: string
  findNote: string | null
  /** What the choice comes to; null for everything. */
  preview: { facts: { label: string; value: string }[]; names: Html[]; more: string | null } | null
}

const mostNames = 12

export function scopeView(facts: ScopeFacts, tools: PageTools): ScopeView {
  const { person, all, customers, fixed, faults, find, found, moreFound } = facts
  const { t, named } = tools
  const name = person.name ?? person.username ?? person.oid
  const role = person.role ? t(`shell.role.${person.role}`) : t('settings.no-role')
  const box = (kind: string, one: { id: string; name: string }, picked: boolean): Box => ({
    id: `${kind}-${one.id}`,
    value: one.id,
    label: named(one.name),
    note: null,
    picked,
  })
  return {
    title: t('scope.title', { name }),
    lead: t('scope.lead', { role }),
    name,
    action: `/settings/people/${encodeURIComponent(person.id)}/scope`,
    faults,
    fixed: fixed && {
      title: t(`scope.fixed.${fixed}`),
      text: t(`scope.fixed.${fixed}.next`, { groups: facts.entraGroups.join(', ') }),
    },
    which: [
      { value: 'all', label: t('scope.all', { n: customers.length }), picked: all },
      { value: 'some', label: t('scope.some'), picked: !all },
    ],
    groups: groupBoxes(facts, tools),
    customers: facts.chosen.map((one) => box('c', one, true)),
    found: found.map((one) => box('f', one, found.length === 1)),
    find,
    findNote: find === '' ? null : t('scope.found', { n: found.length, more: moreFound }),
    preview: all ? null : previewOf(facts, tools),
  }
}

function groupBoxes({ customers, chosenGroups }: ScopeFacts, { t, named }: PageTools): Box[] {
  const counts = new Map<string, number>(chosenGroups.map((group) => [group, 0]))
  for (const group of customers.flatMap(({ groups }) => groups)) counts.set(group, (counts.get(group) ?? 0) + 1)
  return [...counts]
    .sort(([one], [other]) => one.localeCompare(other))
    .map(([group, n], i) => ({
      id: `g-${i}`,
      value: group,
      label: named(group),
      note: t('scope.customers', { n }),
      picked: chosenGroups.includes(group),
    }))
}

const sumOf = (counts: Open['open']) => Object.values(counts).reduce((total, n) => total + n, 0)

function previewOf({ customers, preview }: ScopeFacts, { t, named }: PageTools): ScopeView['preview'] {
  const { names, open, openOfAll } = preview
  const more = names.length - mostNames
  const fact = (label: 'customers' | 'tenants' | 'incidents', n: number, of: number) => ({
    label: t(`scope.sees.${label}`),
    value: t('scope.of', { n, of }),
  })
  return {
    facts: [
      fact('customers', names.length, customers.length),
      fact('tenants', open.tenants, openOfAll.tenants),
      fact('incidents', sumOf(open.open), sumOf(openOfAll.open)),
    ],
    names: names.slice(0, mostNames).map((name) => named(name)),
    more: more > 0 ? t('scope.more', { n: more }) : null,
  }
}
