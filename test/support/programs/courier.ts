import type { Config } from '../../../server/config/config.ts'
import { createLog } from '../../../server/log.ts'
import { Memory } from '../../../server/memory.ts'
import { connectMicrosoft } from '../../../server/microsoft/connect.ts'
import { openDatabase } from '../../../server/store/engine/database.ts'
import { write } from '../../../server/store/engine/write.ts'
import { raiseAlarm } from '../../../server/store/notify/alarms.ts'
import { startCourier } from '../../../server/worker/courier.ts'

/** Raises alarms, each in a transaction of its own, and sends what there is to send once it is told to. Ends when it is killed. */
const { config, aheadMs, subjects } = JSON.parse(process.argv[2] ?? '') as {
  config: Config
  aheadMs: number
  subjects: string[]
}
const log = createLog('silent')
const now = () => new Date(Date.now() + aheadMs)
const db = await openDatabase({ ...config, log })
const portal = { config, db, microsoft: connectMicrosoft(config, { log, now }), log, now, memory: new Memory() }
for (const subject of subjects) {
  const facts = { code: 'disk', percent: 91 }
  await write(db, (tx) => raiseAlarm(tx, { kind: 'storage-trouble', subject, facts }, now()))
}
process.stdin.once('data', () => startCourier(portal))
process.stdout.write('raised\n')
