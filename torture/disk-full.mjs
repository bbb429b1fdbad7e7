// `node torture/disk-full.mjs`: a disk that fills up. SQLite on a small file system of its own, filled to the last byte and freed again.
import { execFile } from 'node:child_process'
import { closeSync, mkdirSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { openEyes } from './database.mjs'
import { built } from './mutants.mjs'
import { freePort } from './postgres.mjs'
import { PortalProcess } from './processes.mjs'
import { clientId, environmentFor, fillStore, startMicrosoft, tenantIdOf } from './stage.mjs'

const run = promisify(execFile)
const size = '16m'

/**
 * @returns null where no file system can be mounted; else what the portal answered with room, without, and with room
 * again: `{ read, write }` statuses, and whether incidents that came meanwhile were stored in the end
 */
async function diskFull() {
  const folder = mkdtempSync(join(tmpdir(), 'muster-disk-'))
  const undo = [() => rmSync(folder, { recursive: true, force: true })]
  try {
    const disk = join(folder, 'disk')
    mkdirSync(disk)
    const mounted = await run('mount', ['-t', 'tmpfs', '-o', `size=${size}`, 'tmpfs', disk]).then(
      () => true,
      () => false,
    )
    if (!mounted) return null
    undo.push(() => run('umount', ['-l', disk]))
    const simulator = await startMicrosoft({ api: 'defender', quotas: false })
    undo.push(() => simulator.close())
    const { world } = simulator
    const tenantId = tenantIdOf(1)
    world.addTenant({ id: tenantId, displayName: 'One', domains: ['one.example'] })
    world.consent(tenantId, clientId)
    for (let n = 0; n < 10; n++) world.addIncident(tenantId)

    const port = await freePort()
    const store = { databaseUrl: null, dataDir: join(disk, 'data') }
    const env = environmentFor({ origin: simulator.origin, api: 'defender', ...store, role: 'all', port })
    const cookie = await fillStore({ ...store, tenants: [tenantId], env })
    const place = new PortalProcess({
      name: 'all',
      env,
      dist: built,
      sync: { paceMs: 500, quietPaceMs: 500 },
      logFile: join(folder, 'all.log'),
    })
    await place.start()
    undo.push(() => place.kill())
    const person = new Person(place.url, cookie)
    const eyes = openEyes(store)
    undo.push(() => eyes.close())
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
    const [{ integrity_check: integrity }] = await eyes.all('pragma integrity_check')
    return { before, full, after, caughtUp, integrity, alive: place.crashed === undefined }
  } finally {
    for (const step of undo.reverse()) await step()
  }
}

function fill(path) {
  const file = openSync(path, 'w')
  const piece = Buffer.alloc(4_096)
  try {
    for (;;) writeSync(file, piece)
  } catch (error) {
    if (error.code !== 'ENOSPC') throw error
  } finally {
    closeSync(file)
  }
}

async function stored(eyes, wanted) {
  for (let attempt = 0; attempt < 150; attempt++) {
    const rows = await eyes.all('select count(*) as n from incidents')
    if (Number(rows?.[0]?.n) >= wanted) return true
    await sleep(200)
  }
  return false
}

const themes = ['dark', 'light', 'auto']

/** Signed in: reads a page, and changes her theme. */
class Person {
  #looks = 0
  #url
  #headers

  constructor(url, cookie) {
    this.#url = url
    this.#headers = { cookie, origin: url }
  }

  async look() {
    const page = await fetch(`${this.#url}/`, { headers: this.#headers, redirect: 'manual' })
    const token = /name="_csrf" value="([^"]+)"/.exec(await page.text())?.[1] ?? ''
    const change = await fetch(`${this.#url}/preferences`, {
      method: 'POST',
      headers: this.#headers,
      redirect: 'manual',
      body: new URLSearchParams({ _csrf: token, theme: themes[this.#looks++ % themes.length], returnTo: '/' }),
    })
    return { read: page.status, write: change.status }
  }
}

const found = await diskFull()
if (found === null) {
  console.log('skipped: no file system can be mounted here')
  process.exit(0)
}
console.log(JSON.stringify(found))
const wanted = [
  found.before,
  { read: 200, write: 303 },
  found.full,
  { read: 200, write: 503 },
  found.after,
  found.before,
]
const asWanted = [0, 2, 4].every((n) => JSON.stringify(wanted[n]) === JSON.stringify(wanted[n + 1]))
process.exit(asWanted && found.caughtUp && found.alive && found.integrity === 'ok' ? 0 : 1)
