import { z } from 'zod'
import type { Message } from '../message.ts'
import { type Channel, type Outcome, post } from './channel.ts'
import type { OutboundAnswer } from './outbound.ts'

export const teamsAddress = z.object({ url: z.string() })
export type TeamsAddress = z.infer<typeof teamsAddress>

/** Connectors of Office 365 ended in 2026; a workflow has taken their place. */
export const isRetiredConnector = (url: URL): boolean =>
  /(^|\.)webhook\.office\.com$/i.test(url.hostname) ||
  (/(^|\.)office(365)?\.com$/i.test(url.hostname) && /webhook/i.test(url.pathname))

/** Microsoft takes 28 kB, with all that belongs to it; a card that is longer is cut to its heading. */
const mostBytes = 21 * 1024

const colours: Record<Message['tone'], string> = { bad: 'attention', notice: 'warning', good: 'good' }

/**
 * The message that a workflow with the trigger "When a Teams webhook request is received" posts as an Adaptive Card.
 * https://learn.microsoft.com/microsoftteams/platform/webhooks-and-connectors/how-to/add-incoming-webhook
 */
export function teamsBody(message: Message): string {
  const whole = JSON.stringify(envelope(message, message.rows, message.text))
  if (Buffer.byteLength(whole) <= mostBytes) return whole
  return JSON.stringify(
    envelope({ ...message, heading: message.heading.slice(0, 1_000) }, [], message.text.slice(0, 2_000)),
  )
}

function envelope(message: Message, rows: Message['rows'], text: string) {
  const { language, heading, kind, tone, link, why } = message
  const block = (words: string, more: Record<string, unknown> = {}) => ({
    type: 'TextBlock',
    text: plain(words),
    wrap: true,
    ...more,
  })
  const content = {
    $schema: 'http://adaptivecards.io/schemas/adaptive-card.json',
    type: 'AdaptiveCard',
    version: '1.4',
    lang: language,
    msteams: { width: 'Full' },
    body: [
      block(kind, { size: 'Small', isSubtle: true }),
      block(heading, { size: 'Large', weight: 'Bolder', color: colours[tone], spacing: 'None' }),
      block(text),
      ...(rows.length === 0
        ? []
        : [{ type: 'FactSet', facts: rows.map(({ label, value }) => ({ title: plain(label), value: plain(value) })) }]),
      ...(why === null ? [] : [block(why.text, { size: 'Small', isSubtle: true })]),
    ],
    actions: link === null ? [] : [{ type: 'Action.OpenUrl', title: link.label, url: link.url }],
  }
  return {
    type: 'message',
    attachments: [{ contentType: 'application/vnd.microsoft.card.adaptive', contentUrl: null, content }],
  }
}

/** Cards read a part of Markdown: what a name holds of it stays what it is. */
const plain = (text: string) =>
  text.replace(/[\\*_[\]()#`>~]/g, (character) => `\\${character}`).replace(/\\([().>#])/g, '$1')

/** 202 says that the workflow began, and nothing of the card. Other refusals are final: the workflow is gone, or another. */
function judge({ status }: OutboundAnswer): Pick<Outcome, 'verdict' | 'word'> {
  if (status >= 200 && status < 300) return { verdict: 'handed-over', word: 'handed-over' }
  if (status === 413) return { verdict: 'refused', word: 'too-large' }
  if (status === 400) return { verdict: 'refused', word: 'refused' }
  if (status === 408 || status === 429 || status >= 500) return { verdict: 'again', word: 'slow-down' }
  if (status >= 300 && status < 400) return { verdict: 'again', word: 'redirected' }
  return { verdict: 'dead', word: status === 404 || status === 410 ? 'gone' : 'refused' }
}

export const teams: Channel<TeamsAddress> = {
  together: 1,
  async send(portal, door, { address }, [message]) {
    if (!message) throw new Error('there is nothing to send')
    const headers = { 'content-type': 'application/json', 'user-agent': 'Muster' }
    return post(portal, door, { url: address.url, headers, body: teamsBody(message) }, [], judge)
  },
}
