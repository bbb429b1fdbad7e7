import { z } from 'zod'
import type { Message } from '../message.ts'
import { type Channel, type Outcome, post } from './channel.ts'
import type { OutboundAnswer } from './outbound.ts'

export const slackAddress = z.object({ url: z.string() })
export type SlackAddress = z.infer<typeof slackAddress>

/** https://docs.slack.dev/reference/block-kit/blocks */
const most = { header: 150, section: 3_000, field: 2_000, fields: 10, button: 75, url: 3_000, text: 4_000 }

/** A message of Block Kit, and the same as text for notifications and screen readers. */
export function slackBody({ heading, text, kind, rows, link, why }: Message): string {
  const blocks = [
    { type: 'header', text: { type: 'plain_text', text: cut(heading, most.header), emoji: false } },
    { type: 'section', text: marked(text === '' ? kind : text, most.section) },
    ...(rows.length === 0
      ? []
      : [{ type: 'section', fields: rows.slice(0, most.fields).map(({ label, value }) => field(label, value)) }]),
    ...(link === null
      ? []
      : [
          {
            type: 'actions',
            elements: [
              { type: 'button', text: { type: 'plain_text', text: cut(link.label, most.button) }, url: link.url },
            ],
          },
        ]),
    { type: 'context', elements: [marked([kind, why?.text ?? ''].filter(Boolean).join(' · '), most.section)] },
  ]
  return JSON.stringify({ text: cut(escaped(`${heading}: ${text}`), most.text), blocks })
}

const field = (label: string, value: string) => ({
  type: 'mrkdwn',
  text: cut(`*${escaped(label)}*\n${escaped(value)}`, most.field),
})

const marked = (text: string, limit: number) => ({ type: 'mrkdwn', text: cut(escaped(text), limit) })

/** The three characters that Slack reads: https://docs.slack.dev/messaging/formatting-message-text#escaping */
const escaped = (text: string) => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')

/** Whole characters, and nothing of an entity that was cut. */
function cut(text: string, limit: number): string {
  if (text.length <= limit) return text
  const letters = [...text.slice(0, limit - 1)]
  return `${letters
    .join('')
    .replace(/&[a-z]{0,3}$/, '')
    .replace(/[\ud800-\udbff]$/, '')}…`
}

/** What says that the message is at fault, and not the way there. */
const ofTheMessage = /invalid_payload|invalid_blocks|too_many_attachments|no_text|msg_too_long/

/** Every refusal of Slack's but a throttle and a fault of its own is final. */
function judge({ status, text }: OutboundAnswer): Pick<Outcome, 'verdict' | 'word'> {
  if (status >= 200 && status < 300) return { verdict: 'delivered', word: 'delivered' }
  if (status === 429) return { verdict: 'again', word: 'slow-down' }
  if (status >= 500) return { verdict: 'again', word: 'failed' }
  if (status >= 300 && status < 400) return { verdict: 'again', word: 'redirected' }
  if (status === 413) return { verdict: 'refused', word: 'too-large' }
  if (status === 400 && ofTheMessage.test(text)) return { verdict: 'refused', word: 'refused' }
  return { verdict: 'dead', word: status === 404 || status === 410 ? 'gone' : 'refused' }
}

export const slack: Channel<SlackAddress> = {
  together: 1,
  async send(portal, door, { address }, [message]) {
    if (!message) throw new Error('there is nothing to send')
    const headers = { 'content-type': 'application/json', 'user-agent': 'Muster' }
    return post(portal, door, { url: address.url, headers, body: slackBody(message) }, [], judge)
  },
}
