import { z } from 'zod'
import { line } from '../../http/fields.ts'
import { type FieldFault, readForm, says, several, type Typed } from '../../http/forms.ts'
import type { OperatorRequest } from '../../http/route.ts'
import { type AddressFault, faultOfAddress, type TypedAddress } from '../../notify/destinations.ts'
import type { Portal } from '../../portal.ts'
import { listCustomers } from '../../store/customers/customers.ts'
import { alarmKinds } from '../../store/notify/alarms.ts'
import type { Destination, DestinationSettings } from '../../store/notify/destinations.ts'
import { type DestinationKind, destinationKinds } from '../../store/notify/kinds.ts'
import type { MessageKey } from '../../words.ts'

export const kindQuery = z.object({ kind: z.enum(destinationKinds).optional().catch(undefined) })

export const everyDay = ['1', '2', '3', '4', '5', '6', '7']
const clock = /^([01]\d|2[0-3]):[0-5]\d$/
/** Time zones that a destination may have. */
export const zones = new Set(['UTC', ...Intl.supportedValuesOf('timeZone')])
const mailbox = /^[^\s@<>(),;:"\\]+@[^\s@<>(),;:"\\]+\.[^\s@<>(),;:"\\]+$/
const mostListed = 500

const optionalText = (most: number, fault: MessageKey) => z.string().trim().max(most, fault).default('')
const form = {
  kind: z.enum(destinationKinds),
  name: line(80, { missing: says('destinations.name.missing'), long: says('destinations.name.long') }),
  language: z.enum(['en', 'sv', 'zh-Hant']),
  timeZone: z.string().refine((zone) => zones.has(zone)),
  url: optionalText(2_000, says('destinations.url.unusable')),
  recipients: optionalText(5_000, says('destinations.recipients.unusable')),
  authorization: optionalText(2_000, says('destinations.authorization.long')).refine(
    (text) => /^[\x20-\x7e]*$/.test(text),
    says('destinations.authorization.long'),
  ),
  kinds: several(z.enum(alarmKinds), alarmKinds.length),
  customers: several(z.string().max(60), mostListed),
  groups: several(z.string().max(40), mostListed),
  quietFrom: optionalText(5, says('destinations.quiet.unusable')),
  quietTo: optionalText(5, says('destinations.quiet.unusable')),
  days: several(z.enum(['1', '2', '3', '4', '5', '6', '7']), 7),
  says: several(z.enum(['customers', 'people', 'devices']), 3),
  audit: z.literal('on').optional(),
}

/** What was sent: with faults, or as it can be stored. */
type Read = { kind: DestinationKind; typed: Typed } & (
  | { faults: FieldFault[] }
  | { faults: null; settings: DestinationSettings; address: TypedAddress }
)

const addressFaults: Record<AddressFault, MessageKey> = {
  missing: 'destinations.url.missing',
  unusable: 'destinations.url.unusable',
  refused: 'destinations.url.refused',
  retired: 'destinations.url.retired',
}

/** @param there the destination that is changed; null for a new one */
export async function readDestination(portal: Portal, req: OperatorRequest, there: Destination | null): Promise<Read> {
  const read = readForm(form, req)
  const kindTyped = kindQuery.parse(req.body ?? {}).kind
  const kind = there?.kind ?? kindTyped ?? 'webhook'
  if (read.faults) return { kind, typed: read.typed, faults: read.faults }
  const { value, typed } = read
  const faults: FieldFault[] = []
  const { quietFrom: from, quietTo: to } = value
  const quietGiven = from !== '' || to !== ''
  if (quietGiven && !(clock.test(from) && clock.test(to) && from !== to)) {
    faults.push({ field: 'quietFrom', key: 'destinations.quiet.unusable' })
  }
  const recipients = value.recipients === '' ? [] : value.recipients.split(/[,;\s]+/).filter((one) => one !== '')
  if (kind === 'mail') {
    const good = recipients.length >= 1 && recipients.length <= 20 && recipients.every((one) => mailbox.test(one))
    if (!good) faults.push({ field: 'recipients', key: 'destinations.recipients.unusable' })
  } else {
    const fault = value.url === '' ? (there ? null : 'missing') : await faultOfAddress(portal, kind, value.url)
    if (fault) faults.push({ field: 'url', key: addressFaults[fault] })
  }
  const ours = await listCustomers(portal.db, undefined, undefined, req.scope)
  if (value.customers.some((id) => !ours.some((one) => one.id === id))) {
    faults.push({ field: 'customers', key: 'destinations.unknown' })
  }
  if (faults.length > 0) return { kind, typed, faults }
  const some = <T>(list: T[]): T[] | null => (list.length === 0 ? null : list)
  return {
    kind,
    typed,
    faults: null,
    settings: {
      name: value.name,
      language: value.language,
      timeZone: value.timeZone,
      quiet: quietGiven ? { from, to, days: value.days.map(Number) } : null,
      kinds: value.kinds.length === alarmKinds.length ? null : value.kinds,
      customers: some(value.customers),
      groups: some(value.groups),
      says: {
        customers: value.says.includes('customers'),
        people: value.says.includes('people'),
        devices: value.says.includes('devices'),
      },
      audit: kind === 'siem' && value.audit === 'on',
    },
    address: {
      url: value.url === '' ? null : value.url,
      recipients: kind === 'mail' ? recipients : [],
      authorization: value.authorization === '' ? null : value.authorization,
    },
  }
}

/** A destination as its form would send it. */
export const typedOf = (destination: Destination): Typed => ({
  name: destination.name,
  language: destination.language,
  timeZone: destination.timeZone,
  recipients: destination.kind === 'mail' ? destination.shown : '',
  quietFrom: destination.quiet?.from ?? '',
  quietTo: destination.quiet?.to ?? '',
  days: (destination.quiet?.days ?? everyDay).map(String),
  kinds: [...(destination.kinds ?? alarmKinds)],
  customers: [...(destination.customers ?? [])],
  groups: [...(destination.groups ?? [])],
  says: Object.entries(destination.says).flatMap(([name, may]) => (may ? [name] : [])),
  ...(destination.audit ? { audit: 'on' } : {}),
})
