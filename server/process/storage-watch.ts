import { writable } from '../metrics.ts'
import type { Portal } from '../portal.ts'
import { findWriteFault, type WriteFault } from '../store/upkeep/write-probe.ts'

const lookedEvery = 15_000

/** Whether what this process is told can be kept. A disk that is full shows nowhere else before somebody presses a button. */
export class StorageWatch {
  readonly #portal: Portal
  readonly #timer: NodeJS.Timeout
  #fault: WriteFault | null = null
  #looking: Promise<void> | null = null

  constructor(portal: Portal, everyMs = lookedEvery) {
    this.#portal = portal
    this.#timer = setInterval(() => void this.look(), everyMs)
    this.#timer.unref()
  }

  /** As it was found last. */
  get fault(): WriteFault | null {
    return this.#fault
  }

  /** Looks now, or waits for the look under way. Never throws: a database that is away is told of elsewhere. */
  look(): Promise<void> {
    this.#looking ??= this.#look().finally(() => {
      this.#looking = null
    })
    return this.#looking
  }

  async #look(): Promise<void> {
    const { db, config, log, now } = this.#portal
    try {
      const fault = await findWriteFault(db, config.dataDir, now())
      if (fault !== this.#fault)
        log[fault === null ? 'info' : 'error']({ fault }, 'whether anything can be stored changed')
      this.#fault = fault
      writable.set(fault === null ? 1 : 0)
    } catch (err) {
      log.debug({ err }, 'the database did not answer to a write')
    }
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer)
    await this.#looking
  }
}
