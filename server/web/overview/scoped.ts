import type { Html } from '../../http/html.ts'
import type { OperatorRequest } from '../../http/route.ts'
import type { Portal } from '../../portal.ts'
import { customerNames } from '../../store/customers/customers.ts'
import type { PageTools } from '../page/tools.ts'

/** The groups and single customers a limited operator works for, and how many customers that is in all. */
export interface ScopedTo {
  groups: string[]
  names: string[]
  customers: number
}

/** Null for whoever sees everything. */
export async function scopedTo({ db }: Portal, { scope }: OperatorRequest): Promise<ScopedTo | null> {
  if (scope === 'everything') return null
  const customers = await customerNames(db, undefined, undefined, scope)
  const ids = new Set(scope.customerIds)
  return {
    groups: [...scope.groups, ...scope.groupValues.map((value) => value.replaceAll('_', ' '))].filter(Boolean),
    names: customers.filter(({ id }) => ids.has(id)).map(({ name }) => name),
    customers: customers.length,
  }
}

const mostNames = 4

/** The sentence that says so. */
export function scopedText({ groups, names, customers }: ScopedTo, { t, lang }: PageTools): Html {
  const first = names.slice(0, mostNames)
  const more = names.length - first.length
  const all = [...groups, ...first, ...(more > 0 ? [t('overview.scoped.more', { n: more })] : [])]
  const list = new Intl.ListFormat(lang, { type: 'conjunction' }).format(all)
  return t.rich(
    all.length === 0 ? 'overview.scoped.nobody' : 'overview.scoped',
    { names: list, n: customers },
    { b: 'strong' },
  )
}
