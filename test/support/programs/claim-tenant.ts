import { createInterface } from 'node:readline'
import { createLog } from '../../../server/log.ts'
import { concludeProof } from '../../../server/onboarding/probe.ts'
import type { Portal } from '../../../server/portal.ts'
import { connectDatabase } from '../../../server/store/engine/database.ts'
import { getAttempt } from '../../../server/store/onboarding/attempts.ts'
import { signedInFor } from '../claimed.ts'

// Each line names a tenant, and the runs that this process brings to their end with it, at once.
const [url = '', dataDir = '', partnerTenantId = ''] = process.argv.slice(2)
const log = createLog('silent')
const db = connectDatabase({ databaseUrl: url || null, dataDir, log })
const portal = { db, log, now: () => new Date(), config: { partnerTenantId } } as Portal
process.stdout.write('ready\n')
for await (const line of createInterface({ input: process.stdin })) {
  const [tenantId = '', ...attempts] = line.split(' ')
  await Promise.all(
    attempts.map(async (id) => {
      const attempt = await getAttempt(db, id)
      await signedInFor(portal, attempt, tenantId)
      await concludeProof(portal, tenantId)
    }),
  )
  process.stdout.write(`done ${tenantId}\n`)
}
await db.destroy()
