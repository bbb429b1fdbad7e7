import { z } from 'zod'
import { PortalError } from '../../errors.ts'
import { pathValue, readForm, readQuery, several } from '../../http/forms.ts'
import { runsPortal } from '../../http/operator.ts'
import type { Handler, OperatorRequest } from '../../http/route.ts'
import { type Addressee, composeAlarm, headingOf, mustAct, shortId, spanOf, textOf } from '../../notify/compose.ts'
import { listCustomers } from '../../store/customers/customers.ts'
import { write } from '../../store/engine/write.ts'
import {
  type AlarmListState,
  alarmStates,
  countAlarms,
  findListedAlarm,
  type ListedAlarm,
  listAlarms,
  seeAlarms,
} from '../../store/notify/alarm-list.ts'
import { type AlarmKind, alarmKinds } from '../../store/notify/alarms.ts'
import { readAlarmSettings } from '../../store/notify/settings.ts'
import type { MessageKey, MessageValues } from '../../words.ts'
import { page } from '../page/page.ts'
import { render } from '../page/render.ts'

type Who = 'us' | 'customer' | 'nobody' | 'over'

/** A line of the list, ready to be placed. */
interface AlarmLine {
  id: string
  href: string
  isNew: boolean
  icon: string
  colour: string
  heading: string
  text: string
  kind: MessageKey
  notes: { key: MessageKey; values: MessageValues }[]
  domain: string | null
  at: string
  span: string
  spanKey: MessageKey
}

interface AlarmSection {
  who: Who
  title: MessageKey
  next: MessageKey
  values: MessageValues
  ended: boolean
  lines: AlarmLine[]
}

export interface AlarmsView {
  sections: AlarmSection[]
  counts: { new: number; seen: number }
  tabs: { key: MessageKey; href: string; count: number; here: boolean }[]
  kinds: { value: AlarmKind; label: MessageKey; picked: boolean }[]
  customers: { id: string; name: string; picked: boolean }[]
  state: string
  mayConfigure: boolean
  /** IDs of the new ones that are shown; none for a Reader. */
  unseen: string[]
}

const alarmsPage = page<AlarmsView>('notify/alarms')

const most = 200
const query = z.object({
  state: z.enum([...alarmStates, 'open']).catch('open'),
  kind: z.enum(alarmKinds).optional().catch(undefined),
  customer: z
    .string()
    .regex(/^[\w-]{1,60}$/)
    .optional()
    .catch(undefined),
})

/** Alarms by who must act, newest first. */
export const showAlarms: Handler<OperatorRequest> = async (portal, req, res) => {
  const { state, kind, customer } = readQuery(query, req)
  const { db, now } = portal
  const states: AlarmListState[] = state === 'open' ? ['new', 'seen'] : [state]
  const filter = { ...(kind ? { kind } : {}), ...(customer ? { customerId: customer } : {}), limit: most }
  const [lists, over, counts, customers, { alarmDays }] = await Promise.all([
    Promise.all(states.map((one) => listAlarms(db, { ...filter, state: one }, req.scope))),
    state === 'open' ? listAlarms(db, { ...filter, state: 'over', limit: 10 }, req.scope) : [],
    countAlarms(db, req.scope),
    listCustomers(db, undefined, res.locals.reader.alphabet, req.scope),
    readAlarmSettings(db),
  ])
  const alarms = lists.flat().sort((a, b) => (a.raisedAt < b.raisedAt ? 1 : -1))
  const reader = readerOf(res.locals.reader)
  const lineOf = (alarm: ListedAlarm, isOver: boolean) => alarmLine(reader, alarm, isOver, now())
  const sections = (['us', 'customer', 'nobody'] as const).map((who) => ({
    ...headOf(who),
    values: {},
    ended: false,
    lines: state === 'over' ? [] : alarms.filter((alarm) => whoOf(alarm) === who).map((alarm) => lineOf(alarm, false)),
  }))
  const ended = {
    ...headOf('over'),
    values: { days: alarmDays },
    ended: true,
    lines: (state === 'over' ? alarms : over).map((alarm) => lineOf(alarm, true)),
  }
  const tabCount = { ...counts, open: counts.new + counts.seen }
  const address = (to: string) => `/alarms?${new URLSearchParams({ state: to, ...(kind ? { kind } : {}) })}`
  await render(res, alarmsPage, {
    sections: [...sections, ended].filter(({ lines }) => lines.length > 0),
    counts,
    tabs: (['open', ...alarmStates] as const).map((one) => ({
      key: `alarms.state.${one}` as const,
      href: address(one),
      count: tabCount[one],
      here: one === state,
    })),
    kinds: alarmKinds.map((value) => ({ value, label: `notify.kind.${value}` as const, picked: value === kind })),
    customers: customers.map(({ id, name }) => ({ id, name, picked: id === customer })),
    state,
    mayConfigure: runsPortal(req),
    unseen: req.operator.role === 'Reader' ? [] : alarms.filter((alarm) => isNew(alarm)).map(({ id }) => id),
  })
}

const sightings = { alarm: several(z.string().max(60), most), from: z.enum(['list', 'alarm']).optional() }

/** Notes that this operator has seen them: the bell is quiet for all. */
export const addSightings: Handler<OperatorRequest> = async (portal, req, res) => {
  const read = readForm(sightings, req)
  if (read.faults) throw new PortalError('BAD_REQUEST')
  const { alarm, from } = read.value
  await write(portal.db, (tx) => seeAlarms(tx, req.operator, alarm, portal.now(), req.scope))
  res.redirect(
    303,
    from === 'alarm' && alarm.length === 1 ? `/alarms/${encodeURIComponent(alarm[0] ?? '')}` : '/alarms',
  )
}

export interface AlarmView {
  id: string
  kind: MessageKey
  heading: string
  text: string
  rows: readonly { label: string; value: string }[]
  ended: boolean
  seenBy: { name: string; at: string }[]
  told: { destination: string; state: MessageKey }[]
  actions: { href: string; label: MessageKey }[]
  maySee: boolean
}

const alarmPage = page<AlarmView>('notify/alarm')

/** One alarm: where the link of a message leads. @throws PortalError NOT_FOUND */
export const showAlarm: Handler<OperatorRequest> = async (portal, req, res) => {
  const alarm = await findListedAlarm(portal.db, pathValue(req, 'id'), req.scope)
  if (!alarm) throw new PortalError('NOT_FOUND')
  const reader = readerOf(res.locals.reader)
  const change = alarm.overAt !== null && whoOf(alarm) !== 'nobody' ? 'over' : 'raised'
  const message = composeAlarm(portal.config, reader, { id: alarm.id, change }, alarm)
  await render(res, alarmPage, {
    id: alarm.id,
    kind: `notify.kind.${alarm.kind}`,
    heading: message.heading,
    text: message.text,
    rows: message.rows,
    ended: alarm.overAt !== null,
    seenBy: alarm.seenBy.map(({ name, at }) => ({ name: name ?? '', at })),
    told: alarm.told.map(({ destination, state }) => ({
      destination,
      state: `deliveries.state.${state}` as MessageKey,
    })),
    actions: actionsOf(alarm, runsPortal(req)),
    maySee: req.operator.role !== 'Reader' && isNew(alarm),
  })
}

const headOf = (who: Who) => ({
  who,
  title: `alarms.who.${who}` as const,
  next: `alarms.who.${who}.next` as const,
})

const everything = { customers: true, people: true, devices: true }
/** An operator may be told every name. */
export const readerOf = ({
  language,
  timeZone,
}: {
  language: Addressee['language']
  timeZone: string | null
}): Addressee => ({
  id: null,
  name: null,
  language,
  timeZone: timeZone ?? 'UTC',
  says: everything,
})

const isNew = (alarm: ListedAlarm) => alarm.seenBy.length === 0

const whoOf = (alarm: ListedAlarm): Exclude<Who, 'over'> => {
  const who = mustAct(alarm)
  return who === 'microsoft' ? 'nobody' : who
}

const drawn: Record<AlarmKind, { icon: string; colour: string }> = {
  'access-lost': { icon: 'ban', colour: 'c-red' },
  'tenant-blind': { icon: 'eye-off', colour: 'c-red' },
  'partner-fault': { icon: 'alert-circle', colour: 'c-red' },
  'credential-ending': { icon: 'key', colour: 'c-yellow' },
  'claim-waiting': { icon: 'alert-triangle', colour: 'c-yellow' },
  'consent-refused': { icon: 'circle-x', colour: 'c-orange' },
  'customer-proven': { icon: 'circle-check', colour: 'c-green' },
  'storage-trouble': { icon: 'server', colour: 'c-red' },
  'delivery-failing': { icon: 'bell', colour: 'c-red' },
}

function alarmLine(reader: Addressee, alarm: ListedAlarm, isOver: boolean, now: Date): AlarmLine {
  const ended = isOver && alarm.overAt !== null && whoOf(alarm) !== 'nobody'
  const change = ended ? 'over' : 'raised'
  const until = isOver && alarm.overAt !== null ? Date.parse(alarm.overAt) : now.getTime()
  const viewer = alarm.seenBy[0]
  return {
    id: alarm.id,
    href: `/alarms/${alarm.id}`,
    isNew: !isOver && isNew(alarm),
    icon: isOver ? 'check' : drawn[alarm.kind].icon,
    colour: isOver ? '' : drawn[alarm.kind].colour,
    heading: headingOf(reader, alarm, change),
    text: textOf(reader, alarm, change),
    kind: `notify.kind.${alarm.kind}`,
    notes: [
      ...(alarm.times > 1 ? [{ key: 'alarms.times' as const, values: { n: alarm.times } }] : []),
      ...(viewer ? [{ key: 'alarms.seen-by' as const, values: { name: viewer.name ?? '' } }] : []),
      ...(alarm.told.length > 0
        ? [
            {
              key: 'alarms.told' as const,
              values: { destinations: alarm.told.map((one) => one.destination).join(', ') },
            },
          ]
        : []),
    ],
    domain: alarm.tenantId === null ? null : (alarm.tenantDomain ?? shortId(alarm.tenantId)),
    at: isOver && alarm.overAt !== null ? alarm.overAt : alarm.raisedAt,
    span: spanOf(reader.language, until - Date.parse(alarm.raisedAt)),
    spanKey: isOver ? 'alarms.over-after' : 'alarms.open-for',
  }
}

function actionsOf(alarm: ListedAlarm, mayMend: boolean): AlarmView['actions'] {
  const actions: AlarmView['actions'] = []
  if (alarm.tenantId !== null) actions.push({ href: `/tenants/${alarm.tenantId}`, label: 'alarms.look.tenant' })
  if (alarm.customerId !== null) actions.push({ href: `/customers/${alarm.customerId}`, label: 'alarms.look.customer' })
  else if (alarm.kind === 'claim-waiting') actions.push({ href: '/customers', label: 'alarms.look.customers' })
  if (!mayMend) return actions
  if (alarm.kind === 'partner-fault' || alarm.kind === 'credential-ending') {
    actions.push({ href: '/doctor', label: 'alarms.look.setup' })
  }
  if (alarm.kind === 'delivery-failing' && alarm.subjectId !== null) {
    actions.push({ href: `/destinations/${alarm.subjectId}`, label: 'alarms.look.destination' })
  }
  return actions
}
