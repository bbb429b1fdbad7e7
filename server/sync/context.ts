/** A right to be one of those at work. */
export interface Slot {
  /** Once is enough; more often does no harm. */
  leave(): void
}

/** What a sync run over a tenant is given beside its claim. */
export interface JobContext {
  /**
   * Ends the sync run at the edge of a page: what is stored stays. Its reason is a `ReadingPausedError` when an operator
   * paused everything, and a `ClaimLostError` when somebody else works on the tenant by now.
   */
  readonly stopping: AbortSignal | undefined
  /** Sleeps without holding a place among the tenants in flight. @throws the reason of `stopping` */
  rest(ms: number): Promise<void>
  /**
   * Room for one page of a long list in memory, from before it is fetched until it is stored: few at once in this
   * process. @throws the reason of `stopping`
   */
  heavy(): Promise<Slot>
  /** Calls that were taken out of the tenant's budget along with the claim; whoever uses them counts them down. */
  readonly prepaid?: { calls: number; at: Date }
}

/** The reason of a turn that ends because an operator paused everything. */
export class ReadingPausedError extends Error {
  constructor() {
    super('reading was paused')
    this.name = 'ReadingPausedError'
  }
}
