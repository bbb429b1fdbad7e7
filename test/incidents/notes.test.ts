import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { listAudit } from '../../server/store/audit.ts'
import { offboardCustomer } from '../../server/store/customers/offboarding.ts'
import { notesOf } from '../../server/store/incidents/notes.ts'
import { before, connected, formToken } from '../support/admin.ts'
import type { Browser } from '../support/browser.ts'
import { arrive, incidentFor } from '../support/desk.ts'
import { onEachEngine, startTestPortal, type TestPortal } from '../support/portal.ts'

onEachEngine('notes on an incident', (engine) => {
  let here: TestPortal
  let alice: Browser
  let carol: Browser
  let bob: Browser
  let tenantId: string
  let customerId: string
  const at = (id: string) => `/tenants/${tenantId}/incidents/${id}`
  const press = async (browser: Browser, address: string, fields: Record<string, string> = {}) =>
    browser.post(address, { _csrf: formToken(await browser.open('/settings')), ...fields })
  const texts = async (id: string) => (await notesOf(here.portal.db, tenantId, id)).map(({ text }) => text)

  beforeAll(async () => {
    here = await startTestPortal(engine)
    alice = await here.signedIn(here.cast.alice)
    carol = await here.signedIn(here.cast.carol)
    bob = await here.signedIn(here.cast.bob)
    const made = await connected(here, 'Noted')
    tenantId = made.tenant.id
    customerId = made.customer.id
    await arrive(
      here,
      tenantId,
      ['700', '701', '702', '703'].map((id) => incidentFor(here, { id })),
    )
  })
  afterAll(() => here.close())

  test('are written by an Analyst, shown as text with line breaks kept, and told in the audit log', async () => {
    expect((await bob.open(at('700'))).text).toContain('Nobody has written a note.')
    const page = await carol.open(`${at('700')}?from=${encodeURIComponent('/incidents?severity=high')}`)
    const text = 'First line\r\n\r\n<script>alert(1)</script> & "quoted"\r\n{{7*7}}'
    const action = /action="([^"]+\/notes[^"]*)"/.exec(page.text)?.[1]?.replaceAll('&amp;', '&') ?? ''
    const kept = await carol.post(action, { _csrf: formToken(page), text })
    expect(kept.status).toBe(303)
    expect(kept.location).toBe(`${here.portal.config.publicUrl}${at('700')}?from=%2Fincidents%3Fseverity%3Dhigh#notes`)
    const shown = (await bob.open(at('700'))).text
    expect(shown).toMatch(
      /First line\n\n&lt;script&gt;alert\(1\)&lt;\/script&gt; &amp; &[#\w]+;quoted&[#\w]+;\n\{\{7\*7\}\}/,
    )
    expect(shown).not.toContain('<script>alert')
    expect(shown).toContain('Carol Analyst')
    const [event] = await listAudit(here.portal.db, { tenantId, limit: 1 })
    expect([event?.action, event?.facts.incident]).toEqual(['note.added', '700'])
    const log = (await alice.open('/audit')).text
    expect(log).toContain('wrote a note on an incident of')
    expect(log).toContain('Incident #700')
    expect(log).not.toContain('First line')
  })

  test('are neither written nor removed by a Reader, or by a form of nobody’s', async () => {
    const seen = (await bob.open(at('700'))).text
    expect(seen).toContain('Your role lets you look.')
    expect(seen).not.toContain('/removal"')
    expect((await press(bob, `${at('701')}/notes`, { text: 'x' })).status).toBe(403)
    expect((await carol.post(`${at('701')}/notes`, { text: 'x' })).status).toBe(403)
    expect(await texts('701')).toEqual([])
  })

  test.each([
    ['nothing', '', 'Write something first'],
    ['nothing but spaces', ' \n\t ', 'Write something first'],
    ['too much', 'x'.repeat(4_001), 'at most 4,000 characters'],
  ])('that hold %s are not kept, and nothing typed is lost', async (_what, text, fault) => {
    const page = await press(carol, `${at('701')}/notes`, { text })
    expect(page.status).toBe(422)
    expect(page.text).toContain(fault)
    if (text.length > 4_000) expect(page.text).toContain(text)
    expect(await texts('701')).toEqual([])
  })

  test('hold 4,000 characters, however their line ends travel, and no NUL', async () => {
    const text = `${'x\r\n'.repeat(1_999)}xy`
    expect((await press(carol, `${at('701')}/notes`, { text })).status).toBe(303)
    expect((await press(carol, `${at('701')}/notes`, { text: 'a\u0000b' })).status).toBe(303)
    expect((await texts('701')).map((one) => one.length)).toEqual([4_000, 3])
  })

  test('are removed by their author, by an Admin, and by nobody else', async () => {
    await press(alice, `${at('702')}/notes`, { text: 'of the Admin' })
    await press(carol, `${at('702')}/notes`, { text: 'of the Analyst' })
    const [hers, carols] = await notesOf(here.portal.db, tenantId, '702')
    const removal = (id: string | undefined) => `/tenants/${tenantId}/notes/${id}/removal`
    const seen = (await carol.open(at('702'))).text
    expect(seen).toContain(removal(carols?.id))
    expect(seen).not.toContain(removal(hers?.id))
    expect((await press(carol, removal(hers?.id))).status).toBe(403)
    expect((await press(bob, removal(carols?.id))).status).toBe(403)
    expect(
      (await press(carol, `/tenants/00000000-0000-4000-8000-000000000000/notes/${carols?.id}/removal`)).status,
    ).toBe(404)
    const gone = await press(carol, removal(carols?.id), { returnTo: at('702') })
    expect(gone.location).toBe(`${here.portal.config.publicUrl}${at('702')}#notes`)
    expect((await press(carol, removal(carols?.id))).status).toBe(404)
    expect((await press(alice, removal(hers?.id), { returnTo: 'https://evil.example' })).location).toBe(
      `${here.portal.config.publicUrl}/#notes`,
    )
    expect(await texts('702')).toEqual([])
  })

  test('follow a merge, chains too, and say where they were written', async () => {
    await press(carol, `${at('703')}/notes`, { text: 'Written on 703' })
    await arrive(here, tenantId, [
      incidentFor(here, { id: '703', status: 'redirected', redirectId: '702', lastUpdateAt: '2030-01-01T00:00:00Z' }),
      incidentFor(here, { id: '702', status: 'redirected', redirectId: '700', lastUpdateAt: '2030-01-01T00:00:00Z' }),
    ])
    const survivor = await bob.follow(await bob.get(at('703')))
    expect(new URL(survivor.url).pathname).toBe(at('700'))
    expect(survivor.text).toContain('Written on 703')
    expect(survivor.text).toMatch(/written on <a href="[^"]*\/incidents\/703"[^>]*>#703<\/a>, merged since/)
    const tooLong = await press(carol, `${at('703')}/notes`, { text: 'y'.repeat(4_001) })
    expect([tooLong.status, tooLong.text.includes('y'.repeat(4_001))]).toEqual([422, true])
  })

  test('stay on a merged incident whose survivor nobody has read', async () => {
    await arrive(here, tenantId, [incidentFor(here, { id: '704' })])
    await press(carol, `${at('704')}/notes`, { text: 'Written before the merge' })
    await arrive(here, tenantId, [
      incidentFor(here, { id: '704', status: 'redirected', redirectId: '999', lastUpdateAt: '2030-01-01T00:00:00Z' }),
    ])
    const { text } = await carol.open(at('704'))
    expect(text).toContain('Microsoft merged this incident into #999')
    expect(text).toContain('Written before the merge')
  })

  test('and everything else stay on an incident that Microsoft lists no longer', async () => {
    await here.portal.db
      .updateTable('incidents')
      .set({ gone_at: here.portal.now().toISOString() })
      .where('incident_id', '=', '701')
      .execute()
    const { text } = await bob.open(at('701'))
    expect(text).toContain('Microsoft no longer lists this incident since')
    expect(text).toContain('id="notes"')
  })

  test('do not exist where there is no incident, and stay readable once a customer is offboarded', async () => {
    expect((await press(carol, `${at('12345')}/notes`, { text: 'x' })).status).toBe(404)
    expect((await press(carol, `${at('12345')}/notes`, { text: '' })).status).toBe(404)
    await offboardCustomer(here.portal.db, before, customerId, here.portal.now())
    expect((await bob.open(at('700'))).text).toContain('First line')
  })
})
