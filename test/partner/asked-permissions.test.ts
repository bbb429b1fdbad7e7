import { afterEach, beforeEach, expect, test } from '@jest/globals'
import { issueConsentLink } from '../../server/onboarding/links.ts'
import { lookAtPermissions } from '../../server/partner/asked-permissions.ts'
import { listAudit } from '../../server/store/audit.ts'
import { write } from '../../server/store/engine/write.ts'
import { linksOf } from '../../server/store/onboarding/link-list.ts'
import {
  confirmPermissions,
  readAskedPermissions,
  recordSeenRoles,
} from '../../server/store/partner/asked-permissions.ts'
import { before, connected, customerNamed, formToken, untilNothingIsDue } from '../support/admin.ts'
import type { Browser, Page } from '../support/browser.ts'
import { invite, walk, wordsOf, work } from '../support/consent.ts'
import { onEachEngine, startTestPortal, type TestPortal } from '../support/portal.ts'

const cannot = {
  write: 'Change, close or delete an incident',
  mail: 'read anyone’s mail, files or chats',
  device: 'Isolate, wipe or control a computer',
  heading: 'What we cannot do with it',
}
const mailOf = (page: Page, language: string) =>
  new RegExp(`id="mail-text-${language}"[^>]*>([^<]*)<`).exec(page.text)?.[1] ?? ''

onEachEngine('what customers are asked for', (engine) => {
  let here: TestPortal
  let alice: Browser
  const appId = () => here.portal.config.app.clientId
  const signInId = () => here.portal.config.signIn.clientId
  const landing = async (join: string, language = 'en') =>
    wordsOf(await here.browser().open(`${join}?lang=${language}`))
  /** What the registration holds, and what is granted in the partner's own tenant. */
  const register = (...roles: string[]) => {
    const { world } = here.simulator
    const mtp = roles.filter((role) => role.startsWith('Incident.') || role === 'AdvancedHunting.Read.All')
    const graph = roles.filter((role) => !mtp.includes(role))
    world.registration(appId()).requiredResources = [
      { resource: 'mtp' as const, roles: mtp },
      { resource: 'graph' as const, roles: graph },
    ].filter((one) => one.roles.length > 0)
  }
  const mayReadRegistration = () =>
    here.simulator.world.consent(here.partner.id, signInId(), { roles: ['Application.Read.All'], propagationMs: 0 })
  const confirm = async (fields: Record<string, string | string[]>) => {
    const page = await alice.open('/settings')
    return alice.post('/settings/permissions', { _csrf: formToken(page), ...fields } as never)
  }
  const refusedFor = async (): Promise<unknown> => {
    const customer = await customerNamed(here, 'Somebody')
    return issueConsentLink(here.portal, before, { customerId: customer.id, days: 14 }).then(
      () => null,
      (error: { code: string; facts: unknown }) => ({ code: error.code, facts: error.facts }),
    )
  }

  beforeEach(async () => {
    here = await startTestPortal(engine)
    alice = await here.signedIn(here.cast.alice)
  })
  afterEach(() => here.close())

  test('is not known at first: nothing stops, and nothing is claimed that is not proven', async () => {
    const invited = await invite(here)
    const page = await landing(invited.join)
    expect(page).toContain('Microsoft Threat Protection · Incident.Read.All')
    expect(page).toContain('If it shows more than stands here, ask us')
    for (const words of Object.values(cannot)) expect(page).not.toContain(words)
    expect(wordsOf(await alice.open('/settings'))).toContain('Not known for certain')
    expect((await alice.open('/setup')).text).toMatch(/id="step-asked"/)
  })

  test('is read from the registration where the sign-in registration may', async () => {
    mayReadRegistration()
    const invited = await invite(here)
    await lookAtPermissions(here.portal, 0)
    const page = await landing(invited.join)
    for (const words of Object.values(cannot)) expect(page).toContain(words)
    expect(page).not.toContain('If it shows more than stands here')
    expect(page).toContain('Microsoft shows the same permission')
    expect(wordsOf(await alice.open('/settings'))).toContain('Read from your registration')
  })

  test('follows the registration when it grows', async () => {
    mayReadRegistration()
    const invited = await invite(here)
    register('Incident.ReadWrite.All', 'AdvancedHunting.Read.All')
    await lookAtPermissions(here.portal, 0)
    const page = await landing(invited.join)
    expect(page).toContain('asks to work with the security incidents')
    expect(page).toContain('Update your security incidents')
    expect(page).toContain('Search security events')
    expect(page).toContain('Microsoft shows the same 2 permissions')
    expect(page).not.toContain(cannot.write)
    expect(page).toContain(cannot.mail)
    expect(await refusedFor()).toBeNull()
  })

  test('with a permission nobody has words for claims no limit at all, and is named by its own name', async () => {
    mayReadRegistration()
    const invited = await invite(here)
    register('Incident.Read.All', 'Mail.Read')
    await lookAtPermissions(here.portal, 0)
    for (const language of ['en', 'sv', 'zh-Hant']) {
      expect(await landing(invited.join, language)).toContain('Mail.Read')
    }
    const page = await landing(invited.join)
    for (const words of Object.values(cannot)) expect(page).not.toContain(words)
    // On Graph, an Application Administrator may not consent.
    expect(page).not.toContain('Application Administrator')
  })

  test('is not known any more when the registration may no longer be read', async () => {
    mayReadRegistration()
    const invited = await invite(here)
    await lookAtPermissions(here.portal, 0)
    here.simulator.world.consent(here.partner.id, signInId(), { roles: [], propagationMs: 0 })
    await lookAtPermissions(here.portal, 0)
    expect(await landing(invited.join)).not.toContain(cannot.heading)
  })

  test('is what an Admin confirms where nobody may read it', async () => {
    const invited = await invite(here)
    const answer = await confirm({ shown: 'Incident.Read.All', asked: 'Incident.Read.All', other: '' })
    expect(answer.status).toBe(303)
    const page = await landing(invited.join)
    for (const words of Object.values(cannot)) expect(page).toContain(words)
    const more = { shown: 'Incident.Read.All', asked: 'Incident.Read.All', other: 'Incident.ReadWrite.All' }
    expect((await confirm(more)).status).toBe(303)
    expect(await landing(invited.join)).not.toContain(cannot.write)
    const [event] = await listAudit(here.portal.db, { actions: ['permissions.confirmed'], limit: 1 })
    expect(event).toMatchObject({
      actorName: 'Alice Admin',
      facts: { names: 'Incident.Read.All, Incident.ReadWrite.All' },
    })
    expect(wordsOf(await alice.open('/settings'))).toContain('Confirmed by Alice Admin')
  })

  test.each([
    [{ shown: 'Incident.Read.All', other: '' }, 422],
    [{ shown: 'Incident.Read.All', asked: 'Incident.Read.All', other: '<script>' }, 422],
    [{ shown: 'Incident.Read.All', asked: '<script>', other: '' }, 422],
    [{ shown: 'Incident.Read.All', asked: 'Incident.Read.All', other: '', more: 'x' }, 400],
  ])('is not confirmed by %j', async (fields, status) => {
    expect((await confirm(fields as never)).status).toBe(status)
    expect((await readAskedPermissions(here.portal.db)).confirmed).toBeNull()
  })

  test('is confirmed by Admins alone', async () => {
    for (const who of [here.cast.carol, here.cast.bob]) {
      const browser = await here.signedIn(who)
      const page = await browser.open('/settings')
      expect(page.text).not.toContain('action="/settings/permissions"')
      const fields = { _csrf: formToken(page), asked: 'Incident.Read.All' }
      expect((await browser.post('/settings/permissions', fields)).status).toBe(403)
    }
    expect((await readAskedPermissions(here.portal.db)).confirmed).toBeNull()
  })

  test.each(['the own tenant', 'a customer’s tenant'])(
    'stops new links when %s holds more, until an Admin has said so; links that are out go on',
    async (where) => {
      const invited = await invite(here)
      await write(here.portal.db, (tx) =>
        confirmPermissions(tx, before, { asked: ['Incident.Read.All'], known: [] }, here.portal.now()),
      )
      register('Incident.Read.All', 'Incident.ReadWrite.All')
      if (where === 'the own tenant') {
        here.simulator.world.consent(here.partner.id, appId(), { propagationMs: 0 })
        here.clock.advance(11 * 60_000)
      } else await connected(here, 'Calder')
      const customer = await customerNamed(here, 'Norrsken')
      const page = await alice.open(`/customers/${customer.id}`)
      const refused = await alice.post(`/customers/${customer.id}/links`, { _csrf: formToken(page), days: '14' })
      expect(refused.status).toBe(409)
      expect(refused.text).toContain('PERMISSIONS_UNCONFIRMED')
      expect(refused.text).toContain('Incident.ReadWrite.All')
      expect(refused.text).toContain('href="/settings#permissions"')
      expect(await linksOf(here.portal.db, customer.id)).toEqual([])
      expect((await alice.open(`/customers/${customer.id}`)).text).toContain('href="/settings#permissions"')
      expect((await alice.open('/')).text).toContain('href="/settings#permissions"')
      expect(await refusedFor()).toMatchObject({ code: 'PERMISSIONS_UNCONFIRMED', facts: { n: 1 } })

      // A page that is out already says no more than what holds.
      const seen = await landing(invited.join)
      expect(seen).not.toContain(cannot.write)
      expect(seen).toContain('Incident.ReadWrite.All')

      const settings = await alice.open('/settings')
      expect(settings.text).toMatch(/value="Incident\.ReadWrite\.All" checked/)
      const both = ['Incident.Read.All', 'Incident.ReadWrite.All']
      await write(here.portal.db, (tx) =>
        confirmPermissions(tx, before, { asked: both, known: both }, here.portal.now()),
      )
      expect(await refusedFor()).toBeNull()
    },
  )

  test('is not what one tenant granted by itself, once an Admin has said so', async () => {
    const { db } = here.portal
    const known = ['Incident.Read.All', 'AdvancedHunting.Read.All']
    await connected(here, 'Calder')
    await write(db, (tx) =>
      recordSeenRoles(tx, { tenantId: here.partner.id, roles: ['AdvancedHunting.Read.All'] }, here.portal.now()),
    )
    expect(await refusedFor()).toMatchObject({ code: 'PERMISSIONS_UNCONFIRMED' })
    await write(db, (tx) => confirmPermissions(tx, before, { asked: ['Incident.Read.All'], known }, here.portal.now()))
    const invited = await invite(here)
    expect(await landing(invited.join)).not.toContain('Search security events')
    // Met again, it is asked about no more.
    await write(db, (tx) =>
      recordSeenRoles(tx, { tenantId: here.partner.id, roles: ['AdvancedHunting.Read.All'] }, here.portal.now()),
    )
    expect(await refusedFor()).toBeNull()
  })

  test('is stopped by nothing that the partner’s own tenant alone needs', async () => {
    here.simulator.world.consent(here.partner.id, appId(), {
      roles: ['Incident.Read.All', 'CrossTenantInformation.ReadBasic.All'],
      propagationMs: 0,
    })
    await lookAtPermissions(here.portal, 0)
    expect(await refusedFor()).toBeNull()
  })

  test('keeps a bounded number of roles, whatever tokens carry, and never loses sight of a new one', async () => {
    const { db } = here.portal
    const many = Array.from({ length: 500 }, (_, i) => `Odd.Role${i}\0${'x'.repeat(300)}`)
    await write(db, (tx) => recordSeenRoles(tx, { tenantId: here.partner.id, roles: many }, here.portal.now()))
    const { seen } = await readAskedPermissions(db)
    expect(seen).toHaveLength(200)
    expect(Math.max(...seen.map(({ role }) => role.length))).toBeLessThanOrEqual(200)
    const known = seen.map(({ role }) => role)
    await write(db, (tx) => confirmPermissions(tx, before, { asked: ['Incident.Read.All'], known }, here.portal.now()))
    expect(await refusedFor()).toBeNull()
    await write(db, (tx) => recordSeenRoles(tx, { tenantId: here.partner.id, roles: ['Mail.Read'] }, here.portal.now()))
    expect(await refusedFor()).toMatchObject({ facts: { roles: 'Mail.Read' } })
  })

  test('is told in the letter as on the page, in three languages', async () => {
    const issue = async () => {
      const customer = await customerNamed(here, 'Letter')
      const page = await alice.open(`/customers/${customer.id}`)
      return alice.follow(await alice.submit(page, `/customers/${customer.id}/links`, { days: '14' }))
    }
    const unknown = await issue()
    expect(mailOf(unknown, 'en')).toContain('will start to read')
    for (const [language, words] of [
      ['en', 'cannot'],
      ['sv', 'inte kan'],
      ['zh-Hant', '無法'],
    ] as const)
      expect(mailOf(unknown, language)).not.toContain(words)
    await write(here.portal.db, (tx) =>
      confirmPermissions(
        tx,
        before,
        { asked: ['Incident.ReadWrite.All'], known: ['Incident.Read.All'] },
        here.portal.now(),
      ),
    )
    const work = await issue()
    expect(mailOf(work, 'en')).toMatch(/start to work with[\s\S]*Application Administrator[\s\S]*what we cannot do/)
    expect(mailOf(work, 'sv')).toMatch(/arbeta med[\s\S]*inte kan göra/)
    expect(mailOf(work, 'zh-Hant')).toMatch(/處理[\s\S]*無法/)
  })

  test('is not what the receipt says: it names the roles that were proven', async () => {
    register('Incident.ReadWrite.All', 'AdvancedHunting.Read.All')
    const invited = await invite(here, { pinned: true })
    here.simulator.world.behaviour.propagationMs = 0
    const browser = here.browser()
    const page = await walk(browser, invited)
    await work(here)
    await untilNothingIsDue(here)
    const receipt = wordsOf(await browser.open(page.url))
    expect(receipt).toContain('Done. Access works')
    expect(receipt).toContain('Incident.ReadWrite.All, AdvancedHunting.Read.All')
    expect(receipt).not.toContain('Incident.Read.All')
  })
})
