import { describe, expect, test } from '@jest/globals'
import { type BindingFacts, type BindingVerdict, judgeBinding } from '../../server/onboarding/judge-binding.ts'
import type { LinkState } from '../../server/store/onboarding/links.ts'
import type { BoundHow } from '../../server/store/tenants/tenants.ts'

const facts = (more: Partial<BindingFacts>): BindingFacts => ({
  tenantId: 'tenant',
  customerId: 'customer',
  how: 'sign-in',
  pinnedTenantId: null,
  partnerTenantId: 'partner',
  link: 'issued',
  served: true,
  owner: null,
  expectedElsewhere: false,
  ...more,
})

const owners = {
  nobody: null,
  own: { customerId: 'customer', tombstone: false },
  'own tombstone': { customerId: 'customer', tombstone: true },
  other: { customerId: 'somebody else', tombstone: false },
  'other tombstone': { customerId: 'somebody else', tombstone: true },
} as const

type Owner = keyof typeof owners

/** Verdicts for links that are open or expired, completed, and withdrawn. */
const claimed: Record<Owner, Record<'open' | 'completed' | 'withdrawn', BindingVerdict>> = {
  nobody: { open: 'allowed', completed: 'late', withdrawn: 'link-withdrawn' },
  own: { open: 'allowed', completed: 'bound', withdrawn: 'link-withdrawn' },
  'own tombstone': { open: 'needs-decision', completed: 'needs-decision', withdrawn: 'link-withdrawn' },
  other: { open: 'tenant-taken', completed: 'tenant-taken', withdrawn: 'link-withdrawn' },
  'other tombstone': { open: 'tenant-taken', completed: 'tenant-taken', withdrawn: 'link-withdrawn' },
}
const decided: Record<Owner, BindingVerdict> = {
  nobody: 'allowed',
  own: 'allowed',
  'own tombstone': 'allowed',
  other: 'tenant-taken',
  'other tombstone': 'tenant-taken',
}
const columnOf = { issued: 'open', expired: 'open', completed: 'completed', withdrawn: 'withdrawn' } as const

describe('whether a tenant may become a customer’s', () => {
  const hows: BoundHow[] = ['pinned', 'sign-in', 'confirmed', 'entered']
  const links: LinkState[] = ['issued', 'expired', 'completed', 'withdrawn']
  const table = hows.flatMap((how) =>
    links.flatMap((link) => (Object.keys(owners) as Owner[]).map((owner) => ({ how, link, owner }))),
  )

  test.each(table)('$how, link $link, tenant of $owner', ({ how, link, owner }) => {
    const pinnedTenantId = how === 'pinned' ? 'tenant' : null
    const verdict = judgeBinding(facts({ how, link, pinnedTenantId, owner: owners[owner] }))
    const byDecision = how === 'confirmed' || how === 'entered'
    expect(verdict).toBe(byDecision ? decided[owner] : claimed[owner][columnOf[link]])
  })

  test.each<[string, Partial<BindingFacts>, BindingVerdict]>([
    ['another than the pinned one', { how: 'pinned', pinnedTenantId: 'pinned' }, 'wrong-tenant'],
    ['another than the pinned one, shown by a sign-in', { pinnedTenantId: 'pinned' }, 'wrong-tenant'],
    ['another than the expected one, by decision', { how: 'confirmed', pinnedTenantId: 'pinned' }, 'allowed'],
    ['the partner’s own', { tenantId: 'partner' }, 'tenant-is-partner'],
    ['the partner’s own, by hand', { tenantId: 'partner', how: 'entered' }, 'tenant-is-partner'],
    ['the partner’s own, expected', { tenantId: 'partner', how: 'pinned', pinnedTenantId: 'partner' }, 'allowed'],
    ['expected elsewhere', { expectedElsewhere: true }, 'needs-decision'],
    [
      'expected elsewhere, and pinned here',
      { how: 'pinned', pinnedTenantId: 'tenant', expectedElsewhere: true },
      'allowed',
    ],
    ['expected elsewhere, and here already', { owner: owners.own, expectedElsewhere: true }, 'allowed'],
    ['of a customer who is not served', { served: false }, 'link-withdrawn'],
    ['of no link', { link: null, how: 'entered' }, 'allowed'],
  ])('%s', (_what, more, verdict) => {
    expect(judgeBinding(facts(more))).toBe(verdict)
  })
})
