import type { Answer } from './http.ts'
import { retryAfterMs } from './http.ts'
import { Refusal, type RefusalCode, type RefusalFacts } from './refusals.ts'

/**
 * Microsoft's numbers in our words. The texts change, the numbers hardly ever do.
 * https://learn.microsoft.com/entra/identity-platform/reference-error-codes
 */
const byNumber: ReadonlyMap<number, RefusalCode> = new Map(
  (
    [
      ['not-consented', [7000229, 700016, 65001, 65004, 90094, 90095]],
      ['app-disabled', [7000112]],
      ['unlicensed', [500011, 650051, 650052]],
      ['blocked-by-policy', [53000, 53001, 53002, 53003, 53004, 530032, 530034, 530035, 50105]],
      ['tenant-gone', [90002]],
      ['other-cloud', [90038, 900382, 900381, 900384]],
      [
        'partner-credential',
        [7000215, 7000222, 7000218, 7000216, 700027, 7000214, 7000274, 7000277, 700023, 700024, 1000502],
      ],
      [
        'partner-registration',
        [900023, 650053, 650054, 650056, 650057, 65005, 70011, 9001023, 50011, 50194, 500113, 900971, 90099, 100007],
      ],
      ['unavailable', [90033, 90024, 90006, 90090]],
      ['throttled', [90055, 50196]],
      ['interaction-required', [16000, 16001, 50058, 50072, 50074, 50076, 50079, 50097, 50125, 50140]],
      ['sign-in-invalid', [50020, 50034, 54005, 70000, 70008, 70043, 501481]],
    ] satisfies [RefusalCode, number[]][]
  ).flatMap(([code, numbers]) => numbers.map((number) => [number, code] as const)),
)

/** OAuth's own words, for an answer without a number that is known. */
const byWord: Record<string, RefusalCode> = {
  unauthorized_client: 'not-consented',
  consent_required: 'not-consented',
  invalid_resource: 'unlicensed',
  invalid_scope: 'partner-registration',
  invalid_tenant: 'tenant-gone',
  temporarily_unavailable: 'unavailable',
  server_error: 'unavailable',
  interaction_required: 'interaction-required',
  login_required: 'interaction-required',
  account_selection_required: 'interaction-required',
}

const guid = /[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/i

/** An answer of the login service that is not a token. Bodies without JSON (a gateway's page) are judged by status. */
export function readTokenRefusal(answer: Answer, now: Date): Refusal {
  const body = objectIn(answer.text)
  const numbers = aadstsNumbers(body)
  const aadsts = numbers.find((number) => byNumber.has(number)) ?? numbers[0] ?? null
  const error = word(body.error)
  const facts: RefusalFacts = {
    aadsts,
    status: answer.status,
    error,
    correlationId: idIn(body.correlation_id),
    traceId: idIn(body.trace_id) ?? idIn(answer.headers.get('x-ms-request-id')),
    at: now.toISOString(),
  }
  const code = codeOf({ status: answer.status, aadsts, error, suberror: word(body.suberror) })
  return new Refusal(code, facts, { retryAfterMs: retryAfterMs(answer.headers, now) })
}

/** What an AADSTS number or an OAuth error word means to us. */
export function codeOf(said: {
  status: number | null
  aadsts: number | null
  error: string | null
  suberror?: string | null
}): RefusalCode {
  if (said.status === 429) return 'throttled'
  const known = said.aadsts === null ? undefined : byNumber.get(said.aadsts)
  if (known) return known
  if (said.status !== null && said.status >= 500) return 'unavailable'
  // A number nobody has met yet may mean anything; without a number, OAuth's word is all there is.
  if (said.error === 'invalid_client') return said.aadsts === null ? 'partner-credential' : 'unexpected-answer'
  if (said.error === 'invalid_grant')
    return said.suberror === 'consent_required' ? 'not-consented' : 'blocked-by-policy'
  return (said.error === null ? undefined : byWord[said.error]) ?? 'unexpected-answer'
}

/**
 * An answer of Graph or the Defender API that is not data. A 403 says little by itself: without the role, without a
 * licence and before onboarding all look alike. What the token holds decides first, then the text.
 * @param roleHeld whether the token carries the role; null when the token cannot be read
 */
export function readApiRefusal(answer: Answer, roleHeld: boolean | null, now: Date): Refusal {
  const said = (objectIn(answer.text).error ?? {}) as Record<string, unknown>
  const inner = (said.innerError ?? {}) as Record<string, unknown>
  const facts: RefusalFacts = {
    aadsts: null,
    status: answer.status,
    error: word(said.code),
    correlationId: idIn(inner['client-request-id']) ?? idIn(said.target),
    traceId: idIn(inner['request-id']) ?? idIn(answer.headers.get('request-id')),
    at: now.toISOString(),
  }
  return new Refusal(apiCode(answer.status, said, roleHeld), facts, { retryAfterMs: retryAfterMs(answer.headers, now) })
}

const roleLacking = /missing application roles|required application permissions|insufficient privileges/i
const notSubscribed = /onboard|licen[cs]|subscri|provision|isn.t enabled|not enabled/i

function apiCode(status: number, said: Record<string, unknown>, roleHeld: boolean | null): RefusalCode {
  if (status === 401) return 'unauthorized'
  if (status === 429) return 'throttled'
  if (status >= 500) return 'unavailable'
  if (status !== 403) return 'unexpected-answer'
  if (roleHeld === false) return 'role-missing'
  const message = typeof said.message === 'string' ? said.message.slice(0, 2000) : ''
  if (roleHeld === null && roleLacking.test(message)) return 'role-missing'
  if (said.code === 'DisabledFeature' || notSubscribed.test(message)) return 'unlicensed'
  return roleHeld === null ? 'role-missing' : 'data-unavailable'
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

function aadstsNumbers(body: Record<string, unknown>): number[] {
  const listed = Array.isArray(body.error_codes) ? body.error_codes.map(Number).filter(Number.isSafeInteger) : []
  const named = aadstsIn(body.error_description)
  return named === null || listed.includes(named) ? listed : [...listed, named]
}

/** The first AADSTS number in a text; null when there is none. */
export function aadstsIn(text: unknown): number | null {
  const found = typeof text === 'string' ? /AADSTS(\d{4,8})/.exec(text.slice(0, 4000))?.[1] : undefined
  return found === undefined ? null : Number(found)
}

/** A GUID somewhere in a text, in lower case. */
export function idIn(value: unknown): string | null {
  return typeof value === 'string' ? (guid.exec(value.slice(0, 4000))?.[0].toLowerCase() ?? null) : null
}

function word(value: unknown): string | null {
  return typeof value === 'string' && /^[\w.-]{1,60}$/.test(value) ? value : null
}
