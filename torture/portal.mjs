// One portal process as `npm start` runs it, except that its times are short and that it says when it is ready.
// Everything comes from the environment: TORTURE_DIST is the compiled portal, TORTURE_SYNC the settings to shorten.
import { pathToFileURL } from 'node:url'

const load = (name) => import(pathToFileURL(`${process.env.TORTURE_DIST}/${name}`).href)
const { readConfig } = await load('config/config.js')
const { environment } = await load('config/environment.js')
const { createLog } = await load('log.js')
const { startPortal } = await load('process/start.js')

const { env, problems } = environment()
const read = readConfig(env, problems)
const config = { ...read, sync: { ...read.sync, ...JSON.parse(process.env.TORTURE_SYNC) } }
const log = createLog(config.logLevel)
for (const event of ['uncaughtException', 'unhandledRejection']) {
  process.on(event, (error) => {
    log.fatal({ err: error }, `${event}: the process ends`)
    process.exit(1)
  })
}
const running = await startPortal(config, { log })
process.send({ ready: running.url })
// Whoever broke off the run leaves nothing behind.
process.on('disconnect', () => process.exit(1))

process.on('SIGTERM', () => {
  running.close(500).then(
    () => process.exit(0),
    () => process.exit(1),
  )
})
