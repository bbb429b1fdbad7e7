// How fast messages leave for a receiver that takes them, how quick the pages stay meanwhile, and how long destinations
// that take messages wait for those that hang. By the portal as it runs in production.
import { createServer, type IncomingMessage, request } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Config, readConfig } from '../server/config/config.ts'
import { sealForStore } from '../server/config/data-keys.ts'
import { muster } from '../server/store/audit.ts'
import type { Database } from '../server/store/engine/dialect.ts'
import { write } from '../server/store/engine/write.ts'
import { addDestination, newDestinationId, sealedPlace, sealingPurpose } from '../server/store/notify/destinations.ts'
import { addMessages } from '../server/store/notify/outbox.ts'
import { signInAdmin } from '../test/support/filled-store.ts'
import { closed, freePort, listen } from '../test/support/ports.ts'
import { environmentOf } from '../test/support/registered-app.ts'
import { until } from '../test/support/waiting.ts'
import type { Engine } from './engines.ts'
import { startPortal, type WatchedPortal } from './processes.ts'
import { percentile } from './statistics.ts'

/** Times in milliseconds. */
export interface DeliveryRow {
  row: 'delivery'
  engine: string
  messages: number
  ms: number
  perSecond: number
  /** Received more than once. */
  doubled: number
  pageP50: number
  pageP95: number
}

export interface HangingRow {
  row: 'hanging destinations'
  engine: string
  destinations: number
  hanging: number
  /** From when a message was due until it was received by one that does not hang. */
  delayP50: number
  delayMax: number
}

const nowhere = 'http://127.0.0.1:1'
const env = { OUTBOUND_ALLOW: '127.0.0.0/8' }

interface Ground {
  db: Database
  config: Config
  cookie: string
  portal: WatchedPortal
  /** Where each message was received and when, by `webhook-id`. */
  received: Map<string, number[]>
  receiver: string
  hanging: string
}

async function onGround<Result>(engine: Engine, measure: (ground: Ground) => Promise<Result>): Promise<Result> {
  const store = await engine.open()
  const received = new Map<string, number[]>()
  const taking = createServer((req, res) => {
    const id = String(req.headers['webhook-id'])
    req.resume().on('end', () => {
      received.set(id, [...(received.get(id) ?? []), Date.now()])
      res.writeHead(204).end()
    })
  })
  const hanging = createServer((req) => req.resume())
  const ports = [await listen(taking), await listen(hanging)]
  const port = await freePort()
  const config = readConfig({ ...environmentOf(nowhere, store), ...env, PORT: String(port), LOG_LEVEL: 'silent' })
  const cookie = await signInAdmin(store.db, config)
  const portal = await startPortal({ origin: nowhere, store, env: { ...env, PORT: String(port) } })
  try {
    const ground = { db: store.db, config, cookie, portal, received }
    await until(() => answers(config, cookie), { everyMs: 100, withinMs: 60_000, what: 'the portal answers' })
    return await measure({
      ...ground,
      receiver: `http://127.0.0.1:${ports[0]}/hook`,
      hanging: `http://127.0.0.1:${ports[1]}/hook`,
    })
  } finally {
    hanging.closeAllConnections()
    await portal.close()
    taking.closeAllConnections()
    await Promise.all([closed(taking), closed(hanging)])
    await store.close()
  }
}

/** So many messages to one receiver, and the overview meanwhile, ten times a second. */
export const measureDelivery = (engine: Engine, messages: number): Promise<DeliveryRow> =>
  onGround(engine, async ({ db, config, cookie, portal, received, receiver }) => {
    const id = await destinationTo(db, config, receiver, 0)
    const times: number[] = []
    for (let warm = 0; warm < 10; warm++) await timed(config, cookie)
    await fill(db, [id], messages)
    const started = Date.now()
    await setDue(db)
    let over = false
    const pages = (async () => {
      while (!over) {
        times.push(await timed(config, cookie))
        await sleep(100)
      }
    })()
    const arrived = () => {
      if (portal.ended()) throw new Error('the portal ended by itself')
      return received.size >= messages
    }
    await until(arrived, { everyMs: 20, withinMs: 300_000, what: 'all messages arrive' })
    const ms = Date.now() - started
    over = true
    await pages
    const sorted = times.toSorted((a, b) => a - b)
    return {
      row: 'delivery',
      engine: engine.name,
      messages,
      ms,
      perSecond: messages / (ms / 1000),
      doubled: [...received.values()].filter((all) => all.length > 1).length,
      pageP50: percentile(sorted, 0.5) ?? Number.NaN,
      pageP95: percentile(sorted, 0.95) ?? Number.NaN,
    }
  })

/** Messages to many destinations at once, some of which never answer. */
export const measureHanging = (
  engine: Engine,
  { destinations, hanging, each }: { destinations: number; hanging: number; each: number },
): Promise<HangingRow> =>
  onGround(engine, async (ground) => {
    const ids: string[] = []
    for (let n = 0; n < destinations; n++) {
      ids.push(await destinationTo(ground.db, ground.config, n < hanging ? ground.hanging : ground.receiver, n))
    }
    await fill(ground.db, ids, each * destinations)
    const started = Date.now()
    await setDue(ground.db)
    const expected = (destinations - hanging) * each
    const arrived = () => ground.received.size >= expected
    await until(arrived, { everyMs: 10, withinMs: 60_000, what: 'the others are told' })
    const delays = [...ground.received.values()].map(([at = 0]) => at - started).sort((a, b) => a - b)
    return {
      row: 'hanging destinations',
      engine: engine.name,
      destinations,
      hanging,
      delayP50: percentile(delays, 0.5) ?? Number.NaN,
      delayMax: delays.at(-1) ?? Number.NaN,
    }
  })

async function destinationTo(db: Database, config: Config, url: string, n: number): Promise<string> {
  const id = newDestinationId()
  const address = JSON.stringify({ url, secrets: [`whsec_${Buffer.alloc(32, 7).toString('base64')}`] })
  const destination = {
    id,
    kind: 'webhook',
    ownerId: 'nobody',
    sealed: sealForStore(config, sealingPurpose, sealedPlace(id), address),
    shown: 'bench',
    name: `Destination ${n}`,
    language: 'en',
    timeZone: 'UTC',
    quiet: null,
    kinds: [],
    customers: null,
    groups: null,
    says: { customers: true, people: true, devices: true },
    audit: false,
  } as const
  await write(db, (tx) => addDestination(tx, muster, destination, new Date()))
  return id
}

/** An alarm for each message, and each message to the next destination: held until they are due together. */
async function fill(db: Database, destinationIds: readonly string[], messages: number): Promise<void> {
  const now = new Date()
  const at = now.toISOString()
  const step = 500
  for (let from = 0; from < messages; from += step) {
    const some = Array.from({ length: Math.min(step, messages - from) }, (_, index) => from + index)
    await write(db, async (tx) => {
      const alarms = some.map((n) => ({
        id: `alarm-${n}`,
        kind: 'tenant-blind',
        subject: `subject-${n}`,
        customer_id: null,
        tenant_id: null,
        subject_id: null,
        facts: '{}',
        raised_at: at,
        last_raised_at: at,
        over_at: null,
        announced: 'raised',
        announced_at: at,
        announce_at: null,
        announce_lease_until: null,
      }))
      // As many values as either engine takes in one statement.
      for (let i = 0; i < alarms.length; i += 50) {
        await tx
          .insertInto('notify_alarms')
          .values(alarms.slice(i, i + 50))
          .execute()
      }
      const told = some.map((n) => ({
        destinationId: destinationIds[n % destinationIds.length] ?? null,
        topic: 'alarm' as const,
        subjectId: `alarm-${n}`,
        change: 'raised',
        dueAt: null,
      }))
      await addMessages(tx, told, now)
    })
  }
}

const setDue = (db: Database) =>
  write(db, (tx) => tx.updateTable('outbox').set({ next_at: new Date().toISOString(), state: 'waiting' }).execute())

async function answers(config: Config, cookie: string): Promise<boolean> {
  return timed(config, cookie).then(
    () => true,
    () => false,
  )
}

/** Milliseconds of the overview. @throws Error for what is no 200 */
async function timed({ port, publicUrl }: Config, cookie: string): Promise<number> {
  const started = performance.now()
  const status = await new Promise<number | undefined>((resolve, reject) => {
    const headers = { cookie, host: new URL(publicUrl).host, accept: 'text/html', 'sec-fetch-site': 'same-origin' }
    request({ host: '127.0.0.1', port, path: '/', headers }, (response: IncomingMessage) => {
      response.resume().on('end', () => resolve(response.statusCode))
      response.on('error', reject)
    })
      .on('error', reject)
      .end()
  })
  if (status !== 200) throw new Error(`the overview answered ${status}`)
  return performance.now() - started
}
