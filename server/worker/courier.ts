import { announceDue } from '../notify/announce.ts'
import { Notebook, type Parcel, parcelsOf } from '../notify/deliver.ts'
import { noteOutage } from '../notify/watch.ts'
import type { Portal } from '../portal.ts'
import { isUnavailable } from '../store/engine/write.ts'
import { type ClaimRoom, claimMessages, nextMessageAt } from '../store/notify/outbox.ts'
import { Slots } from './slots.ts'

/** Parcels under way at once. Whoever takes longer than a moment makes room for another. */
const atOnce = 128
const slow = { slowAfterMs: 250, borrowed: 512 }
/** How long it rests when nothing is due: what somebody waits for a message at most. */
const longestRestMs = 400
const shortestRestMs = 5
/** A database that is away for so long is something to be told of. */
const outageMs = 60_000
/** A try lasts 15 s, and a mail 40: what takes longer is left to its lease. */
const stopPatienceMs = 20_000

export interface Courier {
  /** Takes nothing new on, and waits for what is under way. */
  stop(): Promise<void>
}

/** Tells what there is to tell and sends what is due, by itself, until stopped. Everything it goes by is in the database. */
export function startCourier(portal: Portal): Courier {
  const slots = new Slots(atOnce, slow)
  const notebook = new Notebook(portal)
  const running = new Set<Promise<void>>()
  const underWay = new Map<string, number>()
  /** How many parcels each of them may have under way. */
  const most = new Map<string, number>()
  const stopping = new AbortController()
  const { signal } = stopping
  let wake: () => void = () => undefined

  const launch = (parcel: Parcel) => {
    const slot = slots.take()
    most.set(parcel.to, parcel.most)
    count(underWay, parcel.to, 1)
    const job = deliver(portal, notebook, parcel).finally(() => {
      slot.leave()
      count(underWay, parcel.to, -1)
      running.delete(job)
      wake()
    })
    running.add(job)
  }

  /** @returns how long there is nothing to look for, in milliseconds */
  const tick = async (): Promise<number> => {
    const told = await announceDue(portal)
    const next = await nextMessageAt(portal.db, portal.now())
    const rest = next === null ? longestRestMs : Date.parse(next) - portal.now().getTime()
    if (rest <= 0 && slots.free > 0) {
      const busy = [...underWay].filter(([to, parcels]) => parcels >= (most.get(to) ?? 1)).map(([to]) => to)
      const parcels = await claimParcels(portal, { limit: slots.free, busy })
      for (const parcel of parcels) launch(parcel)
      if (parcels.length > 0) return shortestRestMs
    }
    if (told > 0) return shortestRestMs
    // What is due and was not to be had waits for somebody who is under way.
    return rest <= 0 ? longestRestMs / 4 : Math.min(rest, longestRestMs)
  }

  const loop = async () => {
    let awaySince: Date | null = null
    while (!signal.aborted) {
      let rest = longestRestMs
      try {
        rest = await tick()
        const away = awaySince
        awaySince = null
        if (away && portal.now().getTime() - away.getTime() >= outageMs) await noteOutage(portal, away)
      } catch (error) {
        if (isUnavailable(error)) awaySince ??= portal.now()
        portal.log[isUnavailable(error) ? 'warn' : 'error']({ err: error }, 'messages could not be looked for')
      }
      if (!signal.aborted) await nap(Math.max(rest, shortestRestMs))
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
  return {
    async stop() {
      stopping.abort()
      wake()
      await looping
      let patience: NodeJS.Timeout | undefined
      const overdue = new Promise<void>((resolve) => {
        patience = setTimeout(resolve, stopPatienceMs)
      })
      await Promise.race([Promise.all(running), overdue])
      clearTimeout(patience)
    },
  }
}

/** Tells and sends everything that is due now, once: for tests and commands that must see the end of it. */
export async function sendDue(portal: Portal): Promise<number> {
  const notebook = new Notebook(portal)
  let done = await announceDue(portal)
  for (;;) {
    const parcels = await claimParcels(portal, { limit: atOnce, busy: [] })
    if (parcels.length === 0) return done
    await Promise.all(parcels.map((parcel) => deliver(portal, notebook, parcel)))
    done += parcels.length
  }
}

async function claimParcels(portal: Portal, room: ClaimRoom): Promise<Parcel[]> {
  const claimed = await claimMessages(portal.db, portal.now(), room)
  return parcelsOf(portal, claimed)
}

async function deliver(portal: Portal, notebook: Notebook, parcel: Parcel): Promise<void> {
  try {
    await notebook.note(await parcel.send())
  } catch (error) {
    const ids = parcel.claimed.map(({ message }) => message.id)
    portal.log.warn({ err: error, ids }, 'what became of messages could not be noted; their leases will end')
  }
}

function count(counts: Map<string, number>, name: string, change: number): void {
  const now = (counts.get(name) ?? 0) + change
  if (now > 0) counts.set(name, now)
  else counts.delete(name)
}
