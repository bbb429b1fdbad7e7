/** How this Microsoft answers where the real one was seen to answer in more than one way. */
export interface Behaviour {
  /** Time from consent until tokens carry the roles; the first half answers 7000229, the second issues role-less tokens. */
  propagationMs: number
  /** Code for "no service principal in that tenant": today's, or the older wording. */
  notConsentedCode: 7000229 | 700016
  /** Separators inside `error_description`. */
  separators: 'spaces' | 'lines' | 'mixed'
  /** `aud` of Defender tokens: as requested, the app ID, or with the trailing slash of `//.default`. */
  defenderAudience: 'uri' | 'appId' | 'slash'
  /** Seconds an app-only token lives; null for a random 3599 to 5399. */
  tokenLifetime: number | null
  /** Whether quotas are counted (50 a minute and 1,500 an hour on Defender, 150 a minute on Graph). */
  quotas: boolean
  /** `@odata.nextLink` on the Defender host, which nobody has documented. */
  defenderNextLink: boolean
  nextLinkStyle: 'skip' | 'skiptoken'
  /** Items a page of incidents may have at most, above which it is 400; null for what is documented. */
  maximumTop: number | null
  /** Milliseconds each answer is late, by chance between the two: the way from Microsoft. Null for none. */
  lateMs: readonly [number, number] | null
}

export const usualBehaviour: Readonly<Behaviour> = {
  propagationMs: 0,
  notConsentedCode: 7000229,
  separators: 'mixed',
  defenderAudience: 'uri',
  tokenLifetime: null,
  quotas: true,
  defenderNextLink: false,
  nextLinkStyle: 'skip',
  maximumTop: null,
  lateMs: null,
}
