import { originalOf } from '../../server/microsoft/incidents/split-list.ts'
import type { AccessEvidence } from '../../server/model/access.ts'
import type { RemoteAlert, RemoteIncident } from '../../server/model/incident.ts'
import type { Actor } from '../../server/store/audit.ts'
import { type CustomerDetails, createCustomer } from '../../server/store/customers/customers.ts'
import type { Claim, Work } from '../../server/store/engine/claim.ts'
import type { Database } from '../../server/store/engine/dialect.ts'
import { write } from '../../server/store/engine/write.ts'
import { bindTenant } from '../../server/store/onboarding/bindings.ts'
import { claimDue } from '../../server/store/sync/claims.ts'
import { recordCheck } from '../../server/store/tenants/checks.ts'

export const start = new Date('2026-11-20T08:00:00.000Z')
export const later = (minutes: number): Date => new Date(start.getTime() + minutes * 60_000)

export const alice: Actor & { kind: 'operator' } = {
  kind: 'operator',
  id: '99999999-aaaa-4bbb-8ccc-0123456789ab.a11ce000-0000-4000-8000-000000000000',
  name: 'Alice',
  address: '192.0.2.1',
  requestId: 'request-1',
}

/** Whoever holds the link. */
export const visitor: Actor & { kind: 'customer' } = {
  kind: 'customer',
  id: null,
  name: null,
  address: '198.51.100.7',
  requestId: 'request-2',
}

export const contosoTenant = 'c0450000-aaaa-4bbb-8ccc-000000000001'
export const fabrikamTenant = 'fab40000-aaaa-4bbb-8ccc-000000000002'

const noDetails: Omit<CustomerDetails, 'name'> = {
  language: 'en',
  contactName: null,
  contactEmail: null,
  notes: null,
  groups: [],
  expectedTenantId: null,
  expectedDomain: null,
}

/** A customer by that name; its ID. */
export async function customer(db: Database, name: string, details: Partial<CustomerDetails> = {}): Promise<string> {
  return (await createCustomer(db, alice, { ...noDetails, name, ...details }, start)).id
}

/** A tenant of a customer, bound because it was pinned; it waits for its proof. */
export async function bound(db: Database, customerId: string, tenantId: string, now = start): Promise<string> {
  await write(db, (tx) =>
    bindTenant(tx, visitor, { tenantId, customerId, how: 'pinned', by: '', region: 'EU', consented: true }, now),
  )
  return tenantId
}

/** The claim on what is due of one tenant. */
export async function claimOf(db: Database, work: Work, tenantId: string, now: Date, leaseMs = 60_000): Promise<Claim> {
  const claims = await claimDue(db, work, now, 1_000, leaseMs)
  const claim = claims.find((one) => one.tenantId === tenantId)
  if (!claim) throw new Error(`no ${work} of ${tenantId} is due`)
  return claim
}

export const granted: AccessEvidence = {
  claims: {
    tid: contosoTenant,
    appid: '33333333-aaaa-4bbb-8ccc-0123456789ab',
    roles: ['Incident.Read.All'],
    aud: 'https://api.security.microsoft.com',
    issuedAt: start.toISOString(),
    expiresAt: later(60).toISOString(),
  },
  tokenIssued: true,
  capabilities: {
    readIncidents: 'granted',
    writeIncidents: 'missing',
    hunting: 'unknown',
    organisationProfile: 'unknown',
  },
  calls: [{ capability: 'readIncidents', method: 'GET', path: '/api/incidents?$top=1', status: 200, ms: 12 }],
  missingRoles: [],
  unexpectedRoles: [],
  refusal: null,
}

/** A customer with one tenant whose access is proven: what a pass reads. */
export async function active(db: Database, name: string, tenantId: string): Promise<string> {
  const customerId = await customer(db, name)
  await bound(db, customerId, tenantId)
  const claim = await claimOf(db, 'check', tenantId, start)
  await recordCheck(db, claim, granted, { state: 'active', nextCheckAt: later(360), keepProving: false }, start)
  return customerId
}

export const instant = (minutes: number): string => later(minutes).toISOString().replace('Z', '0000Z')

/** @param sent its JSON, where that matters */
export function incident(
  id: string,
  minutes: number,
  about: Partial<RemoteIncident> = {},
  sent: string | null = null,
): RemoteIncident {
  const read = {
    id,
    redirectId: null,
    title: `Incident ${id}`,
    description: null,
    severity: 'medium',
    status: 'active',
    rawSeverity: 'Medium',
    rawStatus: 'Active',
    classification: null,
    determination: null,
    assignedTo: null,
    tags: [],
    comments: [],
    lastModifiedBy: null,
    priority: null,
    createdAt: instant(minutes),
    lastUpdateAt: instant(minutes),
    webUrl: null,
    alerts: [],
    ...about,
  } satisfies Partial<RemoteIncident>
  return { ...read, ...originalOf({ ...read }, sent === null ? null : Buffer.from(sent)) }
}

export function alert(id: string, about: Partial<RemoteAlert> = {}): RemoteAlert {
  return {
    id,
    title: `Alert ${id}`,
    description: null,
    severity: 'medium',
    status: 'new',
    category: null,
    serviceSource: null,
    detectionSource: null,
    createdAt: instant(0),
    firstActivityAt: instant(0),
    lastActivityAt: null,
    techniques: [],
    entities: [],
    original: null,
    ...about,
  }
}
