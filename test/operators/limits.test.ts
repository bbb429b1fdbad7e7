import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals'
import type { Person } from '../../server/simulator/world/directory.ts'
import type { Customer } from '../../server/store/customers/customers.ts'
import { findOperator, operatorId } from '../../server/store/operators/operators.ts'
import { connected, customerNamed, formToken } from '../support/admin.ts'
import type { Browser } from '../support/browser.ts'
import { onEachEngine, startTestPortal, type TestPortal } from '../support/portal.ts'

onEachEngine('what an operator may see, as an Admin chooses', (engine) => {
  let here: TestPortal
  let alice: Browser
  let carol: Browser
  let own: Customer
  let other: Customer
  let page: string

  const idOf = (person: Person) => operatorId({ tid: here.partner.id, oid: person.id })
  const pageOf = (person: Person) => `/settings/people/${idOf(person)}/scope`
  const limitsOf = async (person: Person) => (await findOperator(here.portal.db, idOf(person)))?.limits
  const events = () =>
    here.portal.db
      .selectFrom('audit_events')
      .select(['actor_name', 'subject_id', 'customer_id', 'facts'])
      .where('action', '=', 'operator.limited')
      .orderBy('id')
      .execute()

  beforeAll(async () => {
    here = await startTestPortal(engine)
    own = (await connected(here, 'Åkerlund Frakt')).customer
    other = await customerNamed(here, 'Bergqvist', { groups: ['Energy'] })
    await customerNamed(here, 'Bergström', { groups: ['Energy', 'North'] })
    alice = await here.signedIn(here.cast.alice)
    carol = await here.signedIn(here.cast.carol)
    page = pageOf(here.cast.carol)
  })
  afterAll(() => here.close())
  beforeEach(() => here.portal.db.updateTable('operators').set({ limits: null }).execute())

  const save = async (fields: Record<string, string | string[]>, browser = alice, at = page) =>
    browser.post(at, { _csrf: formToken(await browser.open('/settings')), ...fields })

  test('holds from the next request of somebody who is signed in, and no longer than it is so', async () => {
    expect((await carol.get(`/customers/${other.id}`)).status).toBe(200)
    expect((await save({ which: 'some', customers: own.id })).status).toBe(303)
    expect((await carol.get(`/customers/${other.id}`)).status).toBe(404)
    expect((await carol.get(`/customers/${own.id}`)).status).toBe(200)
    expect((await save({ which: 'all', customers: own.id })).status).toBe(303)
    expect((await carol.get(`/customers/${other.id}`)).status).toBe(200)
    expect(await limitsOf(here.cast.carol)).toBeNull()
  })

  test('is written to the audit log once for a change, and not for what was so', async () => {
    const before = (await events()).length
    await save({ which: 'some', groups: ['North', 'Energy'] })
    await save({ which: 'some', groups: ['Energy', 'North'] })
    const written = (await events()).slice(before)
    expect(written).toEqual([
      { actor_name: 'Alice Admin', subject_id: idOf(here.cast.carol), customer_id: null, facts: expect.any(String) },
    ])
    expect(JSON.parse(written[0]?.facts ?? '')).toEqual({
      person: 'Carol Analyst',
      groups: 'North, Energy',
      customers: 0,
    })
    const log = await alice.open('/audit')
    expect(log.text).toContain('chose what Carol Analyst may see')
    expect(log.text).toContain('groups: North, Energy')
  })

  test('takes in whoever joins a group later', async () => {
    await save({ which: 'some', groups: 'Energy' })
    const later = await customerNamed(here, 'Later', { groups: ['Energy'] })
    expect((await carol.get(`/customers/${later.id}`)).status).toBe(200)
  })

  test('is told on her overview and in Settings, with what it comes to', async () => {
    await save({ which: 'some', groups: 'North', customers: own.id })
    const overview = await carol.open('/')
    expect(overview.text).toContain('You work for <strong>North and Åkerlund Frakt</strong>: 2 customers.')
    expect((await alice.open('/')).text).not.toContain('You work for')
    expect((await alice.open('/settings')).text).toContain('North and 1 customer')
    const shown = await alice.open(page)
    expect(shown.text).toMatch(/Tenants<\/dt><dd class="num">1 of 1/)
    expect(shown.text).toMatch(/Customers<\/dt><dd class="num">2 of \d/)
  })

  test('is found by a part of the name, one customer ticked and several offered, and nothing is saved by that', async () => {
    const one = await save({ which: 'all', find: 'åkerl', act: 'find' })
    expect(one.text).toMatch(new RegExp(`value="${own.id}" checked`))
    expect(one.text).toMatch(/value="some"\s*checked/)
    const two = await save({ which: 'some', find: 'BERG', customers: own.id, act: 'find' })
    expect(two.text).toMatch(new RegExp(`value="${own.id}" checked`))
    expect(two.text).toMatch(new RegExp(`value="${other.id}">`))
    expect((await save({ which: 'some', find: 'nobody-is-called-so', act: 'find' })).text).toContain(
      'No other customer',
    )
    expect(await limitsOf(here.cast.carol)).toBeNull()
  })

  test.each([
    ['nobody at all', { which: 'some' }, 422, 'Choose at least one group or customer'],
    ['a group that is not there', { which: 'some', groups: 'South' }, 422, 'is not there any more'],
    ['a customer that is not there', { which: 'some', customers: 'AAAAAAAAAAAAAAAAAAAAAA' }, 422, 'not there any more'],
    ['no answer to which', { groups: 'Energy' }, 422, ''],
    ['a customer that cannot be one', { which: 'some', customers: "' or 1=1" }, 422, ''],
    ['more customers than a form takes', { which: 'some', customers: Array(501).fill('A') }, 422, ''],
    ['a field that is not offered', { which: 'all', roles: 'Muster.Admin' }, 400, ''],
  ])('is not taken, and what was chosen is shown again: %s', async (_name, fields, status, words) => {
    const answer = await save(fields)
    expect(answer.status).toBe(status)
    expect(answer.text).toContain(words)
    if (status === 422 && 'groups' in fields && fields.groups === 'Energy')
      expect(answer.text).toMatch(/"Energy" checked/)
    expect(await limitsOf(here.cast.carol)).toBeNull()
  })

  test('is nobody’s own to choose, nor that of whom Entra or ADMIN_USERS speaks of', async () => {
    const { world } = here.simulator
    world.registration(here.portal.config.signIn.clientId).appRoles?.push('Muster.Scope.North')
    const byRole = world.addPerson(here.partner.id, {
      name: 'By role',
      appRoles: ['Muster.Admin', 'Muster.Scope.North'],
    })
    await here.signedIn(byRole)
    const fixed: [Person, string][] = [
      [here.cast.alice, 'Nobody limits herself'],
      [byRole, 'Entra says what this person may see'],
      [here.cast.bob, 'ADMIN_USERS names this person'],
    ]
    await here.signedIn(here.cast.bob)
    Object.assign(here.portal.config, { adminUsers: [here.cast.bob.id] })
    for (const [person, words] of fixed) {
      expect((await alice.open(pageOf(person))).text).toContain(words)
      const answer = await save({ which: 'some', groups: 'Energy' }, alice, pageOf(person))
      expect([words, answer.status, await limitsOf(person)]).toEqual([words, 422, null])
    }
    Object.assign(here.portal.config, { adminUsers: [] })
  })

  test('is no Reader’s, no Analyst’s and no limited Admin’s to choose, and of nobody who never signed in', async () => {
    const { world } = here.simulator
    const admin = world.addPerson(here.partner.id, { name: 'Limited Admin', appRoles: ['Muster.Admin'] })
    const limited = await here.signedIn(admin)
    await save({ which: 'some', groups: 'Energy' }, alice, pageOf(admin))
    for (const browser of [carol, limited]) {
      expect((await browser.get(page)).status).toBe(403)
      expect((await save({ which: 'all' }, browser)).status).toBe(403)
      expect((await save({ which: 'all' }, browser, pageOf(admin))).status).toBe(403)
      expect((await browser.open('/settings')).text).not.toContain('/scope"')
    }
    expect((await alice.get('/settings/people/nobody.nobody/scope')).status).toBe(404)
    expect((await save({ which: 'all' }, alice, '/settings/people/nobody.nobody/scope')).status).toBe(404)
  })

  test('stays while a role value of Entra comes and goes', async () => {
    await save({ which: 'some', customers: own.id })
    here.cast.carol.appRoles.push('Muster.Scope.North')
    const again = await here.signedIn(here.cast.carol)
    expect((await again.get(`/customers/${own.id}`)).status).toBe(404)
    here.cast.carol.appRoles.pop()
    const last = await here.signedIn(here.cast.carol)
    expect((await last.get(`/customers/${own.id}`)).status).toBe(200)
    expect((await last.get(`/customers/${other.id}`)).status).toBe(404)
  })
})
