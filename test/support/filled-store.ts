import { createHmac, randomBytes, randomUUID } from 'node:crypto'
import type { Config } from '../../server/config/config.ts'
import { keysFor } from '../../server/http/session/keys.ts'
import { muster } from '../../server/store/audit.ts'
import { type CustomerDetails, createCustomer } from '../../server/store/customers/customers.ts'
import type { Database } from '../../server/store/engine/dialect.ts'
import { write } from '../../server/store/engine/write.ts'
import { bindTenant } from '../../server/store/onboarding/bindings.ts'
import { saveSession } from '../../server/store/operators/sessions.ts'

const halfAnHour = 1_800_000

export const customerDetails = (details: Partial<CustomerDetails>): CustomerDetails => ({
  name: '',
  language: 'en',
  contactName: null,
  contactEmail: null,
  notes: null,
  groups: [],
  expectedTenantId: null,
  expectedDomain: null,
  ...details,
})

/** Tenants that are aboard and due, as after their consent was proven; a customer each. */
export async function bindTenants(db: Database, tenantIds: readonly string[]): Promise<void> {
  const now = new Date()
  await write(db, async (tx) => {
    for (const [index, tenantId] of tenantIds.entries()) {
      const customer = await createCustomer(tx, muster, customerDetails({ name: `Customer ${index + 1}` }), now)
      const binding = { tenantId, customerId: customer.id, region: null, consented: true } as const
      await bindTenant(tx, muster, { ...binding, how: 'entered', by: 'nobody' }, now)
    }
    const at = now.toISOString()
    await tx
      .updateTable('tenants')
      .set({ access_state: 'active', first_active_at: at, next_check_at: null, next_sync_at: at })
      .execute()
  })
}

/** An Admin who signed in just now. @returns the cookie that her browser would send; it serves for half an hour */
export async function signInAdmin(db: Database, config: Config, now: Date = new Date()): Promise<string> {
  const [tid, oid] = [config.partnerTenantId, randomUUID()]
  const id = `${tid}.${oid}`
  const signedInAt = now.toISOString()
  await write(db, (tx) =>
    tx
      .insertInto('operators')
      .values({
        id,
        tid,
        oid,
        name: 'Ada Mark',
        username: null,
        roles: JSON.stringify(['Muster.Admin']),
        guest: 0,
        language: null,
        time_zone: null,
        theme: null,
        first_seen_at: signedInAt,
        last_seen_at: signedInAt,
      })
      .execute(),
  )
  const sid = randomBytes(24).toString('base64url')
  const expiresAt = new Date(now.getTime() + halfAnHour).toISOString()
  const data = JSON.stringify({ cookie: { path: '/', httpOnly: true }, operatorId: id, signedInAt })
  await saveSession(db, sid, { operatorId: id, data, createdAt: signedInAt, expiresAt })
  const [key] = keysFor(config, 'session')
  if (!key) throw new Error('the configuration has no session secret')
  // As express-session signs: the key as text, Base64 without padding.
  const signature = createHmac('sha256', key.toString('base64url')).update(sid).digest('base64')
  return `muster=${encodeURIComponent(`s:${sid}.${signature.replace(/=+$/, '')}`)}`
}
