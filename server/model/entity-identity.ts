import type { EntityFact, EntityKind, RemoteEntity } from './incident.ts'

/**
 * Fields that tell how a thing was at a moment, by the last part of their path: the same device comes with another risk
 * an hour later. All other fields tell one thing from another.
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
export function isIdentifying([code]: EntityFact): boolean {
  const dot = code.lastIndexOf('.')
  return dot === -1 ? !passing.has(code) : !passing.has(code.slice(dot + 1)) && !passingPaths.test(code)
}

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
  const groups = new Map<string, RemoteEntity[]>()
  for (const entity of entities) {
    const key = `${entity.kind}\n${entity.type?.toLowerCase() ?? ''}\n${nameFor(entity)}`
    const group = groups.get(key)
    if (group) group.push(entity)
    else groups.set(key, [entity])
  }
  // Most names stand there once, and what they identify by need not be known then.
  return [...groups.values()].flatMap((group) => (group.length === 1 ? group : distinctIn(group)))
}

/** Entities of one kind and name: equal ones are one. */
function distinctIn(group: readonly RemoteEntity[]): RemoteEntity[] {
  const byKey = new Map<string, RemoteEntity>()
  for (const entity of group) {
    const key = keyOf(entity)
    const other = byKey.get(key)
    byKey.set(key, other ? both(other, entity) : entity)
  }
  const distinct = [...byKey.values()]
  return distinct.length > 1 && namedAlone.has(group[0]?.kind ?? 'other') ? withoutPoorer(distinct) : distinct
}

const nameFor = ({ kind, name }: RemoteEntity) => (namedAlone.has(kind) ? name.toLowerCase() : name)

/** Values by field, of what a thing is. */
function identityOf({ kind, facts = [] }: RemoteEntity): Map<string, string> {
  const anyCase = namedAlone.has(kind)
  const values = new Map<string, string | string[]>()
  for (const fact of facts) {
    if (!isIdentifying(fact)) continue
    const value = anyCase ? fact[1].toLowerCase() : fact[1]
    const others = values.get(fact[0])
    if (others === undefined) values.set(fact[0], value)
    else if (typeof others === 'string') values.set(fact[0], [others, value])
    else others.push(value)
  }
  const identity = new Map<string, string>()
  for (const [code, one] of values)
    identity.set(code, typeof one === 'string' ? one : [...new Set(one)].sort().join(apart))
  return identity
}

/** Stands in no text that was read: a NUL of Microsoft's is made visible. */
const apart = '\0'

function keyOf(entity: RemoteEntity): string {
  // What an older Muster stored has its detail alone.
  if (entity.facts === undefined) return `${entity.detail}`
  return keyOver(identityOf(entity))
}

function keyOver(identity: ReadonlyMap<string, string>): string {
  let key = ''
  for (const code of [...identity.keys()].sort()) key += `${code}${apart}${identity.get(code)}${apart}${apart}`
  return key
}

/** An entity that says nothing beyond what another says is that one. */
function withoutPoorer(entities: readonly RemoteEntity[]): RemoteEntity[] {
  const identified = entities.map((entity) => ({ entity, identity: identityOf(entity) }))
  const shapes = [...new Set(identified.map(({ identity }) => [...identity.keys()].sort().join('\n')))]
  const survivors = new Map<RemoteEntity, RemoteEntity>()
  const byPart = new Map<string, RemoteEntity>()
  for (const { entity, identity } of [...identified].sort((a, b) => b.identity.size - a.identity.size)) {
    const richer = byPart.get(keyOver(identity))
    if (richer) {
      survivors.set(richer, both(survivors.get(richer) ?? richer, entity))
      continue
    }
    survivors.set(entity, entity)
    for (const shape of shapes) {
      const codes = shape === '' ? [] : shape.split('\n')
      if (!codes.every((code) => identity.has(code))) continue
      const key = keyOver(new Map(codes.map((code) => [code, identity.get(code) ?? ''])))
      if (!byPart.has(key)) byPart.set(key, entity)
    }
  }
  return entities.flatMap((entity) => survivors.get(entity) ?? [])
}

/** The graver one, with what was said of either. */
function both(one: RemoteEntity, other: RemoteEntity): RemoteEntity {
  const [graver, lesser] = verdictRank(other.verdict) > verdictRank(one.verdict) ? [other, one] : [one, other]
  const lines = new Set((graver.facts ?? []).map((fact) => fact.join('\n')))
  const more = (lesser.facts ?? []).filter((fact) => !lines.has(fact.join('\n')))
  if (lesser.remediation !== null && lesser.remediation !== graver.remediation) {
    const also: EntityFact = ['remediationStatus', lesser.remediation]
    if (!lines.has(also.join('\n'))) more.push(also)
  }
  return more.length === 0 ? graver : { ...graver, facts: [...(graver.facts ?? []), ...more] }
}
