import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { Webhook } from 'standardwebhooks'
import { write } from '../../server/store/engine/write.ts'
import { endAlarm, raiseAlarm } from '../../server/store/notify/alarms.ts'
import { resumeDestination } from '../../server/store/notify/destinations.ts'
import { claimMessages, replayFailed, replayMessage } from '../../server/store/notify/outbox.ts'
import { sendDue, startCourier } from '../../server/worker/courier.ts'
import { before, connected, customerNamed } from '../support/admin.ts'
import { onEachEngine, startTestPortal, type TestPortal } from '../support/portal.ts'
import { until } from '../support/waiting.ts'
import { answerStatus, type Receiver, startReceiver } from './receivers.ts'
import { destinationNow, hour, loopbackAllowed, messages, minute, raise, secretOf, webhookTo } from './stage.ts'

const fault = { kind: 'partner-fault', subject: 'partner-credential', facts: { code: 'partner-credential' } } as const

onEachEngine('what has to be told', (engine) => {
  let here: TestPortal
  let desk: Receiver
  beforeEach(async () => {
    here = await startTestPortal(engine, { config: loopbackAllowed })
    desk = await startReceiver()
  })
  afterEach(async () => {
    await desk.close()
    await here.close()
  })
  const verifier = () => new Webhook(secretOf('a'))
  const bodies = () =>
    desk.received.map(({ body }) => JSON.parse(body) as { type: string; data: { alarm: { id: string } } })
  const types = () => bodies().map(({ type }) => type)
  const later = async (ms: number) => {
    here.clock.advance(ms)
    await sendDue(here.portal)
  }

  test('reaches a webhook once, signed, with the same ID over every try', async () => {
    await webhookTo(here, desk.url)
    await raise(here, fault)
    desk.answerWith(answerStatus(500))
    await sendDue(here.portal)
    desk.answerWith(answerStatus(200))
    await later(6_000)
    await later(hour)
    expect(desk.received).toHaveLength(2)
    const ids = desk.received.map(({ headers }) => String(headers['webhook-id']))
    expect(new Set(ids).size).toBe(1)
    expect(ids[0]).toMatch(/^msg_[\w-]{20}$/)
    // The verifier looks at the machine's clock, which has not moved with the portal's.
    const [first] = desk.received
    const told = verifier().verify(first?.body ?? '', first?.headers as Record<string, string>) as unknown
    expect(told).toMatchObject({
      type: 'alarm.partner_fault.raised',
      data: {
        alarm: { kind: 'partner-fault', code: 'partner-credential', state: 'raised', must_act: 'us' },
        customer: null,
      },
    })
    expect(await messages(here)).toMatchObject([
      {
        state: 'delivered',
        attempts: 2,
        nextAt: null,
        tries: [{ outcome: 'failed', status: 500 }, { outcome: 'delivered' }],
      },
    ])
  })

  test('is not told where what happened was taken back', async () => {
    await webhookTo(here, desk.url)
    const failed = write(here.portal.db, async (tx) => {
      await raiseAlarm(tx, fault, here.portal.now())
      throw new Error('no')
    })
    await expect(failed).rejects.toThrow('no')
    await later(hour)
    expect(desk.received).toEqual([])
  })

  test('is told by a running courier within a moment', async () => {
    await webhookTo(here, desk.url)
    const courier = startCourier(here.portal)
    try {
      await raise(here, fault)
      await until(() => desk.received.length === 1)
    } finally {
      await courier.stop()
    }
    expect((await messages(here)).map(({ state }) => state)).toEqual(['delivered'])
  })

  test('is told by both of two couriers together once', async () => {
    for (let i = 0; i < 5; i++) await webhookTo(here, desk.url)
    const couriers = [startCourier(here.portal), startCourier(here.portal)]
    try {
      for (let i = 0; i < 10; i++) await raise(here, { kind: 'access-lost', subject: `t${i}`, facts: { code: 'gone' } })
      await until(() => desk.received.length >= 50)
      await until(async () => (await messages(here)).every(({ state }) => state === 'delivered'))
    } finally {
      await Promise.all(couriers.map((courier) => courier.stop()))
    }
    expect(new Set(desk.received.map(({ headers }) => headers['webhook-id'])).size).toBe(50)
    expect(desk.received).toHaveLength(50)
  })

  test('is over when it is over, told again, and flapping is one alarm', async () => {
    await webhookTo(here, desk.url)
    await raise(here, fault)
    await sendDue(here.portal)
    for (let i = 0; i < 3; i++) {
      here.clock.advance(minute)
      await write(here.portal.db, (tx) => endAlarm(tx, fault, here.portal.now()))
      await sendDue(here.portal)
      here.clock.advance(minute)
      await raise(here, fault)
      await sendDue(here.portal)
    }
    expect(types()).toEqual(['alarm.partner_fault.raised'])
    await write(here.portal.db, (tx) => endAlarm(tx, fault, here.portal.now()))
    await later(9 * minute)
    expect(types()).toHaveLength(1)
    await later(2 * minute)
    expect(types()).toEqual(['alarm.partner_fault.raised', 'alarm.partner_fault.over'])
    expect(bodies()[1]?.data.alarm).toMatchObject({ times: 4, state: 'over' })
    await later(24 * hour)
    expect(types()).toHaveLength(2)
    await raise(here, fault)
    await sendDue(here.portal)
    expect(types()).toHaveLength(3)
    expect(new Set(bodies().map(({ data }) => data.alarm.id)).size).toBe(2)
  })

  test('is told as raised and then as over where both came before anybody looked', async () => {
    await webhookTo(here, desk.url)
    await raise(here, fault)
    await write(here.portal.db, (tx) => endAlarm(tx, fault, here.portal.now()))
    await sendDue(here.portal)
    await later(11 * minute)
    expect(types()).toEqual(['alarm.partner_fault.raised', 'alarm.partner_fault.over'])
  })

  test('is told anew where what is the matter becomes something else', async () => {
    await webhookTo(here, desk.url)
    const lost = (code: string) => raise(here, { kind: 'access-lost', subject: 't', facts: { code } })
    await lost('blocked')
    await sendDue(here.portal)
    await lost('blocked')
    await sendDue(here.portal)
    await lost('revoked')
    await later(11 * minute)
    expect(bodies().map(({ data }) => (data.alarm as unknown as { code: string }).code)).toEqual(['blocked', 'revoked'])
  })

  test('of one alarm comes in order: nothing overtakes what has not arrived', async () => {
    await webhookTo(here, desk.url)
    desk.answerWith(answerStatus(503))
    await raise(here, fault)
    await sendDue(here.portal)
    await write(here.portal.db, (tx) => endAlarm(tx, fault, here.portal.now()))
    here.clock.advance(11 * minute)
    await sendDue(here.portal)
    desk.answerWith(answerStatus(200))
    await later(40 * minute)
    await later(minute)
    expect(types().at(-2)).toBe('alarm.partner_fault.raised')
    expect(types().at(-1)).toBe('alarm.partner_fault.over')
    expect(types().filter((type) => type.endsWith('.over'))).toHaveLength(1)
  })

  test('waits as long as the other side asks, and the destination’s other messages with it', async () => {
    const id = await webhookTo(here, desk.url)
    desk.answerWith(answerStatus(429, { 'retry-after': '1800' }))
    await raise(here, fault)
    await sendDue(here.portal)
    desk.answerWith(answerStatus(200))
    await raise(here, { kind: 'storage-trouble', subject: 'disk', facts: { code: 'disk', percent: 91 } })
    await later(29 * minute)
    expect(desk.received).toHaveLength(1)
    await later(2 * minute)
    expect(desk.received).toHaveLength(3)
    expect(await destinationNow(here, id)).toMatchObject({ failingSince: null, failures: 0, sent: 2 })
  })

  test('is tried for three days; then the destination is off, its owner is told, and what waits is held', async () => {
    const id = await webhookTo(here, desk.url, { name: 'Broken' })
    const other = await startReceiver()
    await webhookTo(here, other.url, { name: 'Other', kinds: ['delivery-failing'] })
    desk.answerWith(answerStatus(502))
    await raise(here, fault)
    const started = here.portal.now().getTime()
    for (let i = 0; i < 20_000 && (await destinationNow(here, id)).offAt === null; i++) await later(30 * minute)
    const broken = await destinationNow(here, id)
    expect(broken).toMatchObject({ offReason: 'slow-down' })
    const days = (here.portal.now().getTime() - started) / (24 * hour)
    expect(days).toBeGreaterThan(3)
    expect(days).toBeLessThan(4)
    expect(desk.received).toHaveLength(10)
    await raise(here, { kind: 'storage-trouble', subject: 'disk', facts: { code: 'disk', percent: 91 } })
    await later(hour)
    expect(desk.received).toHaveLength(10)
    const waiting = (await messages(here, id)).map(({ state }) => state)
    expect(waiting).toEqual(['failed', 'held'])
    const toldOthers = other.received.map(({ body }) => JSON.parse(body).data.alarm.code)
    expect(toldOthers).toEqual(['failing', 'off'])
    await other.close()

    desk.answerWith(answerStatus(200))
    await write(here.portal.db, async (tx) => {
      await resumeDestination(tx, before, id, here.portal.now())
      expect(await replayFailed(tx, id, here.portal.now())).toBe(2)
    })
    await sendDue(here.portal)
    expect(desk.received).toHaveLength(12)
    expect((await messages(here, id)).map(({ state }) => state)).toEqual(['delivered', 'delivered'])
  })

  test('ends at once where the other side says that it is gone', async () => {
    const id = await webhookTo(here, desk.url)
    desk.answerWith(answerStatus(410))
    await raise(here, fault)
    await later(24 * hour)
    expect(desk.received).toHaveLength(1)
    expect(await destinationNow(here, id)).toMatchObject({ offReason: 'gone' })
  })

  test.each([
    ['redirects inwards', answerStatus(302, { location: 'http://169.254.169.254/' }), 'redirected', 302],
    ['finds it too large', answerStatus(413), 'too-large', 413],
    ['answers what nobody foresaw', answerStatus(418), 'failed', 418],
  ])('is noted with what came back of a receiver that %s', async (_what, answer, outcome, status) => {
    await webhookTo(here, desk.url)
    desk.answerWith(answer)
    await raise(here, fault)
    await sendDue(here.portal)
    expect((await messages(here))[0]?.tries).toMatchObject([{ outcome, status }])
  })

  test('that was under way when the process was killed is sent again, and the log says which', async () => {
    await webhookTo(here, desk.url)
    await raise(here, fault)
    await raise(here, { kind: 'storage-trouble', subject: 'disk', facts: { code: 'disk', percent: 91 } })
    const { db, now } = here.portal
    await sendDueUntilClaimed(here)
    const [claimed] = await claimMessages(db, now(), { limit: 1, busy: [] })
    await sendDue(here.portal)
    expect(desk.received).toHaveLength(1)
    await later(2 * minute)
    expect(desk.received).toHaveLength(2)
    const all = await messages(here)
    const interrupted = all.filter(({ tries }) => tries.some(({ outcome }) => outcome === 'interrupted'))
    expect(interrupted.map(({ id }) => id)).toEqual([claimed?.message.id])
    expect(all.map(({ state }) => state)).toEqual(['delivered', 'delivered'])
  })

  test('is replayed one by one, under its own ID', async () => {
    await webhookTo(here, desk.url)
    await raise(here, fault)
    await sendDue(here.portal)
    const [sent] = await messages(here)
    const replay = () => write(here.portal.db, (tx) => replayMessage(tx, sent?.id ?? '', here.portal.now()))
    expect(await replay()).toBe(true)
    expect(await replay()).toBe(false)
    await sendDue(here.portal)
    expect(new Set(desk.received.map(({ headers }) => headers['webhook-id']))).toEqual(new Set([sent?.id]))
    expect(desk.received).toHaveLength(2)
  })

  test('names customers, tenants and domains only where that is allowed', async () => {
    const { tenant } = await connected(here, 'Bergqvist Åkeri')
    await webhookTo(here, desk.url, { says: { customers: false, people: false, devices: false } })
    const open = await startReceiver()
    await webhookTo(here, open.url)
    here.simulator.world.revoke(tenant.id, here.portal.config.app.clientId)
    await raise(here, {
      kind: 'access-lost',
      subject: tenant.id,
      tenantId: tenant.id,
      customerId: (await customerNamed(here, 'Other')).id,
      facts: { code: 'revoked' },
    })
    await sendDue(here.portal)
    const said = (receiver: Receiver) => receiver.received.map(({ body }) => body).join()
    expect(said(desk)).toContain(tenant.id)
    expect(said(desk)).not.toMatch(/Bergqvist|Other|onmicrosoft/)
    expect(said(open)).toMatch(/Other/)
    await open.close()
  })

  test('leaves nothing in the database that opens anything', async () => {
    const echo = await startReceiver((res, received) => res.writeHead(500).end(`no ${received.path} ${secretOf('a')}`))
    const id = await webhookTo(here, echo.url.replace('/hook', '/services/T0SECRET/B0SECRET/verysecretpart'))
    await raise(here, fault)
    await sendDue(here.portal)
    expect(echo.received).toHaveLength(1)
    const rows = [
      ...(await here.portal.db.selectFrom('outbox').selectAll().execute()),
      ...(await here.portal.db.selectFrom('destinations').selectAll().execute()),
      ...(await here.portal.db.selectFrom('notify_alarms').selectAll().execute()),
      ...(await here.portal.db.selectFrom('audit_events').selectAll().execute()),
      ...here.lines,
    ]
    const dump = JSON.stringify(rows)
    for (const secret of ['verysecretpart', 'T0SECRET', secretOf('a').slice(6, 30), 'http://127', '/alarms/']) {
      expect(dump).not.toContain(secret)
    }
    expect(dump).toContain(id)
    await echo.close()
  })

  test('goes nowhere while its key is lost: the destination is off and says why', async () => {
    const id = await webhookTo(here, desk.url)
    await here.portal.db.updateTable('destinations').set({ sealed: 's1.000000000000.AAAA' }).execute()
    await raise(here, fault)
    await sendDue(here.portal)
    expect(await destinationNow(here, id)).toMatchObject({ offReason: 'unreadable' })
    expect(desk.received).toEqual([])
  })
})

async function sendDueUntilClaimed(here: TestPortal): Promise<void> {
  const { announceDue } = await import('../../server/notify/announce.ts')
  await announceDue(here.portal)
}

describe('couriers', () => {
  test('stop while a receiver hangs, and leave its message to its lease', async () => {
    const here = await startTestPortal('SQLite', { config: loopbackAllowed })
    const hanging = await startReceiver(() => undefined)
    await webhookTo(here, hanging.url)
    const courier = startCourier(here.portal)
    await raise(here, fault)
    await until(() => hanging.received.length === 1)
    await hanging.close()
    await courier.stop()
    expect((await messages(here)).map(({ state }) => state)).toEqual(['waiting'])
    await here.close()
  })
})
