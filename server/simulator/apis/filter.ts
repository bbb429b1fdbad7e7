import type { Incident } from '../world/incidents.ts'
import { type Instant, parseInstant } from '../world/instants.ts'

type Comparison = 'eq' | 'ne' | 'ge' | 'gt' | 'le' | 'lt'

/** `field op literal`, joined by `and`, `or`, `not` and parentheses. */
export type Filter =
  | { kind: 'and' | 'or'; left: Filter; right: Filter }
  | { kind: 'not'; of: Filter }
  | { kind: 'compare'; field: string; comparison: Comparison; value: string | null }

/** A field that may be filtered on, and what an item holds in it. */
export interface FilterField<T> {
  kind: 'time' | 'text'
  read: (item: T) => string | null
}

/** The text is no filter, or names what may not be filtered on. `message` is what Microsoft would say. */
export class FilterError extends Error {
  constructor(message: string) {
    super(message)
    this.name = 'FilterError'
  }
}

interface Token {
  text: string
  quoted: boolean
}

/** The part of OData 4 filters that the two APIs document. @throws FilterError */
export function parseFilter(text: string): Filter {
  const tokens = tokenize(text)
  let at = 0
  const peek = () => tokens[at]
  const next = (): Token => {
    const token = tokens[at++]
    if (!token) throw syntaxError(text)
    return token
  }
  const word = (expected: string) => {
    const token = peek()
    return token !== undefined && !token.quoted && token.text.toLowerCase() === expected
  }
  const either = (): Filter => {
    let left = both()
    while (word('or')) {
      at++
      left = { kind: 'or', left, right: both() }
    }
    return left
  }
  const both = (): Filter => {
    let left = single()
    while (word('and')) {
      at++
      left = { kind: 'and', left, right: single() }
    }
    return left
  }
  const single = (): Filter => {
    if (word('not')) {
      at++
      return { kind: 'not', of: single() }
    }
    if (word('(')) {
      at++
      const inner = either()
      if (next().text !== ')') throw syntaxError(text)
      return inner
    }
    const field = next()
    const comparison = next().text.toLowerCase()
    const value = next()
    if (field.quoted || !isComparison(comparison) || value.text === ')' || value.text === '(') throw syntaxError(text)
    return {
      kind: 'compare',
      field: field.text,
      comparison,
      value: !value.quoted && value.text.toLowerCase() === 'null' ? null : value.text,
    }
  }
  const filter = either()
  if (at < tokens.length) throw syntaxError(text)
  return filter
}

function tokenize(text: string): Token[] {
  const tokens: Token[] = []
  // Sticky: what lies between two tokens is a fault.
  const token = /\s*(?:(\()|(\))|'((?:[^']|'')*)'|([^\s()']+))/y
  const trimmed = text.trimEnd()
  while (token.lastIndex < trimmed.length) {
    const match = token.exec(trimmed)
    if (!match) throw syntaxError(text)
    const [, open, close, quoted, bare] = match
    if (quoted !== undefined) tokens.push({ text: quoted.replaceAll("''", "'"), quoted: true })
    else tokens.push({ text: open ?? close ?? bare ?? '', quoted: false })
  }
  return tokens
}

function syntaxError(text: string): FilterError {
  return new FilterError(`Invalid filter clause: there is a syntax error in '${text.slice(0, 200)}'.`)
}

function isComparison(text: string): text is Comparison {
  return ['eq', 'ne', 'ge', 'gt', 'le', 'lt'].includes(text)
}

/** Turns a filter into a test for items. @throws FilterError for a field that may not be filtered on, or a bad date */
export function compileFilter<T>(filter: Filter, fields: ReadonlyMap<string, FilterField<T>>): (item: T) => boolean {
  switch (filter.kind) {
    case 'and': {
      const [left, right] = [compileFilter(filter.left, fields), compileFilter(filter.right, fields)]
      return (item) => left(item) && right(item)
    }
    case 'or': {
      const [left, right] = [compileFilter(filter.left, fields), compileFilter(filter.right, fields)]
      return (item) => left(item) || right(item)
    }
    case 'not': {
      const of = compileFilter(filter.of, fields)
      return (item) => !of(item)
    }
    case 'compare':
      return compileComparison(filter, fields)
  }
}

function compileComparison<T>(
  { field: name, comparison, value }: Extract<Filter, { kind: 'compare' }>,
  fields: ReadonlyMap<string, FilterField<T>>,
): (item: T) => boolean {
  const field = fields.get(name)
  if (!field) {
    throw new FilterError(
      `The query specified in the URI is not valid. The property '${name}' cannot be used in the $filter query option.`,
    )
  }
  const operand = value === null ? null : field.kind === 'time' ? instantLiteral(value) : value.toLowerCase()
  const read = field.kind === 'time' ? field.read : (item: T) => field.read(item)?.toLowerCase() ?? null
  if (comparison === 'eq') return (item) => read(item) === operand
  if (comparison === 'ne') return (item) => read(item) !== operand
  if (field.kind !== 'time' || operand === null) {
    throw new FilterError(`A binary operator with incompatible types was detected for operator kind '${comparison}'.`)
  }
  const holds: Record<'ge' | 'gt' | 'le' | 'lt', (a: string) => boolean> = {
    ge: (a) => a >= operand,
    gt: (a) => a > operand,
    le: (a) => a <= operand,
    lt: (a) => a < operand,
  }
  const test = holds[comparison]
  return (item) => {
    const value = read(item)
    return value !== null && test(value)
  }
}

function instantLiteral(value: string): Instant {
  const instant = parseInstant(value)
  if (instant === null) throw new FilterError(`Invalid date literal '${value}'.`)
  return instant
}

/**
 * Bounds that every match lies within, for a field that is kept sorted; both ends included, so the test itself still
 * decides about `gt` and `lt`.
 */
function boundsOf(filter: Filter | null, field: string): { from: Instant | null; to: Instant | null } {
  if (filter?.kind === 'and') {
    const [left, right] = [boundsOf(filter.left, field), boundsOf(filter.right, field)]
    return { from: later(left.from, right.from), to: earlier(left.to, right.to) }
  }
  if (filter?.kind === 'compare' && filter.field === field && filter.value !== null) {
    const value = instantLiteral(filter.value)
    if (filter.comparison === 'ge' || filter.comparison === 'gt') return { from: value, to: null }
    if (filter.comparison === 'le' || filter.comparison === 'lt') return { from: null, to: value }
    if (filter.comparison === 'eq') return { from: value, to: value }
  }
  return { from: null, to: null }
}

function later(a: Instant | null, b: Instant | null): Instant | null {
  if (a === null || b === null) return a ?? b
  return a > b ? a : b
}

function earlier(a: Instant | null, b: Instant | null): Instant | null {
  if (a === null || b === null) return a ?? b
  return a < b ? a : b
}

/** What a list request wants to see. */
export interface PageQuery {
  from: Instant | null
  to: Instant | null
  matches: (incident: Incident) => boolean
  skip: number
  top: number
}

/** `$filter` over incidents. @throws FilterError */
export function incidentFilter(
  text: string | undefined,
  fields: ReadonlyMap<string, FilterField<Incident>>,
  timeField: string,
): Pick<PageQuery, 'from' | 'to' | 'matches'> {
  if (text === undefined || text.trim() === '') return { from: null, to: null, matches: () => true }
  const filter = parseFilter(text)
  const matches = compileFilter(filter, fields)
  return { ...boundsOf(filter, timeField), matches }
}

/** A whole number that is not negative, or the fallback where nothing was said. @throws FilterError */
export function wholeNumber(value: unknown, name: string, fallback: number): number {
  if (value === undefined) return fallback
  if (typeof value !== 'string' || !/^\d{1,9}$/.test(value)) {
    throw new FilterError(
      `Invalid value '${String(value)}' for ${name} query option found. The ${name} query option requires a non-negative integer value.`,
    )
  }
  return Number(value)
}
