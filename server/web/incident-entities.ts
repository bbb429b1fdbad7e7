import type { EntityKind, RemoteEntity } from '../microsoft/microsoft.ts'
import type { StoredAlert } from '../store/incidents.ts'

export interface EntityGroup {
  kind: EntityKind
  icon: string
  /** Names and addresses made of letters that must not be misread. */
  mono: boolean
  total: number
  /** The ones with a verdict first. */
  shown: RemoteEntity[]
  /** Behind a fold, bounded. */
  more: RemoteEntity[]
}

const kinds: Record<EntityKind, { icon: string; mono: boolean }> = {
  user: { icon: 'user', mono: false },
  device: { icon: 'device-laptop', mono: false },
  ip: { icon: 'network', mono: true },
  url: { icon: 'world', mono: true },
  file: { icon: 'file', mono: true },
  process: { icon: 'terminal-2', mono: true },
  mailbox: { icon: 'mailbox', mono: false },
  mail: { icon: 'mail', mono: false },
  registry: { icon: 'key', mono: true },
  group: { icon: 'building', mono: false },
  app: { icon: 'bolt', mono: false },
  other: { icon: 'dots', mono: false },
}

const shownOfKind = 6
const mostOfKind = 200
const verdictRank = new Map([
  ['malicious', 3],
  ['suspicious', 2],
  ['unknown', 0],
])
const rank = (verdict: string | null) => (verdict === null ? -1 : (verdictRank.get(verdict) ?? 1))

/** Everything the alerts of an incident name, each once, with the worst that was said of it. */
export function entitiesOf(alerts: readonly StoredAlert[]): EntityGroup[] {
  const met = new Map<string, RemoteEntity>()
  for (const entity of alerts.flatMap(({ entities }) => entities)) {
    const key = `${entity.kind}\n${entity.name.toLowerCase()}\n${entity.kind === 'process' ? entity.detail : ''}`
    const known = met.get(key)
    if (!known || rank(entity.verdict) > rank(known.verdict)) met.set(key, safeToRead(entity))
  }
  const all = [...met.values()].sort((a, b) => rank(b.verdict) - rank(a.verdict) || (a.name < b.name ? -1 : 1))
  return (Object.keys(kinds) as EntityKind[]).flatMap((kind) => {
    const own = all.filter((entity) => entity.kind === kind)
    if (own.length === 0) return []
    return [
      {
        kind,
        ...kinds[kind],
        total: own.length,
        shown: own.slice(0, shownOfKind),
        more: own.slice(shownOfKind, mostOfKind),
      },
    ]
  })
}

const safeToRead = (entity: RemoteEntity): RemoteEntity =>
  entity.kind === 'url' ? { ...entity, name: defanged(entity.name) } : entity

/** An address that nothing makes a link of when it is copied into a mail: `hxxps://norrsken-faktura[.]example/inlogg`. */
export function defanged(address: string): string {
  const [, scheme = '', host = '', rest = ''] = /^([a-z][a-z0-9+.-]*:\/*)?([^/?#]*)(.*)$/is.exec(address) ?? []
  return `${scheme.replace(/^http/i, 'hxxp')}${host.replaceAll('.', '[.]')}${rest}`
}
