import { setImmediate as breath } from 'node:timers/promises'
import type { Log } from '../../log.ts'
import type { Capability } from '../../model/access.ts'
import type { Instant } from '../../model/incident.ts'
import { Refusal } from '../../model/refusal.ts'
import type { Tokens } from '../login/tokens.ts'
import type { AppToken, CallMeter } from '../microsoft.ts'
import { allows, allowsExactly } from '../permissions.ts'
import type { Answer, Send } from '../wire/http.ts'
import { readApiRefusal } from '../wire/read-refusal.ts'
import { isRecord } from '../wire/reading.ts'
import type { Found, IncidentSource } from './incidents.ts'
import { partialIn } from './partial.ts'
import { splitList } from './split-list.ts'

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
/** Nothing else runs while an answer is looked through; above this, what waits has its turn before. */
const heavyBytes = 500_000

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
    ...(calls?.admit === undefined ? {} : { admit: calls.admit.bind(calls) }),
  })
}

/** One record, parsed. @throws Refusal, and what `calls` throws */
export async function getRecord(api: Api, tenantId: string, url: string, calls?: CallMeter): Promise<Found> {
  const answer = await get(api, tenantId, url, calls)
  return { body: bodyOf(answer, api.now()), bytes: answer.bytes.length, partial: partialIn(answer) }
}

/** One page of a list, its items still to be parsed where it could be taken apart. @throws Refusal, and what `calls` throws */
export async function getPage(api: Api, tenantId: string, url: string, calls?: CallMeter): Promise<Found> {
  const answer = await get(api, tenantId, url, calls)
  const apart = namesNul(answer) ? null : splitList(answer.bytes)
  const record = apart ?? { body: bodyOf(answer, api.now()), items: null }
  return { ...record, bytes: answer.bytes.length, partial: partialIn(answer), sentAt: sentAt(answer) }
}

/**
 * An answer with data from the API. A token that is refused is renewed once: it may have been issued before a change.
 * A 206 is data with something missing, which `partialIn` reads.
 * @param calls asked before every request to the API, each repeated try included, and not before those for tokens
 * @throws Refusal
 */
async function get(api: Api, tenantId: string, url: string, calls?: CallMeter): Promise<Answer> {
  let token = await api.tokens.get(tenantId, api.resource)
  let answer = await callWith(api, token, url, { tries: 4, calls })
  if (answer.status === 401) {
    token = await api.tokens.renew(tenantId, api.resource, token)
    answer = await callWith(api, token, url, { tries: 4, calls })
  }
  if (answer.status !== 200 && answer.status !== 206) {
    const about = isList(api.source, url) ? 'list' : 'item'
    throw readApiRefusal(answer, { about, roleHeld: roleHeld(api.source, token, 'readIncidents') }, api.now())
  }
  if (partialIn(answer)) {
    const warning = answer.headers.get('warning')?.replace(/[^\w "{}/.:,-]/g, '')
    api.log.warn({ tenantId, warning: warning?.slice(0, 200) ?? null }, 'some sources did not answer Microsoft')
  }
  if (answer.bytes.length > heavyBytes) await breath()
  return answer
}

const isList = (source: IncidentSource, url: string) =>
  new URL(url).pathname === new URL(source.listUrl({}, { top: 1, skip: 0 })).pathname

/** https://www.rfc-editor.org/rfc/rfc9110#field.date: in whole seconds, cut off. */
function sentAt({ headers }: Answer): Instant | null {
  const at = Date.parse(headers.get('date') ?? '')
  return Number.isNaN(at) ? null : `${new Date(at).toISOString().slice(0, 19)}.9999999Z`
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
    value = JSON.parse(answer.text, namesNul(answer) ? withoutNul : undefined)
  } catch {
    value = null
  }
  if (isRecord(value)) return value
  throw new Refusal('unexpected-answer', { at: now.toISOString(), status: answer.status, error: 'not_json' })
}

const namesNul = ({ bytes }: Answer) => bytes.includes('\\u0000')

/** PostgreSQL stores no NUL, not even inside JSON: it is made visible. */
const withoutNul = (_key: string, value: unknown) =>
  typeof value === 'string' ? value.replaceAll('\0', '\ufffd') : value
