// A list from an older state, at the one moment at which it could turn an incident back.
import { setTimeout as sleep } from 'node:timers/promises'
import type { Ground } from './ground.ts'
import { pollNow } from './time.ts'

/**
 * Changes an incident of a quiet tenant twice, waits until the second change is stored, and lets the next list come from
 * the state between the two. Whatever weather there is besides may keep it from happening.
 */
export async function turnBack({ world, mutator, eyes, quietest: tenant }: Ground): Promise<void> {
  const first = mutator.touch(tenant)
  const between = Date.now() + 1_000
  await sleep(2_000)
  const { lastUpdateAt } = mutator.touch(tenant, first.id)
  const stored = `select 1 from incidents where tenant_id = '${tenant.id}' and incident_id = '${first.id}'
    and last_update_at = '${lastUpdateAt}'`
  for (const started = Date.now(); Date.now() - started < 4_000; await sleep(100)) {
    await pollNow(eyes, Date.now(), tenant.id)
    if ((await eyes.all(stored))?.length !== 1) continue
    world.setWeather(tenant.id, 'stale', { ageMs: Date.now() - between, count: 1 })
    await pollNow(eyes, Date.now(), tenant.id)
    await sleep(1_200)
    return
  }
}
