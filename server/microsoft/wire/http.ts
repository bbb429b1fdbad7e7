import { setTimeout as wait } from 'node:timers/promises'
import { microsoftCalls, microsoftInFlight } from '../../metrics.ts'
import { Refusal } from '../../model/refusal.ts'
import type { Arrival } from '../microsoft.ts'
import { Silence } from './silence.ts'

/** One request to Microsoft. */
export interface Outgoing {
  url: string
  method?: 'GET' | 'POST'
  headers?: Record<string, string>
  body?: string
  /** What the request is counted as. */
  api?: 'defender' | 'graph' | 'token'
  /** For everything together: tries, waits and the last byte of the body; what `before` and `admit` take is not counted. */
  deadlineMs: number
  /** For the first word of each answer; without it the deadline alone holds. */
  answerMs?: number
  /** Without a byte of a body for so long, the request is given up or repeated; 10 s where nothing is said. */
  stalledMs?: number
  /** The most that is read of an answer, after decompression. */
  limitBytes: number
  /** 1 for what must not be repeated, such as redeeming a code. */
  tries: number
  /** Asked before each try: one that is repeated at once counts against Microsoft's quota as well. What it throws ends the request. */
  before?: () => Promise<void>
  /** Asked when an answer is there and before its body is read: `CallMeter.admit`. What it throws ends the request. */
  admit?: (bytes: number) => Promise<Arrival>
}

export interface Answer {
  status: number
  headers: Headers
  bytes: Buffer
  /** The bytes decoded anew each time, without a byte order mark, which no JSON parser takes. */
  readonly text: string
  ms: number
}

export type Send = (request: Outgoing) => Promise<Answer>

/** The word in `facts.error` when an answer was longer than its limit. */
export const tooLarge = 'answer_too_large'

/** So much of an answer that is too long is looked at all the same: what it begins with says what it is. */
const headBytes = 64_000

/** An answer longer than its limit. Its status and headers are as good as those of any other. */
export class AnswerTooLarge extends Refusal {
  readonly status: number
  readonly headers: Headers
  readonly head: Buffer

  constructor(response: Response, head: Buffer, now: Date) {
    super('unexpected-answer', { at: now.toISOString(), status: response.status, error: tooLarge })
    this.status = response.status
    this.headers = response.headers
    this.head = head
  }
}

/** A longer wait is the scheduler's business: it holds no connection, no lease and no memory. */
const longestWaitMs = 3_000
const firstPauseMs = 250
const mayPass = new Set([429, 500, 502, 503, 504])

/**
 * The one way out. It never follows a redirect (a 3xx is returned as it is), never reads more than it was allowed, ends
 * at its deadline even when the body drips, and repeats what may pass by itself: lost connections, 5xx, short throttles.
 * An answer of any status is returned; a missing answer is thrown.
 * @throws Refusal `unavailable` without an answer in time, AnswerTooLarge for a good one that is too long
 */
export function outbound({ fetch, now }: { fetch: typeof globalThis.fetch; now: () => Date }): Send {
  return async (request) => {
    let leftMs = request.deadlineMs
    for (let turn = 1; ; turn++) {
      await request.before?.()
      const last = turn >= request.tries
      const late = new AbortController()
      const silence = new Silence(leftMs, () => late.abort())
      let asked: number | null = null
      try {
        const answer = await attempt(fetch, request, { late, silence }, now)
        leftMs = silence.leftMs
        asked = retryAfterMs(answer.headers, now())
        if (last || !mayPass.has(answer.status) || (asked ?? 0) > longestWaitMs) return answer
        // A throttle that does not say for how long is not over in a moment.
        if (asked === null && answer.status === 429) return answer
        // Full jitter: https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/
        const pause = (asked ?? 0) + Math.random() * firstPauseMs * 2 ** turn
        if (pause >= leftMs) return answer
        leftMs -= pause
        await wait(pause)
      } catch (error) {
        leftMs = silence.leftMs
        const pause = Math.random() * firstPauseMs * 2 ** turn
        const lost = error instanceof Refusal && error.code === 'unavailable'
        if (last || !lost || pause >= leftMs) throw error
        leftMs -= pause
        await wait(pause)
      }
    }
  }
}

/** What our own side threw while an answer was waiting for us: none of Microsoft's doing. */
class OwnError extends Error {}

interface Patience {
  late: AbortController
  silence: Silence
}

async function attempt(
  fetch: typeof globalThis.fetch,
  request: Outgoing,
  { late, silence }: Patience,
  now: () => Date,
): Promise<Answer> {
  const started = performance.now()
  silence.start()
  const first = setTimeout(() => late.abort(), request.answerMs ?? silence.leftMs)
  let status: string = 'none'
  microsoftInFlight.inc()
  try {
    const response = await fetch(request.url, {
      method: request.method ?? 'GET',
      headers: { accept: 'application/json', 'accept-encoding': 'identity', ...request.headers },
      redirect: 'manual',
      signal: late.signal,
      ...(request.body === undefined ? {} : { body: request.body }),
    })
    clearTimeout(first)
    status = String(response.status)
    const bytes = await readBody(response, request, { late, silence }, now)
    const ms = Math.round(performance.now() - started)
    return {
      status: response.status,
      headers: response.headers,
      bytes,
      ms,
      get text() {
        return new TextDecoder().decode(bytes)
      },
    }
  } catch (error) {
    if (error instanceof OwnError) throw error.cause
    if (error instanceof Refusal || isOurs(error)) throw error
    throw new Refusal(
      'unavailable',
      { at: now().toISOString(), error: late.signal.aborted ? 'timeout' : networkFault(error) },
      { cause: error },
    )
  } finally {
    clearTimeout(first)
    silence.stop()
    microsoftInFlight.dec()
    microsoftCalls.inc({ api: request.api ?? 'other', status })
  }
}

/** What is read of an answer before there is room for more, where it does not say how long it is. */
const unknownBytes = 64_000
const stalledMs = 10_000

/**
 * Reads a body as there is room for it: the socket is left alone meanwhile. Counts what comes out of the decompressor, so
 * that a small body that unfolds into a large one is stopped as well.
 */
async function readBody(
  response: Response,
  { admit, limitBytes, ...request }: Outgoing,
  { late, silence }: Patience,
  now: () => Date,
): Promise<Buffer> {
  if (response.body === null) return Buffer.alloc(0)
  let ours = false
  const stalled = setTimeout(() => (ours ? stalled.refresh() : late.abort()), request.stalledMs ?? stalledMs)
  /** Room is ours to find: Microsoft's time stands still. */
  const aside = async <Value>(wait: Promise<Value>): Promise<Value> => {
    ours = true
    silence.stop()
    try {
      return await wait
    } catch (cause) {
      throw new OwnError('there was no room', { cause })
    } finally {
      ours = false
      silence.start()
      stalled.refresh()
    }
  }
  let held = lengthOf(response, limitBytes) ?? unknownBytes
  try {
    const arrival = admit === undefined ? null : await aside(admit(held))
    const parts: Uint8Array[] = []
    let size = 0
    for await (const chunk of response.body) {
      stalled.refresh()
      size += chunk.byteLength
      parts.push(chunk)
      if (size > limitBytes) {
        const head = Buffer.concat(parts).subarray(0, headBytes)
        // What was refused is refused, however much was said about it.
        if (!response.ok) return head
        throw new AnswerTooLarge(response, head, now())
      }
      if (size <= held) continue
      held = Math.min(limitBytes, Math.max(size, held * 4))
      if (arrival !== null) await aside(arrival.hold(held))
    }
    if (arrival !== null && size < held) await arrival.hold(size)
    return Buffer.concat(parts, size)
  } finally {
    clearTimeout(stalled)
    // Whatever ends before the body does: nobody reads the rest.
    if (!response.bodyUsed) await response.body.cancel().catch(() => undefined)
  }
}

/** Bytes of the body, as the answer says; at most as many as are read of it. Null where it does not say. */
function lengthOf({ headers }: Response, limit: number): number | null {
  const length = headers.has('content-encoding') ? null : headers.get('content-length')
  return length !== null && /^\d{1,15}$/.test(length) ? Math.min(Number(length), limit) : null
}

/**
 * A network that fails is told by `fetch` as a TypeError with a cause or one of a few texts, or as the end of our own
 * patience. A header or an address that cannot be sent, or a bug in here, is none of Microsoft's.
 */
function isOurs(error: unknown): boolean {
  if (error instanceof ReferenceError || error instanceof RangeError || error instanceof SyntaxError) return true
  if (!(error instanceof TypeError) || 'code' in error) return false
  return error.cause === undefined
    ? !/^(fetch failed|terminated|network error|failed to fetch)/i.test(error.message)
    : (error.cause as { code?: unknown } | null)?.code === 'ERR_INVALID_URL'
}

function networkFault(error: unknown): string {
  const code = (error as { cause?: { code?: unknown } } | null)?.cause?.code
  return typeof code === 'string' && /^\w{1,40}$/.test(code) ? code : 'no_answer'
}

/** Longer than any throttle Microsoft documents; what is asked beyond it is not believed. */
const longestThrottleMs = 15 * 60_000

/**
 * `Retry-After` in milliseconds: seconds or a date (read by the answer's own clock), never negative, at most 15 minutes;
 * null when absent or not understood. https://www.rfc-editor.org/rfc/rfc9110#field.retry-after
 */
export function retryAfterMs(headers: Headers, now: Date): number | null {
  const value = headers.get('retry-after')?.trim()
  if (!value) return null
  if (/^\d+(\.\d+)?$/.test(value)) return Math.min(Number(value) * 1000, longestThrottleMs)
  const until = /[a-z]/i.test(value) ? Date.parse(value) : Number.NaN
  if (Number.isNaN(until)) return null
  const clock = Date.parse(headers.get('date') ?? '')
  return Math.min(Math.max(0, until - (Number.isNaN(clock) ? now.getTime() : clock)), longestThrottleMs)
}
