// A PostgreSQL of this run's own, in a temporary folder and on a port of its own, that may be killed and started again.
import { execFile, spawnSync } from 'node:child_process'
import { chmodSync, chownSync, existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)

/** The folder of `initdb` and `pg_ctl`, or null where this machine has none. */
export function postgresBinaries() {
  const versions = '/usr/lib/postgresql'
  if (!existsSync(versions)) return null
  const found = readdirSync(versions)
    .sort((a, b) => Number(b) - Number(a))
    .map((version) => join(versions, version, 'bin'))
    .find((folder) => existsSync(join(folder, 'initdb')))
  return found ?? null
}

/** PostgreSQL refuses to run as root: then it runs as the user that its package made. */
async function owner() {
  if (process.getuid() !== 0) return null
  const { stdout } = await run('id', ['-u', 'postgres'])
  const group = await run('id', ['-g', 'postgres'])
  return { uid: Number(stdout), gid: Number(group.stdout) }
}

/** A cluster, started. `url` names its database. @throws Error when there are no binaries */
export async function startCluster() {
  const bin = postgresBinaries()
  if (bin === null) throw new Error('there are no PostgreSQL binaries on this machine')
  const as = await owner()
  const folder = mkdtempSync(join(tmpdir(), 'muster-torture-pg-'))
  chmodSync(folder, 0o700)
  if (as) chownSync(folder, as.uid, as.gid)
  const data = join(folder, 'data')
  const port = await freePort()
  const call = (program, ...args) => run(join(bin, program), args, { ...(as ?? {}), cwd: folder })
  await call('initdb', '-D', data, '-U', 'muster', '-A', 'trust', '-E', 'UTF8', '--locale', 'C')
  const options = [`-p ${port}`, "-c listen_addresses='127.0.0.1'", `-c unix_socket_directories='${folder}'`]
  const start = () =>
    call('pg_ctl', '-D', data, '-w', '-t', '30', '-l', join(folder, 'log'), '-o', options.join(' '), 'start')
  const stop = (mode) => call('pg_ctl', '-D', data, '-w', '-t', '30', '-m', mode, 'stop')
  await start()
  const abandon = () => {
    spawnSync(join(bin, 'pg_ctl'), ['-D', data, '-m', 'immediate', 'stop'], { ...(as ?? {}), cwd: folder })
    rmSync(folder, { recursive: true, force: true })
  }
  process.once('exit', abandon)
  return {
    url: `postgres://muster@127.0.0.1:${port}/postgres`,
    start,
    /** `immediate` ends it without a checkpoint, as a crash does; `fast` breaks off what is under way. */
    stop,
    async remove() {
      process.off('exit', abandon)
      await stop('immediate').catch(() => undefined)
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

export async function freePort() {
  const server = createServer()
  await new Promise((resolve, reject) => server.once('error', reject).listen(0, '127.0.0.1', resolve))
  const { port } = server.address()
  await new Promise((resolve) => server.close(resolve))
  return port
}
