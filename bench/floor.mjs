// The floor of a first sync: the same addresses fetched with the same number at once, parsed, and stored in one
// statement a page. No cursor, no comparison, no counters, no search, no claims.
import { openPlainStore } from './plain-store.mjs'

process.once('message', async ({ origin, store, tenants, atOnce, app }) => {
  const plain = await openPlainStore(store, atOnce, true)
  const waiting = Object.entries(tenants)
  await Promise.all(
    Array.from({ length: atOnce }, async () => {
      for (let next = waiting.shift(); next; next = waiting.shift()) await readTenant(origin, plain, app, ...next)
    }),
  )
  const endedAt = Date.now()
  const { user, system } = process.cpuUsage()
  const stored = await plain.count()
  await plain.close()
  process.send({ endedAt, stored, cpuMs: (user + system) / 1000 })
})

async function readTenant(origin, plain, app, tenantId, addresses) {
  const token = await tokenFor(origin, tenantId, app)
  for (const address of addresses) {
    const answer = await fetch(`${origin}${address}`, { headers: { authorization: `Bearer ${token}` } })
    const { value } = JSON.parse(await answer.text())
    if (value.length === 0) continue
    await plain.put(
      value.map((item) => [tenantId, String(item.incidentId ?? item.id), item.lastUpdateTime, JSON.stringify(item)]),
    )
  }
}

async function tokenFor(origin, tenantId, app) {
  const answer = await fetch(`${origin}/${tenantId}/oauth2/v2.0/token`, {
    method: 'POST',
    body: new URLSearchParams({
      grant_type: 'client_credentials',
      client_id: app.clientId,
      client_secret: app.clientSecret,
      scope: 'https://api.security.microsoft.com/.default',
    }),
  })
  return (await answer.json()).access_token
}
