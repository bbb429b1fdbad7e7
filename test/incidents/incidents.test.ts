import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { originalOf } from '../../server/microsoft/incidents/split-list.ts'
import { offboardCustomer } from '../../server/store/customers/offboarding.ts'
import { defanged } from '../../server/web/incidents/entities.ts'
import { before, connected, customerNamed, untilNothingIsDue } from '../support/admin.ts'
import type { Browser } from '../support/browser.ts'
import { alertFor, arrive, incidentFor, instant } from '../support/desk.ts'
import { onEachEngine, startTestPortal, type TestPortal } from '../support/portal.ts'

/** Pages are long: a failed test names what was looked for, and not all that was there. */
const holding = (page: string, texts: readonly (string | RegExp)[]) =>
  texts.filter((text) => (typeof text === 'string' ? page.includes(text) : text.test(page))).map(String)
const holds = (page: string, ...texts: (string | RegExp)[]) => expect(holding(page, texts)).toEqual(texts.map(String))
const lacks = (page: string, ...texts: (string | RegExp)[]) => expect(holding(page, texts)).toEqual([])

const titlesIn = (page: string) => [...page.matchAll(/<a class="title"[^>]*>([^<]*)<\/a>/g)].map(([, title]) => title)
const linkIn = (page: string, rel: string) =>
  /href="([^"]*)"/.exec(new RegExp(`<a[^>]*rel="${rel}"[^>]*>`).exec(page)?.[0] ?? '')?.[1]?.replaceAll('&amp;', '&')

onEachEngine('the queue', (engine) => {
  let here: TestPortal
  let bob: Browser
  let contoso: Awaited<ReturnType<typeof connected>>
  let fabrikam: Awaited<ReturnType<typeof connected>>
  const open = async (address: string) => {
    const page = await bob.open(address)
    expect([address, page.status]).toEqual([address, 200])
    return page.text
  }

  beforeAll(async () => {
    here = await startTestPortal(engine)
    bob = await here.signedIn(here.cast.bob)
    holds((await bob.open('/incidents')).text, 'Muster is not looking anywhere yet')
    contoso = await connected(here, 'Contoso')
    fabrikam = await connected(here, 'Fabrikam')
    // What came with the tenants is out of the way: these tests bring their own.
    await here.portal.db.updateTable('incidents').set({ open: 0, status: 'resolved' }).execute()
    const at = (minutes: number) => instant(new Date(here.portal.now().getTime() - minutes * 60_000))
    await arrive(here, contoso.tenant.id, [
      incidentFor(here, { id: '501', title: 'Ransomware on a server', severity: 'high', lastUpdateAt: at(30) }),
      incidentFor(here, {
        id: '502',
        title: 'Odd sign-in',
        severity: 'low',
        lastUpdateAt: at(1),
        assignedTo: 'k.lund@contoso.example',
      }),
      incidentFor(here, { id: '503', title: 'Done with', severity: 'high', status: 'resolved', lastUpdateAt: at(2) }),
      incidentFor(here, {
        id: '504',
        title: 'An empty shell',
        severity: 'high',
        status: 'redirected',
        redirectId: '501',
      }),
    ])
    await arrive(here, fabrikam.tenant.id, [
      incidentFor(here, {
        id: '501',
        title: 'Another 501',
        severity: 'medium',
        status: 'inProgress',
        lastUpdateAt: at(5),
        alerts: [
          alertFor({
            id: 'a',
            entities: [{ kind: 'device', name: 'FAB-LAP-01', detail: null, verdict: null, remediation: null }],
          }),
        ],
      }),
    ])
  })
  afterAll(() => here.close())

  test('shows what is open over all tenants, worst first, and says over how many', async () => {
    const page = await open('/incidents')
    expect(titlesIn(page)).toEqual(['Ransomware on a server', 'Another 501', 'Odd sign-in'])
    holds(page, 'Over <b>2 of 2</b> tenants')
    holds(page, '<b>3</b> open, over <b>2 of 2</b> tenants')
    holds(page, 'aria-label="k.lund@contoso.example"')
  })

  test.each([
    ['order=newest', ['Odd sign-in', 'Another 501', 'Ransomware on a server']],
    ['severity=low&severity=medium', ['Another 501', 'Odd sign-in']],
    ['status=inProgress', ['Another 501']],
    ['q=fab-lap', ['Another 501']],
    ['q=%23501', ['Ransomware on a server', 'Another 501']],
    ['q=done+with', []],
    ['q=done+with&status=any', ['Done with']],
    ['q=%25', []],
    ['q=_', []],
    ['severity=bogus&status=bogus&order=bogus&at=bogus', ['Ransomware on a server', 'Another 501', 'Odd sign-in']],
    ['q=501&q=502', ['Ransomware on a server', 'Another 501', 'Odd sign-in']],
    ['customer=no-such-customer', []],
    ['group=no-such-group', []],
    ['q=%27+or+1%3D1--&customer=%27%3B+drop+table+incidents', []],
  ])('narrowed by %s holds what it should', async (query, titles) => {
    expect(titlesIn(await open(`/incidents?${query}`))).toEqual(titles)
  })

  test('takes a text with a NUL, and cursors nobody gave out, as if they were not there', async () => {
    const cursors = [['after', 1, 2 ** 60, 'x', 'y', 'z'], ['after', 1, 1, '\u0000', 'y', 'z'], ['after'], { a: 1 }]
    for (const cursor of cursors) {
      const at = Buffer.from(JSON.stringify(cursor)).toString('base64url')
      expect(titlesIn(await open(`/incidents?at=${at}`))).toHaveLength(3)
    }
    expect(titlesIn(await open('/incidents?q=%00'))).toHaveLength(3)
    expect(titlesIn(await open('/incidents?customer=%00'))).toHaveLength(3)
  })

  test('can be narrowed to customers and groups, and each narrowing taken off again', async () => {
    const page = await open(`/incidents?customer=${contoso.customer.id}&severity=low`)
    expect(titlesIn(page)).toEqual(['Odd sign-in'])
    holds(page, `href="/incidents?customer=${contoso.customer.id}"`)
    holds(page, 'href="/incidents?severity=low"')
    holds(page, /value="low" checked/)
  })

  test('says that nothing matches, where it looked, and how to look further', async () => {
    const page = await open('/incidents?q=done+with')
    holds(page, 'No incident matches this filter')
    holds(page, 'Only what is open was looked at.')
    holds(page, 'href="/incidents?q=done+with&amp;status=any"')
  })

  test('leads to an incident and from there back to the same list', async () => {
    const page = await open('/incidents?severity=high')
    const href = /<a class="title" href="([^"]*)"/.exec(page)?.[1] ?? ''
    const incident = await open(href)
    holds(incident, '<h1 class="break">Ransomware on a server</h1>')
    holds(incident, 'href="/incidents?severity=high">Filtered list')
  })

  test.each([
    'https://evil.example/incidents',
    '//evil.example/incidents',
    'javascript:alert(1)',
    '/settings',
    '/tenants/other/incidents',
    '%00',
    'http://[',
  ])('is what an incident leads back to when the way back is %j', async (from) => {
    const page = await open(`/tenants/${contoso.tenant.id}/incidents/501?from=${encodeURIComponent(from)}`)
    holds(page, 'href="/incidents">All open')
  })

  test('of one tenant holds its incidents alone, and lets an Analyst read it now', async () => {
    const address = `/tenants/${contoso.tenant.id}/incidents`
    const page = await open(address)
    expect(titlesIn(page)).toEqual(['Ransomware on a server', 'Odd sign-in'])
    lacks(page, 'Read now')
    const all = await open(`${address}?status=any&order=newest`)
    expect(titlesIn(all)).toEqual(expect.arrayContaining(['Odd sign-in', 'Done with', 'Ransomware on a server']))
    holds(all, /<b>\d+<\/b> of any status in this tenant/)
    const carol = await here.signedIn(here.cast.carol)
    const hers = await carol.open(address)
    holds(hers.text, 'Read now')
    const filtered = await carol.open(`${address}?severity=high`)
    const answer = await carol.submit(filtered, `/tenants/${contoso.tenant.id}/syncs`)
    expect([answer.status, answer.location]).toEqual([303, `${here.portal.config.publicUrl}${address}?severity=high`])
    const away = { returnTo: 'https://evil.example/' }
    expect((await carol.submit(filtered, `/tenants/${contoso.tenant.id}/syncs`, away)).location).toBe(
      `${here.portal.config.publicUrl}/`,
    )
    expect((await bob.open('/tenants/00000000-0000-4000-8000-000000000000/incidents')).status).toBe(404)
    expect((await bob.open('/tenants/%00/incidents')).status).toBe(404)
  })

  test('keeps its pages apart while incidents arrive', async () => {
    const many = Array.from({ length: 120 }, (_, i) =>
      incidentFor(here, {
        id: `9${String(i).padStart(3, '0')}`,
        title: `Many ${i}`,
        severity: 'informational',
        lastUpdateAt: instant(new Date(here.portal.now().getTime() - 3_600_000 - i * 1000)),
      }),
    )
    await arrive(here, contoso.tenant.id, many)
    const address = '/incidents?severity=informational'
    const first = await open(address)
    expect(titlesIn(first)).toEqual(many.slice(0, 50).map(({ title }) => title))
    holds(first, '<b>120</b> open')
    // One arrives on top: the next page neither repeats a line nor leaves one out.
    await arrive(here, fabrikam.tenant.id, [
      incidentFor(here, { id: '9999', title: 'Just in', severity: 'informational' }),
    ])
    const second = await open(linkIn(first, 'next') ?? '')
    expect(titlesIn(second)).toEqual(many.slice(50, 100).map(({ title }) => title))
    const third = await open(linkIn(second, 'next') ?? '')
    expect(titlesIn(third)).toEqual(many.slice(100).map(({ title }) => title))
    expect(linkIn(third, 'next')).toBeUndefined()
    expect(titlesIn(await open(linkIn(third, 'prev') ?? ''))).toEqual(titlesIn(second))
    const back = await open(linkIn(second, 'prev') ?? '')
    expect(titlesIn(back)).toEqual(many.slice(0, 50).map(({ title }) => title))
    expect(titlesIn(await open(linkIn(back, 'prev') ?? ''))).toEqual(['Just in'])
  })

  test('leaves out what an offboarded customer had, which stays readable by its tenant', async () => {
    const gone = await connected(here, 'Northwind')
    await arrive(here, gone.tenant.id, [incidentFor(here, { id: '77', title: 'Left behind', severity: 'high' })])
    expect(titlesIn(await open('/incidents'))).toContain('Left behind')
    await offboardCustomer(here.portal.db, before, gone.customer.id, here.portal.now())
    expect(titlesIn(await open('/incidents'))).not.toContain('Left behind')
    expect(titlesIn(await open('/incidents?status=any&q=left+behind'))).toEqual([])
    expect(titlesIn(await open(`/tenants/${gone.tenant.id}/incidents`))).toContain('Left behind')
    holds(await open(`/tenants/${gone.tenant.id}/incidents/77`), 'This customer is offboarded')
  })

  test('asks strangers to sign in and lets nobody in without a role', async () => {
    for (const address of [
      '/',
      '/incidents',
      `/tenants/${contoso.tenant.id}/incidents`,
      `/tenants/${contoso.tenant.id}/incidents/501`,
    ]) {
      expect((await here.browser().get(address)).location).toContain('/sign-in')
    }
    const mallory = await here.signedIn(here.cast.mallory).catch(() => here.browser())
    lacks((await mallory.open('/incidents')).text, 'Ransomware')
  })
})

onEachEngine('an incident', (engine) => {
  let here: TestPortal
  let bob: Browser
  let tenant: string
  let other: string
  const open = (id: string, query = '') => bob.open(`/tenants/${tenant}/incidents/${id}${query}`)

  beforeAll(async () => {
    here = await startTestPortal(engine)
    bob = await here.signedIn(here.cast.bob)
    tenant = (await connected(here, 'Contoso')).tenant.id
    other = (await connected(here, 'Fabrikam')).tenant.id
  })
  afterAll(() => here.close())

  test('shows its alerts in time, what they name with the worst verdict, and the way to Defender in its tenant', async () => {
    const begun = new Date('2026-11-20T04:41:00Z')
    const after = (minutes: number) => instant(new Date(begun.getTime() + minutes * 60_000))
    const url = {
      kind: 'url',
      name: 'https://norrsken-faktura.example/inlogg',
      detail: null,
      remediation: null,
    } as const
    await arrive(here, tenant, [
      incidentFor(here, {
        id: '2291',
        title: 'Multi-stage incident',
        severity: 'high',
        status: 'inProgress',
        assignedTo: 'tomasz.wilk@halvard.example',
        classification: 'truePositive',
        determination: 'multiStagedAttack',
        tags: ['Attack disruption'],
        comments: [{ text: 'Called Karin.', by: 'Tomasz Wilk', at: after(60) }],
        webUrl: 'https://security.microsoft.com/incident2/2291/overview?tid=00000000-0000-4000-8000-000000000000',
        alerts: [
          alertFor({
            id: 'b',
            title: 'Click on a URL',
            firstActivityAt: after(17),
            entities: [{ ...url, verdict: 'malicious' }],
            techniques: ['T1566.002', 'odd'],
            category: 'InitialAccess',
            serviceSource: 'microsoftDefenderForOffice365',
          }),
          alertFor({
            id: 'a',
            title: 'Mail removed',
            firstActivityAt: after(0),
            entities: [{ ...url, verdict: 'suspicious' }],
          }),
        ],
      }),
    ])
    const { text, status } = await open('2291')
    expect(status).toBe(200)
    expect(text.indexOf('Mail removed')).toBeLessThan(text.indexOf('Click on a URL'))
    holds(text, '+17 min')
    holds(text, 'hxxps://norrsken-faktura[.]example/inlogg')
    expect(text.match(/badge red">Malicious/g)).toHaveLength(1)
    lacks(text, 'badge orange">Suspicious')
    holds(text, `href="https://security.microsoft.com/incident2/2291/overview?tid=${tenant}"`)
    holds(text, 'href="https://attack.mitre.org/techniques/T1566/002/"')
    for (const words of [
      'True positive',
      'Multi-staged attack',
      'Defender for Office 365',
      'Initial access',
      'Called Karin.',
      'Attack disruption',
    ])
      holds(text, words)
  })

  test('is its own in every tenant, whatever number they share', async () => {
    await arrive(here, tenant, [
      incidentFor(here, { id: '12', title: 'Of Contoso', alerts: [alertFor({ id: 'x', title: 'Alert of Contoso' })] }),
    ])
    await arrive(here, other, [
      incidentFor(here, {
        id: '12',
        title: 'Of Fabrikam',
        alerts: [alertFor({ id: 'x', title: 'Alert of Fabrikam' })],
      }),
    ])
    const mine = (await open('12')).text
    const theirs = (await bob.open(`/tenants/${other}/incidents/12`)).text
    holds(mine, 'Alert of Contoso')
    lacks(mine, 'Fabrikam')
    holds(theirs, 'Alert of Fabrikam')
    lacks(theirs, 'Of Contoso')
  })

  test.each(['none', '%00', '..%2f..%2fsettings', '<script>', "' or 1=1--", 'x'.repeat(300), '12/extra'])(
    'that is not there is a 404, whatever it is called: %s',
    async (id) => {
      expect((await open(encodeURIComponent(id))).status).toBe(404)
      expect((await bob.open(`/tenants/no-such-tenant/incidents/${encodeURIComponent(id)}`)).status).toBe(404)
    },
  )

  test('may have an odd number', async () => {
    await arrive(here, tenant, [incidentFor(here, { id: 'a-b_c.9', title: 'Odd one' })])
    holds((await open('a-b_c.9')).text, 'Odd one')
    const list = await bob.open('/incidents?q=odd+one')
    holds(list.text, `href="/tenants/${tenant}/incidents/a-b_c.9?from=`)
  })

  test('whose texts are hostile shows them as text, whole or cut, and nothing else', async () => {
    const payloads = [
      '<script>alert(1)</script>',
      '"><img src=x onerror=alert(1)>',
      "' onmouseover='alert(1)",
      '<%= 7*7 %>',
      '{{7*7}}',
      '</title><svg onload=alert(1)>',
    ]
    const nasty = payloads.join(' ')
    const huge = `${nasty} ${'A'.repeat(50_000)}`
    await arrive(here, tenant, [
      incidentFor(here, {
        id: '666',
        title: huge,
        description: huge,
        severity: 'unknown',
        status: 'unknown',
        rawSeverity: nasty,
        rawStatus: nasty,
        classification: nasty,
        determination: nasty,
        assignedTo: nasty,
        tags: [nasty, huge],
        comments: [{ text: huge, by: nasty, at: null }],
        lastModifiedBy: nasty,
        webUrl: 'javascript:alert(1)',
        alerts: [
          alertFor({
            id: nasty,
            title: huge,
            description: huge,
            status: nasty,
            category: nasty,
            serviceSource: nasty,
            techniques: [nasty, 'T1059'],
            entities: (['user', 'url', 'file', 'process', 'other'] as const).map((kind) => ({
              kind,
              name: huge,
              detail: huge,
              verdict: nasty,
              remediation: nasty,
            })),
          }),
        ],
        ...originalOf({ id: 666, text: huge }, null),
      }),
    ])
    for (const address of [
      `/tenants/${tenant}/incidents/666`,
      '/incidents',
      `/incidents?q=${encodeURIComponent(nasty.slice(0, 190))}`,
      `/tenants/${tenant}/incidents`,
    ]) {
      const { text, status } = await bob.open(address)
      expect([address, status]).toEqual([address, 200])
      lacks(text, /<(script>|img|svg onload)/)
      // Within quotes it is a value: an attribute of its own is what must not be there.
      lacks(text.replace(/"[^"]*"/g, '""'), /<[^>]*\son(error|load|mouseover)=/)
      lacks(text, 'javascript:')
      lacks(text, '<h1 class="break">49')
    }
    const { text } = await open('666')
    holds(text, '&lt;script&gt;alert(1)&lt;/script&gt;')
    holds(text, `href="https://security.microsoft.com/incident2/666/overview?tid=${tenant}"`)
    expect(text.length).toBeLessThan(700_000)
    expect((await bob.open('/incidents')).text.length).toBeLessThan(300_000)
  })

  test.each([
    'http://security.microsoft.com/x',
    'https://security.microsoft.com.evil.example/x',
    'https://user:pw@security.microsoft.com/x',
    'data:text/html,x',
    '//evil.example',
    'not an address',
  ])('with the address %j leads to the portal’s own', async (webUrl) => {
    await arrive(here, tenant, [
      incidentFor(here, { id: '31', webUrl, lastUpdateAt: instant(new Date(here.portal.now().getTime() + 1)) }),
    ])
    await here.portal.db
      .updateTable('incidents')
      .set({ facts: JSON.stringify({ ...incidentFor(here, { id: '31' }), webUrl }) })
      .where('incident_id', '=', '31')
      .execute()
    const { text } = await open('31')
    holds(text, `href="https://security.microsoft.com/incident2/31/overview?tid=${tenant}"`)
    lacks(text, 'evil.example/x"')
  })

  test('shows characters that turn, hide or smuggle text', async () => {
    const title = 'invoice\u202Efdp.exe pay\u200Bpal a\u200Db \u0007bell \u{E0041}tag 家族👨‍👩‍👧 line'
    await arrive(here, tenant, [
      incidentFor(here, { id: '202', title, severity: 'high', alerts: [alertFor({ id: 'bidi', title })] }),
    ])
    for (const { text } of [await open('202'), await bob.open('/incidents')]) {
      holds(text, 'invoice[U+202E]fdp.exe pay[U+200B]pal a[U+200D]b [U+0007]bell [U+E0041]tag')
      lacks(text, /[\u202a-\u202e\u2066-\u2069\u200b]/u)
      holds(text, '👨‍👩‍👧')
    }
  })

  test('whose alerts are still to be read says so, and renews itself', async () => {
    await arrive(here, tenant, [incidentFor(here, { id: '41', alerts: null })])
    const { text } = await open('41')
    holds(text, 'The alerts are on their way')
    holds(text, /id="alerts" data-live/)
    await arrive(here, tenant, [incidentFor(here, { id: '42', alerts: [] })])
    const done = (await open('42')).text
    holds(done, 'Microsoft names no alert in this incident.')
    lacks(done, /id="alerts" data-live/)
  })

  test('that was merged leads to the end of the chain, which says where its reader came from', async () => {
    await arrive(here, tenant, [
      incidentFor(here, { id: '258', status: 'redirected', redirectId: '259' }),
      incidentFor(here, { id: '259', status: 'redirected', redirectId: '260' }),
      incidentFor(here, { id: '260', title: 'The survivor' }),
      incidentFor(here, { id: '261', title: 'Not merged' }),
    ])
    const answer = await bob.get(
      `/tenants/${tenant}/incidents/258?from=${encodeURIComponent('/incidents?severity=high')}`,
    )
    expect(answer.status).toBe(303)
    const { text } = await bob.follow(answer)
    holds(text, 'The survivor')
    holds(text, '#258 was merged into this one, #260')
    holds(text, 'href="/incidents?severity=high"')
    holds(text, 'Microsoft merged <strong>#259</strong>')
    for (const said of ['261', '260', '9999', '%3Cb%3E', 'a&merged=b']) {
      lacks((await open('260', `?merged=${said}`)).text, 'was merged into this one')
    }
    lacks((await bob.open('/incidents')).text, '/incidents/258')
  })

  test.each([
    ['leaves what is stored', [['301', '9301']]],
    [
      'is a circle',
      [
        ['311', '312'],
        ['312', '311'],
      ],
    ],
    ['ends in itself', [['321', '321']]],
    ['is longer than any', Array.from({ length: 30 }, (_, i) => [String(400 + i), String(401 + i)])],
  ])('whose chain of merges %s says so, and leads to Defender', async (_how, chain) => {
    await arrive(
      here,
      tenant,
      chain.map(([id = '', redirectId = '']) => incidentFor(here, { id, redirectId, status: 'redirected' })),
    )
    const [id = '', into = ''] = chain[0] ?? []
    const { status, text } = await open(id)
    expect(status).toBe(200)
    holds(text, `Microsoft merged this incident into #${into}`)
    holds(text, `/incident2/${into}/overview?tid=${tenant}`)
  })

  test('in a tenant gone blind says since when it is as it was', async () => {
    await arrive(here, tenant, [incidentFor(here, { id: '51', title: 'Old news', severity: 'high' })])
    here.simulator.world.revoke(tenant, here.portal.config.app.clientId)
    here.clock.advance(2 * 3_600_000)
    await untilNothingIsDue(here)
    const again = await here.signedIn(here.cast.bob)
    const { text } = await again.open(`/tenants/${tenant}/incidents/51`)
    holds(text, 'This tenant is blind since')
    const queue = await again.open('/incidents?q=old+news')
    holds(queue.text, /class="read blind">.*?blind \d+ h/s)
    holds(queue.text, '1 blind')
    holds((await again.open(`/tenants/${tenant}/incidents`)).text, 'Consent revoked')
  })
})

onEachEngine('an empty queue', (engine) => {
  test('says what it means: nobody looked, nothing is open, or not all was seen', async () => {
    const here = await startTestPortal(engine)
    const bob = await here.signedIn(here.cast.bob)
    await customerNamed(here, 'Adatum')
    holds((await bob.open('/incidents')).text, 'This is not “0 incidents”.')
    const { tenant } = await connected(here, 'Contoso')
    await here.portal.db.updateTable('incidents').set({ open: 0, status: 'resolved' }).execute()
    const good = (await bob.open('/incidents')).text
    holds(good, 'Nothing is open')
    holds(good, '1 of 1 tenants were read lately.')
    holds(good, 'this is the whole truth')
    here.simulator.world.revoke(tenant.id, here.portal.config.app.clientId)
    here.clock.advance(2 * 3_600_000)
    await untilNothingIsDue(here)
    const again = await here.signedIn(here.cast.bob)
    const blind = (await again.open('/incidents')).text
    holds(blind, '0 of 1 tenants were read lately.')
    holds(blind, /<a href="\/#blind">One is blind<\/a>, so this is not the whole truth/)
    await here.close()
  })
})

describe('an address that must not be followed', () => {
  test.each([
    ['https://a.example/x.y?z=1', 'hxxps://a[.]example/x.y?z=1'],
    ['HTTP://A.example', 'hxxp://A[.]example'],
    ['filehaven.example', 'filehaven[.]example'],
    ['javascript:alert(1)', 'javascript:alert(1)'],
    ['', ''],
    ['http://u@h.example:8080/p', 'hxxp://u@h[.]example:8080/p'],
  ])('%j is written %j', (address, written) => {
    expect(defanged(address)).toBe(written)
  })
})
