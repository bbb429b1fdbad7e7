import { sealForStore } from '../../server/config/data-keys.ts'
import { nothingAllowed, parseOutboundAllow } from '../../server/config/outbound-allow.ts'
import { write } from '../../server/store/engine/write.ts'
import { type NewAlarm, raiseAlarm } from '../../server/store/notify/alarms.ts'
import {
  addDestination,
  type Destination,
  type DestinationSettings,
  getDestination,
  newDestinationId,
  sealedPlace,
  sealingPurpose,
} from '../../server/store/notify/destinations.ts'
import type { DestinationKind } from '../../server/store/notify/kinds.ts'
import { fromRow, type OutboxMessage } from '../../server/store/notify/outbox.ts'
import { before } from '../support/admin.ts'
import type { TestPortal } from '../support/portal.ts'

export const minute = 60_000
export const hour = 60 * minute

/** What a portal is given whose destinations are on this machine. */
export const loopbackAllowed = { outboundAllow: parseOutboundAllow('127.0.0.0/8,::1') ?? nothingAllowed }

/** `whsec_` and 32 bytes that are not random. */
export const secretOf = (letter: string): string => `whsec_${Buffer.alloc(32, letter).toString('base64')}`

const plain: DestinationSettings = {
  name: 'Desk',
  language: 'en',
  timeZone: 'UTC',
  quiet: null,
  kinds: null,
  customers: null,
  groups: null,
  says: { customers: true, people: true, devices: true },
  audit: false,
}

/** A destination as the form would keep it. */
export async function destination(
  here: Pick<TestPortal, 'portal'>,
  kind: DestinationKind,
  address: unknown,
  settings: Partial<DestinationSettings> = {},
): Promise<string> {
  const { db, config, now } = here.portal
  const id = newDestinationId()
  const sealed = sealForStore(config, sealingPurpose, sealedPlace(id), JSON.stringify(address))
  const kept = { id, kind, ownerId: 'before', sealed, shown: 'test …hook' }
  await write(db, (tx) => addDestination(tx, before, { ...plain, ...settings, ...kept }, now()))
  return id
}

export const webhookTo = (here: Pick<TestPortal, 'portal'>, url: string, settings: Partial<DestinationSettings> = {}) =>
  destination(here, 'webhook', { url, secrets: [secretOf('a')] }, settings)

export const destinationNow = (here: Pick<TestPortal, 'portal'>, id: string): Promise<Destination> =>
  getDestination(here.portal.db, id)

export const raise = (here: Pick<TestPortal, 'portal'>, alarm: NewAlarm): Promise<void> =>
  write(here.portal.db, (tx) => raiseAlarm(tx, alarm, here.portal.now()))

/** Oldest first. */
export async function messages(here: Pick<TestPortal, 'portal'>, destinationId?: string): Promise<OutboxMessage[]> {
  const rows = await here.portal.db.selectFrom('outbox').selectAll().orderBy('created_at').orderBy('id').execute()
  return rows.map(fromRow).filter((one) => destinationId === undefined || one.destinationId === destinationId)
}
