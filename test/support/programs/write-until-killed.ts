import { once } from 'node:events'
import { createLog } from '../../../server/log.ts'
import { muster, recordAudit } from '../../../server/store/audit.ts'
import { openDatabase } from '../../../server/store/engine/database.ts'
import { write } from '../../../server/store/engine/write.ts'

const [url = '', dataDir = '', first = '0', last = '1000000'] = process.argv.slice(2)
const db = await openDatabase({ databaseUrl: url || null, dataDir, log: createLog('silent') })
// Whoever listens is gone.
process.stdout.on('error', () => process.exit(1))
process.stdout.write('ready\n')
const at = new Date('2026-11-20T08:00:00.000Z')
for (let n = Number(first); n < Number(last); n++) {
  await write(db, async (tx) => {
    // Ten rows that belong together, and their number once they are safe.
    for (let row = 0; row < 10; row++) {
      await recordAudit(tx, muster, { action: 'settings.changed', at, subjectId: String(n), facts: { row } })
    }
  })
  // Somebody who reads no more must not make it hold what it has to tell.
  if (!process.stdout.write(`${n}\n`)) await once(process.stdout, 'drain')
}
await db.destroy()
process.exit(0)
