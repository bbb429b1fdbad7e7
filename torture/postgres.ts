// A PostgreSQL of this run's own, in a temporary folder and on a port of its own, that may be killed and started again.
import { execFile, spawnSync } from 'node:child_process'
import { chmodSync, chownSync, existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { temporaryFolder } from '../test/support/places.ts'
import { freePort } from '../test/support/ports.ts'

const run = promisify(execFile)

/** The folder of `initdb` and `pg_ctl`, or null where this machine has none. */
export function postgresBinaries(): string | null {
  const versions = '/usr/lib/postgresql'
  if (!existsSync(versions)) return null
  const folder = readdirSync(versions)
    .sort((a, b) => Number(b) - Number(a))
    .map((version) => join(versions, version, 'bin'))
    .find((bin) => existsSync(join(bin, 'initdb')))
  return folder ?? null
}

interface Owner {
  uid: number
  gid: number
}

/** PostgreSQL refuses to run as root: then it runs as the user that its package made. */
async function ownerOfCluster(): Promise<Owner | null> {
  if (process.getuid?.() !== 0) return null
  const user = await run('id', ['-u', 'postgres'])
  const group = await run('id', ['-g', 'postgres'])
  return { uid: Number(user.stdout), gid: Number(group.stdout) }
}

export interface Cluster {
  /** Of its database. */
  url: string
  start(): Promise<unknown>
  /** `immediate` ends it without a checkpoint, as a crash does; `fast` breaks off what is under way. */
  stop(mode: 'immediate' | 'fast'): Promise<unknown>
  remove(): Promise<void>
}

/** A cluster, started. @throws Error when there are no binaries */
export async function startCluster(): Promise<Cluster> {
  const bin = postgresBinaries()
  if (bin === null) throw new Error('there are no PostgreSQL binaries on this machine')
  const owner = await ownerOfCluster()
  const folder = temporaryFolder('muster-torture-pg-')
  const { path } = folder
  chmodSync(path, 0o700)
  if (owner) chownSync(path, owner.uid, owner.gid)
  const data = join(path, 'data')
  const port = await freePort()
  const how = { ...owner, cwd: path }
  const call = (program: string, ...args: string[]) => run(join(bin, program), args, how)
  await call('initdb', '-D', data, '-U', 'muster', '-A', 'trust', '-E', 'UTF8', '--locale', 'C')
  const options = [`-p ${port}`, "-c listen_addresses='127.0.0.1'", `-c unix_socket_directories='${path}'`].join(' ')
  const start = () => call('pg_ctl', '-D', data, '-w', '-t', '30', '-l', join(path, 'log'), '-o', options, 'start')
  const stop = (mode: string) => call('pg_ctl', '-D', data, '-w', '-t', '30', '-m', mode, 'stop')
  await start()
  const abandon = () => {
    spawnSync(join(bin, 'pg_ctl'), ['-D', data, '-m', 'immediate', 'stop'], how)
    folder.remove()
  }
  process.once('exit', abandon)
  return {
    url: `postgres://muster@127.0.0.1:${port}/postgres`,
    start,
    stop,
    async remove() {
      process.off('exit', abandon)
      await stop('immediate').catch(() => undefined)
      folder.remove()
    },
  }
}
