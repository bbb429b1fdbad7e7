import type { FieldFault, Typed } from '../../http/forms.ts'
import type { OperatorRequest } from '../../http/route.ts'
import { secretsOf } from '../../notify/destinations.ts'
import type { Portal } from '../../portal.ts'
import { listCustomers } from '../../store/customers/customers.ts'
import { alarmKinds } from '../../store/notify/alarms.ts'
import type { Destination } from '../../store/notify/destinations.ts'
import type { DestinationKind } from '../../store/notify/kinds.ts'
import { countMessages, findMessage } from '../../store/notify/message-list.ts'
import { languages, type MessageKey, say } from '../../words.ts'
import { everyDay, zones } from './destination-form.ts'
import { outcomeKey, stateBadges, stateOf } from './destinations.ts'

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

/**
 * @param typed what the form is filled with
 * @param test ID of the message that a test sent
 */
export async function destinationView(
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
