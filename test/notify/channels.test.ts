import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { Webhook } from 'standardwebhooks'
import { shownAddress, shownAnswer } from '../../server/notify/channels/channel.ts'
import { siemLine } from '../../server/notify/channels/siem.ts'
import { slackBody } from '../../server/notify/channels/slack.ts'
import { isRetiredConnector, teamsBody } from '../../server/notify/channels/teams.ts'
import { newWebhookSecret, signedHeaders } from '../../server/notify/channels/webhook.ts'
import type { Message } from '../../server/notify/message.ts'
import { write } from '../../server/store/engine/write.ts'
import { sendDue } from '../../server/worker/courier.ts'
import { customerNamed } from '../support/admin.ts'
import { startTestPortal, type TestPortal } from '../support/portal.ts'
import { type Answering, answerStatus, type Receiver, startReceiver } from './receivers.ts'
import { destination, destinationNow, loopbackAllowed, messages, raise, secretOf } from './stage.ts'

const message = (more: Partial<Message> = {}): Message => ({
  id: 'msg_1',
  type: 'alarm.access_lost.raised',
  at: '2026-11-20T01:10:00.000Z',
  language: 'en',
  kind: 'Access lost',
  tone: 'bad',
  heading: 'Fish & <Chips>: the consent was taken back',
  text: 'Somebody there removed the app.',
  rows: [{ label: 'Must act', value: 'Their *administrator*' }],
  link: { label: 'Open in Muster', url: 'https://muster.example.com/alarms/a1' },
  why: { text: 'Sent to “Desk”.', url: 'https://muster.example.com/destinations/d1' },
  thread: 'a1',
  data: { alarm: { id: 'a1' } },
  ...more,
})

/** Made by the package standardwebhooks 1.1.1, and the same for every version of Muster. */
const vectors: [secret: string, id: string, seconds: number, body: string, signature: string][] = [
  [
    'whsec_YWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWE=',
    'msg_2KWPBgLlAfxdpx2AI54pPJ85f4W',
    1732089600,
    '{"type":"muster.test","timestamp":"2024-11-20T08:00:00.000Z","data":{"test":true}}',
    'v1,RikCLygXXjhouFClp9Zc89Y5WSQMI0hL+cMJ2+p6Cdg=',
  ],
  ['whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3', 'msg_2', 1, '', 'v1,QRMwqGNgemH9CBxKcXHbNY+XZYY7Z/HiN/FcJ/R3/QE='],
  [
    `whsec_${Buffer.alloc(64, 255).toString('base64')}`,
    'msg_3',
    4102444800,
    '{"name":"晶瀚精密光學 & Åkeri"}',
    'v1,UU1ICEeBRZPsoYqlrHfq0+rr0uR9Kvs0UZKTjD4gX+c=',
  ],
]

describe('a signed webhook', () => {
  test.each(vectors)('signs by %s as everybody does', (secret, id, seconds, body, signature) => {
    const headers = signedHeaders([secret], id, new Date(seconds * 1000 + 999), body)
    expect(headers).toEqual({
      'webhook-id': id,
      'webhook-timestamp': String(seconds),
      'webhook-signature': signature,
    })
  })

  test('is signed with both secrets while they are changed over, and verifies with either', () => {
    const [older, newer] = [newWebhookSecret(), newWebhookSecret()]
    const body = '{"type":"muster.test"}'
    const headers = signedHeaders([newer, older], 'msg_1', new Date(), body)
    for (const secret of [older, newer]) expect(new Webhook(secret).verify(body, headers)).toBeTruthy()
    expect(() => new Webhook(newWebhookSecret()).verify(body, headers)).toThrow()
    expect(() => new Webhook(older).verify(`${body} `, headers)).toThrow()
    expect(Buffer.from(newer.slice(6), 'base64')).toHaveLength(32)
  })
})

describe('a message to Slack', () => {
  interface Block {
    type: string
    text?: { text: string }
    fields?: { text: string }[]
    elements?: { text: string | { text: string }; url?: string }[]
  }
  const read = (more: Partial<Message> = {}) =>
    JSON.parse(slackBody(message(more))) as { text: string; blocks: Block[] }

  test('says in words what its blocks say, and escapes what Slack reads', () => {
    const { text, blocks } = read()
    expect(text).toBe('Fish &amp; &lt;Chips&gt;: the consent was taken back: Somebody there removed the app.')
    expect(blocks.map(({ type }) => type)).toEqual(['header', 'section', 'section', 'actions', 'context'])
    expect(blocks[0]?.text?.text).toBe('Fish & <Chips>: the consent was taken back')
    expect(blocks[3]?.elements?.[0]?.url).toBe('https://muster.example.com/alarms/a1')
  })

  test('keeps within the limits of its blocks, whatever is in it', () => {
    const long = '晶<&>'.repeat(2_000)
    const { text, blocks } = read({
      heading: long,
      text: long,
      kind: long,
      rows: Array.from({ length: 30 }, () => ({ label: long, value: long })),
    })
    expect(text.length).toBeLessThanOrEqual(4_000)
    expect(blocks.length).toBeLessThanOrEqual(50)
    for (const block of blocks) {
      expect(block.text?.text.length ?? 0).toBeLessThanOrEqual(block.type === 'header' ? 150 : 3_000)
      expect(block.fields?.length ?? 0).toBeLessThanOrEqual(10)
      for (const field of block.fields ?? []) expect(field.text.length).toBeLessThanOrEqual(2_000)
      // No entity is cut in two.
      if (block.type === 'section') expect(block.text?.text ?? '').not.toMatch(/&[a-z]{0,3}…$/)
    }
  })
})

describe('a message to Teams', () => {
  const read = (more: Partial<Message> = {}) => JSON.parse(teamsBody(message(more)))

  test('is an Adaptive Card of the version that Teams draws, with nothing that acts but a link', () => {
    const card = read()
    expect(card).toMatchObject({
      type: 'message',
      attachments: [
        {
          contentType: 'application/vnd.microsoft.card.adaptive',
          contentUrl: null,
          content: { type: 'AdaptiveCard', version: '1.4', actions: [{ type: 'Action.OpenUrl' }] },
        },
      ],
    })
    expect(card.attachments[0].content.body[1]).toMatchObject({ color: 'attention', wrap: true })
    expect(JSON.stringify(card)).toContain('Their \\\\*administrator\\\\*')
  })

  test('keeps within what Microsoft takes, whatever is in it', () => {
    const long = '晶瀚'.repeat(20_000)
    for (const more of [{ heading: long }, { text: long }, { rows: [{ label: 'x', value: long }] }]) {
      expect(Buffer.byteLength(teamsBody(message(more)))).toBeLessThan(28 * 1024)
      expect(() => read(more)).not.toThrow()
    }
  })

  test.each([
    ['https://halvard.webhook.office.com/webhookb2/a@b/IncomingWebhook/c/d', true],
    ['https://outlook.office.com/webhook/a@b/IncomingWebhook/c/d', true],
    ['https://prod-12.westeurope.logic.azure.com:443/workflows/a/triggers/manual/paths/invoke?sig=b', false],
    ['https://1f.07.environment.api.powerplatform.com:443/powerautomate/automations/direct/workflows/a?sig=b', false],
  ])('cannot go to a connector that ended: %s', (url, retired) => {
    expect(isRetiredConnector(new URL(url))).toBe(retired)
  })
})

describe('what is shown of a destination', () => {
  test('is the host of its address and the last four characters', () => {
    expect(shownAddress('https://hooks.slack.com/services/T0/B0/abcdefgh9f3c')).toBe('hooks.slack.com …9f3c')
    expect(shownAddress('https://x.example.com/a?sig=zzzz7b2e')).toBe('x.example.com …7b2e')
    expect(shownAddress('https://x.example.com/hook')).toBe('x.example.com')
  })

  test('of an answer is one short line without the secrets', () => {
    expect(shownAnswer('no\r\n\u0000such  token-12345 here', ['token-12345'])).toBe('no such … here')
    expect(shownAnswer('x'.repeat(5_000), [])).toHaveLength(200)
    expect(shownAnswer(' \n', [])).toBeNull()
  })
})

describe('a line for a SIEM', () => {
  test('is one line, with time, type and what happened', () => {
    const line = siemLine(message({ heading: 'two\nlines' }))
    expect(line).not.toContain('\n')
    expect(JSON.parse(line)).toMatchObject({ time: '2026-11-20T01:10:00.000Z', type: 'alarm.access_lost.raised' })
  })
})

describe('what comes back', () => {
  let here: TestPortal
  let receiver: Receiver
  beforeEach(async () => {
    here = await startTestPortal('SQLite', { config: loopbackAllowed })
    receiver = await startReceiver()
  })
  afterEach(async () => {
    await receiver.close()
    await here.close()
  })
  const blind = { kind: 'tenant-blind', subject: 't1' } as const

  const said = (status: number, text = ''): [number, Answering] => [status, answerStatus(status, {}, text)]
  test.each([
    ['teams', ...said(202), 'handed-over', null],
    ['teams', ...said(413), 'failed', null],
    ['teams', ...said(429), 'waiting', null],
    ['teams', ...said(502), 'waiting', null],
    ['teams', ...said(404), 'held', 'gone'],
    ['teams', ...said(401), 'held', 'refused'],
    ['slack', ...said(200, 'ok'), 'delivered', null],
    ['slack', ...said(400, 'invalid_payload'), 'failed', null],
    ['slack', ...said(403, 'action_prohibited'), 'held', 'refused'],
    ['slack', ...said(404, 'no_service'), 'held', 'gone'],
    ['slack', ...said(410, 'channel_is_archived'), 'held', 'gone'],
    ['slack', ...said(500, 'rollup_error'), 'waiting', null],
    ['siem', ...said(200), 'delivered', null],
    ['siem', ...said(503), 'waiting', null],
  ] as const)('of %s with %i decides over message and destination', async (kind, status, answer, state, off) => {
    const address = { url: receiver.url, ...(kind === 'siem' ? { authorization: 'Splunk token-12345' } : {}) }
    const id = await destination(here, kind, address)
    receiver.answerWith(answer)
    await raise(here, blind)
    await sendDue(here.portal)
    const [sent] = await messages(here, id)
    // Whoever refuses for good ends the message that met it; what comes after is held.
    expect(sent).toMatchObject({ state: state === 'held' ? 'failed' : state, tries: [{ status }] })
    expect((await destinationNow(here, id)).offReason).toBe(off)
    if (state !== 'held') return
    await raise(here, { kind: 'storage-trouble', subject: 'disk', facts: { code: 'disk', percent: 99 } })
    await sendDue(here.portal)
    expect(receiver.received).toHaveLength(1)
    expect((await messages(here, id)).at(-1)).toMatchObject({ state: 'held' })
  })

  test('to a SIEM are audit and alarms, many in one piece, with the header it asks for', async () => {
    const id = await destination(
      here,
      'siem',
      { url: receiver.url, authorization: 'Splunk token-12345' },
      { audit: true, says: { customers: true, people: false, devices: false } },
    )
    for (let i = 0; i < 30; i++) await customerNamed(here, `Customer ${i}`)
    await raise(here, blind)
    await sendDue(here.portal)
    expect(receiver.received.length).toBeLessThanOrEqual(2)
    const lines = receiver.received.flatMap(({ body }) =>
      body
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line)),
    )
    expect(lines.filter(({ type }) => type === 'audit.customer.created')).toHaveLength(30)
    expect(lines.filter(({ type }) => type === 'alarm.tenant_blind.raised')).toHaveLength(1)
    expect(receiver.received[0]?.headers).toMatchObject({
      authorization: 'Splunk token-12345',
      'content-type': 'application/x-ndjson',
    })
    const bodies = receiver.received.map(({ body }) => body).join()
    expect(bodies).toContain('Customer 7')
    expect(bodies).not.toContain('Ines Lindqvist')
    expect((await messages(here, id)).every(({ state }) => state === 'delivered')).toBe(true)
  })

  test('is no word to a SIEM of what was taken back', async () => {
    const id = await destination(here, 'siem', { url: receiver.url, authorization: null }, { audit: true })
    const written = (await messages(here, id)).length
    const { addMessages } = await import('../../server/store/notify/outbox.ts')
    const failed = write(here.portal.db, async (tx) => {
      await addMessages(
        tx,
        [{ destinationId: id, topic: 'test', subjectId: 'x', change: 'sent', dueAt: here.portal.now() }],
        here.portal.now(),
      )
      throw new Error('no')
    })
    await expect(failed).rejects.toThrow('no')
    expect(await messages(here, id)).toHaveLength(written)
  })

  test('is signed by both secrets of a webhook', async () => {
    await destination(here, 'webhook', { url: receiver.url, secrets: [secretOf('b'), secretOf('a')] })
    await raise(here, blind)
    await sendDue(here.portal)
    const [received] = receiver.received
    for (const letter of ['a', 'b']) {
      const verified = new Webhook(secretOf(letter)).verify(
        received?.body ?? '',
        received?.headers as Record<string, string>,
      )
      expect(verified).toMatchObject({ type: 'alarm.tenant_blind.raised' })
    }
  })
})
