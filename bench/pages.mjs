// How long a page takes against an empty page through the same middleware, at two sizes of the store.
import { Agent, request } from 'node:http'
import { createApp } from '../dist/app.js'
import { connectMicrosoft } from '../dist/microsoft/connect.js'
import { bindTenant } from '../dist/store/bindings.js'
import { recount } from '../dist/store/counters.js'
import { createCustomer } from '../dist/store/customers.js'
import { write } from '../dist/store/database.js'
import { storeIncidents } from '../dist/store/readings.js'
import { render } from '../dist/web/render.js'
import { routes } from '../dist/web/routes.js'
import { configFor, incidentOf, log, percentile, serve, signedIn, tenantIdOf } from './stage.mjs'

const tenants = 200
const rounds = 60
const agent = new Agent({ keepAlive: true })
const actor = { kind: 'muster' }

/** The same frame, session and headers around nothing. */
const emptyPage = {
  method: 'GET',
  path: '/empty',
  access: 'Reader',
  handler: (_portal, _req, res) => render(res, '../bench/empty', {}),
}

export async function measurePages(engine, sizes) {
  const { db, close } = await engine.open()
  const rows = []
  try {
    const now = Date.now()
    const config = configFor('http://127.0.0.1:9')
    const portal = {
      config,
      db,
      microsoft: connectMicrosoft(config, { log, now: () => new Date() }),
      log,
      now: () => new Date(),
    }
    const cookie = await signedIn(portal)
    let stored = 0
    for (const size of sizes) {
      await fill(db, stored, size, now)
      stored = size
      const served = await serve(createApp(portal, { draining: false }, [...routes, emptyPage]))
      const host = new URL(portal.config.publicUrl).host
      const get = (path) => timed(served.port, host, path, cookie)
      const pages = {
        overview: '/',
        queue: '/incidents',
        'queue, three filters': '/incidents?severity=high&status=open&q=phishing',
        'one tenant': `/tenants/${tenantIdOf(1)}`,
        'one tenant’s incidents': `/tenants/${tenantIdOf(1)}/incidents`,
        'one incident': `/tenants/${tenantIdOf(1)}/incidents/1`,
      }
      const times = { empty: [], ...Object.fromEntries(Object.keys(pages).map((name) => [name, []])) }
      for (let round = -5; round < rounds; round++) {
        for (const [name, path] of [['empty', '/empty'], ...Object.entries(pages)]) {
          const ms = await get(path)
          if (round >= 0) times[name].push(ms)
        }
      }
      await served.close()
      for (const list of Object.values(times)) list.sort((a, b) => a - b)
      const floor = percentile(times.empty, 0.5)
      for (const [name, list] of Object.entries(times)) {
        rows.push({
          row: 'page',
          engine: engine.name,
          incidents: size,
          name,
          p50: percentile(list, 0.5),
          p95: percentile(list, 0.95),
          ratio: percentile(list, 0.5) / floor,
        })
      }
    }
    return rows
  } finally {
    await close()
  }
}

async function fill(db, from, to, now) {
  if (from === 0) {
    for (let t = 0; t < tenants; t++) {
      const customer = await createCustomer(
        db,
        actor,
        {
          name: `Customer ${t}`,
          language: 'en',
          contactName: null,
          contactEmail: null,
          notes: null,
          groups: [t % 2 ? 'Odd' : 'Even'],
          expectedTenantId: null,
          expectedDomain: null,
        },
        new Date(now),
      )
      await write(db, async (tx) => {
        const binding = {
          tenantId: tenantIdOf(t),
          customerId: customer.id,
          how: 'entered',
          by: 'bench',
          region: 'EU',
          consented: true,
        }
        await bindTenant(tx, actor, binding, new Date(now))
        const at = new Date(now).toISOString()
        await tx
          .updateTable('tenants')
          .set({ access_state: 'active', first_active_at: at, last_read_at: at, next_check_at: null })
          .where('tenant_id', '=', tenantIdOf(t))
          .execute()
      })
    }
  }
  const first = from / tenants
  const last = to / tenants
  for (let t = 0; t < tenants; t++) {
    for (let start = first; start < last; start += 100) {
      const batch = Array.from({ length: Math.min(100, last - start) }, (_, k) => incidentOf(start + k, now))
      await write(db, async (tx) => {
        await storeIncidents(tx, tenantIdOf(t), batch, new Date(now))
      })
    }
    await write(db, (tx) => recount(tx, tenantIdOf(t), new Date(now)))
  }
}

/** Not `fetch`: that one does not let the Host header be said, and the portal answers to its public host alone. */
async function timed(port, host, path, cookie) {
  const started = performance.now()
  const { status, body } = await new Promise((resolve, reject) => {
    const headers = { cookie, host, accept: 'text/html', 'sec-fetch-site': 'same-origin' }
    request({ host: '127.0.0.1', port, path, headers, agent }, (response) => {
      const chunks = []
      response.on('data', (chunk) => chunks.push(chunk))
      response.on('end', () => resolve({ status: response.statusCode, body: Buffer.concat(chunks).toString() }))
      response.on('error', reject)
    })
      .on('error', reject)
      .end()
  })
  if (status !== 200) throw new Error(`${path} answered ${status}: ${body.slice(0, 300)}`)
  return performance.now() - started
}
