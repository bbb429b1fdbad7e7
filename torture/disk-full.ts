// `npm run torture:disk-full`: a disk that fills up. SQLite on a small file system of its own, filled to the last byte
// and freed again.
import { execFile } from 'node:child_process'
import { closeSync, mkdirSync, openSync, rmSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { temporaryFolder } from '../test/support/places.ts'
import { freePort } from '../test/support/ports.ts'
import { clientId, tenantIdOf } from '../test/support/registered-app.ts'
import { type Eyes, openEyes } from './database.ts'
import type { Undo } from './ground.ts'
import { environmentFor, fillStore, startMicrosoft } from './microsoft.ts'
import { built } from './mutants.ts'
import { PortalProcess } from './processes.ts'

const run = promisify(execFile)
const size = '16m'

/** Statuses of a page that is read, and of a change. */
interface Look {
  read: number
  write: number
}

interface DiskResult {
  before: Look
  /** Without a byte of room. */
  full: Look
  after: Look
  /** Whether incidents that came meanwhile were stored in the end. */
  caughtUp: boolean
  integrity: unknown
  alive: boolean
}

/** @returns null where no file system can be mounted */
async function diskFull(): Promise<DiskResult | null> {
  const folder = temporaryFolder('muster-disk-')
  const undo: Undo = [folder.remove]
  try {
    const disk = join(folder.path, 'disk')
    mkdirSync(disk)
    const mounted = await run('mount', ['-t', 'tmpfs', '-o', `size=${size}`, 'tmpfs', disk]).then(
      () => true,
      () => false,
    )
    if (!mounted) return null
    undo.push(() => run('umount', ['-l', disk]))
    return await fillAndFree(disk, folder.path, undo)
  } finally {
    for (const step of undo.reverse()) await step()
  }
}

async function fillAndFree(disk: string, folder: string, undo: Undo): Promise<DiskResult> {
  const { world, tenantId, place, person, eyes } = await stage(disk, folder, undo)
  await stored(eyes, 10)
  const before = await person.look()
  // What the log has had once it would take again without asking for room.
  await eyes.all('pragma wal_checkpoint(truncate)')
  const filler = join(disk, 'filler')
  fill(filler)
  for (let n = 0; n < 5; n++) world.addIncident(tenantId)
  await sleep(1_500)
  const full = await person.look()
  rmSync(filler)
  // What failed is tried again after its pause; the run has not the time.
  await eyes.run(`update tenants set next_sync_at = '${new Date().toISOString()}', sync_not_before = null`)
  const caughtUp = await stored(eyes, 15)
  const after = await person.look()
  const integrity = (await eyes.all('pragma integrity_check'))?.[0]?.integrity_check
  return { before, full, after, caughtUp, integrity, alive: place.crashed === null }
}

/** Microsoft with a tenant of ten incidents, and a portal whose data is on the disk. */
async function stage(disk: string, folder: string, undo: Undo) {
  const simulator = await startMicrosoft({ api: 'defender', quotas: false })
  undo.push(() => simulator.close())
  const { world, origin } = simulator
  const tenantId = tenantIdOf(1)
  world.addTenant({ id: tenantId, displayName: 'One', domains: ['one.example'] })
  world.consent(tenantId, clientId)
  for (let n = 0; n < 10; n++) world.addIncident(tenantId)

  const store = { databaseUrl: null, dataDir: join(disk, 'data') }
  const env = environmentFor({ origin, api: 'defender', ...store, role: 'all', port: await freePort() })
  const cookie = await fillStore(store, { tenants: [tenantId], env })
  const sync = { paceMs: 500, quietPaceMs: 500 }
  const logFile = join(folder, 'all.log')
  const place = new PortalProcess({ name: 'all', role: 'all', env, dist: built, sync, logFile })
  await place.start()
  undo.push(() => place.kill())
  const eyes = openEyes(store)
  undo.push(() => eyes.close())
  return { world, tenantId, place, eyes, person: new Person(place.url ?? '', cookie) }
}

function fill(path: string): void {
  const file = openSync(path, 'w')
  const piece = Buffer.alloc(4_096)
  try {
    for (;;) writeSync(file, piece)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error
  } finally {
    closeSync(file)
  }
}

async function stored(eyes: Eyes, wanted: number): Promise<boolean> {
  for (let attempt = 0; attempt < 150; attempt++) {
    const rows = await eyes.all<{ n: number }>('select count(*) as n from incidents')
    if (Number(rows?.[0]?.n) >= wanted) return true
    await sleep(200)
  }
  return false
}

const themes = ['dark', 'light', 'auto']

/** Signed in: reads a page, and changes her theme. */
class Person {
  #looks = 0
  readonly #url: string
  readonly #headers: Record<string, string>

  constructor(url: string, cookie: string) {
    this.#url = url
    this.#headers = { cookie, origin: url }
  }

  async look(): Promise<Look> {
    const page = await fetch(`${this.#url}/`, { headers: this.#headers, redirect: 'manual' })
    const token = /name="_csrf" value="([^"]+)"/.exec(await page.text())?.[1] ?? ''
    const theme = themes[this.#looks++ % themes.length] ?? ''
    const change = await fetch(`${this.#url}/preferences`, {
      method: 'POST',
      headers: this.#headers,
      redirect: 'manual',
      body: new URLSearchParams({ _csrf: token, theme, returnTo: '/' }),
    })
    return { read: page.status, write: change.status }
  }
}

const result = await diskFull()
if (result === null) {
  console.log('skipped: no file system can be mounted here')
  process.exit(0)
}
console.log(JSON.stringify(result))
const { before, full, after, caughtUp, integrity, alive } = result
const same = (one: Look, other: Look) => one.read === other.read && one.write === other.write
const asWanted = same(before, { read: 200, write: 303 }) && same(full, { read: 200, write: 503 }) && same(after, before)
process.exit(asWanted && caughtUp && alive && integrity === 'ok' ? 0 : 1)
