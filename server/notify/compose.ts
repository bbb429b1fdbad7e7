import type { Config } from '../config/config.ts'
import type { Alarm, AlarmKind } from '../store/notify/alarms.ts'
import type { Destination } from '../store/notify/destinations.ts'
import type { ForwardedEvent, NamedAlarm } from '../store/notify/subjects.ts'
import { day, hour, minute, second } from '../time.ts'
import { isMessageKey, type Language, type MessageKey, type MessageValues, say } from '../words.ts'
import type { Message } from './message.ts'

/** The reader of a message: language, time zone, and what the message may name. */
export type Addressee = Pick<Destination, 'language' | 'timeZone' | 'says'> & { id: string | null; name: string | null }

type Change = 'raised' | 'over'

/** Who has to do something about an alarm. */
export type MustAct = 'us' | 'customer' | 'microsoft' | 'nobody'

const mustActOf: Record<AlarmKind, MustAct> = {
  'access-lost': 'customer',
  'tenant-blind': 'microsoft',
  'partner-fault': 'us',
  'credential-ending': 'us',
  'claim-waiting': 'us',
  'consent-refused': 'nobody',
  'customer-proven': 'nobody',
  'storage-trouble': 'us',
  'delivery-failing': 'us',
}

export const mustAct = ({ kind }: Pick<Alarm, 'kind'>): MustAct => mustActOf[kind]

const quietKinds: readonly AlarmKind[] = ['claim-waiting', 'consent-refused', 'credential-ending']

/** What an addressee is told of an alarm, in its words and within what it may be told. */
export function composeAlarm(
  { publicUrl }: Pick<Config, 'publicUrl'>,
  to: Addressee,
  message: { id: string; change: string },
  alarm: NamedAlarm,
): Message {
  const change: Change = message.change === 'over' ? 'over' : 'raised'
  const word = (key: MessageKey, values: MessageValues = {}) => say(to.language, key, values)
  const who = change === 'over' ? 'nobody' : mustAct(alarm)
  const url = `${publicUrl}/alarms/${alarm.id}`
  return {
    id: message.id,
    type: `alarm.${underscored(alarm.kind)}.${change}`,
    at: change === 'over' && alarm.overAt !== null ? alarm.overAt : alarm.raisedAt,
    language: to.language,
    kind: word(`notify.kind.${alarm.kind}`),
    tone:
      change === 'over' || alarm.kind === 'customer-proven'
        ? 'good'
        : quietKinds.includes(alarm.kind)
          ? 'notice'
          : 'bad',
    heading: headingOf(to, alarm, change),
    text: textOf(to, alarm, change),
    rows: rowsOf(to, alarm, change, who),
    link: { label: word('notify.link'), url },
    why: {
      text: to.name === null ? word('notify.why.owner') : word('notify.why', { destination: to.name }),
      url: to.id === null ? `${publicUrl}/destinations` : `${publicUrl}/destinations/${to.id}`,
    },
    thread: alarm.id,
    data: alarmData(to, alarm, change, who, url),
  }
}

/** One line of what an alarm says, for a list or a subject. */
export function headingOf(to: Addressee, alarm: NamedAlarm, change: Change): string {
  const { facts } = alarm
  const values = {
    name: nameOf(to, alarm),
    destination: alarm.destinationName ?? say(to.language, 'notify.name.destination'),
    days: Number(facts.days ?? 0),
    percent: Number(facts.percent ?? 0),
    credential: credentialName(to.language, String(facts.credential ?? '')),
  }
  const key = change === 'over' ? keyOf('over', alarm) : keyOf('heading', alarm)
  return say(to.language, key, values)
}

export function textOf(to: Addressee, alarm: NamedAlarm, change: Change): string {
  if (change === 'raised') return say(to.language, keyOf('text', alarm))
  const lasted = Date.parse(alarm.overAt ?? alarm.raisedAt) - Date.parse(alarm.raisedAt)
  return say(to.language, 'notify.over.text', { span: spanOf(to.language, lasted), times: alarm.times })
}

/** What a test says: that it arrived, and nothing else. */
export function composeTest({ publicUrl }: Pick<Config, 'publicUrl'>, to: Addressee, id: string, at: Date): Message {
  const word = (key: MessageKey, values: MessageValues = {}) => say(to.language, key, values)
  const url = `${publicUrl}/destinations/${to.id}`
  return {
    id,
    type: 'muster.test',
    at: at.toISOString(),
    language: to.language,
    kind: word('notify.kind.test'),
    tone: 'notice',
    heading: word('notify.heading.test'),
    text: word('notify.text.test'),
    rows: [],
    link: { label: word('notify.link'), url },
    why: { text: word('notify.why', { destination: to.name ?? '' }), url },
    thread: id,
    data: { test: true, url },
  }
}

/** An audit event for machines: its words are the catalogue's, and people read them in the portal. */
export function composeEvent(
  { publicUrl }: Pick<Config, 'publicUrl'>,
  to: Addressee,
  id: string,
  event: ForwardedEvent,
): Message {
  const { says } = to
  return {
    id,
    type: `audit.${underscored(event.action)}`,
    at: event.at,
    language: to.language,
    kind: event.action,
    tone: 'notice',
    heading: event.action,
    text: '',
    rows: [],
    link: { label: say(to.language, 'notify.link'), url: `${publicUrl}/audit` },
    why: null,
    thread: id,
    data: {
      event: {
        id: event.id,
        action: event.action,
        actor: {
          kind: event.actorKind,
          id: event.actorId,
          ...(says.people ? { name: event.actorName, address: event.address } : {}),
        },
        subject: event.subjectId,
        facts: says.people ? event.facts : withoutPeople(event.facts),
      },
      customer: idAndName(event.customerId, says.customers ? { name: event.customerName } : {}),
      tenant: idAndName(event.tenantId, says.customers ? { name: event.tenantName } : {}),
    },
  }
}

/** Keys of audit facts that hold what a person is called. */
const personal = ['person', 'name', 'username', 'upn']

const withoutPeople = (facts: ForwardedEvent['facts']) =>
  Object.fromEntries(Object.entries(facts).filter(([key]) => !personal.includes(key)))

/** `b2f0c6de…e7f3`: enough to tell tenants apart, and to find one. */
export const shortId = (id: string): string => (id.length > 16 ? `${id.slice(0, 8)}…${id.slice(-4)}` : id)

function nameOf({ language, says }: Addressee, alarm: NamedAlarm): string {
  const name = alarm.customerName ?? alarm.tenantName ?? alarm.tenantDomain
  if (says.customers && name !== null) return name
  if (alarm.tenantId !== null) return say(language, 'notify.name.tenant', { id: shortId(alarm.tenantId) })
  return say(language, 'notify.name.customer', { id: alarm.customerId === null ? '–' : shortId(alarm.customerId) })
}

const families = {
  heading: (name: string) => `notify.heading.${name}`,
  text: (name: string) => `notify.text.${name}`,
  over: (name: string) => `notify.over.${name}`,
}

/** A text for the code where there is one, else that of the kind. */
function keyOf(family: keyof typeof families, { kind, facts }: Alarm): MessageKey {
  const exact = families[family](`${kind}.${String(facts.code)}`)
  return isMessageKey(exact) ? exact : (families[family](kind) as MessageKey)
}

function rowsOf(to: Addressee, alarm: NamedAlarm, change: Change, who: MustAct): Message['rows'] {
  const word = (key: MessageKey, values: MessageValues = {}) => say(to.language, key, values)
  const rows = [{ label: word('notify.row.who'), value: word(`notify.who.${who}`) }]
  if (alarm.tenantId !== null) {
    const value = to.says.customers && alarm.tenantDomain !== null ? alarm.tenantDomain : shortId(alarm.tenantId)
    rows.push({ label: word('notify.row.tenant'), value })
  }
  const since = typeof alarm.facts.since === 'string' ? alarm.facts.since : alarm.raisedAt
  rows.push({ label: word('notify.row.since'), value: timeText(to, since) })
  if (change === 'over' && alarm.overAt !== null) {
    rows.push({ label: word('notify.row.until'), value: timeText(to, alarm.overAt) })
  }
  if (typeof alarm.facts.endsAt === 'string') {
    rows.push({ label: word('notify.row.ends'), value: timeText(to, alarm.facts.endsAt) })
  }
  if (typeof alarm.facts.aadsts === 'number') {
    rows.push({ label: word('notify.row.microsoft'), value: `AADSTS${alarm.facts.aadsts}` })
  }
  return rows
}

function alarmData(to: Addressee, alarm: NamedAlarm, change: Change, who: MustAct, url: string): Message['data'] {
  const { says } = to
  const { code, ...facts } = alarm.facts
  return {
    alarm: {
      id: alarm.id,
      kind: alarm.kind,
      code: code ?? null,
      state: change,
      raised_at: alarm.raisedAt,
      over_at: change === 'over' ? alarm.overAt : null,
      times: alarm.times,
      must_act: who,
      facts,
    },
    customer: idAndName(alarm.customerId, says.customers ? { name: alarm.customerName } : {}),
    tenant: idAndName(alarm.tenantId, says.customers ? { name: alarm.tenantName, domain: alarm.tenantDomain } : {}),
    url,
  }
}

const idAndName = (id: string | null, names: Record<string, string | null>) => (id === null ? null : { id, ...names })

/** Standard Webhooks takes letters, digits, underscores and full stops. */
const underscored = (name: string) => name.replaceAll('-', '_')

const credentials = [
  'app-secret',
  'app-certificate',
  'sign-in-secret',
  'sign-in-certificate',
  'app-secret-2',
  'app-certificate-2',
  'sign-in-secret-2',
  'sign-in-certificate-2',
] as const

/** What people call one of the partner's own credentials. */
export function credentialName(language: Language, name: string): string {
  const known = credentials.find((one) => one === name) ?? 'app-secret'
  return say(language, `notify.credential.${known}`)
}

const locales: Record<Language, string> = { en: 'en-GB', sv: 'sv-SE', 'zh-Hant': 'zh-TW' }

function timeText({ language, timeZone }: Addressee, at: string): string {
  const date = new Date(at)
  const local = new Intl.DateTimeFormat(locales[language], { dateStyle: 'full', timeStyle: 'short', timeZone })
  const utc = new Intl.DateTimeFormat('en-GB', { timeStyle: 'short', timeZone: 'UTC' })
  return say(language, 'notify.time', { local: local.format(date), utc: utc.format(date) })
}

const units = [
  ['d', day],
  ['h', hour],
  ['min', minute],
  ['s', second],
] as const

/** The two largest units of a span: `2 h 33 min`. */
export function spanOf(language: Language, milliseconds: number): string {
  const from = units.findIndex(([, size]) => milliseconds >= size)
  if (from < 0) return say(language, 'shell.span.s', { n: 0 })
  let left = milliseconds
  return units
    .slice(from, from + 2)
    .flatMap(([unit, size]) => {
      const n = Math.floor(left / size)
      left -= n * size
      return n === 0 ? [] : [say(language, `shell.span.${unit}`, { n })]
    })
    .join(' ')
}
