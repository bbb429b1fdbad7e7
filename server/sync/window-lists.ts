import type { IncidentPage, IncidentQuery, IncidentStatus, RemoteIncident } from '../model/incident.ts'
import { isFilterRefused, type SyncRun } from './run.ts'

/** Every other status is open work. */
const closedStatuses: ReadonlySet<IncidentStatus> = new Set<IncidentStatus>(['resolved', 'redirected'])

/** How lists were read. */
interface ListEnd {
  /** The last page, where it was known to be that: still to be stored. */
  last: IncidentPage | null
  pages: number
  /** False where one was broken off for being too long. */
  whole: boolean
}

/** Reads the lists of a window, every page of them stored by `commit` but one that is known to be the last. */
export class WindowLists {
  readonly #run: SyncRun
  readonly #commit: (page: IncidentPage) => Promise<unknown>
  #otherRefused = false

  constructor(run: SyncRun, commit: (page: IncidentPage) => Promise<unknown>) {
    this.#run = run
    this.#commit = commit
  }

  /**
   * Everything, or the lists of what is open.
   * @param listed where to note the IDs that a list shows
   * @param mostPages of one list; null for no end
   * @throws Refusal; ClaimLostError; what the sync run is stopped with
   */
  async read(query: IncidentQuery, openOnly: boolean, ids: Set<string>, mostPages: number | null): Promise<ListEnd> {
    if (!openOnly) return this.#readList(query, ids, mostPages)
    let pages = 0
    let last: IncidentPage | null = null
    for (const status of this.#run.portal.microsoft.openLists) {
      if (last) await this.#commit(last)
      const list = await this.#readOpen({ ...query, status }, ids, mostPages)
      pages += list.pages
      last = list.last
      if (!list.whole) return { ...list, pages }
    }
    return { last, pages, whole: true }
  }

  /** One of the lists of what is open. Where what has no name cannot be asked for, it is looked for among all there is. */
  async #readOpen(query: IncidentQuery, ids: Set<string>, mostPages: number | null): Promise<ListEnd> {
    if (query.status !== 'other') return this.#readList(query, ids, mostPages)
    if (!this.#otherRefused) {
      try {
        return await this.#readList(query, ids, mostPages)
      } catch (error) {
        if (!isFilterRefused(error)) throw error
        this.#otherRefused = true
      }
    }
    const { status: _, ...all } = query
    return this.#readList(all, ids, mostPages, ({ status }) => !closedStatuses.has(status))
  }

  /** Stores a page; @returns it where it is the last, and still to be stored. */
  async #take(
    whole: IncidentPage,
    listed: Set<string>,
    isWanted: (incident: RemoteIncident) => boolean,
  ): Promise<IncidentPage | null> {
    const page = { ...whole, incidents: whole.incidents.filter(isWanted) }
    for (const { id } of [...page.incidents, ...page.rejected]) if (id !== null) listed.add(id)
    if (page.isEnd) return page
    await this.#commit(page)
    return null
  }

  async #readList(
    query: IncidentQuery,
    listed: Set<string>,
    mostPages: number | null,
    isWanted: (incident: RemoteIncident) => boolean = () => true,
  ): Promise<ListEnd> {
    let last: IncidentPage | null = null
    let pages = 0
    for await (const whole of this.#run.pages(query)) {
      this.#run.throwIfStopping()
      pages++
      last = await this.#take(whole, listed, isWanted)
      if (mostPages !== null && pages > mostPages) return { last, pages, whole: false }
    }
    return { last, pages, whole: true }
  }
}
