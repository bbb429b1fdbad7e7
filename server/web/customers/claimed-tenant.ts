import { Refusal } from '../../model/refusal.ts'
import type { Portal } from '../../portal.ts'
import type { Review } from '../../store/onboarding/reviews.ts'

/** What Microsoft calls a tenant that somebody has to decide on. */
export interface ClaimedTenant {
  /** Null where the partner's app may not look it up, or Microsoft did not answer. */
  name: string | null
  /** Every one is the tenant's own, as Microsoft says: the default domain, and that of the person who signed in. */
  domains: string[]
}

/** So many are looked up for one page; the rest are shown by their IDs. */
const mostDescribed = 20

/** Looked up when somebody opens the page, never when a browser claims a tenant: strangers make claims. */
export async function describeClaimed(
  portal: Portal,
  reviews: readonly Review[],
): Promise<(Review & { claimed: ClaimedTenant })[]> {
  return Promise.all(
    reviews.map(async (review, n) => {
      const { tenantId } = review
      const [profile, domain] =
        n < mostDescribed && tenantId !== null
          ? await Promise.all([portal.microsoft.describeTenant(tenantId), domainOfPerson(portal, review)])
          : [null, null]
      const domains = [review.tenantDomain ?? profile?.defaultDomain ?? null, domain]
      return {
        ...review,
        claimed: {
          name: review.tenantName ?? profile?.displayName ?? null,
          domains: [...new Set(domains.filter((one) => one !== null))],
        },
      }
    }),
  )
}

/** A user name in a token is what its tenant wrote there; discovery says whose the domain is, and needs no permission. */
async function domainOfPerson({ microsoft, log }: Portal, { person, tenantId }: Review): Promise<string | null> {
  const domain = /@([a-z0-9.-]+)$/.exec(person?.toLowerCase() ?? '')?.[1]
  if (domain === undefined) return null
  try {
    const identity = await microsoft.resolveTenant(domain)
    return identity?.tenantId === tenantId ? domain : null
  } catch (error) {
    if (!(error instanceof Refusal)) throw error
    log.debug({ err: error, tenantId }, 'the domain of a person was not resolved')
    return null
  }
}
