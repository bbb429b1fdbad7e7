// The floor of a first sync: the same addresses fetched with the same number at once, parsed, and stored in one
// statement a page. No cursor, no comparison, no counters, no search, no claims.
import { openPlainStore, type PlainRow, type PlainStore } from './plain-store.ts'
import { answerWith, type ScriptInput } from './script.ts'

export interface FloorInput extends ScriptInput {
  /** Paths and queries by tenant. */
  addresses: Record<string, string[]>
}

interface Item {
  incidentId?: number
  id?: string
  lastUpdateTime: string
}

answerWith<FloorInput, [string, string[]]>(
  ({ store, atOnce }) => openPlainStore(store, atOnce, true),
  ({ addresses }) => Object.entries(addresses),
  readTenant,
)

async function readTenant(
  input: FloorInput,
  plain: PlainStore,
  [tenantId, addresses]: [string, string[]],
): Promise<void> {
  const token = await tokenFor(input, tenantId)
  const rowOf = (item: Item): PlainRow => [
    tenantId,
    String(item.incidentId ?? item.id),
    item.lastUpdateTime,
    JSON.stringify(item),
  ]
  for (const address of addresses) {
    const answer = await fetch(`${input.origin}${address}`, { headers: { authorization: `Bearer ${token}` } })
    const { value } = JSON.parse(await answer.text()) as { value: Item[] }
    if (value.length > 0) await plain.put(value.map(rowOf))
  }
}

async function tokenFor({ origin, app }: FloorInput, tenantId: string): Promise<string> {
  const answer = await fetch(`${origin}/${tenantId}/oauth2/v2.0/token`, {
    method: 'POST',
    body: new URLSearchParams({
      grant_type: 'client_credentials',
      client_id: app.clientId,
      client_secret: app.clientSecret,
      scope: 'https://api.security.microsoft.com/.default',
    }),
  })
  return ((await answer.json()) as { access_token: string }).access_token
}
