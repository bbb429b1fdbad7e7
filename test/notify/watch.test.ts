import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { sealForStore } from '../../server/config/data-keys.ts'
import { sealMailServer } from '../../server/notify/mail-server.ts'
import { pruneTold, resealOlder, watch, watchDisk } from '../../server/notify/watch.ts'
import { keyFindings } from '../../server/partner/doctor-keys.ts'
import { write } from '../../server/store/engine/write.ts'
import { endAlarm, fromRow } from '../../server/store/notify/alarms.ts'
import { sealedPlace, sealingPurpose } from '../../server/store/notify/destinations.ts'
import { changeMailServer } from '../../server/store/notify/mail-server.ts'
import { sealedRows } from '../../server/store/notify/sealed.ts'
import { changeAlarmSettings } from '../../server/store/notify/settings.ts'
import {
  clearPartnerFaults as clearFaults,
  recordPartnerFault as raiseFault,
} from '../../server/store/partner/faults.ts'
import { pauseEverything, resumeEverything } from '../../server/store/tenants/pauses.ts'
import { runDue } from '../../server/worker/worker.ts'
import { before, connected, customerNamed, waitingReview } from '../support/admin.ts'
import { onEachEngine, startTestPortal, type TestPortal } from '../support/portal.ts'
import { destinationNow, hour, loopbackAllowed, messages, minute, raise, webhookTo } from './stage.ts'

onEachEngine('an alarm', (engine) => {
  let here: TestPortal
  beforeEach(async () => {
    here = await startTestPortal(engine, { config: loopbackAllowed })
  })
  afterEach(() => here.close())

  const alarms = async () =>
    (await here.portal.db.selectFrom('notify_alarms').selectAll().orderBy('raised_at').execute()).map(fromRow)
  const kinds = async () => (await alarms()).map(({ kind, overAt }) => `${kind}${overAt === null ? '' : ' over'}`)
  /** A worker that looks once a minute, without reading anything. */
  const watchFor = async (minutes: number) => {
    for (let i = 0; i < minutes; i++) {
      here.clock.advance(minute)
      await watch(here.portal)
    }
  }
  const readAll = async () => {
    for (let i = 0; i < 20 && (await runDue(here.portal)) > 0; i++);
  }

  test('tells when a customer is proven, loses its access, and has it again', async () => {
    const { tenant } = await connected(here, 'Contoso')
    expect(await kinds()).toEqual(['customer-proven over'])
    const { clientId } = here.portal.config.app
    here.simulator.world.revoke(tenant.id, clientId)
    here.clock.advance(25 * hour)
    await readAll()
    expect((await alarms()).at(-1)).toMatchObject({
      kind: 'access-lost',
      tenantId: tenant.id,
      facts: { code: 'revoked' },
      overAt: null,
    })
    here.simulator.world.consent(tenant.id, clientId)
    here.clock.advance(25 * hour)
    await readAll()
    expect(await kinds()).toEqual(['customer-proven over', 'access-lost over'])
  })

  test('tells of a tenant that is not read although somebody reads, and when it is read again', async () => {
    await connected(here, 'Contoso')
    await watchFor(14)
    expect(await kinds()).toEqual(['customer-proven over'])
    await watchFor(3)
    expect((await alarms()).at(-1)).toMatchObject({ kind: 'tenant-blind', overAt: null })
    await watchFor(3)
    expect(await kinds()).toHaveLength(2)
    await readAll()
    await watchFor(1)
    expect(await kinds()).toEqual(['customer-proven over', 'tenant-blind over'])
  })

  test('is none where nobody was there to read, until there was time to', async () => {
    await connected(here, 'Contoso')
    await watchFor(1)
    here.clock.advance(24 * hour)
    await watchFor(4)
    expect(await kinds()).toEqual(['customer-proven over'])
    await watchFor(3)
    expect(await kinds()).toContain('tenant-blind')
  })

  test('is none while reading is paused on purpose, of all or of one', async () => {
    const { tenant } = await connected(here, 'Contoso')
    await pauseEverything(here.portal.db, before, here.portal.now())
    await watchFor(30)
    expect(await kinds()).toEqual(['customer-proven over'])
    await resumeEverything(here.portal.db, before, here.portal.now())
    const paused = { paused_at: here.portal.now().toISOString(), paused_by: 'Ines' }
    await here.portal.db.updateTable('tenants').set(paused).where('tenant_id', '=', tenant.id).execute()
    await watchFor(30)
    expect(await kinds()).toEqual(['customer-proven over'])
  })

  test('tells of a fault of our own once, however many tenants feel it, and when it is mended', async () => {
    const { db, now } = here.portal
    const nothing = { status: 401, error: null, correlationId: null, traceId: null }
    const facts = { ...nothing, at: now().toISOString(), aadsts: 7000222 }
    await write(db, (tx) => raiseFault(tx, 'partner-credential', facts, now()))
    await write(db, (tx) => raiseFault(tx, 'partner-credential', facts, now()))
    expect(await alarms()).toMatchObject([
      { kind: 'partner-fault', facts: { code: 'partner-credential', aadsts: 7000222 }, times: 1, overAt: null },
    ])
    await write(db, (tx) => clearFaults(tx, now()))
    expect(await kinds()).toEqual(['partner-fault over'])
  })

  test('waits for a decision, and is over when somebody decides', async () => {
    const customer = await customerNamed(here, 'Contoso')
    const review = await waitingReview(here, customer.id, '00000000-aaaa-4bbb-8ccc-00000000e7f3')
    expect((await alarms()).at(-1)).toMatchObject({ kind: 'claim-waiting', customerId: customer.id, overAt: null })
    await here.portal.db
      .updateTable('reviews')
      .set({ decided_at: here.portal.now().toISOString(), decision: 'dismissed' })
      .where('id', '=', review.id)
      .execute()
    await watch(here.portal)
    expect(await kinds()).toEqual(['claim-waiting over'])
  })

  test('ends with the tenant it is about, and nobody is told of that', async () => {
    const { customer, tenant } = await connected(here, 'Contoso')
    await raise(here, { kind: 'tenant-blind', subject: tenant.id, tenantId: tenant.id })
    const { offboardCustomer } = await import('../../server/store/customers/offboarding.ts')
    await offboardCustomer(here.portal.db, before, customer.id, here.portal.now())
    await webhookTo(here, 'http://127.0.0.1:1/')
    here.clock.advance(hour)
    await readAll()
    expect(await kinds()).toEqual(['customer-proven over', 'tenant-blind over'])
    expect((await messages(here)).filter(({ change }) => change === 'over')).toEqual([])
  })

  test('is kept as long as the settings say, and messages as long as they say of those', async () => {
    const settings = { dampingMinutes: 0, messageDays: 2, alarmDays: 5 }
    await write(here.portal.db, (tx) => changeAlarmSettings(tx, before, settings, here.portal.now()))
    await webhookTo(here, 'http://127.0.0.1:1/', { kinds: ['storage-trouble'] })
    const disk = { kind: 'storage-trouble', subject: 'disk', facts: { code: 'disk', percent: 95 } } as const
    await raise(here, disk)
    await readAll()
    await write(here.portal.db, (tx) => endAlarm(tx, disk, here.portal.now()))
    await readAll()
    await raise(here, { kind: 'partner-fault', subject: 'open', facts: {} })
    await readAll()
    const counts = async () => [(await messages(here)).length, (await alarms()).length]
    const age = async (days: number) => {
      here.clock.advance(days * 24 * hour)
      await here.portal.db.updateTable('outbox').set({ next_at: null, state: 'failed' }).execute()
      await pruneTold(here.portal)
    }
    await age(1)
    expect(await counts()).toEqual([2, 2])
    await age(2)
    expect(await counts()).toEqual([0, 2])
    await age(3)
    // What is open stays, however old it is.
    expect(await counts()).toEqual([0, 1])
  })
})

describe('the disk', () => {
  test('is an alarm when it is nearly full, and over when there is room again', async () => {
    const here = await startTestPortal('SQLite')
    const full = (percent: number) =>
      (async () => ({ blocks: 110, bfree: 110 - percent, bavail: 100 - percent })) as unknown as Parameters<
        typeof watchDisk
      >[1]
    const open = async () =>
      (await here.portal.db.selectFrom('notify_alarms').selectAll().where('over_at', 'is', null).execute()).map(
        (row) => fromRow(row).facts.percent,
      )
    for (const [percent, expected] of [
      [89, []],
      [91, [91]],
      [89, [91]],
      [87, []],
    ] as const) {
      await watchDisk(here.portal, full(percent))
      expect(await open()).toEqual(expected)
    }
    await here.close()
  })
})

describe('secrets of destinations', () => {
  test('and of the mail server are told by the key that seals them, until they are sealed anew or lost', async () => {
    const here = await startTestPortal('SQLite')
    const { db, now, config } = here.portal
    await webhookTo(here, 'https://hooks.example.com/x')
    const sealed = sealMailServer(here.portal, 'smtp://u:p@mail.example.com:587')
    const server = { sealed, shown: 'mail.example.com:587', from: 'Muster <muster@example.com>' }
    await write(db, (tx) => changeMailServer(tx, before, server, now()))
    const withKeys = (...dataKeys: string[]) => ({ ...config, dataKeys })
    const told = async (keys: typeof config) =>
      keyFindings(keys, await sealedRows(db, keys)).map(({ outcome, code, facts }) => [outcome, code, facts.names])
    const names = 'Desk, the mail server of Settings'
    const changed = withKeys('a-key-of-its-own-0123456789abcdef')
    expect(await told(config)).toEqual([])
    expect(await told(changed)).toEqual([['warning', 'keys-older', names]])
    expect(await told({ ...changed, sessionSecrets: [] })).toEqual([['fault', 'keys-lost', names]])
    await resealOlder({ ...here.portal, config: changed })
    expect(await told({ ...changed, sessionSecrets: [] })).toEqual([])
    expect(await told(withKeys(...changed.dataKeys, 'an-older-key-0123456789abcdefghi'))).toEqual([
      ['ok', 'keys-current', names],
    ])
    await here.close()
  })

  test('are sealed anew with the first key, so that the older one can go', async () => {
    const here = await startTestPortal('SQLite')
    const id = await webhookTo(here, 'https://hooks.example.com/x')
    const before = (await destinationNow(here, id)).sealed
    const config = { ...here.portal.config, dataKeys: ['a-key-of-its-own-0123456789abcdef'] }
    await resealOlder({ ...here.portal, config })
    const after = (await destinationNow(here, id)).sealed
    expect(after).not.toBe(before)
    await resealOlder({ ...here.portal, config })
    expect((await destinationNow(here, id)).sealed).toBe(after)
    const { openFromStore } = await import('../../server/config/data-keys.ts')
    const opened = openFromStore(
      { dataKeys: config.dataKeys, sessionSecrets: [] },
      sealingPurpose,
      sealedPlace(id),
      after,
    )
    expect(opened?.text).toContain('hooks.example.com')
    expect(sealForStore(config, sealingPurpose, sealedPlace(id), 'x')).toMatch(/^s1\./)
    await here.close()
  })
})
