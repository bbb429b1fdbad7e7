// The processes of a measurement: the simulator, the portal as it runs in production, and scripts to compare it with.
import { fork, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { cpus } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { muster } from '../dist/store/audit.js'
import { createCustomer } from '../dist/store/customers/customers.js'
import { write } from '../dist/store/engine/write.js'
import { bindTenant } from '../dist/store/onboarding/bindings.js'
import { clientId, clientSecret, partnerTenantId, temporaryFolder } from './stage.mjs'

const path = (name) => fileURLToPath(new URL(name, import.meta.url))
export const wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms))

/**
 * The simulator with consented tenants of so many incidents each. `prepared` names the list (`/api/incidents` or
 * `/v1.0/security/incidents`) that is answered from texts written beforehand, `latencyMs` after it was asked.
 */
export async function startMicrosoft({ tenants, incidents, prepared = null, latencyMs = 0 }) {
  const child = fork(path('./simulator-process.mjs'), [
    JSON.stringify({ tenants, incidents, prepared, latencyMs, clientId, clientSecret, partnerTenantId }),
  ])
  const waiting = new Map()
  let asked = 0
  const { origin } = await new Promise((resolve, reject) => {
    child.once('message', resolve)
    child.once('exit', (code) => reject(new Error(`the simulator ended with ${code}`)))
  })
  child.on('message', ([number, answer]) => {
    waiting.get(number)?.(answer)
    waiting.delete(number)
  })
  return {
    origin,
    ask: (what, value) =>
      new Promise((resolve) => {
        waiting.set(++asked, resolve)
        child.send([asked, what, value])
      }),
    close: () =>
      new Promise((resolve) => {
        child.removeAllListeners('exit').once('exit', resolve)
        child.disconnect()
      }),
  }
}

/** Tenants that are aboard and due, as after their consent was proven. */
export async function bindTenants(db, tenantIds) {
  const now = new Date()
  await write(db, async (tx) => {
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
    for (const [index, tenantId] of tenantIds.entries()) {
      const customer = await createCustomer(tx, muster, { ...details, name: `Customer ${index}` }, now)
      const binding = { tenantId, customerId: customer.id, how: 'entered', by: 'bench', region: null, consented: true }
      await bindTenant(tx, muster, binding, now)
    }
    const at = now.toISOString()
    await tx
      .updateTable('tenants')
      .set({ access_state: 'active', first_active_at: at, next_check_at: null, next_sync_at: at })
      .execute()
  })
}

/**
 * The portal as in production: `node dist/main.js` with pages and worker, watched by memory-probe.mjs.
 * @returns `samples()` of the probe so far; `close()` stops it as an operator would
 */
export async function startPortal({ origin, store, env = {}, profileDir = null }) {
  const folder = temporaryFolder()
  const probe = join(folder.path, 'probe.jsonl')
  const port = await freePort()
  if (profileDir) mkdirSync(profileDir, { recursive: true })
  const child = spawn(
    process.execPath,
    [
      ...(profileDir ? ['--cpu-prof', `--cpu-prof-dir=${profileDir}`] : []),
      `--import=${new URL('./memory-probe.mjs', import.meta.url)}`,
      path('../dist/main.js'),
    ],
    {
      cwd: folder.path,
      stdio: ['ignore', process.env.BENCH_LOG ? 'inherit' : 'ignore', 'inherit'],
      env: {
        PATH: process.env.PATH,
        NODE_ENV: 'production',
        BENCH_PROBE: probe,
        PORT: String(port),
        DATA_DIR: store.dataDir || folder.path,
        ...(store.databaseUrl ? { DATABASE_URL: store.databaseUrl } : {}),
        SESSION_SECRET: randomBytes(48).toString('base64url'),
        AZURE_CLIENT_ID: clientId,
        AZURE_CLIENT_SECRET: clientSecret,
        AZURE_TENANT_ID: partnerTenantId,
        AZURE_AUTHORITY_HOST: origin,
        DEFENDER_API_URL: origin,
        GRAPH_API_URL: origin,
        LOG_LEVEL: process.env.BENCH_LOG ?? 'error',
        ...env,
      },
    },
  )
  // A measurement that fails leaves nobody behind.
  const orphaned = () => child.kill('SIGKILL')
  process.once('exit', orphaned)
  return {
    pid: child.pid,
    ended: () => child.exitCode !== null || child.signalCode !== null,
    samples: () =>
      existsSync(probe)
        ? readFileSync(probe, 'utf8')
            .split('\n')
            .slice(0, -1)
            .map((line) => JSON.parse(line))
        : [],
    async close() {
      if (child.exitCode === null && child.signalCode === null) {
        child.kill('SIGTERM')
        const overdue = setTimeout(() => child.kill('SIGKILL'), 60_000)
        await new Promise((resolve) => child.once('exit', resolve))
        clearTimeout(overdue)
      }
      process.off('exit', orphaned)
      folder.remove()
    },
  }
}

/** Runs a script of this folder in a process of its own. @returns what it sends; throws when it ends without */
export async function runScript(name, input) {
  const child = fork(path(name), [])
  try {
    return await new Promise((resolve, reject) => {
      child.once('message', resolve)
      child.once('exit', (code) => reject(new Error(`${name} ended with ${code}`)))
      child.send(input)
    })
  } finally {
    child.removeAllListeners('exit')
    child.disconnect()
  }
}

/** Processor time of the whole machine since it was started, in milliseconds. */
export function machineTime() {
  const all = cpus().map(({ times }) => times)
  const sum = (list) => list.reduce((total, value) => total + value, 0)
  const total = sum(all.map((times) => sum(Object.values(times))))
  return { all: total, busy: total - sum(all.map(({ idle }) => idle)) }
}

async function freePort() {
  const server = createServer()
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address()
  await new Promise((resolve) => server.close(resolve))
  return port
}
