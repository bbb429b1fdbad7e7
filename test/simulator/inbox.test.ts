import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { parseMailServer } from '../../server/config/mail-server.ts'
import { leadToInbox, secretsNow, setUpDestinations } from '../../server/demo/destinations.ts'
import { type MailBox, startMailBox } from '../../server/demo/mail-box.ts'
import type { Portal } from '../../server/portal.ts'
import { Inbox } from '../../server/simulator/inbox/inbox.ts'
import { type Simulator, startSimulator } from '../../server/simulator/simulator.ts'
import { sendDue } from '../../server/worker/courier.ts'
import { loopbackAllowed, messages, raise } from '../notify/stage.ts'
import { startTestPortal, type TestPortal } from '../support/portal.ts'

let here: TestPortal
let portal: Portal
let simulator: Simulator
let mailBox: MailBox
const inbox = new Inbox()

beforeAll(async () => {
  here = await startTestPortal('SQLite', { config: loopbackAllowed })
  simulator = await startSimulator({ registrations: [], inbox })
  mailBox = await startMailBox(inbox)
  const smtp = parseMailServer(`smtp://127.0.0.1:${mailBox.port}`, 'Muster <muster@halvard.example>')
  portal = { ...here.portal, config: { ...here.portal.config, smtp } }
  await setUpDestinations(portal, 'http://127.0.0.1:1')
  await leadToInbox(portal, simulator.origin)
  inbox.verifyWith(() => secretsNow(portal))
  await raise(here, { kind: 'partner-fault', subject: 'x', facts: { code: 'partner-credential', aadsts: 7000222 } })
  await sendDue(portal)
})
afterAll(async () => {
  await mailBox.close()
  await simulator.close()
  await here.close()
})

const page = async (path: string) => {
  const answer = await fetch(`${simulator.origin}${path}`)
  return { status: answer.status, text: await answer.text(), policy: answer.headers.get('content-security-policy') }
}
const post = (kind: string, body: string, headers: Record<string, string> = {}) =>
  fetch(`${simulator.origin}/_sim/receive/${kind}`, { method: 'POST', body, headers })
/** What the newest post of a kind does not live up to. */
const faultsOf = (kind: string) => {
  const [newest] = inbox.list(kind)
  if (!newest || newest.kind === 'mail') throw new Error(`no ${kind} came`)
  return newest.checks.filter(({ holds }) => !holds).map(({ what }) => what)
}

test('one destination of each kind is told, and everything that its other side looks at holds', async () => {
  const tried = await messages(here)
  expect(tried.filter(({ state }) => !['delivered', 'handed-over'].includes(state))).toEqual([])
  const kinds = inbox.list(null).map(({ kind }) => kind)
  expect([...new Set(kinds)].sort()).toEqual(['mail', 'siem', 'slack', 'teams', 'webhook'])
  for (const kind of ['webhook', 'teams', 'slack', 'siem']) expect([kind, faultsOf(kind)]).toEqual([kind, []])
  const subjects = inbox.list('mail').flatMap((item) => (item.kind === 'mail' ? [item.subject] : []))
  expect(subjects).toHaveLength(3)
  expect(subjects).toContain('Our own credential is refused by Microsoft')
  expect(subjects).toContain('Microsoft 拒絕我方的認證')
})

test('the pages show them all, one kind, and one whole; none is set up twice', async () => {
  await setUpDestinations(portal, simulator.origin)
  const all = await page('/_sim/inbox')
  expect(all.text.match(/class="tenant"/g)).toHaveLength(inbox.list(null).length)
  const mails = await page('/_sim/inbox?kind=mail')
  expect(mails.text.match(/class="tenant"/g)).toHaveLength(3)
  const item = inbox.list('mail').find((one) => one.kind === 'mail' && one.to === 'soc@halvard.example')
  const whole = await page(`/_sim/inbox/${item?.id}`)
  expect(whole.text).toContain('soc@halvard.example')
  expect(whole.text).toContain('Auto-Submitted')
  expect(whole.text).toMatch(/<iframe[^>]* sandbox src=/)
  expect(whole.policy).toContain("frame-src 'self'")
  expect((await page('/_sim/inbox/4711')).status).toBe(404)
})

test('a mail’s HTML is of no origin, runs nothing and fetches nothing', async () => {
  const [item] = inbox.list('mail')
  const frame = await page(`/_sim/inbox/${item?.id}/html`)
  expect(frame.text).toMatch(/^<!doctype html>/i)
  expect(frame.policy).toBe("sandbox; default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'self'")
  const posted = inbox.list('slack')[0]
  expect((await page(`/_sim/inbox/${posted?.id}/html`)).status).toBe(404)
})

test('what the other side would refuse is shown as that, and as text alone', async () => {
  await post('webhook', '{"type":"a.b","timestamp":"x","data":{}}', { 'webhook-id': 'a.b', 'webhook-timestamp': '1' })
  expect(faultsOf('webhook')).toEqual([
    'Signed with the secret of the destination',
    'Sent within five minutes',
    'An ID without a full stop',
  ])
  await post('teams', '<script>alert(1)</script>')
  expect(faultsOf('teams')).toContain('One Adaptive Card in a message')
  await post('slack', '[1')
  expect(faultsOf('slack')).toContain('Text beside the blocks')
  await post('siem', '{}\nno json', { authorization: 'Splunk another' })
  expect(faultsOf('siem')).toHaveLength(3)
  const id = inbox.list('teams')[0]?.id
  expect((await page(`/_sim/inbox/${id}`)).text).not.toContain('<script>')
  expect((await page('/_sim/inbox')).text).not.toContain('Splunk another')
  expect((await post('webhook', 'x'.repeat(1_000_001))).status).toBe(413)
})

test('the oldest go when there are more than 500', async () => {
  for (let n = 0; n < 520; n++) {
    inbox.addMail({ subject: `n ${n}`, from: '', to: '', text: '', html: '', headers: [] })
  }
  expect(inbox.list(null)).toHaveLength(500)
  expect(inbox.list(null)[0]).toMatchObject({ subject: 'n 519' })
})
