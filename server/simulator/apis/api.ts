import type { Request, Response } from 'express'
import { noteToken } from '../control/recorder.ts'
import type { AccessClaims } from '../login/keys.ts'
import { type Resource, resources } from '../login/registration.ts'
import type { SimulatorParts } from '../parts.ts'
import type { Tenant } from '../world/directory.ts'
import type { IncidentIndex } from '../world/incident-index.ts'
import { instantOf } from '../world/instants.ts'
import type { Weather } from '../world/weather.ts'
import { passageOf, sendDefenderError, sendGraphError, sendJson, weathered } from './answers.ts'
import type { Quota } from './quotas.ts'

/** One admitted call: whose token, which tenant's data. */
export interface Call {
  parts: SimulatorParts
  req: Request
  res: Response
  surface: 'defender' | 'graph'
  claims: AccessClaims
  tenant: Tenant
}

/**
 * Admits a call to one of the two APIs: weather, token, quota and roles, in this order.
 * @param anyOf application permissions, one of which the token must carry
 * @returns null when the request has been answered
 */
export async function admit(
  parts: SimulatorParts,
  req: Request,
  res: Response,
  surface: 'defender' | 'graph',
  quota: Quota | null,
  anyOf: readonly string[],
): Promise<Call | null> {
  // The service's clock is the world's, whatever machine it runs on.
  res.set('Date', new Date(parts.world.clock.now()).toUTCString())
  const claims = await claimsOf(parts, req)
  if (claims) noteToken(req, claims.tid)
  if (await weathered(parts, req, res, surface, claims?.tid ?? null)) return null
  const tenant = claims ? parts.world.find(claims.tid) : undefined
  if (!claims || !tenant || tenant.deleted || !isFor(surface === 'defender' ? 'mtp' : 'graph', claims.aud)) {
    await sendUnauthorized(parts, req, res, surface, claims !== null)
    return null
  }
  const waitMs = parts.world.behaviour.quotas && quota ? parts.quotas.spend(quota, claims.appid, tenant.id) : 0
  if (waitMs > 0) {
    await sendTooMany(parts, req, res, surface, waitMs)
    return null
  }
  if (!anyOf.some((role) => claims.roles.includes(role))) {
    await sendMissingRole(parts, req, res, surface, anyOf, claims.roles)
    return null
  }
  return { parts, req, res, surface, claims, tenant }
}

async function claimsOf(parts: SimulatorParts, req: Request): Promise<AccessClaims | null> {
  const token = /^Bearer (\S+)$/i.exec(req.get('authorization') ?? '')?.[1]
  return token === undefined ? null : parts.keys.read(token, parts.world.clock.now())
}

function isFor(resource: Resource, audience: string): boolean {
  return resources[resource].identifiers.includes(audience.toLowerCase().replace(/\/$/, ''))
}

function sendUnauthorized(
  parts: SimulatorParts,
  req: Request,
  res: Response,
  surface: 'defender' | 'graph',
  foreign: boolean,
) {
  res.set('WWW-Authenticate', 'Bearer')
  if (surface === 'graph') {
    return sendGraphError(
      parts,
      req,
      res,
      401,
      'InvalidAuthenticationToken',
      foreign ? 'Access token validation failure. Invalid audience.' : 'Access token is empty, expired or malformed.',
    )
  }
  return sendDefenderError(
    res,
    401,
    'Unauthorized',
    foreign ? 'Invalid audience in the access token.' : 'Missing, invalid or expired access token.',
  )
}

/** Graph names the seconds in a header; the Defender host is only known to name the time in its text. */
function sendTooMany(
  parts: SimulatorParts,
  req: Request,
  res: Response,
  surface: 'defender' | 'graph',
  waitMs: number,
) {
  if (surface === 'graph') {
    res.set('Retry-After', String(Math.ceil(waitMs / 1000)))
    return sendGraphError(parts, req, res, 429, 'TooManyRequests', 'Too many requests.')
  }
  const at = new Date(parts.world.clock.now() + waitMs).toISOString()
  return sendDefenderError(
    res,
    429,
    'TooManyRequests',
    `You have exceeded the allowed number of requests. You can begin making new calls at ${at}.`,
  )
}

function sendMissingRole(
  parts: SimulatorParts,
  req: Request,
  res: Response,
  surface: 'defender' | 'graph',
  anyOf: readonly string[],
  held: readonly string[],
) {
  if (surface === 'defender') {
    return sendDefenderError(
      res,
      403,
      'Forbidden',
      `The application does not have any of the required application permissions (${anyOf.join(', ')}) to access the resource.`,
    )
  }
  // The list of held roles is cut off in the middle of a name, as observed.
  const roles = held.join(',').slice(0, 80)
  return sendGraphError(
    parts,
    req,
    res,
    403,
    'Forbidden',
    `Missing application roles. API required roles: ${anyOf.join(',')}, application roles: ${roles}.`,
  )
}

/** Query parameters that came exactly once. */
export function queryOf(req: Request): Record<string, string | undefined> {
  return Object.fromEntries(
    Object.entries(req.query).map(([key, value]) => [key, typeof value === 'string' ? value : undefined]),
  )
}

/** What a list is read from: the tenant's incidents, or what they were a while ago where weather leads to an old replica. */
export function listedIn({ parts, req, surface, tenant }: Call): IncidentIndex {
  const age = parts.world.sky.age(passageOf(req, surface, tenant.id))
  return age === 0 ? tenant.incidents : tenant.incidents.asOf(parts.world.clock.now() - age)
}

/** Sends a page of items, with whatever oddity the weather has for it. */
export async function sendList(call: Call, body: Record<string, unknown>, items: unknown[]): Promise<void> {
  const { parts, req, res, surface, tenant } = call
  const weather = parts.world.sky.page(passageOf(req, surface, tenant.id))
  const page: Record<string, unknown> = { ...body, value: items }
  if (weather) distort(call, weather, page, items)
  const lacking = lackingIn(call)
  if (lacking) items.splice(lacking.keep ?? 0)
  await sendJson(res, lacking ? 206 : 200, page)
}

/** Sends one record. @param lists its lists that come out of several sources */
export async function sendRecord(call: Call, record: Record<string, unknown>, lists: readonly string[]): Promise<void> {
  const lacking = lackingIn(call)
  const kept = (list: unknown) => (Array.isArray(list) ? list.slice(0, lacking?.keep ?? 0) : list)
  const left = lacking
    ? Object.fromEntries(lists.filter((name) => name in record).map((name) => [name, kept(record[name])]))
    : {}
  await sendJson(call.res, lacking ? 206 : 200, { ...record, ...left })
}

/** https://learn.microsoft.com/graph/api/resources/security-error-codes */
function lackingIn({ parts, req, res, surface, tenant }: Call): Weather | undefined {
  const weather = parts.world.sky.lacking(passageOf(req, surface, tenant.id))
  const warning = weather?.warning ?? '199 - "Microsoft/WDATP/401/228"'
  if (weather && warning !== '') res.set('Warning', warning)
  return weather
}

function distort(call: Call, weather: Weather, page: Record<string, unknown>, items: unknown[]): void {
  const { parts, req, tenant } = call
  switch (weather.kind) {
    case 'next-link-loop':
      page['@odata.nextLink'] = `${parts.origin}${req.originalUrl}`
      return
    case 'next-link-foreign':
      page['@odata.nextLink'] = weather.location ?? `https://attacker.example${req.originalUrl}`
      return
    case 'no-value':
      delete page.value
      return
    case 'change-between-pages': {
      // The oldest incident is touched, so that everything behind this page moves down by one.
      const oldest = tenant.incidents.all()[0]
      if (oldest) parts.world.updateIncident(tenant.id, oldest.id, {}, { at: instantOf(parts.world.clock.now()) })
      return
    }
    default:
      items.splice(0, 1, oddItem(items[0], weather.oddity ?? 'no-id'))
  }
}

function oddItem(item: unknown, oddity: NonNullable<Weather['oddity']>): unknown {
  const odd: Record<string, unknown> = { ...(item as Record<string, unknown> | undefined) }
  switch (oddity) {
    case 'no-id':
      delete odd.id
      delete odd.incidentId
      return odd
    case 'no-time':
      delete odd.lastUpdateTime
      delete odd.lastUpdateDateTime
      return odd
    case 'wrong-types':
      return { ...odd, severity: 7, comments: 'none', alerts: { a: 1 }, tags: 'x', customTags: 3, assignedTo: [] }
    case 'unknown-enum':
      return {
        ...odd,
        status: 'Quantum',
        severity: 'Apocalyptic',
        classification: 'perhaps',
        newField: { since: 2027 },
      }
    case 'foreign-tenant':
      return { ...odd, tenantId: '00000000-dead-4bad-a000-000000000000' }
    case 'not-an-object':
      return null
    case 'huge':
      return { ...odd, description: 'x'.repeat(6_000_000), incidentName: 'x'.repeat(6_000_000) }
  }
}
