import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import request from 'supertest'
import { boundedLines, createLog, withinScope } from '../../server/log.ts'
import type { TestPortal } from '../support/portal.ts'
import { startTestPortal } from '../support/portal.ts'
import { until } from '../support/waiting.ts'

describe('lines of the log that strangers cause', () => {
  let here: TestPortal
  beforeAll(async () => {
    here = await startTestPortal('SQLite', { logWindowMs: 3_600_000 })
  })
  afterAll(() => here.close())

  const requests = () => here.lines.filter(({ msg }) => msg === 'request')

  test('have a bound for a minute, whatever they ask for, and those of people who are signed in have none', async () => {
    const admin = await here.signedIn(here.cast.alice)
    const { host } = new URL(here.portal.config.publicUrl)
    const ask = (address: string) =>
      request(here.url).get(address).set({ Host: host, Accept: 'text/html' }).redirects(0)
    const addresses = [
      '/healthz',
      '/nothing/here',
      '/consent/callback?admin_consent=True&state=x',
      '/join/x',
      '/customers',
    ]
    for (let n = 0; n < boundedLines + 100; n += 20) {
      await Promise.all(Array.from({ length: 20 }, (_, i) => ask(addresses[(n + i) % addresses.length] ?? '/')))
    }
    const before = requests().length
    expect(before).toBeLessThanOrEqual(boundedLines + 20)
    expect(here.lines.filter(({ level }) => level === 'warn').length).toBeLessThanOrEqual(boundedLines)
    for (let n = 0; n < 10; n++) await admin.open('/customers')
    await until(() => requests().length >= before + 10)
    await ask('/healthz')
    expect(requests().length).toBe(before + 10)
  })

  test('are counted when they are left out, and written again in the next window', async () => {
    const lines: Record<string, unknown>[] = []
    const log = createLog('info', { write: (line) => void lines.push(JSON.parse(line)) }, 200)
    const stranger = { bounded: true }
    withinScope(stranger, () => {
      for (let n = 0; n < boundedLines + 7; n++) log.info('asked')
      for (let n = 0; n < boundedLines + 3; n++) log.child({ a: 1 }).warn('refused')
    })
    for (let n = 0; n < 5; n++) log.info('our own')
    const told = () => lines.find(({ leftOut }) => leftOut !== undefined)
    await until(() => told() !== undefined)
    expect(lines.filter(({ msg }) => msg === 'asked')).toHaveLength(boundedLines)
    expect(lines.filter(({ msg }) => msg === 'refused')).toHaveLength(boundedLines)
    expect(lines.filter(({ msg }) => msg === 'our own')).toHaveLength(5)
    expect(told()).toMatchObject({ level: 'warn', leftOut: { info: 7, warn: 3 } })
    withinScope(stranger, () => log.info('asked'))
    expect(lines.filter(({ msg }) => msg === 'asked')).toHaveLength(boundedLines + 1)
    withinScope({ bounded: false }, () => log.info('asked'))
    expect(lines.filter(({ msg }) => msg === 'asked')).toHaveLength(boundedLines + 2)
  })
})
