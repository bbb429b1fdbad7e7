import { beforeAll, describe, expect, test } from '@jest/globals'
import {
  type Claim,
  judgeReturn,
  type ReturnFacts,
  type ReturnVerdict,
  type RunFacts,
  type Tie,
} from '../../server/onboarding/judge.ts'
import type { BindingFacts } from '../../server/onboarding/judge-binding.ts'
import type { LinkState } from '../../server/store/onboarding/links.ts'

const tenantId = 'tenant'
const ties: Tie[] = ['first', 'late', 'again', 'elsewhere', 'mangled', 'unknown']
const links: LinkState[] = ['issued', 'expired', 'completed', 'withdrawn']
const rights = ['shown', 'guest', 'no-role', 'roles-unseen'] as const
const reasons = ['declined', 'cancelled', 'not-admin', 'wrong-tenant', 'unlicensed', 'misconfigured', 'other'] as const
const tenants = [null, tenantId, 'another']
const owners = [null, 'customer', 'somebody else'].flatMap((customerId) =>
  customerId === null ? [null] : [false, true].map((tombstone) => ({ customerId, tombstone })),
)
const either = [false, true]

const granted: Claim = { kind: 'granted', tenantId }
const person = (right: (typeof rights)[number]): Claim => ({ kind: 'person', tenantId, right })
const claims: Claim[] = [
  granted,
  ...reasons.map((reason): Claim => ({ kind: 'refused', reason })),
  { kind: 'code' },
  { kind: 'unreadable' },
  ...rights.map(person),
  ...[null, tenantId].map((asked): Claim => ({ kind: 'needs-person', tenantId: asked })),
  { kind: 'unproven' },
]

const runs: RunFacts[] = (['landing', 'classic'] as const).flatMap((kind) =>
  (['kept', 'room', 'full'] as const).flatMap((row) =>
    either.flatMap((bound) =>
      tenants.flatMap((pinnedTenantId) =>
        tenants.flatMap((claimedTenantId) =>
          links.map((link) => ({ kind, row, bound, pinnedTenantId, claimedTenantId, link })),
        ),
      ),
    ),
  ),
)

/** What may be known of a tenant that is claimed; nothing where a claim names none. */
function bindingsOf(claim: Claim, run: RunFacts | null): (BindingFacts | null)[] {
  if (run === null || (claim.kind !== 'granted' && claim.kind !== 'person')) return [null]
  const { pinnedTenantId, link } = run
  const how = claim.kind === 'person' ? 'sign-in' : 'pinned'
  const known = { tenantId, customerId: 'customer', how, pinnedTenantId, link } as const
  return owners.flatMap((owner) =>
    either.flatMap((served) =>
      either.flatMap((expectedElsewhere) =>
        [tenantId, 'partner'].map((partnerTenantId) => ({
          ...known,
          owner,
          served,
          expectedElsewhere,
          partnerTenantId,
        })),
      ),
    ),
  )
}

const signIns = ['person', 'needs-person', 'unproven']

/** Of a run's own facts, those that a claim can meet: what was claimed before is of a sign-in alone, which comes in time. */
const meets = ({ kind }: Claim, tie: Tie, run: RunFacts): boolean =>
  signIns.includes(kind) ? tie === 'first' || tie === 'again' : run.claimedTenantId === null

function* everything(): Generator<ReturnFacts> {
  for (const claim of claims) {
    for (const tie of ties) {
      for (const page of either) yield { claim, tie, page, run: null, binding: null }
      for (const run of runs.filter((one) => meets(claim, tie, one))) {
        for (const binding of bindingsOf(claim, run)) yield { claim, tie, page: false, run, binding }
      }
    }
  }
}

type Judged = [facts: ReturnFacts, verdict: ReturnVerdict]

describe('whatever comes back, in whatever state', () => {
  const all: Judged[] = []
  beforeAll(() => {
    for (const facts of everything()) all.push([facts, judgeReturn(facts)])
  })

  /** Those of which it is not so, the first few. */
  const unless = (is: (facts: ReturnFacts, verdict: ReturnVerdict) => boolean): Judged[] =>
    all.filter(([facts, verdict]) => !is(facts, verdict)).slice(0, 3)

  test('all of it is judged, and each verdict is met', () => {
    expect(all.length).toBeGreaterThan(150_000)
    expect(new Set(all.map(([, { next }]) => next))).toEqual(new Set(['page', 'sign-in', 'landing', 'stranger']))
    expect(new Set(all.map(([, { end }]) => end?.outcome))).toEqual(
      new Set([
        ...['bound', 'awaiting-proof', 'claimed', 'review', 'declined', 'not-admin', 'wrong-tenant', 'unlicensed'],
        ...['tenant-taken', 'tenant-is-partner', 'other-tenant-signed-in', 'sign-in-failed', 'link-withdrawn'],
        ...['misconfigured', 'refused', undefined],
      ]),
    )
  })

  test('a run changes only for a return of its own that has a row, or may have one', () => {
    const own: Tie[] = ['first', 'late', 'mangled']
    const isOwn = ({ tie, run }: ReturnFacts) => run !== null && (own.includes(tie) || run.bound)
    expect(
      unless((facts, { end, next }) => {
        if (end === null) return true
        return isOwn(facts) && facts.run?.row !== 'full' && (next === 'page' || next === 'sign-in')
      }).filter(([{ claim }]) => !['person', 'unproven'].includes(claim.kind)),
    ).toEqual([])
    expect(unless(({ tie }, { end }) => end === null || !['again', 'elsewhere', 'unknown'].includes(tie))).toEqual([])
  })

  test('a run that a token proved stays as it is', () => {
    expect(unless(({ run }, { end }) => !run?.bound || end === null)).toEqual([])
  })

  test('strangers see nothing and are led nowhere', () => {
    expect(unless((_facts, { next, end, signIn }) => next !== 'stranger' || (end === null && signIn === null))).toEqual(
      [],
    )
    expect(
      unless(({ tie, page }, { next }) => {
        const foreign = tie === 'again' || tie === 'elsewhere' || tie === 'unknown'
        return !foreign || next === (page ? 'page' : 'stranger')
      }),
    ).toEqual([])
  })

  test('only a tenant that is nobody’s or this customer’s waits for a token, on a link and a customer that still stand', () => {
    expect(
      unless(({ run, binding }, { end }) => {
        if (end?.outcome !== 'awaiting-proof') return true
        if (run === null || binding === null || end.tenantId !== tenantId) return false
        const { owner, served, partnerTenantId } = binding
        const free = owner === null || (owner.customerId === 'customer' && !owner.tombstone)
        const fits = run.pinnedTenantId === null || run.pinnedTenantId === tenantId
        const partners = partnerTenantId === tenantId && run.pinnedTenantId !== tenantId
        return free && fits && served && !partners && run.link !== 'withdrawn'
      }),
    ).toEqual([])
  })

  test('it waits on the word of a browser only where it was pinned, and on a sign-in only with the right to give it', () => {
    expect(
      unless(({ claim, run, binding, tie }, { end }) => {
        if (end?.outcome !== 'awaiting-proof') return true
        if (claim.kind === 'granted') return tie === 'first' && run?.pinnedTenantId === tenantId
        if (claim.kind !== 'person' || claim.right === 'guest') return false
        const known = run?.pinnedTenantId === tenantId || binding?.owner?.customerId === 'customer'
        return claim.right === 'shown' || known
      }),
    ).toEqual([])
  })

  test('a run is bound at once only where the tenant is this customer’s and the link completed already', () => {
    expect(
      unless(({ run, binding }, { end }) => {
        if (end?.outcome !== 'bound') return true
        return run?.link === 'completed' && binding?.owner?.customerId === 'customer' && !binding.owner.tombstone
      }),
    ).toEqual([])
  })

  test('to a claim that anybody can make up, the answer tells nothing of a tenant that nobody pinned', () => {
    const verdicts = new Map<string, Set<string>>()
    for (const [{ binding, ...facts }, verdict] of all) {
      if (facts.claim.kind !== 'granted' || facts.run?.pinnedTenantId !== null) continue
      const key = JSON.stringify(facts)
      verdicts.set(key, (verdicts.get(key) ?? new Set()).add(JSON.stringify(verdict)))
    }
    expect(verdicts.size).toBeGreaterThan(200)
    expect([...verdicts].filter(([, told]) => told.size > 1)).toEqual([])
  })

  test('a guest learns no more of the tenant that he visits', () => {
    const told: unknown[] = ['tenant-taken', 'tenant-is-partner', 'bound', 'awaiting-proof']
    expect(
      unless(
        ({ claim }, { end }) => claim.kind !== 'person' || claim.right !== 'guest' || !told.includes(end?.outcome),
      ),
    ).toEqual([])
  })

  test('a no leaves nothing for anybody to decide, and names no tenant', () => {
    expect(
      unless(({ claim }, { end, beside }) => {
        if (claim.kind !== 'refused') return true
        return beside === null && (end === null || (end.review === null && end.tenantId === null))
      }),
    ).toEqual([])
  })

  test('what comes late or mangled leads to no proof and no sign-in of a run that is kept', () => {
    expect(
      unless(({ claim, tie, run }, { next, end }) => {
        if ((tie !== 'late' && tie !== 'mangled') || ['person', 'needs-person', 'unproven'].includes(claim.kind))
          return true
        if (end?.outcome === 'awaiting-proof' || end?.outcome === 'bound') return false
        return next !== 'sign-in' || run?.row === 'full'
      }),
    ).toEqual([])
  })

  test('evidence is a sign-in only of somebody who signed in', () => {
    expect(unless(({ claim }, { end }) => end?.evidence !== 'sign-in' || claim.kind === 'person')).toEqual([])
  })

  test('an operator decides on a tenant that is named, but for a code, which names none', () => {
    expect(unless((_facts, { end }) => end === null || end.review === null || end.tenantId !== null)).toEqual([])
    expect(unless((_facts, { end }) => end?.outcome !== 'review' || end.review !== null)).toEqual([])
    expect(
      unless((_facts, { beside }) => beside === null || (beside.kind === 'code') === (beside.tenantId === null)),
    ).toEqual([])
  })

  test('a tenant is refused only in words that say which', () => {
    expect(unless((_facts, { end }) => end?.witness !== 'tenant' || end.tenantId === tenantId)).toEqual([])
  })
})

test('facts are left as they are, and say the same each time', () => {
  for (const claim of claims) {
    const run = Object.freeze({ ...runOf(), pinnedTenantId: tenantId })
    const binding = Object.freeze(bindingsOf(claim, run)[0] ?? null)
    const facts = Object.freeze({ claim: Object.freeze(claim), tie: 'first', page: false, run, binding } as const)
    expect(judgeReturn(facts)).toEqual(judgeReturn(structuredClone(facts)))
  }
})

function runOf(more: Partial<RunFacts> = {}): RunFacts {
  return {
    kind: 'landing',
    row: 'room',
    bound: false,
    pinnedTenantId: null,
    claimedTenantId: null,
    link: 'issued',
    ...more,
  }
}

interface Case {
  claim: Claim
  tie?: Tie
  run?: Partial<RunFacts>
  binding?: Partial<BindingFacts>
}

/** As one reads it: where the browser goes; what the run is; what is kept for an operator, of it or beside it. */
function judged({ claim, tie = 'first', run: more = {}, binding = {} }: Case): string {
  const run = runOf(more)
  const [known] = bindingsOf(claim, run)
  const free = { owner: null, served: true, expectedElsewhere: false, partnerTenantId: 'partner' }
  const { next, end, beside, signIn } = judgeReturn({
    claim,
    tie,
    page: false,
    run,
    binding: known ? { ...known, ...free, ...binding } : null,
  })
  const kept = [end?.review && `its ${end.review}`, beside && `a ${beside.kind}`].filter(Boolean)
  return [next, signIn && `of ${signIn}`, end?.outcome, ...kept].filter(Boolean).join(', ')
}

const pinned = { pinnedTenantId: tenantId }
const claimed = { row: 'kept', claimedTenantId: tenantId } as const
const mine = { owner: { customerId: 'customer', tombstone: false } }
const theirs = { owner: { customerId: 'somebody else', tombstone: false } }

describe('a return', () => {
  test.each<[string, Case, string]>([
    ['that grants the pinned tenant', { claim: granted, run: pinned }, 'page, awaiting-proof'],
    ['that grants another than the pinned one', { claim: granted, run: { pinnedTenantId: 'x' } }, 'page, wrong-tenant'],
    ['that grants a pinned tenant of others', { claim: granted, run: pinned, binding: theirs }, 'page, tenant-taken'],
    [
      'that grants what is there already',
      { claim: granted, run: { ...pinned, link: 'completed' }, binding: mine },
      'page, bound',
    ],
    [
      'that grants on a link that something else completed',
      { claim: granted, run: { ...pinned, link: 'completed' } },
      'page, review, its unclaimed',
    ],
    ['that grants where nobody pinned', { claim: granted }, 'sign-in, of tenant, claimed'],
    [
      'that grants on a withdrawn link',
      { claim: granted, run: { link: 'withdrawn' } },
      'page, link-withdrawn, a unclaimed',
    ],
    ['of a code', { claim: { kind: 'code' } }, 'sign-in'],
    [
      'of a code on a withdrawn classic link',
      { claim: { kind: 'code' }, run: { kind: 'classic', link: 'withdrawn' } },
      'page, link-withdrawn, a code',
    ],
    ['of a code, late', { claim: { kind: 'code' }, tie: 'late', run: { kind: 'classic' } }, 'page, a code'],
    ['that is declined', { claim: { kind: 'refused', reason: 'cancelled' } }, 'page, declined'],
    [
      'that is declined on a withdrawn link',
      { claim: { kind: 'refused', reason: 'other' }, run: { link: 'withdrawn' } },
      'page, refused',
    ],
    ['that grants, late', { claim: granted, tie: 'late', run: pinned }, 'page, review, its unclaimed'],
    ['that is declined, late', { claim: { kind: 'refused', reason: 'declined' }, tie: 'late' }, 'page'],
    ['that grants, mangled', { claim: granted, tie: 'mangled', run: pinned }, 'page, a mangled'],
    [
      'that is declined, mangled',
      { claim: { kind: 'refused', reason: 'not-admin' }, tie: 'mangled' },
      'page, not-admin',
    ],
    ['that cannot be read', { claim: { kind: 'unreadable' }, tie: 'mangled' }, 'page'],
    [
      'that cannot be read, and has no room',
      { claim: { kind: 'unreadable' }, tie: 'mangled', run: { row: 'full' } },
      'landing',
    ],
    ['that grants, elsewhere', { claim: granted, tie: 'elsewhere' }, 'stranger, a unclaimed'],
    ['that grants, again', { claim: granted, tie: 'again' }, 'stranger'],
    ['that grants, and has no room', { claim: granted, run: { row: 'full' } }, 'sign-in, of tenant'],
    ['that grants late, and has no room', { claim: granted, tie: 'late', run: { row: 'full' } }, 'sign-in, of tenant'],
    [
      'that grants another than the pinned, and has no room',
      { claim: granted, run: { row: 'full', pinnedTenantId: 'x' } },
      'landing',
    ],
    [
      'of a code that has no room on a completed link',
      { claim: { kind: 'code' }, run: { row: 'full', link: 'completed' } },
      'landing',
    ],
    ['of a sign-in that proves the claim', { claim: person('shown'), run: claimed }, 'page, awaiting-proof'],
    [
      'of a sign-in that proves no right to give',
      { claim: person('no-role'), run: claimed },
      'page, review, its no-role',
    ],
    [
      'of a sign-in without roles to the pinned tenant',
      { claim: person('roles-unseen'), run: { ...claimed, ...pinned } },
      'page, awaiting-proof',
    ],
    [
      'of a sign-in without the right to what is theirs',
      { claim: person('no-role'), run: claimed, binding: mine },
      'page, awaiting-proof',
    ],
    [
      'of a guest, of the pinned tenant',
      { claim: person('guest'), run: { ...claimed, ...pinned } },
      'page, review, its guest',
    ],
    [
      'of a sign-in to a tenant of others',
      { claim: person('no-role'), run: claimed, binding: theirs },
      'page, tenant-taken',
    ],
    [
      'of a guest of a tenant of others',
      { claim: person('guest'), run: claimed, binding: theirs },
      'page, review, its guest',
    ],
    [
      'of a guest after a classic link',
      { claim: person('guest'), run: { row: 'kept', kind: 'classic' }, binding: theirs },
      'page, review, its guest',
    ],
    [
      'of a sign-in to another tenant',
      { claim: person('shown'), run: { ...claimed, claimedTenantId: 'x' } },
      'page, other-tenant-signed-in',
    ],
    [
      'of a sign-in after a classic link, whose claim is nothing',
      { claim: person('shown'), run: { ...claimed, kind: 'classic', claimedTenantId: 'x' } },
      'page, review, its unpinned',
    ],
    [
      'of a sign-in to a tenant expected elsewhere',
      { claim: person('shown'), run: claimed, binding: { expectedElsewhere: true } },
      'page, review, its unpinned',
    ],
    [
      'of a sign-in on a withdrawn link',
      { claim: person('shown'), run: { ...claimed, link: 'withdrawn' } },
      'page, link-withdrawn, its unclaimed',
    ],
    [
      'of a sign-in for a run that is kept with it',
      { claim: person('shown'), run: { claimedTenantId: tenantId } },
      'page, awaiting-proof',
    ],
    ['of one on a completed link', { claim: person('shown'), run: { link: 'completed' } }, 'landing'],
    [
      'of a silent sign-in that needs a person',
      { claim: { kind: 'needs-person', tenantId }, run: claimed },
      'sign-in, of tenant',
    ],
    ['of a sign-in that came to nothing', { claim: { kind: 'unproven' }, run: claimed }, 'page, review, its unpinned'],
    [
      'of one that came to nothing, without a claim',
      { claim: { kind: 'unproven' }, run: { row: 'kept' } },
      'page, sign-in-failed',
    ],
    ['of one that came to nothing, without a row', { claim: { kind: 'unproven' } }, 'landing'],
  ])('%s', (_what, facts, verdict) => {
    expect(judged(facts)).toBe(verdict)
  })
})
