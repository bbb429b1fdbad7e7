// The first sync against a plain script of Microsoft's own libraries, over the same number of incidents.
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { root } from '../test/support/root.ts'
import type { Engine } from './engines.ts'
import { app, begin, finish, lists, placeOf, type SyncFigures, tenantIds } from './first-sync.ts'
import { type Microsoft, runScript, startMicrosoft } from './processes.ts'
import type { RivalInput } from './script.ts'

/** Microsoft's libraries stand in a package of their own, which asks for a newer Node.js than the portal does. */
export const rivalInstalled = (): boolean =>
  existsSync(join(root, 'bench', 'rival', 'node_modules', '@azure', 'identity', 'package.json'))

export const rivalLeftOut = 'rival: left out, its package is not installed (npm ci --prefix bench/rival)'

export interface Rival extends SyncFigures {
  atOnce: number
  expand: boolean
  stored: number
}

export interface RivalRow {
  row: 'rival'
  engine: string
  latencyMs: number
  tenants: number
  incidents: number
  rivals: Rival[]
}

/**
 * The script one tenant after another and eight at once, with the alerts expanded and without. Measured over fewer
 * tenants than the sync where its rate does not depend on it.
 */
export async function measureRival(
  engine: Engine,
  { tenants, incidents, latencyMs = 0 }: { tenants: number; incidents: number; latencyMs?: number },
): Promise<RivalRow> {
  const ids = tenantIds(tenants)
  const graph = await startMicrosoft({ tenants: ids, incidents, prepared: lists.graph, latencyMs })
  const rivals: Rival[] = []
  try {
    for (const expand of [true, false]) {
      for (const atOnce of [1, 8]) {
        const rival = await runOnce(engine, graph, { tenants: ids, atOnce, expand })
        if (rival.stored !== tenants * incidents) {
          throw new Error(`the script stored ${rival.stored} of ${tenants * incidents}`)
        }
        rivals.push(rival)
      }
    }
  } finally {
    await graph.close()
  }
  return { row: 'rival', engine: engine.name, latencyMs, tenants, incidents: tenants * incidents, rivals }
}

async function runOnce(
  engine: Engine,
  graph: Microsoft,
  how: Pick<RivalInput, 'tenants' | 'atOnce' | 'expand'>,
): Promise<Rival> {
  const store = await engine.open()
  try {
    const before = await begin(graph)
    const input: RivalInput = { ...how, origin: graph.origin, store: placeOf(store), app }
    const { endedAt, stored, cpuMs } = await runScript('rival/rival', input)
    const { addresses: _, ...figures } = await finish(graph, before, endedAt)
    return { atOnce: how.atOnce, expand: how.expand, stored, cpuMs, ...figures }
  } finally {
    await store.close()
  }
}
