import { afterEach, beforeEach, expect, test } from '@jest/globals'
import { sql } from 'kysely'
import { escapeHtml } from '../../../server/http/html.ts'
import { createLog } from '../../../server/log.ts'
import type { Person } from '../../../server/simulator/world/directory.ts'
import { instantOf } from '../../../server/simulator/world/instants.ts'
import { connectDatabase, openDatabase } from '../../../server/store/engine/database.ts'
import { type Database, isPostgres } from '../../../server/store/engine/dialect.ts'
import { schemaState } from '../../../server/store/engine/migrations.ts'
import { keepHouse } from '../../../server/worker/upkeep/housekeeping.ts'
import type { Browser, Page } from '../../support/browser.ts'
import { answerAtMicrosoft, choose, type Invited, walk, wordsOf, work } from '../../support/consent.ts'
import { type OldCustomer, oldSessionSecret, oldStory, restoreOldStore } from '../../support/old-store.ts'
import { onEachEngine, startTestPortal, type TestPortal } from '../../support/portal.ts'

type Row = Record<string, unknown>

/**
 * What migrations since 0.1 make of what they found, by its table: where it is now, and each row as it is now, null for
 * one that goes. A table that is not named keeps every row with every value; new columns need no line.
 */
function changesOf(before: Map<string, Row[]>): Record<string, { table?: string; row?: (row: Row) => Row | null }> {
  const rowsOf = (table: string) => before.get(table) ?? []
  // Bound by the word of a browser, and never proven: they wait for a proof, and are nobody's until it comes.
  const claimed = (tenant: Row) =>
    tenant.first_active_at === null &&
    ['pinned', 'sign-in'].includes(String(tenant.bound_how)) &&
    ['proving', 'unproven'].includes(String(tenant.access_state))
  const unproven = new Map(rowsOf('tenants').flatMap((row) => (claimed(row) ? [[row.tenant_id, row]] : [])))
  const newest = (link: Row) =>
    rowsOf('consent_links').every(
      (other) => other.customer_id !== link.customer_id || `${other.issued_at}` <= `${link.issued_at}`,
    )
  const ledToOne = (link: Row) =>
    unproven.has(link.pinned_tenant_id) ||
    rowsOf('consent_attempts').some((run) => run.link_id === link.id && unproven.has(run.bound_tenant_id))
  const kept = (row: Row) => (unproven.has(row.tenant_id) ? null : row)
  return {
    tenants: { row: kept },
    access_checks: { row: kept },
    alarms: { table: 'partner_faults' },
    consent_links: {
      row: (link) =>
        link.completed_at !== null && ledToOne(link) && newest(link)
          ? { ...link, completed_at: null, next_probe_at: link.pinned_tenant_id === null ? null : link.completed_at }
          : link,
    },
    consent_attempts: {
      row: (run) => {
        const tenant = run.outcome === 'bound' ? unproven.get(run.bound_tenant_id) : undefined
        if (!tenant) return run
        const over = tenant.access_state === 'unproven'
        const outcome = over ? 'unproven' : 'awaiting-proof'
        const finished_at = over ? run.finished_at : null
        return { ...run, outcome, finished_at, claimed_tenant_id: tenant.tenant_id, bound_tenant_id: null }
      },
    },
  }
}

/** Tables that SQLite keeps for its text search: derived, and looked into by searching. */
const isDerived = (table: string) => /^(incident_search|sqlite_|kysely_)/.test(table)

const log = createLog('silent')

async function tablesOf(db: Database): Promise<Map<string, Row[]>> {
  const names = isPostgres(db)
    ? await sql<{ name: string }>`select tablename as name from pg_tables where schemaname = 'public'`.execute(db)
    : await sql<{ name: string }>`select name from sqlite_master where type = 'table'`.execute(db)
  const tables = new Map<string, Row[]>()
  for (const { name } of names.rows.filter((table) => !isDerived(table.name))) {
    tables.set(name, (await sql<Row>`select * from ${sql.table(name)}`.execute(db)).rows)
  }
  return tables
}

const inOrder = (rows: readonly Row[], columns: readonly string[]): string[] =>
  rows.map((row) => JSON.stringify(columns.map((column) => [column, row[column]]))).sort()

onEachEngine('a store of version 0.1', (engine) => {
  test('is brought up to date, and nothing in it is lost', async () => {
    const place = await restoreOldStore(engine)
    try {
      const old = connectDatabase({ ...place, log })
      const before = await tablesOf(old)
      await old.destroy()
      const db = await openDatabase({ ...place, log })
      const now = await tablesOf(db)
      const changed = changesOf(before)
      expect(await schemaState(db)).toBe('current')
      await db.destroy()
      for (const [table, rows] of before) {
        const { table: target = table, row: changeOf = (row: Row) => row } = changed[table] ?? {}
        expect([table, rows.length]).not.toEqual([table, 0])
        const expected = rows.map(changeOf).filter((row) => row !== null)
        const columns = Object.keys(expected[0] ?? {}).sort()
        expect([table, inOrder(now.get(target) ?? [], columns)]).toEqual([table, inOrder(expected, columns)])
      }
    } finally {
      await place.drop()
    }
  })
})

onEachEngine('a portal over a store of version 0.1', (engine) => {
  const story = oldStory(engine)
  const named = (name: string): OldCustomer => {
    const customer = story.customers.find((one) => one.name === name)
    if (!customer) throw new Error(`the story has no ${name}`)
    return customer
  }
  let place: Awaited<ReturnType<typeof restoreOldStore>>
  let here: TestPortal

  beforeEach(async () => {
    place = await restoreOldStore(engine)
    const { databaseUrl, dataDir } = place
    here = await startTestPortal(engine, {
      config: { databaseUrl, dataDir, sessionSecrets: [oldSessionSecret] },
      introduced: false,
      start: new Date(Date.parse(story.at) + 60_000),
    })
    const { world } = here.simulator
    for (const { name, tenantId, domains, admin } of story.customers) {
      world.addTenant({ id: tenantId, displayName: name, domains })
      world.addPerson(tenantId, { ...admin, directoryRole: 'Global Administrator' })
    }
  })
  afterEach(async () => {
    await here.close()
    await place.drop()
  })

  const browserWith = (cookies: Record<string, string>): Browser => {
    const browser = here.browser()
    for (const [name, value] of Object.entries(cookies)) browser.setCookie(name, value)
    return browser
  }
  const operator = (key: keyof typeof story.operators) => browserWith(story.operators[key].cookies)

  const personOf = ({ admin, tenantId }: OldCustomer): Person => {
    const person = here.simulator.world.tenant(tenantId).people.find(({ id }) => id === admin.id)
    if (!person) throw new Error(`${admin.name} is not at Microsoft`)
    return person
  }

  /** Consents at Microsoft as the customer's administrator, from an address there, to the page at the end. */
  const consentAt = async (browser: Browser, address: string, customer: OldCustomer): Promise<Page> => {
    const left: Page = { url: address, status: 303, headers: {}, text: '', location: address }
    return browser.follow(await answerAtMicrosoft(browser, left, personOf(customer), 'accept', { organisation: '1' }))
  }

  /** Which of these customers have their own tenant bound to them and proven. */
  const connected = async (...names: string[]): Promise<string[]> => {
    const { rows } = await sql<{ name: string; tenant_id: string }>`select c.name, t.tenant_id from tenants t
      join customers c on c.id = t.customer_id where t.access_state = 'active'`.execute(here.portal.db)
    return names.filter((name) => rows.some((row) => row.name === name && row.tenant_id === named(name).tenantId))
  }

  test('shows everybody everything, without signing in anew', async () => {
    const ines = operator('ines')
    for (const customer of story.customers) {
      const page = await ines.open(`/customers/${customer.id}`)
      expect([customer.name, page.status, wordsOf(page).includes(customer.name)]).toEqual([customer.name, 200, true])
    }
    const { rows } = await sql<{ tenant_id: string; incident_id: string; title: string }>`
      select tenant_id, incident_id, title from incidents`.execute(here.portal.db)
    for (const tenantId of new Set(rows.map((row) => row.tenant_id))) {
      for (const part of ['', '/syncs', '/incidents']) {
        expect([part, (await ines.open(`/tenants/${tenantId}${part}`)).status]).toEqual([part, 200])
      }
    }
    for (const { tenant_id, incident_id, title } of rows) {
      const page = await ines.open(`/tenants/${tenant_id}/incidents/${incident_id}`)
      // What was merged leads on to the incident it is part of now.
      const shown = page.text.includes(escapeHtml(title)) || !page.url.endsWith(`/${incident_id}`)
      expect([incident_id, page.status, shown]).toEqual([incident_id, 200, true])
    }
    for (const path of ['/', '/customers', '/incidents', '/audit', '/settings', '/setup']) {
      expect([path, (await ines.open(path)).status]).toEqual([path, 200])
    }
    expect((await ines.open('/settings')).text).toContain('soc@halvard.example')
    expect((await operator('tomasz').open('/')).text).toContain('data-theme="dark"')
    expect((await operator('priya').open('/audit')).status).toBe(403)
  })

  test('finds what was stored before by its text, and shows alerts and notes that were kept', async () => {
    const ines = operator('ines')
    const { tenantId } = named('Proven AB')
    const { rows } = await sql<{ title: string }>`
      select title from incidents where tenant_id = ${tenantId} and incident_id = '501'`.execute(here.portal.db)
    const words = encodeURIComponent(rows[0]?.title.toUpperCase() ?? '')
    const list = await ines.open(`/incidents?status=any&q=${words}`)
    expect(list.text).toContain(`/tenants/${tenantId}/incidents/501`)
    const page = await ines.open(`/tenants/${tenantId}/incidents/501`)
    expect(wordsOf(page)).toContain('Called Åsa. She takes the server off the network.')
    expect(wordsOf(page)).not.toContain('Written by mistake.')
  })

  test('lets links that were sent before lead to a binding', async () => {
    const names = ['Link Unpinned Ltd', 'Link Pinned AB', 'Link Opened Ltd']
    for (const name of names) {
      const customer = named(name)
      const page = await walk(here.browser(), { join: customer.join ?? '' } as Invited, personOf(customer))
      expect([name, page.status]).toEqual([name, 200])
    }
    const classic = named('Classic Link Ltd')
    const url = here.portal.microsoft.classicConsentUrl({ state: classic.classicState ?? '' })
    expect((await consentAt(here.browser(), url, classic)).status).toBe(200)
    await credentialMended()
    expect(await connected(...names, classic.name)).toEqual([...names, classic.name])
  })

  test('lets browsers go on that were at Microsoft during the upgrade', async () => {
    const {
      'Attempt Pinned AB': pinned,
      'Attempt Unpinned Ltd': unpinned,
      'Proof Under Way Ltd': proof,
    } = story.attempts
    const { microsoft } = here.portal
    for (const [name, { cookies, state }] of [
      ['Attempt Pinned AB', pinned],
      ['Attempt Unpinned Ltd', unpinned],
    ] as const) {
      const customer = named(name)
      const tenantId = customer.name.includes('Unpinned') ? null : customer.tenantId
      const page = await consentAt(browserWith(cookies), microsoft.consentUrl({ tenantId, state }), customer)
      expect([name, page.status]).toEqual([name, 200])
    }
    const customer = named('Proof Under Way Ltd')
    here.simulator.world.consent(customer.tenantId, here.portal.config.app.clientId)
    const query = new URLSearchParams(proof.query)
    query.set('redirect_uri', `${here.portal.config.publicUrl}/consent/callback`)
    query.set('prompt', 'select_account')
    const url = `${here.simulator.origin}/${proof.authority}/oauth2/v2.0/authorize?${query}`
    const browser = browserWith(proof.cookies)
    const page = await choose(browser, await browser.get(url), personOf(customer))
    expect(page.status).toBe(200)
    await credentialMended()
    const names = ['Attempt Pinned AB', 'Attempt Unpinned Ltd', customer.name]
    expect(await connected(...names)).toEqual(names)
  })

  test('lets a tenant that was only claimed be proven, once its administrator has consented', async () => {
    const { tenantId, name } = named('Claimed Pinned Ltd')
    await credentialMended()
    expect(await connected(name)).toEqual([])
    here.simulator.world.consent(tenantId, here.portal.config.app.clientId)
    here.clock.advance(3_600_000)
    await work(here)
    expect(await connected(name)).toEqual([name])
  })

  test('reads on where it stopped, in tenants and in the time that was not read whole', async () => {
    const halfRead = 'Window Under Way AB'
    const names = ['Proven AB', 'Signed In Ltd', 'By Hand Ltd', halfRead]
    const { world } = here.simulator
    for (const { tenantId } of names.map(named)) {
      world.consent(tenantId, here.portal.config.app.clientId)
      world.addIncident(tenantId, { id: 900, severity: 'high', status: 'active' })
      const longAgo = instantOf(here.clock.now().getTime() - 25 * 86_400_000)
      world.addIncident(tenantId, { id: 901, status: 'resolved', createdAt: longAgo, lastUpdateAt: longAgo })
    }
    await credentialMended()
    here.clock.advance(20 * 60_000)
    await work(here)
    const { db } = here.portal
    for (const { name, tenantId } of names.map(named)) {
      const { rows } = await sql<{ incident_id: string }>`
        select incident_id from incidents where tenant_id = ${tenantId} and incident_id in ('900', '901')`.execute(db)
      const ids = rows.map((row) => row.incident_id)
      expect([name, ids.includes('900'), ids.includes('901') || name !== halfRead]).toEqual([name, true, true])
    }
    const windows = await sql`select 1 from windows where tenant_id = ${named(halfRead).tenantId}
      and kind = 'backfill' and finished_at is null`.execute(db)
    expect(windows.rows).toEqual([])
  })

  /** The secret that was over is renewed, the fault found to be gone, and everything due done. */
  async function credentialMended(): Promise<void> {
    await keepHouse(here.portal)
    here.clock.advance(2 * 60_000)
    await work(here)
  }
})
