// What somebody writes in an afternoon with Microsoft's own libraries: a credential, Graph's client, its page iterator,
// and one upsert per incident. The libraries speak https to Microsoft alone; at their last step, and nowhere else, the
// address is exchanged for the simulator's, so that neither side pays for TLS.
import { ClientSecretCredential, type ClientSecretCredentialOptions } from '@azure/identity'
import {
  Client,
  type Context,
  HTTPMessageHandler,
  type Middleware,
  MiddlewareFactory,
  type PageCollection,
  PageIterator,
} from '@microsoft/microsoft-graph-client'
import { TokenCredentialAuthenticationProvider } from '@microsoft/microsoft-graph-client/authProviders/azureTokenCredentials/index.js'
import { openPlainStore, type PlainStore } from '../plain-store.ts'
import { answerWith, type RivalInput } from '../script.ts'

const login = 'https://login.microsoftonline.com'
const graph = 'https://graph.microsoft.com'

interface Item {
  id: string
  lastUpdateDateTime: string
}

answerWith<RivalInput, string>(
  ({ store, atOnce }) => openPlainStore(store, atOnce),
  ({ tenants }) => [...tenants],
  readTenant,
)

async function readTenant({ origin, app, expand }: RivalInput, plain: PlainStore, tenantId: string): Promise<void> {
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
  const first: PageCollection = await (expand ? request.expand('alerts') : request).get()
  let storing: Promise<unknown> = Promise.resolve()
  const iterator = new PageIterator(client, first, (item: Item) => {
    storing = storing.then(() => plain.put([[tenantId, item.id, item.lastUpdateDateTime, JSON.stringify(item)]]))
    return true
  })
  await iterator.iterate()
  await storing
}

type Policy = NonNullable<ClientSecretCredentialOptions['additionalPolicies']>[number]['policy']

const toSimulator = (origin: string): Policy => ({
  name: 'toSimulator',
  sendRequest(request, next) {
    request.url = request.url.replace(login, origin)
    request.allowInsecureConnection = true
    return next(request)
  },
})

class SimulatorHandler implements Middleware {
  readonly #origin: string

  constructor(origin: string) {
    this.#origin = origin
  }

  async execute(context: Context): Promise<void> {
    const options = { ...context.options, headers: { ...context.options?.headers, 'x-bench-host': graph } }
    context.response = await fetch(String(context.request).replace(graph, this.#origin), options as RequestInit)
  }
}
