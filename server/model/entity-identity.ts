import type { EntityFact, EntityKind, RemoteEntity } from './incident.ts'

/**
 * Fields that tell how a thing was at a moment, by the last part of their path: the same device comes with another risk
 * an hour later. All others tell one thing from another.
 */
const passing: ReadonlySet<string> = new Set([
  ...['riskScore', 'healthStatus', 'onboardingStatus', 'defenderAvStatus', 'lastIpAddress', 'lastExternalIpAddress'],
  ...['ipInterfaces', 'osPlatform', 'osProcessor', 'osBuild', 'version', 'firstSeenDateTime', 'firstSeen', 'tags'],
  ...['rbacGroupId', 'rbacGroupName', 'detectionStatus', 'countryLetterCode', 'deliveryAction', 'deliveryLocation'],
  ...['emailCount', 'lastModifiedDateTime', 'previousLogonDateTime', 'endUtcDateTime', 'roles', 'detailedRoles'],
  ...['remediationStatusDetails', 'remediationStatus', 'instructions'],
])
const passingPaths = /^(?:loggedOnUsers|vmMetadata|location|resourceAccessEvents)\./

/** Whether a field belongs to what a thing is. */
export const isIdentifying = ([code]: EntityFact): boolean =>
  !passing.has(code.slice(code.lastIndexOf('.') + 1)) && !passingPaths.test(code)

/** Kinds of which the name is one thing's alone, in whatever letter case: what says less of it is about the same. */
const namedAlone: ReadonlySet<EntityKind> = new Set<EntityKind>(['device', 'user', 'mailbox', 'ip'])

const verdictRanks = new Map([
  ['malicious', 3],
  ['suspicious', 2],
  ['unknown', 0],
])

/** How grave a verdict is: 3 is the gravest, −1 is none. */
export const verdictRank = (verdict: string | null): number =>
  verdict === null ? -1 : (verdictRanks.get(verdict) ?? 1)

/** One entry for each thing, with the gravest verdict on it and all that was said of it. What differs stays apart. */
export function withoutRepeats(entities: readonly RemoteEntity[]): RemoteEntity[] {
  const named = new Map<string, Map<string, RemoteEntity>>()
  for (const entity of entities) {
    const group = `${entity.kind}\n${entity.type?.toLowerCase() ?? ''}\n${nameFor(entity)}`
    const alike = named.get(group) ?? new Map<string, RemoteEntity>()
    named.set(group, alike)
    const key = keyOf(entity)
    const known = alike.get(key)
    alike.set(key, known ? both(known, entity) : entity)
  }
  return [...named.values()].flatMap((alike) => {
    const [one] = alike.values()
    return alike.size === 1 || !one || !namedAlone.has(one.kind)
      ? [...alike.values()]
      : withoutPoorer([...alike.values()])
  })
}

const nameFor = ({ kind, name }: RemoteEntity) => (namedAlone.has(kind) ? name.toLowerCase() : name)

/** Values by field, of what a thing is. */
function identityOf({ kind, facts = [] }: RemoteEntity): Map<string, string> {
  const values = new Map<string, string[]>()
  for (const fact of facts.filter(isIdentifying)) {
    const [code, value] = fact
    const held = values.get(code) ?? []
    held.push(namedAlone.has(kind) ? value.toLowerCase() : value)
    values.set(code, held)
  }
  return new Map([...values].map(([code, all]) => [code, JSON.stringify([...new Set(all)].sort())]))
}

function keyOf(entity: RemoteEntity): string {
  // What an older Muster stored has its detail alone.
  if (entity.facts === undefined) return `${entity.detail}`
  return keyOver(identityOf(entity))
}

const keyOver = (identity: ReadonlyMap<string, string>) =>
  [...identity]
    .map(([code, values]) => `${code}=${values}`)
    .sort()
    .join('\n')

/** An entity that says nothing beyond what another says is that one. */
function withoutPoorer(entities: readonly RemoteEntity[]): RemoteEntity[] {
  const known = entities.map((entity) => ({ entity, identity: identityOf(entity) }))
  const shapes = [...new Set(known.map(({ identity }) => [...identity.keys()].sort().join('\n')))]
  const kept = new Map<RemoteEntity, RemoteEntity>()
  const byPart = new Map<string, RemoteEntity>()
  for (const { entity, identity } of [...known].sort((a, b) => b.identity.size - a.identity.size)) {
    const richer = byPart.get(keyOver(identity))
    if (richer) {
      kept.set(richer, both(kept.get(richer) ?? richer, entity))
      continue
    }
    kept.set(entity, entity)
    for (const shape of shapes) {
      const codes = shape === '' ? [] : shape.split('\n')
      if (!codes.every((code) => identity.has(code))) continue
      const key = keyOver(new Map(codes.map((code) => [code, identity.get(code) ?? ''])))
      if (!byPart.has(key)) byPart.set(key, entity)
    }
  }
  return entities.flatMap((entity) => kept.get(entity) ?? [])
}

/** The graver one, with what was said of either. */
function both(one: RemoteEntity, other: RemoteEntity): RemoteEntity {
  const [graver, lesser] = verdictRank(other.verdict) > verdictRank(one.verdict) ? [other, one] : [one, other]
  const said = new Set((graver.facts ?? []).map((fact) => fact.join('\n')))
  const more = (lesser.facts ?? []).filter((fact) => !said.has(fact.join('\n')))
  if (lesser.remediation !== null && lesser.remediation !== graver.remediation) {
    const also: EntityFact = ['remediationStatus', lesser.remediation]
    if (!said.has(also.join('\n'))) more.push(also)
  }
  return more.length === 0 ? graver : { ...graver, facts: [...(graver.facts ?? []), ...more] }
}
