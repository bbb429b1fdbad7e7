import type { Config } from '../../config/config.ts'

/** Where Microsoft sends people back to, byte for byte as registered. */
export function redirectUris(config: Pick<Config, 'publicUrl'>): { signIn: string; consent: string } {
  return { signIn: `${config.publicUrl}/auth/callback`, consent: `${config.publicUrl}/consent/callback` }
}

/** `$` and `,` stay readable, as Microsoft writes its own links; everything else is escaped, spaces as %20. */
export function withQuery(address: string, parameters: Record<string, string | undefined>): string {
  const pairs = Object.entries(parameters).flatMap(([name, value]) =>
    value === undefined ? [] : [`${name}=${encodeURIComponent(value)}`],
  )
  return pairs.length === 0 ? address : `${address}?${pairs.join('&')}`
}
