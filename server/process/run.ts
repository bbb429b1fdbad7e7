import { readFileSync } from 'node:fs'
import { cloudFor, isLoopbackHost } from '../config/clouds.ts'
import { type Config, readConfig, startWarnings } from '../config/config.ts'
import { environment, startedByNpm } from '../config/environment.ts'
import { withFound } from '../config/secrets.ts'
import { ConfigError } from '../config/variables.ts'
import { createLog, type Log } from '../log.ts'
import { connectionFault } from '../store/connection-fault.ts'
import { placeOf } from '../store/engine/inspection.ts'
import { SchemaTooNewError } from '../store/engine/migrations.ts'
import { watchLauncher } from './launcher.ts'
import { noticeMs } from './notice.ts'
import { type RunningPortal, startPortal } from './start.ts'

/** A terminal's Ctrl-C reaches this process by npm a second time. */
const echoMs = 1_000

/** What this process writes belongs to its user alone. */
process.umask(0o077)

let config: Config | null = null
const told = environment()
try {
  await run()
} catch (error) {
  console.error(reasonOf(error, config))
  process.exit(1)
}

async function run(): Promise<void> {
  config = readConfig(told.env, told)
  const log = createLog(config.logLevel)
  for (const { variable, problem, remedy } of startWarnings(config, new Date())) {
    log.warn(`${variable} ${problem}. ${remedy}`)
  }
  for (const event of ['uncaughtException', 'unhandledRejection'] as const) {
    process.on(event, (error: unknown) => {
      log.fatal({ err: error }, `${event}: the process ends`)
      process.exit(1)
    })
  }
  const running = await startPortal(config, { log, worker: 'thread' })
  stopInOrder(running, log)
  console.log(startLine(running))
}

/** On the first signal, or when the npm that started this process is gone: finishes what is in hand. A second signal does not wait. */
function stopInOrder(running: RunningPortal, log: Log): void {
  const byNpm = startedByNpm()
  let stoppedAt: number | null = null
  const stop = (why: Record<string, string>, notice: number) => {
    stoppedAt = performance.now()
    log.info(why, 'stopping')
    running.close(notice).then(
      () => process.exit(0),
      (error: unknown) => {
        log.error({ err: error }, 'stopping failed')
        process.exit(1)
      },
    )
  }
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.on(signal, () => {
      if (stoppedAt === null) stop({ signal }, noticeMs[signal])
      else if (!byNpm || performance.now() - stoppedAt > echoMs) process.exit(1)
    })
  }
  if (!byNpm) return
  watchLauncher(() => {
    if (stoppedAt === null) stop({ because: 'the npm that started this process is gone' }, noticeMs.SIGINT)
  })
}

/** One line about what runs, for whoever reads the log of a machine that has several: which version, over which database. */
function startLine({ url, portal: { config } }: RunningPortal): string {
  const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
    version: string
  }
  const { engine, place } = placeOf(config)
  const host = config.host.includes(':') ? `[${config.host}]` : config.host
  const facts = [
    `version ${version}`,
    `Node.js ${process.versions.node}`,
    `role ${config.role}`,
    `${engine} ${place}`,
    ...(config.role === 'worker' ? [] : [`port ${host}:${config.port}`]),
    ...(config.metricsPort === null ? [] : [`metrics 127.0.0.1:${config.metricsPort}`]),
    ...cloudFacts(config),
    config.proxy === null ? 'no proxy' : `proxy ${config.proxy.origin}`,
  ]
  const what = config.role === 'worker' ? 'The worker of Muster runs' : `Muster runs at ${url}`
  return `${what} (${facts.join(', ')})`
}

/** Which of Microsoft's clouds, and which of its APIs; a double by its address. */
function cloudFacts(config: Config): string[] {
  const { authorityHost, incidentsApi, graphUrl, defenderUrl } = config
  const { host, hostname } = new URL(authorityHost)
  const cloud = isLoopbackHost(hostname) ? `a double of Microsoft at ${host}` : `cloud ${cloudFor(config).name}`
  const api = new URL(incidentsApi === 'graph' ? graphUrl : defenderUrl).host
  return [cloud, `incidents of ${incidentsApi} at ${api}`]
}

/** Why the portal cannot start, and how to mend it. Shows what was given, and never a secret. */
function reasonOf(error: unknown, config: Config | null): string {
  if (error instanceof ConfigError) {
    const lines = error.problems
      .map((one) => withFound(one, told.env, told.places))
      .map(({ variable, problem, remedy }) => `  ${variable} ${problem}. ${remedy}`)
    return ['Muster cannot start with this configuration:', ...lines].join('\n')
  }
  if (error instanceof SchemaTooNewError) return error.message
  const { code, syscall, variable = 'PORT' } = error as NodeJS.ErrnoException & { variable?: 'METRICS_PORT' }
  if (code === 'EADDRINUSE') {
    return `${variable} is in use by another process. Choose another ${variable}, or stop that process.`
  }
  if (code === 'EACCES' && syscall === 'listen') {
    return `${variable} may not be used by this user. Choose one above 1023.`
  }
  if (syscall === 'listen') return 'HOST is not an address of this machine. Use 127.0.0.1, or 0.0.0.0 for all.'
  const fault = connectionFault(error)
  if (fault === null) return `Muster cannot start: ${error instanceof Error ? error.stack : String(error)}`
  const because = fault.code === '' ? '' : ` (${fault.code})`
  const { engine, place } = config === null ? { engine: 'PostgreSQL', place: '' } : placeOf(config)
  // What a database is called is told only where that is what is wrong.
  const where = engine === 'PostgreSQL' && fault.code !== '3D000' ? place.replace(/\/.*$/, '') : place
  return `The database cannot be opened${because}. ${engine} at ${where}: ${fault.problem}. ${fault.remedy}`
}
