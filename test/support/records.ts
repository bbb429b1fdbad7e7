import type { IncidentsApi } from '../../server/config/config.ts'
import { enterTenant } from '../../server/onboarding/by-hand.ts'
import { before, customerNamed, untilNothingIsDue } from './admin.ts'
import type { Browser } from './browser.ts'
import { type Call, configFor, listen, type Reply } from './microsoft.ts'
import { type Engine, startTestPortal, type TestPortal } from './portal.ts'

type Records = Record<string, unknown>[]

/** A portal whose APIs answer the records that a test gives them, as they are; sign-in and tokens are the simulator's. */
export interface RecordsPortal {
  here: TestPortal
  reader: Browser
  /** A customer whose tenant lists these incidents, read once. On Graph, `alerts` are those of each incident by its ID. */
  tenantOf(incidents: Records, alerts?: Map<string, Records>): Promise<string>
  /** The list of a tenant from now on. */
  show(tenantId: string, incidents: Records, alerts?: Map<string, Records>): void
  close(): Promise<void>
}

interface Shelf {
  incidents: Records
  alerts: Map<string, Records>
}

/** The tenant that a simulator's token was issued for. */
function tenantIn({ headers }: Call): string {
  const payload = (headers.authorization ?? '').split('.')[1] ?? ''
  const claims = JSON.parse(Buffer.from(payload, 'base64url').toString() || '{}') as { tid?: string }
  return claims.tid ?? ''
}

function answer(index: Shelf, { path, query }: Call): Reply | undefined {
  const [, incidentId, part] = /\/incidents(?:\/([^/]+))?(?:\/(alerts))?$/.exec(path) ?? []
  if (part !== undefined) return { json: { value: index.alerts.get(incidentId ?? '') ?? [] } }
  const idOf = (record: Record<string, unknown>) => String(record.id ?? record.incidentId)
  if (incidentId !== undefined) {
    const record = index.incidents.find((one) => idOf(one) === incidentId)
    return record && { json: record }
  }
  const skip = Number(query.get('$skip') ?? 0)
  return { json: { value: index.incidents.slice(skip, skip + Number(query.get('$top'))) } }
}

/** The records of a tenant are listed whole whatever filter they are asked for by, as long as there are few. */
export async function startRecordsPortal(engine: Engine, incidentsApi: IncidentsApi): Promise<RecordsPortal> {
  const shelves = new Map<string, Shelf>()
  const double = await listen((call) =>
    answer(shelves.get(tenantIn(call)) ?? { incidents: [], alerts: new Map() }, call),
  )
  const here = await startTestPortal(engine, {
    config: {
      incidentsApi,
      defenderUrl: double.origin,
      graphUrl: double.origin,
      sync: { ...configFor(double.origin).sync, callsPerMinute: 100_000, callsPerHour: 100_000 },
    },
  })
  if (incidentsApi === 'graph') {
    const { requiredResources } = here.simulator.world.registration(here.portal.config.app.clientId)
    requiredResources.push({ resource: 'graph', roles: ['SecurityIncident.Read.All'] })
  }
  let tenants = 0
  const show: RecordsPortal['show'] = (tenantId, incidents, alerts = new Map()) =>
    void shelves.set(tenantId, { incidents, alerts })
  return {
    here,
    reader: await here.signedIn(here.cast.bob),
    show,
    async tenantOf(incidents, alerts) {
      const { world } = here.simulator
      const tenant = world.addTenant({ displayName: `Tenant ${++tenants}` })
      world.consent(tenant.id, here.portal.config.app.clientId)
      show(tenant.id, incidents, alerts)
      const customer = await customerNamed(here, `Customer ${tenants}`)
      await enterTenant(here.portal, before, customer.id, tenant.id)
      await untilNothingIsDue(here)
      return tenant.id
    },
    async close() {
      await here.close()
      await double.close()
    },
  }
}
