import { describe, expect, test } from '@jest/globals'
import { addressed, quietUntil, sendAt, wants } from '../../server/notify/rules.ts'
import { readRetryAfter, restAfter, retryAfter, waits } from '../../server/notify/schedule.ts'
import type { Alarm } from '../../server/store/notify/alarms.ts'
import type { Destination } from '../../server/store/notify/destinations.ts'

const now = new Date('2026-11-20T08:00:00.000Z')
const destination = (more: Partial<Destination> = {}): Destination => ({
  id: 'd1',
  kind: 'webhook',
  name: 'Desk',
  ownerId: 'o1',
  language: 'en',
  timeZone: 'Europe/Stockholm',
  quiet: null,
  kinds: null,
  customers: null,
  groups: null,
  says: { customers: true, people: true, devices: true },
  audit: false,
  sealed: '',
  shown: '',
  pausedAt: null,
  pausedBy: null,
  offAt: null,
  offReason: null,
  failingSince: null,
  failures: 0,
  sent: 0,
  lastSentAt: null,
  createdAt: now.toISOString(),
  ...more,
})
const alarm = (more: Partial<Alarm> = {}): Alarm => ({
  id: 'a1',
  kind: 'tenant-blind',
  subject: 't1',
  customerId: 'c1',
  tenantId: 't1',
  subjectId: null,
  facts: {},
  raisedAt: now.toISOString(),
  times: 1,
  overAt: null,
  announced: null,
  ...more,
})

describe('a destination', () => {
  test.each([
    ['of every kind and customer', {}, true],
    ['of that kind', { kinds: ['tenant-blind'] }, true],
    ['of another kind', { kinds: ['access-lost'] }, false],
    ['of no kind', { kinds: [] }, false],
    ['of that customer', { customers: ['c1'] }, true],
    ['of another customer', { customers: ['c2'] }, false],
    ['of a group the customer is in', { groups: ['Nordics'] }, true],
    ['of a group she is not in', { groups: ['Taiwan'] }, false],
    ['of another customer, or a group she is in', { customers: ['c2'], groups: ['Nordics'] }, true],
    ['that is paused', { pausedAt: now.toISOString() }, false],
  ] as [string, Partial<Destination>, boolean][])('%s', (_what, more, expected) => {
    expect(wants(destination(more), alarm(), ['Nordics'])).toBe(expected)
  })

  test('takes what concerns no customer, whichever customers it is for', () => {
    expect(wants(destination({ customers: ['c2'] }), alarm({ customerId: null, kind: 'partner-fault' }), [])).toBe(true)
  })

  test('is not told that it cannot be reached: others are, and its owner by mail', () => {
    const failing = alarm({ kind: 'delivery-failing', customerId: null, tenantId: null, subjectId: 'd1' })
    const destinations = [destination(), destination({ id: 'd2' }), destination({ id: 'd3', offAt: now.toISOString() })]
    const around = { destinations, groupsOf: () => [], mail: true }
    const to = (mail: boolean) =>
      addressed([{ alarm: failing, change: 'raised' }], { ...around, mail }, now).map(
        ({ destinationId, recipient, dueAt }) => [destinationId, recipient, dueAt === null],
      )
    expect(to(true)).toEqual([
      ['d2', undefined, false],
      ['d3', undefined, true],
      [null, 'o1', false],
    ])
    expect(to(false)).toHaveLength(2)
  })
})

describe('quiet hours', () => {
  const every = [1, 2, 3, 4, 5, 6, 7]
  const night = { from: '22:00', to: '06:00', days: every }
  const until = (quiet: Destination['quiet'], at: string, zone = 'Europe/Stockholm') =>
    quiet && (quietUntil(quiet, zone, new Date(at))?.toISOString() ?? null)

  test.each([
    ['before they begin', '2026-11-20T20:59:00.000Z', null],
    ['as they begin', '2026-11-20T21:00:00.000Z', '2026-11-21T05:00:00.000Z'],
    ['before midnight', '2026-11-20T22:30:30.000Z', '2026-11-21T05:00:00.000Z'],
    ['after midnight', '2026-11-21T03:00:00.000Z', '2026-11-21T05:00:00.000Z'],
    ['as they end', '2026-11-21T05:00:00.000Z', null],
    ['in the night in which clocks are set forward', '2026-03-28T23:00:00.000Z', '2026-03-29T04:00:00.000Z'],
    ['in the night in which clocks are set back', '2026-10-24T22:00:00.000Z', '2026-10-25T05:00:00.000Z'],
  ])('%s', (_when, at, expected) => {
    expect(until(night, at)).toBe(expected)
  })

  test('are by the destination’s own clock', () => {
    expect(until(night, '2026-11-20T14:30:00.000Z', 'Asia/Taipei')).toBe('2026-11-20T22:00:00.000Z')
    expect(until(night, '2026-11-20T14:30:00.000Z', 'Europe/Stockholm')).toBeNull()
  })

  test('are on the days on which they begin', () => {
    const friday = { ...night, days: [5] }
    expect(until(friday, '2026-11-21T03:00:00.000Z')).toBe('2026-11-21T05:00:00.000Z')
    expect(until(friday, '2026-11-21T22:00:00.000Z')).toBeNull()
    const noon = { from: '12:00', to: '13:00', days: [6] }
    expect(until(noon, '2026-11-21T11:30:00.000Z')).toBe('2026-11-21T12:00:00.000Z')
    expect(until(noon, '2026-11-20T11:30:00.000Z')).toBeNull()
  })

  test('hold no partner fault', () => {
    const quiet = destination({ quiet: night })
    const at = new Date('2026-11-20T22:00:00.000Z')
    expect(sendAt(quiet, alarm(), at).toISOString()).toBe('2026-11-21T05:00:00.000Z')
    expect(sendAt(quiet, alarm({ kind: 'partner-fault' }), at)).toBe(at)
  })
})

describe('the schedule', () => {
  test('is ten tries over three days, with jitter and never earlier', () => {
    const days = waits.reduce((sum, wait) => sum + wait, 0) / 86_400_000
    expect(waits).toHaveLength(10)
    expect(days).toBeGreaterThan(3)
    expect(days).toBeLessThan(3.3)
    expect(retryAfter(1, null, 0)).toBe(5_000)
    expect(retryAfter(1, null, 1)).toBe(5_500)
    expect(retryAfter(9, null, 0)).toBe(24 * 3_600_000)
    expect(retryAfter(10, null)).toBeNull()
  })

  test('waits for what the other side asks, within a day', () => {
    expect(retryAfter(1, 90_000, 0)).toBe(90_000)
    expect(retryAfter(3, 90_000, 0)).toBe(30 * 60_000)
    expect(retryAfter(1, 1e12, 0)).toBe(86_400_000)
    expect(restAfter(1, 90_000)).toBe(90_000)
  })

  test('leaves a destination alone a little longer after each failure, and no longer than a minute', () => {
    expect([1, 2, 3].map((failures) => restAfter(failures, null))).toEqual([2_000, 4_000, 8_000])
    expect(restAfter(1_000, null)).toBe(60_000)
  })

  test.each([
    [null, null],
    ['120', 120_000],
    [' 7 ', 7_000],
    ['Fri, 20 Nov 2026 08:01:00 GMT', 60_000],
    ['Fri, 20 Nov 2026 07:00:00 GMT', 0],
    ['soon', null],
    ['-5', null],
    ['1e9', null],
  ])('reads Retry-After %j as %j', (header, expected) => {
    expect(readRetryAfter(header, now)).toBe(expected)
  })
})
