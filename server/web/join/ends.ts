import type { AttemptEnd } from './attempt-end.ts'

/** An end that is neither the proof nor the way to it. */
export type OtherEnd = Exclude<AttemptEnd, 'claimed' | 'proving' | 'done'>

/** The drawing of each end, and its colour; none for what is over or nobody's trouble. */
export const drawn: Record<OtherEnd, [string, string]> = {
  late: ['clock', ''],
  'sign-in': ['user', 'yellow'],
  review: ['hourglass', 'accent'],
  declined: ['x', ''],
  'not-admin': ['user', 'yellow'],
  'wrong-tenant': ['building', 'yellow'],
  unlicensed: ['license', 'yellow'],
  'tenant-taken': ['building', 'yellow'],
  'tenant-is-partner': ['building', 'yellow'],
  'sign-in-failed': ['user-off', 'yellow'],
  'link-withdrawn': ['link-off', ''],
  misconfigured: ['settings', 'yellow'],
  refused: ['alert-circle', 'yellow'],
  dismissed: ['building', 'yellow'],
  limited: ['shield-half', 'yellow'],
  'no-data': ['license', 'yellow'],
  blocked: ['lock', 'yellow'],
  disabled: ['circle-x', 'yellow'],
  connected: ['building', 'accent'],
  unchanged: ['hourglass', 'yellow'],
  revoked: ['ban', ''],
  gone: ['circle-dashed', 'yellow'],
  unproven: ['circle-dashed', 'yellow'],
  offboarded: ['archive', ''],
}
/** Ends after which the same link may be tried again. */
export const retried = new Set<AttemptEnd>([
  'late',
  'sign-in',
  'declined',
  'not-admin',
  'wrong-tenant',
  'unlicensed',
  'tenant-is-partner',
  'sign-in-failed',
  'misconfigured',
  'refused',
  'unproven',
])
/** Ends whose lead begins with the partner's name. */
export const namesFirst = new Set<AttemptEnd>(['declined', 'revoked', 'offboarded', 'dismissed'])
export const needsOtherAccount = new Set<AttemptEnd>(['not-admin', 'wrong-tenant', 'tenant-is-partner'])
export const saysApp = new Set<AttemptEnd>(['blocked', 'limited', 'disabled'])
export const saysNumber = new Set<AttemptEnd>(['refused', 'sign-in-failed'])
