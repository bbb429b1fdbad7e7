import { type ConsentRefusal, type LoginWords, type Reason, type ReasonName, reasons, umbrellas } from './aadsts.ts'
import { ownerOf, type RefusalCode, type RefusalOwner } from './refusal.ts'

/** One AADSTS number, as all who read Microsoft's answers understand it. */
export interface Entry extends Omit<Reason, 'numbers'> {
  number: number
  reason: ReasonName
  /** What is special about the number, for operators. */
  fact: string
}

/** Where Microsoft said it: at the token endpoint, at the consent callback, or at operators' own sign-in. */
export type Place = 'token' | 'consent' | 'sign-in'

const byNumber: ReadonlyMap<number, Entry> = new Map(
  Object.entries(reasons as Record<ReasonName, Reason>).flatMap(([name, { numbers, ...reason }]) =>
    numbers.map(([number, fact]) => [number, { ...reason, number, reason: name as ReasonName, fact }] as const),
  ),
)

/** Every number there is, the smallest first. */
export const entries: readonly Entry[] = [...byNumber.values()].sort((a, b) => a.number - b.number)

/** Null for a number that the dictionary does not have. */
export const findEntry = (number: number | null): Entry | null =>
  number === null ? null : (byNumber.get(number) ?? null)

/**
 * OAuth's own words, for an answer whose number is not known.
 * https://learn.microsoft.com/entra/identity-platform/reference-error-codes#handling-error-codes-in-your-application
 *
 * `invalid_grant` is not here: it says that something was refused, and not what. `invalid_request` is not either: at the
 * token endpoint Microsoft uses it for tenants that do not exist. `access_denied` does not tell who denied.
 */
export const oauthWords: ReadonlyMap<string, ReasonName> = new Map([
  ['invalid_client', 'wrong-secret'],
  ['unauthorized_client', 'app-missing'],
  ['consent_required', 'consent-missing'],
  ['invalid_resource', 'resource-missing'],
  ['invalid_scope', 'scope'],
  ['invalid_tenant', 'tenant-unknown'],
  ['temporarily_unavailable', 'unavailable'],
  ['server_error', 'unavailable'],
  ['interaction_required', 'unfinished'],
  ['login_required', 'unfinished'],
  ['account_selection_required', 'unfinished'],
])

/** What Microsoft answered with, as far as anything can be read from it. */
export interface Answered {
  /** All numbers that were named, in their order. */
  numbers: readonly number[]
  /** OAuth's `error`. */
  word: string | null
  suberror?: string | null
  /** HTTP status; null for what a browser brought. */
  status?: number | null
}

export interface Meaning {
  code: RefusalCode
  owner: RefusalOwner
  /** The number that decided; of unknown ones the last, which Microsoft adds to say more. */
  aadsts: number | null
  outcome: ConsentRefusal
  /** What the person reads; null when there is nothing to say but that it was refused. */
  login: LoginWords | null
}

/**
 * What an answer of the login service means: the most specific number that is known decides, then OAuth's word. Nothing
 * is made of a number that nobody has met yet.
 */
export function meaningOf({ numbers, word, suberror = null, status = null }: Answered): Meaning {
  const entry = mostSpecific(numbers)
  const aadsts = entry?.number ?? numbers.at(-1) ?? null
  // Also with another error in the body: 429 asks to be left alone.
  if (status === 429) return { ...meaningOfReason(reasons.throttled), aadsts }
  if (entry !== null) return { ...meaningOfReason(entry), aadsts }
  if (status !== null && status >= 500) return { ...meaningOfReason(reasons.unavailable), aadsts }
  const name = suberror === 'consent_required' ? 'consent-missing' : word === null ? undefined : oauthWords.get(word)
  if (name !== undefined) return { ...meaningOfReason(reasons[name]), aadsts }
  const code: RefusalCode = 'unexpected-answer'
  return { code, owner: ownerOf(code), aadsts, outcome: 'other', login: null }
}

const meaningOfReason = (reason: Omit<Reason, 'numbers'>): Omit<Meaning, 'aadsts'> => ({
  code: reason.code,
  owner: reason.owner ?? ownerOf(reason.code),
  outcome: reason.outcome,
  login: reason.login,
})

/**
 * The known number that says most: a special one before a general one, then the longest, since Microsoft makes new numbers
 * by adding digits to old ones, then the first.
 */
function mostSpecific(numbers: readonly number[]): Entry | null {
  const entries = numbers.flatMap((number) => byNumber.get(number) ?? [])
  const rank = ({ number }: Entry) => (umbrellas.has(number) ? 0 : String(number).length)
  return entries.reduce<Entry | null>((best, entry) => (best === null || rank(entry) > rank(best) ? entry : best), null)
}

/**
 * The entry whose own words (`cause.<reason>`) say more of a refusal than its code does; null where the code says all, and
 * where the number came with another refusal, which it does not explain.
 */
export function findCause(code: RefusalCode, aadsts: number | null): Entry | null {
  const entry = findEntry(aadsts)
  return entry?.cause === true && entry.code === code ? entry : null
}

/** Where another account of the same person may well be let in: the button offers to choose one. */
const accounts: ReadonlySet<LoginWords> = new Set([
  'account-disabled',
  'account-locked',
  'account-risk',
  'admin-needed',
  'cross-tenant',
  'not-assigned',
  'personal-account',
  'unknown-account',
  'wrong-account',
])

export const wantsOtherAccount = (login: string): boolean => accounts.has(login as LoginWords)

/** Who must act on a refusal that is stored with its code and number. */
export const ownerOfRefusal = (code: RefusalCode, aadsts: number | null): RefusalOwner => {
  const entry = findEntry(aadsts)
  return (entry?.code === code ? entry.owner : undefined) ?? ownerOf(code)
}

/**
 * Who must act, by where Microsoft said it. What the administrator of the tenant has to do falls to the partner's own at
 * operators' sign-in. Whose network it is that restricts tenants depends on who went out by it.
 */
export function ownerAt(place: Place, entry: Entry): RefusalOwner {
  const owner = entry.owner ?? ownerOf(entry.code)
  if (place === 'token') return owner
  if (place === 'sign-in') return owner === 'customer' ? 'partner' : owner
  if (entry.outcome === 'misconfigured') return 'partner'
  return entry.reason === 'network' ? 'customer' : owner
}
