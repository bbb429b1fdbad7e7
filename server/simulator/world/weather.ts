import type { VirtualClock } from './clock.ts'

/** Where weather can strike: the token endpoint, discovery documents, sign-in and consent pages, the two APIs. */
export type Surface = 'token' | 'discovery' | 'login' | 'defender' | 'graph'

/** What happens instead of an answer. */
const transportKinds = [
  'throttle',
  'outage',
  'html',
  'reset',
  'hang',
  'redirect',
  'unauthorized',
  'forbidden',
  'refusal',
] as const
/** What happens to an answer on its way. */
const bodyKinds = ['slow', 'cut', 'drip', 'malformed', 'empty', 'lost-answer'] as const
/** What is odd about a page of incidents or alerts. */
const pageKinds = ['odd-item', 'next-link-loop', 'next-link-foreign', 'change-between-pages', 'no-value'] as const
/** What a list is read from. */
const stateKinds = ['stale'] as const
/** An answer that says of itself that it is incomplete: 206 with `Warning`. */
const lackingKinds = ['partial'] as const
/** What is odd about a token. */
const tokenKinds = [
  'opaque-token',
  'wrong-tid',
  'no-roles',
  'plural-roles',
  'no-access-token',
  'string-expires-in',
  'refresh-in',
  'wrong-audience',
] as const

export const weatherKinds = [
  ...transportKinds,
  ...bodyKinds,
  ...pageKinds,
  ...stateKinds,
  ...lackingKinds,
  ...tokenKinds,
] as const
export type WeatherKind = (typeof weatherKinds)[number]
type TokenKind = (typeof tokenKinds)[number]
type PageKind = (typeof pageKinds)[number]

type Oddity = 'no-id' | 'no-time' | 'wrong-types' | 'unknown-enum' | 'foreign-tenant' | 'not-an-object' | 'huge'

export interface WeatherOptions {
  /** One surface, `api` for both APIs, `*` for everything. Default: `token` for token kinds, else `api`. */
  surface?: Surface | 'api' | '*'
  /** Ends after so many requests were struck. */
  count?: number
  /** Ends after so many milliseconds of the virtual clock. */
  forMs?: number
  /** `outage` (500, 502, 503, 504) and `html` (503, 403, 200 …). */
  status?: number
  /** `throttle` and `outage`: seconds, any raw text, an HTTP date so many ms ahead, or null for no header. Default 10. */
  retryAfter?: number | string | { dateMs: number } | null
  /** `slow`: before the answer; `drip`: between its pieces. Real milliseconds. */
  delayMs?: number
  oddity?: Oddity
  /** `stale`: how old the state is that lists are read from. Milliseconds of the virtual clock; a minute by default. */
  ageMs?: number
  /** `partial`: the header as it is sent; `Microsoft/WDATP` with 401 by default, empty for none. */
  warning?: string
  /** `partial`: how many items of a list, or alerts of an incident, come all the same. None by default. */
  keep?: number
  /** `redirect` and `next-link-foreign`. */
  location?: string
  /** `refusal`: the AADSTS number that the token endpoint answers with, or that browsers bring home from `login`. */
  code?: number
  /** `refusal`: more general numbers that are named before it. */
  also?: readonly number[]
  /** `refusal`: OAuth's word for it, where it is not the usual one. */
  word?: string
  /** Only requests whose path and query contain this text. */
  path?: string
  /** Only this method. */
  method?: string
}

export interface Weather extends WeatherOptions {
  id: number
  tenantId: string
  kind: WeatherKind
  surface: Surface | 'api' | '*'
  /** Virtual milliseconds; null for no end. */
  endsAt: number | null
  /** Requests still to strike; null for no limit. */
  left: number | null
}

/** One request as weather sees it. */
export interface Passage {
  surface: Surface
  tenantId: string | null
  method: string
  url: string
}

/** All the weather there is, in the order it was set. */
export class Sky {
  readonly #clock: VirtualClock
  #weathers: Weather[] = []
  #nextId = 1

  constructor(clock: VirtualClock) {
    this.#clock = clock
  }

  set(tenantId: string, kind: WeatherKind, options: WeatherOptions): Weather {
    const weather: Weather = {
      ...options,
      id: this.#nextId++,
      tenantId,
      kind,
      surface: options.surface ?? (among(tokenKinds, kind) || kind === 'refusal' ? 'token' : 'api'),
      endsAt: options.forMs === undefined ? null : this.#clock.now() + options.forMs,
      left: options.count ?? null,
    }
    this.#weathers.push(weather)
    return weather
  }

  /** Ends the weather over one tenant (`*`: that which was set over all); everything without an argument. */
  clear(tenantId?: string): void {
    this.#weathers = tenantId === undefined ? [] : this.#weathers.filter((weather) => weather.tenantId !== tenantId)
  }

  /** What is going on now. */
  active(): readonly Weather[] {
    const now = this.#clock.now()
    this.#weathers = this.#weathers.filter(({ endsAt, left }) => (endsAt === null || endsAt > now) && left !== 0)
    return this.#weathers
  }

  /** Weather that strikes this request before or after its handler; each counts once. */
  strikes(passage: Passage): Weather[] {
    return this.#take(passage, (kind) => among(transportKinds, kind) || among(bodyKinds, kind))
  }

  /** The page oddity for this request, if any. */
  page(passage: Passage): (Weather & { kind: PageKind }) | undefined {
    return this.#take(passage, (kind) => among(pageKinds, kind))[0] as (Weather & { kind: PageKind }) | undefined
  }

  /** How old the state is that this list is read from, in milliseconds; 0 for the present one. */
  age(passage: Passage): number {
    const [stale] = this.#take(passage, (kind) => among(stateKinds, kind))
    return stale ? (stale.ageMs ?? 60_000) : 0
  }

  /** What this answer lacks, if it says so. */
  lacking(passage: Passage): Weather | undefined {
    return this.#take(passage, (kind) => among(lackingKinds, kind))[0]
  }

  /** The token oddities for this request. */
  token(passage: Passage): ReadonlySet<TokenKind> {
    return new Set(this.#take(passage, (kind) => among(tokenKinds, kind)).map(({ kind }) => kind as TokenKind))
  }

  #take(passage: Passage, isWanted: (kind: WeatherKind) => boolean): Weather[] {
    const struck: Weather[] = []
    for (const weather of this.active()) {
      if (!isWanted(weather.kind) || !covers(weather, passage)) continue
      struck.push(weather)
      if (weather.left !== null) weather.left--
      // What comes instead of an answer leaves nothing for a second one to strike.
      if (among(transportKinds, weather.kind)) break
    }
    return struck
  }
}

function covers(weather: Weather, passage: Passage): boolean {
  const { surface } = weather
  const placed =
    surface === '*' ||
    surface === passage.surface ||
    (surface === 'api' && (passage.surface === 'defender' || passage.surface === 'graph'))
  return (
    placed &&
    (weather.tenantId === '*' || weather.tenantId === passage.tenantId) &&
    (weather.method === undefined || weather.method === passage.method) &&
    (weather.path === undefined || passage.url.includes(weather.path))
  )
}

function among<K extends WeatherKind>(kinds: readonly K[], kind: WeatherKind): kind is K {
  return (kinds as readonly WeatherKind[]).includes(kind)
}
