import { createPublicKey, type KeyObject, X509Certificate } from 'node:crypto'
import type { Request } from 'express'
import { decodeJwt, decodeProtectedHeader, errors, jwtVerify } from 'jose'
import type { SimulatorParts } from '../parts.ts'
import { appNotFound, expiredSecret, type LoginRefusal, parameterMissing, refusalOf, wrongSecret } from './refusals.ts'
import { judgeSecret, type SimulatorRegistration } from './registration.ts'

export interface ProvenClient {
  registration: SimulatorRegistration
  /** `appidacr`: 1 for a secret, 2 for a certificate. */
  strength: '1' | '2'
}

/** Form fields that came exactly once. */
export function fieldsOf(req: Request): Record<string, string> {
  const body: unknown = req.body
  if (!body || typeof body !== 'object') return {}
  return Object.fromEntries(
    Object.entries(body).filter((entry): entry is [string, string] => typeof entry[1] === 'string'),
  )
}

/** Who calls the token endpoint, proven by secret (body or Basic) or by a signed assertion. */
export async function proveClient(
  parts: SimulatorParts,
  req: Request,
  directory: string,
): Promise<ProvenClient | LoginRefusal> {
  const fields = fieldsOf(req)
  const basic = basicOf(req.get('authorization'))
  const clientId = fields.client_id ?? basic?.id
  if (!clientId) return parameterMissing('client_id')
  const registration = parts.world.registrations.get(clientId.toLowerCase())
  if (!registration) return appNotFound(clientId, directory)

  if (fields.client_assertion) {
    const refusal = await judgeAssertion(parts, registration, fields, String(req.params.tenant))
    return refusal ?? { registration, strength: '2' }
  }
  const secret = fields.client_secret ?? basic?.secret
  if (!secret) return refusalOf(7000218)
  switch (judgeSecret(registration, secret, parts.world.clock.now())) {
    case 'wrong':
      return wrongSecret(registration.clientId)
    case 'expired':
      return expiredSecret(registration.clientId)
    case 'right':
      return { registration, strength: '1' }
  }
}

function basicOf(header: string | undefined): { id: string; secret: string } | null {
  const encoded = /^Basic ([A-Za-z0-9+/=]+)$/i.exec(header ?? '')?.[1]
  if (!encoded) return null
  const [id, secret] = Buffer.from(encoded, 'base64').toString().split(':').map(formDecoded)
  return id && secret ? { id, secret } : null
}

/** RFC 6749 section 2.3.1: both halves are form-encoded before they are joined. */
function formDecoded(text: string): string {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '))
  } catch {
    return text
  }
}

/**
 * A client assertion: signed by a registered certificate, about this client, for this token endpoint (named on the
 * simulator's origin or on Microsoft's), and in time.
 * https://learn.microsoft.com/entra/identity-platform/certificate-credentials
 */
async function judgeAssertion(
  parts: SimulatorParts,
  registration: SimulatorRegistration,
  fields: Record<string, string>,
  tenant: string,
): Promise<LoginRefusal | null> {
  const assertion = fields.client_assertion ?? ''
  if (fields.client_assertion_type !== 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer') {
    return parameterMissing('client_assertion_type')
  }
  const key = keyFor(registration, assertion, parts.world.clock.now())
  if (key === 'malformed') return refusalOf(50027)
  if (!key) return refusalOf(700027)
  if (typeof key === 'number') return refusalOf(key)
  try {
    const { payload } = await jwtVerify(assertion, key, {
      algorithms: ['RS256', 'PS256'],
      issuer: registration.clientId,
      subject: registration.clientId,
      currentDate: new Date(parts.world.clock.now()),
      clockTolerance: 300,
      requiredClaims: ['exp', 'aud'],
    })
    return namesThisEndpoint(parts, payload.aud, tenant) ? null : refusalOf(700023)
  } catch (error) {
    if (error instanceof errors.JWTExpired) return refusalOf(700024)
    if (error instanceof errors.JWTClaimValidationFailed && error.claim === 'nbf') return refusalOf(700024)
    return refusalOf(700027)
  }
}

function namesThisEndpoint(parts: SimulatorParts, audience: string | string[] | undefined, tenant: string): boolean {
  const ids = [tenant, parts.world.find(tenant)?.id ?? tenant]
  const origins = [parts.origin, 'https://login.microsoftonline.com']
  const paths = ids.flatMap((id) => [`/${id}/oauth2/v2.0/token`, `/${id}/oauth2/token`, `/${id}/v2.0`])
  const good = origins.flatMap((origin) => paths.map((path) => `${origin}${path}`.toLowerCase()))
  return typeof audience === 'string' && good.includes(audience.toLowerCase())
}

/** A key that may sign, or the number it is refused with: the registered one whose thumbprint the header names; the only one when it names none that we can compute. */
function keyFor(
  registration: SimulatorRegistration,
  assertion: string,
  now: number,
): KeyObject | 'malformed' | number | null {
  try {
    decodeJwt(assertion)
    const header = decodeProtectedHeader(assertion)
    const thumbprints = [header['x5t#S256'], header.x5t].filter((value) => typeof value === 'string')
    for (const pem of registration.certificates ?? []) {
      if (!pem.includes('BEGIN CERTIFICATE')) return createPublicKey(pem)
      const certificate = new X509Certificate(pem)
      const prints = [certificate.fingerprint256, certificate.fingerprint].map((print) =>
        Buffer.from(print.replaceAll(':', ''), 'hex').toString('base64url'),
      )
      if (!thumbprints.some((name) => prints.includes(name))) continue
      if (now < Date.parse(certificate.validFrom) || now > Date.parse(certificate.validTo)) return 1000502
      const { asymmetricKeyType, asymmetricKeyDetails } = certificate.publicKey
      if (asymmetricKeyType !== 'rsa') return 700027
      return (asymmetricKeyDetails?.modulusLength ?? 0) < 2048 ? 50032 : certificate.publicKey
    }
    return null
  } catch {
    return 'malformed'
  }
}
