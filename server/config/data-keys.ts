import {
  createCipheriv,
  createDecipheriv,
  createHash,
  createHmac,
  hkdfSync,
  randomBytes,
  timingSafeEqual,
} from 'node:crypto'

/** What seals: DATA_KEY, or SESSION_SECRET where that is empty. The first seals, all open. */
export interface DataKeys {
  readonly dataKeys: readonly string[]
  readonly sessionSecrets: readonly string[]
}

/** What was sealed, and whether the first key did it: what an older one sealed has to be sealed anew before that goes. */
export interface Opened {
  text: string
  current: boolean
}

const cipher = 'aes-256-gcm'
const ivBytes = 12
const tagBytes = 16

/**
 * Seals a text for a database, so that a copy of the database alone opens nothing: AES-256-GCM under a key derived for one
 * purpose. `place` names the row and column it is for; in another place it does not open.
 * @returns `s1.<key>.<iv, text and tag>`, in characters of base64url
 */
export function sealForStore(keys: DataKeys, purpose: string, place: string, text: string): string {
  const [key] = keysOf(keys, purpose)
  if (!key) throw new Error('there is no key to seal with')
  const iv = randomBytes(ivBytes)
  const sealing = createCipheriv(cipher, key.bytes, iv, { authTagLength: tagBytes }).setAAD(Buffer.from(place))
  const body = Buffer.concat([iv, sealing.update(text, 'utf8'), sealing.final(), sealing.getAuthTag()])
  return `s1.${key.id}.${body.toString('base64url')}`
}

/** Null when no key opens it: the key is lost, it was altered, or it was sealed for another place. */
export function openFromStore(keys: DataKeys, purpose: string, place: string, sealed: string): Opened | null {
  const [version, id, body] = sealed.split('.')
  if (version !== 's1' || id === undefined || body === undefined) return null
  const bytes = Buffer.from(body, 'base64url')
  if (bytes.length < ivBytes + tagBytes) return null
  const candidates = keysOf(keys, purpose)
  const key = candidates.find((one) => one.id === id)
  if (!key) return null
  try {
    const opening = createDecipheriv(cipher, key.bytes, bytes.subarray(0, ivBytes), { authTagLength: tagBytes })
      .setAAD(Buffer.from(place))
      .setAuthTag(bytes.subarray(-tagBytes))
    const text = Buffer.concat([opening.update(bytes.subarray(ivBytes, -tagBytes)), opening.final()]).toString('utf8')
    return { text, current: key === candidates[0] }
  } catch {
    return null
  }
}

/** Proves later that texts are what they were. */
export interface Macs {
  make(text: string): { keyId: string; mac: string }
  /** `key-lost` where no key is configured that could tell. */
  prove(text: string, keyId: string, mac: string): 'right' | 'wrong' | 'key-lost'
}

/** HMAC-SHA-256 under keys derived for one purpose: the first key makes, all prove. */
export function macsFor(keys: DataKeys, purpose: string): Macs {
  const all = keysOf(keys, purpose)
  const macOf = (bytes: Buffer, text: string) => createHmac('sha256', bytes).update(text).digest()
  return {
    make(text) {
      const [key] = all
      if (!key) throw new Error('there is no key to seal with')
      return { keyId: key.id, mac: macOf(key.bytes, text).toString('base64url') }
    },
    prove(text, keyId, mac) {
      const key = all.find((one) => one.id === keyId)
      if (!key) return 'key-lost'
      const [expected, given] = [macOf(key.bytes, text), Buffer.from(mac, 'base64url')]
      return given.length === expected.length && timingSafeEqual(given, expected) ? 'right' : 'wrong'
    },
  }
}

/** One 256-bit key per configured secret and purpose; its ID is a hash of it and opens nothing. */
function keysOf({ dataKeys, sessionSecrets }: DataKeys, purpose: string): { id: string; bytes: Buffer }[] {
  const secrets = dataKeys.length > 0 ? [...dataKeys, ...sessionSecrets] : sessionSecrets
  return secrets.map((secret) => {
    const bytes = Buffer.from(hkdfSync('sha256', secret, '', `muster stored ${purpose}`, 32))
    return { id: createHash('sha256').update(bytes).digest('hex').slice(0, 12), bytes }
  })
}

/** IDs of all keys that open what was sealed for these purposes. */
export const keyIdsFor = (keys: DataKeys, purposes: readonly string[]): string[] =>
  purposes.flatMap((purpose) => keysOf(keys, purpose).map(({ id }) => id))

/** What stored texts are sealed for. */
export const sealingPurposes = ['destination', 'mail server'] as const
