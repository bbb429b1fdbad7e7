import { trace } from '@opentelemetry/api'
import type { Log } from '../log.ts'
import { incidentsStored, syncRunSeconds, syncRuns } from '../metrics.ts'
import { bothLack } from '../microsoft/incidents/partial.ts'
import type { Arrival, CallMeter } from '../microsoft/microsoft.ts'
import type { IncidentPage, IncidentQuery, Instant, PartialAnswer } from '../model/incident.ts'
import { Refusal, type RefusalCode } from '../model/refusal.ts'
import { reportPartnerFault } from '../partner/fault.ts'
import type { Portal } from '../portal.ts'
import { type Claim, ClaimLostError } from '../store/engine/claim.ts'
import { isUnavailable } from '../store/engine/write.ts'
import { newId } from '../store/identifiers.ts'
import type { PageStored } from '../store/sync/page-items.ts'
import type { Begun, SyncOutcome, SyncRunKind } from '../store/sync/rows.ts'
import { startSync, stopSync } from '../store/sync/syncs.ts'
import type { Tenant } from '../store/tenants/tenants.ts'
import { type Calls, callsFor } from './calls.ts'
import { type JobContext, type Place, ReadingPausedError, type Slot } from './context.ts'

/** Outside of the worker a sync run has all the room there is. */
const unshared: JobContext = {
  stopping: undefined,
  rest: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
  room: async () => ({ hold: async () => undefined, leave: () => undefined }),
}

/** Refusals that say something about the tenant's access, which an access check has to look into. */
const accessRefusals = new Set<RefusalCode>([
  'not-consented',
  'role-missing',
  'app-disabled',
  'unlicensed',
  'not-set-up',
  'data-unavailable',
  'blocked-by-policy',
  'tenant-gone',
  'tenant-unavailable',
  'other-cloud',
  'unauthorized',
  'wrong-tenant-token',
])

/** One sync run under way: its row, which is written only once there is something to say, its calls and its figures. */
export class SyncRun {
  readonly begun: Begun
  readonly calls: Calls
  readonly log: Log
  readonly portal: Portal
  readonly claim: Claim
  readonly tenant: Tenant
  readonly turn: JobContext
  readonly figures = { pages: 0, seen: 0, added: 0, changed: 0, rejected: 0, differences: 0 }
  /** What answers of this sync run lacked by their own account; null while all are whole. */
  partial: PartialAnswer | null = null
  #written = false
  readonly #clock = performance.now()

  constructor(
    portal: Portal,
    claim: Claim,
    tenant: Tenant,
    about: { kind: SyncRunKind; windowId?: string; requestId?: string | null },
    turn: JobContext = unshared,
  ) {
    this.portal = portal
    this.claim = claim
    this.tenant = tenant
    this.turn = turn
    const { kind, windowId = null, requestId = null } = about
    this.begun = { id: newId(), kind, startedAt: portal.now(), windowId, requestId }
    this.calls = callsFor(portal, claim.tenantId, turn, windowId === null ? 'poll' : 'window')
    const request = requestId === null ? {} : { requestId }
    this.log = portal.log.child({ tenantId: claim.tenantId, syncId: this.begun.id, ...request })
  }

  get now(): Date {
    return this.portal.now()
  }

  get ms(): number {
    return performance.now() - this.#clock
  }

  /** The ID of the row, or the sync run itself where there is no row yet. */
  get row(): string | Begun {
    return this.#written ? this.begun.id : this.begun
  }

  /** Writes the row, from which on this sync run is to be seen. @throws ClaimLostError */
  async writeRow(): Promise<string> {
    if (!this.#written) {
      await startSync(this.portal.db, this.claim, this.begun.kind, this.now, this.begun)
      this.#written = true
    }
    return this.begun.id
  }

  /** Pages as Microsoft sends them, the next one asked for while one is being stored. @throws Refusal */
  pages(query: IncidentQuery): AsyncGenerator<IncidentPage> {
    const gate = new Gate(this.turn, this.calls)
    const pages = this.portal.microsoft.listIncidents(this.claim.tenantId, query, gate)
    return this.#noted(oneAhead(pages, gate))
  }

  async *#noted(pages: AsyncGenerator<IncidentPage>): AsyncGenerator<IncidentPage> {
    for await (const page of pages) {
      this.notePartial(page.partial ?? null)
      yield page
    }
  }

  /**
   * One answer by itself: it has its room until `use` is done with it.
   * @param ask makes the request with the meter it is given
   * @throws what either throws
   */
  async one<Answer, Result>(
    ask: (calls: CallMeter) => Promise<Answer>,
    use: (answer: Answer) => Promise<Result>,
  ): Promise<Result> {
    const gate = new Gate(this.turn, this.calls)
    try {
      return await use(await ask(gate))
    } finally {
      gate.leave()
    }
  }

  notePartial(partial: PartialAnswer | null): void {
    this.partial = bothLack(this.partial, partial)
  }

  /** @throws what `stopping` was aborted with */
  throwIfStopping(): void {
    this.turn.stopping?.throwIfAborted()
  }

  count(page: IncidentPage, counts: PageStored): void {
    this.figures.pages++
    this.figures.seen += page.incidents.length
    this.figures.rejected += page.rejected.length
    this.#add(counts)
  }

  #add({ added, changed, differences }: PageStored): void {
    this.figures.added += added
    this.figures.changed += changed
    this.figures.differences += differences
    if (added > 0) incidentsStored.inc({ change: 'added' }, added)
    if (changed > added) incidentsStored.inc({ change: 'changed' }, changed - added)
  }

  /** Logs one line; for a poll that brought nothing at level `debug`. */
  ended(outcome: SyncOutcome): void {
    const { kind } = this.begun
    syncRuns.inc({ kind, outcome })
    syncRunSeconds.observe({ kind }, this.ms / 1000)
    const quiet = outcome === 'complete' && kind === 'following' && this.figures.changed === 0
    const facts = { kind, outcome, ...this.figures, calls: this.calls.made, ms: Math.round(this.ms) }
    this.log[quiet ? 'debug' : 'info'](facts, 'a sync run over a tenant ended')
  }
}

/**
 * Runs a sync run to its end: a stop gives the claim back, and a failure is left to `failed`. Calls that were set aside
 * and not made go back to the budget.
 * @throws ClaimLostError; what the database said when it is away
 */
export async function runSync(
  run: SyncRun,
  work: () => Promise<SyncOutcome>,
  failed: (error: unknown, code: RefusalCode | 'internal') => Promise<SyncOutcome>,
): Promise<void> {
  const { portal, claim, turn } = run
  const { kind } = run.begun
  await trace
    .getTracer('muster')
    .startActiveSpan('sync-run', { attributes: { 'muster.sync_run.kind': kind } }, async (span) => {
      try {
        let outcome: SyncOutcome
        try {
          outcome = await work()
        } catch (error) {
          // Our own database being away is no failure of the tenant's: it is due again in a moment.
          if (error instanceof ClaimLostError || isUnavailable(error)) throw error
          if (turn.stopping?.aborted && error === turn.stopping.reason) {
            outcome = error instanceof ReadingPausedError ? 'paused' : 'overtaken'
            const row = typeof run.row === 'string' ? run.row : null
            await stopSync(portal.db, claim, row, outcome, run.calls.made, run.now)
          } else outcome = await failed(error, error instanceof Refusal ? error.code : 'internal')
        }
        span.setAttribute('muster.sync_run.outcome', outcome)
        run.ended(outcome)
      } finally {
        span.end()
        await run.calls.settle()
      }
    })
}

/** What every failure means beyond the sync run: an access check, the partner's alarm, a line in the log. */
export async function handleFailure(
  run: SyncRun,
  error: unknown,
  code: RefusalCode | 'internal',
): Promise<{ checkAccess: boolean }> {
  if (error instanceof Refusal) await reportPartnerFault(run.portal, run.claim.tenantId, error)
  run.log[error instanceof Refusal ? 'info' : 'error']({ err: error }, 'a sync run over a tenant failed')
  return { checkAccess: code !== 'internal' && accessRefusals.has(code) }
}

/** The list cannot be had by what it was asked for by. */
export const isFilterRefused = (error: unknown): boolean => error instanceof Refusal && error.facts.status === 400

/** The refusal is our own budget's, not Microsoft's. */
export const isOwnBudget = (error: unknown): boolean => error instanceof Refusal && error.facts.error === 'own_budget'

/** Milliseconds since 1970 as Microsoft writes them. */
export const instant = (time: number): Instant => new Date(time).toISOString().replace('Z', '0000Z')

/**
 * Lets the requests of one sync run out when the budget has a call for each, and their answers in when there is room for
 * them. No room is held while a call is waited for: whoever rests may need a place that somebody holds who waits for room.
 */
class Gate implements CallMeter {
  readonly #turn: JobContext
  readonly #calls: Calls
  #room: Place | null = null

  constructor(turn: JobContext, calls: Calls) {
    this.#turn = turn
    this.#calls = calls
  }

  async take(): Promise<void> {
    this.leave()
    await this.#calls.take()
  }

  async admit(bytes: number): Promise<Arrival> {
    this.leave()
    const room = await this.#turn.room(bytes)
    this.#room = room
    return room
  }

  /** Gives the room of what was asked for last to its page. */
  hand(): Slot | null {
    const room = this.#room
    this.#room = null
    return room
  }

  leave(): void {
    this.hand()?.leave()
  }
}

/**
 * Asks for the next page while the one at hand is being stored. Each page has its room in memory until the next is wanted,
 * and holds no incidents from then on.
 */
async function* oneAhead(pages: AsyncGenerator<IncidentPage>, gate: Gate): AsyncGenerator<IncidentPage> {
  const fetch = async () => ({ ...(await pages.next()), room: gate.hand() })
  let coming = fetch()
  let room: Slot | null = null
  try {
    for (;;) {
      const page = await coming
      room = page.room
      if (page.done) return
      coming = fetch()
      // A reader that stops here never awaits it; without this its failure would end the process.
      coming.catch(() => undefined)
      yield page.value
      // A generator holds its last value while it waits for the next: hundreds of tenants would hold a page each. The reader
      // of the list keeps its end.
      if (!page.value.isEnd) page.value.incidents.length = 0
      room?.leave()
    }
  } finally {
    room?.leave()
    // Not before it is over: it has the budget and the place of the sync run, and another list may be next.
    await coming.then((page) => page.room?.leave()).catch(() => gate.leave())
    pages.return(undefined).catch(() => undefined)
  }
}
