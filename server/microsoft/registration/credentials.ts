import { datesOf } from '../../config/certificate.ts'
import type { Config } from '../../config/config.ts'
import { type Credential, credentialsOf, type Registration, variableOf } from '../../config/credentials.ts'
import { Refusal } from '../../model/refusal.ts'
import { day } from '../../time.ts'
import { acquireWith } from '../login/tokens.ts'
import type { AppToken, CredentialTrial, RegistrationFinding } from '../microsoft.ts'
import { graphResource } from '../permissions.ts'
import type { Send } from '../wire/http.ts'

interface Wiring {
  config: Config
  send: Send
  now: () => Date
}

type Check = 'credential' | 'sign-in'

/** What Microsoft said to one credential. */
export interface Trial {
  credential: Credential
  outcome: AppToken | Refusal
}

/** Asks the partner's own tenant for a token with each of a registration's credentials, the first one first. */
export function tryCredentials(wiring: Wiring, registration: Registration, resource: string): Promise<Trial[]> {
  const { partnerTenantId: tenantId } = wiring.config
  const asked = { registration, tenantId, resource, repeatable: true }
  return Promise.all(
    credentialsOf(registration).map(async (credential) => ({
      credential,
      outcome: await acquireWith(wiring, asked, credential).catch(refusalOr),
    })),
  )
}

/** Every credential of both registrations, on a resource that every tenant has. */
export async function proveEach(wiring: Wiring): Promise<CredentialTrial[]> {
  const { app, signIn } = wiring.config
  const both: [CredentialTrial['registration'], Registration][] = [['app', app]]
  if (app.clientId !== signIn.clientId) both.push(['sign-in', signIn])
  const trials = await Promise.all(
    both.map(async ([registration, one]) =>
      (await tryCredentials(wiring, one, graphResource(wiring.config).uri)).map(
        ({ outcome }, which): CredentialTrial => ({
          registration,
          which: which as 0 | 1,
          refusal: outcome instanceof Refusal ? outcome : null,
        }),
      ),
    ),
  )
  return trials.flat()
}

/** What a trial of all its credentials says of a registration: one refused is a fault, unless another one is taken. */
export function credentialFindings(
  { config }: Pick<Wiring, 'config'>,
  check: Check,
  { clientId }: Registration,
  trials: readonly Trial[],
): RegistrationFinding[] {
  const anyTaken = trials.some(({ outcome }) => !(outcome instanceof Refusal))
  return trials.map(({ credential, outcome }, which) => {
    const variable = variableOf(check === 'credential' ? 'AZURE' : 'SIGN_IN', credential, which as 0 | 1)
    const facts = { clientId, tenantId: config.partnerTenantId, variable }
    const code = codeOf(outcome)
    const refusal = outcome instanceof Refusal ? outcome : null
    if (trials.length === 1) return { check, outcome: outcomeOf(code), code, facts, refusal }
    if (code === 'credential-works') return { check, outcome: 'ok', code: 'credential-taken', facts, refusal }
    if (anyTaken && outcomeOf(code) === 'fault')
      return { check, outcome: 'warning', code: 'credential-one-refused', facts, refusal }
    return { check, outcome: outcomeOf(code), code, facts, refusal }
  })
}

function outcomeOf(code: string): RegistrationFinding['outcome'] {
  if (code === 'credential-works') return 'ok'
  return code === 'credential-unchecked' ? 'unknown' : 'fault'
}

function codeOf(outcome: AppToken | Refusal): string {
  if (!(outcome instanceof Refusal)) return 'credential-works'
  const { code, facts } = outcome
  if (code === 'unavailable' || code === 'throttled') return 'credential-unchecked'
  if (facts.aadsts === 7000222) return 'secret-expired'
  if (facts.aadsts === 7000215) return 'secret-wrong'
  if (code === 'not-consented') return 'app-unknown'
  return code === 'partner-credential' ? 'credential-refused' : 'token-refused'
}

const warnDays = 60

/** Certificates of a registration that end soon, have ended, or are not valid yet. */
export function certificateFindings(check: Check, registration: Registration, now: Date): RegistrationFinding[] {
  const { clientId } = registration
  const found = (outcome: RegistrationFinding['outcome'], code: string, date: Date, days?: number) => ({
    check,
    outcome,
    code,
    facts: { clientId, date: date.toISOString().slice(0, 10), ...(days === undefined ? {} : { days: String(days) }) },
    refusal: null,
  })
  const credentials = credentialsOf(registration)
  const grave = credentials.every((one) => datesOf(one, now) !== 'within') ? 'fault' : 'warning'
  return credentials.flatMap((credential): RegistrationFinding[] => {
    if (credential.kind === 'secret') return []
    const { expiresAt, validFrom } = credential
    const days = Math.floor((expiresAt.getTime() - now.getTime()) / day)
    if (datesOf(credential, now) === 'not-yet') return [found(grave, 'certificate-not-yet', validFrom)]
    if (days >= warnDays) return []
    return days < 0
      ? [found(grave, 'certificate-expired', expiresAt, 0)]
      : [found('warning', 'certificate-ends', expiresAt, days)]
  })
}

/** @throws what is no refusal: a fault of our own says nothing about the registration */
export function refusalOr(error: unknown): Refusal {
  if (error instanceof Refusal) return error
  throw error
}
