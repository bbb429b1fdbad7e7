import { Worker } from 'node:worker_threads'
import type { CompiledQuery, DatabaseConnection, Driver, QueryResult } from 'kysely'
import { ClaimLostError, type DueClaim } from './claim.ts'

/**
 * What the thread is asked: a statement (`parameters` null for one without any), a change by its name (offload.ts);
 * `id` null for the end.
 */
export type Asked = AskedStatement | AskedChange | { id: null }
export interface AskedStatement {
  id: number
  sql: string
  parameters: readonly unknown[] | null
}
export interface AskedChange {
  id: number
  change: string
  about: unknown[]
}

export interface Told {
  id: number
  rows?: unknown[]
  changes?: number
  lastId?: number
  result?: unknown
  /** `claim` is the one that was lost, where that was what failed. */
  failed?: { message: string; code: string | null; claim: DueClaim | null }
}

/**
 * SQLite in a thread of its own: no statement and no commit holds the event loop of the asking thread, which meanwhile
 * reads the next page. One connection, in which transactions and changes take turns.
 */
export class ThreadedSqliteDriver implements Driver {
  readonly #connection: ThreadedConnection
  #turn: Promise<void> = Promise.resolve()
  #endTurn: () => void = () => undefined

  constructor(file: string) {
    const thread = new Worker(new URL('./thread.js', import.meta.url), {
      workerData: { file },
      name: 'database',
      // It holds pages on their way, and nothing else.
      resourceLimits: { maxOldGenerationSizeMb: 128, maxYoungGenerationSizeMb: 4 },
    })
    this.#connection = new ThreadedConnection(thread)
  }

  async init(): Promise<void> {}

  async acquireConnection(): Promise<DatabaseConnection> {
    const before = this.#turn
    let end: () => void = () => undefined
    this.#turn = new Promise((resolve) => {
      end = resolve
    })
    await before
    this.#endTurn = end
    return this.#connection
  }

  async releaseConnection(): Promise<void> {
    this.#endTurn()
  }

  /** A change in the thread. @throws ClaimLostError; what SQLite said, its code included */
  async perform(change: string, about: unknown[]): Promise<unknown> {
    await this.acquireConnection()
    try {
      const { result } = await this.#connection.ask((id) => ({ id, change, about }))
      return result
    } finally {
      await this.releaseConnection()
    }
  }

  /** Immediate: deferred transactions that read before they write fail at once under a concurrent writer. */
  async beginTransaction(): Promise<void> {
    await this.#connection.run('begin immediate')
  }

  async commitTransaction(): Promise<void> {
    await this.#connection.run('commit')
  }

  async rollbackTransaction(): Promise<void> {
    await this.#connection.run('rollback')
  }

  /** Waits for the transaction in hand. */
  async destroy(): Promise<void> {
    await this.acquireConnection()
    await this.#connection.end()
  }
}

class ThreadedConnection implements DatabaseConnection {
  readonly #thread: Worker
  readonly #waiting = new Map<number, { resolve: (told: Told) => void; reject: (error: Error) => void }>()
  readonly #exited: Promise<void>
  #asked = 0
  #ending = false

  constructor(thread: Worker) {
    this.#thread = thread
    thread.on('message', (answer: Told) => {
      const waiting = this.#waiting.get(answer.id)
      this.#waiting.delete(answer.id)
      if (answer.failed) waiting?.reject(revived(answer.failed))
      else waiting?.resolve(answer)
    })
    // The process cannot go on without it: its service manager starts it again.
    thread.on('error', (error) => {
      throw new Error('the database thread crashed', { cause: error })
    })
    this.#exited = new Promise((resolve) => {
      thread.on('exit', (code) => {
        if (!this.#ending) throw new Error(`the database thread ended by itself (${code})`)
        resolve()
      })
    })
  }

  /** @throws ClaimLostError; what SQLite said, its code included */
  ask(requestOf: (id: number) => Asked): Promise<Told> {
    const id = ++this.#asked
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject })
      this.#thread.postMessage(requestOf(id))
    })
  }

  async run(sql: string): Promise<void> {
    await this.ask((id) => ({ id, sql, parameters: null }))
  }

  async end(): Promise<void> {
    this.#ending = true
    this.#thread.postMessage({ id: null } satisfies Asked)
    await this.#exited
  }

  async executeQuery<R>({ sql, parameters }: CompiledQuery): Promise<QueryResult<R>> {
    const { rows, changes, lastId } = await this.ask((id) => ({ id, sql, parameters }))
    if (rows) return { rows: rows as R[] }
    return { rows: [], numAffectedRows: BigInt(changes ?? 0), insertId: BigInt(lastId ?? 0) }
  }

  /** All rows at once: nobody here reads more than fit. */
  async *streamQuery<R>(query: CompiledQuery): AsyncIterableIterator<QueryResult<R>> {
    yield await this.executeQuery<R>(query)
  }
}

/** An error loses its class on the way. */
function revived({ message, code, claim }: NonNullable<Told['failed']>): Error {
  return claim ? new ClaimLostError(claim) : Object.assign(new Error(message), { code })
}
