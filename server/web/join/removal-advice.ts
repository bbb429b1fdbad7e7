import type { AttemptEnd } from './attempt-end.ts'

/**
 * How the tenant of a run stands with us. `connected`: bound and worked with · `held`: somebody here has to do with it, by
 * another state, an open review or a link of its own · `offboarded`: it was, and nothing waits · `unknown`: never.
 */
export type TenantStanding = 'connected' | 'held' | 'offboarded' | 'unknown'

/** What a person at the end of a run is told to do with the app in the tenant: null where there is nothing to say. */
export type RemovalAdvice = 'leave' | 'ask-first' | 'may-remove' | null

interface EndFacts {
  end: AttemptEnd
  /** This browser has signed in to the tenant of the run, and not as a guest. */
  signedIn: boolean
  tenant: TenantStanding
  /** A tenant was named, or a code came: whoever was at Microsoft may have accepted there. */
  mayHaveConsented: boolean
}

/** Ends after which an app may be listed in a tenant that this run did not connect. */
const leavesApp = new Set<AttemptEnd>([
  'wrong-tenant',
  'tenant-taken',
  'link-withdrawn',
  'sign-in-failed',
  'dismissed',
  'offboarded',
])
/** Ends that are about the tenant itself: told only to who has signed in to it. */
const tellsOfTenant = new Set<AttemptEnd>(['tenant-taken', 'dismissed'])

/**
 * What a person is told of the tenant and its app depends on what is true of the tenant, not of the run, and on what this
 * browser has proven. Whoever only claimed a tenant is told nothing that would show whom the partner serves, and nobody is
 * led to remove an app that somebody reads with.
 */
export function adviseAtEnd({ end, signedIn, tenant, mayHaveConsented }: EndFacts): {
  end: AttemptEnd
  removal: RemovalAdvice
} {
  if (!leavesApp.has(end) || !mayHaveConsented) return { end, removal: null }
  if (!signedIn) return { end: tellsOfTenant.has(end) ? 'unchanged' : end, removal: 'ask-first' }
  if (tenant === 'connected') return { end: tellsOfTenant.has(end) ? 'connected' : end, removal: 'leave' }
  return { end, removal: tenant === 'held' ? 'ask-first' : 'may-remove' }
}
