import type { z } from 'zod'
import { openFromStore } from '../config/data-keys.ts'
import type { Portal } from '../portal.ts'
import { type Destination, sealedPlace, sealingPurpose } from '../store/notify/destinations.ts'
import type { DestinationKind } from '../store/notify/kinds.ts'
import type { Channel, Outcome } from './channels/channel.ts'
import { mail, mailAddress } from './channels/mail.ts'
import type { DoorSettings } from './channels/outbound.ts'
import { siem, siemAddress } from './channels/siem.ts'
import { slack, slackAddress } from './channels/slack.ts'
import { teams, teamsAddress } from './channels/teams.ts'
import { webhook, webhookAddress } from './channels/webhook.ts'
import type { Message } from './message.ts'

interface Way<Address> {
  channel: Channel<Address>
  schema: z.ZodType<Address>
}

/** Every way there is, with what it has to know to get there. */
const ways: { [Kind in DestinationKind]: Way<never> } = {
  mail: way(mail, mailAddress),
  teams: way(teams, teamsAddress),
  slack: way(slack, slackAddress),
  webhook: way(webhook, webhookAddress),
  siem: way(siem, siemAddress),
}

function way<Address>(channel: Channel<Address>, schema: z.ZodType<Address>): Way<never> {
  return { channel, schema } as unknown as Way<never>
}

/** How many messages go to a destination in one piece. */
export const togetherOf = (kind: DestinationKind): number => ways[kind].channel.together

/** What the door is built from, as the environment says it. */
export const doorOf = ({ config }: Portal): DoorSettings => config

/** What is kept of where a destination is; null where no key opens it. */
export function openAddress({ config }: Portal, { id, sealed }: Destination): unknown {
  const opened = openFromStore(config, sealingPurpose, sealedPlace(id), sealed)
  return opened ? JSON.parse(opened.text) : null
}

/** Sends messages to a destination in one try. @returns what became of them, alike for all */
export async function sendTo(portal: Portal, destination: Destination, messages: readonly Message[]): Promise<Outcome> {
  const { schema, channel } = ways[destination.kind]
  // The key is lost, or the row was changed by hand: nothing can be sent there until it is given its address again.
  const address = schema.safeParse(openAddress(portal, destination))
  if (!address.success) return failedBy('dead', 'unreadable')
  return channel.send(portal, doorOf(portal), { destination, address: address.data }, messages)
}

export const failedBy = (
  verdict: Outcome['verdict'],
  word: Outcome['word'],
  answer: string | null = null,
): Outcome => ({
  verdict,
  word,
  status: null,
  ms: null,
  answer,
  retryAfterMs: null,
})
