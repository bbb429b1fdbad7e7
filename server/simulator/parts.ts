import type { Quotas } from './apis/quotas.ts'
import type { Keys } from './login/keys.ts'
import type { Sessions } from './login/sessions.ts'
import type { World } from './world/world.ts'

/** What every part of the simulator stands on. */
export interface SimulatorParts {
  readonly origin: string
  readonly world: World
  readonly keys: Keys
  readonly quotas: Quotas
  readonly sessions: Sessions
}
