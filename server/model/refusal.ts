/** Why Microsoft said no, in our words. `refusal.<code>` and `refusal.<code>.next` are the texts. */
export type RefusalCode =
  | 'not-consented'
  | 'role-missing'
  | 'app-disabled'
  | 'unlicensed'
  | 'not-set-up'
  | 'data-unavailable'
  | 'blocked-by-policy'
  | 'tenant-gone'
  | 'tenant-unavailable'
  | 'other-cloud'
  | 'partner-credential'
  | 'partner-registration'
  | 'throttled'
  | 'unavailable'
  | 'unexpected-answer'
  | 'wrong-tenant-token'
  | 'unauthorized'
  | 'sign-in-invalid'
  | 'interaction-required'
  | 'account-refused'

/** Who must act before it works again. */
export type RefusalOwner = 'partner' | 'customer' | 'microsoft' | 'wait'

export interface RefusalFacts {
  /** AADSTS number, if the answer named one; of several, the one that says most. */
  aadsts: number | null
  status: number | null
  /** Microsoft's own error word: `invalid_client`, `Forbidden` … bounded and cleaned. */
  error: string | null
  correlationId: string | null
  traceId: string | null
  /** ISO time of the refusal. */
  at: string
}

/** Thrown by everything in `microsoft/`. Carries no token, no secret and no response body. */
export class Refusal extends Error {
  readonly code: RefusalCode
  readonly owner: RefusalOwner
  readonly facts: RefusalFacts
  /** How long Microsoft asked to be left alone. */
  readonly retryAfterMs: number | null
  /** The answer says that this one item does not exist, and nothing about the tenant. */
  readonly unknownItem: boolean

  constructor(
    code: RefusalCode,
    facts: Partial<RefusalFacts> & { at: string },
    options: { retryAfterMs?: number | null; owner?: RefusalOwner; unknownItem?: boolean; cause?: unknown } = {},
  ) {
    super(
      `${code}${facts.aadsts ? ` (AADSTS${facts.aadsts})` : ''}`,
      options.cause === undefined ? undefined : { cause: options.cause },
    )
    this.name = 'Refusal'
    this.code = code
    this.owner = options.owner ?? owners[code]
    this.facts = { aadsts: null, status: null, error: null, correlationId: null, traceId: null, ...facts }
    this.retryAfterMs = options.retryAfterMs ?? null
    this.unknownItem = options.unknownItem ?? false
  }
}

const owners: Record<RefusalCode, RefusalOwner> = {
  'not-consented': 'customer',
  'role-missing': 'customer',
  'app-disabled': 'customer',
  unlicensed: 'customer',
  'not-set-up': 'customer',
  'data-unavailable': 'customer',
  'blocked-by-policy': 'customer',
  'tenant-gone': 'customer',
  'tenant-unavailable': 'customer',
  'other-cloud': 'partner',
  'partner-credential': 'partner',
  'partner-registration': 'partner',
  throttled: 'wait',
  unavailable: 'microsoft',
  'unexpected-answer': 'microsoft',
  'wrong-tenant-token': 'microsoft',
  unauthorized: 'microsoft',
  'sign-in-invalid': 'customer',
  'interaction-required': 'customer',
  'account-refused': 'customer',
}

export const refusalCodes = Object.keys(owners) as readonly RefusalCode[]

/** Who must act on a refusal that is known by its code alone. */
export const ownerOf = (code: RefusalCode): RefusalOwner => owners[code]

/** Why Microsoft was not reached at all, where that lies on the way to it; `refusal.unavailable.<cause>` are the texts. */
export type WayCause = 'network' | 'proxy-away' | 'proxy-refuses' | 'proxy-asks' | 'inspected'

const noWay =
  /^(ENOTFOUND|EAI_AGAIN|ENETUNREACH|EHOSTUNREACH|ENETDOWN|EADDRNOTAVAIL|ECONNREFUSED|ETIMEDOUT|UND_ERR_CONNECT_TIMEOUT)$/
const untrusted =
  /^(SELF_SIGNED_CERT_IN_CHAIN|DEPTH_ZERO_SELF_SIGNED_CERT|UNABLE_TO_GET_ISSUER_CERT(_LOCALLY)?|UNABLE_TO_VERIFY_LEAF_SIGNATURE|ERR_TLS_CERT_ALTNAME_INVALID)$/

/** Reads the error word of a refusal `unavailable`; null where it is Microsoft that did not answer. */
export function wayCause(code: RefusalCode, error: string | null | undefined): WayCause | null {
  if (code !== 'unavailable' || !error) return null
  if (error === 'PROXY_407') return 'proxy-asks'
  if (/^PROXY_\d/.test(error)) return 'proxy-refuses'
  if (error.startsWith('PROXY_')) return 'proxy-away'
  if (untrusted.test(error)) return 'inspected'
  return noWay.test(error) ? 'network' : null
}
