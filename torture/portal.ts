// One portal process as `npm start` runs it, except that its times are short and that it says when it is ready.
// Everything comes from the environment: TORTURE_DIST is the compiled portal, TORTURE_SYNC the settings to shorten.
import { pathToFileURL } from 'node:url'

/** A module of that portal; its types are those of the source. */
const load = (name: string) => import(pathToFileURL(`${process.env.TORTURE_DIST}/${name}.js`).href)
const { readConfig } = (await load('config/config')) as typeof import('../server/config/config.ts')
const { environment } = (await load('config/environment')) as typeof import('../server/config/environment.ts')
const { createLog } = (await load('log')) as typeof import('../server/log.ts')
const { noticeMs } = (await load('process/notice')) as typeof import('../server/process/notice.ts')
const { startPortal } = (await load('process/start')) as typeof import('../server/process/start.ts')

const { env, problems } = environment()
const read = readConfig(env, { problems })
const config = { ...read, sync: { ...read.sync, ...JSON.parse(process.env.TORTURE_SYNC ?? '{}') } }
const log = createLog(config.logLevel)
for (const event of ['uncaughtException', 'unhandledRejection'] as const) {
  process.on(event, (error: unknown) => {
    log.fatal({ err: error }, `${event}: the process ends`)
    process.exit(1)
  })
}
const running = await startPortal(config, { log })
process.send?.({ ready: running.url })
console.log(`Muster runs at ${running.url}`)
// Whoever broke off the run leaves nothing behind.
process.on('disconnect', () => process.exit(1))

process.on('SIGTERM', () => {
  running.close(noticeMs.SIGTERM).then(
    () => process.exit(0),
    () => process.exit(1),
  )
})
