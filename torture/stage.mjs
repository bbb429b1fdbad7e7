// What a run stands on: Microsoft with its tenants, an empty store that knows them, and what a portal process is told.
import { createHmac, randomBytes, randomUUID } from 'node:crypto'
import { mkdirSync } from 'node:fs'
import { readConfig } from '../dist/config/config.js'
import { keysFor } from '../dist/http/session/keys.js'
import { createLog } from '../dist/log.js'
import { startSimulator } from '../dist/simulator/simulator.js'
import { muster } from '../dist/store/audit.js'
import { createCustomer } from '../dist/store/customers/customers.js'
import { openDatabase } from '../dist/store/engine/database.js'
import { write } from '../dist/store/engine/write.js'
import { bindTenant } from '../dist/store/onboarding/bindings.js'
import { saveSession } from '../dist/store/operators/sessions.js'

const partnerTenantId = 'a0000000-0000-4000-8000-000000000001'
export const clientId = 'b0000000-0000-4000-8000-000000000001'
const clientSecret = 'a-secret-that-opens-nothing'
const sessionSecret = randomBytes(48).toString('base64url')
const log = createLog('silent')

export const tenantIdOf = (n) => `c0000000-0000-4000-8000-${String(n).padStart(12, '0')}`

/** What is not worth a token: MSAL takes one within 5 min of its end for expired, so this one serves for 20 s. */
const tokenLifetime = 320

const permissions = {
  defender: [{ resource: 'mtp', roles: ['Incident.Read.All'] }],
  graph: [{ resource: 'graph', roles: ['SecurityIncident.Read.All'] }],
}

export async function startMicrosoft({ api, quotas }) {
  const simulator = await startSimulator({
    registrations: [
      {
        clientId,
        secrets: [{ value: clientSecret }],
        redirectUris: [],
        audience: 'multi',
        homeTenantId: partnerTenantId,
        displayName: 'Torture',
        publisher: 'Torture',
        requiredResources: permissions[api],
      },
    ],
  })
  simulator.world.manners.quotas = quotas
  simulator.world.manners.tokenLifetime = tokenLifetime
  simulator.world.addTenant({ id: partnerTenantId, displayName: 'Partner', domains: ['partner.example'] })
  return simulator
}

/** The environment of a portal process. */
export function environmentFor({ origin, api, databaseUrl, dataDir, role, port, publicUrl }) {
  return {
    SESSION_SECRET: sessionSecret,
    AZURE_CLIENT_ID: clientId,
    AZURE_CLIENT_SECRET: clientSecret,
    AZURE_TENANT_ID: partnerTenantId,
    AZURE_AUTHORITY_HOST: origin,
    DEFENDER_API_URL: origin,
    GRAPH_API_URL: origin,
    INCIDENTS_API: api,
    ...(databaseUrl === null ? {} : { DATABASE_URL: databaseUrl }),
    DATA_DIR: dataDir,
    ROLE: role,
    PORT: String(port),
    PUBLIC_URL: publicUrl ?? `http://localhost:${port}`,
    LOG_LEVEL: 'warn',
  }
}

/** Migrates the store and binds every tenant, proven and due; then lets go of it. @returns a signed-in Admin's cookie */
export async function fillStore({ databaseUrl, dataDir, tenants, env }) {
  if (databaseUrl === null) mkdirSync(dataDir, { recursive: true })
  const db = await openDatabase({ databaseUrl, dataDir, log })
  try {
    const now = new Date()
    for (const tenantId of tenants) {
      const customer = await createCustomer(db, muster, customerNamed(tenantId), now)
      const binding = {
        tenantId,
        customerId: customer.id,
        how: 'entered',
        by: 'torture',
        region: null,
        consented: true,
      }
      await write(db, (tx) => bindTenant(tx, muster, binding, now))
    }
    await write(db, (tx) =>
      tx
        .updateTable('tenants')
        .set({
          access_state: 'active',
          first_active_at: now.toISOString(),
          next_check_at: null,
          next_sync_at: now.toISOString(),
        })
        .execute(),
    )
    return await signIn(db, readConfig(env))
  } finally {
    await db.destroy()
  }
}

const customerNamed = (tenantId) => ({
  name: `Customer ${tenantId.slice(-4)}`,
  language: 'en',
  contactName: null,
  contactEmail: null,
  notes: null,
  groups: [],
  expectedTenantId: null,
  expectedDomain: null,
})

async function signIn(db, config) {
  const id = `${config.partnerTenantId}.${randomUUID()}`
  const now = new Date()
  await write(db, (tx) =>
    tx
      .insertInto('operators')
      .values({
        id,
        tid: config.partnerTenantId,
        oid: id.split('.')[1],
        name: 'Tor Tureman',
        username: null,
        roles: JSON.stringify(['Muster.Admin']),
        guest: 0,
        language: null,
        time_zone: null,
        theme: null,
        first_seen_at: now.toISOString(),
        last_seen_at: now.toISOString(),
      })
      .execute(),
  )
  const sid = randomBytes(24).toString('base64url')
  const signedInAt = now.toISOString()
  const expiresAt = new Date(now.getTime() + 1_800_000).toISOString()
  const data = JSON.stringify({ cookie: { path: '/', httpOnly: true }, operatorId: id, signedInAt })
  await saveSession(db, sid, { operatorId: id, data, createdAt: signedInAt, expiresAt })
  const key = keysFor(config, 'session')[0].toString('base64url')
  const signature = createHmac('sha256', key).update(sid).digest('base64')
  return `muster=${encodeURIComponent(`s:${sid}.${signature.replace(/=+$/, '')}`)}`
}
