/** A right to be one of those at work. */
export interface Slot {
  /** Once is enough; more often does no harm. */
  leave(): void
}

/** Room in memory for one answer. */
export interface Place extends Slot {
  /** So many bytes from now on; more as soon as there is room. @throws the reason of `stopping` */
  hold(bytes: number): Promise<void>
}

/** What a sync run over a tenant is given beside its claim. */
export interface JobContext {
  /**
   * Ends the sync run at the edge of a page: what is stored stays. Its reason is a `ReadingPausedError` when an operator
   * paused everything, and a `ClaimLostError` when another process works on the tenant by now.
   */
  readonly stopping: AbortSignal | undefined
  /** Sleeps without holding a place among the tenants in flight. @throws the reason of `stopping` */
  rest(ms: number): Promise<void>
  /**
   * Room in memory for an answer of so many bytes, from when its body begins to arrive until what it brought is stored.
   * What all hold together in this process is bounded. @throws the reason of `stopping`
   */
  room(bytes: number): Promise<Place>
  /** Calls that were taken out of the tenant's budget along with the claim; their user counts them down. */
  readonly prepaid?: { calls: number; at: Date }
}

/** The reason of a turn that ends because an operator paused everything. */
export class ReadingPausedError extends Error {
  constructor() {
    super('reading was paused')
    this.name = 'ReadingPausedError'
  }
}
