import type { INetworkModule, NetworkRequestOptions, NetworkResponse } from '@azure/msal-node'
import { cloudOf } from '../../config/clouds.ts'
import { Refusal } from '../../model/refusal.ts'
import type { Answer, Send } from '../wire/http.ts'
import { readTokenRefusal } from '../wire/read-refusal.ts'

const tokenLimitBytes = 1_000_000
const tokenDeadlineMs = 15_000

/**
 * How MSAL reaches the login service: with the limits of everything that goes out, and to the configured authority.
 * MSAL refuses an `http:` authority, so behind a loopback one it is told Microsoft's own and the host is exchanged here.
 *
 * It lives for one request. MSAL folds every error that is thrown here into its own `network_error`, and locks itself for a
 * minute after a 429 or 5xx it was handed; so refusals are kept in `refusal`, as Microsoft put them.
 */
export class MsalNetwork implements INetworkModule {
  refusal: Refusal | null = null
  private readonly send: Send
  private readonly authorityHost: string
  private readonly now: () => Date
  private readonly repeatable: boolean

  constructor(wiring: { send: Send; authorityHost: string; now: () => Date; repeatable: boolean }) {
    this.send = wiring.send
    this.authorityHost = wiring.authorityHost
    this.now = wiring.now
    this.repeatable = wiring.repeatable
  }

  sendGetRequestAsync<T>(url: string, options?: NetworkRequestOptions): Promise<NetworkResponse<T>> {
    return this.exchange<T>('GET', url, options)
  }

  sendPostRequestAsync<T>(url: string, options?: NetworkRequestOptions): Promise<NetworkResponse<T>> {
    return this.exchange<T>('POST', url, options)
  }

  private async exchange<T>(
    method: 'GET' | 'POST',
    url: string,
    options: NetworkRequestOptions = {},
  ): Promise<NetworkResponse<T>> {
    try {
      const answer = await this.send({
        url: onAuthority(url, this.authorityHost),
        api: 'token',
        method,
        headers: options.headers ?? {},
        ...(options.body === undefined ? {} : { body: options.body }),
        deadlineMs: tokenDeadlineMs,
        limitBytes: tokenLimitBytes,
        tries: this.repeatable ? 3 : 1,
      })
      return { status: answer.status, headers: Object.fromEntries(answer.headers), body: this.read<T>(answer) }
    } catch (error) {
      if (error instanceof Refusal) this.refusal = error
      throw error
    }
  }

  private read<T>(answer: Answer): T {
    if (answer.status !== 200) throw readTokenRefusal(answer, this.now())
    let body: unknown
    try {
      body = JSON.parse(answer.text)
    } catch {
      body = null
    }
    if (typeof body !== 'object' || body === null) {
      throw new Refusal('unexpected-answer', { at: this.now().toISOString(), status: 200, error: 'not_json' })
    }
    // An error with status 200 has been seen; MSAL would report it without its number.
    if ('error' in body) throw readTokenRefusal(answer, this.now())
    return body as T
  }
}

/** The authority MSAL is given for a tenant: Microsoft's own origin, also when the configured one is on loopback. */
export function msalAuthority(authorityHost: string, tenant: string): string {
  return `${cloudOf(authorityHost) ? authorityHost : microsoftsOwn}/${tenant}`
}

const microsoftsOwn = 'https://login.microsoftonline.com'

function onAuthority(url: string, authorityHost: string): string {
  const { origin, href } = new URL(url)
  if (origin === authorityHost) return href
  // Within one cloud MSAL picks the login host it prefers.
  if (cloudOf(authorityHost)) {
    if (cloudOf(origin) === cloudOf(authorityHost)) return href
  } else if (origin === microsoftsOwn) return authorityHost + href.slice(origin.length)
  throw new Error('MSAL wanted to leave the configured authority')
}
