import { findGuid } from '../../guid.ts'
import { meaningOf } from '../../model/dictionary.ts'
import { Refusal, type RefusalCode, type RefusalFacts } from '../../model/refusal.ts'
import type { Answer } from './http.ts'
import { retryAfterMs } from './http.ts'

/** An answer of the login service that is not a token. Bodies without JSON (a gateway's page) are judged by status. */
export function readTokenRefusal(answer: Answer, now: Date): Refusal {
  const body = objectIn(answer.text)
  const error = word(body.error)
  const { code, owner, aadsts } = meaningOf({
    numbers: numbersOf(body),
    word: error,
    suberror: word(body.suberror),
    status: answer.status,
  })
  const facts: RefusalFacts = {
    aadsts,
    status: answer.status,
    error,
    correlationId: idIn(body.correlation_id),
    traceId: idIn(body.trace_id) ?? idIn(answer.headers.get('x-ms-request-id')),
    at: now.toISOString(),
  }
  return new Refusal(code, facts, { owner, retryAfterMs: retryAfterMs(answer.headers, now) })
}

/**
 * An answer of Graph or the Defender API that is not data. A 403 says little by itself: without the role, without a
 * licence and before onboarding all look alike. What the token holds decides first, then the text. A service that was
 * never set up in a tenant is told by 400, 404 and 410 as well.
 * @param about `list` when the tenant's list was asked for, `item` for anything below it
 * @param roleHeld whether the token carries the role; null when the token cannot be read
 */
export function readApiRefusal(
  answer: Answer,
  { about, roleHeld }: { about: 'list' | 'item'; roleHeld: boolean | null },
  now: Date,
): Refusal {
  const fault = (objectIn(answer.text).error ?? {}) as Record<string, unknown>
  const inner = (fault.innerError ?? {}) as Record<string, unknown>
  const facts: RefusalFacts = {
    aadsts: null,
    status: answer.status,
    error: word(fault.code),
    correlationId: idIn(inner['client-request-id']) ?? idIn(fault.target),
    traceId: idIn(inner['request-id']) ?? idIn(answer.headers.get('request-id')),
    at: now.toISOString(),
  }
  return new Refusal(apiCode(answer.status, fault, roleHeld), facts, {
    retryAfterMs: retryAfterMs(answer.headers, now),
    unknownItem: about === 'item' && answer.status === 404 && namesUnknownItem(fault),
  })
}

const roleLacking = /missing application roles|required application permissions|insufficient privileges/i
const notSubscribed = /onboard|licen[cs]|subscri|provision|isn.t enabled|not enabled/i

/** `UnknownTenantId`, `TenantNotProvisioned`, "Tenant … was not found". */
const tenantUnknown = /unknown\s?tenant|tenant[^.]{0,80}not[\s_]?(found|exist|known|provisioned|registered)/i
const itemUnknown = /not_?found$/i
const incidentUnknown = /incident.{0,80}(not found|not exist|unknown)|(no|unknown) (such )?incident/i

function apiCode(status: number, fault: Record<string, unknown>, roleHeld: boolean | null): RefusalCode {
  if (status === 401) return 'unauthorized'
  if (status === 429) return 'throttled'
  if (status >= 500) return 'unavailable'
  if (status === 400 || status === 404 || status === 410) {
    return namesNoService(fault, status) ? 'not-set-up' : 'unexpected-answer'
  }
  if (status !== 403) return 'unexpected-answer'
  if (roleHeld === false) return 'role-missing'
  const message = typeof fault.message === 'string' ? fault.message.slice(0, 2000) : ''
  if (roleHeld === null && roleLacking.test(message)) return 'role-missing'
  if (fault.code === 'DisabledFeature' || notSubscribed.test(message)) return 'unlicensed'
  return roleHeld === null ? 'role-missing' : 'data-unavailable'
}

const wordsOf = ({ code, message }: Record<string, unknown>) =>
  [code, message].map((part) => (typeof part === 'string' ? part.slice(0, 2_000) : '')) as [string, string]

function namesNoService(fault: Record<string, unknown>, status: number): boolean {
  const [code, message] = wordsOf(fault)
  if (code === 'DisabledFeature' || tenantUnknown.test(code)) return true
  // "Tenant 4: incident 7 was not found" is about the incident.
  if (incidentUnknown.test(message)) return false
  // A 400 says of options in a query as well that they are not enabled.
  const notThere = status === 400 ? /onboard|licen[cs]|subscri|provision/i : notSubscribed
  return notThere.test(code) || notThere.test(message) || tenantUnknown.test(message)
}

/** https://learn.microsoft.com/defender-xdr/api-get-incident: 404 for an ID that it does not know. */
function namesUnknownItem(fault: Record<string, unknown>): boolean {
  const [code, message] = wordsOf(fault)
  return (
    !namesNoService(fault, 404) && !/tenant/i.test(code) && (itemUnknown.test(code) || incidentUnknown.test(message))
  )
}

/** The JSON object in a body, or an empty one: bodies at the edge are often HTML. */
export function objectIn(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : {}
  } catch {
    return {}
  }
}

/** More than this no answer names; a list without end is not Microsoft's. */
const mostNumbers = 20

function numbersOf(body: Record<string, unknown>): number[] {
  const codes = Array.isArray(body.error_codes) ? body.error_codes.slice(0, mostNumbers) : []
  const numbers = codes.map((number: unknown) => (typeof number === 'string' ? Number(number) : number))
  const safe = numbers.filter((number): number is number => Number.isSafeInteger(number))
  return [...new Set([...safe, ...numbersIn(body.error_description)])]
}

/** The AADSTS numbers in a text, in their order: some answers name a general one first and then what was the matter. */
export function numbersIn(text: unknown): number[] {
  if (typeof text !== 'string') return []
  return [...text.slice(0, 4000).matchAll(/AADSTS(\d{4,8})\b/g)]
    .slice(0, mostNumbers)
    .map(([, digits]) => Number(digits))
}

/** A GUID somewhere in a text, in lower case. */
export function idIn(value: unknown): string | null {
  return typeof value === 'string' ? findGuid(value.slice(0, 4000)) : null
}

function word(value: unknown): string | null {
  return typeof value === 'string' && /^[\w.-]{1,60}$/.test(value) ? value : null
}
