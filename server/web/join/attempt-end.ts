import type { AttemptOutcome } from '../../store/onboarding/attempts.ts'
import type { AccessState } from '../../store/tenants/tenants.ts'

/**
 * What a run has come to, for the person who made it. `claimed`: Microsoft is asked whether what the browser says is so ·
 * `late`: it was never finished in time · `sign-in`: the proof of the organisation is missing · `dismissed`: an operator decided that it is not this customer's · `connected`: to somebody of a
 * tenant that is connected already, whoever's it is · `unchanged`: to a browser that only claimed a tenant.
 */
export type AttemptEnd =
  | 'claimed'
  | 'proving'
  | 'done'
  | 'late'
  | 'sign-in'
  | 'dismissed'
  | 'connected'
  | 'unchanged'
  | Exclude<
      AttemptOutcome,
      'started' | 'claimed' | 'mangled' | 'proving-tenant' | 'awaiting-proof' | 'bound' | 'other-tenant-signed-in'
    >
  | Exclude<AccessState, 'proving' | 'active' | 'unlicensed'>
  | 'no-data'
