import type { Portal } from '../../portal.ts'
import type { Destination } from '../../store/notify/destinations.ts'
import type { Message } from '../message.ts'
import { readRetryAfter } from '../schedule.ts'
import {
  type DoorSettings,
  type OutboundAnswer,
  OutboundError,
  type OutboundRequest,
  outboundFaults,
  sendOutbound,
} from './outbound.ts'

/**
 * What becomes of a message after a try. again: by the schedule · refused: this message will never be taken · dead: nothing
 * will ever be taken there.
 */
export type Verdict = 'delivered' | 'handed-over' | 'again' | 'refused' | 'dead'

export interface Outcome {
  verdict: Verdict
  /** `delivered`, `handed-over`, or why not: `notify.outcome.<word>` in the catalogue. */
  word: OutcomeWord
  status: number | null
  ms: number | null
  /** What the other side said, without the destination's secrets; short. */
  answer: string | null
  retryAfterMs: number | null
}

export const outcomeWords = [
  'delivered',
  'handed-over',
  'interrupted',
  'refused',
  'redirected',
  'gone',
  'too-large',
  'slow-down',
  'failed',
  'outdated',
  'unreadable',
  'not-set-up',
  ...outboundFaults,
] as const
export type OutcomeWord = (typeof outcomeWords)[number]

/** How one kind of destination is reached. */
export interface Channel<Address> {
  /** Messages that go in one piece; 1 but where the other side reads lines. */
  together: number
  send(
    portal: Portal,
    door: DoorSettings,
    to: { destination: Destination; address: Address },
    messages: readonly Message[],
  ): Promise<Outcome>
}

/** What several channels say of an answer alike. https://www.standardwebhooks.com */
export function judgeStatus(status: number): Pick<Outcome, 'verdict' | 'word'> {
  if (status >= 200 && status < 300) return { verdict: 'delivered', word: 'delivered' }
  if (status >= 300 && status < 400) return { verdict: 'again', word: 'redirected' }
  if (status === 410) return { verdict: 'dead', word: 'gone' }
  if (status === 413) return { verdict: 'refused', word: 'too-large' }
  if ([429, 502, 503, 504].includes(status)) return { verdict: 'again', word: 'slow-down' }
  return { verdict: 'again', word: 'failed' }
}

/**
 * Posts something to a destination's address and judges what came back.
 * @param secrets are taken out of what is kept of the answer: some receivers repeat what they were sent
 */
export async function post(
  portal: Portal,
  door: DoorSettings,
  request: OutboundRequest,
  secrets: readonly string[],
  judge: (answer: OutboundAnswer) => Pick<Outcome, 'verdict' | 'word'> = (answer) => judgeStatus(answer.status),
): Promise<Outcome> {
  try {
    const answer = await sendOutbound(door, request)
    return {
      ...judge(answer),
      status: answer.status,
      ms: answer.ms,
      answer: shownAnswer(answer.text, [...secrets, ...secretsOf(request.url)]),
      retryAfterMs: readRetryAfter(answer.retryAfter, portal.now()),
    }
  } catch (error) {
    if (!(error instanceof OutboundError)) throw error
    return { verdict: 'again', word: error.fault, status: null, ms: null, answer: error.detail, retryAfterMs: null }
  }
}

const longestAnswer = 200

/** An answer as it may be kept and shown: one line, printable, short, and without any of the secrets. */
export function shownAnswer(text: string, secrets: readonly string[]): string | null {
  let answer = text
  for (const secret of secrets) if (secret.length >= 6) answer = answer.replaceAll(secret, '…')
  const line = answer.replace(/[\p{C}\s]+/gu, ' ').trim()
  return line === '' ? null : line.slice(0, longestAnswer)
}

/** Parts of an address that may be a secret: its path, its query, and their longer parts. */
function secretsOf(address: string): string[] {
  const url = new URL(address)
  const parts = [...url.pathname.split('/'), ...url.searchParams.values()].filter((part) => part.length >= 8)
  return [url.href, `${url.pathname}${url.search}`, ...parts].filter((part) => part.length >= 6)
}

/** Host and the last four characters: what may be shown of an address that is itself a secret. */
export const shownAddress = (address: string): string => {
  const url = new URL(address)
  const tail = `${url.pathname}${url.search}`.replace(/\/$/, '')
  return tail.length > 8 ? `${url.host} …${tail.slice(-4)}` : url.host
}
