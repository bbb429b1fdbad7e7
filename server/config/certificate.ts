import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'

/** What signs for an app: its certificate with those that signed it, and the key of the first. */
export interface CertificateCredential {
  kind: 'certificate'
  /** PEM: the one the key belongs to, then each one's issuer, as far as they are in the file. */
  certificate: string
  /** PEM, PKCS #8. */
  privateKey: string
  /** Hexadecimal, upper case. */
  thumbprintSha256: string
  validFrom: Date
  expiresAt: Date
}

/** Why a file cannot be the credential of an app, and how to mend it. */
export interface CertificateFault {
  problem: string
  remedy: string
}

const together = 'Put the certificate and its private key into one PEM file that this process may read.'
const leastBits = 2048
const anew =
  'Make one with: openssl req -x509 -newkey rsa:2048 -nodes -days 730 -subj /CN=Muster -keyout muster.pem -out muster-cert.pem && cat muster-cert.pem >> muster.pem'

/**
 * Reads a PEM file: certificates in any order, one private key. Whether it is within its dates is not looked at: that
 * changes while the portal runs, and takes no page away.
 */
export function readCertificateFile(path: string): CertificateCredential | CertificateFault {
  let bytes: Buffer
  try {
    bytes = readFileSync(path)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    return { problem: `leads to no file that can be read (${code})`, remedy: together }
  }
  // PKCS #12 and other DER begin with a SEQUENCE.
  if (bytes[0] === 0x30) {
    return {
      problem: 'leads to a file that is not PEM',
      remedy: 'Turn a .pfx or .p12 into PEM with: openssl pkcs12 -in muster.pfx -nodes -out muster.pem',
    }
  }
  const text = bytes.toString('latin1')
  const certificates = blocksOf(text, 'CERTIFICATE').map(certificateIn)
  if (certificates.includes(null)) return { problem: 'holds a certificate that cannot be read', remedy: together }
  if (certificates.length === 0) return { problem: 'holds no certificate', remedy: together }
  const key = keyIn(text)
  if ('problem' in key) return key
  const leaf = certificates.find((one) => one?.checkPrivateKey(key))
  if (!leaf) return { problem: 'holds a private key of none of its certificates', remedy: together }
  return {
    kind: 'certificate',
    certificate: chainFrom(leaf, certificates as X509Certificate[]).join(''),
    privateKey: key.export({ type: 'pkcs8', format: 'pem' }).toString(),
    thumbprintSha256: leaf.fingerprint256.replaceAll(':', ''),
    validFrom: new Date(leaf.validFrom),
    expiresAt: new Date(leaf.validTo),
  }
}

function blocksOf(text: string, label: string): string[] {
  return text.match(new RegExp(`-----BEGIN ${label}-----[^-]*-----END ${label}-----`, 'g')) ?? []
}

function certificateIn(pem: string): X509Certificate | null {
  try {
    return new X509Certificate(pem)
  } catch {
    return null
  }
}

/** RSA of 2048 bits or more: what Microsoft takes for client assertions, and MSAL can sign with. */
function keyIn(text: string): KeyObject | CertificateFault {
  const kinds = ['PRIVATE KEY', 'RSA PRIVATE KEY', 'EC PRIVATE KEY', 'ENCRYPTED PRIVATE KEY', 'DSA PRIVATE KEY']
  const [pem, second] = kinds.flatMap((kind) => blocksOf(text, kind))
  // A header of the old form has lines with dashes of its own.
  const locked = pem?.includes('ENCRYPTED') || /Proc-Type: *4,ENCRYPTED/.test(text)
  if (locked)
    return { problem: 'holds a private key with a passphrase', remedy: 'Take it off with: openssl pkey -in key.pem' }
  if (pem === undefined) return { problem: 'holds no private key', remedy: together }
  if (second !== undefined)
    return { problem: 'holds several private keys', remedy: 'Keep the one of your certificate.' }
  let key: KeyObject
  try {
    key = createPrivateKey(pem)
  } catch {
    return { problem: 'holds a private key that cannot be read', remedy: together }
  }
  if (key.asymmetricKeyType !== 'rsa') {
    const kind = (key.asymmetricKeyType ?? 'unknown').toUpperCase()
    return { problem: `holds a key of kind ${kind}, and Microsoft takes RSA alone`, remedy: anew }
  }
  const bits = key.asymmetricKeyDetails?.modulusLength ?? 0
  if (bits < leastBits) {
    return { problem: `holds an RSA key of ${bits} bits, and Microsoft takes ${leastBits} and more`, remedy: anew }
  }
  return key
}

function chainFrom(leaf: X509Certificate, all: readonly X509Certificate[]): X509Certificate[] {
  const chain = [leaf]
  for (;;) {
    const last = chain.at(-1) as X509Certificate
    const issuer = all.find((one) => !chain.includes(one) && last.checkIssued(one))
    if (!issuer) return chain
    chain.push(issuer)
  }
}

/** How a certificate stands at a time; a secret has no dates that could be seen. */
export function datesOf(
  credential: CertificateCredential | { kind: 'secret' },
  now: Date,
): 'within' | 'not-yet' | 'over' {
  if (credential.kind === 'secret') return 'within'
  if (now < credential.validFrom) return 'not-yet'
  return now > credential.expiresAt ? 'over' : 'within'
}
