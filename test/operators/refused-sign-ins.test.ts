import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { type AuditEvent, listAudit } from '../../server/store/audit.ts'
import { connectDatabase } from '../../server/store/engine/database.ts'
import { write } from '../../server/store/engine/write.ts'
import { recordRefusedSignIn } from '../../server/store/operators/refused-sign-ins.ts'
import type { Browser } from '../support/browser.ts'
import { onEachEngine, signIn, startTestPortal, type TestPortal } from '../support/portal.ts'

const hour = 60 * 60_000

onEachEngine('refused sign-ins', (engine) => {
  let here: TestPortal
  beforeAll(async () => {
    here = await startTestPortal(engine, { config: { trustProxy: ['loopback'] } })
    // At the beginning of an hour: a test does not run into the next one.
    here.clock.advance(hour - (here.clock.now().getTime() % hour))
  })
  afterAll(() => here.close())

  const events = async (): Promise<AuditEvent[]> =>
    (await listAudit(here.portal.db, { limit: 1_000 })).filter(({ action }) => action === 'operator.sign-in-refused')

  /** What anybody can do without an account: begins a sign-in and comes back with a refusal. */
  async function refuse(browser: Browser, address: string): Promise<void> {
    const from = { 'X-Forwarded-For': address }
    const start = await browser.get('/sign-in', from)
    const csrf = /name="_csrf" value="([^"]+)"/.exec(start.text)?.[1] ?? ''
    const left = await browser.post('/auth/login', { _csrf: csrf }, from)
    const state = new URL(left.location ?? '').searchParams.get('state')
    await browser.get(`/auth/callback?error=access_denied&state=${state}`, from)
  }

  test('of one address are one event an hour, which says how many there were', async () => {
    const browser = here.browser()
    for (let n = 0; n < 30; n++) await refuse(browser, '203.0.113.7')
    expect(await events()).toMatchObject([{ address: '203.0.113.7' }])
    const admin = await here.signedIn(here.cast.alice)
    expect((await admin.open('/audit')).text).toContain('30 times within the hour')
    here.clock.advance(hour)
    await refuse(browser, '203.0.113.7')
    expect(await events()).toHaveLength(2)
  })

  test('of one IPv6 network are one event, whatever addresses it has', async () => {
    const before = (await events()).length
    for (let n = 1; n <= 5; n++) await refuse(here.browser(), `2001:db8:7:7::${n}`)
    expect((await events()).length - before).toBe(1)
  })

  test('of an operator do not hide behind those of the address she comes from', async () => {
    const before = (await events()).length
    await refuse(here.browser(), '127.0.0.1')
    await signIn(here.browser(), here.cast.mallory)
    await signIn(here.browser(), here.cast.mallory)
    const [latest, ...rest] = await events()
    expect(rest.length + 1 - before).toBe(2)
    expect(latest).toMatchObject({ actorName: 'Mallory Nobody', facts: { reason: 'no-role' } })
  })

  test('of more than a hundred addresses in one hour share one event', async () => {
    here.clock.advance(hour)
    const before = (await events()).length
    const actor = { kind: 'customer', id: null, name: null, requestId: null } as const
    for (let n = 0; n < 150; n++) {
      const address = `198.51.100.${n}`
      const refusal = { who: address, at: here.clock.now(), facts: { reason: 'refused' } }
      await write(here.portal.db, (tx) => recordRefusedSignIn(tx, { ...actor, address }, refusal))
    }
    const browser = here.browser()
    for (let n = 0; n < 5; n++) await refuse(browser, `192.0.2.${n}`)
    expect((await events()).length - before).toBe(101)
    const admin = await here.signedIn(here.cast.alice)
    const page = await admin.open('/audit')
    expect(page.text).toContain('Everybody beyond a hundred addresses in one hour')
    expect(page.text).toContain('55 times within the hour')
  })

  test('at the same moment, in many transactions, are one event all the same', async () => {
    const before = (await events()).length
    const actor = { kind: 'customer', id: null, name: null, address: '203.0.113.99', requestId: null } as const
    const refusal = { who: 'at once', at: new Date(here.clock.now().getTime() + 2 * hour), facts: {} }
    await Promise.all(
      Array.from({ length: 20 }, () => write(here.portal.db, (tx) => recordRefusedSignIn(tx, actor, refusal))),
    )
    expect((await events()).length - before).toBe(1)
    const row = here.portal.db.selectFrom('refused_sign_ins').select('times').where('who', '=', 'at once')
    expect(await row.executeTakeFirst()).toEqual({ times: 20 })
  })

  test('of many addresses at the same moment, in two processes, keep to the same bound', async () => {
    const before = (await events()).length
    const other = connectDatabase({ ...here.portal.config, log: here.portal.log })
    const at = new Date(here.clock.now().getTime() + 4 * hour)
    const actor = { kind: 'customer', id: null, name: null, requestId: null } as const
    const refuseFrom = (n: number) => {
      const address = `198.18.${n >> 8}.${n & 255}`
      const refusal = { who: address, at, facts: {} }
      return write(n % 2 ? other : here.portal.db, (tx) => recordRefusedSignIn(tx, { ...actor, address }, refusal))
    }
    // Each address twice, so that some of them meet themselves.
    await Promise.all(Array.from({ length: 400 }, (_, n) => refuseFrom(n >> 1)))
    await other.destroy()
    expect((await events()).length - before).toBe(101)
    const hourOf = at.toISOString().slice(0, 13)
    const rows = await here.portal.db.selectFrom('refused_sign_ins').selectAll().where('hour', '=', hourOf).execute()
    const counted = rows.filter(({ who }) => who !== '#').reduce((sum, { times }) => sum + times, 0)
    expect(counted).toBe(400)
    expect(rows).toHaveLength(102)
  })
})
