import { Worker } from 'node:worker_threads'
import type { CompiledQuery, DatabaseConnection, Driver, QueryResult } from 'kysely'

/** What the thread is asked: a statement; `parameters` null for one without any; `id` null for the end. */
export type Asked = { id: number; sql: string; parameters: readonly unknown[] | null } | { id: null }

export interface Told {
  id: number
  rows?: unknown[]
  changes?: number
  lastId?: number
  failed?: { message: string; code: string | null }
}

/**
 * SQLite in a thread of its own: no statement and no commit holds the event loop of whoever asks, who meanwhile reads
 * the next page. One connection, in which transactions take turns.
 */
export class ThreadedSqliteDriver implements Driver {
  readonly #thread: Worker
  readonly #connection: ThreadedConnection
  #turn: Promise<void> = Promise.resolve()
  #endTurn: () => void = () => undefined

  constructor(file: string) {
    this.#thread = new Worker(new URL('./sqlite-thread.js', import.meta.url), {
      workerData: { file },
      name: 'database',
      // It holds rows on their way, and nothing else.
      resourceLimits: { maxOldGenerationSizeMb: 64, maxYoungGenerationSizeMb: 8 },
    })
    this.#connection = new ThreadedConnection(this.#thread)
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

  /** Immediate: deferred transactions that read before they write fail at once under a concurrent writer. */
  async beginTransaction(): Promise<void> {
    await this.#connection.ask('begin immediate', null)
  }

  async commitTransaction(): Promise<void> {
    await this.#connection.ask('commit', null)
  }

  async rollbackTransaction(): Promise<void> {
    await this.#connection.ask('rollback', null)
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
    thread.on('message', (told: Told) => {
      const waiting = this.#waiting.get(told.id)
      this.#waiting.delete(told.id)
      if (told.failed) waiting?.reject(Object.assign(new Error(told.failed.message), { code: told.failed.code }))
      else waiting?.resolve(told)
    })
    // Nobody can go on without it: whoever watches the process starts it again.
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

  /** @throws what SQLite said, its code included */
  ask(sql: string, parameters: readonly unknown[] | null): Promise<Told> {
    const id = ++this.#asked
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject })
      this.#thread.postMessage({ id, sql, parameters } satisfies Asked)
    })
  }

  async end(): Promise<void> {
    this.#ending = true
    this.#thread.postMessage({ id: null } satisfies Asked)
    await this.#exited
  }

  async executeQuery<R>({ sql, parameters }: CompiledQuery): Promise<QueryResult<R>> {
    const { rows, changes, lastId } = await this.ask(sql, parameters)
    if (rows) return { rows: rows as R[] }
    return { rows: [], numAffectedRows: BigInt(changes ?? 0), insertId: BigInt(lastId ?? 0) }
  }

  /** All rows at once: nobody here reads more than fit. */
  async *streamQuery<R>(query: CompiledQuery): AsyncIterableIterator<QueryResult<R>> {
    yield await this.executeQuery<R>(query)
  }
}
