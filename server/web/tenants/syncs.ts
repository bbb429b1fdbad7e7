import { z } from 'zod'
import { pathValue, readQuery } from '../../http/forms.ts'
import type { Handler, OperatorRequest } from '../../http/route.ts'
import { type Customer, customerById } from '../../store/customers/customers.ts'
import { type PastFilter, type PastSync, pastKinds, pastOutcomes, syncsPage } from '../../store/sync/history.ts'
import { type Tenant, tenantById } from '../../store/tenants/tenants.ts'
import { page } from '../page/page.ts'
import { render } from '../page/render.ts'

export interface SyncsView {
  tenant: Tenant
  customer: Customer
  runs: PastSync[]
  filter: { kind: PastSync['kind'] | null; outcome: (typeof pastOutcomes)[number] | null }
  kinds: typeof pastKinds
  outcomes: typeof pastOutcomes
  /** Whether this page is not the newest. */
  older: boolean
  /** The sync run this page was asked to begin with. */
  at: string | null
  /** Addresses: of the form, of the newest page, and of the page after this one, where there is one. */
  action: string
  newest: string
  next: string | null
}

const pastSyncsPage = page<SyncsView>('tenants/syncs')

const runsPerPage = 50

const id = z
  .string()
  .regex(/^[\w-]{1,60}$/)
  .nullable()
  .catch(null)

const query = z.object({
  kind: z.enum(pastKinds).nullable().catch(null),
  outcome: z.enum(pastOutcomes).nullable().catch(null),
  before: id,
  at: id,
})

/** Every sync run over a tenant that is kept: what was asked, what came, and why it did not. */
export const showSyncs: Handler<OperatorRequest> = async (portal, req, res) => {
  const { kind, outcome, before, at } = readQuery(query, req)
  const tenant = await tenantById(portal.db, pathValue(req, 'tenantId').toLowerCase())
  const filter: PastFilter = { ...(kind === null ? {} : { kind }), ...(outcome === null ? {} : { outcome }) }
  const cursor = before !== null ? { before } : at !== null ? { from: at } : {}
  const [customer, found] = await Promise.all([
    customerById(portal.db, tenant.customerId),
    syncsPage(portal.db, tenant.tenantId, { ...filter, ...cursor, limit: runsPerPage + 1 }),
  ])
  const runs = found.slice(0, runsPerPage)
  const last = runs.at(-1)
  const action = `/tenants/${tenant.tenantId}/syncs`
  const address = (parts: Record<string, string | null>) => {
    const said = new URLSearchParams()
    for (const [name, value] of Object.entries({ kind, outcome, ...parts })) if (value !== null) said.set(name, value)
    return said.size === 0 ? action : `${action}?${said}`
  }
  await render(res, pastSyncsPage, {
    tenant,
    customer,
    runs,
    filter: { kind, outcome },
    kinds: pastKinds,
    outcomes: pastOutcomes,
    older: before !== null || at !== null,
    at,
    action,
    newest: address({}),
    next: last && found.length > runsPerPage ? address({ before: last.id }) : null,
  })
}
