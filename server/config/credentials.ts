import { isGuid } from '../guid.ts'
import { type CertificateCredential, readCertificateFile } from './certificate.ts'
import type { Fault } from './values.ts'
import type { Environment } from './variables.ts'

export type Credential = { kind: 'secret'; secret: string } | CertificateCredential

export interface Registration {
  clientId: string
  credential: Credential
}

export function readCredential(env: Environment, fault: Fault): Credential {
  const secret = env.AZURE_CLIENT_SECRET?.trim()
  const path = env.AZURE_CLIENT_CERTIFICATE_PATH?.trim()
  if (secret && path) {
    fault(
      'AZURE_CLIENT_CERTIFICATE_PATH',
      'is set together with AZURE_CLIENT_SECRET',
      'Keep one of the two. A certificate is the stronger choice.',
    )
  }
  if (path) return readCertificate(path, fault)
  if (!secret) {
    fault(
      'AZURE_CLIENT_SECRET',
      'is missing',
      'Create a client secret in Entra and copy its Value, or set AZURE_CLIENT_CERTIFICATE_PATH.',
    )
  } else if (isGuid(secret)) {
    fault('AZURE_CLIENT_SECRET', 'looks like the secret’s ID', 'Copy the column Value, which Entra shows once.')
  }
  return { kind: 'secret', secret: secret ?? '' }
}

function readCertificate(path: string, fault: Fault): Credential {
  const read = readCertificateFile(path)
  if ('kind' in read) return read
  fault('AZURE_CLIENT_CERTIFICATE_PATH', read.problem, read.remedy)
  return { kind: 'secret', secret: '' }
}

export function readSignIn(env: Environment, app: Registration, fault: Fault): Registration {
  const clientId = env.SIGN_IN_CLIENT_ID?.trim()
  const secret = env.SIGN_IN_CLIENT_SECRET?.trim()
  if (!clientId && !secret) return app
  if (!clientId)
    fault('SIGN_IN_CLIENT_ID', 'is missing', 'SIGN_IN_CLIENT_SECRET is set: give the ID that goes with it.')
  else if (!isGuid(clientId)) fault('SIGN_IN_CLIENT_ID', 'is not a GUID', 'Copy "Application (client) ID" from Entra.')
  if (!secret) {
    fault('SIGN_IN_CLIENT_SECRET', 'is missing', 'SIGN_IN_CLIENT_ID is set: give the secret that goes with it.')
  }
  return { clientId: (clientId ?? '').toLowerCase(), credential: { kind: 'secret', secret: secret ?? '' } }
}
