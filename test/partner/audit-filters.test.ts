import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { sql } from 'kysely'
import { type AuditAction, type AuditSubject, recordAudit } from '../../server/store/audit.ts'
import type { Customer } from '../../server/store/customers/customers.ts'
import { write } from '../../server/store/engine/write.ts'
import { auditPage, searchedAtOnce } from '../../server/store/partner/audit-log.ts'
import { everything } from '../../server/store/scope.ts'
import { csvLine } from '../../server/web/partner/audit/csv.ts'
import { before, customerNamed } from '../support/admin.ts'
import type { Browser, Page } from '../support/browser.ts'
import { onEachEngine, startTestPortal, type TestPortal } from '../support/portal.ts'

describe('a line of CSV', () => {
  test.each([
    ['=1+1', `'=1+1`],
    ['+46 8 555', `'+46 8 555`],
    ['-1', `'-1`],
    ['@SUM(A1)', `'@SUM(A1)`],
    ['＝1+1', `'＝1+1`],
    ['＋1', `'＋1`],
    ['－1', `'－1`],
    ['＠SUM(A1)', `'＠SUM(A1)`],
    [' =1', `' =1`],
    ['\u3000＝1', `'\u3000＝1`],
    ['\t=1', `'\t=1`],
    ['\r=1', `"'\r=1"`],
    ['=HYPERLINK("x","y")', `"'=HYPERLINK(""x"",""y"")"`],
    ['a = b', 'a = b'],
    ['say "no", twice', '"say ""no"", twice"'],
    ['two\nlines', '"two\nlines"'],
    ['', ''],
    [null, ''],
    [-5, '-5'],
  ])('holds no formula and keeps its cells apart: %j', (value, expected) => {
    expect(csvLine(['x', value, 'y'])).toBe(`x,${expected},y\r\n`)
  })
})

onEachEngine('the audit log, filtered', (engine) => {
  let here: TestPortal
  let alice: Browser
  let akerlund: Customer
  let bergqvist: Customer

  const add = (action: AuditAction, at: string, more: Partial<AuditSubject> = {}, who = before) =>
    write(here.portal.db, (tx) => recordAudit(tx, who, { action, at: new Date(at), ...more }))
  const shown = ({ text }: Page) => [...text.matchAll(/<div class="sub mono">([\w.-]+)<\/div>/g)].map(([, one]) => one)
  const idOf = (customer: Customer) => ({ customerId: customer.id })
  const other = { ...before, id: 'other', name: 'Tomasz Wilk', address: '203.0.113.9', requestId: 'request-4711' }

  const raw = (path: string) =>
    fetch(`${here.browser().origin}${path}`, {
      headers: { cookie: `muster=${alice.cookie('muster')}`, accept: 'text/html' },
    })

  beforeAll(async () => {
    here = await startTestPortal(engine)
    alice = await here.signedIn(here.cast.alice)
    akerlund = await customerNamed(here, 'Åkerlund')
    bergqvist = await customerNamed(here, '=Bergqvist', { groups: ['South'] })
    await add('note.added', '2025-03-01T22:59:59Z', { ...idOf(akerlund), facts: { incident: '100%_sure' } })
    await add('note.removed', '2025-03-01T23:00:00Z', idOf(akerlund))
    await add('link.issued', '2025-03-02T12:00:00Z', { ...idOf(bergqvist), facts: { expiresAt: '2025-04-01' } }, other)
    await add('link.withdrawn', '2025-03-02T22:59:59Z', idOf(bergqvist), other)
    await add('settings.changed', '2025-03-02T23:00:00Z', { facts: { names: 'linkDays' } })
    await add('alarm.raised', '2025-03-03T12:00:00Z', { facts: { code: 'partner-credential' } }, {
      kind: 'muster',
    } as never)
  })
  afterAll(() => here.close())

  const old = 'from=2025-01-01&to=2025-12-31'

  test.each<[string, () => string, string[]]>([
    ['one action', () => 'kind=link.issued', ['link.issued']],
    ['a kind', () => `kind=consent&${old}`, ['link.withdrawn', 'link.issued']],
    ['a person', () => 'who=other', ['link.withdrawn', 'link.issued']],
    ['Muster itself', () => `who=kind:muster&${old}`, ['alarm.raised']],
    ['a customer', () => `customer=${akerlund.id}&${old}`, ['note.removed', 'note.added']],
    ['a day', () => 'from=2025-03-02&to=2025-03-02', ['settings.changed', 'link.withdrawn', 'link.issued']],
    ['all until a day', () => 'to=2025-03-01', ['note.removed', 'note.added']],
    ['a request', () => 'request=request-4711', ['link.withdrawn', 'link.issued']],
    ['a name', () => 'q=tomasz', ['link.withdrawn', 'link.issued']],
    ['an address', () => 'q=203.0.113.9', ['link.withdrawn', 'link.issued']],
    ['a customer by its name', () => `q=BERGQVIST&${old}`, ['link.withdrawn', 'link.issued']],
    ['what an event says', () => 'q=partner-credential', ['alarm.raised']],
    ['a text of signs that SQL knows', () => 'q=100%25_sure', ['note.added']],
    ['two at once', () => 'who=other&kind=link.withdrawn&q=wilk', ['link.withdrawn']],
    ['what nobody did', () => 'who=nobody&q=x', []],
    ['a text that would be another condition', () => `q=${encodeURIComponent("' or 1=1 --")}`, []],
    ['days that are none', () => 'from=2025-13-45&to=yesterday&kind=link.issued', ['link.issued']],
  ])('shows %s', async (_name, query, expected) => {
    const page = await alice.open(`/audit?${query()}`)
    expect([page.status, shown(page)]).toEqual([200, expected])
  })

  test('counts days as the reader’s clocks do', async () => {
    await alice.post('/preferences', {
      _csrf: /name="_csrf" value="([^"]+)"/.exec((await alice.open('/settings')).text)?.[1] ?? '',
      timeZone: 'Europe/Stockholm',
    })
    expect(shown(await alice.open('/audit?from=2025-03-02&to=2025-03-02'))).toEqual([
      'link.withdrawn',
      'link.issued',
      'note.removed',
    ])
  })

  test('keeps what was asked for in its fields, its pages and its exports', async () => {
    const page = await alice.open(
      '/audit?who=other&kind=link.issued&from=2025-03-02&to=2025-03-02&q=wilk&request=request-4711',
    )
    expect(page.text).toMatch(/<option value="link.issued" selected/)
    for (const value of ['value="2025-03-02"', 'value="wilk"', 'value="request-4711"'])
      expect(page.text).toContain(value)
    expect(page.text).toMatch(/href="\/audit\/export\?who=other[^"]*q=wilk[^"]*format=csv"/)
  })

  test('is turned page by page without a gap, also where many events are of one moment', async () => {
    await here.portal.db.transaction().execute(async (tx) => {
      for (let n = 0; n < 250; n++) {
        await recordAudit(tx, before, { action: 'reading.paused', at: new Date('2024-06-01T08:00:00Z'), facts: { n } })
      }
    })
    const seen: string[] = []
    let next: string | undefined = '/audit?kind=reading.paused&to=2024-12-31'
    for (let pages = 0; next !== undefined && pages < 5; pages++) {
      const page: Page = await alice.open(next)
      seen.push(...[...page.text.matchAll(/id="(e-\d+)"/g)].map(([, id = '']) => id))
      next = /rel="next" href="([^"]+)"/.exec(page.text)?.[1]?.replaceAll('&amp;', '&')
    }
    expect([seen.length, new Set(seen).size]).toEqual([250, 250])
  })

  test('is exported as it is filtered, safe against formulas, and says that it was', async () => {
    const answer = await raw(`/audit/export?customer=${bergqvist.id}&${old}`)
    expect(answer.headers.get('content-type')).toBe('text/csv; charset=utf-8')
    expect(answer.headers.get('content-disposition')).toMatch(/^attachment; filename="?muster-audit-[\dT-]+\.csv"?$/)
    const bytes = Buffer.from(await answer.arrayBuffer())
    expect([...bytes.subarray(0, 3)]).toEqual([0xef, 0xbb, 0xbf])
    const lines = bytes.toString('utf8').trim().split('\r\n')
    expect(lines).toHaveLength(3)
    expect(lines[1]).toContain(`,'=Bergqvist,${bergqvist.id},`)
    const latest = await alice.open('/audit')
    expect(shown(latest)[0]).toBe('audit.exported')
    expect(latest.text).toContain('exported the audit log')
  })

  test('is exported as JSON lines, each the whole event, over more than one batch', async () => {
    await here.portal.db.transaction().execute(async (tx) => {
      for (let n = 0; n < 2_100; n++) {
        await recordAudit(tx, before, { action: 'reading.resumed', at: new Date(1_700_000_000_000 + n), facts: { n } })
      }
    })
    const answer = await raw('/audit/export?format=jsonl&kind=reading.resumed')
    const events = (await answer.text())
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { facts: { n: number } })
    expect(events.map(({ facts }) => facts.n)).toEqual(Array.from({ length: 2_100 }, (_, n) => 2_099 - n))
  })

  test('is exported to an Admin of some customers as he may see it', async () => {
    const { world } = here.simulator
    const { db } = here.portal
    const person = world.addPerson(here.partner.id, { name: 'Limited', appRoles: ['Muster.Admin'] })
    const limited = await here.signedIn(person)
    const limits = JSON.stringify({ customerIds: [akerlund.id], groups: [] })
    await db.updateTable('operators').set({ limits }).where('oid', '=', person.id).execute()
    const page = await limited.get('/audit/export')
    expect(page.status).toBe(200)
    const lines = page.text.trim().split('\r\n').slice(1)
    expect(lines.length).toBeGreaterThan(2)
    expect(lines.filter((line) => !line.includes(akerlund.id))).toEqual([])
    expect((await limited.get(`/audit/export?customer=${bergqvist.id}`)).text.trim().split('\r\n')).toHaveLength(1)
  })

  test('is exported to nobody else, and a HEAD writes nothing', async () => {
    const carol = await here.signedIn(here.cast.carol)
    expect((await carol.get('/audit/export')).status).toBe(403)
    const count = async () => shown(await alice.open('/audit?kind=audit.exported')).length
    const already = await count()
    expect((await alice.head('/audit/export')).status).toBe(200)
    expect(await count()).toBe(already)
  })

  test('looks for a text in so many events at once, and goes on behind them', async () => {
    const { db } = here.portal
    await sql`insert into audit_events (at, actor_kind, action, facts)
      with recursive n(i) as (select 1 union all select i + 1 from n where i < ${searchedAtOnce + 500})
      select '2023-01-01T00:00:00.000Z', 'muster', 'reading.paused', '{}' from n`.execute(db)
    await add('reading.paused', '2022-12-31T00:00:00Z', { facts: { why: 'haystack-needle' } })
    const filter = { who: null, actions: null, customerId: null, from: null, requestId: null }
    const ask = (after: Awaited<ReturnType<typeof auditPage>>['next']) =>
      auditPage(db, { ...filter, until: '2023-06-01T00:00:00.000Z', text: 'haystack-needle' }, after, 100, everything)
    const first = await ask(null)
    expect([first.events.length, first.next?.at]).toEqual([0, '2023-01-01T00:00:00.000Z'])
    const second = await ask(first.next)
    expect([second.events.length, second.next]).toEqual([1, null])
    const page = await alice.open('/audit?q=haystack-needle&to=2023-05-01')
    expect(page.text).toContain('This page looked back to')
    expect(page.text).toContain('rel="next"')
    const whole = await raw('/audit/export?format=jsonl&q=haystack-needle&to=2023-05-01')
    expect((await whole.text()).trim().split('\n')).toHaveLength(1)
  })
})
