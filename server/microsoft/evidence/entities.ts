import { hash } from 'node:crypto'
import type { EntityFact, EntityKind, RemoteEntity } from '../../model/incident.ts'
import { jsonTextOf } from '../wire/json-text.ts'
import { camel, isRecord, text } from '../wire/reading.ts'

/** How the entities of one kind are named: each text is made of fields, the first that is whole counts. */
export interface Description {
  kind: EntityKind
  /** Paths (`userAccount.accountName`), or texts around several of them: `{sourceAddress.ipAddress}:{sourcePort}`. */
  names: readonly string[]
  details?: readonly string[]
}

type TextOf = (record: Record<string, unknown>) => string | null

interface Reader {
  kind: EntityKind
  name: TextOf
  detail: TextOf
}

/** Tables that are asked by a type from outside, its letter case aside. */
export function readersOf(descriptions: Readonly<Record<string, Description>>): ReadonlyMap<string, Reader> {
  return new Map(
    Object.entries(descriptions).map(([type, { kind, names, details = [] }]) => [
      type.toLowerCase(),
      { kind, name: firstText(names), detail: firstText(details) },
    ]),
  )
}

const longestName = 2_000
const longestValue = 2_000
const longestJson = 4_000
/** One entity names a few things; what names thousands is cut, and told apart by a digest of the rest. */
const mostFacts = 250
/** Fields of fields of fields: beyond this they are written as JSON. */
const deepest = 6

/**
 * An entity with every field Microsoft sent of it.
 * @param type Microsoft's own word for the kind; null where there is none
 * @param readers of the kinds that are known; another shows its type and its JSON
 */
export function readEntity(
  record: Record<string, unknown>,
  type: string | null,
  readers: ReadonlyMap<string, Reader>,
): RemoteEntity {
  const reader = readers.get(type?.toLowerCase() ?? '')
  const { kind, name: nameOf, detail: detailOf } = reader ?? unknownKind
  const name = nameOf(record) ?? type ?? kind
  const detail = reader === undefined ? type : detailOf(record)
  const facts = reader === undefined ? [jsonFact(record)] : factsOf(record)
  return {
    kind,
    type,
    name,
    detail: detail === name ? null : detail,
    verdict: camel(text(record.verdict, 100)),
    remediation: camel(text(record.remediationStatus, 100)),
    facts: facts.filter(([, value]) => value !== name),
  }
}

const unknownKind: Reader = {
  kind: 'other',
  name: firstText([
    ...['userPrincipalName', 'accountName', 'displayName', 'name', 'title', 'hostName', 'url', 'ipAddress', 'fileName'],
    ...['mailboxAddress', 'subject', 'registryKey', 'securityGroupName', 'resourceName', 'resourceId', 'deviceId'],
  ]),
  detail: () => null,
}

function firstText(patterns: readonly string[]): TextOf {
  const readers = patterns.map(compiled)
  return (record) => {
    for (const textOf of readers) {
      const value = textOf(record)
      if (value !== null) return value
    }
    return null
  }
}

function compiled(pattern: string): TextOf {
  if (!pattern.includes('{')) return fieldAt(pattern)
  const parts = pattern.split(/[{}]/).map((part, index) => (index % 2 === 0 ? part : fieldAt(part)))
  return (record) => {
    let whole = ''
    for (const part of parts) {
      const piece = typeof part === 'string' ? part : part(record)
      if (piece === null) return null
      whole += piece
    }
    return whole
  }
}

function fieldAt(path: string): TextOf {
  const keys = path.split('.')
  return (record) => {
    let value: unknown = record
    for (const key of keys) value = isRecord(value) ? value[key] : undefined
    return Array.isArray(value) ? bounded(value.flatMap(wordsOf).join(', '), longestName) : bounded(value, longestName)
  }
}

const wordsOf = (value: unknown) => text(value, longestName) ?? []

/** Said of the moment and not of the thing, wherever it stands. */
const unsaid: ReadonlySet<string> = new Set([
  ...['@odata.type', 'entityType', 'createdDateTime', 'evidenceCreationTime', 'verdict', 'remediationStatus'],
])
/** What Microsoft wraps a thing's own fields in. */
const wrappers = /^(?:fileDetails|imageFile|userAccount)\.|(?<=^account\.)userAccount\./

/** Every field that says something, and where it stands in what came. What an analyst copies comes first. */
function factsOf(record: Record<string, unknown>): EntityFact[] {
  const facts: EntityFact[] = []
  const left = addFacts(facts, '', record, 0)
  if (left > 0) facts.push(['more', `${left} ${digest(jsonTextOf(record))}`])
  return inOrder(facts)
}

/** Appends what stands in a value, up to the bound; @returns how many facts were left out for it. */
function addFacts(facts: EntityFact[], path: string, value: unknown, depth: number): number {
  if (value === null || value === undefined || value === '') return 0
  if (typeof value === 'object' && depth < deepest) return addInner(facts, path, value, depth)
  if (facts.length >= mostFacts) return 1
  const fact = bounded(typeof value === 'object' ? jsonTextOf(value) : value, longestValue)
  if (fact !== null) facts.push([codeOf(path), fact])
  return 0
}

function addInner(facts: EntityFact[], path: string, value: object, depth: number): number {
  let left = 0
  if (Array.isArray(value)) {
    for (const one of value) left += addFacts(facts, path, one, depth + 1)
    return left
  }
  const fields = value as Record<string, unknown>
  for (const key of Object.keys(fields)) {
    const inner = fields[key]
    // Most fields of one type are empty in all others: the API sends each record with the fields of every type.
    if (inner === null || inner === '' || unsaid.has(key)) continue
    left += addFacts(facts, path === '' ? key : `${path}.${key}`, inner, depth + 1)
  }
  return left
}

const codeOf = (path: string) => (path.includes('.') ? path.replace(wrappers, '') : path).slice(0, 200)

function jsonFact(record: Record<string, unknown>): EntityFact {
  const facts = Object.fromEntries(Object.entries(record).filter(([key]) => !unsaid.has(key)))
  return ['json', bounded(jsonTextOf(facts), longestJson) ?? '{}']
}

/** Text within bounds; two that differ only beyond them still differ. */
function bounded(value: unknown, limit: number): string | null {
  if (typeof value === 'boolean') return String(value)
  const short = text(value, limit)
  if (typeof value !== 'string' || value.length <= limit || short === null || short.length < limit) return short
  return `${short} … ${digest(value)}`
}

const digest = (value: string) => `#${hash('sha256', value, 'hex').slice(0, 12)}`

/** What an analyst copies comes first; the rest as Microsoft sent it. */
const first = [
  ...['recipientEmailAddress', 'recipient', 'sha256', 'sha1', 'md5', 'filePath', 'processCommandLine', 'processId'],
  ...['userPrincipalName', 'domainName', 'accountName', 'displayName', 'userSid', 'appId', 'clusterByValue'],
]
const ranks: ReadonlyMap<string, number> = new Map(first.map((code, rank) => [code, rank]))

function inOrder(facts: EntityFact[]): EntityFact[] {
  const ahead: { fact: EntityFact; rank: number }[] = []
  const rest: EntityFact[] = []
  for (const fact of facts) {
    const rank = ranks.get(fact[0])
    if (rank === undefined) rest.push(fact)
    else ahead.push({ fact, rank })
  }
  if (ahead.length === 0) return rest
  return [...ahead.sort((a, b) => a.rank - b.rank).map(({ fact }) => fact), ...rest]
}
