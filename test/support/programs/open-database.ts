import { once } from 'node:events'
import { createLog } from '../../../server/log.ts'
import { muster } from '../../../server/store/audit.ts'
import { openDatabase } from '../../../server/store/engine/database.ts'
import { changeSettings } from '../../../server/store/partner/settings.ts'

const [url = '', dataDir = ''] = process.argv.slice(2)
process.stdout.write('ready\n')
await once(process.stdin, 'data')
const db = await openDatabase({ databaseUrl: url || null, dataDir, log: createLog('silent') })
await changeSettings(db, muster, { partnerName: 'Northwind' }, new Date('2026-11-20T08:00:00.000Z'))
await db.destroy()
process.exit(0)
