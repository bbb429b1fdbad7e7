import type { Portal } from '../portal.ts'
import { type Destination, destinationsBy } from '../store/notify/destinations.ts'
import {
  type ClaimedMessage,
  type MessageState,
  mostAtOnce,
  type OutboxMessage,
  type Try,
} from '../store/notify/outbox.ts'
import { type NotedOutcome, noteOutcomes } from '../store/notify/outcomes.ts'
import { type ForwardedEvent, forwardedEvents, type NamedAlarm, namedAlarms } from '../store/notify/subjects.ts'
import { findOperator } from '../store/operators/operators.ts'
import { isLanguage, type Language } from '../words.ts'
import type { Outcome } from './channels/channel.ts'
import { sendMail } from './channels/mail.ts'
import { type Addressee, composeAlarm, composeEvent, composeTest } from './compose.ts'
import type { Message } from './message.ts'
import { restAfter, retryAfter } from './schedule.ts'
import { failedBy, sendTo, togetherOf } from './send.ts'

/** What claimed messages are about, looked up together. */
interface Subjects {
  destinations: Map<string, Destination>
  alarms: Map<string, NamedAlarm>
  events: Map<string, ForwardedEvent>
}

/** Messages that go to one destination or person in one try. */
export interface Parcel {
  /** The destination, or the person: what may have so many parcels under way at once. */
  to: string
  /** How many of its parcels may be under way. */
  most: number
  claimed: ClaimedMessage[]
  send(): Promise<NotedOutcome[]>
}

/** Makes parcels of claimed messages: one each, or together where the other side reads lines. */
export async function parcelsOf(portal: Portal, claimed: readonly ClaimedMessage[]): Promise<Parcel[]> {
  if (claimed.length === 0) return []
  const subjectsOf = (topic: string) =>
    claimed.filter(({ message }) => message.topic === topic).map(({ message }) => message.subjectId)
  const subjects: Subjects = {
    destinations: await destinationsBy(
      portal.db,
      claimed.flatMap(({ message }) => message.destinationId ?? []),
    ),
    alarms: await namedAlarms(portal.db, subjectsOf('alarm')),
    events: await forwardedEvents(portal.db, subjectsOf('audit')),
  }
  const parcels: Parcel[] = []
  for (const [to, theirs] of grouped(claimed)) {
    const destination = subjects.destinations.get(to)
    const together = destination ? togetherOf(destination.kind) : 1
    const most = destination ? Math.max(1, Math.floor(mostAtOnce[destination.kind] / together)) : 1
    for (let from = 0; from < theirs.length; from += together) {
      const some = theirs.slice(from, from + together)
      parcels.push({ to, most, claimed: some, send: () => sendParcel(portal, subjects, destination ?? null, some) })
    }
  }
  return parcels
}

const addresseeOf = (message: OutboxMessage): string => message.destinationId ?? `person ${message.recipient}`

function grouped(claimed: readonly ClaimedMessage[]): Map<string, ClaimedMessage[]> {
  const groups = new Map<string, ClaimedMessage[]>()
  for (const one of claimed) {
    const to = addresseeOf(one.message)
    groups.set(to, [...(groups.get(to) ?? []), one])
  }
  return groups
}

/** Never throws: what nobody foresaw is a try that failed, and is in the log. */
async function sendParcel(
  portal: Portal,
  subjects: Subjects,
  destination: Destination | null,
  claimed: readonly ClaimedMessage[],
): Promise<NotedOutcome[]> {
  let outcome: Outcome
  try {
    outcome = await attempt(portal, subjects, destination, claimed)
  } catch (error) {
    portal.log.error({ err: error, destinationId: destination?.id ?? null }, 'a message could not be sent')
    outcome = failedBy('again', 'failed')
  }
  return claimed.map((one) => endingOf(one, outcome, destination, portal.now()))
}

async function attempt(
  portal: Portal,
  subjects: Subjects,
  destination: Destination | null,
  claimed: readonly ClaimedMessage[],
): Promise<Outcome> {
  if (destination) {
    const to = addressee(destination)
    const messages = claimed.flatMap(({ message }) => compose(portal, subjects, to, message) ?? [])
    return messages.length === 0 ? outdated : sendTo(portal, destination, messages)
  }
  const [one] = claimed
  const operator = one?.message.recipient ? await findOperator(portal.db, one.message.recipient) : null
  if (!one || !operator?.username) return failedBy('refused', 'address-unusable')
  const language: Language = isLanguage(operator.language) ? operator.language : 'en'
  const says = { customers: true, people: true, devices: true }
  const reader = { id: null, name: null, language, timeZone: operator.timeZone ?? 'UTC', says }
  const message = compose(portal, subjects, reader, one.message)
  return message ? sendMail(portal, [operator.username], message) : outdated
}

/** What it was about is gone: there is nothing to tell any more. */
const outdated = failedBy('refused', 'outdated')

const addressee = ({ id, name, language, timeZone, says }: Destination): Addressee => ({
  id,
  name,
  language,
  timeZone,
  says,
})

/** Null where what it was about is gone: it was kept long enough, and there is nothing to tell any more. */
function compose(portal: Portal, subjects: Subjects, to: Addressee, message: OutboxMessage): Message | null {
  if (message.topic === 'test') return composeTest(portal.config, to, message.id, new Date(message.createdAt))
  if (message.topic === 'audit') {
    const event = subjects.events.get(message.subjectId)
    return event ? composeEvent(portal.config, to, message.id, event) : null
  }
  const alarm = subjects.alarms.get(message.subjectId)
  return alarm ? composeAlarm(portal.config, to, message, alarm) : null
}

const stateOf: Record<Outcome['verdict'], MessageState> = {
  delivered: 'delivered',
  'handed-over': 'handed-over',
  again: 'waiting',
  refused: 'failed',
  dead: 'failed',
}
/** The last tries are what anybody looks for. */
const mostTries = 12

function endingOf(
  { claim, message }: ClaimedMessage,
  outcome: Outcome,
  destination: Destination | null,
  now: Date,
): NotedOutcome {
  const later = (ms: number) => new Date(now.getTime() + ms).toISOString()
  const good = outcome.verdict === 'delivered' || outcome.verdict === 'handed-over'
  // The operator who pressed the button has seen the answer: a test is sent once.
  const mayRetry = outcome.verdict === 'again' && message.topic !== 'test'
  const wait = mayRetry ? retryAfter(message.attempts + 1, outcome.retryAfterMs) : null
  const over = outcome.verdict === 'again' && wait === null
  return {
    claim,
    tries: [...message.tries, ...interruption(claim), tryOf(outcome, now)].slice(-mostTries),
    state: over ? 'failed' : stateOf[outcome.verdict],
    nextAt: wait === null ? null : later(wait),
    // What is wrong with a message says nothing of where it was to go.
    destinationId: outcome.verdict === 'refused' ? null : (destination?.id ?? null),
    good,
    // A test tells the operator who pressed the button, and switches nothing off.
    offReason: message.topic !== 'test' && (over || outcome.verdict === 'dead') ? outcome.word : null,
    notBefore: good ? null : later(restAfter((destination?.failures ?? 0) + 1, outcome.retryAfterMs)),
  }
}

/** It was being sent when the process ended: whether it arrived is not known. */
const interruption = (claim: ClaimedMessage['claim']): Try[] =>
  claim.interrupted ? [{ at: claim.dueAt, outcome: 'interrupted', status: null, ms: null, answer: null }] : []

const tryOf = ({ word, status, ms, answer }: Outcome, now: Date): Try => ({
  at: now.toISOString(),
  outcome: word,
  status,
  ms,
  answer,
})

/** Writes outcomes down together: what ends within a moment is one transaction, and none of them waits for another try. */
export class Notebook {
  readonly #portal: Portal
  #waiting: { outcomes: NotedOutcome[]; noted: () => void; failed: (error: unknown) => void }[] = []
  #writing: Promise<void> | null = null

  constructor(portal: Portal) {
    this.#portal = portal
  }

  /** Resolves once they are written. @throws what the database said; their leases then end by themselves */
  note(outcomes: NotedOutcome[]): Promise<void> {
    const written = new Promise<void>((noted, failed) => this.#waiting.push({ outcomes, noted, failed }))
    this.#writing ??= this.#write().finally(() => {
      this.#writing = null
    })
    return written
  }

  async #write(): Promise<void> {
    while (this.#waiting.length > 0) {
      const batch = this.#waiting.splice(0)
      try {
        const outcomes = batch.flatMap((one) => one.outcomes)
        await noteOutcomes(this.#portal.db, outcomes, this.#portal.now())
        for (const one of batch) one.noted()
      } catch (error) {
        for (const one of batch) one.failed(error)
      }
    }
  }
}
