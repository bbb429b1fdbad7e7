import { createPrivateKey, createPublicKey, generateKeyPairSync, sign } from 'node:crypto'

export interface TestCertificate {
  name: string
  /** PEM. */
  pem: string
  /** PEM, PKCS #8. */
  key: string
}

interface Wanted {
  name: string
  /** Bits of an RSA key, or another kind. */
  key?: number | 'ec' | 'ed25519'
  /** Days from now. */
  from?: number
  to?: number
  /** Itself unless said; RSA. */
  issuer?: TestCertificate
}

const der = (tag: number, ...parts: Buffer[]): Buffer => {
  const content = Buffer.concat(parts)
  const length = Buffer.from(content.length.toString(16).padStart(4, '0'), 'hex')
  return Buffer.concat([Buffer.from([tag, 0x82]), length, content])
}
const sequence = (...parts: Buffer[]) => der(0x30, ...parts)
const commonName = Buffer.from('0603550403', 'hex')
const nameOf = (text: string) => sequence(der(0x31, sequence(commonName, der(0x0c, Buffer.from(text)))))
const day = (offset: number) =>
  der(0x17, Buffer.from(new Date(Date.now() + offset * 86_400_000).toISOString().replace(/^20|[-:T]|\.\d+/g, '')))

/** Object identifiers of signatures: sha256WithRSAEncryption, ecdsa-with-SHA256, Ed25519. */
const algorithms = new Map([
  ['rsa', sequence(Buffer.from('06092a864886f70d01010b0500', 'hex'))],
  ['ec', sequence(Buffer.from('06082a8648ce3d040302', 'hex'))],
  ['ed25519', sequence(Buffer.from('06032b6570', 'hex'))],
])

const pairs = {
  ec: () => generateKeyPairSync('ec', { namedCurve: 'prime256v1' }),
  ed25519: () => generateKeyPairSync('ed25519'),
}

/** A certificate with its key: the few lines of DER that X.509 asks for. */
export function certificate({ name, key = 2048, from = -1, to = 30, issuer }: Wanted): TestCertificate {
  const pair = typeof key === 'number' ? generateKeyPairSync('rsa', { modulusLength: key }) : pairs[key]()
  const signer = issuer ? createPrivateKey(issuer.key) : pair.privateKey
  const kind = createPublicKey(signer).asymmetricKeyType ?? ''
  const algorithm = algorithms.get(kind) ?? Buffer.alloc(0)
  const body = sequence(
    der(0x02, Buffer.from([1 + Math.floor(Math.random() * 100)])),
    algorithm,
    nameOf(issuer?.name ?? name),
    sequence(day(from), day(to)),
    nameOf(name),
    pair.publicKey.export({ type: 'spki', format: 'der' }),
  )
  const signature = der(0x03, Buffer.from([0]), sign(kind === 'ed25519' ? null : 'sha256', body, signer))
  const base64 = sequence(body, algorithm, signature)
    .toString('base64')
    .match(/.{1,64}/g)
    ?.join('\n')
  return {
    name,
    pem: `-----BEGIN CERTIFICATE-----\n${base64}\n-----END CERTIFICATE-----\n`,
    key: pair.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
  }
}
