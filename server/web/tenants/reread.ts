import type { FieldFault } from '../../http/forms.ts'
import { day } from '../../time.ts'
import { momentsOf } from '../page/zoned-time.ts'

/** What can be picked instead of typed, in milliseconds back from now. */
export const spans = { '24h': day, '3d': 3 * day, '7d': 7 * day, '30d': 30 * day } as const

export const spanNames = Object.keys(spans) as (keyof typeof spans)[]

/** Microsoft keeps incidents for half a year. */
const farthestBack = 180 * day

/**
 * The stretch between two times as clocks show them in a zone. Where a time comes twice because clocks were set back,
 * the longer stretch is meant.
 */
export function stretchOf(
  typed: { from: string; to: string },
  zone: string,
  now: Date,
): { from: Date; to: Date } | FieldFault[] {
  const [from, to] = [momentsOf(typed.from, zone), momentsOf(typed.to, zone)]
  const faults: FieldFault[] = []
  for (const [field, moments] of [
    ['from', from],
    ['to', to],
  ] as const) {
    if (typed[field].trim() === '') faults.push({ field, key: 'tenants.reread.missing' })
    else if (moments === null) faults.push({ field, key: 'tenants.reread.unreadable' })
    else if (moments.length === 0) faults.push({ field, key: 'tenants.reread.skipped' })
  }
  const [first, last] = [from?.[0], to?.at(-1)]
  if (first === undefined || last === undefined) return faults
  if (first >= now) return [{ field: 'from', key: 'tenants.reread.ahead' }]
  if (first.getTime() < now.getTime() - farthestBack) return [{ field: 'from', key: 'tenants.reread.too-old' }]
  if (last <= first) return [{ field: 'to', key: 'tenants.reread.backwards' }]
  return { from: first, to: last > now ? now : last }
}
