import type { Answer, Send } from './http.ts'
import type { IncidentSource } from './incidents.ts'
import type { AppToken, Capability } from './microsoft.ts'
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
}

const pageLimitBytes = 20_000_000
const pageDeadlineMs = 60_000

/** One GET with one token, and only to the configured origin. @throws Refusal without an answer */
export function callWith(
  { source, send, now }: Pick<Api, 'source' | 'send' | 'now'>,
  token: AppToken,
  url: string,
  tries: number,
): Promise<Answer> {
  if (new URL(url).origin !== source.origin) {
    throw new Refusal('unexpected-answer', { at: now().toISOString(), error: 'foreign_origin' })
  }
  return send({
    url,
    headers: { ...source.headers, authorization: `Bearer ${token.value}` },
    deadlineMs: pageDeadlineMs,
    limitBytes: pageLimitBytes,
    tries,
  })
}

/**
 * One record or list from the API. A token that is refused is renewed once: it may have been issued before a change.
 * @throws Refusal
 */
export async function getRecord(
  api: Api,
  tenantId: string,
  url: string,
): Promise<{ body: Record<string, unknown>; bytes: number }> {
  let token = await api.tokens.get(tenantId, api.resource)
  let answer = await callWith(api, token, url, 4)
  if (answer.status === 401) {
    token = await api.tokens.renew(tenantId, api.resource, token)
    answer = await callWith(api, token, url, 4)
  }
  if (answer.status !== 200) throw readApiRefusal(answer, roleHeld(api.source, token, 'readIncidents'), api.now())
  return { body: bodyOf(answer, api.now()), bytes: answer.text.length }
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
