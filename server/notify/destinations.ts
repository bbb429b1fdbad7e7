import { sealForStore } from '../config/data-keys.ts'
import type { Portal } from '../portal.ts'
import { type Actor, recordAudit } from '../store/audit.ts'
import { write } from '../store/engine/write.ts'
import {
  addDestination,
  changeDestination,
  type Destination,
  type DestinationSettings,
  getDestination,
  newDestinationId,
  replaceSecrets,
  sealedPlace,
  sealingPurpose,
} from '../store/notify/destinations.ts'
import type { DestinationKind } from '../store/notify/kinds.ts'
import { addClaimedMessage } from '../store/notify/outbox.ts'
import { shownAddress } from './channels/channel.ts'
import { checkPeer, OutboundError, readOutboundUrl } from './channels/outbound.ts'
import { isRetiredConnector } from './channels/teams.ts'
import { newWebhookSecret, webhookAddress } from './channels/webhook.ts'
import { Notebook, parcelsOf } from './deliver.ts'
import { doorOf, openAddress } from './send.ts'

type OperatorActor = Actor & { kind: 'operator' }

/** What a person typed to say where a destination is; what belongs to another kind is passed over. */
export interface TypedAddress {
  url: string | null
  recipients: readonly string[]
  authorization: string | null
}

/** Why an address cannot be taken; the page has a sentence for each. */
export type AddressFault = 'missing' | 'unusable' | 'refused' | 'retired'

/**
 * Whether an address may be a destination's: it is looked at as it will be when something is sent, so that nobody finds out
 * at the first alarm. A name that leads nowhere yet is taken.
 * @returns null where nothing is wrong with it
 */
export async function faultOfAddress(portal: Portal, kind: DestinationKind, url: string): Promise<AddressFault | null> {
  const door = doorOf(portal)
  try {
    const read = readOutboundUrl(door, url)
    if (kind === 'teams' && isRetiredConnector(read)) return 'retired'
    await checkPeer(door, read.hostname, Number(read.port || (read.protocol === 'https:' ? 443 : 80)))
    return null
  } catch (error) {
    if (!(error instanceof OutboundError)) throw error
    if (error.fault === 'name-unknown') return null
    return error.fault === 'address-refused' ? 'refused' : 'unusable'
  }
}

/**
 * Adds a destination.
 * @returns its ID, and the secret of a webhook, which is shown this once
 */
export async function makeDestination(
  portal: Portal,
  actor: OperatorActor,
  kind: DestinationKind,
  settings: DestinationSettings,
  typed: TypedAddress,
): Promise<{ id: string; secret: string | null }> {
  const id = newDestinationId()
  const secret = kind === 'webhook' ? newWebhookSecret() : null
  const address = addressOf(kind, typed, secret === null ? [] : [secret])
  const row = { id, kind, ownerId: actor.id, ...sealedAddress(portal, id, address) }
  await write(portal.db, (tx) => addDestination(tx, actor, { ...settings, ...row }, portal.now()))
  return { id, secret }
}

/** Changes a destination; an address that was left empty stays. @throws PortalError NOT_FOUND */
export async function reviseDestination(
  portal: Portal,
  actor: OperatorActor,
  id: string,
  settings: DestinationSettings,
  typed: TypedAddress,
): Promise<void> {
  const { db, now } = portal
  const before = await getDestination(db, id)
  const changed = typed.url !== null || typed.recipients.length > 0 || typed.authorization !== null
  const addressBefore = changed ? openAddress(portal, before) : null
  const secrets =
    webhookAddress.safeParse(addressBefore).data?.secrets ?? (before.kind === 'webhook' ? [newWebhookSecret()] : [])
  const address = { ...(addressBefore ?? {}), ...addressOf(before.kind, typed, secrets, addressBefore) }
  const change = changed ? { ...settings, address: sealedAddress(portal, id, address) } : settings
  await write(db, (tx) => changeDestination(tx, actor, id, change, now()))
}

/**
 * Makes a new signing secret; the one before signs beside it until it is taken away.
 * @returns the new one, which is shown this once; null where the destination has no secrets
 * @throws PortalError NOT_FOUND
 */
export async function renewSecret(portal: Portal, actor: OperatorActor, id: string): Promise<string | null> {
  const secret = newWebhookSecret()
  const changed = await changeSecrets(portal, actor, id, (secrets) => [secret, ...secrets.slice(0, 1)])
  return changed ? secret : null
}

/** Takes the older of two signing secrets away. @throws PortalError NOT_FOUND */
export async function retireSecret(portal: Portal, actor: OperatorActor, id: string): Promise<void> {
  await changeSecrets(portal, actor, id, (secrets) => secrets.slice(0, 1))
}

async function changeSecrets(
  portal: Portal,
  actor: OperatorActor,
  id: string,
  change: (secrets: readonly string[]) => string[],
): Promise<boolean> {
  const destination = await getDestination(portal.db, id)
  const address = webhookAddress.safeParse(openAddress(portal, destination))
  if (destination.kind !== 'webhook' || !address.success) return false
  const { sealed } = sealedAddress(portal, id, { ...address.data, secrets: change(address.data.secrets) })
  await write(portal.db, (tx) => replaceSecrets(tx, actor, destination, sealed, portal.now()))
  return true
}

/** How many secrets sign at present; null where none does. */
export function secretsOf(portal: Portal, destination: Destination): number | null {
  if (destination.kind !== 'webhook') return null
  return webhookAddress.safeParse(openAddress(portal, destination)).data?.secrets.length ?? 0
}

/**
 * Sends a test at once, whether the destination is paused, switched off or quiet.
 * @returns the message's ID: what came back is in its tries
 * @throws PortalError NOT_FOUND
 */
export async function sendTest(portal: Portal, actor: OperatorActor, id: string): Promise<string> {
  const { db, now } = portal
  const destination = await getDestination(db, id)
  const claimed = await write(db, async (tx) => {
    const facts = { destination: destination.name, destinationKind: destination.kind }
    await recordAudit(tx, actor, { action: 'destination.tested', at: now(), subjectId: id, facts })
    const test = { destinationId: id, topic: 'test', subjectId: actor.id, change: 'sent', dueAt: now() } as const
    return addClaimedMessage(tx, test, now())
  })
  const notebook = new Notebook(portal)
  for (const parcel of await parcelsOf(portal, [claimed])) await notebook.note(await parcel.send())
  return claimed.message.id
}

function addressOf(kind: DestinationKind, typed: TypedAddress, secrets: readonly string[], kept?: unknown) {
  const before = (kept ?? {}) as { url?: string; authorization?: string | null }
  const url = typed.url ?? before.url ?? ''
  if (kind === 'mail') return { recipients: typed.recipients }
  if (kind === 'webhook') return { url, secrets }
  return kind === 'siem' ? { url, authorization: typed.authorization ?? before.authorization ?? null } : { url }
}

function sealedAddress(
  { config }: Portal,
  id: string,
  address: Partial<TypedAddress> & { secrets?: readonly string[] },
) {
  const text = address.recipients?.join(', ') ?? shownAddress(address.url ?? '')
  return { sealed: sealForStore(config, sealingPurpose, sealedPlace(id), JSON.stringify(address)), shown: text }
}
