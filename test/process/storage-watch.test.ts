import { describe, expect, test } from '@jest/globals'
import { sql } from 'kysely'
import { counted, metricsText } from '../../server/metrics.ts'
import { StorageWatch } from '../../server/process/storage-watch.ts'
import { startTestPortal } from '../support/portal.ts'
import { until } from '../support/waiting.ts'

describe('a database that takes no writes', () => {
  test('is told on every page, at /readyz and in the metrics, until it takes them again', async () => {
    const here = await startTestPortal()
    const { db } = here.portal
    const bob = await here.signedIn(here.cast.bob)
    const ready = async () => {
      const answer = await fetch(`${here.url}/readyz`)
      return [answer.status, await answer.text()]
    }
    const told = async () => {
      const pages = await Promise.all(['/', '/incidents', '/customers'].map((path) => bob.open(path)))
      return pages.map(({ status, text }) => [status, text.includes('Nothing can be stored')])
    }
    expect(await ready()).toEqual([200, 'ready\n'])
    expect(await told()).toEqual(Array(3).fill([200, false]))

    await refuseWrites(true)
    await here.storage.look()
    expect(here.storage.fault).toBe('full')
    expect(await ready()).toEqual([200, '{"writable":false}'])
    expect(await told()).toEqual(Array(3).fill([200, true]))
    expect(await metricsText([await counted()])).toMatch(/^muster_writable 0$/m)

    await refuseWrites(false)
    await here.storage.look()
    expect(await ready()).toEqual([200, 'ready\n'])
    expect(await told()).toEqual(Array(3).fill([200, false]))
    expect(await metricsText([await counted()])).toMatch(/^muster_writable 1$/m)
    here.takeErrors()
    await here.close()

    /** What was freed before would be used first. */
    async function fillFreePages(): Promise<void> {
      await sql`create table filling (x)`.execute(db)
      await sql`insert into filling select randomblob(2000000)`.execute(db)
    }

    async function refuseWrites(refuse: boolean): Promise<void> {
      if (refuse) await fillFreePages()
      // As many pages as there are: the next one that is needed is one too many.
      const most = refuse ? sql`1` : sql`1073741823`
      await sql`pragma max_page_count = ${most}`.execute(db)
    }
  })

  test('is looked at by itself, again and again', async () => {
    const here = await startTestPortal()
    const probed = async () =>
      (await here.portal.db.selectFrom('settings').select('value').where('name', '=', 'write-probe').executeTakeFirst())
        ?.value
    const watch = new StorageWatch(here.portal, 20)
    await until(async () => (await probed()) !== undefined)
    await watch.stop()
    await here.close()
  })
})
