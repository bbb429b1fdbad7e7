import { announceDue } from '../notify/announce.ts'
import { Notebook, type Parcel, parcelsOf } from '../notify/deliver.ts'
import { noteOutage } from '../notify/watch.ts'
import type { Portal } from '../portal.ts'
import { isUnavailable } from '../store/engine/write.ts'
import { type ClaimRoom, claimMessages, nextMessageAt } from '../store/notify/outbox.ts'
import { InFlight } from './in-flight.ts'
import { Rest } from './rest.ts'
import { Slots } from './slots.ts'

/** Parcels under way at once. One that takes longer than a moment makes room for another. */
const atOnce = 128
const slow = { slowAfterMs: 250, borrowed: 512 }
/** How long it rests when nothing is due: the longest wait for a new message. */
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
  return new CourierLoop(portal)
}

class CourierLoop implements Courier {
  readonly #portal: Portal
  readonly #notebook: Notebook
  readonly #slots = new Slots(atOnce, slow)
  readonly #inFlight = new InFlight()
  readonly #rest = new Rest()
  readonly #stopping = new AbortController()
  readonly #loop: Promise<void>
  /** Parcels under way, by where they go. */
  readonly #underWay = new Map<string, number>()
  /** How many parcels each of them may have under way. */
  readonly #most = new Map<string, number>()
  /** Since when the database has been away; null while it answers. */
  #awaySince: Date | null = null

  constructor(portal: Portal) {
    this.#portal = portal
    this.#notebook = new Notebook(portal)
    this.#loop = this.#run()
  }

  async stop(): Promise<void> {
    this.#stopping.abort()
    this.#rest.end()
    await this.#loop
    await this.#inFlight.settle(stopPatienceMs)
  }

  async #run(): Promise<void> {
    const { signal } = this.#stopping
    while (!signal.aborted) {
      const restMs = await this.#tick().catch((error: unknown) => this.#noteFailure(error))
      if (!signal.aborted) await this.#rest.take(Math.max(restMs, shortestRestMs))
    }
  }

  async #tick(): Promise<number> {
    const restMs = await this.#tellAndSend()
    const since = this.#awaySince
    this.#awaySince = null
    const awayMs = since === null ? 0 : this.#portal.now().getTime() - since.getTime()
    if (since !== null && awayMs >= outageMs) await noteOutage(this.#portal, since)
    return restMs
  }

  #noteFailure(error: unknown): number {
    const away = isUnavailable(error)
    if (away) this.#awaySince ??= this.#portal.now()
    this.#portal.log[away ? 'warn' : 'error']({ err: error }, 'messages could not be looked for')
    return longestRestMs
  }

  /** @returns how long there is nothing to look for, in milliseconds */
  async #tellAndSend(): Promise<number> {
    const { db, now } = this.#portal
    const announcements = await announceDue(this.#portal)
    const next = await nextMessageAt(db, now())
    const restMs = next === null ? longestRestMs : Date.parse(next) - now().getTime()
    if (restMs <= 0 && (await this.#send()) > 0) return shortestRestMs
    if (announcements > 0) return shortestRestMs
    // Due messages that could not be claimed wait for parcels that are under way.
    return restMs <= 0 ? longestRestMs / 4 : Math.min(restMs, longestRestMs)
  }

  /** @returns how many parcels went out */
  async #send(): Promise<number> {
    const { free } = this.#slots
    if (free === 0) return 0
    const busy = [...this.#underWay].filter(([to, parcels]) => parcels >= (this.#most.get(to) ?? 1)).map(([to]) => to)
    const parcels = await claimParcels(this.#portal, { limit: free, busy })
    for (const parcel of parcels) this.#launch(parcel)
    return parcels.length
  }

  #launch(parcel: Parcel): void {
    const slot = this.#slots.take()
    this.#most.set(parcel.to, parcel.most)
    count(this.#underWay, parcel.to, 1)
    this.#inFlight.track(deliver(this.#portal, this.#notebook, parcel), () => {
      slot.leave()
      count(this.#underWay, parcel.to, -1)
      this.#rest.end()
    })
  }
}

/** Tells and sends everything that is due now, once: for tests and commands that must see the end of it. */
export async function sendDue(portal: Portal): Promise<number> {
  const notebook = new Notebook(portal)
  let count = await announceDue(portal)
  for (;;) {
    const parcels = await claimParcels(portal, { limit: atOnce, busy: [] })
    if (parcels.length === 0) return count
    await Promise.all(parcels.map((parcel) => deliver(portal, notebook, parcel)))
    count += parcels.length
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
