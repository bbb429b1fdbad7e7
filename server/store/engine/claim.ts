/**
 * Work that is due on a row: proving a tenant's access, reading what changed in it, or reading on in one of its windows.
 * The last two are sync runs over the tenant and share one lease and one fence: it is read by one at a time.
 */
export type Work = 'check' | 'sync' | 'window'

/** The right to do one piece of work on one tenant until the lease ends. The fence tells a claim from a later one. */
export interface Claim {
  work: Work
  tenantId: string
  fence: number
  /** When it was due: what the row said before it was claimed. */
  dueAt: string
  /** Calls taken out of the tenant's budget along with the claim. */
  calls: number
}

/** The claim was overtaken: its lease ended and somebody else works on the tenant, or the tenant was offboarded. */
export class ClaimLostError extends Error {
  readonly claim: Claim

  constructor(claim: Claim) {
    super(`the claim on the ${claim.work} of ${claim.tenantId} was overtaken`)
    this.name = 'ClaimLostError'
    this.claim = claim
  }
}
