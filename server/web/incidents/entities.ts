import { isIdentifying, verdictRank, withoutRepeats } from '../../model/entity-identity.ts'
import type { EntityFact, EntityKind, RemoteEntity } from '../../model/incident.ts'
import type { StoredAlert } from '../../store/incidents/incidents.ts'

export interface EntitiesView {
  groups: EntityGroup[]
  /** Entities of all kinds. */
  total: number
  /** Whether Microsoft has a verdict on any. */
  judged: boolean
  /** Where all of them are shown. */
  allHref: string
}

export interface EntityGroup {
  kind: EntityKind
  icon: string
  /** Names and addresses made of letters that must not be misread. */
  mono: boolean
  /** Entities, of which several may be on one line. */
  total: number
  /** The ones with a verdict first. */
  shown: EntityLine[]
  /** Behind a fold, bounded. */
  more: EntityLine[]
  /** Entities behind it. */
  moreTotal: number
  /** Entities beyond that. */
  rest: number
}

/** One entity, or several that share kind and name and differ in something else. */
export interface EntityLine extends EntityFacts {
  name: string
  /** Microsoft's word for the kind, where a group holds several. */
  type: string | null
  detail: string | null
  /** What sets each of several apart; empty for one. */
  variants: EntityFacts[]
  /** What the variants are counted as. */
  countedAs: 'recipients' | 'alike'
  /** Whether the variants are unfolded at once. */
  open: boolean
  /** Variants beyond those shown. */
  rest: number
}

export interface EntityFacts {
  verdict: string | null
  remediation: string | null
  /** Shown at once. */
  facts: FactLine[]
  /** Behind a fold. */
  folded: FactLine[]
}

export interface FactLine {
  /** Microsoft's words for the field, the outermost first. */
  label: string[]
  values: string
}

const kinds: Record<EntityKind, { icon: string; mono: boolean }> = {
  user: { icon: 'user', mono: false },
  device: { icon: 'device-laptop', mono: false },
  ip: { icon: 'network', mono: true },
  url: { icon: 'world', mono: true },
  connection: { icon: 'link', mono: true },
  file: { icon: 'file', mono: true },
  process: { icon: 'terminal-2', mono: true },
  registry: { icon: 'key', mono: true },
  mailbox: { icon: 'mailbox', mono: false },
  mail: { icon: 'mail', mono: false },
  cloud: { icon: 'server', mono: false },
  app: { icon: 'bolt', mono: false },
  repository: { icon: 'code', mono: false },
  group: { icon: 'building', mono: false },
  session: { icon: 'history', mono: false },
  agent: { icon: 'message-circle', mono: false },
  other: { icon: 'dots', mono: false },
}

/** Lines and variants of each kind on a page: as usual, and where a reader asked for all. */
const usual = { shown: 6, lines: 200, variants: 50 }
const everything = { shown: 6, lines: 5_000, variants: 5_000 }
type Bounds = typeof usual

/** Fields shown without unfolding, where they say what a line does not say yet. */
const shownFacts: ReadonlySet<string> = new Set([
  ...['recipientEmailAddress', 'recipient', 'sha256', 'sha1', 'md5', 'filePath', 'processCommandLine', 'processId'],
  ...['userSid', 'domainName', 'appId', 'clusterByValue', 'json', 'namespace.name', 'networkMessageId'],
])
const recipients: ReadonlySet<string> = new Set(['recipientEmailAddress', 'recipient'])

/** Everything the alerts of an incident name, each once, with the gravest that was said of it. */
export function entitiesOf(
  alerts: readonly StoredAlert[],
  { all, allHref }: { all: boolean; allHref: string },
): EntitiesView {
  const bounds = all ? everything : usual
  const entities = withoutRepeats(alerts.flatMap((alert) => alert.entities)).map(safeToRead)
  const groups = (Object.keys(kinds) as EntityKind[]).flatMap((kind) => {
    const own = entities.filter((entity) => entity.kind === kind)
    return own.length === 0 ? [] : [groupOf(kind, own, bounds)]
  })
  return { groups, total: entities.length, judged: entities.some(({ verdict }) => verdictRank(verdict) > 0), allHref }
}

function groupOf(kind: EntityKind, entities: RemoteEntity[], bounds: Bounds): EntityGroup {
  const byName = new Map<string, RemoteEntity[]>()
  for (const entity of entities) {
    const key = `${entity.type ?? ''}\n${entity.name}`
    const alike = byName.get(key)
    if (alike) alike.push(entity)
    else byName.set(key, [entity])
  }
  const types = new Set(entities.map(({ type }) => type ?? null))
  const sorted = [...byName.values()]
    .map((alike) => ({ alike: alike.sort(graverFirst), rank: verdictRank(alike[0]?.verdict ?? null) }))
    .sort((a, b) => b.rank - a.rank || (nameIn(a.alike) < nameIn(b.alike) ? -1 : 1))
  const lines = sorted.slice(0, bounds.lines).map(({ alike }) => lineOf(alike, types.size > 1, bounds))
  const beyond = sorted.slice(bounds.lines).reduce((sum, { alike }) => sum + alike.length, 0)
  return {
    kind,
    ...kinds[kind],
    total: entities.length,
    shown: lines.slice(0, bounds.shown),
    more: lines.slice(bounds.shown),
    moreTotal: lines.slice(bounds.shown).reduce((sum, { variants }) => sum + Math.max(1, variants.length), 0),
    rest: beyond + lines.reduce((sum, { rest }) => sum + rest, 0),
  }
}

/** So many are unfolded at once. */
const mostOpen = 10
const alone = { variants: [], countedAs: 'alike', open: false, rest: 0 } as const satisfies Partial<EntityLine>

const graverFirst = (a: RemoteEntity, b: RemoteEntity) => verdictRank(b.verdict) - verdictRank(a.verdict)
const toldOf = ({ remediation }: RemoteEntity) => (remediation === 'none' ? null : remediation)
const nameIn = ([one]: RemoteEntity[]) => one?.name ?? ''

/** @param alike the gravest first; at least one */
function lineOf(alike: RemoteEntity[], typed: boolean, bounds: Bounds): EntityLine {
  const [one] = alike as [RemoteEntity]
  const { name, type = null, verdict } = one
  const about = { name, type: typed ? type : null, verdict }
  if (alike.length === 1) {
    const { detail } = one
    return { ...about, detail, remediation: toldOf(one), ...factsOf(one.facts ?? [], detail), ...alone }
  }
  const shared = sharedBy(alike)
  const isShared = (fact: EntityFact) => shared.has(fact.join('\n'))
  const detail = alike.every((other) => other.detail === one.detail) ? one.detail : null
  const variants = alike.slice(0, bounds.variants).map((variant) => ({
    verdict: variant.verdict,
    remediation: toldOf(variant),
    ...variantFacts(
      (variant.facts ?? []).filter((fact) => !isShared(fact)),
      variant.detail === detail ? null : variant.detail,
    ),
  }))
  const receivers = alike.flatMap(({ facts = [] }) => facts.find(([code]) => recipients.has(code))?.[1] ?? [])
  return {
    ...about,
    detail,
    remediation: null,
    ...factsOf((one.facts ?? []).filter(isShared), detail),
    variants,
    countedAs: new Set(receivers).size === alike.length ? 'recipients' : 'alike',
    open: alike.length <= mostOpen,
    rest: Math.max(0, alike.length - bounds.variants),
  }
}

/** Fields with a value that all of these have. */
function sharedBy(alike: readonly RemoteEntity[]): ReadonlySet<string> {
  const counts = new Map<string, number>()
  for (const { facts = [] } of alike) {
    for (const key of new Set(facts.map((fact) => fact.join('\n')))) counts.set(key, (counts.get(key) ?? 0) + 1)
  }
  return new Set([...counts].filter(([, count]) => count === alike.length).map(([key]) => key))
}

function factsOf(facts: readonly EntityFact[], detail: string | null): Pick<EntityFacts, 'facts' | 'folded'> {
  const untold = facts.filter(([, value]) => value !== detail)
  return {
    facts: factLines(untold.filter(([code]) => shownFacts.has(code))),
    folded: factLines(untold.filter(([code]) => !shownFacts.has(code))),
  }
}

/** What sets one of several apart is shown, whichever field it is. */
function variantFacts(facts: readonly EntityFact[], detail: string | null): Pick<EntityFacts, 'facts' | 'folded'> {
  const details: EntityFact[] =
    detail === null || facts.some(([, value]) => value === detail) ? [] : [['detail', detail]]
  const identifying = facts.filter(isIdentifying)
  const headFacts = identifying.some(([code]) => shownFacts.has(code))
    ? identifying.filter(([code]) => shownFacts.has(code))
    : identifying
  return {
    facts: factLines([...details, ...headFacts]),
    folded: factLines(facts.filter((fact) => !headFacts.includes(fact))),
  }
}

function factLines(facts: readonly EntityFact[]): FactLine[] {
  const values = new Map<string, string[]>()
  for (const [code, value] of facts) values.set(code, [...(values.get(code) ?? []), harmless(value)])
  return [...values].map(([code, all]) => ({ label: code.split('.'), values: all.join(', ') }))
}

const harmless = (value: string) => (/^[a-z][a-z0-9+.-]*:\/\//i.test(value) ? defanged(value) : value)

const safeToRead = (entity: RemoteEntity): RemoteEntity =>
  entity.kind === 'url' ? { ...entity, name: defanged(entity.name) } : entity

/** An address that nothing makes a link of when it is copied into a mail: `hxxps://norrsken-faktura[.]example/inlogg`. */
export function defanged(address: string): string {
  const [, scheme = '', host = '', rest = ''] = /^([a-z][a-z0-9+.-]*:\/*)?([^/?#]*)(.*)$/is.exec(address) ?? []
  return `${scheme.replace(/^http/i, 'hxxp')}${host.replaceAll('.', '[.]')}${rest}`
}
