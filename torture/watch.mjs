// What must hold at every moment of a run, looked at again and again.

import { markOf } from './mutations.mjs'
import { PortalProcess } from './processes.mjs'

const mostShown = 30
/** Of the Defender API and of Graph; what a check asks is one item and no pass. */
const lists = /^\/(?:api|v1\.0\/security)\/incidents\?/
const isCheck = (url) => /[?&](?:\$|%24)top=1(?:&|$)/.test(url)
const apiCall = /^\/(?:api|v1\.0\/security)\//

export class Watch {
  #eyes
  #simulator
  #tenants
  #ever
  #newestOf
  #callsPerMinute
  #last = new Map()
  #cursors = new Map()
  #ended = new Map()
  #open = []
  #calls = new Map()
  /** What did not hold, each once. */
  broken = new Set()
  samples = 0
  requests = 0
  listed = 0
  /** Items that were listed as not understood, at most. */
  rejected = 0

  /** @param newestOf what Microsoft's newest last update in a tenant ever was */
  constructor({ eyes, simulator, tenants, ever, newestOf, callsPerMinute }) {
    this.#eyes = eyes
    this.#simulator = simulator
    this.#tenants = new Map(tenants.map((tenant) => [tenant.id, tenant]))
    this.#ever = ever
    this.#newestOf = newestOf
    this.#callsPerMinute = callsPerMinute
  }

  async sample() {
    this.#lookAtCalls()
    const incidents = await this.#eyes.all('select tenant_id, incident_id, title, last_update_at from incidents')
    if (incidents === null) return
    this.samples++
    this.#lookAtIncidents(incidents)
    await this.#lookAtTenants()
    await this.#lookAtPasses()
    const [rejected] = (await this.#eyes.all('select count(*) as n from rejected_items')) ?? []
    this.rejected = Math.max(this.rejected, Number(rejected?.n ?? 0))
  }

  /** A request for a list of this tenant that is under way just now. */
  listing(tenantId) {
    return [...this.#open, ...this.#simulator.requests].findLast(
      ({ tokenTid, endedAt, url }) => tokenTid === tenantId && endedAt === null && lists.test(url) && !isCheck(url),
    )
  }

  #say(what) {
    if (this.broken.size < mostShown) this.broken.add(what)
  }

  #lookAtIncidents(rows) {
    const seen = new Map()
    for (const { tenant_id, incident_id, title, last_update_at } of rows) {
      const { index } = this.#tenants.get(tenant_id)
      const key = `${tenant_id}/${incident_id}`
      const before = this.#last.get(key)
      if (before && last_update_at < before) {
        this.#say(`tenant ${index}, incident ${incident_id}: went back from ${before} to ${last_update_at}`)
      }
      if (!this.#ever.get(tenant_id).has(incident_id)) {
        this.#say(`tenant ${index} has an incident ${incident_id} that was never its own`)
      }
      if (!title.includes(markOf(index))) this.#say(`tenant ${index}, incident ${incident_id}: bears "${title}"`)
      seen.set(key, last_update_at)
    }
    for (const key of this.#last.keys()) if (!seen.has(key)) this.#say(`${key}: was stored and is not any more`)
    this.#last = seen
  }

  async #lookAtTenants() {
    const rows = await this.#eyes.all(`select tenant_id, cursor,
      (select count(*) from incidents where incidents.tenant_id = tenants.tenant_id) as held,
      (select coalesce(sum(added), 0) from syncs where syncs.tenant_id = tenants.tenant_id) as announced,
      (select count(*) from audit_events where audit_events.tenant_id = tenants.tenant_id
        and action = 'tenant.first-incident') as firsts from tenants`)
    for (const { tenant_id, cursor, held, announced, firsts } of rows ?? []) {
      const { index } = this.#tenants.get(tenant_id)
      const before = this.#cursors.get(tenant_id) ?? null
      if (before !== null && (cursor === null || cursor < before)) {
        this.#say(`tenant ${index}: the cursor went back from ${before} to ${cursor}`)
      }
      const newest = this.#newestOf(tenant_id)
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

  async #lookAtPasses() {
    const rows = await this.#eyes.all(
      'select id, tenant_id, kind, started_at, finished_at, outcome from syncs order by started_at',
    )
    this.#lookForOverlaps(rows ?? [])
    const unfinished = new Map()
    for (const { id, tenant_id, kind, finished_at, outcome } of rows ?? []) {
      const { index } = this.#tenants.get(tenant_id)
      if (finished_at === null) unfinished.set(tenant_id, (unfinished.get(tenant_id) ?? 0) + 1)
      const before = this.#ended.get(id)
      if (before === 'overtaken' && outcome !== before) {
        this.#say(`tenant ${index}: a ${kind} pass that was overtaken came to be ${outcome}`)
      }
      if (outcome !== null) this.#ended.set(id, outcome)
    }
    for (const [tenantId, count] of unfinished) {
      if (count > 1) this.#say(`tenant ${this.#tenants.get(tenantId).index}: ${count} passes are under way at once`)
    }
  }

  /** A pass that came to its end while another one of its tenant began and ended: only one of them had the claim. */
  #lookForOverlaps(rows) {
    const last = new Map()
    for (const row of rows) {
      if (!['complete', 'partial', 'failed'].includes(row.outcome)) continue
      const before = last.get(row.tenant_id)
      if (before && row.started_at < before.finished_at) {
        const { index } = this.#tenants.get(row.tenant_id)
        this.#say(`tenant ${index}: a ${before.kind} and a ${row.kind} pass both came to their end (${row.started_at})`)
      }
      if (!before || row.finished_at > before.finished_at) last.set(row.tenant_id, row)
    }
  }

  /** Takes the simulator's records: who asked what, for whom, when. */
  #lookAtCalls() {
    const records = this.#simulator.requests.splice(0)
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
  #lookForTwo() {
    const now = Date.now()
    for (const [at, a] of this.#open.entries()) {
      for (const b of this.#open.slice(at + 1)) {
        if (a.tokenTid !== b.tokenTid || a.agent === b.agent) continue
        const apart = (a.endedAt ?? now) <= b.at || (b.endedAt ?? now) <= a.at
        if (apart || this.#pardoned(a) || this.#pardoned(b)) continue
        const { index } = this.#tenants.get(a.tokenTid)
        this.#say(`tenant ${index}: ${a.agent} and ${b.agent} listed it at the same time`)
      }
    }
    this.#open = this.#open.filter(({ endedAt }) => endedAt === null || endedAt > now - 3_000)
  }

  /** Whoever was killed or stopped may have had a request under way: nobody could have called it back. */
  #pardoned({ agent, at }) {
    const until = PortalProcess.pardons.get(agent)
    return until !== undefined && at < until
  }

  #lookAtBudgets() {
    for (const [tenantId, calls] of this.#calls) {
      const recent = calls.filter(({ at }) => at > Date.now() - 75_000)
      let first = 0
      for (const [index, { at }] of recent.entries()) {
        while (recent[first].at <= at - 60_000) first++
        const count = index - first + 1
        if (count > this.#callsPerMinute) {
          const { index: number } = this.#tenants.get(tenantId)
          this.#say(`tenant ${number}: more than ${this.#callsPerMinute} calls within a minute`)
          break
        }
      }
      this.#calls.set(tenantId, recent)
    }
  }
}
