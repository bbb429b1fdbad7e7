// What a script that the portal is compared with is told, and what it answers.
import type { Place } from '../test/support/places.ts'
import type { PlainStore } from './plain-store.ts'

export interface ScriptInput {
  /** Of the simulator. */
  origin: string
  store: Place
  /** Tenants read at the same time. */
  atOnce: number
  app: { clientId: string; clientSecret: string }
}

/** What bench/rival/ is told: it reads the lists by itself. */
export interface RivalInput extends ScriptInput {
  tenants: string[]
  /** Whether the alerts come with the incidents. */
  expand: boolean
}

export interface ScriptAnswer {
  /** Milliseconds since the epoch. */
  endedAt: number
  stored: number
  cpuMs: number
}

/** Takes the message of whoever started this process, reads every tenant of it, so many at once, and answers. */
export function answerWith<Input extends ScriptInput, Tenant>(
  open: (input: Input) => Promise<PlainStore>,
  tenantsOf: (input: Input) => Tenant[],
  readTenant: (input: Input, plain: PlainStore, tenant: Tenant) => Promise<void>,
): void {
  process.once('message', async (message) => {
    const input = message as Input
    const plain = await open(input)
    const waiting = tenantsOf(input)
    const reader = async () => {
      for (let tenant = waiting.shift(); tenant !== undefined; tenant = waiting.shift()) {
        await readTenant(input, plain, tenant)
      }
    }
    await Promise.all(Array.from({ length: input.atOnce }, reader))
    const endedAt = Date.now()
    const { user, system } = process.cpuUsage()
    const answer: ScriptAnswer = { endedAt, stored: await plain.count(), cpuMs: (user + system) / 1000 }
    await plain.close()
    process.send?.(answer)
  })
}
