// What somebody writes in an afternoon with Microsoft's own libraries: a credential, Graph's client, its page iterator,
// and one upsert per incident. The libraries speak https to Microsoft alone; at their last step, and nowhere else, the
// address is exchanged for the simulator's, so that neither side pays for TLS.
import { ClientSecretCredential } from '@azure/identity'
import { Client, HTTPMessageHandler, MiddlewareFactory, PageIterator } from '@microsoft/microsoft-graph-client'
import { TokenCredentialAuthenticationProvider } from '@microsoft/microsoft-graph-client/authProviders/azureTokenCredentials/index.js'
import { openPlainStore } from './plain-store.mjs'

const login = 'https://login.microsoftonline.com'
const graph = 'https://graph.microsoft.com'

process.once('message', async ({ origin, store, tenants, atOnce, expand, app }) => {
  const plain = await openPlainStore(store, atOnce)
  const waiting = [...tenants]
  await Promise.all(
    Array.from({ length: atOnce }, async () => {
      for (let next = waiting.shift(); next; next = waiting.shift()) await readTenant(origin, plain, app, next, expand)
    }),
  )
  const endedAt = Date.now()
  const { user, system } = process.cpuUsage()
  const stored = await plain.count()
  await plain.close()
  process.send({ endedAt, stored, cpuMs: (user + system) / 1000 })
})

async function readTenant(origin, plain, app, tenantId, expand) {
  const credential = new ClientSecretCredential(tenantId, app.clientId, app.clientSecret, {
    disableInstanceDiscovery: true,
    additionalPolicies: [{ position: 'perRetry', policy: toSimulator(origin) }],
  })
  const authProvider = new TokenCredentialAuthenticationProvider(credential, { scopes: [`${graph}/.default`] })
  const middleware = MiddlewareFactory.getDefaultMiddlewareChain(authProvider)
  const last = middleware.findIndex((step) => step instanceof HTTPMessageHandler)
  middleware[last] = new SimulatorHandler(origin)
  const client = Client.initWithMiddleware({ middleware })

  const request = client.api('/security/incidents').version('v1.0').top(50)
  const first = await (expand ? request.expand('alerts') : request).get()
  let storing = Promise.resolve()
  const iterator = new PageIterator(client, first, (item) => {
    const row = [tenantId, item.id, item.lastUpdateDateTime, JSON.stringify(item)]
    storing = storing.then(() => plain.put([row]))
    return true
  })
  await iterator.iterate()
  await storing
}

const toSimulator = (origin) => ({
  name: 'toSimulator',
  sendRequest(request, next) {
    request.url = request.url.replace(login, origin)
    request.allowInsecureConnection = true
    return next(request)
  },
})

class SimulatorHandler {
  constructor(origin) {
    this.origin = origin
  }

  async execute(context) {
    const options = { ...context.options, headers: { ...context.options.headers, 'x-bench-host': graph } }
    context.response = await fetch(String(context.request).replace(graph, this.origin), options)
  }
}
