// How long the pages of customers take when consent links have been pressed, brought back and kept for review for a long
// time: 10,000 attempts, links and reviews, all of one customer, and spread over all.

import { randomUUID } from 'node:crypto'
import { createServer } from 'node:http'
import { sql } from 'kysely'
import { createApp } from '../server/app.ts'
import { readConfig } from '../server/config/config.ts'
import { Memory } from '../server/memory.ts'
import { connectMicrosoft } from '../server/microsoft/connect.ts'
import type { Portal } from '../server/portal.ts'
import { muster } from '../server/store/audit.ts'
import { createCustomer } from '../server/store/customers/customers.ts'
import type { Database } from '../server/store/engine/dialect.ts'
import { write } from '../server/store/engine/write.ts'
import { bindTenants, customerDetails, signInAdmin } from '../test/support/filled-store.ts'
import { closed, listen } from '../test/support/ports.ts'
import { environmentOf, tenantIdOf } from '../test/support/registered-app.ts'
import { type Engine, log } from './engines.ts'
import { percentile } from './statistics.ts'
import { timed } from './timed-page.ts'

/** One page, with so many of each; times in milliseconds. */
export interface OnboardingRow {
  row: 'onboarding page'
  engine: string
  /** Whose the attempts, links and reviews are. */
  of: 'one customer' | 'all customers'
  rows: number
  name: string
  p50: number
  p95: number
}

const paths = { overview: '/', customers: '/customers' }
/** Customers with a tenant, and as many without one. */
const customers = 500
const rounds = 100
const atOnce = 200
const nobody = 'http://127.0.0.1:9'

/** A row for each page, with `rows` of each kind of one customer and then of all. */
export async function measureOnboardingPages(engine: Engine, rows: number): Promise<OnboardingRow[]> {
  const measured: OnboardingRow[] = []
  for (const of of ['one customer', 'all customers'] as const) {
    const store = await engine.open()
    try {
      const config = readConfig({ ...environmentOf(nobody, store), LOG_LEVEL: 'silent' })
      const now = () => new Date()
      const portal: Portal = {
        config,
        db: store.db,
        microsoft: connectMicrosoft(config, { log, now }),
        log,
        now,
        memory: new Memory(),
      }
      const cookie = await signInAdmin(store.db, config)
      const without = await addCustomers(store.db)
      await fill(store.db, of === 'one customer' ? without.slice(0, 1) : without, rows)
      // As PostgreSQL does by itself within minutes.
      if (engine.name === 'PostgreSQL') await sql`vacuum analyze`.execute(store.db)
      for (const [name, sorted] of await timesOf(portal, cookie)) {
        const share = (part: number) => percentile(sorted, part) ?? Number.NaN
        measured.push({
          row: 'onboarding page',
          engine: engine.name,
          of,
          rows,
          name,
          p50: share(0.5),
          p95: share(0.95),
        })
      }
    } finally {
      await store.close()
    }
  }
  return measured
}

/** @returns those without a tenant */
async function addCustomers(db: Database): Promise<string[]> {
  const now = new Date()
  await bindTenants(
    db,
    Array.from({ length: customers }, (_, n) => tenantIdOf(n + 1)),
  )
  await write(db, (tx) =>
    tx
      .updateTable('tenants')
      .set({ next_sync_at: null, next_check_at: null, sync_phase: 'following', last_read_at: now.toISOString() })
      .execute(),
  )
  return write(db, async (tx) => {
    const ids: string[] = []
    for (let n = 0; n < customers; n++) {
      const details = customerDetails({ name: `Invited ${n + 1}` })
      ids.push((await createCustomer(tx, muster, details, now)).id)
    }
    return ids
  })
}

async function fill(db: Database, customerIds: readonly string[], rows: number): Promise<void> {
  for (let from = 0; from < rows; from += atOnce) {
    const made = Array.from({ length: atOnce }, (_, k) =>
      rowsFor(customerIds[(from + k) % customerIds.length] ?? '', from + k),
    )
    await write(db, async (tx) => {
      await tx
        .insertInto('consent_links')
        .values(made.map(({ link }) => link))
        .execute()
      await tx
        .insertInto('consent_attempts')
        .values(made.map(({ attempt }) => attempt))
        .execute()
      await tx
        .insertInto('reviews')
        .values(made.map(({ review }) => review))
        .execute()
    })
  }
}

/** The n-th link, the run that came back with it, and what of that waits for a decision. */
function rowsFor(customerId: string, n: number) {
  const at = new Date(Date.now() - (n + 1) * 60_000).toISOString()
  const [linkId, attemptId] = [randomUUID(), randomUUID()]
  const link = {
    id: linkId,
    customer_id: customerId,
    token_hash: randomUUID(),
    reference: `R${n}`,
    pinned_tenant_id: null,
    pinned_domain: null,
    issued_at: at,
    issued_by: 'nobody',
    expires_at: new Date(Date.now() + 86_400_000).toISOString(),
    withdrawn_at: null,
    completed_at: null,
    opened_at: at,
    next_probe_at: null,
    first_departed_at: at,
    last_departed_at: at,
    departure_noted_at: at,
    noted_from: null,
  }
  const attempt = {
    id: attemptId,
    link_id: linkId,
    customer_id: customerId,
    kind: 'landing',
    state_hash: randomUUID(),
    browser_hash: randomUUID(),
    pinned_tenant_id: null,
    started_at: at,
    expires_at: at,
    returned_at: at,
    outcome: 'review',
    claimed_tenant_id: randomUUID(),
    bound_tenant_id: null,
    signed_in_tenant_id: null,
    aadsts: null,
    finished_at: at,
    evidence: null,
    person: null,
    address_hash: null,
    proof_hash: null,
  }
  const review = {
    id: randomUUID(),
    kind: 'unpinned',
    customer_id: customerId,
    link_id: linkId,
    attempt_id: attemptId,
    tenant_id: attempt.claimed_tenant_id,
    tenant_name: null,
    tenant_domain: null,
    evidence: 'callback',
    person: null,
    created_at: at,
    decided_at: null,
    decided_by: null,
    decision: null,
  }
  return { link, attempt, review }
}

/** Milliseconds of each page, in turn, sorted. */
async function timesOf(portal: Portal, cookie: string): Promise<Map<string, number[]>> {
  const server = createServer(createApp(portal))
  const port = await listen(server)
  const { host } = new URL(portal.config.publicUrl)
  const times = new Map<string, number[]>(Object.keys(paths).map((name) => [name, []]))
  for (let round = -5; round < rounds; round++) {
    for (const [name, path] of Object.entries(paths)) {
      const ms = await timed(port, host, path, cookie)
      if (round >= 0) times.get(name)?.push(ms)
    }
  }
  await closed(server)
  for (const list of times.values()) list.sort((a, b) => a - b)
  return times
}
