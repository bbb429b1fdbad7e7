// Which processes there are, and what each is told.
import { join } from 'node:path'
import { freePort } from './postgres.mjs'
import { PortalProcess } from './processes.mjs'
import { environmentFor } from './stage.mjs'

const topologies = {
  all: ['all'],
  'web and worker': ['web', 'worker'],
  'two workers and web': ['web', 'worker', 'worker'],
}

/** SQLite: one process, or pages and worker apart on one file. PostgreSQL: several workers. */
export function topologyFor({ engine, mutant }, random) {
  // Without a second worker nobody overtakes the first, and the fence has nothing to do.
  if (engine === 'postgres' || mutant === 'fence') return 'two workers and web'
  return random.pick(['all', 'web and worker'])
}

export async function placesFor({ topology, folder, dist, sync, env }) {
  const places = []
  for (const [index, role] of topologies[topology].entries()) {
    const port = role === 'worker' ? 0 : await freePort()
    places.push(
      new PortalProcess({
        name: `${role}${index}`,
        role,
        env: environmentFor({ ...env, role, port, publicUrl: role === 'worker' ? 'http://localhost:3000' : undefined }),
        dist,
        sync,
        logFile: join(folder, `${role}${index}.log`),
      }),
    )
  }
  return places
}
