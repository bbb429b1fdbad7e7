import { describe, expect, test } from '@jest/globals'
import { countOlder } from '../../server/store/upkeep/older-readings.ts'
import { readOlderAgain } from '../../server/worker/upkeep/older-readings.ts'
import { startWorker } from '../../server/worker/worker.ts'
import { defenderAlert, defenderIncident, graphAlert, graphIncident } from '../support/payloads.ts'
import { onEachEngine } from '../support/portal.ts'
import { type RecordsPortal, startRecordsPortal } from '../support/records.ts'
import { until } from '../support/waiting.ts'

const hashes = ['a'.repeat(64), 'b'.repeat(64)]

onEachEngine('what an older Muster stored', (engine) => {
  describe.each(['defender', 'graph'] as const)('from %s', (api) => {
    const graph = api === 'graph'

    /** A tenant of these incidents as a version before stored them: of two files of a name, one. */
    async function stored(portal: RecordsPortal, ids: readonly string[]) {
      const evidence = hashes.map((sha256) =>
        graph
          ? {
              '@odata.type': '#microsoft.graph.security.fileEvidence',
              fileDetails: { fileName: 'invoice.exe', sha256 },
            }
          : { entityType: 'File', fileName: 'invoice.exe', sha256 },
      )
      const alert = graph ? graphAlert({ evidence }) : defenderAlert({ devices: [], entities: evidence })
      const tenantId = await portal.tenantOf(
        ids.map((id) => (graph ? graphIncident({ id }) : defenderIncident({ incidentId: id, alerts: [alert] }))),
        new Map(ids.map((id) => [id, [alert]])),
      )
      const { db } = portal.here.portal
      const rows = await db.selectFrom('incidents').selectAll().where('tenant_id', '=', tenantId).execute()
      const entity = { kind: 'file', name: 'invoice.exe', detail: hashes[0], verdict: null, remediation: null }
      const alerts = (text: string | null) =>
        JSON.stringify((JSON.parse(text ?? '[]') as object[]).map((one) => ({ ...one, entities: [entity] })))
      for (const row of rows) {
        await db
          .updateTable('incidents')
          .set({ alerts: alerts(row.alerts), search_text: 'invoice.exe', reading_version: 1 })
          .where('number', '=', row.number)
          .execute()
      }
      return { tenantId, rows }
    }

    test('is read again from what Microsoft sent, and nothing else of it changes', async () => {
      const portal = await startRecordsPortal(engine, api)
      const { db } = portal.here.portal
      const { tenantId, rows } = await stored(portal, ['1', '2', '3'])
      await db.updateTable('incidents').set({ original: 'no JSON' }).where('incident_id', '=', '3').execute()
      const damaged = await db
        .selectFrom('incidents')
        .selectAll()
        .where('incident_id', '=', '3')
        .executeTakeFirstOrThrow()
      const counts = await db.selectFrom('tenants').selectAll().executeTakeFirstOrThrow()
      const found = () => portal.reader.open(`/tenants/${tenantId}/incidents?status=any&q=${hashes[1]}`)
      expect((await found()).text).not.toContain('class="title"')
      // A page of what was stored before is one all the same.
      expect((await portal.reader.open(`/tenants/${tenantId}/incidents/1`)).status).toBe(200)
      const admin = await portal.here.signedIn(portal.here.cast.alice)
      expect((await admin.open('/setup')).text).toContain('0 of 3 stored incidents have been read again')

      await readOlderAgain(portal.here.portal)

      expect(await countOlder(db)).toBe(0)
      expect((await admin.open('/setup')).text).not.toContain('read again')
      expect((await found()).text).toContain('class="title"')
      const page = await portal.reader.open(`/tenants/${tenantId}/incidents/1`)
      for (const hash of hashes) expect(page.text).toContain(hash)
      const after = await db.selectFrom('incidents').selectAll().orderBy('number').execute()
      const as = (id: string) => rows.find((row) => row.incident_id === id)
      expect(after.map((row) => ({ ...row, number: 0 }))).toEqual(
        after.map(({ incident_id: id }) =>
          id === '3' ? { ...damaged, number: 0, reading_version: 2 } : { ...as(id), number: 0 },
        ),
      )
      expect(await db.selectFrom('tenants').selectAll().executeTakeFirstOrThrow()).toEqual(counts)
      expect(portal.here.takeErrors().map(({ msg }) => msg)).toEqual([
        'an incident could not be read again, and stays as it was',
      ])
      await portal.close()
    })

    test('is read again by a worker that was stopped on the way', async () => {
      const portal = await startRecordsPortal(engine, api)
      const { db } = portal.here.portal
      await stored(
        portal,
        Array.from({ length: 45 }, (_, n) => `${n + 1}`),
      )
      const stop = new AbortController()
      const first = readOlderAgain(portal.here.portal, stop.signal)
      await until(async () => (await countOlder(db)) < 45, { everyMs: 1 })
      stop.abort()
      await first
      const left = await countOlder(db)
      expect(left).toBeGreaterThan(0)
      const worker = startWorker(portal.here.portal)
      await until(async () => (await countOlder(db)) === 0)
      await worker.stop()
      await portal.close()
    })
  })
})
