import { hkdfSync } from 'node:crypto'
import type { Config } from '../../config/config.ts'

/**
 * One 256-bit key per configured secret for one purpose, so that a value sealed or signed for one never passes for
 * another. The first makes, all are tried.
 */
export function keysFor(config: Config, purpose: string): Buffer[] {
  return config.sessionSecrets.map((secret) => Buffer.from(hkdfSync('sha256', secret, '', `muster ${purpose}`, 32)))
}
