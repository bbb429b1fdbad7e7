// Which processes there are, and what each is told.
import { join } from 'node:path'
import type { Config } from '../server/config/config.ts'
import type { Random } from '../server/simulator/world/random.ts'
import { freePort } from '../test/support/ports.ts'
import { environmentFor, type PortalEnvironment } from './microsoft.ts'
import type { RunOptions } from './options.ts'
import { PortalProcess } from './processes.ts'

const topologies = {
  all: ['all'],
  'web and worker': ['web', 'worker'],
  'two workers and web': ['web', 'worker', 'worker'],
} as const

export type Topology = keyof typeof topologies

/** SQLite: one process, or pages and worker apart on one file. PostgreSQL: several workers. */
export function topologyFor({ engine, mutant }: Pick<RunOptions, 'engine' | 'mutant'>, random: Random): Topology {
  // Without a second worker nobody overtakes the first, and the fence has nothing to do.
  if (engine === 'postgres' || mutant === 'fence') return 'two workers and web'
  return random.pick(['all', 'web and worker'])
}

export async function placesFor(options: {
  topology: Topology
  folder: string
  dist: string
  sync: Partial<Config['sync']>
  env: Omit<PortalEnvironment, 'role' | 'port'>
}): Promise<PortalProcess[]> {
  const { topology, folder, dist, sync, env } = options
  const places: PortalProcess[] = []
  for (const [index, role] of topologies[topology].entries()) {
    const port = role === 'worker' ? 0 : await freePort()
    const publicUrl = role === 'worker' ? 'http://localhost:3000' : undefined
    const name = `${role}${index}`
    places.push(
      new PortalProcess({
        name,
        role,
        env: environmentFor({ ...env, role, port, publicUrl }),
        dist,
        sync,
        logFile: join(folder, `${name}.log`),
      }),
    )
  }
  return places
}
