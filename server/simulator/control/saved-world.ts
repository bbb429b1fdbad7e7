import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import type { EnterpriseApp, Tenant } from '../world/directory.ts'
import { IncidentIndex } from '../world/incident-index.ts'
import type { Incident } from '../world/incidents.ts'
import type { World } from '../world/world.ts'

interface SavedTenant extends Omit<Tenant, 'apps' | 'incidents'> {
  apps: EnterpriseApp[]
  incidents: Incident[]
}

interface Saved {
  version: 1
  signingKey: string
  /** Ends of client secrets that were changed here, by client ID. */
  secretEnds: Record<string, (string | null)[]>
  tenants: SavedTenant[]
}

/** What a state file remembers; null when there is none yet. @throws Error when it is not one of ours */
export function readState(file: string): Saved | null {
  if (!existsSync(file)) return null
  const saved: unknown = JSON.parse(readFileSync(file, 'utf8'))
  if (!saved || typeof saved !== 'object' || (saved as Saved).version !== 1) {
    throw new Error(`${file} was not written by this simulator; remove it to start with a new world`)
  }
  return saved as Saved
}

/** Puts a remembered world in place of an empty one. */
export function restore(world: World, saved: Saved): void {
  for (const { apps, incidents, ...rest } of saved.tenants) {
    const index = new IncidentIndex(() => world.clock.now())
    index.load(incidents)
    world.adopt({ ...rest, apps: new Map(apps.map((app) => [app.clientId, app])), incidents: index })
  }
  for (const [clientId, ends] of Object.entries(saved.secretEnds)) {
    for (const [n, end] of ends.entries()) {
      const secret = world.registrations.get(clientId)?.secrets[n]
      if (secret && end !== null) secret.expiresAt = new Date(end)
    }
  }
}

/** Writes the world down shortly after it changes, and at once when told to. A crash leaves the old file or the new. */
export class Memory {
  readonly #file: string
  readonly #world: World
  readonly #signingKey: string
  #timer: NodeJS.Timeout | null = null

  constructor(file: string, world: World, signingKey: string) {
    this.#file = file
    this.#world = world
    this.#signingKey = signingKey
    world.onChange = () => this.#soon()
  }

  #soon(): void {
    this.#timer ??= setTimeout(() => this.write(), 300)
    this.#timer.unref()
  }

  write(): void {
    if (this.#timer) clearTimeout(this.#timer)
    this.#timer = null
    const saved: Saved = {
      version: 1,
      signingKey: this.#signingKey,
      secretEnds: Object.fromEntries(
        [...this.#world.registrations].map(([clientId, { secrets }]) => [
          clientId,
          secrets.map(({ expiresAt }) => expiresAt?.toISOString() ?? null),
        ]),
      ),
      tenants: this.#world.tenants().map(({ apps, incidents, ...rest }) => ({
        ...rest,
        apps: [...apps.values()],
        incidents: incidents.truth(),
      })),
    }
    mkdirSync(dirname(this.#file), { recursive: true })
    const next = `${this.#file}.next`
    writeFileSync(next, JSON.stringify(saved), { mode: 0o600 })
    renameSync(next, this.#file)
  }
}
