import type { Config } from './config/config.ts'
import type { Log } from './log.ts'
import type { Memory } from './memory.ts'
import type { Microsoft } from './microsoft/microsoft.ts'
import type { Database } from './store/engine/dialect.ts'

/** What every story and handler is given: six values and no container. */
export interface Portal {
  readonly config: Config
  readonly db: Database
  readonly microsoft: Microsoft
  readonly log: Log
  /** The time by which everything is decided; virtual in tests. */
  readonly now: () => Date
  readonly memory: Memory
}
