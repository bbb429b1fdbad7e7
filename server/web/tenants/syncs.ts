import { z } from 'zod'
import { pathValue, readQuery } from '../../http/forms.ts'
import { type Html, html } from '../../http/html.ts'
import type { Handler, OperatorRequest } from '../../http/route.ts'
import { customerFor, tenantFor } from '../../http/scope.ts'
import type { Customer } from '../../store/customers/customers.ts'
import { type PastFilter, type PastSync, pastKinds, pastOutcomes, syncsPage } from '../../store/sync/history.ts'
import type { Tenant } from '../../store/tenants/tenants.ts'
import { page } from '../page/page.ts'
import { render } from '../page/render.ts'
import type { PageTools } from '../page/tools.ts'
import { type RunsView, runsView, titleOf } from './runs-view.ts'

interface SyncsFacts {
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

interface SyncsView extends Pick<SyncsFacts, 'customer' | 'action'> {
  tenantId: string
  name: Html
  title: string
  badge: Html
  fresh: Html
  kinds: Choice[]
  outcomes: Choice[]
  /** Attributes of the list: it renews itself where it is the newest. */
  region: Html
  runs: RunsView | null
  /** What is said where there is none, and whether others would be shown without the filter. */
  none: { title: string; next: string; elsewhere: boolean }
  turn: { newest: string | null; next: string | null } | null
}

interface Choice {
  value: string
  label: string
  selected: boolean
}

function syncsView(facts: SyncsFacts, tools: PageTools): SyncsView {
  const { t, word, named, live } = tools
  const { tenant, customer, runs, filter, kinds, outcomes, older, at, action, newest, next } = facts
  const name = titleOf(tenant, tools)
  const elsewhere = filter.kind !== null || filter.outcome !== null || older
  return {
    customer,
    action,
    tenantId: tenant.tenantId,
    name: named(name),
    title: t('tenants.syncs.title', { tenant: name }),
    badge: tools.tenantState(tenant),
    fresh: tools.freshness(tenant),
    kinds: kinds.map((kind) => ({ value: kind, label: word('tenants.kind', kind), selected: kind === filter.kind })),
    outcomes: outcomes.map((outcome) => ({
      value: outcome,
      label: word('tenants.outcome', outcome),
      selected: outcome === filter.outcome,
    })),
    region: older ? html`` : html` ${live('runs', 10)}`,
    runs: runs.length > 0 ? runsView(runs, tenant, at, tools) : null,
    none: {
      title: t(elsewhere ? 'tenants.syncs.none-match' : 'tenants.syncs.none'),
      next: t(elsewhere ? 'tenants.syncs.none-match.next' : 'tenants.syncs.none.next'),
      elsewhere,
    },
    turn: older || next !== null ? { newest: older ? newest : null, next } : null,
  }
}

const pastSyncsPage = page('tenants/syncs', syncsView)

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
  const tenant = await tenantFor(portal, req, pathValue(req, 'tenantId'))
  const filter: PastFilter = { ...(kind === null ? {} : { kind }), ...(outcome === null ? {} : { outcome }) }
  const cursor = before !== null ? { before } : at !== null ? { from: at } : {}
  const [customer, history] = await Promise.all([
    customerFor(portal, req, tenant.customerId),
    syncsPage(portal.db, tenant.tenantId, { ...filter, ...cursor, limit: runsPerPage + 1 }),
  ])
  const runs = history.slice(0, runsPerPage)
  const last = runs.at(-1)
  const action = `/tenants/${tenant.tenantId}/syncs`
  const address = (parts: Record<string, string | null>) => {
    const search = new URLSearchParams()
    for (const [name, value] of Object.entries({ kind, outcome, ...parts })) if (value !== null) search.set(name, value)
    return search.size === 0 ? action : `${action}?${search}`
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
    next: last && history.length > runsPerPage ? address({ before: last.id }) : null,
  })
}
