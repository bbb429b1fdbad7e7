import { z } from 'zod'
import { isSender, parseMailServer } from '../../config/mail-server.ts'
import { operatorActor } from '../../http/access.ts'
import { wholeNumber } from '../../http/fields.ts'
import { type FieldFault, readForm, says, type Typed } from '../../http/forms.ts'
import type { Handler, OperatorRequest } from '../../http/route.ts'
import { sealMailServer } from '../../notify/mail-server.ts'
import { write } from '../../store/engine/write.ts'
import { type Destination, listDestinations } from '../../store/notify/destinations.ts'
import { changeMailServer, findSealedMailServer } from '../../store/notify/mail-server.ts'
import { countHeld } from '../../store/notify/message-list.ts'
import { type AlarmSettings, changeAlarmSettings, readAlarmSettings } from '../../store/notify/settings.ts'
import type { MessageKey, MessageValues } from '../../words.ts'
import { page } from '../page/page.ts'
import { render } from '../page/render.ts'

type DestinationState = 'on' | 'failing' | 'paused' | 'off'

/** How a state is drawn, and how a kind of destination. */
export const stateBadges: Record<DestinationState, { colour: string; icon: string; key: MessageKey }> = {
  on: { colour: 'green', icon: 'circle-check', key: 'destinations.state.on' },
  failing: { colour: 'orange', icon: 'alert-triangle', key: 'destinations.state.failing' },
  paused: { colour: 'yellow', icon: 'player-pause', key: 'destinations.state.paused' },
  off: { colour: 'red', icon: 'ban', key: 'destinations.state.off' },
}
export const kindIcons: Record<Destination['kind'], string> = {
  mail: 'mail',
  teams: 'message-circle',
  slack: 'message-circle',
  webhook: 'code',
  siem: 'server',
}

interface DestinationLine {
  href: string
  name: string
  shown: string
  kindIcon: string
  kind: MessageKey
  what: { key: MessageKey; values: MessageValues }[]
  quiet: string | null
  zone: string
  lastSentAt: string | null
  badge: (typeof stateBadges)[DestinationState]
}

export interface DestinationsView {
  lines: DestinationLine[]
  off: { name: string; href: string; reason: MessageKey; held: number; at: string }[]
  count: number
  numbers: { name: keyof AlarmSettings; label: MessageKey; value: string }[]
  mailServer: { fromEnvironment: string | null; shown: string | null; from: string; url: string }
  faults: FieldFault[] | null
}

const destinationsPage = page<DestinationsView>('notify/destinations')

export const showDestinations: Handler<OperatorRequest> = (portal, req, res) =>
  showWith(portal, req, res, { typed: {}, faults: null })

async function showWith(
  portal: Parameters<Handler>[0],
  _req: OperatorRequest,
  res: Parameters<Handler>[2],
  { typed, faults }: { typed: Typed; faults: FieldFault[] | null },
): Promise<void> {
  const { db, config } = portal
  const [all, held, settings, kept] = await Promise.all([
    listDestinations(db),
    countHeld(db),
    readAlarmSettings(db),
    findSealedMailServer(db),
  ])
  const text = (name: string) => (typeof typed[name] === 'string' ? typed[name] : undefined)
  const { smtp } = config
  const view: DestinationsView = {
    lines: all.map(lineOf),
    off: all.flatMap(({ id, name, offAt, offReason }) =>
      offAt === null
        ? []
        : [{ name, href: `/destinations/${id}`, reason: outcomeKey(offReason), held: held.get(id) ?? 0, at: offAt }],
    ),
    count: all.length,
    numbers: numbers.map(({ name, label }) => ({ name, label, value: text(name) ?? String(settings[name]) })),
    mailServer: {
      fromEnvironment: smtp === null ? null : `${smtp.host}:${smtp.port}, ${smtp.from}`,
      shown: kept?.shown ?? null,
      from: text('from') ?? kept?.from ?? '',
      url: text('url') ?? '',
    },
    faults,
  }
  await render(res, destinationsPage, view, faults ? 422 : 200)
}

const numbers: readonly { name: keyof AlarmSettings; label: MessageKey }[] = [
  { name: 'dampingMinutes', label: 'destinations.damping' },
  { name: 'messageDays', label: 'destinations.message-days' },
  { name: 'alarmDays', label: 'destinations.alarm-days' },
]
const unusable = says('destinations.number.unusable')
const settingsForm = {
  dampingMinutes: wholeNumber(0, 1_440, unusable),
  messageDays: wholeNumber(1, 3_650, unusable),
  alarmDays: wholeNumber(1, 3_650, unusable),
}

export const saveAlarmSettings: Handler<OperatorRequest> = async (portal, req, res) => {
  const read = readForm(settingsForm, req)
  if (read.faults) return showWith(portal, req, res, read)
  await write(portal.db, (tx) => changeAlarmSettings(tx, operatorActor(req), read.value, portal.now()))
  res.redirect(303, '/destinations')
}

const mailForm = {
  url: z.string().max(1_000, says('destinations.mail-server.unusable')).default(''),
  from: z.string().trim().max(320, says('destinations.mail-server.from.unusable')).default(''),
}

/** Keeps a mail server, or none where both fields are empty; an address that is left empty stays. */
export const saveMailServer: Handler<OperatorRequest> = async (portal, req, res) => {
  const read = readForm(mailForm, req)
  if (read.faults) return showWith(portal, req, res, { ...read, typed: withoutUrl(read.typed) })
  const { from } = read.value
  const url = read.value.url.trim()
  const refused = (field: 'url' | 'from', key: MessageKey) =>
    showWith(portal, req, res, { typed: withoutUrl(read.typed), faults: [{ field, key }] })
  const kept = await findSealedMailServer(portal.db)
  const save = (server: Parameters<typeof changeMailServer>[2]) =>
    write(portal.db, (tx) => changeMailServer(tx, operatorActor(req), server, portal.now()))
  if (url === '' && from === '') await save(null)
  else if (!isSender(from)) return refused('from', 'destinations.mail-server.from.unusable')
  else if (url === '' && kept) await save({ ...kept, from })
  else {
    const server = parseMailServer(url, from)
    if (!server) return refused('url', 'destinations.mail-server.unusable')
    await save({ sealed: sealMailServer(portal, url), shown: `${server.host}:${server.port}`, from })
  }
  res.redirect(303, '/destinations')
}

/** A password is not shown again, whatever else is. */
const withoutUrl = ({ url: _, ...typed }: Typed): Typed => typed

export const stateOf = ({ offAt, pausedAt, failingSince }: Destination): DestinationState =>
  offAt !== null ? 'off' : pausedAt !== null ? 'paused' : failingSince !== null ? 'failing' : 'on'

export const outcomeKey = (word: string | null): MessageKey => `delivery.outcome.${word ?? 'failed'}` as MessageKey

function lineOf(destination: Destination): DestinationLine {
  const { id, name, shown, kind, kinds, audit, customers, groups, quiet, timeZone, lastSentAt } = destination
  const ofAll = customers === null && groups === null
  return {
    href: `/destinations/${id}`,
    name,
    shown,
    kindIcon: kindIcons[kind],
    kind: `destinations.kind.${kind}`,
    what: [
      kinds === null
        ? { key: 'destinations.all-kinds', values: {} }
        : { key: 'destinations.some-kinds', values: { n: kinds.length } },
      { key: ofAll ? 'destinations.of-all' : 'destinations.of-some', values: {} },
      ...(audit ? [{ key: 'destinations.with-audit' as const, values: {} }] : []),
    ],
    quiet: quiet === null ? null : `${quiet.from}–${quiet.to}`,
    zone: timeZone,
    lastSentAt,
    badge: stateBadges[stateOf(destination)],
  }
}
