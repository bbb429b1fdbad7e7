import { probeAwaited } from '../onboarding/probe.ts'
import type { Portal } from '../portal.ts'
import { claimDue } from '../store/sync/claims.ts'
import { syncTenant } from '../sync/follow.ts'
import { readWindows } from '../sync/windows.ts'
import { proveTenant } from '../tenants/access-check.ts'
import { second } from '../time.ts'
import { runDue } from '../worker/worker.ts'

const lease = 60_000
const atOnce = 8

/** Proves every tenant whose check is due, as the worker does. */
export async function proveDue(portal: Portal): Promise<void> {
  for (;;) {
    await Promise.all(await probeAwaited(portal, atOnce))
    const claims = await claimDue(portal.db, 'check', portal.now(), atOnce, lease)
    if (claims.length === 0) return
    await Promise.all(claims.map((claim) => proveTenant(portal, claim)))
  }
}

/** What the worker does from this moment on, a second between, until nothing is due: sync runs over tenants, and checks. */
export async function doDue(portal: Portal): Promise<void> {
  for (let at = portal; (await runDue(at)) > 0; ) at = later(at, second)
}

export function later(portal: Portal, ms: number): Portal {
  const at = new Date(portal.now().getTime() + ms)
  return { ...portal, now: () => at }
}

/**
 * What is open in the one tenant that is due, what changed since, and the newest of its 30 days: broken off as by a stop.
 * The worker goes on from there.
 */
export async function beginFirstSync(portal: Portal): Promise<void> {
  for (const at of [portal, later(portal, second)]) {
    const [claim] = await claimDue(portal.db, 'sync', at.now(), 1, lease)
    if (claim) await syncTenant(at, claim)
  }
  const at = later(portal, 2 * second)
  const [rest] = await claimDue(portal.db, 'window', at.now(), 1, lease)
  if (!rest) return
  const stopping = new AbortController()
  let pages = 0
  const room = async () => {
    if (++pages > 4) stopping.abort()
    return { hold: async () => undefined, leave: () => undefined }
  }
  await readWindows(at, rest, { stopping: stopping.signal, rest: async () => undefined, room })
}
