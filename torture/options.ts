// What a run is asked for, and what it tells.
import type { Counts } from './randomness.ts'

export type Api = 'defender' | 'graph'

export interface RunOptions {
  seed: number
  seconds: number
  engine: 'sqlite' | 'postgres'
  api: Api
  tenants: number
  /** A tight budget is Microsoft's own quota, which the simulator then enforces; a wide one is never reached. */
  budget: 'tight' | 'wide'
  /** Every answer of Microsoft's is 0.2 to 3 s late. */
  far?: boolean | undefined
  /** Name of the defence that is taken out. */
  mutant?: string | undefined
  /** An empty PostgreSQL database, where none of the run's own can be started. */
  databaseUrl?: string | undefined
}

/** A tenant of the run, and its number from 1 as lines name it. */
export interface RunTenant {
  id: string
  index: number
}

export interface RunResult {
  /** Lines, one for each thing that is not as it must be. */
  differences: string[]
  figures: Record<string, string | number | Counts>
}
