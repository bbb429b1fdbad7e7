import type { WriteFault } from '../store/upkeep/write-probe.ts'

/** Whether this process is on its way out; then it finishes what it has and is given no more. */
export interface Lifecycle {
  draining: boolean
  /** Why nothing can be stored, as it was found last; left out where nobody looks. */
  storage?: { readonly fault: WriteFault | null }
}
