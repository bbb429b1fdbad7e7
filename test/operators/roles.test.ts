import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { placesFor } from '../../server/http/frame/places.ts'
import { type OperatorRole, reaches } from '../../server/http/operator.ts'
import type { Route } from '../../server/http/route.ts'
import { issueConsentLink } from '../../server/onboarding/links.ts'
import { offboardCustomer } from '../../server/store/customers/offboarding.ts'
import { everything, type Scope } from '../../server/store/scope.ts'
import { routes } from '../../server/web/routes.ts'
import { before, connected, consentedTenant, customerNamed, waitingReview } from '../support/admin.ts'
import type { Browser, Page } from '../support/browser.ts'
import { startTestPortal, type TestPortal } from '../support/portal.ts'

const routeOf = (method: Route['method'], path: string) =>
  routes.find((route) => route.method === method && new RegExp(`^${route.path.replace(/:\w+/g, '[^/]+')}$`).test(path))

/** Whether somebody of this role, or of it with some customers alone, gets past the door of that route. */
const isOpenTo = (route: Route | undefined, role: OperatorRole, limited = false) =>
  route !== undefined &&
  !(limited && route.wholePortal) &&
  (['public', 'customer-browser', 'signed-in'].includes(route.access) || reaches(role, route.access as OperatorRole))

const plain = (text: string) => text.replaceAll('&amp;', '&').replaceAll('&#39;', "'")
const roles: OperatorRole[] = ['Reader', 'Analyst', 'Admin']

const goer = (role: OperatorRole, scope: Scope = everything) => ({ operator: { role }, scope })
const ofNobody: Scope = { customerIds: [], groups: [], groupValues: [] }

test.each(roles)('the side bar of a %s has every place that its role and scope may go to, and no other', (role) => {
  const all = placesFor(goer('Admin'))
  const open = all.filter(({ href }) => isOpenTo(routeOf('GET', href), role))
  expect(placesFor(goer(role))).toEqual(open)
  expect(placesFor(goer(role, ofNobody))).toEqual(open.filter(({ href }) => !routeOf('GET', href)?.wholePortal))
  for (const { href, access, wholePortal } of all) {
    const route = routeOf('GET', href)
    expect([href, route?.access, route?.wholePortal]).toEqual([href, access, wholePortal])
  }
})

describe('what a role cannot use', () => {
  let here: TestPortal
  beforeAll(async () => {
    here = await startTestPortal()
  })
  afterAll(() => here.close())

  /** Every page that can be reached by links from the first one, once for each route and each state of its address. */
  async function walk(browser: Browser, role: OperatorRole, limited = false): Promise<string[]> {
    const shown: string[] = []
    const asked = new Set<string>()
    const ahead = ['/']
    for (let path = ahead.shift(); path !== undefined; path = ahead.shift()) {
      const page = await browser.open(path)
      expect([role, path, page.status]).toEqual([role, path, 200])
      shown.push(path)
      for (const [method, target] of doorsOf(page)) {
        const { pathname, search } = new URL(target, page.url)
        expect([role, path, method, pathname, isOpenTo(routeOf(method, pathname), role, limited)]).toEqual([
          role,
          path,
          method,
          pathname,
          true,
        ])
        const kind = `${pathname}?${[...new URLSearchParams(search).keys()].sort().join()}`
        if (method === 'POST' || asked.has(kind)) continue
        asked.add(kind)
        ahead.push(pathname + search)
      }
    }
    return shown
  }

  /** Addresses of the portal that a page leads to, and how. */
  function doorsOf(page: Page): [Route['method'], string][] {
    const links = [...page.text.matchAll(/<a\s[^>]*href="([^"]+)"/g)].map(
      ([, href = '']) => ['GET', plain(href)] as const,
    )
    const forms = [...page.text.matchAll(/<form\s([^>]*)>/g)].map(([, form = '']) => {
      const action = /action="([^"]+)"/.exec(form)?.[1] ?? page.url
      return [/method="post"/.test(form) ? 'POST' : 'GET', plain(action)] as const
    })
    const own = [...links, ...forms].filter(([, href]) => !/^(#|mailto:|tel:)/.test(href))
    return own.filter(([, href]) => new URL(href, page.url).origin === here.browser().origin).map(([...door]) => door)
  }

  async function fill(): Promise<void> {
    const { portal } = here
    const { customer } = await connected(here, 'Åkerlund')
    await issueConsentLink(portal, before, { customerId: customer.id, days: 14 })
    const waiting = await customerNamed(here, 'Waiting')
    await issueConsentLink(portal, before, { customerId: waiting.id, days: 14 })
    await waitingReview(here, waiting.id, consentedTenant(here, 'Claimed').id)
    await customerNamed(here, 'Not invited')
    const left = await connected(here, 'Left')
    await offboardCustomer(portal.db, before, left.customer.id, portal.now())
  }

  const people = () =>
    [
      ['Reader', here.cast.bob],
      ['Analyst', here.cast.carol],
      ['Admin', here.cast.alice],
    ] as const

  test('is behind no link and no form of a page, on the first day', async () => {
    for (const [role, person] of people()) await walk(await here.signedIn(person), role)
  })

  test('is behind no link and no form of a page, later', async () => {
    await fill()
    for (const [role, person] of people()) {
      const shown = await walk(await here.signedIn(person), role)
      expect(shown.filter((path) => /^\/tenants\/[^/]+$/.test(path)).length).toBeGreaterThan(1)
      expect(shown.some((path) => path.startsWith('/audit'))).toBe(role === 'Admin')
    }
  })

  test('or a scope cannot use is behind no link and no form of a page', async () => {
    const { world } = here.simulator
    await customerNamed(here, 'Grouped', { groups: ['South'] })
    world.registration(here.portal.config.signIn.clientId).appRoles?.push('Muster.Scope.South')
    const limited = world.addPerson(here.partner.id, { name: 'Lim', appRoles: ['Muster.Admin', 'Muster.Scope.South'] })
    const shown = await walk(await here.signedIn(limited), 'Admin', true)
    expect(shown.filter((path) => /^\/customers\/[^/]+$/.test(path))).toHaveLength(1)
    expect(shown).toContain('/audit')
  })

  test('is not among the keys of the help, nor behind one', async () => {
    for (const [role, person] of people()) {
      const page = await (await here.signedIn(person)).open('/customers')
      const help = /<dl class="keymap">[\s\S]*?<\/dl>/.exec(page.text)?.[0] ?? ''
      const leading = [...page.text.matchAll(/<a href="([^"]+)" data-go="(\w)"/g)].map(([, href = '', key]) => [
        key,
        href,
      ])
      expect(leading.map(([key]) => key)).toEqual(placesFor(goer(role)).flatMap(({ key }) => key ?? []))
      for (const [key, href = ''] of leading) {
        expect(isOpenTo(routeOf('GET', href), role)).toBe(true)
        expect(help).toContain(`<kbd>g</kbd> <kbd>${key}</kbd>`)
      }
      expect(help.includes('<kbd>a</kbd>')).toBe(role === 'Admin')
      expect(help.includes('Read this tenant now')).toBe(role !== 'Reader')
    }
  })
})
