import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { Webhook } from 'standardwebhooks'
import { write } from '../../server/store/engine/write.ts'
import { endAlarm } from '../../server/store/notify/alarms.ts'
import { sendDue } from '../../server/worker/courier.ts'
import { customerNamed, formToken } from '../support/admin.ts'
import type { Browser, Page } from '../support/browser.ts'
import { startTestPortal, type TestPortal } from '../support/portal.ts'
import { answerStatus, type Receiver, startReceiver } from './receivers.ts'
import { destinationNow, hour, loopbackAllowed, messages, raise, secretOf, webhookTo } from './stage.ts'

const disk = { kind: 'storage-trouble', subject: 'disk', facts: { code: 'disk', percent: 91 } } as const
const blank = {
  kind: 'webhook',
  name: 'Desk',
  language: 'en',
  timeZone: 'UTC',
  kinds: ['storage-trouble', 'tenant-blind'],
  says: ['customers'],
}

describe('the pages of what people are told', () => {
  let here: TestPortal
  let alice: Browser
  let receiver: Receiver
  beforeEach(async () => {
    here = await startTestPortal('SQLite', { config: loopbackAllowed })
    alice = await here.signedIn(here.cast.alice)
    receiver = await startReceiver()
  })
  afterEach(async () => {
    await receiver.close()
    await here.close()
  })

  const form = async (page: Page, path: string, fields: Record<string, string | string[]>, who = alice) => {
    return who.post(path, { ...fields, _csrf: formToken(page) })
  }
  const bell = (page: Page) => /aria-label="Alarms, (\d+) new"/.exec(page.text)?.[1] ?? '0'

  test('list alarms by who must act, count the new ones at the bell, and say who has seen them', async () => {
    const customerId = (await customerNamed(here, 'Bergqvist')).id
    await raise(here, disk)
    await raise(here, { kind: 'consent-refused', subject: customerId, customerId })
    await raise(here, { kind: 'access-lost', subject: 't', customerId, facts: { code: 'blocked' } })
    const carol = await here.signedIn(here.cast.carol)
    const list = await carol.get('/alarms')
    expect(list.status).toBe(200)
    expect(bell(list)).toBe('3')
    const order = [
      'You must act',
      'The disk is 91 % full',
      'The customer must act',
      'Bergqvist: blocked',
      'Nobody must act',
    ]
    const places = order.map((words) => list.text.indexOf(words))
    expect(places).toEqual([...places].sort((a, b) => a - b))
    expect(places.every((place) => place > 0)).toBe(true)
    const ids = [...list.text.matchAll(/name="alarm" value="([^"]+)"/g)].map(([, id]) => id ?? '')
    expect(ids).toHaveLength(3)
    await form(list, '/alarms/sightings', { alarm: ids }, carol)
    const after = await carol.get('/alarms?state=seen')
    expect(bell(after)).toBe('0')
    expect(after.text).toContain('seen by Carol Analyst')
    expect((await carol.get('/alarms?state=new')).text).toContain('Nothing here')
    await write(here.portal.db, (tx) => endAlarm(tx, disk, here.portal.now()))
    expect((await carol.get('/alarms?state=over')).text).toContain('Disk and database are well again')
    const one = await carol.get(`/alarms/${ids[0]}`)
    expect(one.status).toBe(200)
    expect((await carol.get('/alarms/none')).status).toBe(404)
  })

  test('show a Reader everything and let nobody but an Admin near destinations', async () => {
    await raise(here, disk)
    const id = await webhookTo(here, receiver.url)
    const bob = await here.signedIn(here.cast.bob)
    const list = await bob.get('/alarms')
    expect(list.text).toContain('The disk is 91 % full')
    expect(list.text).not.toContain('name="alarm"')
    const carol = await here.signedIn(here.cast.carol)
    for (const path of ['/destinations', `/destinations/${id}`, '/destinations/new', '/deliveries']) {
      expect((await bob.get(path)).status).toBe(403)
      expect((await carol.get(path)).status).toBe(403)
    }
    for (const path of ['', '/tests', '/pause', '/removal', '/secrets', '/replays'].map(
      (act) => `/destinations/${id}${act}`,
    )) {
      expect((await form(await carol.get('/alarms'), path, {}, carol)).status).toBe(403)
    }
    expect((await form(list, '/alarms/sightings', {}, bob)).status).toBe(403)
    expect(receiver.connections()).toBe(0)
  })

  test('make a webhook whose secret is shown once, and a test that shows what came back', async () => {
    const kinds = await alice.get('/destinations/new')
    expect(kinds.text).toContain('Microsoft Teams')
    const empty = await alice.get('/destinations/new?kind=webhook')
    const made = await form(empty, '/destinations', { ...blank, url: `${receiver.url}/services/verysecret9f3c` })
    expect(made.status).toBe(303)
    const path = made.headers.location ?? ''
    const page = await alice.get(path)
    const secret = /whsec_[\w+/=]+/.exec(page.text)?.[0] ?? ''
    expect(secret).toHaveLength(50)
    expect((await alice.get(path)).text).not.toContain('whsec_')
    expect(page.text).toContain('…9f3c')
    for (const text of [page.text, (await alice.get('/destinations')).text]) expect(text).not.toContain('verysecret')
    receiver.answerWith(answerStatus(200, {}, 'thank you'))
    const tested = await alice.get((await form(page, `${path}/tests`, {})).headers.location ?? '')
    expect(tested.text).toMatch(/It arrived after \d+ ms/)
    expect(tested.text).toContain('200 thank you')
    const [received] = receiver.received
    expect(new Webhook(secret).verify(received?.body ?? '', received?.headers as Record<string, string>)).toMatchObject(
      {
        type: 'muster.test',
      },
    )
    receiver.answerWith(answerStatus(500, {}, 'broken'))
    const failed = await alice.get((await form(page, `${path}/tests`, {})).headers.location ?? '')
    expect(failed.text).toContain('It did not arrive: the other side could not take it.')
    here.clock.advance(24 * hour)
    await sendDue(here.portal)
    expect(receiver.received).toHaveLength(2)
  })

  test('change secrets over without a gap', async () => {
    const id = await webhookTo(here, receiver.url)
    const page = await alice.get(`/destinations/${id}`)
    const renewed = await alice.get((await form(page, `/destinations/${id}/secrets`, {})).headers.location ?? '')
    const secret = /whsec_[\w+/=]+/.exec(renewed.text)?.[0] ?? ''
    await raise(here, disk)
    await sendDue(here.portal)
    await form(page, `/destinations/${id}/secrets/retirement`, {})
    await raise(here, { kind: 'tenant-blind', subject: 't1' })
    await sendDue(here.portal)
    const [both, newer] = receiver.received
    const verifies = (by: string, one = both) => {
      try {
        return Boolean(new Webhook(by).verify(one?.body ?? '', one?.headers as Record<string, string>))
      } catch {
        return false
      }
    }
    expect([verifies(secret), verifies(secretOf('a'))]).toEqual([true, true])
    expect([verifies(secret, newer), verifies(secretOf('a'), newer)]).toEqual([true, false])
  })

  test.each([
    ['http://169.254.169.254/latest', 'no https:// address'],
    ['https://169.254.169.254/latest', 'leads where no destination may be'],
    ['https://10.0.0.1/', 'leads where no destination may be'],
    ['https://user:pass@example.com/', 'no https:// address'],
    ['nonsense', 'no https:// address'],
    ['', 'Give the address.'],
  ])('refuse %j and show the form again without it', async (url, words) => {
    const strict = await startTestPortal('SQLite')
    const admin = await strict.signedIn(strict.cast.alice)
    const empty = await admin.get('/destinations/new?kind=webhook')
    const refused = await form(empty, '/destinations', { ...blank, url }, admin)
    expect(refused.status).toBe(422)
    expect(refused.text).toContain(words)
    expect(refused.text).toContain('value="Desk"')
    if (url.length > 10) expect(refused.text).not.toContain(url)
    expect(await strict.portal.db.selectFrom('destinations').selectAll().execute()).toEqual([])
    await strict.close()
  })

  test('refuse connectors that ended, mailboxes that are none, and quiet hours that are none', async () => {
    const post = async (kind: string, more: Record<string, string | string[]>) =>
      form(await alice.get(`/destinations/new?kind=${kind}`), '/destinations', { ...blank, kind, ...more })
    const connector = await post('teams', { url: 'https://x.webhook.office.com/webhookb2/a@b/IncomingWebhook/c/d' })
    expect(connector.text).toContain('Microsoft has switched those off')
    expect((await post('mail', { recipients: 'nobody' })).text).toContain('Give one to 20 mail addresses')
    expect((await post('mail', { recipients: 'a@b.example\r\nBcc: c@d.example' })).status).toBe(422)
    const quiet = await post('mail', { recipients: 'a@b.example', quietFrom: '22:00', quietTo: '25:00' })
    expect(quiet.text).toContain('Write both as hours and minutes')
    expect((await post('mail', { recipients: 'a@b.example', customers: 'unknown' })).status).toBe(422)
    expect((await post('mail', { recipients: 'a@b.example', surprise: '1' })).status).toBe(400)
    expect(await here.portal.db.selectFrom('destinations').selectAll().execute()).toEqual([])
  })

  test('keep what was chosen, and an address that was left empty', async () => {
    const customerId = (await customerNamed(here, 'Bergqvist', { groups: ['Nordics'] })).id
    const fields = {
      ...blank,
      url: receiver.url,
      customers: customerId,
      groups: 'Nordics',
      quietFrom: '22:00',
      quietTo: '06:00',
      days: ['1', '5'],
      timeZone: 'Asia/Taipei',
      language: 'zh-Hant',
    }
    const made = await form(await alice.get('/destinations/new?kind=webhook'), '/destinations', fields)
    const path = made.headers.location ?? ''
    const id = path.split('/').at(-1) ?? ''
    const before = await destinationNow(here, id)
    expect(before).toMatchObject({
      quiet: { from: '22:00', to: '06:00', days: [1, 5] },
      customers: [customerId],
      groups: ['Nordics'],
      kinds: ['tenant-blind', 'storage-trouble'].sort(),
      language: 'zh-Hant',
      timeZone: 'Asia/Taipei',
    })
    const page = await alice.get(path)
    const changed = await form(page, path, { ...fields, url: '', name: 'Desk, renamed', says: [] })
    expect(changed.status).toBe(303)
    const after = await destinationNow(here, id)
    expect(after).toMatchObject({ name: 'Desk, renamed', sealed: before.sealed, says: { customers: false } })
  })

  test('pause, resume and remove a destination, with what waits for it', async () => {
    const id = await webhookTo(here, receiver.url)
    const page = await alice.get(`/destinations/${id}`)
    await form(page, `/destinations/${id}/pause`, {})
    await raise(here, disk)
    await sendDue(here.portal)
    expect(await messages(here)).toEqual([])
    await form(page, `/destinations/${id}/resumption`, {})
    await raise(here, { kind: 'tenant-blind', subject: 't1' })
    await sendDue(here.portal)
    expect(receiver.received).toHaveLength(1)
    await form(page, `/destinations/${id}/removal`, {})
    expect((await alice.get(`/destinations/${id}`)).status).toBe(404)
    expect(await messages(here)).toEqual([])
    const audit = (await alice.get('/audit')).text
    for (const words of ['paused the destination', 'resumed the destination', 'removed the destination']) {
      expect(audit).toContain(words)
    }
  })

  test('log each message with what came back, and send it again', async () => {
    const id = await webhookTo(here, receiver.url, { name: 'Broken' })
    receiver.answerWith(answerStatus(410, {}, 'no such hook'))
    await raise(here, disk)
    await sendDue(here.portal)
    const log = await alice.get(`/deliveries?destination=${id}`)
    expect(log.text).toContain('The disk is 91 % full')
    expect(log.text).toContain('the other side says that it is gone')
    expect(log.text).toContain('no such hook')
    expect((await alice.get('/destinations')).text).toContain('“Broken” is switched off.')
    receiver.answerWith(answerStatus(204))
    await form(log, `/destinations/${id}/resumption`, {})
    await form(log, `/destinations/${id}/replays`, {})
    await sendDue(here.portal)
    const [message] = await messages(here)
    expect(message).toMatchObject({ state: 'delivered' })
    const replay = () => form(log, `/deliveries/${message?.id}/replays`, {})
    expect((await replay()).status).toBe(303)
    expect((await replay()).status).toBe(409)
    expect((await form(log, '/deliveries/none/replays', {})).status).toBe(404)
    await sendDue(here.portal)
    expect(receiver.received).toHaveLength(3)
    expect(new Set(receiver.received.map(({ headers }) => headers['webhook-id'])).size).toBe(1)
    expect((await alice.get('/deliveries?state=delivered')).text).toContain(message?.id ?? 'none')
    expect((await alice.get('/deliveries?before=nonsense')).status).toBe(200)
  })

  test('page through the log', async () => {
    await webhookTo(here, receiver.url)
    for (let i = 0; i < 60; i++) {
      await raise(here, { kind: 'tenant-blind', subject: `t${i}` })
      here.clock.advance(1_000)
      await sendDue(here.portal)
    }
    const first = await alice.get('/deliveries')
    const next = /rel="next" href="([^"]+)"/.exec(first.text)?.[1]?.replaceAll('&amp;', '&') ?? ''
    const second = await alice.get(next)
    const ids = (page: Page) => [...page.text.matchAll(/msg_[\w-]{20}(?=<)/g)].map(([id]) => id)
    expect(ids(first)).toHaveLength(50)
    expect(new Set([...ids(first), ...ids(second)]).size).toBe(60)
    expect(second.text).not.toContain('rel="next"')
  })

  test('keep a mail server sealed, and never show it again', async () => {
    const page = await alice.get('/destinations')
    const save = (fields: Record<string, string>) => form(page, '/destinations/mail-server', fields)
    expect((await save({ url: 'https://mail', from: 'a@b.example' })).status).toBe(422)
    const secret = 'smtp://user:topsecret99@mail.example.com:2525'
    expect((await save({ url: secret, from: 'nobody' })).text).not.toContain('topsecret99')
    expect((await save({ url: secret, from: 'Muster <muster@b.example>' })).status).toBe(303)
    const kept = JSON.stringify(await here.portal.db.selectFrom('settings').selectAll().execute())
    const after = (await alice.get('/destinations')).text
    for (const text of [kept, after]) {
      expect(text).toContain('mail.example.com:2525')
      expect(text).not.toContain('topsecret99')
    }
    const { findMailServer } = await import('../../server/notify/mail-server.ts')
    expect(await findMailServer(here.portal)).toMatchObject({ host: 'mail.example.com', password: 'topsecret99' })
    await save({ url: '', from: 'Other <other@b.example>' })
    expect(await findMailServer(here.portal)).toMatchObject({
      password: 'topsecret99',
      from: 'Other <other@b.example>',
    })
    await save({ url: '', from: '' })
    expect(await findMailServer(here.portal)).toBeNull()
    const settings = { dampingMinutes: '3', messageDays: '7', alarmDays: '0' }
    expect((await form(page, '/destinations/settings', settings)).status).toBe(422)
    expect((await form(page, '/destinations/settings', { ...settings, alarmDays: '30' })).status).toBe(303)
  })
})
