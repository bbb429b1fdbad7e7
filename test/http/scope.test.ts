import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import type { Route } from '../../server/http/route.ts'
import { issueConsentLink } from '../../server/onboarding/links.ts'
import { addNote } from '../../server/store/incidents/notes.ts'
import { operatorId } from '../../server/store/operators/operators.ts'
import { routes } from '../../server/web/routes.ts'
import { before, connected, customerNamed, formToken, waitingReview } from '../support/admin.ts'
import type { Browser, Page } from '../support/browser.ts'
import { dumpOf } from '../support/database-dump.ts'
import { alertFor, arrive, incidentFor } from '../support/desk.ts'
import { onEachEngine, startTestPortal, type TestPortal } from '../support/portal.ts'
import { root } from '../support/root.ts'

/** Everything of one customer that the portal could tell: words and IDs. */
interface Told {
  customerId: string
  tenantId: string
  incidentId: string
  linkId: string
  reviewId: string
  noteId: string
  alarmId: string
  operatorId: string
  words: string[]
}

/** A customer with everything there can be, each thing named by a word of its own. */
async function tellingCustomer(here: TestPortal, word: string, group: string): Promise<Told> {
  const { db, now } = here.portal
  const { customer, tenant } = await connected(here, `${word} customer`)
  await db
    .updateTable('customers')
    .set({
      contact_name: `${word} contact`,
      contact_email: `${word}@example.test`,
      notes: `${word} remark`,
      expected_domain: `${word}.example.test`,
    })
    .where('id', '=', customer.id)
    .execute()
  await db.insertInto('customer_groups').values({ customer_id: customer.id, name: group }).execute()
  const incidentId = `${word}-4711`
  const alerts = [alertFor({ id: `${word}-alert`, title: `${word} alert`, serviceSource: `${word} product` })]
  const incident = { id: incidentId, title: `${word} incident`, assignedTo: `${word}.analyst`, tags: [`${word}-tag`] }
  await arrive(here, tenant.id, [incidentFor(here, { ...incident, severity: 'high', alerts })])
  await addNote(db, before, { tenantId: tenant.id, incidentId, text: `${word} note` }, now())
  const { link } = await issueConsentLink(here.portal, before, { customerId: customer.id, days: 14 })
  const claimed = here.simulator.world.addTenant({ displayName: `${word} claimed` })
  const review = await waitingReview(here, customer.id, claimed.id, { tenantName: `${word} claimed` })
  const note = await db.selectFrom('incident_notes').select('id').where('incident_id', '=', incidentId).execute()
  const alarms = db.selectFrom('notify_alarms').select('id').where('customer_id', '=', customer.id)
  const alarm = await alarms.executeTakeFirst()
  return {
    customerId: customer.id,
    tenantId: tenant.id,
    incidentId,
    linkId: link.id,
    reviewId: review.id,
    noteId: note[0]?.id ?? '',
    alarmId: alarm?.id ?? '',
    operatorId: operatorId({ tid: here.partner.id, oid: here.cast.alice.id }),
    words: [word, customer.id, tenant.id, link.id, link.reference, review.id, claimed.id, group],
  }
}

const pathOf = (route: Route, told: Told): string =>
  route.path
    .replace(/^(\/customers\/):id/, `$1${told.customerId}`)
    .replace(/^(\/links\/):id/, `$1${told.linkId}`)
    .replace(/^(\/reviews\/):id/, `$1${told.reviewId}`)
    .replace(/^(\/alarms\/):id/, `$1${told.alarmId}`)
    .replace(/^(\/(destinations|deliveries)\/):id/, '$1none')
    .replace(/^(\/settings\/people\/):id/, `$1${told.operatorId}`)
    .replace(/^(\/sessions\/):id/, '$1none')
    .replace(/^\/search$/, '/search?q=a')
    .replace(':tenantId', told.tenantId)
    .replace(':incidentId', told.incidentId)
    .replace(':noteId', told.noteId)

/** IDs of the same shape that nobody has. */
const nobodys: Told = {
  customerId: 'AAAAAAAAAAAAAAAAAAAAAA',
  tenantId: '00000000-0000-4000-8000-00000000dead',
  incidentId: 'none-4711',
  linkId: 'BBBBBBBBBBBBBBBBBBBBBB',
  reviewId: 'CCCCCCCCCCCCCCCCCCCCCC',
  noteId: 'DDDDDDDDDDDDDDDDDDDDDD',
  alarmId: 'EEEEEEEEEEEEEEEEEEEEEE',
  operatorId: 'nobody.nobody',
  words: [],
}

const forOperators = routes.filter(({ access }) => access !== 'public' && access !== 'customer-browser')
const pages = forOperators.filter(({ method }) => method === 'GET')
const forms = forOperators.filter(({ method, path }) => method === 'POST' && !/logout|preferences/.test(path))

/** Ways of asking a page for more than it shows at first. */
const asked = (told: Told) => [
  '',
  '?q=anarie',
  `?customer=${told.customerId}`,
  `?group=${encodeURIComponent('Kanarie group')}`,
  '?status=any&order=newest',
  '?order=name',
  '?kind=consent',
]

const bare = (page: Page) =>
  page.text
    .replaceAll(page.url.replace(/^https?:\/\/[^/]+/, ''), '')
    .replace(/datetime="[^"]*"|\d\d:\d\d:\d\d|value="[^"]*"/g, '')
    .replaceAll(String(page.headers['x-request-id']), '')

onEachEngine('an operator of some customers', (engine) => {
  let here: TestPortal
  let own: Told
  let canary: Told
  let silent: Told
  beforeAll(async () => {
    here = await startTestPortal(engine)
    own = await tellingCustomer(here, 'egen', 'Nord West')
    canary = await tellingCustomer(here, 'kanarie', 'Kanarie group')
    silent = await tellingCustomer(here, 'stumm', 'Stumm group')
    await customerNamed(here, 'kanarie without anything', { groups: ['Kanarie group'] })
    const registration = here.simulator.world.registration(here.portal.config.signIn.clientId)
    registration.appRoles?.push('Muster.Scope.Nord_West', 'Muster.Scope.Nobody', 'Muster.Scope.')
  })
  afterAll(() => here.close())

  const limitedTo = (...roles: string[]): Promise<Browser> => {
    const name = `Limited ${roles.join(' ')}`
    return here.signedIn(here.simulator.world.addPerson(here.partner.id, { name, appRoles: roles }))
  }

  /** What a page tells of a customer; what its own address says is no news. */
  const told = (page: Page, whose: Told) => {
    const asked = decodeURIComponent(page.url).toLowerCase()
    const text = page.text.toLowerCase()
    return whose.words.filter((word) => text.includes(word.toLowerCase()) && !asked.includes(word.toLowerCase()))
  }

  /** Somebody of that role who signs in, and whom an Admin then limits by the page for it. */
  const limitedInSettings = async (role: string, groups: string[], whose: Told[]): Promise<Browser> => {
    const name = `${role} of ${groups} and ${whose.length}`
    const person = here.simulator.world.addPerson(here.partner.id, { name, appRoles: [role] })
    const browser = await here.signedIn(person)
    const alice = await here.signedIn(here.cast.alice)
    const page = `/settings/people/${operatorId({ tid: here.partner.id, oid: person.id })}/scope`
    const customers = whose.map(({ customerId }) => customerId)
    const saved = await alice.submit(await alice.open(page), page, { which: 'some', groups, customers, act: 'save' })
    expect([saved.status, saved.location]).toEqual([303, `${here.browser().origin}/settings#people`])
    return browser
  }

  /** Limited to a group that no customer is in any more. */
  const limitedToNobody = async (): Promise<Browser> => {
    const { id } = await customerNamed(here, 'once in a group', { groups: ['Left by all'] })
    const limited = await limitedInSettings('Muster.Admin', ['Left by all'], [])
    await here.portal.db.deleteFrom('customer_groups').where('customer_id', '=', id).execute()
    return limited
  }

  describe.each<[string, () => Promise<Browser>, number]>([
    ['of none', () => limitedTo('Muster.Admin', 'Muster.Scope.Nobody'), 0],
    ['of a group without a name', () => limitedTo('Muster.Admin', 'Muster.Scope.'), 0],
    ['of one', () => limitedTo('Muster.Admin', 'Muster.Scope.Nord_West'), 1],
    ['of one, as a Reader', () => limitedTo('Muster.Reader', 'Muster.Scope.Nord_West'), 1],
    ['of none, by Settings', limitedToNobody, 0],
    ['of one and its group, by Settings', () => limitedInSettings('Muster.Admin', ['Nord West'], [own]), 1],
  ])('%s', (_of, someone, customers) => {
    let limited: Browser
    beforeAll(async () => {
      limited = await someone()
    })

    test('is told nothing of others by any page, however it is asked', async () => {
      for (const route of pages.filter(({ path }) => !path.includes(':'))) {
        for (const query of asked(canary)) {
          const page = await limited.get(`${route.path}${query}`)
          expect([route.path, query, told(page, canary), told(page, silent)]).toEqual([route.path, query, [], []])
          if (page.status !== 200) expect([route.path, page.status]).toEqual([route.path, 403])
        }
      }
    })

    test('is answered about what is not his as about what is not there, by every page', async () => {
      for (const route of pages.filter(({ path }) => path.includes(':'))) {
        const [there, nowhere] = [await limited.get(pathOf(route, canary)), await limited.get(pathOf(route, nobodys))]
        expect([route.path, there.status, told(there, silent)]).toEqual([route.path, nowhere.status, []])
        expect([404, 403]).toContain(there.status)
        expect(bare(there)).toBe(bare(nowhere))
      }
    })

    test('is answered so by every form, and changes nothing', async () => {
      const token = formToken(await limited.open('/settings'))
      for (const route of forms.filter(({ path }) => path.includes(':'))) {
        const kept = await dumpOf(here.portal.db, ['sessions', 'notify_alarms'])
        const fields = { _csrf: token, ...(route.path.endsWith('windows') ? { span: 'day' } : {}) }
        const [there, nowhere] = [
          await limited.post(pathOf(route, canary), fields),
          await limited.post(pathOf(route, nobodys), fields),
        ]
        expect([route.path, there.status, there.location]).toEqual([route.path, nowhere.status, nowhere.location])
        expect([404, 403]).toContain(there.status)
        expect(bare(there)).toBe(bare(nowhere))
        expect([route.path, await dumpOf(here.portal.db, ['sessions', 'notify_alarms'])]).toEqual([route.path, kept])
      }
    })

    test('changes nothing that is the whole portal’s', async () => {
      const token = formToken(await limited.open('/settings'))
      for (const route of forOperators.filter(({ wholePortal }) => wholePortal)) {
        const page =
          route.method === 'GET' ? await limited.get(route.path) : await limited.post(route.path, { _csrf: token })
        expect([route.path, page.status]).toEqual([route.path, 403])
      }
    })

    test('sees his own, and numbers over it alone', async () => {
      const page = await limited.open('/customers')
      expect(page.text.match(/<tr role="row" data-row/g)?.length ?? 0).toBe(customers)
      const incidents = await limited.open('/incidents?status=any')
      expect(incidents.text.includes('egen incident')).toBe(customers === 1)
      if (customers === 0) return
      for (const route of pages.filter(({ access, path }) => path.includes(':') && access === 'Reader')) {
        const answer = await limited.get(pathOf(route, own))
        expect([route.path, answer.status, told(answer, canary), told(answer, silent)]).toEqual([
          route.path,
          200,
          [],
          [],
        ])
      }
    })
  })

  test('of one is not told whose a tenant is that he names, and binds nothing', async () => {
    const limited = await limitedTo('Muster.Admin', 'Muster.Scope.Nord_West')
    const token = formToken(await limited.open(`/customers/${own.customerId}`))
    const answer = await limited.post(`/customers/${own.customerId}/tenants`, { _csrf: token, tenant: canary.tenantId })
    expect(answer.status).toBe(409)
    expect(answer.text).not.toContain('kanarie')
    expect(answer.text).not.toContain(canary.customerId)
  })

  test('of one is not told who else expects the tenant of his customer, nor who bears its name', async () => {
    const limited = await limitedTo('Muster.Admin', 'Muster.Scope.Nord_West')
    const { db } = here.portal
    const expectTenant = (tenantId: string | null) =>
      db.updateTable('customers').set({ expected_tenant_id: tenantId }).where('id', '=', own.customerId).execute()
    await expectTenant(silent.tenantId)
    const page = await limited.open(`/customers/${own.customerId}`)
    expect(page.text).toContain('another customer')
    expect(told(page, silent).filter((word) => word !== silent.tenantId)).toEqual([])
    await expectTenant(null)
    const form = await limited.open(`/customers/${own.customerId}/edit`)
    const named = { name: 'stumm customer', language: 'sv', contactName: '', contactEmail: '', expected: '', notes: '' }
    const saved = await limited.post(`/customers/${own.customerId}`, { ...named, _csrf: formToken(form) })
    expect(saved.status).toBe(303)
  })

  test('of one changes his customer, but not in which groups it is', async () => {
    const limited = await limitedTo('Muster.Admin', 'Muster.Scope.Nord_West')
    const form = await limited.open(`/customers/${own.customerId}/edit`)
    expect(form.text).not.toContain('name="groups"')
    const fields = { name: 'egen renamed', language: 'sv', contactName: '', contactEmail: '', expected: '', notes: '' }
    const refused = await limited.post(`/customers/${own.customerId}`, {
      ...fields,
      _csrf: formToken(form),
      groups: 'Kanarie group',
    })
    expect(refused.status).toBe(400)
    const changed = await limited.post(`/customers/${own.customerId}`, { ...fields, _csrf: formToken(form) })
    expect(changed.status).toBe(303)
    const groups = await here.portal.db
      .selectFrom('customer_groups')
      .select('name')
      .where('customer_id', '=', own.customerId)
      .execute()
    expect(groups).toEqual([{ name: 'Nord West' }])
  })

  test('loses sight of a customer with the request after it left the group', async () => {
    const limited = await limitedTo('Muster.Reader', 'Muster.Scope.Nord_West')
    const { db } = here.portal
    expect((await limited.get(`/customers/${own.customerId}`)).status).toBe(200)
    await db.updateTable('customer_groups').set({ name: 'South' }).where('customer_id', '=', own.customerId).execute()
    expect((await limited.get(`/customers/${own.customerId}`)).status).toBe(404)
    await db.updateTable('customer_groups').set({ name: 'Nord West' }).where('name', '=', 'South').execute()
    expect((await limited.get(`/customers/${own.customerId}`)).status).toBe(200)
  })

  test('is nobody whom ADMIN_USERS names', async () => {
    const appRoles = ['Muster.Reader', 'Muster.Scope.Nobody']
    const named = here.simulator.world.addPerson(here.partner.id, { name: 'Named in the environment', appRoles })
    const { config } = here.portal
    const browser = await here.signedIn(named)
    expect((await browser.get(`/customers/${canary.customerId}`)).status).toBe(404)
    Object.assign(config, { adminUsers: [named.id] })
    expect((await browser.get(`/customers/${canary.customerId}`)).status).toBe(200)
    expect((await browser.get('/setup')).status).toBe(200)
    Object.assign(config, { adminUsers: [] })
  })

  test('of all is told of everybody: what the others are not told is there', async () => {
    const admin = await here.signedIn(here.cast.alice)
    const silentPages = [
      '/settings',
      '/pause',
      '/setup',
      '/doctor',
      '/customers/new',
      '/destinations',
      '/destinations/new',
      '/deliveries',
      '/sessions',
      '/settings/people/:id/scope',
    ]
    for (const route of pages.filter(
      ({ path }) => !silentPages.includes(path) && !/^.(destinations|deliveries)/.test(path),
    )) {
      const page = await admin.get(pathOf(route, canary))
      expect([route.path, page.status, told(page, canary).length > 0]).toEqual([route.path, 200, true])
    }
  })
})

describe('the door', () => {
  const server = join(root, 'server')
  const textsBelow = (room: string): [string, string][] =>
    readdirSync(join(server, room), { recursive: true, encoding: 'utf8' })
      .filter((file) => file.endsWith('.ts'))
      .map((file) => [`${room}/${file}`, readFileSync(join(server, room, file), 'utf8')])
  const inside = ['web', ...(readdirSync(server).includes('api') ? ['api'] : [])].flatMap(textsBelow)
  // What a customer's browser may see is decided by its link and its cookie.
  const seen = inside.filter(([file]) => !file.startsWith('web/join/'))

  /** What stands between the parentheses that open at `from`. */
  function parametersAt(text: string, from: number): string {
    let depth = 0
    for (let at = from; at < text.length; at++) {
      if (text[at] === '(') depth++
      if (text[at] === ')' && --depth === 0) return text.slice(from, at)
    }
    return ''
  }

  /** Functions of the store and the stories that take a scope, by their name. */
  const scoped = [...textsBelow('store'), ...textsBelow('customers')].flatMap(([, text]) =>
    [...text.matchAll(/export (?:async )?function (\w+)\(/g)].flatMap(({ index, 0: head, 1: name = '' }) =>
      /\bscope: Scope\b/.test(parametersAt(text, index + head.length - 1)) ? [name] : [],
    ),
  )

  test('is known of every list, count, chart and search', () => {
    expect(scoped).toEqual(
      expect.arrayContaining([
        'listCustomers',
        'fleetSummary',
        'openQueue',
        'createdPerDay',
        'listAudit',
        'findTenant',
      ]),
    )
    expect(scoped.length).toBeGreaterThan(20)
  })

  test('is passed by nobody who lists, counts or searches without saying for whom', () => {
    const wrong = seen.flatMap(([file, text]) =>
      [...text.matchAll(/\b(\w+)\(/g)]
        .filter(([, name = '']) => scoped.includes(name))
        .filter(({ index, 0: call }) => !/\bscope\b/.test(parametersAt(text, index + call.length - 1)))
        .map(([call]) => `${file}: ${call}`),
    )
    expect(wrong).toEqual([])
  })

  test('is the one way from an ID to what it names', () => {
    const finders = /\b(getCustomer|findCustomer|getTenant|findTenant|getReview|getLink|everything)\b/
    const imports = (text: string) => [...text.matchAll(/^import [^']*'/gm)].join()
    expect(seen.filter(([, text]) => finders.test(imports(text))).map(([file]) => file)).toEqual([])
  })
})
