import type { CustomerStatus } from '../../customers/status.ts'
import { avatarOf } from '../../http/frame/avatar.ts'
import { Html, html, icon } from '../../http/html.ts'
import { type Entry, findCause, findEntry } from '../../model/dictionary.ts'
import type { IncidentStatus, PartialAnswer, Severity } from '../../model/incident.ts'
import { type RefusalCode, type RefusalFacts, wayCause } from '../../model/refusal.ts'
import { sourcesInWords } from '../../store/sync/partial.ts'
import { blindSince } from '../../store/tenants/blind.ts'
import type { AccessState, Tenant } from '../../store/tenants/tenants.ts'
import { day, hour } from '../../time.ts'
import { en } from '../../words/en.ts'
import { type Language, type MessageKey, type MessageValues, say } from '../../words.ts'
import type { Format } from './format.ts'

/** What of a tenant says whether it is being read. */
export type Seen = Pick<Tenant, 'accessState' | 'firstActiveAt' | 'lastReadAt' | 'syncFailures' | 'partialSince'> & {
  pausedAt?: string | null
}

/**
 * Why access is refused, and what to do: whoever was let in before lost something, others never had it; and a number
 * that says more than its refusal has words of its own.
 */
export function refusalKeys(
  code: RefusalCode,
  tenant: Pick<Tenant, 'firstActiveAt'>,
  facts: (Pick<RefusalFacts, 'aadsts'> & Partial<Pick<RefusalFacts, 'error'>>) | null = null,
): { why: MessageKey; next: MessageKey } {
  const way = wayCause(code, facts?.error)
  if (way) return { why: `refusal.unavailable.${way}`, next: `refusal.unavailable.${way}.next` }
  const cause = findCause(code, facts?.aadsts ?? null)
  if (cause) return causeKeys(cause)
  const lost = tenant.firstActiveAt !== null && (code === 'not-consented' || code === 'role-missing')
  return lost
    ? { why: `refusal.${code}.lost`, next: `refusal.${code}.lost.next` }
    : { why: `refusal.${code}`, next: `refusal.${code}.next` }
}

function causeKeys({ reason }: Entry): { why: MessageKey; next: MessageKey } {
  const why = `cause.${reason}` as MessageKey
  return { why, next: `${why}.next` as MessageKey }
}

/** Microsoft's number, and what is special about it where that is known. */
export function aadstsText(number: number): string {
  const fact = findEntry(number)?.fact
  return fact === undefined ? `AADSTS${number}` : `AADSTS${number} (${fact})`
}

/** The sentence that says which sources were silent, and what it needs. */
export function lackingKeys(partial: PartialAnswer): { why: MessageKey; values: MessageValues } {
  const sources = sourcesInWords(partial)
  return { why: sources === '' ? 'signal.partial.unnamed' : 'signal.partial', values: { sources } }
}

/** How severities, statuses, states and names are drawn: the word first, then a shape, then a colour. */
export interface Badges {
  severity(value: Severity): Html
  /** The shape alone, where the word stands beside it. */
  severityMark(value: Severity): Html
  status(value: IncidentStatus): Html
  /** Where a customer stands, or a tenant by its access state. */
  standing(value: CustomerStatus | AccessState): Html
  refusalKeys: typeof refusalKeys
  /** Microsoft's number, and what is special about it where that is known: operators read it, in English. */
  aadstsText: typeof aadstsText
  /** What Microsoft's answers lack, in a sentence. */
  lacking(partial: PartialAnswer): string
  /** A tenant's badge: blind, then paused, before whatever its access state says. */
  tenantState(tenant: Seen): Html
  /** How fresh a line is: when its tenant was last read, or since when it is blind. */
  freshness(tenant: Seen): Html
  /** A span in its largest unit alone, for narrow columns: `7 h`. */
  brief(milliseconds: number): string
  verdict(value: string | null): Html
  /** Whoever an incident is assigned to, as a round badge. */
  owner(name: string | null): Html
  /** A name, marked as Chinese when it holds Chinese characters, so that the right glyphs are drawn. */
  named(text: string): Html
  /** The beginning of a text that may be of any length. */
  short(text: string, most: number): string
  /** Microsoft's own word by our catalogue; one we have no word for is spelled apart: `lateralMovement`, `Lateral movement`. */
  spoken(prefix: SpokenPrefix, value: string): string
}

type SpokenPrefix =
  | 'verdict'
  | 'classification'
  | 'determination'
  | 'source'
  | 'alert-status'
  | 'remediation'
  | 'category'
  | 'fact'
  | 'entity'

const bars = [
  { x: '1', y: '10', height: '5' },
  { x: '6.25', y: '6', height: '9' },
  { x: '11.5', y: '2', height: '13' },
]
const barsOf: Record<Exclude<Severity, 'informational' | 'unknown'>, number> = { high: 3, medium: 2, low: 1 }

const inCircle = html`<circle cx="8" cy="8" r="6"/><rect class="on" x="7.1" y="7" width="1.8" height="4.4" rx=".9"/><rect class="on" x="7.1" y="4.3" width="1.8" height="1.8" rx=".9"/>`

function severityShape(value: Severity): Html {
  const drawn =
    value === 'informational' || value === 'unknown'
      ? inCircle
      : bars.map(
          ({ x, y, height }, i) =>
            html`<rect${i < barsOf[value] ? new Html(' class="on"') : ''} x="${x}" y="${y}" width="3.5" height="${height}" rx="1"/>`,
        )
  return html`<svg viewBox="0 0 16 16" aria-hidden="true">${drawn}</svg>`
}

const halfCircle = new Html(
  '<svg class="i" viewBox="0 0 24 24" aria-hidden="true"><circle cx="12" cy="12" r="9"/><path class="fill" d="M12 6.5a5.5 5.5 0 0 1 0 11z"/></svg>',
)

const statuses: Record<IncidentStatus, { kind: string; shape: Html }> = {
  active: { kind: 'active', shape: icon('circle') },
  inProgress: { kind: 'progress', shape: halfCircle },
  awaitingAction: { kind: 'waiting', shape: icon('hourglass') },
  resolved: { kind: 'resolved', shape: icon('circle-check') },
  redirected: { kind: 'merged', shape: icon('git-merge') },
  unknown: { kind: 'waiting', shape: icon('help') },
}

const standings: Record<CustomerStatus | AccessState, { colour: string; shape: string }> = {
  active: { colour: 'green', shape: 'circle-check' },
  blind: { colour: 'red', shape: 'eye-off' },
  paused: { colour: 'yellow', shape: 'player-pause' },
  revoked: { colour: 'red', shape: 'ban' },
  gone: { colour: 'red', shape: 'circle-x' },
  blocked: { colour: 'orange', shape: 'lock' },
  disabled: { colour: 'orange', shape: 'plug-connected-x' },
  limited: { colour: 'orange', shape: 'shield-half' },
  unproven: { colour: 'orange', shape: 'plug-connected-x' },
  declined: { colour: 'orange', shape: 'circle-x' },
  review: { colour: 'yellow', shape: 'alert-triangle' },
  unlicensed: { colour: 'violet', shape: 'license' },
  proving: { colour: 'blue', shape: 'refresh' },
  claimed: { colour: 'blue', shape: 'refresh' },
  reading: { colour: 'blue', shape: 'download' },
  'at-microsoft': { colour: 'blue', shape: 'external-link' },
  opened: { colour: '', shape: 'eye' },
  waiting: { colour: '', shape: 'link' },
  expired: { colour: '', shape: 'clock' },
  withdrawn: { colour: '', shape: 'link-off' },
  'not-invited': { colour: '', shape: 'circle-dashed' },
  offboarded: { colour: '', shape: 'archive' },
}

const verdictColours = new Map([
  ['malicious', 'red'],
  ['suspicious', 'orange'],
  ['noThreatsFound', 'green'],
])

/** @param allPaused reading of every tenant stands still, so that none of them looks well */
export function createBadges(language: Language, format: Format, now: Date, allPaused: boolean): Badges {
  const word: Word = (key, values) => say(language, key, values)
  const brief: Badges['brief'] = (milliseconds) => {
    const unit = [day, hour].find((one) => milliseconds >= one) ?? 1
    return format.span(Math.floor(milliseconds / unit) * unit)
  }
  return {
    refusalKeys,
    aadstsText,
    named,
    short,
    brief,
    ...incidentBadges(word),
    ...tenantBadges(word, { brief, now, allPaused }),
  }
}

type Word = (key: MessageKey, values?: MessageValues) => string

/** What of an incident and its alerts is drawn. */
function incidentBadges(
  word: Word,
): Pick<Badges, 'spoken' | 'severityMark' | 'severity' | 'status' | 'verdict' | 'owner'> {
  const spoken: Badges['spoken'] = (prefix, value) => {
    const key = `${prefix}.${value}`
    return Object.hasOwn(en, key) ? word(key as MessageKey) : spelledApart(value)
  }
  return {
    spoken,
    severityMark: severityShape,
    severity: (value) =>
      html`<span class="sev sev-${value === 'unknown' ? 'informational' : value}">${severityShape(value)}${word(`severity.${value}`)}</span>`,
    status(value) {
      // What an older Muster stored need not be a word of this one.
      const status = Object.hasOwn(statuses, value) ? value : 'unknown'
      return html`<span class="st st-${statuses[status].kind}">${statuses[status].shape}${word(`status.${status}`)}</span>`
    },
    verdict: (value) =>
      value === null || value === 'unknown'
        ? html``
        : html`<span class="badge ${verdictColours.get(value) ?? ''}">${spoken('verdict', value)}</span>`,
    owner(name) {
      if (name === null) {
        const label = word('signal.unassigned')
        return html`<span class="avatar none" role="img" aria-label="${label}" title="${label}"></span>`
      }
      const { initials, shade } = avatarOf(name)
      return html`<span class="avatar a${shade}" role="img" aria-label="${name}" title="${name}">${initials}</span>`
    },
  }
}

/** What says of a customer or tenant how it stands and whether it is read. */
function tenantBadges(
  word: Word,
  { brief, now, allPaused }: { brief: Badges['brief']; now: Date; allPaused: boolean },
): Pick<Badges, 'lacking' | 'standing' | 'tenantState' | 'freshness'> {
  const standing: Badges['standing'] = (value) => {
    const state = (value === 'active' || value === 'reading') && allPaused ? 'paused' : value
    const { colour, shape } = standings[state]
    return html`<span class="badge ${colour}">${icon(shape)}${word(`standing.${state}`)}</span>`
  }
  return {
    standing,
    lacking(partial) {
      const { why, values } = lackingKeys(partial)
      return word(why, values)
    },
    tenantState: (tenant) => standing(stateShown(tenant, now)),
    freshness(tenant) {
      const since = blindSince(tenant, now)
      const spanFrom = (from: string) => brief(now.getTime() - Date.parse(from))
      if (since !== null) {
        return html`<span class="read blind">${icon('eye-off')}${word('signal.blind-for', { span: spanFrom(since) })}</span>`
      }
      if (tenant.lastReadAt === null)
        return html`<span class="read">${icon('circle-dashed')}${word('signal.not-read')}</span>`
      if (isPaused(tenant) || (allPaused && tenant.accessState === 'active')) {
        const read = word('signal.read-ago', { span: spanFrom(tenant.lastReadAt) })
        return html`<span class="read slow" title="${read}">${icon('player-pause')}${word('signal.paused')}</span>`
      }
      return html`<span class="read">${icon('eye')}${spanFrom(tenant.lastReadAt)}</span>`
    },
  }
}

function stateShown(tenant: Seen, now: Date): CustomerStatus | AccessState {
  if (isBlind(tenant, now)) return 'blind'
  if (isPaused(tenant)) return 'paused'
  return isUnread(tenant) ? 'reading' : tenant.accessState
}

const isPaused = (tenant: Seen) => tenant.accessState === 'active' && (tenant.pausedAt ?? null) !== null

/** Proven, and not read whole yet: connected is what was read lately. */
const isUnread = (tenant: Seen) => tenant.accessState === 'active' && tenant.lastReadAt === null

/** Revoked, blocked and the like keep their own name: they say more than that nothing is read. */
const isBlind = (tenant: Seen, now: Date) => tenant.accessState === 'active' && blindSince(tenant, now) !== null

const chinese = /\p{Script=Han}/u

function named(text: string): Html {
  return chinese.test(text) ? html`<span lang="zh-Hant">${text}</span>` : html`${text}`
}

function short(text: string, most: number): string {
  if (text.length <= most) return text
  return `${[...text.slice(0, most + 1)].slice(0, most).join('').trimEnd()}…`
}

/** `InitialAccess` and `initialAccess` become `Initial access`; what is not one word stays as it came. */
function spelledApart(value: string): string {
  if (!/^[A-Za-z0-9]+$/.test(value)) return value
  const words = value.replace(
    /([a-z0-9])([A-Z])/g,
    (_, before: string, after: string) => `${before} ${after.toLowerCase()}`,
  )
  return words.charAt(0).toUpperCase() + words.slice(1)
}
