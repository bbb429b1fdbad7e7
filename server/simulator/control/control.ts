import express, { type Request, type Response, Router } from 'express'
import type { SimulatorParts } from '../parts.ts'
import type { DirectoryRole } from '../world/directory.ts'
import type { IncidentStatus, Severity } from '../world/incidents.ts'
import type { NewIncident } from '../world/new-incident.ts'
import { type WeatherKind, type WeatherOptions, weatherKinds } from '../world/weather.ts'
import type { World } from '../world/world.ts'
import { isLocal, isSameOrigin } from './loopback.ts'
import { sendControlPage } from './page.ts'

/** A control request that makes no sense; answered with 400 and its message. */
class ControlError extends Error {
  constructor(message: string) {
    super(message)
    this.name = 'ControlError'
  }
}

type Body = Record<string, unknown>
type Action = (world: World, body: Body) => unknown

/**
 * What outside processes may do to the world: `POST /_sim/<action>` with JSON, or a form of the control page. The
 * answer is what changed. `tenant` is an ID or a domain; `clientId` is the multi-tenant registration by default.
 */
const actions = new Map<string, Action>(
  Object.entries({
    'add-tenant': (world, body) => {
      const { id, displayName, domains, incidents, people, ...tenant } = world.addTenant({
        displayName: text(body, 'displayName'),
        ...(body.id === undefined ? {} : { id: text(body, 'id') }),
        ...(Array.isArray(body.domains) ? { domains: body.domains.map(String) } : {}),
        ...(body.licensed === undefined ? {} : { licensed: flag(body, 'licensed') }),
        ...(body.setUp === undefined ? {} : { setUp: flag(body, 'setUp') }),
        ...(body.large === undefined ? {} : { large: flag(body, 'large') }),
      })
      return { id, displayName, domains, licensed: tenant.licensed, people: people.length, incidents: incidents.size }
    },
    'add-person': (world, body) =>
      world.addPerson(tenantOf(world, body), {
        name: text(body, 'name'),
        ...(body.username === undefined ? {} : { username: text(body, 'username') }),
        ...(body.directoryRole === undefined ? {} : { directoryRole: text(body, 'directoryRole') as DirectoryRole }),
        ...(Array.isArray(body.appRoles) ? { appRoles: body.appRoles.map(String) } : {}),
      }),
    'add-guest': (world, body) =>
      world.addGuest(tenantOf(world, body), text(body, 'person'), {
        ...(Array.isArray(body.appRoles) ? { appRoles: body.appRoles.map(String) } : {}),
      }),
    consent: (world, body) =>
      world.consent(tenantOf(world, body), clientOf(world, body), {
        ...(Array.isArray(body.roles) ? { roles: body.roles.map(String) } : {}),
        ...(body.propagationMs === undefined ? {} : { propagationMs: number(body, 'propagationMs') }),
      }),
    revoke: (world, body) => world.revoke(tenantOf(world, body), clientOf(world, body)),
    'disable-app': (world, body) => world.disableApp(tenantOf(world, body), clientOf(world, body), true),
    'enable-app': (world, body) => world.disableApp(tenantOf(world, body), clientOf(world, body), false),
    'remove-role': (world, body) => world.removeRoles(tenantOf(world, body), clientOf(world, body), text(body, 'role')),
    license: (world, body) => world.setLicensed(tenantOf(world, body), true),
    unlicense: (world, body) => world.setLicensed(tenantOf(world, body), false),
    'set-up': (world, body) => world.setUpDefender(tenantOf(world, body), true),
    'take-down': (world, body) => world.setUpDefender(tenantOf(world, body), false),
    block: (world, body) =>
      world.blockByPolicy(tenantOf(world, body), ...(body.policyId === undefined ? [] : [text(body, 'policyId')])),
    unblock: (world, body) => world.blockByPolicy(tenantOf(world, body), null),
    'set-large': (world, body) => world.setLarge(tenantOf(world, body), flag(body, 'large')),
    'set-skip-wall': (world, body) =>
      world.setSkipWall(tenantOf(world, body), body.offset === null ? null : number(body, 'offset')),
    'delete-tenant': (world, body) => world.deleteTenant(tenantOf(world, body), true),
    'restore-tenant': (world, body) => world.deleteTenant(tenantOf(world, body), false),
    'expire-secrets': (world, body) => world.expireSecrets(clientOf(world, body)),
    'renew-secrets': (world, body) => world.renewSecrets(clientOf(world, body)),
    'add-incident': (world, body) => world.addIncident(tenantOf(world, body), newIncident(body), showing(body)),
    'update-incident': (world, body) => {
      const incident = incidentOf(world, body)
      const change = {
        ...(body.status === undefined ? {} : { status: text(body, 'status') as IncidentStatus }),
        ...(body.severity === undefined ? {} : { severity: text(body, 'severity') as Severity }),
        ...(body.name === undefined ? {} : { name: text(body, 'name') }),
        ...(body.assignedTo === undefined
          ? {}
          : { assignedTo: body.assignedTo === null ? null : text(body, 'assignedTo') }),
        ...(body.comment === undefined ? {} : { comment: text(body, 'comment') }),
      }
      const by = body.by === undefined ? 'an analyst in Defender' : text(body, 'by')
      return world.updateIncident(tenantOf(world, body), incident, change, {
        by: `User-${by}`,
        author: by,
        ...(body.at === undefined ? {} : { at: text(body, 'at') }),
        ...showing(body),
      })
    },
    'add-alert': (world, body) => world.addAlert(tenantOf(world, body), incidentOf(world, body)),
    'merge-incidents': (world, body) => {
      const ids = Array.isArray(body.ids)
        ? body.ids.map(Number)
        : text(body, 'ids')
            .split(/[\s,]+/)
            .filter(Boolean)
            .map(Number)
      if (ids.length === 0 || ids.some((id) => !Number.isSafeInteger(id)))
        throw new ControlError('ids: incident numbers, separated by commas')
      return world.mergeIncidents(
        tenantOf(world, body),
        ids,
        body.survivor === undefined ? undefined : number(body, 'survivor'),
      )
    },
    'remove-incident': (world, body) => world.removeIncident(tenantOf(world, body), incidentOf(world, body)),
    generate: (world, body) => ({
      incidents: world.generate(tenantOf(world, body), number(body, 'count'), {
        ...(body.seed === undefined ? {} : { seed: number(body, 'seed') }),
        ...(body.days === undefined ? {} : { days: number(body, 'days') }),
      }),
    }),
    weather: (world, body) => {
      const kind = text(body, 'kind')
      if (!(weatherKinds as readonly string[]).includes(kind))
        throw new ControlError(`kind: one of ${weatherKinds.join(', ')}`)
      return world.setWeather(
        body.tenant === '*' ? '*' : tenantOf(world, body),
        kind as WeatherKind,
        weatherOptions(body),
      )
    },
    'clear-weather': (world, body) =>
      world.clearWeather(body.tenant === undefined || body.tenant === '' ? undefined : text(body, 'tenant')),
    // The name is the control API’s own: scripts that drive the simulator use it.
    manners: (world, body) => {
      for (const [key, value] of Object.entries(body)) {
        if (!Object.hasOwn(world.behaviour, key)) throw new ControlError(`no manner is called ${key}`)
        Object.assign(world.behaviour, { [key]: value } satisfies Partial<Record<string, unknown>>)
      }
      return world.behaviour
    },
    advance: (world, body) => {
      world.clock.advance(number(body, 'ms'))
      return { now: world.clock.now() }
    },
  } satisfies Record<string, Action>),
)

/** The control API, and the page with buttons for it. Both answer to this machine alone. */
export function controlRoutes(parts: SimulatorParts, pages: boolean): Router {
  const routes = Router()
  routes.use('/_sim', (req, res, next) => {
    if (!isLocal(req) || (req.method !== 'GET' && !isSameOrigin(req))) {
      res.status(403).json({ error: 'only this machine and this origin may do that' })
      return
    }
    next()
  })
  routes.get('/_sim/state', (_req, res) => void res.json(stateOf(parts.world)))
  if (pages) {
    routes.get('/_sim', (req, res) => sendControlPage(parts.world, res, String(req.query.done ?? '')))
    routes.post('/_sim/press', express.urlencoded({ extended: false }), (req, res) => press(parts.world, req, res))
  }
  routes.post('/_sim/:action', express.json({ limit: '1mb' }), (req, res) => {
    const action = actions.get(String(req.params.action))
    if (!action) {
      res.status(404).json({ error: `no such action; there are: ${[...actions.keys()].join(', ')}` })
      return
    }
    try {
      const body: unknown = req.body
      const result = action(parts.world, body && typeof body === 'object' ? { ...body } : {})
      res.json(plain(result) ?? { ok: true })
    } catch (error) {
      res.status(400).json({ error: error instanceof Error ? error.message : 'refused' })
    }
  })
  return routes
}

function press(world: World, req: Request, res: Response): void {
  const fields = req.body as Body
  const name = String(fields.action ?? '')
  const action = actions.get(name)
  let message = `No such button: ${name}`
  // Weather buttons bring their settings along as a query string.
  const filled = Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== ''))
  const settings = Object.fromEntries(new URLSearchParams(String(fields.with ?? '')))
  if (action) {
    try {
      action(world, { ...filled, ...settings })
      message = `Done: ${name}${settings.kind ? ` ${settings.kind}` : ''}`
    } catch (error) {
      message = `Refused: ${error instanceof Error ? error.message : name}`
    }
  }
  const place = fields.tenant && fields.tenant !== '*' ? `#t-${encodeURIComponent(String(fields.tenant))}` : ''
  res.redirect(303, `/_sim?done=${encodeURIComponent(message)}${place}`)
}

/** All there is to see, for outside processes: no secrets, no incidents but their number. */
function stateOf(world: World): unknown {
  return {
    now: new Date(world.clock.now()).toISOString(),
    manners: world.behaviour,
    weather: world.sky.active(),
    registrations: [...world.registrations.values()].map(({ secrets, certificates, ...registration }) => ({
      ...registration,
      secretEnds: secrets.map(({ expiresAt }) => expiresAt?.toISOString() ?? null),
      certificates: certificates?.length ?? 0,
    })),
    tenants: world.tenants().map(({ apps, incidents, ...tenant }) => ({
      ...tenant,
      apps: [...apps.values()],
      incidents: incidents.size,
    })),
  }
}

/** Maps and shelves do not survive JSON; what is sent is plain. */
function plain(result: unknown): unknown {
  return result === undefined ? undefined : JSON.parse(JSON.stringify(result))
}

function text(body: Body, name: string): string {
  const value = body[name]
  if (typeof value !== 'string' || value === '') throw new ControlError(`${name}: a text is needed`)
  return value
}

function number(body: Body, name: string): number {
  const value = Number(body[name])
  if (body[name] === undefined || body[name] === '' || !Number.isFinite(value))
    throw new ControlError(`${name}: a number is needed`)
  return value
}

function flag(body: Body, name: string): boolean {
  const value = body[name]
  if (value === true || value === 'true' || value === '1') return true
  if (value === false || value === 'false' || value === '0') return false
  throw new ControlError(`${name}: true or false is needed`)
}

function tenantOf(world: World, body: Body): string {
  return world.tenant(text(body, 'tenant')).id
}

function incidentOf(world: World, body: Body): number {
  return world.incident(tenantOf(world, body), number(body, 'incident')).id
}

/** The registration named, or the one customers consent to. */
function clientOf(world: World, body: Body): string {
  if (body.clientId !== undefined) return world.registration(text(body, 'clientId')).clientId
  const app = [...world.registrations.values()].find(({ audience }) => audience === 'multi')
  if (!app) throw new ControlError('clientId: there is no multi-tenant registration')
  return app.clientId
}

function showing(body: Body): { shownAfterMs?: number } {
  return body.shownAfterMs === undefined ? {} : { shownAfterMs: number(body, 'shownAfterMs') }
}

function newIncident(body: Body): NewIncident {
  const words = [
    'name',
    'story',
    'severity',
    'status',
    'createdAt',
    'lastUpdateAt',
    'assignedTo',
    'description',
  ] as const
  const numbers = ['id', 'alerts', 'seed'] as const
  return Object.fromEntries([
    ...words.filter((key) => body[key] !== undefined).map((key) => [key, text(body, key)]),
    ...numbers.filter((key) => body[key] !== undefined).map((key) => [key, number(body, key)]),
    ...(Array.isArray(body.tags) ? [['tags', body.tags.map(String)]] : []),
  ])
}

function weatherOptions(body: Body): WeatherOptions {
  const words = ['surface', 'oddity', 'location', 'path', 'method', 'warning', 'word'] as const
  const numbers = ['count', 'forMs', 'status', 'delayMs', 'code', 'ageMs', 'keep'] as const
  const retryAfter = body.retryAfter
  return Object.fromEntries([
    ...words.filter((key) => body[key] !== undefined).map((key) => [key, text(body, key)]),
    ...numbers.filter((key) => body[key] !== undefined).map((key) => [key, number(body, key)]),
    ...(Array.isArray(body.also) ? [['also', body.also.map(Number)]] : []),
    ...(body.seconds === undefined ? [] : [['forMs', number(body, 'seconds') * 1000]]),
    ...(retryAfter === undefined ? [] : [['retryAfter', retryAfter]]),
  ])
}
