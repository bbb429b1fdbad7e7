import type { Alarm, Announcement } from '../store/notify/alarms.ts'
import type { Destination, QuietHours } from '../store/notify/destinations.ts'
import type { NewMessage } from '../store/notify/outbox.ts'
import { minute } from '../time.ts'

/** What decides over an alarm's way, besides itself. */
export interface Surroundings {
  destinations: readonly Destination[]
  /** Groups of a customer; none for one that is not known. */
  groupsOf: (customerId: string) => readonly string[]
  /** Whether mail can be sent to people who have no destination. */
  mail: boolean
}

/** Whether a destination takes this alarm. What concerns no customer concerns all of them. */
export function wants(destination: Destination, alarm: Alarm, groups: readonly string[]): boolean {
  const { kinds, customers, groups: wanted } = destination
  if (destination.pausedAt !== null) return false
  // Nobody can be told by a destination that it cannot be reached.
  if (alarm.kind === 'delivery-failing' && alarm.subjectId === destination.id) return false
  if (kinds !== null && !kinds.includes(alarm.kind)) return false
  if (alarm.customerId === null || (customers === null && wanted === null)) return true
  return customers?.includes(alarm.customerId) === true || groups.some((group) => wanted?.includes(group) === true)
}

/** The messages of what is to be told now, by destination; and to the owner of one that cannot be reached, by mail. */
export function addressed(announcements: readonly Announcement[], around: Surroundings, now: Date): NewMessage[] {
  return announcements.flatMap(({ alarm, change }): NewMessage[] => {
    const groups = alarm.customerId === null ? [] : around.groupsOf(alarm.customerId)
    const message = { topic: 'alarm', subjectId: alarm.id, change } as const
    const others = around.destinations
      .filter((destination) => wants(destination, alarm, groups))
      .map((destination) => ({
        ...message,
        destinationId: destination.id,
        dueAt: destination.offAt === null ? sendAt(destination, alarm, now) : null,
      }))
    const owner = around.destinations.find((one) => one.id === alarm.subjectId)?.ownerId
    const byMail = alarm.kind === 'delivery-failing' && change === 'raised' && around.mail && owner !== undefined
    return byMail ? [...others, { ...message, destinationId: null, recipient: owner, dueAt: now }] : others
  })
}

/** When a message may go: at once, or when the destination's quiet hours end. A partner fault is never held. */
export function sendAt({ quiet, timeZone }: Destination, alarm: Pick<Alarm, 'kind'>, now: Date): Date {
  if (quiet === null || alarm.kind === 'partner-fault') return now
  return quietUntil(quiet, timeZone, now) ?? now
}

const minutesOfDay = 24 * 60

/** When the quiet hours end that it is in now; null when it is in none. */
export function quietUntil({ from, to, days }: QuietHours, timeZone: string, now: Date): Date | null {
  const [start, end] = [minutesOf(from), minutesOf(to)]
  const { minutes, weekday } = wallClock(now, timeZone)
  const yesterday = weekday === 1 ? 7 : weekday - 1
  const overnight = end <= start
  const sinceToday = minutes >= start && (overnight || minutes < end) && days.includes(weekday)
  const sinceYesterday = overnight && minutes < end && days.includes(yesterday)
  if (!sinceToday && !sinceYesterday) return null
  const left = (end - minutes + minutesOfDay) % minutesOfDay
  const over = new Date(Math.floor(now.getTime() / minute) * minute + (left === 0 ? minutesOfDay : left) * minute)
  // Clocks that are set forward or back meanwhile show another time then: by as much it ends later or earlier.
  const off = end - wallClock(over, timeZone).minutes
  const shift = off > minutesOfDay / 2 ? off - minutesOfDay : off < -minutesOfDay / 2 ? off + minutesOfDay : off
  return new Date(over.getTime() + shift * minute)
}

const minutesOf = (clock: string) => {
  const [hours = 0, minutes = 0] = clock.split(':').map(Number)
  return hours * 60 + minutes
}

const weekdays = ['Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat', 'Sun']

function wallClock(at: Date, timeZone: string): { minutes: number; weekday: number } {
  const parts = new Intl.DateTimeFormat('en-GB', {
    timeZone,
    weekday: 'short',
    hour: '2-digit',
    minute: '2-digit',
    hourCycle: 'h23',
  }).formatToParts(at)
  const part = (type: Intl.DateTimeFormatPartTypes) => parts.find((one) => one.type === type)?.value ?? ''
  return {
    minutes: Number(part('hour')) * 60 + Number(part('minute')),
    weekday: weekdays.indexOf(part('weekday')) + 1,
  }
}
