import { describe, expect, test } from '@jest/globals'
import type { AccessEvidence } from '../../server/model/access.ts'
import { Refusal, type RefusalCode } from '../../server/model/refusal.ts'
import { type AccessState, accessStates, type Tenant, unknownCapabilities } from '../../server/store/tenants/tenants.ts'
import { followsFrom } from '../../server/sync/follow.ts'
import { judge } from '../../server/tenants/access-check.ts'
import { granted, later, start } from '../support/store.ts'

const hours = (n: number) => n * 60

/** Bound at `start` and being proven since; `about` says what else is known of it. */
function tenant(about: Partial<Tenant> = {}): Tenant {
  return {
    tenantId: 'c0450000-aaaa-4bbb-8ccc-000000000001',
    customerId: 'contoso',
    displayName: null,
    defaultDomain: null,
    region: null,
    boundAt: start.toISOString(),
    boundHow: 'pinned',
    boundBy: '',
    consentedAt: start.toISOString(),
    accessState: 'proving',
    stateCode: null,
    stateSince: start.toISOString(),
    capabilities: unknownCapabilities,
    firstActiveAt: null,
    offboardedAt: null,
    provingSince: start.toISOString(),
    checkAttempts: 0,
    nextCheckAt: null,
    lastCheckAt: null,
    nextSyncAt: null,
    syncing: false,
    syncFailures: 0,
    syncPhase: 'open',
    cursor: null,
    partialSince: null,
    partial: null,
    partialCursor: null,
    consentProvenAt: null,
    lastReadAt: null,
    lastReadCode: null,
    notBefore: null,
    lastChangeAt: null,
    backfilledAt: null,
    nextReconcileAt: null,
    nextDeepReconcileAt: null,
    reconciledAt: null,
    reconcileDifferences: 0,
    pausedAt: null,
    pausedBy: null,
    firstIncidentAt: null,
    open: { high: 0, medium: 0, low: 0, informational: 0, unknown: 0, unassigned: 0 },
    unassigned: { high: 0, medium: 0, low: 0, informational: 0, unknown: 0 },
    incidentCount: 0,
    ...about,
  }
}

const working = (about: Partial<Tenant> = {}) =>
  tenant({ accessState: 'active', firstActiveAt: start.toISOString(), provingSince: null, ...about })

/** No token was issued. */
const refused = (code: RefusalCode, retryAfterMs: number | null = null): AccessEvidence => ({
  ...granted,
  claims: null,
  tokenIssued: false,
  refusal: new Refusal(code, { at: start.toISOString() }, { retryAfterMs }),
})

/** A token with the permission was issued, and the API refused it. */
const refusedByApi = (code: RefusalCode): AccessEvidence => ({ ...granted, refusal: refused(code).refusal })

const waitOf = (verdict: { nextCheckAt: Date }, now: Date) => (verdict.nextCheckAt.getTime() - now.getTime()) / 1_000

/**
 * What each refusal means: a minute after the consent, ten minutes after it, two days after it without any success;
 * for a tenant that is read; and for one that was found disabled before.
 */
const meanings: Record<
  RefusalCode,
  [minute: AccessState, tenMinutes: AccessState, twoDays: AccessState, active: AccessState, disabled: AccessState]
> = {
  'not-consented': ['proving', 'proving', 'unproven', 'revoked', 'revoked'],
  'role-missing': ['proving', 'limited', 'limited', 'limited', 'limited'],
  'data-unavailable': ['proving', 'unlicensed', 'unlicensed', 'unlicensed', 'unlicensed'],
  'app-disabled': ['disabled', 'disabled', 'disabled', 'disabled', 'disabled'],
  unlicensed: ['unlicensed', 'unlicensed', 'unlicensed', 'unlicensed', 'unlicensed'],
  'not-set-up': ['unlicensed', 'unlicensed', 'unlicensed', 'unlicensed', 'unlicensed'],
  'blocked-by-policy': ['blocked', 'blocked', 'blocked', 'blocked', 'blocked'],
  'tenant-gone': ['gone', 'gone', 'gone', 'gone', 'gone'],
  'tenant-unavailable': ['gone', 'gone', 'gone', 'gone', 'gone'],
  'other-cloud': ['gone', 'gone', 'gone', 'gone', 'gone'],
  'partner-credential': ['proving', 'proving', 'proving', 'active', 'disabled'],
  'partner-registration': ['proving', 'proving', 'proving', 'active', 'disabled'],
  throttled: ['proving', 'proving', 'proving', 'active', 'disabled'],
  unavailable: ['proving', 'proving', 'proving', 'active', 'disabled'],
  'unexpected-answer': ['proving', 'proving', 'proving', 'active', 'disabled'],
  'wrong-tenant-token': ['proving', 'proving', 'proving', 'active', 'disabled'],
  unauthorized: ['proving', 'proving', 'proving', 'active', 'disabled'],
  'sign-in-invalid': ['proving', 'proving', 'proving', 'active', 'disabled'],
  'interaction-required': ['proving', 'proving', 'proving', 'active', 'disabled'],
  'account-refused': ['proving', 'proving', 'proving', 'active', 'disabled'],
}

describe('an access check means', () => {
  test.each(accessStates.filter((state) => state !== 'offboarded'))(
    'when reading works: active, whatever the tenant was before (%s), and again in about six hours',
    (accessState) => {
      for (const before of [tenant({ accessState }), tenant({ accessState, provingSince: null })]) {
        const verdict = judge(before, granted, later(1))
        expect(verdict).toMatchObject({ state: 'active', keepProving: false })
        expect(waitOf(verdict, later(1)) / 3_600).toBeGreaterThanOrEqual(5.4)
        expect(waitOf(verdict, later(1)) / 3_600).toBeLessThanOrEqual(6.6)
      }
    },
  )

  test.each(Object.entries(meanings) as [RefusalCode, (typeof meanings)[RefusalCode]][])(
    'when refused as %s: what the refusal says and no more',
    (code, [minute, tenMinutes, twoDays, active, disabled]) => {
      const found = [
        judge(tenant(), refused(code), later(1)),
        judge(tenant(), refused(code), later(10)),
        judge(tenant(), refused(code), later(hours(48))),
        judge(working(), refused(code), later(hours(100))),
        judge(working({ accessState: 'disabled' }), refused(code), later(hours(100))),
      ]
      expect(found.map((verdict) => verdict.state)).toEqual([minute, tenMinutes, twoDays, active, disabled])
      expect(found.map((verdict) => verdict.keepProving)).toEqual([true, true, false, false, false])
    },
  )

  test('a fault of ours or of Microsoft disconnects nobody', () => {
    const ours: RefusalCode[] = ['partner-credential', 'partner-registration', 'throttled', 'unavailable']
    for (const code of ours) {
      for (const accessState of accessStates.filter((state) => state !== 'proving' && state !== 'offboarded')) {
        expect(judge(working({ accessState }), refused(code), later(1)).state).toBe(accessState)
      }
    }
  })

  test('a consent never found is "unproven" for a tenant that never worked, "revoked" for one that did', () => {
    const never = tenant({ accessState: 'unproven', provingSince: null })
    expect(judge(never, refused('not-consented'), later(hours(60))).state).toBe('unproven')
    expect(judge(working(), refused('not-consented'), later(hours(60))).state).toBe('revoked')
  })

  test('a token with the permission proves the consent: no state says after it that there is none', () => {
    const denied = accessStates.filter((state) => ['unproven', 'revoked', 'limited', 'disabled'].includes(state))
    for (const code of ['unavailable', 'unexpected-answer', 'throttled', 'unauthorized'] as const) {
      for (const accessState of denied) {
        const before = tenant({ accessState, provingSince: null })
        expect(judge(before, refusedByApi(code), later(hours(60))).state).toBe('proving')
      }
      expect(judge(tenant(), refusedByApi(code), later(hours(49))).state).toBe('proving')
      expect(judge(working(), refusedByApi(code), later(hours(49))).state).toBe('active')
    }
    expect(judge(tenant(), refusedByApi('not-set-up'), later(hours(49))).state).toBe('unlicensed')
  })

  test('a consent that a token proved once and that is not found is revoked, never "not found"', () => {
    const proven = tenant({ consentProvenAt: start.toISOString(), provingSince: null })
    expect(judge(proven, refused('not-consented'), later(hours(60))).state).toBe('revoked')
  })

  test('the same refusal finds the same state again: a verdict does not waver', () => {
    for (const code of Object.keys(meanings) as RefusalCode[]) {
      const first = judge(working(), refused(code), later(1)).state
      expect(judge(working({ accessState: first }), refused(code), later(2)).state).toBe(first)
    }
  })
})

describe('the next access check comes', () => {
  test('after a consent in 5 s, 15 s, 45 s, 2 min, 5, 15, 1 h, 6 h, and then every 6 h', () => {
    const waits = Array.from({ length: 11 }, (_, checkAttempts) =>
      waitOf(judge(tenant({ checkAttempts }), refused('not-consented'), later(1)), later(1)),
    )
    expect(waits).toEqual([5, 15, 45, 120, 300, 900, 3_600, 21_600, 21_600, 21_600, 21_600])
  })

  test('for two days, to the instant; and after that at the slow pace', () => {
    const atEnd = new Date(later(hours(48)).getTime() - 1)
    expect(judge(tenant({ checkAttempts: 9 }), refused('not-consented'), atEnd)).toMatchObject({
      state: 'proving',
      keepProving: true,
    })
    const verdict = judge(tenant({ checkAttempts: 9 }), refused('not-consented'), later(hours(48)))
    expect(verdict).toMatchObject({ state: 'unproven', keepProving: false })
    expect(waitOf(verdict, later(hours(48)))).toBeLessThanOrEqual(330)
  })

  test.each([
    ['minutes at first', 0.5, 270, 330],
    ['an hour on the first day', 20, 3_240, 3_960],
    ['six hours later on', 30, 19_440, 23_760],
  ])('outside of it, while the trouble lasts, in %s', (_, age, least, most) => {
    const disabled = working({ accessState: 'disabled' })
    for (let i = 0; i < 50; i++) {
      const wait = waitOf(judge(disabled, refused('app-disabled'), later(hours(age))), later(hours(age)))
      expect(wait).toBeGreaterThanOrEqual(least)
      expect(wait).toBeLessThanOrEqual(most)
    }
  })

  test('soon, for a tenant that works and only could not be asked', () => {
    expect(waitOf(judge(working(), refused('unavailable'), later(hours(99))), later(hours(99)))).toBeLessThanOrEqual(
      330,
    )
  })

  test('never before Microsoft asked for it', () => {
    const asked = 2 * 3_600_000
    for (const one of [tenant(), working()]) {
      expect(waitOf(judge(one, refused('throttled', asked), later(1)), later(1))).toBeGreaterThanOrEqual(asked / 1_000)
    }
    expect(waitOf(judge(tenant(), refused('throttled', 1_000), later(1)), later(1))).toBe(5)
  })
})

describe('a pass that follows asks', () => {
  const now = new Date('2026-11-20T08:00:00.000Z')
  const overlap = 15 * 60_000

  test('for the last 30 days where nothing was ever seen', () => {
    expect(followsFrom({ cursor: null, partialCursor: null }, overlap, now)).toBe('2026-10-21T08:00:00.0000000Z')
  })

  test('where incomplete lists had come, while they last', () => {
    const tenant = { cursor: '2026-11-19T07:00:00.0000000Z', partialCursor: '2026-11-20T07:00:00.0000000Z' }
    expect(followsFrom(tenant, overlap, now)).toBe('2026-11-20T06:45:00.0000000Z')
  })

  test('from the overlap before the cursor, never later, whatever our own clock says', () => {
    for (const clock of [now, new Date(0), new Date('2099-01-01T00:00:00.000Z')]) {
      expect(followsFrom({ cursor: '2026-11-20T07:00:00.1239999Z', partialCursor: null }, overlap, clock)).toBe(
        '2026-11-20T06:45:00.1230000Z',
      )
    }
  })
})
