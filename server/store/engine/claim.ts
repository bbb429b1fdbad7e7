/**
 * Work that is due on a row: proving a tenant's access, reading what changed in it, or reading on in one of its windows.
 * The last two are sync runs over the tenant and share one lease and one fence: it is read by one at a time.
 */
export type Work = 'check' | 'sync' | 'window'

/** The right to do one piece of work on one row until its lease ends. The fence tells a claim from a later one. */
export interface DueClaim {
  work: string
  key: string
  fence: number
  /** When it was due: what the row said before it was claimed. */
  dueAt: string
  /** The row was claimed before and its claim never ended: its process was killed, or cut off from the database. */
  interrupted: boolean
}

/** The claim on one tenant. */
export interface Claim extends DueClaim {
  work: Work
  tenantId: string
  /** Calls taken out of the tenant's budget along with the claim. */
  calls: number
}

/** The claim was overtaken: its lease ended and another process has claimed the row, or the row is gone. */
export class ClaimLostError extends Error {
  readonly claim: DueClaim

  constructor(claim: DueClaim) {
    super(`the claim on the ${claim.work} of ${claim.key} was overtaken`)
    this.name = 'ClaimLostError'
    this.claim = claim
  }
}

/** Work whose claim may be overtaken without harm: what is left of it, somebody else has done or does. */
export async function unlessLost(work: Promise<void>): Promise<void> {
  await work.catch((error: unknown) => {
    if (!(error instanceof ClaimLostError)) throw error
  })
}
