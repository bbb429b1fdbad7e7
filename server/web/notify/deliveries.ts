import { z } from 'zod'
import { PortalError } from '../../errors.ts'
import { operatorActor } from '../../http/access.ts'
import { pathValue, readForm, readQuery } from '../../http/forms.ts'
import type { Handler, OperatorRequest } from '../../http/route.ts'
import { headingOf } from '../../notify/compose.ts'
import { recordAudit } from '../../store/audit.ts'
import { write } from '../../store/engine/write.ts'
import { listDestinations } from '../../store/notify/destinations.ts'
import { countMessages, findMessage, listMessages } from '../../store/notify/message-list.ts'
import { type MessageState, messageStates, type OutboxMessage, replayMessage } from '../../store/notify/outbox.ts'
import { readAlarmSettings } from '../../store/notify/settings.ts'
import { type NamedAlarm, namedAlarms } from '../../store/notify/subjects.ts'
import type { MessageKey } from '../../words.ts'
import { page } from '../page/page.ts'
import { render } from '../page/render.ts'
import { readerOf } from './alarms.ts'
import { outcomeKey } from './destinations.ts'

interface DeliveryLine {
  id: string
  at: string
  /** What it is about: a text, or a key where there is none to make. */
  heading: string | null
  headingKey: MessageKey | null
  href: string | null
  destination: string | null
  destinationKey: MessageKey
  icon: string
  colour: string
  state: MessageKey
  why: MessageKey
  took: { status: number; ms: number } | null
  answer: string | null
  nextAt: string | null
  tries: number
  mayReplay: boolean
}

export interface DeliveriesView {
  lines: DeliveryLine[]
  tabs: { key: MessageKey; href: string; count: number; here: boolean }[]
  destinations: { id: string; name: string; picked: boolean }[]
  state: MessageState | null
  days: number
  /** The destination that is shown alone, where something of it can be sent again. */
  replay: { action: string; n: number } | null
  next: string | null
  newest: string | null
  /** Whether there is another page, either way. */
  paged: boolean
}

const deliveriesPage = page<DeliveriesView>('notify/deliveries')

const perPage = 50
const query = z.object({
  destination: z
    .string()
    .regex(/^[\w-]{1,60}$/)
    .optional()
    .catch(undefined),
  state: z.enum(messageStates).optional().catch(undefined),
  before: z
    .string()
    .regex(/^[\d:.TZ-]{24}_msg_[\w-]{20}$/)
    .optional()
    .catch(undefined),
})

/** Each message and how it ended, newest first. */
export const showDeliveries: Handler<OperatorRequest> = async (portal, req, res) => {
  const { destination, state, before } = readQuery(query, req)
  const { db } = portal
  const filter = destination ? { destinationId: destination } : {}
  const [at = '', ...id] = before?.split('_') ?? []
  const [messages, counts, destinations, { messageDays }] = await Promise.all([
    listMessages(db, {
      ...filter,
      ...(state ? { states: [state] } : {}),
      ...(before ? { before: { at, id: id.join('_') } } : {}),
      limit: perPage + 1,
    }),
    countMessages(db, destination),
    listDestinations(db),
    readAlarmSettings(db),
  ])
  const rows = messages.slice(0, perPage)
  const alarms = await namedAlarms(
    db,
    rows.filter(({ topic }) => topic === 'alarm').map(({ subjectId }) => subjectId),
  )
  const reader = readerOf(res.locals.reader)
  const names = new Map(destinations.map((one) => [one.id, one.name]))
  const last = rows.at(-1)
  const address = (more: Record<string, string | undefined>) => {
    const parts = Object.entries({ destination, state, ...more }).flatMap(([name, value]): [string, string][] =>
      value ? [[name, value]] : [],
    )
    return `/deliveries?${new URLSearchParams(parts)}`
  }
  const all = messageStates.reduce((sum, one) => sum + counts[one], 0)
  const more = messages.length > perPage
  const replayable = counts.failed + counts.held
  await render(res, deliveriesPage, {
    lines: rows.map((message) => lineOf(message, names, alarms, (alarm, change) => headingOf(reader, alarm, change))),
    tabs: [
      { key: 'deliveries.state.all', href: address({ state: undefined }), count: all, here: state === undefined },
      ...messageStates.map((one) => ({
        key: `deliveries.state.${one}` as const,
        href: address({ state: one }),
        count: counts[one],
        here: state === one,
      })),
    ],
    destinations: destinations.map((one) => ({ id: one.id, name: one.name, picked: one.id === destination })),
    state: state ?? null,
    days: messageDays,
    replay:
      destination !== undefined && names.has(destination) && replayable > 0
        ? { action: `/destinations/${destination}/replays`, n: replayable }
        : null,
    next: last && more ? address({ before: `${last.createdAt}_${last.id}` }) : null,
    newest: before === undefined ? null : address({}),
    paged: more || before !== undefined,
  })
}

/** Has one message sent again. @throws PortalError NOT_FOUND; CONFLICT where it is on its way */
export const replayOne: Handler<OperatorRequest> = async (portal, req, res) => {
  readForm({}, req)
  const id = pathValue(req, 'id')
  const { db, now } = portal
  await write(db, async (tx) => {
    const message = await findMessage(tx, id)
    if (!message) throw new PortalError('NOT_FOUND')
    if (!(await replayMessage(tx, id, now()))) throw new PortalError('CONFLICT')
    const name = (await listDestinations(tx)).find((one) => one.id === message.destinationId)?.name ?? ''
    const facts = { destination: name, messages: 1 }
    await recordAudit(tx, operatorActor(req), { action: 'deliveries.replayed', at: now(), subjectId: id, facts })
  })
  res.redirect(303, '/deliveries')
}

const drawn: Record<MessageState, { icon: string; colour: string }> = {
  delivered: { icon: 'circle-check', colour: 'ok-out' },
  'handed-over': { icon: 'circle-check', colour: 'ok-out' },
  waiting: { icon: 'clock', colour: 'try-out' },
  held: { icon: 'player-pause', colour: 'try-out' },
  failed: { icon: 'circle-x', colour: 'no-out' },
}

function lineOf(
  message: OutboxMessage,
  names: ReadonlyMap<string, string>,
  alarms: ReadonlyMap<string, NamedAlarm>,
  heading: (alarm: NamedAlarm, change: 'raised' | 'over') => string,
): DeliveryLine {
  const last = message.tries.at(-1)
  const alarm = alarms.get(message.subjectId)
  const topics = { alarm: 'deliveries.alarm', audit: 'deliveries.audit', test: 'deliveries.test' } as const
  return {
    id: message.id,
    at: message.createdAt,
    heading: alarm ? heading(alarm, message.change === 'over' ? 'over' : 'raised') : null,
    headingKey: alarm ? null : topics[message.topic],
    href: alarm ? `/alarms/${alarm.id}` : null,
    destination: names.get(message.destinationId ?? '') ?? null,
    destinationKey: message.destinationId === null ? 'deliveries.person' : 'deliveries.gone',
    ...drawn[message.state],
    state: `deliveries.state.${message.state}`,
    why: last ? outcomeKey(last.outcome) : 'delivery.waiting',
    took: last && last.status !== null && last.ms !== null ? { status: last.status, ms: last.ms } : null,
    answer: last?.answer ?? null,
    nextAt: message.state === 'waiting' && last ? message.nextAt : null,
    tries: message.attempts,
    mayReplay: message.state !== 'waiting' && message.topic !== 'test',
  }
}
