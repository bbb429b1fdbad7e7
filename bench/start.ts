// From the command to the first "ready", against a Node.js that does nothing but listen.
import { join } from 'node:path'
import { temporaryFolder } from '../test/support/places.ts'
import { freePort } from '../test/support/ports.ts'
import { startNode, untilReady } from '../test/support/processes.ts'
import { environmentOf } from '../test/support/registered-app.ts'
import { root } from '../test/support/root.ts'
import { median } from './statistics.ts'

const rounds = 5
const main = join(root, 'dist', 'main.js')
const nothing = `require('node:http').createServer((q, s) => s.end()).listen(process.env.PORT, '127.0.0.1')`
const nowhere = 'http://127.0.0.1:1'

/** Medians in milliseconds. */
export interface StartRow {
  row: 'start to ready'
  ours: number
  floor: number
  ratio: number
}

export async function measureStart(): Promise<StartRow> {
  const ours: number[] = []
  const floor: number[] = []
  const folder = temporaryFolder('muster-bench-')
  const portal = { ...environmentOf(nowhere, { databaseUrl: null, dataDir: folder.path }), LOG_LEVEL: 'silent' }
  try {
    for (let round = 0; round < rounds; round++) {
      floor.push(await readyAfter(folder.path, ['-e', nothing], {}))
      ours.push(await readyAfter(folder.path, [main], portal))
    }
  } finally {
    folder.remove()
  }
  return { row: 'start to ready', ours: median(ours), floor: median(floor), ratio: median(ours) / median(floor) }
}

async function readyAfter(cwd: string, args: string[], env: Record<string, string>): Promise<number> {
  const port = await freePort()
  const started = performance.now()
  const { running, stop } = startNode(args, {
    cwd,
    env: { ...env, PORT: String(port) },
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  try {
    await untilReady(port, running)
    return performance.now() - started
  } finally {
    await stop('SIGKILL')
  }
}
