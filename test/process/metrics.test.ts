import { once } from 'node:events'
import { request } from 'node:http'
import { connect, createServer } from 'node:net'
import { networkInterfaces } from 'node:os'
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import {
  counted,
  incidentsStored,
  metricsText,
  microsoftCalls,
  syncRunSeconds,
  syncRuns,
} from '../../server/metrics.ts'
import { fleetWatch, openMetricsPort } from '../../server/process/metrics-port.ts'
import { startPortal } from '../../server/process/start.ts'
import { write } from '../../server/store/engine/write.ts'
import { fleetGauges } from '../../server/store/tenants/gauges.ts'
import { onEachEngine, startTestPortal, type TestPortal } from '../support/portal.ts'
import { active, bound, contosoTenant, customer, fabrikamTenant } from '../support/store.ts'

interface Answer {
  status: number
  text: string
  type: string | undefined
}

function ask(port: number, path = '/metrics', options: { method?: string; host?: string } = {}): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const { method = 'GET', host } = options
    const asked = request({
      host: '127.0.0.1',
      port,
      path,
      method,
      agent: false,
      ...(host === undefined ? {} : { headers: { host } }),
    })
    asked.once('error', reject)
    asked.once('response', (res) => {
      let text = ''
      res.setEncoding('utf8').on('data', (chunk) => (text += chunk))
      res.once('end', () => resolve({ status: res.statusCode ?? 0, text, type: res.headers['content-type'] }))
    })
    asked.end()
  })
}

const seriesOf = (text: string, series: string): number | undefined => {
  const line = text.split('\n').find((one) => one.startsWith(`${series} `))
  return line === undefined ? undefined : Number(line.slice(series.length + 1))
}

onEachEngine('the metrics', (engine) => {
  let stage: TestPortal
  let port: number
  beforeEach(async () => {
    stage = await startTestPortal(engine, { config: { metricsPort: 0 } })
    port = stage.portal.config.metricsPort ?? 0
  })
  afterEach(() => stage.close())

  const change = (tenantId: string, columns: Record<string, string | number | null>) =>
    write(stage.portal.db, (tx) => tx.updateTable('tenants').set(columns).where('tenant_id', '=', tenantId).execute())
  const minutesAgo = (minutes: number) => new Date(stage.clock.now().getTime() - minutes * 60_000).toISOString()

  test('say how many tenants are blind, how far behind the furthest is, and what is due', async () => {
    const { db } = stage.portal
    await active(db, 'Contoso', contosoTenant)
    await active(db, 'Fabrikam', fabrikamTenant)
    const due = await bound(db, await customer(db, 'Wingtip'), 'd0e00000-aaaa-4bbb-8ccc-000000000003')
    await change(contosoTenant, { last_read_at: minutesAgo(1), next_sync_at: minutesAgo(1), next_check_at: null })
    await change(fabrikamTenant, { last_read_at: minutesAgo(20), next_sync_at: minutesAgo(-5), next_check_at: null })
    await change(due, { next_check_at: minutesAgo(1) })
    const { status, text, type } = await ask(port)
    expect([status, type]).toEqual([200, expect.stringMatching(/^text\/plain; version=0\.0\.4/)])
    expect(seriesOf(text, 'muster_blind_tenants')).toBe(1)
    expect(Math.round((seriesOf(text, 'muster_oldest_read_seconds') ?? 0) / 60)).toBe(20)
    expect(seriesOf(text, 'muster_due_tenants{work="check"}')).toBe(1)
    expect(seriesOf(text, 'muster_due_tenants{work="sync"}')).toBe(1)
    expect(seriesOf(text, 'muster_due_tenants{work="window"}')).toBe(0)
  })

  test('count no tenant that is offboarded as blind, and none that is paused as behind', async () => {
    const { db } = stage.portal
    await active(db, 'Contoso', contosoTenant)
    await active(db, 'Fabrikam', fabrikamTenant)
    await change(contosoTenant, { last_read_at: minutesAgo(90), access_state: 'offboarded' })
    await change(fabrikamTenant, { last_read_at: minutesAgo(1), sync_failures: 3, paused_at: minutesAgo(1) })
    expect(await fleetGauges(db, stage.clock.now())).toMatchObject({ blind: 1, oldestReadAt: null })
  })

  test('tell of the process: memory, event loop, garbage collection', async () => {
    const { text } = await ask(port)
    expect(seriesOf(text, 'muster_process_resident_memory_bytes{thread="main"}')).toBeGreaterThan(1e7)
    expect(text).toMatch(/^muster_nodejs_eventloop_lag_p99_seconds\{thread="main"\}/m)
    expect(text).toMatch(/^# TYPE muster_nodejs_gc_duration_seconds histogram/m)
  })

  test('name no tenant, no customer and no person', async () => {
    const { db } = stage.portal
    await active(db, 'Contoso', contosoTenant)
    syncRuns.inc({ kind: 'following', outcome: 'complete' })
    syncRunSeconds.observe({ kind: 'following' }, 0.2)
    microsoftCalls.inc({ api: 'defender', status: '200' })
    incidentsStored.inc({ change: 'added' })
    const { text } = await ask(port)
    expect(text).toMatch(/muster_sync_runs_total\{kind="following",outcome="complete"\} \d/)
    for (const [name, oldName] of [
      ['sync_runs_total', 'passes_total'],
      ['sync_run_seconds_count', 'pass_seconds_count'],
      ['due_tenants', 'queue_depth'],
    ]) {
      const series = text.split('\n').filter((line) => line.startsWith(`muster_${name}{`))
      expect(series.length).toBeGreaterThan(0)
      expect(text.split('\n')).toEqual(
        expect.arrayContaining(series.map((line) => line.replace(`muster_${name}{`, `muster_${oldName}{`))),
      )
    }
    expect(text).not.toMatch(/Contoso|[0-9a-f]{8}-[0-9a-f]{4}-|@/i)
    const labels = new Set([...text.matchAll(/[{,](\w+)="/g)].map(([, name]) => name))
    const known = [
      'kind',
      'outcome',
      'api',
      'status',
      'change',
      'reason',
      'work',
      'le',
      'thread',
      'space',
      'type',
      'version',
    ]
    expect(
      [...labels].filter(
        (name) => !known.includes(name ?? '') && !['major', 'minor', 'patch', 'quantile'].includes(name ?? ''),
      ),
    ).toEqual([])
  })

  test('cost the database nothing when they are asked for again and again', async () => {
    const { db } = stage.portal
    await ask(port)
    await active(db, 'Contoso', contosoTenant)
    await change(contosoTenant, { sync_failures: 5 })
    const answers = await Promise.all(Array.from({ length: 10 }, () => ask(port)))
    // What was seen a moment ago, ten times over: nobody looked again.
    expect(new Set(answers.map(({ text }) => seriesOf(text, 'muster_blind_tenants')))).toEqual(new Set([0]))
  })

  test('go on while the database is away, without what only it knows', async () => {
    const { portal } = stage
    const other = await startTestPortal(engine)
    const look = fleetWatch({ ...portal, db: other.portal.db })
    await other.close()
    await ask(port)
    await look()
    const text = await metricsText([await counted()])
    expect(text).not.toMatch(/^muster_(blind_tenants|oldest_read_seconds|due_tenants|queue_depth)[ {]/m)
    expect(text).toMatch(/^muster_nodejs_eventloop_lag_seconds/m)
    expect(stage.lines).toContainEqual(expect.objectContaining({ level: 'warn', msg: expect.stringMatching(/gauges/) }))
  })
})

describe('the metrics port', () => {
  let stage: TestPortal
  let port: number
  beforeEach(async () => {
    stage = await startTestPortal('SQLite', { config: { metricsPort: 0, host: '0.0.0.0' } })
    port = stage.portal.config.metricsPort ?? 0
  })
  afterEach(() => stage.close())

  test.each([
    ['GET', '/', 404],
    ['GET', '/metrics/', 404],
    ['GET', '/readyz', 404],
    ['POST', '/metrics', 404],
    ['HEAD', '/metrics', 404],
    ['GET', '/metrics?x=1', 200],
  ])('answers %s %s with %i', async (method, path, status) => {
    expect((await ask(port, path, { method })).status).toBe(status)
  })

  test.each([
    'evil.example',
    'muster.example.com:9464',
    '127.0.0.1.evil.example',
    '192.0.2.1',
    ':9464',
    'localhost@evil.example',
  ])('refuses whoever calls it %j', async (host) => {
    const { status, text } = await ask(port, '/metrics', { host })
    expect(status).not.toBe(200)
    expect(text).not.toContain('muster_')
  })

  test.each(['localhost', '127.0.0.1:9464', '[::1]:9464'])('answers whoever calls it %j', async (host) => {
    expect((await ask(port, '/metrics', { host })).status).toBe(200)
  })

  test('is open on loopback alone, whatever HOST says', async () => {
    const outside = Object.values(networkInterfaces())
      .flatMap((all) => all ?? [])
      .find(({ family, internal }) => family === 'IPv4' && !internal)
    if (!outside) return
    const socket = connect(port, outside.address)
    const [error] = await once(socket, 'error')
    expect((error as NodeJS.ErrnoException).code).toBe('ECONNREFUSED')
  })

  test('is not on the pages’ port, and closed unless it is asked for', async () => {
    expect((await stage.browser().get('/metrics')).status).toBe(404)
    const without = await startTestPortal()
    expect(without.portal.config.metricsPort).toBeNull()
    await without.close()
  })

  test('lets go of the pages’ port when it is taken, and says which of the two it is', async () => {
    const taken = createServer().listen(0, '127.0.0.1')
    await once(taken, 'listening')
    const metricsPort = (taken.address() as { port: number }).port
    const config = { ...stage.portal.config, port: 0, metricsPort }
    await expect(startPortal(config, { worker: false })).rejects.toMatchObject({
      code: 'EADDRINUSE',
      variable: 'METRICS_PORT',
    })
    taken.close()
  })

  test('says “not yet” until there is something to say', async () => {
    const door = await openMetricsPort(0)
    expect((await ask(door.port)).status).toBe(503)
    door.answerWith(async () => 'muster_x 1\n')
    expect((await ask(door.port)).text).toBe('muster_x 1\n')
    await door.close()
  })
})

describe('metrics of several threads', () => {
  test('are added up, but what is seen by both is not', async () => {
    const one = [
      {
        name: 'muster_a_total',
        help: 'a',
        type: 'counter',
        aggregator: 'sum',
        values: [{ value: 2, labels: { kind: 'x' } }],
      },
      { name: 'muster_g', help: 'g', type: 'gauge', aggregator: 'max', values: [{ value: 7, labels: {} }] },
    ] as unknown as Awaited<ReturnType<typeof counted>>
    const text = await metricsText([one, one])
    expect(seriesOf(text, 'muster_a_total{kind="x"}')).toBe(4)
    expect(seriesOf(text, 'muster_g')).toBe(7)
  })
})
