import { type RawBuilder, type SqlBool, sql } from 'kysely'

/** Worst first: open ones, severity, then the newest change. Newest: by the last change alone. */
export type QueueOrder = 'worst' | 'newest'

/** The place between two lines of the queue, held by the sort key of a line and not by a count: stable while incidents come. */
export interface Place {
  open: number
  rank: number
  updated: string
  tenant: string
  incident: string
}

export interface Cursor {
  direction: 'after' | 'before'
  place: Place
}

/**
 * What the queue is sorted by. All of it goes down, ties included: a page is then one comparison of whole rows, which
 * an index answers from either end.
 */
export const sortKeys: Record<QueueOrder, readonly (keyof Place)[]> = {
  worst: ['open', 'rank', 'updated', 'tenant', 'incident'],
  newest: ['updated', 'tenant', 'incident'],
}

const columnOf: Record<keyof Place, string> = {
  open: 'open',
  rank: 'severity_rank',
  updated: 'last_update_at',
  tenant: 'tenant_id',
  incident: 'incident_id',
}

export const column = (key: keyof Place): RawBuilder<unknown> => sql.ref(columnOf[key])

export function ordering(order: QueueOrder, backwards: boolean, table?: string): RawBuilder<unknown> {
  const direction = backwards ? sql`asc` : sql`desc`
  return sql.join(
    sortKeys[order].map(
      (key) => sql`${table === undefined ? column(key) : sql.ref(`${table}.${columnOf[key]}`)} ${direction}`,
    ),
  )
}

/**
 * Which lines lie beyond a place, of those that share the `fixed` parts of their key: all, none, or those that compare.
 */
export function beyond(cursor: Cursor, order: QueueOrder, fixed: Partial<Place>): 'all' | 'none' | RawBuilder<SqlBool> {
  const { place, direction } = cursor
  const backwards = direction === 'before'
  const open: (keyof Place)[] = []
  for (const key of sortKeys[order]) {
    const value = fixed[key]
    if (value === undefined) {
      open.push(key)
      continue
    }
    if (value === place[key]) continue
    const further = backwards ? value > place[key] : value < place[key]
    if (open.length === 0) return further ? 'all' : 'none'
    // A part that is fixed decides between lines that are equal in all that comes before it.
    return compare(open, place, backwards, further)
  }
  return open.length === 0 ? 'none' : compare(open, place, backwards, false)
}

function compare(
  keys: readonly (keyof Place)[],
  place: Place,
  backwards: boolean,
  orEqual: boolean,
): RawBuilder<SqlBool> {
  const sign = sql.raw(`${backwards ? '>' : '<'}${orEqual ? '=' : ''}`)
  return sql<SqlBool>`(${sql.join(keys.map(column))}) ${sign} (${sql.join(keys.map((key) => place[key]))})`
}

/** Opaque, safe in a URL. */
export function encodeCursor({ direction, place }: Cursor): string {
  const { open, rank, updated, tenant, incident } = place
  return Buffer.from(JSON.stringify([direction, open, rank, updated, tenant, incident])).toString('base64url')
}

/** Null for what we did not write. */
export function decodeCursor(text: string): Cursor | null {
  try {
    const parts: unknown = JSON.parse(Buffer.from(text.slice(0, 1_000), 'base64url').toString())
    if (!Array.isArray(parts) || parts.length !== 6) return null
    const [direction, open, rank, ...texts] = parts as unknown[]
    if (direction !== 'after' && direction !== 'before') return null
    if (!isSmall(open) || !isSmall(rank)) return null
    const [updated, tenant, incident] = texts
    if (!isPlain(updated) || !isPlain(tenant) || !isPlain(incident)) return null
    return { direction, place: { open, rank, updated, tenant, incident } }
  } catch {
    return null
  }
}

/** PostgreSQL refuses numbers beyond its integers, and text with a NUL: a made-up cursor must not be a fault of ours. */
const isSmall = (value: unknown): value is number => Number.isInteger(value) && Math.abs(value as number) < 100
const isPlain = (value: unknown): value is string => typeof value === 'string' && !value.includes('\0')
