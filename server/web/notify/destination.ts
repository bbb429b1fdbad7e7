import { z } from 'zod'
import { operatorActor } from '../../http/access.ts'
import { line } from '../../http/fields.ts'
import { type FieldFault, pathValue, readForm, readQuery, says, several, type Typed } from '../../http/forms.ts'
import type { Handler, OperatorRequest } from '../../http/route.ts'
import { dropSealed, type Sealed, seal, unseal } from '../../http/session/sealed.ts'
import {
  type AddressFault,
  faultOfAddress,
  makeDestination,
  reviseDestination,
  secretsOf,
  type TypedAddress,
} from '../../notify/destinations.ts'
import type { Portal } from '../../portal.ts'
import { listCustomers } from '../../store/customers/customers.ts'
import { alarmKinds } from '../../store/notify/alarms.ts'
import { type Destination, type DestinationSettings, getDestination } from '../../store/notify/destinations.ts'
import { type DestinationKind, destinationKinds } from '../../store/notify/kinds.ts'
import { countMessages, findMessage } from '../../store/notify/outbox.ts'
import { languages, type MessageKey, say } from '../../words.ts'
import { page } from '../page/page.ts'
import { render } from '../page/render.ts'
import { kindIcons, outcomeKey, stateBadges, stateOf } from './destinations.ts'

interface Choice {
  value: string
  label: string
  picked: boolean
}

/** A box to tick, with the ID by which its label finds it. */
interface Box {
  id: string
  value: string
  label: MessageKey
  picked: boolean
}

export interface DestinationView {
  title: string
  action: string
  kind: DestinationKind
  kindWord: MessageKey
  faults: FieldFault[] | null
  text: Record<'name' | 'url' | 'recipients' | 'authorization' | 'quietFrom' | 'quietTo', string>
  urlLabel: MessageKey
  /** Which fields say where it is. */
  has: { url: boolean; recipients: boolean; authorization: boolean; audit: boolean }
  /** What may be shown of the address there is; null for a new one. */
  shown: string | null
  languages: Choice[]
  zones: Choice[]
  kinds: Box[]
  customers: Choice[]
  groups: Choice[]
  days: Box[]
  says: Box[]
  audit: boolean
  /** What stands beside the form once there is a destination. */
  there: {
    id: string
    badge: (typeof stateBadges)[keyof typeof stateBadges]
    sent: number
    createdAt: string
    mayResume: boolean
    resume: MessageKey
    replayable: number
    secrets: { count: MessageKey; two: boolean } | null
    newSecret: string | null
    tested: { good: boolean; key: MessageKey; ms: number; why: MessageKey; answer: string | null } | null
  } | null
}

const destinationPage = page<DestinationView>('notify/destination')

export interface ChooseView {
  kinds: { href: string; icon: string; label: MessageKey; what: MessageKey }[]
}
const choosePage = page<ChooseView>('notify/destination-kinds')

/** A webhook's secret, for the one page after it was made. */
export const newSecret: Sealed<{ id: string; secret: string }> = {
  name: 'new-secret',
  schema: z.object({ id: z.string(), secret: z.string() }),
  seconds: 300,
}

const kindQuery = z.object({ kind: z.enum(destinationKinds).optional().catch(undefined) })

export const showNewDestination: Handler<OperatorRequest> = async (portal, req, res) => {
  const { kind } = readQuery(kindQuery, req)
  if (kind === undefined) {
    const kinds = destinationKinds.map((one) => ({
      href: `/destinations/new?kind=${one}`,
      icon: kindIcons[one],
      label: `destinations.kind.${one}` as const,
      what: `destinations.kind.${one}.what` as const,
    }))
    return render(res, choosePage, { kinds })
  }
  const zone = req.operator.timeZone ?? 'UTC'
  const typed = { language: 'en', timeZone: zone, kinds: [...alarmKinds], days: everyDay, says: ['customers'] }
  await render(res, destinationPage, await viewOf(portal, req, kind, null, typed, null))
}

export const addNewDestination: Handler<OperatorRequest> = async (portal, req, res) => {
  const read = await readDestination(portal, req, null)
  if (read.faults) {
    return render(res, destinationPage, await viewOf(portal, req, read.kind, null, read.typed, read.faults), 422)
  }
  const made = await makeDestination(portal, operatorActor(req), read.kind, read.settings, read.address)
  if (made.secret !== null) await seal(portal, res, newSecret, { id: made.id, secret: made.secret })
  res.redirect(303, `/destinations/${made.id}`)
}

const shownQuery = z.object({ test: z.string().max(60).optional().catch(undefined) })

/** @throws PortalError NOT_FOUND */
export const showDestination: Handler<OperatorRequest> = async (portal, req, res) => {
  const destination = await getDestination(portal.db, pathValue(req, 'id'))
  const { test } = readQuery(shownQuery, req)
  const secret = await unseal(portal, req, newSecret)
  const view = await viewOf(portal, req, destination.kind, destination, typedOf(destination), null, test)
  if (view.there && secret?.id === destination.id) {
    view.there.newSecret = secret.secret
    dropSealed(portal, res, newSecret)
  }
  await render(res, destinationPage, view)
}

/** @throws PortalError NOT_FOUND */
export const editDestination: Handler<OperatorRequest> = async (portal, req, res) => {
  const destination = await getDestination(portal.db, pathValue(req, 'id'))
  const read = await readDestination(portal, req, destination)
  if (read.faults) {
    const view = await viewOf(portal, req, destination.kind, destination, read.typed, read.faults)
    return render(res, destinationPage, view, 422)
  }
  await reviseDestination(portal, operatorActor(req), destination.id, read.settings, read.address)
  res.redirect(303, `/destinations/${destination.id}`)
}

const everyDay = ['1', '2', '3', '4', '5', '6', '7']
const clock = /^([01]\d|2[0-3]):[0-5]\d$/
const zones = new Set(['UTC', ...Intl.supportedValuesOf('timeZone')])
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

async function readDestination(portal: Portal, req: OperatorRequest, there: Destination | null): Promise<Read> {
  const read = readForm(form, req)
  const chosen = kindQuery.parse(req.body ?? {}).kind
  const kind = there?.kind ?? chosen ?? 'webhook'
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
  const known = await listCustomers(portal.db, undefined, undefined, req.scope)
  if (value.customers.some((id) => !known.some((one) => one.id === id))) {
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

const typedOf = (destination: Destination): Typed => ({
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

async function viewOf(
  portal: Portal,
  { scope }: OperatorRequest,
  kind: DestinationKind,
  there: Destination | null,
  typed: Typed,
  faults: FieldFault[] | null,
  test?: string,
): Promise<DestinationView> {
  const customers = await listCustomers(portal.db, undefined, undefined, scope)
  const groups = [...new Set(customers.flatMap((one) => one.groups))].sort()
  const text = (name: string) => (typeof typed[name] === 'string' ? typed[name] : '')
  const list = (name: string): string[] => {
    const value = typed[name]
    return value === undefined ? [] : Array.isArray(value) ? value : [value]
  }
  const choice = (name: string, value: string, label = value): Choice => ({
    value,
    label,
    picked: list(name).includes(value),
  })
  return {
    title: there?.name ?? say('en', 'destinations.new'),
    action: there ? `/destinations/${there.id}` : '/destinations',
    kind,
    kindWord: `destinations.kind.${kind}`,
    faults,
    text: {
      name: text('name'),
      // An address is not shown again: it is a secret.
      url: '',
      recipients: text('recipients'),
      authorization: '',
      quietFrom: text('quietFrom'),
      quietTo: text('quietTo'),
    },
    urlLabel: kind === 'teams' || kind === 'slack' ? `destinations.url.${kind}` : 'destinations.url',
    has: { url: kind !== 'mail', recipients: kind === 'mail', authorization: kind === 'siem', audit: kind === 'siem' },
    shown: there?.shown ?? null,
    languages: languages.map(({ code, name }) => choice('language', code, name)),
    zones: [...zones].map((zone) => choice('timeZone', zone)),
    kinds: alarmKinds.map((one) => ({
      id: `k-${one}`,
      value: one,
      label: `notify.kind.${one}` as const,
      picked: list('kinds').includes(one),
    })),
    customers: customers.map(({ id, name }) => choice('customers', id, name)),
    groups: groups.map((group) => choice('groups', group)),
    days: everyDay.map((day) => ({
      id: `d-${day}`,
      value: day,
      label: `destinations.day.${day}` as MessageKey,
      picked: list('days').includes(day),
    })),
    says: (['customers', 'people', 'devices'] as const).map((name) => ({
      id: `s-${name}`,
      value: name,
      label: `destinations.says.${name}` as const,
      picked: list('says').includes(name),
    })),
    audit: text('audit') === 'on',
    there: there && (await besideOf(portal, there, test)),
  }
}

async function besideOf(portal: Portal, there: Destination, test?: string): Promise<DestinationView['there']> {
  const counts = await countMessages(portal.db, there.id)
  const secrets = secretsOf(portal, there)
  return {
    id: there.id,
    badge: stateBadges[stateOf(there)],
    sent: there.sent,
    createdAt: there.createdAt,
    mayResume: there.pausedAt !== null || there.offAt !== null,
    resume: there.offAt === null ? 'destinations.resume' : 'destinations.switch-on',
    replayable: counts.failed + counts.held,
    secrets:
      secrets === null
        ? null
        : { count: secrets > 1 ? 'destinations.secret.two' : 'destinations.secret.one', two: secrets > 1 },
    newSecret: null,
    tested: test === undefined ? null : await testOf(portal, there, test),
  }
}

async function testOf(portal: Portal, there: Destination, id: string) {
  const message = await findMessage(portal.db, id)
  const last = message?.tries.at(-1)
  if (message?.topic !== 'test' || message.destinationId !== there.id || !last) return null
  const good = message.state === 'delivered' || message.state === 'handed-over'
  const key: MessageKey = good
    ? message.state === 'delivered'
      ? 'destinations.tested.good'
      : 'destinations.tested.handed-over'
    : 'destinations.tested.bad'
  const answer = [last.status, last.answer].filter((part) => part !== null).join(' ')
  return {
    good,
    key,
    ms: last.ms ?? 0,
    why: outcomeKey(last.outcome),
    answer: answer === '' ? null : answer,
  }
}
