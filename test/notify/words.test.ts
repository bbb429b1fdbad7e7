import { describe, expect, test } from '@jest/globals'
import { composeAlarm, composeTest } from '../../server/notify/compose.ts'
import { type AlarmKind, alarmKinds } from '../../server/store/notify/alarms.ts'
import type { NamedAlarm } from '../../server/store/notify/subjects.ts'
import { notify as en } from '../../server/words/en/notify.ts'
import { notify as sv } from '../../server/words/sv/notify.ts'
import { notify as zhHant } from '../../server/words/zh-hant/notify.ts'

/** What tells the cases of a kind apart; kinds that are not here have one. */
const codes: Partial<Record<AlarmKind, string[]>> = {
  'access-lost': ['revoked', 'limited', 'unlicensed', 'blocked', 'disabled', 'gone'],
  'partner-fault': ['partner-credential', 'partner-registration'],
  'claim-waiting': ['unpinned', 'unclaimed'],
  'storage-trouble': ['disk', 'database'],
  'delivery-failing': ['failing', 'off'],
}

const alarm = (kind: AlarmKind, code: string | null): NamedAlarm => ({
  id: 'a1',
  kind,
  subject: 's',
  customerId: '0c0ffee0-aaaa-4bbb-8ccc-000000000001',
  tenantId: 'b2f0c6de-aaaa-4bbb-8ccc-00000000e7f3',
  subjectId: null,
  facts: { code, days: 7, percent: 91, credential: 'app-secret', aadsts: 7000222 },
  raisedAt: '2026-11-20T01:10:00.000Z',
  times: 3,
  overAt: '2026-11-20T03:12:00.000Z',
  announced: 'raised',
  customerName: '晶瀚精密光學',
  tenantName: '晶瀚',
  tenantDomain: 'jinghan.onmicrosoft.com',
  destinationName: 'SOC',
})
const says = { customers: true, people: true, devices: true }
const readers = (['en', 'sv', 'zh-Hant'] as const).map((language) => ({
  id: 'd1',
  name: 'Jour',
  language,
  timeZone: 'Europe/Stockholm',
  says,
}))
const config = { publicUrl: 'https://muster.example.com' }
const cases = alarmKinds.flatMap((kind) => (codes[kind] ?? [null]).map((code) => [kind, code] as const))

describe('what alarms say', () => {
  test.each([
    ['Svenska', sv],
    ['繁體中文', zhHant],
  ])('is said in %s as well', (_name, words) => {
    expect(Object.keys(words)).toEqual(Object.keys(en))
  })

  test.each(cases)('of %s (%s) is a heading, a sentence and who must act, in every language', (kind, code) => {
    for (const reader of readers) {
      for (const change of ['raised', 'over']) {
        if (change === 'over' && (kind === 'consent-refused' || kind === 'customer-proven')) continue
        const { heading, text, rows, link } = composeAlarm(config, reader, { id: 'm1', change }, alarm(kind, code))
        const all = [heading, text, ...rows.flatMap(({ label, value }) => [label, value])]
        for (const words of all) expect(words).toMatch(/^[^{}]+$/)
        expect(all.join(' ')).not.toMatch(/undefined|null|notify\./)
        expect(link?.url).toBe('https://muster.example.com/alarms/a1')
      }
    }
  })

  test('tells times by the destination’s clock, and how long it lasted', () => {
    const [reader] = readers
    if (!reader) throw new Error('no reader')
    const { rows, text } = composeAlarm(config, reader, { id: 'm', change: 'over' }, alarm('tenant-blind', null))
    expect(rows.map(({ value }) => value).join('\n')).toMatch(/Friday,? 20 November 2026 at 02:10 \(01:10 UTC\)/)
    expect(text).toBe('It lasted 2 h 2 min. It came 3 times; you were told once. Nobody has to do anything.')
  })

  test('names nobody where that is not allowed, and still tells tenants apart', () => {
    for (const reader of readers) {
      const silent = { ...reader, says: { customers: false, people: false, devices: false } }
      for (const [kind, code] of cases) {
        const message = composeAlarm(config, silent, { id: 'm', change: 'raised' }, alarm(kind, code))
        expect(JSON.stringify(message)).not.toMatch(/晶瀚|jinghan/)
      }
      const blind = composeAlarm(config, silent, { id: 'm', change: 'raised' }, alarm('tenant-blind', null))
      expect(blind.heading).toContain('b2f0c6de…e7f3')
    }
  })

  test('of a test is that it arrived', () => {
    for (const reader of readers) {
      const message = composeTest(config, reader, 'msg_1', new Date('2026-11-20T01:10:00.000Z'))
      expect(message).toMatchObject({ type: 'muster.test', rows: [], data: { test: true } })
    }
  })
})
