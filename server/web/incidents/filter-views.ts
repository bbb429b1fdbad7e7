import type { Html } from '../../http/html.ts'
import type { PageTools } from '../page/tools.ts'
import type { QueueQuery } from './filters.ts'
import { severities, statusChoices } from './filters.ts'

/** One filter of the queue: a menu of choices. */
export interface FilterView {
  name: string
  label: string
  type: 'checkbox' | 'radio'
  /** The class of the menu: one that narrows the list is marked. */
  class: string
  /** What is chosen, in words; null for nothing. */
  chosen: Html | string | null
  /** The class of a list that may be long; empty for a short one. */
  tall: string
  options: { id: string; value: string; label: Html | string; checked: boolean }[]
}

const menu = (on: boolean) => (on ? 'drop filter on' : 'drop filter')

export function filterViews(facts: Facts, tools: PageTools): FilterView[] {
  const { choices } = facts
  const { t, word } = tools
  const { query } = facts
  return [
    ...(choices.customers.length > 0 ? [customerFilter(facts, tools)] : []),
    ...(choices.groups.length > 0 ? [groupFilter(facts, tools)] : []),
    severityFilter(facts, tools),
    {
      name: 'status',
      label: t('incidents.filter.status'),
      type: 'radio',
      class: menu(true),
      chosen: word('incidents.status', query.status),
      tall: '',
      options: statusChoices.map((value) => ({
        id: `ft-${value}`,
        value,
        label: word('incidents.status', value),
        checked: query.status === value,
      })),
    },
    {
      name: 'order',
      label: t('incidents.filter.order'),
      type: 'radio',
      class: menu(query.order === 'newest'),
      chosen: word('incidents.order', query.order),
      tall: '',
      options: (['worst', 'newest'] as const).map((value) => ({
        id: `fo-${value}`,
        value,
        label: word('incidents.order', value),
        checked: query.order === value,
      })),
    },
  ]
}

interface Facts {
  query: QueueQuery
  choices: { customers: { id: string; name: string }[]; groups: string[] }
}

function customerFilter({ query, choices }: Facts, { t, number, named }: PageTools): FilterView {
  const n = query.customers.length
  return {
    name: 'customer',
    label: t('incidents.filter.customer'),
    type: 'checkbox',
    class: menu(n > 0),
    chosen: n > 0 ? number(n) : null,
    tall: 'tallest',
    options: choices.customers.map(({ id, name }, i) => ({
      id: `fc${i}`,
      value: id,
      label: named(name),
      checked: query.customers.includes(id),
    })),
  }
}

function groupFilter({ query, choices }: Facts, { t, number, named }: PageTools): FilterView {
  const [first] = query.groups
  const n = query.groups.length
  const chosen = n === 1 && first !== undefined ? named(first) : number(n)
  return {
    name: 'group',
    label: t('incidents.filter.group'),
    type: 'checkbox',
    class: menu(n > 0),
    chosen: n > 0 ? chosen : null,
    tall: 'tallest',
    options: choices.groups.map((value, i) => ({
      id: `fg${i}`,
      value,
      label: named(value),
      checked: query.groups.includes(value),
    })),
  }
}

function severityFilter({ query }: Facts, { t, number }: PageTools): FilterView {
  const [first] = query.severities
  const n = query.severities.length
  const chosen = n === 1 && first !== undefined ? t(`severity.${first}`) : number(n)
  return {
    name: 'severity',
    label: t('incidents.filter.severity'),
    type: 'checkbox',
    class: menu(n > 0),
    chosen: n > 0 ? chosen : null,
    tall: '',
    options: severities.map((value) => ({
      id: `fs-${value}`,
      value,
      label: t(`severity.${value}`),
      checked: query.severities.includes(value),
    })),
  }
}
