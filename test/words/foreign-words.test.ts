import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { meaningOf } from '../../server/model/dictionary.ts'
import { rejectedOf } from '../../server/store/incidents/rejected.ts'
import { listFrom } from '../../server/web/incidents/filters.ts'
import { formToken } from '../support/admin.ts'
import { defenderAlert, defenderIncident, graphAlert, graphIncident } from '../support/payloads.ts'
import { onEachEngine } from '../support/portal.ts'
import { type RecordsPortal, startRecordsPortal } from '../support/records.ts'
import { syncsOf } from '../support/sync.ts'

/** What every plain object answers to beside its own keys. */
const inherited = Object.getOwnPropertyNames(Object.prototype)

type Path = readonly (string | number)[]

/** Where a record holds single values, however deep. */
function leavesOf(value: unknown, at: Path = []): Path[] {
  if (typeof value !== 'object' || value === null) return [at]
  return Object.entries(value).flatMap(([key, one]) => leavesOf(one, [...at, Array.isArray(value) ? Number(key) : key]))
}

function withValueAt<T>(record: T, [first, ...rest]: Path, value: unknown): T {
  if (first === undefined) return value as T
  const copy = (Array.isArray(record) ? [...record] : { ...record }) as Record<string | number, unknown>
  copy[first] = withValueAt(copy[first], rest, value)
  return copy as T
}

const spellings = (name: string) => [name, name.charAt(0).toUpperCase() + name.slice(1), name.toUpperCase()]

onEachEngine('words that every object knows', (engine) => {
  describe.each(['defender', 'graph'] as const)('on %s', (api) => {
    let portal: RecordsPortal
    beforeAll(async () => {
      portal = await startRecordsPortal(engine, api)
    })
    afterAll(() => portal.close())

    const graph = api === 'graph'
    const idField = graph ? 'id' : 'incidentId'
    const incident = (id: string, more: Record<string, unknown> = {}) =>
      graph ? graphIncident({ id, ...more }) : defenderIncident({ incidentId: id, ...more })

    /** Reads these incidents and expects each to be stored and to have a page, with nothing failed on the way. */
    async function readable(incidents: Record<string, unknown>[], alerts?: Map<string, Record<string, unknown>[]>) {
      const tenantId = await portal.tenantOf(incidents, alerts)
      const { db } = portal.here.portal
      const rows = await db.selectFrom('incidents').selectAll().where('tenant_id', '=', tenantId).execute()
      expect(rows.map((row) => row.incident_id).sort()).toEqual(incidents.map((one) => one[idField]).sort())
      expect(await rejectedOf(db, tenantId)).toEqual([])
      expect((await syncsOf(db, tenantId, 50)).filter(({ outcome }) => outcome !== 'complete')).toEqual([])
      for (const { incident_id } of rows) {
        const page = await portal.reader.open(`/tenants/${tenantId}/incidents/${encodeURIComponent(incident_id)}`)
        expect([incident_id, page.status]).toEqual([incident_id, 200])
      }
      const list = await portal.reader.open(`/tenants/${tenantId}/incidents?status=any`)
      expect(list.status).toBe(200)
      return { tenantId, rows }
    }

    test('are unknown as severity, status, classification and determination, and kept as they came', async () => {
      const fields = ['severity', 'status', 'classification', 'determination']
      const words = inherited.flatMap(spellings)
      const incidents = words.map((word, n) =>
        incident(`w${n}`, Object.fromEntries(fields.map((field) => [field, word]))),
      )
      for (let start = 0; start < incidents.length; start += 20) {
        const { rows } = await readable(incidents.slice(start, start + 20))
        expect(new Set(rows.map(({ severity, status }) => `${severity} ${status}`))).toEqual(
          new Set(['unknown unknown']),
        )
        for (const { incident_id, facts } of rows) {
          const word = words[Number(incident_id.slice(1))]
          expect(JSON.parse(facts)).toMatchObject({ rawSeverity: word, rawStatus: word })
        }
      }
    })

    test('take nothing with them in any field of an incident, an alert or an entity', async () => {
      const words = ['constructor', '__proto__']
      const variantsOf = (record: Record<string, unknown>, own: string, prefix: string) =>
        leavesOf(record)
          .filter(([field]) => field !== own && field !== 'tenantId')
          .flatMap((path) => words.map((word) => [path, word] as const))
          .map(([path, word], n) => withValueAt({ ...record, [own]: `${prefix}${n}` }, path, word))
      const comments = [{ comment: 'x', createdBy: 'y', [graph ? 'createdDateTime' : 'createdTime']: 'z' }]
      const alertVariants = graph ? variantsOf(graphAlert(), 'id', 'a') : variantsOf(defenderAlert(), 'alertId', 'a')
      const incidents = [
        ...variantsOf(incident('', { comments, ...(graph ? {} : { alerts: [] }) }), idField, 'v'),
        incident('alerts', graph ? {} : { alerts: alertVariants }),
      ]
      const { rows } = await readable(incidents, new Map([['alerts', alertVariants]]))
      expect(alertVariants.length).toBeGreaterThan(50)
      expect(rows.find((row) => row.incident_id === 'alerts')?.alert_count).toBe(alertVariants.length)
    })

    test('are IDs like any other', async () => {
      const alerts = new Map(inherited.map((name) => [name, [graphAlert({ id: name })]]))
      const { tenantId } = await readable(
        inherited.map((name) =>
          incident(name, graph ? {} : { alerts: [defenderAlert({ alertId: name, title: `Alert of ${name}` })] }),
        ),
        alerts,
      )
      const page = await portal.reader.open(`/tenants/${tenantId}/incidents/__proto__`)
      expect(page.text).toContain(graph ? 'Suspicious crond' : 'Alert of __proto__')
    })

    test('are keys like any other', async () => {
      const extra = JSON.parse(`{${inherited.map((name) => `"${name}":{"x":"${name} it is"}`).join(',')}}`) as object
      const { tenantId } = await readable([{ ...incident('1'), ...extra }])
      const page = await portal.reader.open(`/tenants/${tenantId}/incidents/1`)
      for (const name of inherited) expect(page.text).toContain(`${name} it is`)
    })

    test('are types of entities that nobody has met yet', async () => {
      const entities = inherited
        .flatMap(spellings)
        .map((word) =>
          graph
            ? { '@odata.type': `#microsoft.graph.security.${word}Evidence`, displayName: `An ${word}` }
            : { entityType: word, displayName: `An ${word}` },
        )
      const { tenantId } = await readable(
        [graph ? incident('1') : incident('1', { alerts: [defenderAlert({ entities })] })],
        new Map([['1', [graphAlert({ evidence: entities })]]]),
      )
      const { alerts } = await portal.here.portal.db
        .selectFrom('incidents')
        .select('alerts')
        .where('tenant_id', '=', tenantId)
        .executeTakeFirstOrThrow()
      const [alert] = JSON.parse(alerts ?? '[]') as { entities: { kind: string; name: string; verdict: unknown }[] }[]
      const unknown = alert?.entities.filter(({ kind }) => kind === 'other').map(({ name }) => name.toLowerCase())
      expect(unknown).toEqual(expect.arrayContaining(inherited.map((name) => `an ${name}`.toLowerCase())))
    })
  })

  test('are no fields of a form', async () => {
    const { here, reader, close } = await startRecordsPortal(engine, 'defender')
    const page = await reader.open('/incidents')
    for (const name of inherited) {
      const posted = await reader.post('/preferences', { _csrf: formToken(page), [name]: 'x' })
      // The parser of bodies drops a field of this name, and that is as good.
      expect([name, posted.status]).toEqual([name, name === '__proto__' ? 303 : 400])
    }
    expect(here.takeErrors()).toEqual([])
    await close()
  })

  test('an unknown value stored by an older Muster has a page all the same', async () => {
    const portal = await startRecordsPortal(engine, 'defender')
    const tenantId = await portal.tenantOf([defenderIncident()])
    const { db } = portal.here.portal
    const { facts } = await db.selectFrom('incidents').select('facts').executeTakeFirstOrThrow()
    const { status: _, ...rest } = JSON.parse(facts) as Record<string, unknown>
    const status = 'function Object() { [native code] }'
    await db
      .updateTable('incidents')
      .set({ status, facts: JSON.stringify(rest) })
      .execute()
    for (const path of ['/incidents/4711', '/incidents?status=any']) {
      expect((await portal.reader.open(`/tenants/${tenantId}${path}`)).status).toBe(200)
    }
    await portal.close()
  })
})

test.each(inherited)('an OAuth error and a parameter named %s mean nothing', (name) => {
  expect(meaningOf({ numbers: [], word: name, status: 400 }).code).toBe('unexpected-answer')
  const from = `/incidents?${encodeURIComponent(name)}=x&${encodeURIComponent(name)}=y&q=kept`
  expect(listFrom(from, 't').query).toEqual({ ...listFrom('/incidents', 't').query, text: 'kept' })
})

test('no table that is asked by text is a plain object', () => {
  const server = fileURLToPath(new URL('../../server', import.meta.url))
  const files = readdirSync(server, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.ts'))
  // A plain object under a type that takes any key is the only way to ask one by a text of which nothing is known.
  const tables = files.flatMap((file) =>
    [
      ...readFileSync(join(server, file), 'utf8').matchAll(
        /^(?:export )?const (\w+): [^=\n]*Record<string,[^\n]*= \{/gm,
      ),
    ].map(([, name]) => `${file} ${name}`),
  )
  expect(files.length).toBeGreaterThan(200)
  expect(tables).toEqual([])
})
