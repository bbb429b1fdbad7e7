/** UTC with exactly seven fraction digits, so that text order is time order. */
export type Instant = string

/** @param ticks 100-nanosecond steps beyond the millisecond, 0 to 9999 */
export function instantOf(ms: number, ticks = 0): Instant {
  return `${new Date(ms).toISOString().slice(0, 23)}${String(10_000 + ticks).slice(1)}Z`
}

export function msOf(instant: Instant): number {
  return Date.parse(`${instant.slice(0, 23)}Z`)
}

/** Reads an OData date literal with 0 to 7 fraction digits and `Z` or an offset; null when it is none. */
export function parseInstant(text: string): Instant | null {
  const match = /^(\d{4}-\d\d-\d\d)(?:T(\d\d:\d\d)(?::(\d\d)(?:\.(\d{1,7}))?)?(Z|[+-]\d\d:\d\d))?$/i.exec(text)
  if (!match) return null
  const [, date, time = '00:00', seconds = '00', fraction = '', zone = 'Z'] = match
  const ms = Date.parse(`${date}T${time}:${seconds}${zone.toUpperCase()}`)
  if (Number.isNaN(ms)) return null
  return `${new Date(ms).toISOString().slice(0, 19)}.${fraction.padEnd(7, '0')}Z`
}

/** As Microsoft writes it: trailing zeros dropped, so 0 to 7 digits remain. */
export function onWire(instant: Instant): string {
  let end = instant.length - 1
  while (instant[end - 1] === '0') end--
  return `${instant.slice(0, instant[end - 1] === '.' ? end - 1 : end)}Z`
}

/** `2026-09-04 01:51:03Z`, the form of error bodies at the token endpoint. */
export function loginTimestamp(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 19).replace('T', ' ')}Z`
}
