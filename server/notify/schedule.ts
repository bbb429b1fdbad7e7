import { hour, minute, second } from '../time.ts'

/**
 * Milliseconds before each try, counted from the try before: at once, then over about three days.
 * https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md#deliverability-and-reliability
 */
export const waits = [
  0,
  5 * second,
  5 * minute,
  30 * minute,
  2 * hour,
  5 * hour,
  10 * hour,
  14 * hour,
  20 * hour,
  24 * hour,
]

/** Up to this share is added, so that what failed together does not come back together. */
const jitter = 0.1
const longestRetryAfter = 24 * hour
const longestRest = minute

/**
 * When a message is tried again after so many tries, in milliseconds from now; null when that was the last.
 * @param asked what the other side asked for, in milliseconds
 */
export function retryAfter(tries: number, askedMs: number | null, random = Math.random()): number | null {
  const wait = waits[tries]
  if (wait === undefined) return null
  return Math.max(wait * (1 + jitter * random), Math.min(askedMs ?? 0, longestRetryAfter))
}

/** How long a destination is left alone by all its messages after so many failures in a row, in milliseconds. */
export function restAfter(failures: number, askedMs: number | null): number {
  return Math.max(
    Math.min(second * 2 ** Math.min(failures, 10), longestRest),
    Math.min(askedMs ?? 0, longestRetryAfter),
  )
}

/**
 * `Retry-After` in milliseconds: seconds, or an HTTP date; null for neither.
 * https://www.rfc-editor.org/rfc/rfc9110#field.retry-after
 */
export function readRetryAfter(header: string | null, now: Date): number | null {
  if (header === null) return null
  if (/^\d{1,9}$/.test(header.trim())) return Number(header) * second
  const at = /[A-Za-z]{3}/.test(header) ? Date.parse(header) : Number.NaN
  return Number.isNaN(at) ? null : Math.max(0, at - now.getTime())
}
