import { createHmac, randomBytes } from 'node:crypto'
import { z } from 'zod'
import type { Message } from '../message.ts'
import { type Channel, post } from './channel.ts'

/** Where a signed webhook goes, and what signs it. While secrets are changed over there are two, the newer first. */
export const webhookAddress = z.object({
  url: z.string(),
  secrets: z.array(z.string().startsWith('whsec_')).min(1).max(2),
})
export type WebhookAddress = z.infer<typeof webhookAddress>

const secretBytes = 32

/** `whsec_` and 256 random bits in base64: as Standard Webhooks spells a symmetric secret. */
export const newWebhookSecret = (): string => `whsec_${randomBytes(secretBytes).toString('base64')}`

/**
 * Headers of Standard Webhooks 1.0.0 for one try, signed with each secret.
 * https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
 * @param at of this try: receivers refuse what is more than minutes off
 */
export function signedHeaders(
  secrets: readonly string[],
  id: string,
  at: Date,
  body: string,
): Record<'webhook-id' | 'webhook-timestamp' | 'webhook-signature', string> {
  const timestamp = String(Math.floor(at.getTime() / 1000))
  const signatures = secrets.map((secret) => {
    const key = Buffer.from(secret.slice('whsec_'.length), 'base64')
    return `v1,${createHmac('sha256', key).update(`${id}.${timestamp}.${body}`).digest('base64')}`
  })
  return { 'webhook-id': id, 'webhook-timestamp': timestamp, 'webhook-signature': signatures.join(' ') }
}

/** `{type, timestamp, data}`, and nothing else: what is added later is added to `data`. */
export const webhookBody = ({ type, at, data }: Pick<Message, 'type' | 'at' | 'data'>): string =>
  JSON.stringify({ type, timestamp: at, data })

export const webhook: Channel<WebhookAddress> = {
  together: 1,
  async send(portal, door, { address }, [message]) {
    if (!message) throw new Error('there is nothing to send')
    const body = webhookBody(message)
    const headers = {
      'content-type': 'application/json',
      'user-agent': 'Muster',
      ...signedHeaders(address.secrets, message.id, portal.now(), body),
    }
    return post(portal, door, { url: address.url, headers, body }, address.secrets)
  },
}
