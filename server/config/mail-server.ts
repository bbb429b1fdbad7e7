/** The mail server that messages are handed to, and whom they come from. */
export interface MailServer {
  readonly host: string
  readonly port: number
  /** TLS from the first byte; otherwise by STARTTLS. */
  readonly secure: boolean
  /** Null where it asks for nobody. */
  readonly user: string | null
  readonly password: string | null
  /** The user is shown by a token of the sign-in registration instead of a password. */
  readonly oauth: boolean
  /** `Name <address>` or an address. */
  readonly from: string
}

const address = /^(?:[^<>@\r\n]{0,100}<\s*)?[^\s<>@,;:"]+@[^\s<>@,;:"]+\s*>?$/
const usualPorts = new Map([
  ['smtp:', 587],
  ['smtps:', 465],
])

/** Whether a mail can come from this: an address, or a name with one in angle brackets. */
export const isSender = (text: string): boolean => {
  if (text.length > 320 || !address.test(text)) return false
  return text.includes('<') === text.includes('>')
}

/** The address alone, of `Name <address>`. */
export const addressIn = (sender: string): string => /<\s*([^<>]+?)\s*>\s*$/.exec(sender)?.[1] ?? sender.trim()

/**
 * Reads `smtp(s)://user:password@host:port`; `?auth=oauth2` instead of a password.
 * @returns null where it is none
 */
export function parseMailServer(url: string, from: string): MailServer | null {
  if (!URL.canParse(url) || !isSender(from)) return null
  const parsed = new URL(url)
  const usual = usualPorts.get(parsed.protocol)
  const auth = parsed.searchParams.get('auth')
  if (usual === undefined || parsed.hostname === '' || !['', '/'].includes(parsed.pathname)) return null
  if (auth !== null && auth !== 'oauth2') return null
  const decoded = (text: string) => {
    try {
      return text === '' ? null : decodeURIComponent(text)
    } catch {
      return text
    }
  }
  const user = decoded(parsed.username)
  const password = decoded(parsed.password)
  const oauth = auth === 'oauth2'
  if (oauth ? user === null || password !== null : (user === null) !== (password === null)) return null
  return {
    host: parsed.hostname.replace(/^\[(.*)\]$/, '$1').toLowerCase(),
    port: Number(parsed.port || usual),
    secure: parsed.protocol === 'smtps:',
    user,
    password,
    oauth,
    from: from.trim(),
  }
}
