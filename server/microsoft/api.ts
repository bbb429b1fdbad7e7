import { setImmediate as breath } from 'node:timers/promises'
import type { Log } from '../log.ts'
import type { Answer, Send } from './http.ts'
import type { IncidentSource } from './incidents.ts'
import type { AppToken, CallMeter, Capability } from './microsoft.ts'
import { allows, allowsExactly } from './permissions.ts'
import { readApiRefusal } from './read-refusal.ts'
import { isRecord } from './reading.ts'
import { Refusal } from './refusals.ts'
import type { Tokens } from './tokens.ts'

export interface Api {
  source: IncidentSource
  resource: string
  tokens: Tokens
  send: Send
  now: () => Date
  log: Log
}

/** What is parsed in one piece; a list that is longer is asked for in smaller pages. */
const pageLimitBytes = 10_000_000
/** A service that has not said a word by then is asked again or given up; a page may well take a while to arrive. */
const answerMs = 30_000
/** For all tries of one request together: a hung tenant holds a place among those being read, and no longer than this. */
const pageDeadlineMs = 60_000
/** Nothing else runs while an answer is decoded, parsed or read; above this the three are taken apart. */
const heavyCharacters = 500_000

/** One GET with one token, and only to the configured origin. @throws Refusal without an answer, and what `calls` throws */
export function callWith(
  { source, send, now }: Pick<Api, 'source' | 'send' | 'now'>,
  token: AppToken,
  url: string,
  options: { tries: number; deadlineMs?: number; calls?: CallMeter | undefined },
): Promise<Answer> {
  if (new URL(url).origin !== source.origin) {
    throw new Refusal('unexpected-answer', { at: now().toISOString(), error: 'foreign_origin' })
  }
  const { calls, tries, deadlineMs = pageDeadlineMs } = options
  return send({
    url,
    api: source.api,
    headers: { ...source.headers, authorization: `Bearer ${token.value}` },
    deadlineMs,
    answerMs: Math.min(answerMs, deadlineMs),
    limitBytes: pageLimitBytes,
    tries,
    ...(calls === undefined ? {} : { before: () => calls.take() }),
  })
}

/** One answer that is data. */
export interface FoundRecord {
  body: Record<string, unknown>
  /** Length of the answer, in characters. */
  bytes: number
  /** Whether Microsoft said (206) that some of its sources did not answer. */
  partial: boolean
}

/**
 * One record or list from the API. A token that is refused is renewed once: it may have been issued before a change.
 * A 206 is data with something missing: https://learn.microsoft.com/graph/api/resources/security-error-codes
 * @param calls asked before every request to the API, each repeated try included, and not before those for tokens
 * @throws Refusal
 */
export async function getRecord(api: Api, tenantId: string, url: string, calls?: CallMeter): Promise<FoundRecord> {
  let token = await api.tokens.get(tenantId, api.resource)
  let answer = await callWith(api, token, url, { tries: 4, calls })
  if (answer.status === 401) {
    token = await api.tokens.renew(tenantId, api.resource, token)
    answer = await callWith(api, token, url, { tries: 4, calls })
  }
  const partial = answer.status === 206
  if (answer.status !== 200 && !partial) {
    throw readApiRefusal(answer, roleHeld(api.source, token, 'readIncidents'), api.now())
  }
  if (partial) {
    const warning = answer.headers.get('warning')?.replace(/[^\w "{}/.:,-]/g, '')
    api.log.warn({ tenantId, warning: warning?.slice(0, 200) ?? null }, 'some sources did not answer Microsoft')
  }
  const heavy = answer.text.length > heavyCharacters
  if (heavy) await breath()
  const body = bodyOf(answer, api.now())
  if (heavy) await breath()
  return { body, bytes: answer.text.length, partial }
}

/** Whether the token says it may; null when it cannot be read, or names the role in another spelling. */
export function roleHeld(source: IncidentSource, token: AppToken, capability: Capability): boolean | null {
  if (token.claims === null) return null
  const { roles } = token.claims
  if (!allows(source.api, capability, roles)) return false
  return allowsExactly(source.api, capability, roles) ? true : null
}

/** @throws Refusal `unexpected-answer`: HTML, half a document, a list where a record was due */
export function bodyOf(answer: Answer, now: Date): Record<string, unknown> {
  let value: unknown
  try {
    value = JSON.parse(answer.text, answer.text.includes('\\u0000') ? withoutNul : undefined)
  } catch {
    value = null
  }
  if (isRecord(value)) return value
  throw new Refusal('unexpected-answer', { at: now.toISOString(), status: answer.status, error: 'not_json' })
}

/** PostgreSQL stores no NUL, not even inside JSON. */
const withoutNul = (_key: string, value: unknown) => (typeof value === 'string' ? value.replaceAll('\0', '') : value)
