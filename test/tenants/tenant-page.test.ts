import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { listAudit } from '../../server/store/audit.ts'
import { offboardCustomer } from '../../server/store/customers/offboarding.ts'
import { write } from '../../server/store/engine/write.ts'
import { recordRejected } from '../../server/store/incidents/rejected.ts'
import { syncsPage } from '../../server/store/sync/history.ts'
import { openWindow, windowsOf } from '../../server/store/sync/windows.ts'
import { pauseEverything, pauseTenant, readPause, resumeEverything } from '../../server/store/tenants/pauses.ts'
import { findTenant } from '../../server/store/tenants/tenants.ts'
import { momentsOf, wallClockAt } from '../../server/web/page/zoned-time.ts'
import { progressOf } from '../../server/web/tenants/progress.ts'
import { stretchOf } from '../../server/web/tenants/reread.ts'
import { before, connected, formToken } from '../support/admin.ts'
import type { Browser } from '../support/browser.ts'
import { onEachEngine, startTestPortal, type TestPortal } from '../support/portal.ts'
import { until } from '../support/waiting.ts'

const minute = 60_000
const hour = 3_600_000
const nobody = '00000000-0000-4000-8000-000000000000'

onEachEngine('the reading of a tenant', (engine) => {
  let here: TestPortal
  let alice: Browser
  let carol: Browser
  let bob: Browser
  beforeAll(async () => {
    here = await startTestPortal(engine)
    alice = await here.signedIn(here.cast.alice)
    carol = await here.signedIn(here.cast.carol)
    bob = await here.signedIn(here.cast.bob)
  })
  afterAll(() => here.close())

  const press = async (browser: Browser, address: string, fields: Record<string, string> = {}) =>
    browser.post(address, { _csrf: formToken(await browser.open('/settings')), ...fields })
  const aged = (tenantId: string, change: object) =>
    here.portal.db.updateTable('tenants').set(change).where('tenant_id', '=', tenantId).execute()
  const past = (ms: number) => new Date(here.portal.now().getTime() - ms).toISOString()
  const ahead = (ms: number) => past(-ms)

  test('says how fresh it is, when it is due, and how many calls are left', async () => {
    const { tenant } = await connected(here, 'Fresh')
    await aged(tenant.id, {
      last_read_at: past(38_000),
      reconciled_at: past(hour),
      reconcile_differences: 0,
      backfilled_at: past(2 * hour),
    })
    const { text } = await bob.open(`/tenants/${tenant.id}`)
    expect(text).toMatch(/<dt>Behind by<\/dt><dd><strong>(38|39|40|41) s<\/strong>/)
    expect(text).toMatch(/\d+ of 50 this minute, 1,\d{3} of 1,500 this hour/)
    expect(text).toContain('0 differences')
    expect(text).toContain('read whole')
  })

  test('is blind after three polls that failed, everywhere at once', async () => {
    const { tenant, customer } = await connected(here, 'Three missed polls')
    await aged(tenant.id, { sync_failures: 3, last_read_at: past(minute), last_read_code: 'unavailable' })
    const overview = (await alice.open('/')).text
    expect(overview).toContain(`id="blind-${tenant.id}"`)
    expect(overview).toContain('1 tenant is blind')
    expect(overview).toMatch(/over \d+ tenants?, 1 of them blind/)
    expect((await alice.open('/customers?state=blind')).text).toContain(`id="c-${customer.id}"`)
    expect((await alice.open('/customers')).text).toMatch(/open incidents? over \d+ tenants?, 1 of them blind\./)
    expect((await alice.open('/incidents')).text).toContain('1 blind')
    await aged(tenant.id, { sync_failures: 2 })
    expect((await alice.open('/')).text).not.toContain(`id="blind-${tenant.id}"`)
    await aged(tenant.id, { sync_failures: 0, last_read_code: null })
  })

  test('that Microsoft slows down says until when, and why nothing can be pressed', async () => {
    const { tenant } = await connected(here, 'Throttled')
    await aged(tenant.id, { sync_not_before: ahead(5 * minute) })
    const { text } = await carol.open(`/tenants/${tenant.id}`)
    expect(text).toContain('Microsoft asked Muster to wait until')
    expect(text).toContain('The time stands above.')
    expect(text).not.toMatch(/data-read-now/)
  })

  test('is paused and resumed by an Admin alone, with a witness', async () => {
    const { tenant, customer } = await connected(here, 'Paused')
    const address = `/tenants/${tenant.id}`
    for (const browser of [bob, carol]) {
      expect((await press(browser, `${address}/pause`)).status).toBe(403)
      expect((await press(browser, `${address}/resumption`)).status).toBe(403)
    }
    expect((await alice.post(`${address}/pause`, {})).status).toBe(403)
    expect((await findTenant(here.portal.db, tenant.id))?.pausedAt).toBeNull()
    expect((await carol.open(address)).text).toContain('Only an Admin can pause a tenant or resume it.')
    expect((await bob.open(address)).text).toContain('Your role lets you look.')

    const paused = await alice.submit(await alice.open(address), `${address}/pause`)
    expect(paused.status).toBe(303)
    const { text } = await alice.open(address)
    expect(text).toContain('Reading is paused since')
    expect(text).toContain('by Alice Admin')
    expect(text).toMatch(/class="badge yellow">.*?Paused/)
    expect(text).not.toMatch(/class="badge green">[^<]*<svg[^>]*>(?:(?!<\/svg>).)*<\/svg>Connected/)
    expect((await press(carol, `${address}/syncs`)).text).toContain('TENANT_PAUSED')
    const overview = (await bob.open('/')).text
    expect(overview).toContain(`id="paused-${tenant.id}"`)
    expect((await bob.open('/customers?state=paused')).text).toContain(`id="c-${customer.id}"`)
    expect((await bob.open(`/customers/${customer.id}`)).text).toContain('was paused by Alice Admin')

    await aged(tenant.id, { last_read_at: past(hour) })
    const blind = (await bob.open('/')).text
    expect(blind).toContain(`id="blind-${tenant.id}"`)
    expect(blind).toContain('Reading of this tenant was paused by Alice Admin.')
    expect((await bob.open('/customers?state=blind')).text).toContain(`id="c-${customer.id}"`)

    expect([overview, blind].filter((page) => page.includes(`${address}/resumption`))).toEqual([])
    const resumed = await alice.submit(await alice.open('/'), `${address}/resumption`)
    expect([resumed.status, resumed.headers.location]).toEqual([303, '/'])
    expect((await findTenant(here.portal.db, tenant.id))?.pausedAt).toBeNull()
    await alice.submit(await alice.open(address), `${address}/pause`)
    await aged(tenant.id, { last_read_at: past(0) })
    expect((await alice.submit(await alice.open('/'), `${address}/resumption`)).status).toBe(303)
    await alice.submit(await alice.open(address), `${address}/pause`)
    expect((await alice.submit(await alice.open(address), `${address}/resumption`)).headers.location).toBe(address)
    expect((await findTenant(here.portal.db, tenant.id))?.pausedAt).toBeNull()
    const actions = (await listAudit(here.portal.db, { tenantId: tenant.id, limit: 2 })).map(({ action }) => action)
    expect(actions).toEqual(['tenant.resumed', 'tenant.paused'])
    await aged(tenant.id, { last_read_at: past(0) })
    expect((await alice.open('/audit')).text).toContain('paused the reading of')
  })

  test('of all tenants is paused from a page that says what it does, and every page says so until it is resumed', async () => {
    const { tenant } = await connected(here, 'All paused')
    for (const browser of [bob, carol]) {
      expect((await browser.open('/pause')).status).toBe(403)
      expect((await press(browser, '/pause')).status).toBe(403)
      expect((await press(browser, '/resumption')).status).toBe(403)
    }
    const page = await alice.open('/pause')
    expect(page.text).toContain('After 15 min every tenant counts as blind')
    expect((await alice.submit(page, '/pause')).status).toBe(303)
    expect((await readPause(here.portal.db))?.by).toBe('Alice Admin')
    for (const path of ['/', '/incidents', '/customers', '/settings', `/tenants/${tenant.id}`, '/audit']) {
      expect([path, (await alice.open(path)).text.includes('Reading of all tenants is paused since')]).toEqual([
        path,
        true,
      ])
    }
    const seen = (await bob.open(`/tenants/${tenant.id}`)).text
    expect(seen).toContain('An Admin can resume it.')
    expect(seen).not.toContain('action="/resumption"')
    expect(seen).toMatch(/class="badge yellow">.*?Paused/)
    expect((await press(carol, `/tenants/${tenant.id}/syncs`)).text).toContain('READING_PAUSED')
    await aged(tenant.id, { last_read_at: past(hour) })
    expect((await bob.open('/')).text).toContain('Only because reading of all tenants is paused')
    const back = await alice.submit(await alice.open('/settings'), '/resumption')
    expect(back.location).toMatch(/\/settings$/)
    expect((await alice.open('/')).text).not.toContain('Reading of all tenants is paused')
    await aged(tenant.id, { last_read_at: past(0) })
  })

  test('shows how far the first days are, their rate and the time left', async () => {
    const { db, now } = here.portal
    const { tenant } = await connected(here, 'Progress')
    await db.deleteFrom('windows').where('tenant_id', '=', tenant.id).execute()
    const id = await write(db, (tx) =>
      openWindow(
        tx,
        {
          tenantId: tenant.id,
          kind: 'backfill',
          from: past(30 * 24 * hour),
          to: past(0),
          step: hour,
          createdBy: null,
          expected: 3_400,
        },
        now(),
      ),
    )
    await db
      .updateTable('windows')
      .set({ started_at: past(24_000), seen: 1_240, reached_at: past(8 * 24 * hour) })
      .where('id', '=', id)
      .execute()
    const { text } = await bob.open(`/tenants/${tenant.id}`)
    expect(text).toContain('1,240 of about 3,400 incidents')
    expect(text).toMatch(/(49|50|51|52) a second, about 4[0-9] s left/)
    expect(text).toMatch(/<progress [^>]*max="100" value="36\.5">/)
    expect(text).toContain('hx-trigger="every 3s"')
    await pauseTenant(db, before, tenant.id, now())
    const still = (await bob.open(`/tenants/${tenant.id}`)).text
    expect(still).toContain('stands still for now')
    expect(still).not.toContain('a second')
    await db.deleteFrom('windows').where('id', '=', id).execute()
  })

  test('of a stretch of time again: presets, own times in the operator’s zone, and what cannot be meant', async () => {
    const { tenant } = await connected(here, 'Again')
    const address = `/tenants/${tenant.id}`
    const finish = () => here.portal.db.deleteFrom('windows').where('tenant_id', '=', tenant.id).execute()
    await finish()
    expect((await press(bob, `${address}/windows`, { span: '24h' })).status).toBe(403)
    const asked = await press(carol, `${address}/windows`, { span: '7d', from: 'nonsense', to: '' })
    expect([asked.status, asked.location]).toEqual([303, `${here.portal.config.publicUrl}${address}#reading`])
    const [week] = await windowsOf(here.portal.db, tenant.id, 1)
    expect(week && Date.parse(week.to) - Date.parse(week.from)).toBe(7 * 24 * hour)
    expect(week?.createdBy).toBe('Carol Analyst')
    expect((await carol.open(address)).text).toContain('One at a time.')
    expect((await press(carol, `${address}/windows`, { span: '24h' })).status).toBe(409)
    await finish()

    const zone = 'America/New_York'
    const [from, to] = [wallClockAt(here.portal.now().getTime() - 5 * hour, zone), wallClockAt(here.portal.now(), zone)]
    expect((await press(carol, `${address}/windows`, { span: 'own', from, to, zone })).status).toBe(303)
    const [own] = await windowsOf(here.portal.db, tenant.id, 1)
    expect(own?.from.slice(0, 16)).toBe(past(5 * hour).slice(0, 16))
    await finish()

    const wrong = await press(carol, `${address}/windows`, { span: 'own', from: '2026-02-30T10:00', to: '', zone })
    expect(wrong.status).toBe(422)
    expect(wrong.text).toContain('value="2026-02-30T10:00"')
    expect(wrong.text).toContain('This is no date and time.')
    expect(wrong.text).toContain('Give a date and a time')
    expect(wrong.text).toContain('Times in America/New_York.')
    for (const fields of [{ span: 'century' }, {}, { span: '24h', evil: '1' }]) {
      expect((await press(carol, `${address}/windows`, fields as Record<string, string>)).status).toBe(400)
    }
    expect(await windowsOf(here.portal.db, tenant.id, 1)).toEqual([])
  })

  test('is asked for when somebody opens the tenant, and not by what renews itself', async () => {
    const { tenant } = await connected(here, 'Opened')
    const rest = { next_sync_at: ahead(10 * minute), last_read_at: past(10 * minute) }
    const other = (await connected(here, 'Opened after it')).tenant
    const isDue = async (id: string) =>
      ((await findTenant(here.portal.db, id))?.nextSyncAt ?? '') <= here.portal.now().toISOString()
    /** The page does not wait for it: what is opened afterwards and has become due shows that it was done or never will be. */
    const due = async () => {
      await aged(other.id, rest)
      await bob.open(`/tenants/${other.id}`)
      await until(() => isDue(other.id))
      return isDue(tenant.id)
    }
    await here.portal.db
      .updateTable('syncs')
      .set({ started_at: past(20 * minute), finished_at: past(20 * minute) })
      .where('tenant_id', 'in', [tenant.id, other.id])
      .execute()
    const incident = (
      await here.portal.db
        .selectFrom('incidents')
        .select('incident_id')
        .where('tenant_id', '=', tenant.id)
        .executeTakeFirstOrThrow()
    ).incident_id
    for (const path of ['', '/incidents', `/incidents/${incident}`]) {
      await aged(tenant.id, rest)
      await bob.get(`/tenants/${tenant.id}${path}`, { 'X-Muster-Live': '1' })
      await bob.get(`/tenants/${tenant.id}${path}`, { 'Sec-Purpose': 'prefetch' })
      expect([path, await due()]).toEqual([path, false])
      await bob.open(`/tenants/${tenant.id}${path}`)
      expect([path, await due()]).toEqual([path, true])
    }
    await aged(tenant.id, rest)
    await pauseTenant(here.portal.db, before, tenant.id, here.portal.now())
    await bob.open(`/tenants/${tenant.id}`)
    expect(await due()).toBe(false)
  })

  test('has a history, newest first, in pages, with filters and addresses of its own', async () => {
    const { db } = here.portal
    const { tenant } = await connected(here, 'History')
    await db.deleteFrom('syncs').where('tenant_id', '=', tenant.id).execute()
    const address = `/tenants/${tenant.id}/syncs`
    expect((await bob.open(address)).text).toContain('Nothing was read yet')
    const row = (id: string, ms: number, more: object = {}) => ({
      id,
      tenant_id: tenant.id,
      kind: 'following',
      started_at: past(ms),
      finished_at: past(ms - 2_000),
      outcome: 'complete',
      code: null,
      pages: 1,
      seen: 0,
      stored: 0,
      rejected: 0,
      added: 0,
      differences: 0,
      calls: 1,
      polls: 1,
      window_id: null,
      request_id: null,
      ...more,
    })
    await db
      .insertInto('syncs')
      .values([
        row('polled', hour, { polls: 65, finished_at: past(minute) }),
        row('broken', 2 * hour, { outcome: 'failed', code: 'throttled' }),
        row('compared', 3 * hour, { kind: 'reconcile', differences: 2, stored: 3, added: 1 }),
        // Three of the same instant: the ID says which comes first.
        ...['c', 'b', 'a'].map((id) =>
          row(`same-${id}`, 4 * hour, { started_at: `${past(0).slice(0, 4)}-01-01T00:00:00.000Z` }),
        ),
        ...Array.from({ length: 60 }, (_, i) =>
          row(`old-${String(i).padStart(2, '0')}`, 0, {
            started_at: `2025-12-01T00:00:${String(59 - i).padStart(2, '0')}.000Z`,
          }),
        ),
      ])
      .execute()
    const ids = (text: string) => [...text.matchAll(/ id="s-([\w-]+)"/g)].map(([, id]) => id)
    const first = (await bob.open(address)).text
    expect(ids(first).slice(0, 6)).toEqual(['polled', 'broken', 'compared', 'same-c', 'same-b', 'same-a'])
    expect(ids(first)).toHaveLength(50)
    expect(first).toContain('65 polls, nothing new')
    expect(first).toContain('Microsoft asked Muster to slow down')
    const next = /rel="next" href="([^"]+)"/.exec(first)?.[1]?.replaceAll('&amp;', '&') ?? ''
    const second = (await bob.open(next)).text
    expect(ids(first).concat(ids(second))).toHaveLength(66)
    expect(new Set(ids(first).concat(ids(second))).size).toBe(66)
    expect(ids((await bob.open(`${address}?outcome=failed`)).text)).toEqual(['broken'])
    expect(ids((await bob.open(`${address}?kind=reconcile`)).text)).toEqual(['compared'])
    expect(ids((await bob.open(`${address}?at=same-b`)).text).slice(0, 2)).toEqual(['same-b', 'same-a'])
    expect((await bob.open(`${address}?at=gone`)).text).toContain('No sync run like this is kept')
    expect(ids((await bob.open(`${address}?kind=bogus&before=%27;--`)).text)).toHaveLength(50)
    expect((await bob.open(`/tenants/${nobody}/syncs`)).status).toBe(404)
    expect((await syncsPage(db, nobody, { before: 'polled', limit: 5 })).length).toBe(0)
  })

  test('names who asked for a pass', async () => {
    const { tenant } = await connected(here, 'Named')
    await press(carol, `/tenants/${tenant.id}/syncs`)
    const [event] = await listAudit(here.portal.db, { tenantId: tenant.id, limit: 1 })
    await here.portal.db
      .updateTable('syncs')
      .set({ request_id: event?.requestId ?? '' })
      .where('tenant_id', '=', tenant.id)
      .execute()
    expect((await bob.open(`/tenants/${tenant.id}/syncs`)).text).toContain('asked for by Carol Analyst')
  })

  test('that was ended says nothing of what comes next, and cannot be pressed', async () => {
    const { tenant, customer } = await connected(here, 'Ended')
    await offboardCustomer(here.portal.db, before, customer.id, here.portal.now())
    const page = await alice.open(`/tenants/${tenant.id}`)
    expect(page.text).not.toContain('API calls left')
    expect(page.text).not.toContain(`/tenants/${tenant.id}/pause`)
    expect((await alice.open(`/tenants/${tenant.id}/syncs`)).status).toBe(200)
    expect((await press(alice, `/tenants/${tenant.id}/pause`)).text).toContain('CUSTOMER_OFFBOARDED')
    expect((await press(alice, `/tenants/${tenant.id}/windows`, { span: '24h' })).status).toBe(409)
    for (const action of ['pause', 'resumption', 'windows']) {
      expect([
        action,
        (await press(alice, `/tenants/${nobody}/${action}`, action === 'windows' ? { span: '24h' } : {})).status,
      ]).toEqual([action, 404])
    }
  })

  test('lists what was not understood with its reason and when it was seen', async () => {
    const { tenant } = await connected(here, 'Rejected')
    await write(here.portal.db, (tx) =>
      recordRejected(
        tx,
        tenant.id,
        [{ id: '77', reason: 'too-large', detail: '<script>alert(1)</script>' }],
        here.portal.now(),
      ),
    )
    const { text } = await bob.open(`/tenants/${tenant.id}`)
    expect(text).toContain('asked for again every hour')
    expect(text).toContain('&lt;script&gt;')
    expect(text).toContain('href="#rejected"')
  })

  test('goes on with everything when an Admin says so twice', async () => {
    const { db, now } = here.portal
    await pauseEverything(db, before, now())
    await pauseEverything(db, { ...before, name: 'Somebody else' }, now())
    expect((await readPause(db))?.by).toBe(before.name)
    await resumeEverything(db, before, now())
    await resumeEverything(db, before, now())
    expect(await readPause(db)).toBeNull()
  })
})

describe('a time as clocks show it', () => {
  test.each([
    ['2026-11-20T08:00', 'Europe/Stockholm', ['2026-11-20T07:00:00.000Z']],
    ['2026-07-01T08:00', 'Europe/Stockholm', ['2026-07-01T06:00:00.000Z']],
    ['2026-03-29T02:30', 'Europe/Stockholm', []],
    ['2026-10-25T02:30', 'Europe/Stockholm', ['2026-10-25T00:30:00.000Z', '2026-10-25T01:30:00.000Z']],
    ['2026-11-20T08:00', 'Asia/Kathmandu', ['2026-11-20T02:15:00.000Z']],
    ['2026-04-05T01:45', 'Australia/Lord_Howe', ['2026-04-04T14:45:00.000Z', '2026-04-04T15:15:00.000Z']],
    ['2026-11-20T08:00', 'UTC', ['2026-11-20T08:00:00.000Z']],
  ])('%s in %s', (local, zone, moments) => {
    expect(momentsOf(local, zone)?.map((at) => at.toISOString())).toEqual(moments)
  })

  test.each([
    '',
    'yesterday',
    '2026-02-30T10:00',
    '2026-13-01T10:00',
    '2026-11-20',
    '2026-11-20T25:00',
    '2026-11-20T08:00Z',
  ])('is not %j', (text) => expect(momentsOf(text, 'UTC')).toBeNull())
})

describe('a stretch of time', () => {
  const now = new Date('2026-11-20T12:00:00Z')
  const stretch = (from: string, to: string, zone = 'Europe/Stockholm') => stretchOf({ from, to }, zone, now)

  test('is the longer one where clocks were set back', () => {
    const found = stretch('2026-10-25T02:30', '2026-10-25T02:30')
    expect(Array.isArray(found) ? found : [found.from.toISOString(), found.to.toISOString()]).toEqual([
      '2026-10-25T00:30:00.000Z',
      '2026-10-25T01:30:00.000Z',
    ])
  })

  test('ends now at the latest', () => {
    const found = stretch('2026-11-20T08:00', '2026-12-24T08:00')
    expect(Array.isArray(found) ? found : found.to).toEqual(now)
  })

  test.each([
    ['2026-11-20T20:00', '2026-11-20T22:00', 'from', 'tenants.reread.ahead'],
    ['2026-03-29T02:30', '2026-11-20T08:00', 'from', 'tenants.reread.skipped'],
    ['2026-01-01T00:00', '2026-11-20T08:00', 'from', 'tenants.reread.too-old'],
    ['2026-11-20T08:00', '2026-11-20T08:00', 'to', 'tenants.reread.backwards'],
    ['2026-11-20T08:00', '2026-11-19T08:00', 'to', 'tenants.reread.backwards'],
    ['2026-11-20T08:00', '', 'to', 'tenants.reread.missing'],
  ])('from %s to %s is refused at its %s', (from, to, field, key) => {
    expect(stretch(from, to)).toEqual([{ field, key }])
  })
})

describe('the progress of a window', () => {
  const now = new Date('2026-11-20T12:00:00Z')
  const window = {
    id: 'w',
    tenantId: 't',
    kind: 'backfill' as const,
    from: '2026-10-21T12:00:00Z',
    to: '2026-11-20T12:00:00Z',
    reached: '2026-11-20T12:00:00Z',
    step: 1,
    createdAt: '2026-11-20T11:59:00Z',
    createdBy: null,
    startedAt: null as string | null,
    finishedAt: null,
    expected: null as number | null,
    seen: 0,
    stored: 0,
    added: 0,
    differences: 0,
    pages: 0,
    calls: 0,
    partial: false,
    rounds: 0,
  }

  test('says nothing of a rate before it begins, in its first seconds, and while it stands still', () => {
    expect(progressOf(window, false, now)).toMatchObject({ done: 0, perSecond: null, leftMs: null, reached: null })
    const begun = { ...window, startedAt: '2026-11-20T11:59:59Z', seen: 100, expected: 200 }
    expect(progressOf(begun, false, now)).toMatchObject({ done: 0.5, perSecond: null, leftMs: null })
    const going = { ...begun, startedAt: '2026-11-20T11:59:50Z' }
    expect(progressOf(going, false, now)).toMatchObject({ perSecond: 10, leftMs: 10_000 })
    expect(progressOf(going, true, now)).toMatchObject({ done: 0.5, perSecond: null, leftMs: null })
  })

  test('goes by time when there are more than were expected, or nobody could tell', () => {
    const more = {
      ...window,
      startedAt: '2026-11-20T11:59:00Z',
      seen: 500,
      expected: 200,
      reached: '2026-11-05T12:00:00Z',
    }
    expect(progressOf(more, false, now)).toMatchObject({ expected: null, done: 0.5, leftMs: 60_000 })
    expect(progressOf({ ...more, expected: 0 }, false, now)).toMatchObject({ expected: null, done: 0.5 })
  })
})
