import type { Instant } from '../../model/incident.ts'
import type { ListQuery } from './incidents.ts'

/** What a list is taken apart by. */
interface Dated {
  updatedAt: Instant | null
  createdAt: Instant | null
}

/** The next instant there is: seven digits of a second are all that the two APIs write. */
export function instantAfter(instant: Instant): Instant {
  const ticks = Number(instant.slice(20, 27)) + 1
  if (ticks < 10_000_000) return `${instant.slice(0, 20)}${String(ticks).padStart(7, '0')}Z`
  const second = new Date(Date.parse(`${instant.slice(0, 19)}Z`) + 1_000).toISOString()
  return `${second.slice(0, 19)}.0000000Z`
}

const spans = [
  { field: 'updatedAt', since: 'updatedSince', before: 'updatedBefore' },
  { field: 'createdAt', since: 'createdSince', before: 'createdBefore' },
] as const

/** Whether an item lies within the bounds of time that a query names. */
export function inside(query: ListQuery, item: Dated): boolean {
  return spans.every(({ field, since, before }) => {
    const [at, from, to] = [item[field], query[since], query[before]]
    if (at === null) return from === undefined && to === undefined
    return (from === undefined || at >= from) && (to === undefined || at < to)
  })
}

/**
 * A query as several that leave nothing out: by last update, then by creation, then by the conditions of the source.
 * Each part holds fewer instants than the whole, so that this comes to an end.
 * @param seen what the query is known to hold; at least one item
 * @param kinds sets of conditions, each without a gap
 * @param most how many of those seen one part should hold
 * @returns null when nothing is left to tell items apart by
 */
export function partsOf(
  query: ListQuery,
  seen: readonly Dated[],
  kinds: readonly (readonly string[])[],
  most: number,
): ListQuery[] | null {
  for (const { field, since, before } of spans) {
    const [from, to] = [query[since], query[before]]
    if (from !== undefined && to !== undefined && instantAfter(from) >= to) continue
    const times = seen.flatMap((item) => item[field] ?? []).sort()
    const edges = [from, ...cutsOf(times, most).filter((edge) => edge !== from && edge !== to), to]
    if (times.length === 0) continue
    return edges.slice(1).map((end, index) => {
      const start = edges[index]
      return {
        ...query,
        ...(start === undefined ? {} : { [since]: start }),
        ...(end === undefined ? {} : { [before]: end }),
      }
    })
  }
  const held = query.kinds ?? []
  const next = kinds.filter((set) => query.status === undefined || !set.some((kind) => kind.startsWith('status ')))
  return next[held.length]?.map((kind) => ({ ...query, kinds: [...held, kind] })) ?? null
}

/** Where to cut a span of these times, sorted: at least once, and never through an instant. */
function cutsOf(times: readonly Instant[], most: number): Instant[] {
  const different = [...new Set(times)]
  const [only, ...others] = different
  if (only === undefined) return []
  if (others.length === 0) return [only, instantAfter(only)]
  const cuts: Instant[] = []
  let size = 0
  for (const [index, time] of times.entries()) {
    if (size >= most && time !== times[index - 1]) {
      cuts.push(time)
      size = 0
    }
    size++
  }
  return cuts.length > 0 ? cuts : [different[Math.ceil(different.length / 2)] ?? only]
}
