import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto'
import type { Config } from '../config/config.ts'

const saltBytes = 16

/**
 * A state for one departure: 256 bits in which, for whoever has the portal's secret, the link is readable. Half of them are
 * random; the other half is the link's ID under a key made of them, so that nobody else can make one for a link, or tell
 * which link one is for. Nothing has to be kept to recognise it, however often somebody leaves for Microsoft.
 */
export function newState(config: Config, linkId: string): string {
  const [secret = ''] = config.sessionSecrets
  const salt = randomBytes(saltBytes)
  const cipher = createCipheriv('aes-256-ecb', keyOf(secret, salt), null).setAutoPadding(false)
  const id = Buffer.from(linkId.replaceAll('-', ''), 'hex')
  return Buffer.concat([salt, cipher.update(id), cipher.final()]).toString('base64url')
}

/**
 * The IDs of links that a state may be for, one for each secret: of a state that is not ours they are names of nothing.
 * @returns none for what is no state at all
 */
export function linkIdsIn(config: Config, state: string): string[] {
  if (!/^[\w-]{43}$/.test(state)) return []
  const bytes = Buffer.from(state, 'base64url')
  const [salt, block] = [bytes.subarray(0, saltBytes), bytes.subarray(saltBytes)]
  return config.sessionSecrets.map((secret) => {
    const decipher = createDecipheriv('aes-256-ecb', keyOf(secret, salt), null).setAutoPadding(false)
    const hex = Buffer.concat([decipher.update(block), decipher.final()]).toString('hex')
    return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')
  })
}

const keyOf = (secret: string, salt: Buffer) =>
  Buffer.from(hkdfSync('sha256', secret, salt, 'muster consent state', 32))
