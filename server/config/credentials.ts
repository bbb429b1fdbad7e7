import { isGuid } from '../guid.ts'
import { type CertificateCredential, readCertificateFile } from './certificate.ts'
import type { Fault } from './values.ts'
import type { Environment } from './variables.ts'

export type Credential = { kind: 'secret'; secret: string } | CertificateCredential

export interface Registration {
  clientId: string
  credential: Credential
  /** One beside the first, so that the first can end; null for none. */
  second: Credential | null
}

/** A registration's credentials, the first one first. */
export const credentialsOf = ({ credential, second }: Pick<Registration, 'credential' | 'second'>): Credential[] =>
  second === null ? [credential] : [credential, second]

type Slot = '' | '_2'
type Owner = 'AZURE' | 'SIGN_IN'

const secretIn = (owner: Owner, slot: Slot) => `${owner}_CLIENT_SECRET${slot}` as const
const certificateIn = (owner: Owner, slot: Slot) => `${owner}_CLIENT_CERTIFICATE_PATH${slot}` as const

/** The variable that a credential comes from. */
export function variableOf(owner: Owner, { kind }: Pick<Credential, 'kind'>, which: 0 | 1): string {
  const slot = which === 0 ? '' : '_2'
  return kind === 'secret' ? secretIn(owner, slot) : certificateIn(owner, slot)
}

/** Both credentials of the customers' app. */
export function readCredentials(env: Environment, fault: Fault): Omit<Registration, 'clientId'> {
  const first = readOne(env, 'AZURE', '', fault)
  if (first === null) {
    fault(
      'AZURE_CLIENT_SECRET',
      'is missing',
      'Create a client secret in Entra and copy its Value, or set AZURE_CLIENT_CERTIFICATE_PATH.',
    )
  }
  return withSecond(env, 'AZURE', first, fault)
}

/** The registration that operators sign in with; the app where none is set. */
export function readSignIn(env: Environment, app: Registration, fault: Fault): Registration {
  const clientId = env.SIGN_IN_CLIENT_ID?.trim()
  const given = (['', '_2'] as const)
    .flatMap((slot) => [secretIn('SIGN_IN', slot), certificateIn('SIGN_IN', slot)])
    .find((name) => env[name]?.trim())
  if (!clientId && !given) return app
  if (!clientId) fault('SIGN_IN_CLIENT_ID', 'is missing', `${given} is set: give the ID that goes with it.`)
  else if (!isGuid(clientId)) fault('SIGN_IN_CLIENT_ID', 'is not a GUID', 'Copy "Application (client) ID" from Entra.')
  const first = readOne(env, 'SIGN_IN', '', fault)
  if (first === null) {
    const remedy =
      'SIGN_IN_CLIENT_ID is set: give the secret that goes with it, or set SIGN_IN_CLIENT_CERTIFICATE_PATH.'
    fault('SIGN_IN_CLIENT_SECRET', 'is missing', remedy)
  }
  return { clientId: (clientId ?? '').toLowerCase(), ...withSecond(env, 'SIGN_IN', first, fault) }
}

const nothing: Credential = { kind: 'secret', secret: '' }

function withSecond(
  env: Environment,
  owner: Owner,
  first: Credential | null,
  fault: Fault,
): Omit<Registration, 'clientId'> {
  const second = readOne(env, owner, '_2', fault)
  if (first !== null && second !== null && isSame(first, second)) {
    fault(variableOf(owner, second, 1), 'is the same credential as the first', 'Give another one, or take it away.')
  }
  return { credential: first ?? nothing, second }
}

const isSame = (one: Credential, other: Credential): boolean =>
  one.kind === 'secret'
    ? other.kind === 'secret' && one.secret !== '' && one.secret === other.secret
    : other.kind === 'certificate' && one.thumbprintSha256 === other.thumbprintSha256

/** Null where neither variable is set. */
function readOne(env: Environment, owner: Owner, slot: Slot, fault: Fault): Credential | null {
  const named = { secret: secretIn(owner, slot), certificate: certificateIn(owner, slot) }
  const secret = env[named.secret]?.trim()
  const path = env[named.certificate]?.trim()
  if (secret && path) {
    const remedy = 'Keep one of the two. A certificate is the stronger choice.'
    fault(named.certificate, `is set together with ${named.secret}`, remedy)
  }
  if (path) {
    const read = readCertificateFile(path)
    if ('kind' in read) return read
    fault(named.certificate, read.problem, read.remedy)
    return nothing
  }
  if (!secret) return null
  if (isGuid(secret)) {
    fault(named.secret, 'looks like the secret’s ID', 'Copy the column Value, which Entra shows once.')
  }
  return { kind: 'secret', secret }
}
