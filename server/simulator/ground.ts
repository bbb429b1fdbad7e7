import type { Keys } from './keys.ts'
import type { Quotas } from './quotas.ts'
import type { Sessions } from './sessions.ts'
import type { World } from './world.ts'

/** What every part of the simulator stands on. */
export interface Ground {
  readonly origin: string
  readonly world: World
  readonly keys: Keys
  readonly quotas: Quotas
  readonly sessions: Sessions
}
