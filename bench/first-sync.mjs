// The first sync of one tenant, against a floor that fetches the same addresses, parses the same bytes and stores them
// in one statement a page, without any of our logic.
import { connectMicrosoft } from '../dist/microsoft/connect.js'
import { muster } from '../dist/store/audit.js'
import { bindTenant } from '../dist/store/bindings.js'
import { createCustomer } from '../dist/store/customers.js'
import { write } from '../dist/store/database.js'
import { tenantById } from '../dist/store/tenants.js'
import { runDue } from '../dist/worker.js'
import { configFor, log, startSimulatorProcess, tenantIdOf } from './stage.mjs'

export async function measureFirstSync(engine, incidents) {
  const tenantId = tenantIdOf(1)
  const simulator = await startSimulatorProcess({ tenants: [tenantId], incidents })
  const runs = []
  try {
    for (let run = 0; run < 3; run++) {
      const floor = await measureFloor(engine, simulator.origin, tenantId)
      const ours = await measureOurs(engine, simulator.origin, tenantId)
      runs.push({ ours: ours.ms, floor: floor.ms, stored: ours.stored, bytes: floor.bytes })
    }
  } finally {
    await simulator.close()
  }
  runs.sort((a, b) => a.floor / a.ours - b.floor / b.ours)
  const { ours, floor, stored, bytes } = runs[1]
  return {
    row: 'first sync',
    engine: engine.name,
    incidents: stored,
    megabytes: bytes / 1e6,
    ours,
    floor,
    ratio: floor / ours,
  }
}

async function measureOurs(engine, origin, tenantId) {
  const { db, close } = await engine.open()
  try {
    const config = configFor(origin)
    const now = () => new Date()
    const portal = { config, db, microsoft: connectMicrosoft(config, { log, now }), log, now }
    await bind(db, tenantId, now())
    // Warm up what is paid once in a process, not once in a tenant: connection and token.
    await portal.microsoft.listIncidents(tenantId, { updatedSince: '2999-01-01T00:00:00.0000000Z' }).next()
    const started = performance.now()
    for (;;) {
      await runDue(portal)
      const tenant = await tenantById(db, tenantId)
      if (tenant.syncPhase === 'following') return { ms: performance.now() - started, stored: tenant.incidentCount }
      await db
        .updateTable('tenants')
        .set({ next_sync_at: now().toISOString() })
        .where('access_state', '=', 'active')
        .execute()
    }
  } finally {
    await close()
  }
}

async function measureFloor(engine, origin, tenantId) {
  const { db, close } = await engine.open()
  try {
    const token = await tokenFor(origin, tenantId)
    const since = new Date(Date.now() - 30 * 86_400_000).toISOString().replace('Z', '0000Z')
    const started = performance.now()
    let bytes = 0
    for (const filter of ["status eq 'Active'", "status eq 'InProgress'", `lastUpdateTime ge ${since}`]) {
      for (let skip = 0; ; skip += 100) {
        const query = new URLSearchParams({ $top: '100', ...(skip ? { $skip: String(skip) } : {}), $filter: filter })
        const answer = await fetch(`${origin}/api/incidents?${query}`, {
          headers: { authorization: `Bearer ${token}` },
        })
        const text = await answer.text()
        bytes += text.length
        const { value } = JSON.parse(text)
        if (value.length > 0) await storeRaw(db, tenantId, value)
        if (value.length < 100) break
      }
    }
    return { ms: performance.now() - started, bytes }
  } finally {
    await close()
  }
}

/** The least that keeps the same bytes findable: key, time and the original, newer over older. */
async function storeRaw(db, tenantId, items) {
  const rows = items.map((item) => ({
    tenant_id: tenantId,
    item: String(item.incidentId),
    reason: item.lastUpdateTime,
    detail: JSON.stringify(item),
    first_seen_at: item.createdTime,
    last_seen_at: item.lastUpdateTime,
  }))
  await db.transaction().execute((tx) =>
    tx
      .insertInto('rejected_items')
      .values(rows)
      .onConflict((oc) =>
        oc.columns(['tenant_id', 'item']).doUpdateSet((eb) => ({ detail: eb.ref('excluded.detail') })),
      )
      .execute(),
  )
}

async function tokenFor(origin, tenantId) {
  const { clientId, clientSecret } = await import('./stage.mjs')
  const answer = await fetch(`${origin}/${tenantId}/oauth2/v2.0/token`, {
    method: 'POST',
    body: new URLSearchParams({
      grant_type: 'client_credentials',
      client_id: clientId,
      client_secret: clientSecret,
      scope: 'https://api.security.microsoft.com/.default',
    }),
  })
  return (await answer.json()).access_token
}

async function bind(db, tenantId, now) {
  const details = {
    name: 'Bench',
    language: 'en',
    contactName: null,
    contactEmail: null,
    notes: null,
    groups: [],
    expectedTenantId: null,
    expectedDomain: null,
  }
  const customer = await createCustomer(db, muster, details, now)
  const binding = { tenantId, customerId: customer.id, how: 'entered', by: 'bench', region: null, consented: true }
  await write(db, (tx) => bindTenant(tx, muster, binding, now))
  await db
    .updateTable('tenants')
    .set({
      access_state: 'active',
      first_active_at: now.toISOString(),
      next_check_at: null,
      next_sync_at: now.toISOString(),
    })
    .execute()
}
