import { hour, minute, second } from '../time.ts'

/** Waits between tries after a consent: Microsoft needs seconds to hours until one takes effect everywhere. */
const delays = [5 * second, 15 * second, 45 * second, 2 * minute, 5 * minute, 15 * minute, hour, 6 * hour]

/** Milliseconds to the next try, after so many that proved nothing. */
export const provingDelayMs = (tries: number): number => delays[Math.min(tries, delays.length - 1)] ?? hour

/** How long after a consent, or the claim of one, its proof is looked for. */
export const provingEndsMs = 48 * hour
