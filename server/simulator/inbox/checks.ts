import { createHmac, timingSafeEqual } from 'node:crypto'
import type { IncomingHttpHeaders } from 'node:http'

export const postKinds = ['webhook', 'teams', 'slack', 'siem'] as const
export type PostKind = (typeof postKinds)[number]

/** Something that the other side looks at, and whether it holds. */
export interface Check {
  what: string
  holds: boolean
}

/** What the destinations have to show, as they are set up. */
export interface Secrets {
  webhook: readonly string[]
  authorization: string | null
}

type Json = Record<string, unknown>
type Looking = { headers: IncomingHttpHeaders; body: string; secrets: Secrets; now: Date }

const checks: Record<PostKind, (looking: Looking) => Check[]> = {
  webhook: webhookChecks,
  teams: teamsChecks,
  slack: slackChecks,
  siem: siemChecks,
}

/** What each of the receivers would look at. */
export const checksOf = (
  kind: PostKind,
  headers: IncomingHttpHeaders,
  body: string,
  secrets: Secrets,
  now: Date,
): Check[] => checks[kind]({ headers, body, secrets, now })

const toleratedSeconds = 300

/** https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md */
function webhookChecks({ headers, body, secrets, now }: Looking): Check[] {
  const id = String(headers['webhook-id'] ?? '')
  const timestamp = String(headers['webhook-timestamp'] ?? '')
  const given = String(headers['webhook-signature'] ?? '').split(' ')
  const isSigned = secrets.webhook.some((secret) => {
    const key = Buffer.from(secret.replace(/^whsec_/, ''), 'base64')
    const expected = `v1,${createHmac('sha256', key).update(`${id}.${timestamp}.${body}`).digest('base64')}`
    return given.some((signature) => isSame(signature, expected))
  })
  const event = objectIn(body)
  return [
    { what: 'Signed with the secret of the destination', holds: isSigned },
    { what: 'Sent within five minutes', holds: Math.abs(now.getTime() / 1000 - Number(timestamp)) < toleratedSeconds },
    { what: 'An ID without a full stop', holds: id !== '' && !id.includes('.') },
    {
      what: 'type, timestamp and data, and nothing else',
      holds: Object.keys(event).join() === 'type,timestamp,data' && /^[\w]+(\.\w+)+$/.test(String(event.type)),
    },
  ]
}

function isSame(one: string, other: string): boolean {
  const [a, b] = [Buffer.from(one), Buffer.from(other)]
  return a.length === b.length && timingSafeEqual(a, b)
}

/** https://learn.microsoft.com/connectors/teams/#known-issues-and-limitations */
function teamsChecks({ body }: Looking): Check[] {
  const message = objectIn(body)
  const [attachment] = listIn(message.attachments)
  const card = recordOf(attachment?.content)
  const actions = listIn(card.actions)
  return [
    { what: 'Within 28 kB', holds: Buffer.byteLength(body) <= 28 * 1024 },
    {
      what: 'One Adaptive Card in a message',
      holds: message.type === 'message' && attachment?.contentType === 'application/vnd.microsoft.card.adaptive',
    },
    { what: 'Of version 1.4 or older', holds: /^1\.[0-4]$/.test(String(card.version)) },
    { what: 'Buttons open addresses alone', holds: actions.every(({ type }) => type === 'Action.OpenUrl') },
  ]
}

/** https://docs.slack.dev/reference/block-kit/blocks */
function slackChecks({ body }: Looking): Check[] {
  const message = objectIn(body)
  const blocks = listIn(message.blocks)
  const texts = blocks.flatMap((block) => [recordOf(block.text), ...listIn(block.fields), ...listIn(block.elements)])
  const within = (type: string, most: number) =>
    blocks
      .filter((block) => block.type === type)
      .every((block) => String(recordOf(block.text).text ?? '').length <= most)
  return [
    { what: 'Text beside the blocks', holds: typeof message.text === 'string' && message.text !== '' },
    { what: 'At most 50 blocks', holds: blocks.length > 0 && blocks.length <= 50 },
    {
      what: 'Headers within 150 characters, sections within 3,000',
      holds: within('header', 150) && within('section', 3_000),
    },
    {
      what: 'Fields within 2,000 characters',
      holds: texts.every(({ text }) => typeof text !== 'string' || text.length <= 3_000),
    },
  ]
}

function siemChecks({ headers, body, secrets }: Looking): Check[] {
  const lines = body.split('\n').filter((line) => line !== '')
  const events = lines.map(objectIn)
  return [
    {
      what: 'Authorization as the destination has it',
      holds: headers.authorization === (secrets.authorization ?? undefined),
    },
    { what: 'application/x-ndjson', holds: headers['content-type'] === 'application/x-ndjson' },
    {
      what: `${lines.length === 1 ? 'One line, a JSON object' : `${lines.length} lines, each a JSON object`} with a time, an ID and a type`,
      holds: events.every(({ time, id, type }) => [time, id, type].every((one) => typeof one === 'string')),
    },
  ]
}

/** An object in a JSON text; empty for anything else. */
export function objectIn(text: string): Json {
  try {
    return recordOf(JSON.parse(text))
  } catch {
    return {}
  }
}

const recordOf = (value: unknown): Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Json) : {}

const listIn = (value: unknown): Json[] => (Array.isArray(value) ? value.map(recordOf) : [])
