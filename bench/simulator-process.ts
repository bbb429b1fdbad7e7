// A simulated Microsoft in a process of its own, so that what it costs is not counted as the portal's. With `prepared`,
// lists are answered out of texts written beforehand: a simulator that writes 10 kB of JSON for each incident it sends
// would be what is measured.
import { startSimulator } from '../server/simulator/simulator.ts'
import { registrationOf } from '../test/support/registered-app.ts'
import { type ListPath, nothingSeen, PreparedLists, type Seen } from './prepared-lists.ts'

/** What the process is started with. */
export interface Scene {
  tenants: string[]
  /** Of each tenant. */
  incidents: number
  /** The list that is answered from texts written beforehand, `latencyMs` after it was asked. */
  prepared?: ListPath
  latencyMs?: number
}

const scene = await new Promise<unknown>((resolve) => process.once('message', resolve))
const { tenants, incidents, prepared, latencyMs = 0 } = scene as Scene
const simulator = await startSimulator({
  registrations: [
    registrationOf('Bench', [
      { resource: 'mtp', roles: ['Incident.Read.All'] },
      { resource: 'graph', roles: ['SecurityIncident.Read.All', 'SecurityAlert.Read.All'] },
    ]),
  ],
})
const { world } = simulator
world.behaviour.quotas = false
for (const [index, id] of tenants.entries()) {
  world.addTenant({ id, displayName: `Tenant ${index}`, domains: [`tenant${index}.example`] })
  world.consent(id, registrationOf('Bench', []).clientId)
  // 29 days: whatever is read 30 days back reaches all of them, also when the reading takes long.
  world.generate(id, incidents, { seed: index + 1, days: 29 })
}

const front = prepared ? new PreparedLists(simulator, prepared, latencyMs) : null
const origin = front ? await front.listen() : simulator.origin

const cpuMs = () => {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1000
}

/** What the parent may ask. */
const answers = {
  /** Forgets what was asked so far. */
  reset() {
    front?.reset()
    simulator.requests.length = 0
  },
  seen: (): Seen & { cpuMs: number } => ({ ...(front?.seen ?? nothingSeen()), cpuMs: cpuMs() }),
  quotas(on: boolean) {
    world.behaviour.quotas = on
  },
  /** From now on each answer of the API is so late, in milliseconds. */
  delay(delayMs: number) {
    world.setWeather('*', 'slow', { surface: 'defender', delayMs })
  },
  /** Calls by status, of the simulator itself. */
  statuses() {
    const counts: Record<number, number> = {}
    for (const { status } of simulator.requests) if (status !== null) counts[status] = (counts[status] ?? 0) + 1
    return counts
  },
}

export type Answers = typeof answers
export type Question = keyof Answers
/** A number of the parent's, and what was asked with it. */
type Asked = [number: number, what: Question, value: never]
export type Answer = [number: number, answer: unknown]

process.on('message', (message) => {
  const [number, what, value] = message as Asked
  const answer: Answer = [number, answers[what](value) ?? null]
  process.send?.(answer)
})
process.on('disconnect', () => process.exit(0))
process.send?.({ origin })
