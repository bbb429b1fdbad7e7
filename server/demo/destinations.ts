import { z } from 'zod'
import { siemAddress } from '../notify/channels/siem.ts'
import { webhookAddress } from '../notify/channels/webhook.ts'
import { makeDestination, reviseDestination } from '../notify/destinations.ts'
import { openAddress } from '../notify/send.ts'
import type { Portal } from '../portal.ts'
import type { Secrets } from '../simulator/inbox/checks.ts'
import { type DestinationSettings, listDestinations } from '../store/notify/destinations.ts'
import type { DestinationKind } from '../store/notify/kinds.ts'
import { operator } from './people.ts'

const everything: Omit<DestinationSettings, 'name' | 'language'> = {
  timeZone: 'Europe/Stockholm',
  quiet: null,
  kinds: null,
  customers: null,
  groups: null,
  says: { customers: true, people: true, devices: true },
  audit: false,
}

interface Wanted {
  kind: DestinationKind
  settings: DestinationSettings
  recipients: readonly string[]
  authorization: string | null
}

/** One of each kind, in each language that alarms are told in. */
const wanted: readonly Wanted[] = [
  mailTo('SOC by mail', 'en', 'soc@halvard.example'),
  mailTo('Jour, på svenska', 'sv', 'jour@halvard.example'),
  mailTo('值班信箱', 'zh-Hant', 'duty@halvard.example'),
  posted('teams', 'Teams, channel “SOC alarms”'),
  posted('slack', 'Slack, #soc-alarms'),
  posted('webhook', 'Ticket system'),
  { ...posted('siem', 'SIEM'), authorization: 'Splunk 6f1d2c9e-demo-of-no-worth' },
]

function mailTo(name: string, language: DestinationSettings['language'], address: string): Wanted {
  return { kind: 'mail', settings: { ...everything, name, language }, recipients: [address], authorization: null }
}

function posted(kind: DestinationKind, name: string): Wanted {
  const settings = { ...everything, name, language: 'en', audit: kind === 'siem' } as const
  return { kind, settings, recipients: [], authorization: null }
}

const receiverOf = (origin: string, kind: DestinationKind) =>
  kind === 'mail' ? null : `${origin}/_sim/receive/${kind}`

/** Sets up a destination of each kind, where there is none at all, that leads to the simulated world's inbox. */
export async function setUpDestinations(portal: Portal, origin: string): Promise<void> {
  if ((await listDestinations(portal.db)).length > 0) return
  for (const { kind, settings, recipients, authorization } of wanted) {
    const address = { url: receiverOf(origin, kind), recipients, authorization }
    await makeDestination(portal, operator, kind, settings, address)
  }
}

const somewhere = z.object({ url: z.string() })

/** Destinations that led to the inbox lead to where it is now: the next start may have another port. */
export async function leadToInbox(portal: Portal, origin: string): Promise<void> {
  for (const destination of await listDestinations(portal.db)) {
    const url = receiverOf(origin, destination.kind)
    const kept = somewhere.safeParse(openAddress(portal, destination)).data?.url
    if (url === null || kept === undefined || kept === url || !kept.endsWith(new URL(url).pathname)) continue
    const typed = { url, recipients: [], authorization: null }
    await reviseDestination(portal, operator, destination.id, destination, typed)
  }
}

/** What the destinations have to show at the other end, as they are set up now. */
export async function secretsNow(portal: Portal): Promise<Secrets> {
  const addresses = (await listDestinations(portal.db)).map((one) => [one.kind, openAddress(portal, one)] as const)
  const of = (kind: DestinationKind) => addresses.filter(([one]) => one === kind).map(([, address]) => address)
  return {
    webhook: of('webhook').flatMap((address) => webhookAddress.safeParse(address).data?.secrets ?? []),
    authorization: siemAddress.safeParse(of('siem')[0]).data?.authorization ?? null,
  }
}
