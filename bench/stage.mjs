// What the benchmarks stand on: a simulator in a process of its own, a configuration that points at it, and incidents
// to fill a store with.
import { createHmac, randomBytes, randomUUID } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { readConfig } from '../dist/config/config.js'
import { keysFor } from '../dist/http/session/keys.js'
import { createLog } from '../dist/log.js'
import { originalOf } from '../dist/microsoft/incidents/split-list.js'
import { openDatabase } from '../dist/store/engine/database.js'
import { saveSession } from '../dist/store/operators/sessions.js'

export const partnerTenantId = 'a0000000-0000-4000-8000-000000000001'
export const clientId = 'b0000000-0000-4000-8000-000000000001'
export const clientSecret = 'bench-secret-that-opens-nothing'
export const log = createLog('silent')

export const tenantIdOf = (n) => `c0000000-0000-4000-8000-${String(n).padStart(12, '0')}`

/** A folder that goes away with the run. */
export function temporaryFolder() {
  const path = mkdtempSync(join(tmpdir(), 'muster-bench-'))
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) }
}

/** The engines to measure: SQLite always, PostgreSQL where BENCH_DATABASE_URL names a database that may be emptied. */
export async function engines() {
  const found = [
    {
      name: 'SQLite',
      async open() {
        const folder = temporaryFolder()
        const db = await openDatabase({ databaseUrl: null, dataDir: folder.path, log })
        return { db, databaseUrl: null, dataDir: folder.path, close: () => db.destroy().then(folder.remove) }
      },
    },
  ]
  const url = process.env.BENCH_DATABASE_URL
  if (!url) return found
  const { default: pg } = await import('pg')
  const asAdmin = async (statement) => {
    const client = new pg.Client({ connectionString: url })
    await client.connect()
    await client.query(statement).finally(() => client.end())
  }
  found.push({
    name: 'PostgreSQL',
    async open() {
      const name = `muster_bench_${randomBytes(6).toString('hex')}`
      await asAdmin(`create database ${name}`)
      const own = new URL(url)
      own.pathname = `/${name}`
      const db = await openDatabase({ databaseUrl: own.href, dataDir: '', log })
      const close = () => db.destroy().then(() => asAdmin(`drop database ${name} with (force)`))
      return { db, databaseUrl: own.href, dataDir: '', close }
    },
  })
  return found
}

export const configFor = (origin, more = {}) =>
  readConfig({
    SESSION_SECRET: randomBytes(48).toString('base64url'),
    AZURE_CLIENT_ID: clientId,
    AZURE_CLIENT_SECRET: clientSecret,
    AZURE_TENANT_ID: partnerTenantId,
    AZURE_AUTHORITY_HOST: origin,
    DEFENDER_API_URL: origin,
    GRAPH_API_URL: origin,
    LOG_LEVEL: 'silent',
    ...more,
  })

const titles = [
  'Multi-stage incident involving Initial access & Exfiltration on multiple endpoints',
  'Suspicious inbox manipulation rule involving one user',
  'Adversary-in-the-middle (AiTM) phishing attack involving one user',
  'Suspicious PowerShell command line on one endpoint',
  'Email reported by user as malware or phish involving one user',
]
const severities = ['high', 'medium', 'low', 'low', 'informational']

/** Whatever its severity. */
const titleOf = (n) => titles[Math.floor(n / severities.length) % titles.length]

/** Incident `n` of tenant `t` as the portal holds one: about 8 kB of original, two alerts, six entities. */
export function incidentOf(n, now, t = 0) {
  const updated = new Date(now - ((n * 7_919 + t * 48_611) % (30 * 86_400)) * 1_000).toISOString().replace('Z', '0000Z')
  const open = n % 12 === 0
  const entity = (kind, name) => ({ kind, name, detail: null, verdict: 'suspicious', remediation: null })
  const alert = (k) => ({
    id: `da${n}_${k}`,
    title: titleOf(n + k + t * 7),
    description: 'A process was started in a way that is seldom seen in this organisation.',
    severity: severities[n % severities.length],
    status: 'new',
    category: 'InitialAccess',
    serviceSource: 'microsoftDefenderForEndpoint',
    detectionSource: 'antivirus',
    createdAt: updated,
    firstActivityAt: updated,
    lastActivityAt: updated,
    techniques: ['T1566.002'],
    entities: [
      entity('user', `user${n % 500}@tenant.example`),
      entity('device', `WS-${n % 800}`),
      entity('ip', `203.0.113.${n % 250}`),
    ],
    original: null,
  })
  return {
    id: String(n),
    redirectId: null,
    title: titleOf(n + t * 7),
    description: null,
    severity: severities[n % severities.length],
    status: open ? 'active' : 'resolved',
    rawSeverity: severities[n % severities.length],
    rawStatus: open ? 'Active' : 'Resolved',
    classification: null,
    determination: null,
    assignedTo: n % 3 === 0 ? 'analyst@partner.example' : null,
    tags: [],
    comments: [],
    lastModifiedBy: null,
    priority: null,
    createdAt: updated,
    lastUpdateAt: updated,
    webUrl: null,
    alerts: [alert(0), alert(1)],
    ...originalOf({ incidentId: n, padding: 'x'.repeat(8_000) }, null),
  }
}

/** A signed-in Admin, as the cookie her browser would send. */
export async function signedIn(portal) {
  const { db, config, now } = portal
  const id = `${config.partnerTenantId}.${randomUUID()}`
  await db
    .insertInto('operators')
    .values({
      id,
      tid: config.partnerTenantId,
      oid: id.split('.')[1],
      name: 'Bench Mark',
      username: null,
      roles: JSON.stringify(['Muster.Admin']),
      guest: 0,
      language: null,
      time_zone: null,
      theme: null,
      first_seen_at: now().toISOString(),
      last_seen_at: now().toISOString(),
    })
    .execute()
  const sid = randomBytes(24).toString('base64url')
  const signedInAt = now().toISOString()
  const expiresAt = new Date(now().getTime() + 1_800_000).toISOString()
  const data = JSON.stringify({ cookie: { path: '/', httpOnly: true }, operatorId: id, signedInAt })
  await saveSession(db, sid, { operatorId: id, data, createdAt: signedInAt, expiresAt })
  const signature = createHmac('sha256', keysFor(config, 'session')[0].toString('base64url'))
    .update(sid)
    .digest('base64')
  return `muster=${encodeURIComponent(`s:${sid}.${signature.replace(/=+$/, '')}`)}`
}

/** An app on a free port. */
export async function serve(app) {
  const server = createServer(app)
  // Filling and emptying the store holds this process up: its connections are not idle for that.
  server.keepAliveTimeout = 120_000
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
  return { port: server.address().port, close: () => new Promise((resolve) => server.close(resolve)) }
}

export const percentile = (sorted, share) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))]
