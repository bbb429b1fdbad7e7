import { once } from 'node:events'
import { createLog } from '../../../server/log.ts'
import { openDatabase } from '../../../server/store/engine/database.ts'
import { write } from '../../../server/store/engine/write.ts'
import { redeemState } from '../../../server/store/onboarding/attempt-states.ts'

const [url = '', dataDir = '', state = '', browser = ''] = process.argv.slice(2)
const db = await openDatabase({ databaseUrl: url || null, dataDir, log: createLog('silent') })
process.stdout.write('ready\n')
await once(process.stdin, 'data')
const now = new Date('2026-11-20T08:01:00.000Z')
for (const { found } of await Promise.all(
  Array.from({ length: 10 }, () => write(db, (tx) => redeemState(tx, state, browser, now))),
)) {
  process.stdout.write(`found ${found}\n`)
}
await db.destroy()
process.exit(0)
