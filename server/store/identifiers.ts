import { createHash, randomBytes, randomUUID } from 'node:crypto'

/** An opaque row ID. */
export const newId = (): string => randomUUID()

/** A bearer value of 256 bits: shown once, kept as `digest` alone. */
export const newToken = (): string => randomBytes(32).toString('base64url')

/** SHA-256 in hex: what is kept of a token, a state or a session ID. */
export const digest = (value: string): string => createHash('sha256').update(value).digest('hex')

const readable = '23456789ABCDEFGHJKLMNPQRSTUVWXYZ'

/** `7K4-XQ2-91`: what a customer reads out on the phone. Names a link, opens nothing. */
export function newReference(): string {
  const bytes = randomBytes(8)
  const letters = [...bytes].map((byte) => readable[byte % readable.length]).join('')
  return `${letters.slice(0, 3)}-${letters.slice(3, 6)}-${letters.slice(6, 8)}`
}
