// What must hold at every moment of a run, looked at again and again.
import type { RecordedRequest } from '../server/simulator/control/recorder.ts'
import type { Simulator } from '../server/simulator/simulator.ts'
import type { Eyes } from './database.ts'
import { markOf } from './mutations.ts'
import type { RunTenant } from './options.ts'
import { PortalProcess } from './processes.ts'

const mostShown = 30
/** Of the Defender API and of Graph; what a check asks is one item and no pass. */
const lists = /^\/(?:api|v1\.0\/security)\/incidents\?/
const isCheck = (url: string) => /[?&](?:\$|%24)top=1(?:&|$)/.test(url)
const apiCall = /^\/(?:api|v1\.0\/security)\//

interface WatchOptions {
  eyes: Eyes
  simulator: Simulator
  tenants: readonly RunTenant[]
  /** IDs of every incident that ever was, per tenant. */
  ever: ReadonlyMap<string, ReadonlySet<string>>
  /** What Microsoft's newest last update in a tenant ever was. */
  newestOf(tenantId: string): string
  callsPerMinute: number
}

interface IncidentRow {
  tenant_id: string
  incident_id: string
  title: string
  last_update_at: string
}

interface TenantRow {
  tenant_id: string
  cursor: string | null
  held: number | string
  announced: number | string
  firsts: number | string
}

interface PassRow {
  id: string
  tenant_id: string
  kind: string
  started_at: string
  finished_at: string | null
  outcome: string | null
}

export class Watch {
  readonly #options: WatchOptions
  readonly #indexes: ReadonlyMap<string, number>
  #last = new Map<string, string>()
  readonly #cursors = new Map<string, string | null>()
  /** Outcomes of passes, by ID. */
  readonly #ended = new Map<string, string>()
  #open: RecordedRequest[] = []
  readonly #calls = new Map<string, RecordedRequest[]>()
  /** What did not hold, each once. */
  readonly broken = new Set<string>()
  samples = 0
  requests = 0
  listed = 0
  /** Items that were listed as not understood, at most. */
  rejected = 0

  constructor(options: WatchOptions) {
    this.#options = options
    this.#indexes = new Map(options.tenants.map(({ id, index }) => [id, index]))
  }

  async sample(): Promise<void> {
    const { eyes } = this.#options
    this.#lookAtCalls()
    const incidents = await eyes.all<IncidentRow>('select tenant_id, incident_id, title, last_update_at from incidents')
    if (incidents === null) return
    this.samples++
    this.#lookAtIncidents(incidents)
    await this.#lookAtTenants()
    await this.#lookAtPasses()
    const rejected = await eyes.all<{ n: number | string }>('select count(*) as n from rejected_items')
    this.rejected = Math.max(this.rejected, Number(rejected?.[0]?.n ?? 0))
  }

  /** A request for a list of this tenant that is under way just now. */
  listing(tenantId: string): RecordedRequest | undefined {
    return [...this.#open, ...this.#options.simulator.requests].findLast(
      ({ tokenTid, endedAt, url }) => tokenTid === tenantId && endedAt === null && lists.test(url) && !isCheck(url),
    )
  }

  #say(what: string): void {
    if (this.broken.size < mostShown) this.broken.add(what)
  }

  #lookAtIncidents(rows: readonly IncidentRow[]): void {
    const seen = new Map<string, string>()
    for (const { tenant_id, incident_id, title, last_update_at } of rows) {
      const index = this.#indexes.get(tenant_id) ?? 0
      const key = `${tenant_id}/${incident_id}`
      const before = this.#last.get(key)
      if (before && last_update_at < before) {
        this.#say(`tenant ${index}, incident ${incident_id}: went back from ${before} to ${last_update_at}`)
      }
      if (!this.#options.ever.get(tenant_id)?.has(incident_id)) {
        this.#say(`tenant ${index} has an incident ${incident_id} that was never its own`)
      }
      if (!title.includes(markOf(index))) this.#say(`tenant ${index}, incident ${incident_id}: bears "${title}"`)
      seen.set(key, last_update_at)
    }
    for (const key of this.#last.keys()) if (!seen.has(key)) this.#say(`${key}: was stored and is not any more`)
    this.#last = seen
  }

  async #lookAtTenants(): Promise<void> {
    const rows = await this.#options.eyes.all<TenantRow>(`select tenant_id, cursor,
      (select count(*) from incidents where incidents.tenant_id = tenants.tenant_id) as held,
      (select coalesce(sum(added), 0) from syncs where syncs.tenant_id = tenants.tenant_id) as announced,
      (select count(*) from audit_events where audit_events.tenant_id = tenants.tenant_id
        and action = 'tenant.first-incident') as firsts from tenants`)
    for (const { tenant_id, cursor, held, announced, firsts } of rows ?? []) {
      const index = this.#indexes.get(tenant_id) ?? 0
      const before = this.#cursors.get(tenant_id) ?? null
      if (before !== null && (cursor === null || cursor < before)) {
        this.#say(`tenant ${index}: the cursor went back from ${before} to ${cursor}`)
      }
      const newest = this.#options.newestOf(tenant_id)
      if (cursor !== null && cursor > newest) {
        this.#say(`tenant ${index}: the cursor ${cursor} is ahead of Microsoft's newest ${newest}`)
      }
      this.#cursors.set(tenant_id, cursor)
      if (Number(held) !== Number(announced)) {
        this.#say(`tenant ${index}: ${announced} incidents were announced as new, and ${held} are stored`)
      }
      if (Number(firsts) > 1) this.#say(`tenant ${index}: its first incident was announced ${firsts} times`)
    }
  }

  async #lookAtPasses(): Promise<void> {
    const rows = await this.#options.eyes.all<PassRow>(
      'select id, tenant_id, kind, started_at, finished_at, outcome from syncs order by started_at',
    )
    this.#lookForOverlaps(rows ?? [])
    const unfinished = new Map<string, number>()
    for (const { id, tenant_id, kind, finished_at, outcome } of rows ?? []) {
      const index = this.#indexes.get(tenant_id) ?? 0
      if (finished_at === null) unfinished.set(tenant_id, (unfinished.get(tenant_id) ?? 0) + 1)
      const before = this.#ended.get(id)
      if (before === 'overtaken' && outcome !== before) {
        this.#say(`tenant ${index}: a ${kind} pass that was overtaken came to be ${outcome}`)
      }
      if (outcome !== null) this.#ended.set(id, outcome)
    }
    for (const [tenantId, count] of unfinished) {
      if (count > 1) this.#say(`tenant ${this.#indexes.get(tenantId)}: ${count} passes are under way at once`)
    }
  }

  /** A pass that came to its end while another one of its tenant began and ended: only one of them had the claim. */
  #lookForOverlaps(rows: readonly PassRow[]): void {
    const last = new Map<string, { kind: string; finished_at: string }>()
    for (const { tenant_id, kind, started_at, finished_at, outcome } of rows) {
      if (finished_at === null || !['complete', 'partial', 'failed'].includes(outcome ?? '')) continue
      const before = last.get(tenant_id)
      if (before && started_at < before.finished_at) {
        const index = this.#indexes.get(tenant_id)
        this.#say(`tenant ${index}: a ${before.kind} and a ${kind} pass both came to their end (${started_at})`)
      }
      if (!before || finished_at > before.finished_at) last.set(tenant_id, { kind, finished_at })
    }
  }

  /** Takes the simulator's records: who asked what, for whom, when. */
  #lookAtCalls(): void {
    const records = this.#options.simulator.requests.splice(0)
    this.requests += records.length
    for (const record of records) {
      if (!record.tokenTid || !apiCall.test(record.path) || isCheck(record.url)) continue
      const calls = this.#calls.get(record.tokenTid) ?? []
      calls.push(record)
      this.#calls.set(record.tokenTid, calls)
      if (lists.test(record.url)) {
        this.listed++
        this.#open.push(record)
      }
    }
    this.#lookForTwo()
    this.#lookAtBudgets()
  }

  /** Two requests for lists of one tenant, from two processes, at the same moment. */
  #lookForTwo(): void {
    const now = Date.now()
    for (const [at, a] of this.#open.entries()) {
      for (const b of this.#open.slice(at + 1)) {
        if (a.tokenTid !== b.tokenTid || a.agent === b.agent) continue
        const apart = (a.endedAt ?? now) <= b.at || (b.endedAt ?? now) <= a.at
        if (apart || this.#pardoned(a) || this.#pardoned(b)) continue
        const index = this.#indexes.get(a.tokenTid ?? '')
        this.#say(`tenant ${index}: ${a.agent} and ${b.agent} listed it at the same time`)
      }
    }
    this.#open = this.#open.filter(({ endedAt }) => endedAt === null || endedAt > now - 3_000)
  }

  /** Whoever was killed or stopped may have had a request under way: nobody could have called it back. */
  #pardoned({ agent, at }: RecordedRequest): boolean {
    const until = PortalProcess.pardons.get(agent ?? '')
    return until !== undefined && at < until
  }

  #lookAtBudgets(): void {
    const { callsPerMinute } = this.#options
    for (const [tenantId, calls] of this.#calls) {
      const recent = calls.filter(({ at }) => at > Date.now() - 75_000)
      const times = recent.map(({ at }) => at)
      const tooMany = times.some(
        (at, index) => at - (times[index - callsPerMinute] ?? Number.NEGATIVE_INFINITY) < 60_000,
      )
      if (tooMany) this.#say(`tenant ${this.#indexes.get(tenantId)}: more than ${callsPerMinute} calls within a minute`)
      this.#calls.set(tenantId, recent)
    }
  }
}
