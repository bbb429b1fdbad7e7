import { day } from '../../time.ts'

/** `2026-11-20T08:14`, as a field of the kind `datetime-local` gives it, in whatever zone. */
const wallClock = /^(\d{4})-(\d{2})-(\d{2})T(\d{2}):(\d{2})(?::\d{2}(?:\.\d+)?)?$/

/**
 * The moments at which clocks in this zone show that time, earliest first: one, two when the clocks are set back over it,
 * none when they are set forward over it. Null for what is no time at all.
 */
export function momentsOf(local: string, zone: string): Date[] | null {
  const parts = wallClock.exec(local.trim())
  if (!parts) return null
  const [year, month, date, hour, minute] = parts.slice(1).map(Number) as [number, number, number, number, number]
  const asUtc = Date.UTC(year, month - 1, date, hour, minute)
  const wanted = `${parts[1]}-${parts[2]}-${parts[3]}T${parts[4]}:${parts[5]}`
  if (new Date(asUtc).toISOString().slice(0, 16) !== wanted) return null
  // Whatever the zone does around that day, it was at one of these two offsets when clocks showed this time.
  const offsets = new Set([asUtc - day, asUtc + day].map((at) => Date.parse(`${wallClockAt(at, zone)}Z`) - at))
  return [...offsets]
    .map((offset) => asUtc - offset)
    .filter((at) => wallClockAt(at, zone) === wanted)
    .sort((a, b) => a - b)
    .map((at) => new Date(at))
}

/** What clocks in this zone show at that moment: `2026-11-20T08:14`. */
export function wallClockAt(at: Date | number, zone: string): string {
  const parts = new Intl.DateTimeFormat('en-GB', {
    timeZone: zone,
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
    hour: '2-digit',
    minute: '2-digit',
    hourCycle: 'h23',
  }).formatToParts(at)
  const part = (type: Intl.DateTimeFormatPartTypes) => parts.find((one) => one.type === type)?.value ?? ''
  return `${part('year').padStart(4, '0')}-${part('month')}-${part('day')}T${part('hour')}:${part('minute')}`
}
