import { tenantsInFlight } from '../metrics.ts'
import { probeAwaited } from '../onboarding/probe.ts'
import { probePartner } from '../partner/fault.ts'
import type { Portal } from '../portal.ts'
import type { Claim, Work } from '../store/engine/claim.ts'
import { isUnavailable } from '../store/engine/write.ts'
import {
  claimDue,
  claimOldestCheck,
  type Lane,
  lookAhead,
  type Outlook,
  releaseClaim,
  workOf,
} from '../store/sync/claims.ts'
import { believedClockMs } from '../store/tenants/blind.ts'
import { ClockWatch, mendFutureTimes } from './clock-watch.ts'
import { sendDue, startCourier } from './courier.ts'
import { keepHouse } from './housekeeping.ts'
import { Job, type Shared } from './job.ts'
import { atOnce, heavyAtOnce, heavySlow, lanes, proofsAtOnce, slow } from './lanes.ts'
import { readOlderAgain } from './older-readings.ts'
import { Slots } from './slots.ts'

const housekeepingEvery = 60_000
/** How often what is stored is looked at for times from the future. */
const mendEvery = 15_000
/** How long the worker rests when nothing is due: what an operator who pressed a button waits at most. */
const longestRest = 500
/** Between two looks: what ends in quick succession is followed by one claim, not by one each. */
const shortestRest = 25
/** Work under way may take this long once the worker is stopping; what takes longer is left to its lease. */
const stopPatience = 20_000

export interface Worker {
  /** Takes nothing new on, and waits for what is under way: sync runs end at their next page. Done within 25 s. */
  stop(): Promise<void>
}

/** Runs what is due, by itself, until stopped. Due times live on rows: nothing is forgotten by a restart. */
export function startWorker(portal: Portal): Worker {
  const running = new Set<Promise<void>>()
  const jobs = new Set<Job>()
  const places = Object.fromEntries(lanes.map((lane) => [lane, new Slots(atOnce[lane], slow[lane])])) as Record<
    Lane,
    Slots
  >
  const shared: Shared = { heavy: new Slots(heavyAtOnce, heavySlow) }
  const stopping = new AbortController()
  const { signal } = stopping
  const beside = new Set<string>()
  let nextHousekeeping = 0
  let wake: () => void = () => undefined

  const track = (work: Promise<void>, ended: () => void) => {
    const job = work.finally(() => {
      ended()
      running.delete(job)
    })
    running.add(job)
  }

  const launch = (claim: Claim, lane: Lane) => {
    const job = new Job(portal, claim, places[lane], shared)
    jobs.add(job)
    count(claim.work)
    track(job.run(), () => {
      jobs.delete(job)
      count(claim.work)
      if (hungry.has(lane)) wake()
    })
  }

  const count = (work: Work) => {
    tenantsInFlight.set({ work }, [...jobs].filter((job) => job.claim.work === work).length)
  }

  /** Lanes in which more is due than there were places for. */
  const hungry = new Set<Lane>()

  /** Beside the loop, one at a time of each: what Microsoft leaves hanging must not keep tenants from being read. */
  const alongside = (name: string, chore: () => Promise<unknown>) => {
    if (beside.has(name)) return
    beside.add(name)
    const done = chore().catch((error: unknown) => {
      portal.log[isUnavailable(error) ? 'warn' : 'error']({ err: error, chore: name }, 'housekeeping failed')
    })
    track(
      done.then(() => undefined),
      () => void beside.delete(name),
    )
  }

  const clock = new ClockWatch(portal.now)
  let nextMend = 0

  /** A clock that is put back leaves times behind that no clock reaches for long. */
  const mendClock = async () => {
    const setBackMs = clock.setBack()
    if (setBackMs < believedClockMs && performance.now() < nextMend) return
    nextMend = performance.now() + mendEvery
    await mendFutureTimes(portal, setBackMs)
  }

  /** @returns how long there is nothing to look for, in milliseconds */
  const tick = async (): Promise<number> => {
    await mendClock()
    const now = portal.now()
    const outlook = await lookAhead(portal.db, now)
    if (outlook.paused) for (const job of jobs) job.pause()
    if (outlook.partnerFault) {
      if (mayProbe(outlook, now)) {
        alongside('probe of the credential', async () => {
          for (const claim of await probe(portal, signal)) {
            // Nobody would wait for it any more.
            if (signal.aborted) await releaseClaim(portal.db, claim, new Date(claim.dueAt))
            else launch(claim, 'check')
          }
        })
      }
    } else {
      await takeProofs(outlook.proof, now)
      await take(outlook, now)
    }
    if (performance.now() >= nextHousekeeping) {
      nextHousekeeping = performance.now() + housekeepingEvery
      alongside('housekeeping', () => keepHouse(portal, signal))
      alongside('reading again', () => readOlderAgain(portal, signal))
    }
    return outlook.partnerFault ? longestRest : restUntil(outlook, now)
  }

  let proofs = 0

  /** What a browser claimed waits apart from the tenants: it is nobody's yet. */
  const takeProofs = async (dueAt: string | null, now: Date) => {
    if (dueAt === null || dueAt > now.toISOString() || proofs >= proofsAtOnce) return
    for (const probe of await probeAwaited(portal, proofsAtOnce - proofs)) {
      proofs++
      track(probe.catch(logProbe(portal)), () => {
        proofs--
        wake()
      })
    }
  }

  const take = async (outlook: Outlook, now: Date) => {
    for (const lane of lanes) {
      const { free } = places[lane]
      if (!isDue(outlook, lane, now) || free === 0) continue
      const claims = await claimOf(portal, lane, free)
      for (const claim of claims) launch(claim, lane)
    }
  }

  /** A lane without a free place is looked at again when somebody leaves it. */
  const restUntil = (outlook: Outlook, now: Date): number => {
    hungry.clear()
    let rest = longestRest
    if (outlook.proof !== null && proofs < proofsAtOnce)
      rest = Math.min(rest, Date.parse(outlook.proof) - now.getTime())
    for (const lane of lanes) {
      const due = outlook.due[lane]
      if (due === null) continue
      if (places[lane].free === 0) hungry.add(lane)
      else rest = Math.min(rest, Date.parse(due) - now.getTime())
    }
    return Math.max(rest, 0)
  }

  const loop = async () => {
    while (!signal.aborted) {
      let rest = longestRest
      try {
        rest = await tick()
      } catch (error) {
        portal.log[isUnavailable(error) ? 'warn' : 'error']({ err: error }, 'the worker could not look for work')
      }
      await nap(shortestRest)
      if (rest > shortestRest && !signal.aborted) await nap(rest - shortestRest)
    }
  }

  const nap = (ms: number) =>
    new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, ms)
      wake = () => {
        clearTimeout(timer)
        resolve()
      }
    })

  const looping = loop()
  const courier = startCourier(portal)

  return {
    async stop() {
      stopping.abort()
      wake()
      const delivered = courier.stop()
      await looping
      for (const job of jobs) job.stop()
      let patience: NodeJS.Timeout | undefined
      const overdue = new Promise<void>((resolve) => {
        patience = setTimeout(resolve, stopPatience)
      })
      await Promise.race([Promise.all(running), overdue])
      clearTimeout(patience)
      await delivered
    },
  }
}

/** Does everything that is due now, once: the worker's own steps, for tests and commands that must see the end of them. */
export async function runDue(portal: Portal): Promise<number> {
  const shared: Shared = { heavy: new Slots(heavyAtOnce, heavySlow) }
  let done = await sendDue(portal)
  const outlook = await lookAhead(portal.db, portal.now())
  if (outlook.partnerFault) {
    if (!mayProbe(outlook, portal.now())) return 0
    const claims = await probe(portal)
    await Promise.all(claims.map((claim) => new Job(portal, claim, new Slots(1, slow.check), shared).run()))
    // The alarm may be over: what it held up is due.
    return claims.length > 0 || !(await lookAhead(portal.db, portal.now())).partnerFault ? 1 : 0
  }
  const probes = await probeAwaited(portal, proofsAtOnce)
  await Promise.all(probes.map((one) => one.catch(logProbe(portal))))
  done += probes.length
  for (const lane of lanes) {
    const places = new Slots(atOnce[lane], slow[lane])
    const claims = await claimOf(portal, lane, atOnce[lane])
    await Promise.all(claims.map((claim) => new Job(portal, claim, places, shared).run()))
    done += claims.length
  }
  return done
}

const logProbe =
  ({ log }: Portal) =>
  (error: unknown) =>
    log[isUnavailable(error) ? 'warn' : 'error']({ err: error }, 'a claimed tenant could not be asked for')

const isDue = (outlook: Outlook, lane: Lane, now: Date): boolean => {
  const due = outlook.due[lane]
  return due !== null && due <= now.toISOString()
}

const claimOf = (portal: Portal, lane: Lane, limit: number): Promise<Claim[]> =>
  claimDue(portal.db, workOf[lane], portal.now(), limit, portal.config.sync.leaseMs, {
    lane,
    ...(workOf[lane] === 'sync' ? { callLimits: portal.config.sync } : {}),
  })

/** While everything is paused, a credential is tried again only for those who wait for a proof. */
const mayProbe = (outlook: Outlook, now: Date) => !outlook.paused || isDue(outlook, 'check', now)

/**
 * While a fault of the partner's own stands, every tenant would fail alike: once a minute it is found out whether it
 * works again. Where the partner's own tenant cannot be asked, one tenant's check is what tries it: a due one, or else
 * that of the tenant checked longest ago. All others stay due.
 */
async function probe(portal: Portal, stopping?: AbortSignal): Promise<Claim[]> {
  if ((await probePartner(portal)) !== 'unknown' || stopping?.aborted) return []
  const due = await claimDue(portal.db, 'check', portal.now(), 1, portal.config.sync.leaseMs)
  if (due.length > 0) return due
  const oldest = await claimOldestCheck(portal.db, portal.now(), portal.config.sync.leaseMs)
  // No tenant is bound yet: the first claim is what can tell whether the credential works.
  if (oldest.length === 0) await Promise.all(await probeAwaited(portal, 1))
  return oldest
}
