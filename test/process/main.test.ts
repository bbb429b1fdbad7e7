import { once } from 'node:events'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { connect, createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals'
import Sqlite from 'libsql'
import { build } from '../support/build.ts'
import { listen } from '../support/ports.ts'
import { type StartedProcess, startNode } from '../support/processes.ts'
import { leastEnvironment, releaseFolder } from '../support/release.ts'
import { root } from '../support/root.ts'
import { until } from '../support/waiting.ts'

/** A folder without an .env, and a process that knows nothing but what it is told. */
const folder = mkdtempSync(join(tmpdir(), 'muster-main-'))
let release: ReturnType<typeof releaseFolder>
const running = new Set<StartedProcess>()
let folders = 0

const enough = () => ({
  ...leastEnvironment,
  DATA_DIR: join(folder, `data-${folders++}`),
  LOG_LEVEL: 'warn',
})

/** The portal as `npm start` runs it. */
function start(env: Record<string, string>, cwd = folder): StartedProcess {
  const started = startNode([join(release.folder, 'dist', 'main.js')], { cwd, env })
  running.add(started)
  void started.ended.then(() => running.delete(started))
  return started
}

/** Runs until it gives up. */
async function fails(env: Record<string, string>, cwd = folder): Promise<string> {
  const portal = start(env, cwd)
  expect(await portal.ended).toBe(1)
  expect(portal.err()).not.toMatch(/canary|\s+at .*\.js:\d/)
  return portal.err()
}

/** Runs until it says where it is. */
async function runs(env: Record<string, string>, cwd = folder): Promise<StartedProcess & { port: number }> {
  const portal = start(env, cwd)
  const [, port] = await portal.said(/Muster runs at http:\/\/localhost:(\d+)/)
  return { ...portal, port: Number(port) }
}

/** A request of which only the beginning was sent, and read. */
async function begin(port: number): Promise<Socket> {
  const socket = connect(port, '127.0.0.1')
  await once(socket, 'connect')
  socket.write(`POST /auth/login HTTP/1.1\r\nHost: localhost:${port}\r\nSec-Fetch-Site: same-origin\r\n`)
  socket.write('Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n')
  expect(String(await once(socket, 'data'))).toMatch(/^HTTP\/1\.1 100 /)
  socket.write('a')
  return socket
}

/** Until it tells whoever still asks to come back on another connection. */
async function draining(port: number): Promise<void> {
  const asked = () => fetch(`http://127.0.0.1:${port}/readyz`).catch(() => null)
  await until(async () => (await asked())?.status === 503, { what: 'it stops' })
}

beforeAll(() => {
  build()
  release = releaseFolder()
})
afterEach(() => {
  for (const { child } of running) child.kill('SIGKILL')
})
afterAll(() => {
  rmSync(folder, { recursive: true, force: true })
  release.remove()
})

describe('npm start', () => {
  test('with nothing configured says everything that is missing, and how to mend it', async () => {
    const said = await fails({})
    for (const name of ['SESSION_SECRET', 'AZURE_CLIENT_ID', 'AZURE_CLIENT_SECRET', 'AZURE_TENANT_ID']) {
      expect(said).toMatch(new RegExp(`^ {2}${name} is missing\\. \\S`, 'm'))
    }
  })

  test('with wrong values shows them and where they were read, and never a secret', async () => {
    const said = await fails({
      ...enough(),
      PORT: '70000',
      TRUST_PROXY: 'everyone!',
      PUBLIC_URL: 'https://user:canary@muster.example/x',
      DATABASE_URL: 'canary://x',
      SESSION_SECRET: 'canary',
      AZURE_CLIENT_ID: 'canary-that-is-a-secret',
      HTTPS_PROXY: 'http://user:canary#@proxy.example',
      SMTP_URL: 'smtp://user:canary@mail.example/x',
      SMTP_FROM: 'muster@example.com',
    })
    expect(said).toContain('PORT is not a port number (“70000”, read from the environment). Use')
    expect(said).toContain(
      'TRUST_PROXY holds something that is not an address (“everyone!”, read from the environment).',
    )
    expect(said).toContain('PUBLIC_URL is not an origin (“https://…@muster.example/x”, read from the environment).')
    for (const name of ['DATABASE_URL', 'SESSION_SECRET', 'AZURE_CLIENT_ID', 'HTTPS_PROXY', 'SMTP_URL']) {
      expect(said).toMatch(new RegExp(`^ {2}${name} .* \\(read from the environment\\)\\. `, 'm'))
    }
  })

  test('takes secrets from files, and names the file that is wrong', async () => {
    const file = (name: string, text: string) => {
      writeFileSync(join(folder, name), text)
      return join(folder, name)
    }
    const { SESSION_SECRET, AZURE_CLIENT_SECRET, ...rest } = enough()
    const files = {
      SESSION_SECRET_FILE: file('session', `${SESSION_SECRET}\n`),
      AZURE_CLIENT_SECRET_FILE: file('client', AZURE_CLIENT_SECRET),
    }
    const { child, ended } = await runs({ ...rest, ...files })
    child.kill('SIGTERM')
    expect(await ended).toBe(0)
    const said = await fails({
      ...rest,
      AZURE_CLIENT_SECRET_FILE: file('empty', '\n'),
      SESSION_SECRET_FILE: file('short', 'canary'),
      DATABASE_URL_FILE: join(folder, 'nowhere'),
      DATA_KEY: SESSION_SECRET,
      DATA_KEY_FILE: file('key', SESSION_SECRET),
    })
    expect(said).toContain(`SESSION_SECRET is shorter than 32 bytes (read from ${join(folder, 'short')})`)
    expect(said).toContain(`AZURE_CLIENT_SECRET_FILE leads to ${join(folder, 'empty')}, which is empty.`)
    expect(said).toContain(`DATABASE_URL_FILE leads to ${join(folder, 'nowhere')}, which cannot be read (ENOENT).`)
    expect(said).not.toMatch(/AZURE_CLIENT_SECRET is missing/)
    expect(said).toContain('DATA_KEY_FILE is set together with DATA_KEY. Keep one of the two.')
  })

  test('with its port taken says so', async () => {
    const other = createServer()
    const port = await listen(other)
    expect(await fails({ ...enough(), PORT: String(port) })).toMatch(/PORT is in use/)
    other.close()
  })

  test('with its port for metrics taken says which of the two it is', async () => {
    const other = createServer()
    const port = await listen(other)
    expect(await fails({ ...enough(), METRICS_PORT: String(port) })).toMatch(/^METRICS_PORT is in use/)
    other.close()
  })

  test('without its database says so, and not where it is', async () => {
    const DATABASE_URL = 'postgres://canary:canary@127.0.0.1:1/canary'
    expect(await fails({ ...enough(), DATABASE_URL })).toMatch(/database cannot be opened \(ECONNREFUSED\)/)
  })

  test('refuses a database that a newer version has changed', async () => {
    const env = enough()
    const first = await runs(env)
    first.child.kill('SIGTERM')
    expect(await first.ended).toBe(0)
    const db = new Sqlite(join(env.DATA_DIR, 'muster.db'))
    db.exec(`insert into kysely_migration (name, timestamp) values ('9999-from-the-future', '2030')`)
    db.close()
    expect(await fails(env)).toContain('9999-from-the-future')
  })

  test('says in one line what runs, over which database, and where', async () => {
    const env = { ...enough(), METRICS_PORT: '0', HTTPS_PROXY: 'http://user:canary@p.example:8080' }
    const { child, ended, out, port } = await runs(env)
    child.kill('SIGTERM')
    expect(await ended).toBe(0)
    const line = out()
      .split('\n')
      .find((one) => one.startsWith('Muster runs at '))
    const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string }
    for (const fact of [version, process.versions.node, 'role all', 'SQLite', join(env.DATA_DIR, 'muster.db')]) {
      expect(line).toContain(fact)
    }
    expect(line).toContain(
      'a double of Microsoft at 127.0.0.1:1, incidents of defender at 127.0.0.1:1, proxy http://p.example:8080)',
    )
    expect(line).not.toContain('canary')
    expect(line).toMatch(new RegExp(`port 127\\.0\\.0\\.1:${port}, metrics 127\\.0\\.0\\.1:\\d+`))
  })

  test('keeps its files to itself', async () => {
    const env = enough()
    await runs(env)
    expect(statSync(env.DATA_DIR).mode & 0o077).toBe(0)
    expect(statSync(join(env.DATA_DIR, 'muster.db')).mode & 0o077).toBe(0)
  })
})

describe('a portal started from anywhere', () => {
  const written = (env: Record<string, string>) =>
    Object.entries(env)
      .map(([name, value]) => `${name}='${value}'\n`)
      .join('')
  const { DATA_DIR: _, ...settings } = enough()
  const envFile = () => join(release.folder, '.env')
  const elsewhere = () => mkdtempSync(join(folder, 'elsewhere-'))
  afterEach(() => rmSync(envFile(), { force: true }))

  test('finds .env and its data beside package.json', async () => {
    writeFileSync(envFile(), `\ufeff${written({ ...settings, LOG_LEVEL: 'error' })}`)
    const cwd = elsewhere()
    const { child, ended, out } = await runs({}, cwd)
    child.kill('SIGTERM')
    expect(await ended).toBe(0)
    expect(out()).toContain(join(release.folder, 'data', 'muster.db'))
    expect(existsSync(join(cwd, 'data'))).toBe(false)
  })

  test('starts on no other database than the one that .env names, however the file was saved', async () => {
    const url = 'postgres://canary:canary@127.0.0.1:1/canary'
    writeFileSync(envFile(), `\ufeffDATABASE_URL=${url}\r\n${written(settings)}`, 'utf16le')
    expect(await fails({}, elsewhere())).toMatch(/database cannot be opened \(ECONNREFUSED\)/)
  })

  test('refuses to begin anew beside a database that it would have found before, and names both places', async () => {
    const cwd = elsewhere()
    const earlier = join(cwd, 'data')
    const place = join(release.folder, 'data')
    renameSync(place, earlier)
    expect(existsSync(join(earlier, 'muster.db'))).toBe(true)
    const text = await fails(settings, cwd)
    expect(text).toContain(`DATA_DIR leads to ${place}`)
    expect(text).toContain(earlier)
    renameSync(earlier, place)
    mkdirSync(earlier)
    const { child, ended } = await runs(settings, cwd)
    child.kill('SIGTERM')
    expect(await ended).toBe(0)
  })

  test('names a .env that an older version would have read, and reads it not', async () => {
    const cwd = elsewhere()
    writeFileSync(join(cwd, '.env'), written(settings))
    const text = await fails({}, cwd)
    expect(text).toContain(`${join(cwd, '.env')} is not read. Move it beside package.json, to ${envFile()}`)
  })
})

describe('a portal that is told to stop', () => {
  test('finishes the request in hand, takes no new one, and ends well', async () => {
    const { child, ended, port } = await runs(enough())
    const socket = await begin(port)
    child.kill('SIGTERM')
    await draining(port)
    // Whoever still asks is answered, and told to come back on another connection.
    const late = await fetch(`http://127.0.0.1:${port}/readyz`)
    expect([late.status, late.headers.get('connection')]).toEqual([503, 'close'])
    const closed = () =>
      fetch(`http://127.0.0.1:${port}/healthz`).then(
        () => false,
        () => true,
      )
    await until(closed, { what: 'the port is closed' })
    let answer = ''
    socket.on('data', (chunk) => (answer += chunk))
    socket.write('=1')
    expect(await ended).toBe(0)
    expect(answer).toMatch(/^HTTP\/1\.1 403 /)
  })

  test('stops at once when told twice', async () => {
    const { child, ended, port } = await runs(enough())
    const socket = await begin(port)
    socket.on('error', () => undefined)
    child.kill('SIGINT')
    await draining(port)
    child.kill('SIGINT')
    expect(await ended).toBe(1)
  })
})

describe('slow clients', () => {
  test('are let go, and others are served meanwhile', async () => {
    const { port } = await runs(enough())
    const sockets = await Promise.all(
      Array.from({ length: 100 }, async () => {
        const socket = connect(port, '127.0.0.1')
        socket.on('error', () => undefined)
        socket.resume()
        await once(socket, 'connect')
        socket.write(`GET / HTTP/1.1\r\nHost: localhost:${port}\r\nX-Slow: `)
        return socket
      }),
    )
    const alive = await fetch(`http://127.0.0.1:${port}/healthz`)
    expect(alive.status).toBe(200)
    await Promise.all(sockets.map((socket) => (socket.closed ? undefined : once(socket, 'close'))))
  })
})
