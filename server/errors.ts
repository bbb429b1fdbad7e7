/**
 * Every way Muster can say no, by a stable public code. The texts (what happened, what to do next) are in the message
 * catalogues under `error.<CODE>` and `error.<CODE>.next`, so that they exist in the reader's language.
 */
export const catalogue = {
  BAD_REQUEST: { status: 400 },
  CALLBACK_UNREADABLE: { status: 400 },
  SIGN_IN_REQUIRED: { status: 401 },
  SIGN_IN_AGAIN: { status: 401 },
  SIGN_IN_EXPIRED: { status: 400 },
  SIGN_IN_REFUSED: { status: 403 },
  SIGN_IN_OTHER_ORGANISATION: { status: 403 },
  SIGN_IN_NO_ROLE: { status: 403 },
  SIGN_IN_UNAVAILABLE: { status: 503 },
  FORBIDDEN: { status: 403 },
  OUTSIDE_SCOPE: { status: 403 },
  CROSS_SITE: { status: 403 },
  FORM_EXPIRED: { status: 403 },
  NOT_FOUND: { status: 404 },
  METHOD_NOT_ALLOWED: { status: 405 },
  CONFLICT: { status: 409 },
  WRONG_HOST: { status: 421 },
  TOO_LARGE: { status: 413 },
  TOO_MANY_REQUESTS: { status: 429 },
  LINK_UNKNOWN: { status: 404 },
  LINK_EXPIRED: { status: 410 },
  LINK_WITHDRAWN: { status: 410 },
  LINK_COMPLETED: { status: 410 },
  CONSENT_NOT_YOURS: { status: 400 },
  CUSTOMER_OFFBOARDED: { status: 409 },
  PARTNER_NOT_INTRODUCED: { status: 409 },
  PERMISSIONS_UNCONFIRMED: { status: 409 },
  TENANT_PAUSED: { status: 409 },
  READING_PAUSED: { status: 409 },
  TENANT_UNKNOWN: { status: 422 },
  TENANT_TAKEN: { status: 409 },
  TENANT_IS_PARTNER: { status: 409 },
  REVIEW_DECIDED: { status: 409 },
  DATABASE_UNAVAILABLE: { status: 503 },
  UNEXPECTED: { status: 500 },
} as const satisfies Record<string, { status: number }>

export type ErrorCode = keyof typeof catalogue

/** Values that may be shown beside the error: never a secret, never text from a callback. */
export type ErrorFacts = Record<string, string | number>

/** What Microsoft said to whoever stood before its page: texts are under `login.<words>`. */
export interface ToldByMicrosoft {
  /** Null when nothing is known but that it refused: then the error's own texts are told. */
  words: string | null
  /** AADSTS number. */
  aadsts: number | null
  correlationId: string | null
}

/** A refusal from the catalogue. `cause` goes to the log alone; `facts` fill the placeholders of the message. */
export class PortalError extends Error {
  readonly code: ErrorCode
  readonly status: number
  readonly facts: ErrorFacts
  readonly retryAfterMs: number | undefined
  readonly told: ToldByMicrosoft | null

  constructor(
    code: ErrorCode,
    options: { facts?: ErrorFacts; cause?: unknown; retryAfterMs?: number; told?: ToldByMicrosoft } = {},
  ) {
    super(code, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = 'PortalError'
    this.code = code
    this.status = catalogue[code].status
    this.facts = options.facts ?? {}
    this.retryAfterMs = options.retryAfterMs
    this.told = options.told ?? null
  }
}
