import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { permissionsFor } from '../../server/microsoft/permissions.ts'
import { redirectUris } from '../../server/microsoft/wire/addresses.ts'
import { muster } from '../../server/store/audit.ts'
import { changeSettings } from '../../server/store/partner/settings.ts'
import type { Browser } from '../support/browser.ts'
import { startTestPortal, type TestPortal } from '../support/portal.ts'

let stage: TestPortal
let alice: Browser

beforeAll(async () => {
  stage = await startTestPortal()
  alice = await stage.signedIn(stage.cast.alice)
})
afterAll(() => stage.close())

/** A page as it is once the last look has grown too old to be shown again. */
async function lately(path: string): Promise<string> {
  stage.clock.advance(11_000)
  const page = await alice.open(path)
  expect(page.status).toBe(200)
  return page.text
}

const plain = (markup: string) =>
  markup
    .replace(/<[^>]+>/g, '')
    .replaceAll('&#34;', '"')
    .replaceAll('&#39;', "'")
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&amp;', '&')

/** State and words of every step. */
function stepsOf(page: string): Record<string, { state: string; text: string }> {
  const steps = [...page.matchAll(/<li class="(\w+)" id="step-([\w-]+)">(.*?)<\/div><\/li>/gs)]
  return Object.fromEntries(
    steps.map(([, state = '', name = '', inside = '']) => [name, { state, text: plain(inside) }]),
  )
}

const codeOf = (page: string): string[] =>
  [...page.matchAll(/<code>(.*?)<\/code>/gs)].map(([, code = '']) => plain(code))

describe('the setup page', () => {
  test('is for Admins alone, and so is the doctor', async () => {
    for (const person of [stage.cast.bob, stage.cast.carol]) {
      const browser = await stage.signedIn(person)
      for (const path of ['/setup', '/doctor']) expect((await browser.get(path)).status).toBe(403)
    }
    expect((await stage.browser().get('/setup')).location).toMatch(/\/sign-in/)
  })

  test('ticks every step that works, and says what comes next', async () => {
    const steps = stepsOf(await lately('/setup'))
    expect(Object.entries(steps).map(([name, { state }]) => `${name} ${state}`)).toEqual([
      'runs done',
      'app done',
      'redirects done',
      'credential done',
      'permissions done',
      'consent done',
      'sign-in done',
      'admin done',
      'partner done',
      'asked now',
      'trial todo',
    ])
  })

  test('calls the app as Settings and the customers’ page do', async () => {
    const change = { appName: 'Halvard SOC Connector' }
    await changeSettings(stage.portal.db, muster, change, stage.portal.now())
    const page = plain(await lately('/setup'))
    expect(page).toContain('"displayName": "Halvard SOC Connector"')
    expect(page).toContain("-DisplayName 'Halvard SOC Connector'")
    await changeSettings(stage.portal.db, muster, { appName: '' }, stage.portal.now())
  })

  test('has every value to copy, and both scripts with all of them filled in', async () => {
    const page = await lately('/setup')
    const { config } = stage.portal
    const { signIn, consent } = redirectUris(config)
    const [permission] = permissionsFor('defender')
    const values = [
      ...page.matchAll(
        /<input class="form-control" id="([^"]+)" value="([^"]*)" readonly><button [^>]*data-copy="\1"/g,
      ),
    ]
    const copied = values.map(([, , value = '']) => plain(value))
    expect(copied).toEqual(
      expect.arrayContaining([
        config.app.clientId,
        config.partnerTenantId,
        signIn,
        consent,
        'Muster',
        'Muster sign-in',
      ]),
    )
    expect(page).toContain(`data-copy-text="${permission?.id}"`)

    const json = codeOf(page).flatMap((text) => (text.startsWith('[') ? [JSON.parse(text)] : []))
    expect(json).toContainEqual(
      expect.arrayContaining([
        {
          resourceAppId: '8ee8fdad-f234-4243-8f3b-15c294843740',
          resourceAccess: [{ id: permission?.id, type: 'Role' }],
        },
      ]),
    )
    expect(json).toContainEqual(expect.arrayContaining([expect.objectContaining({ value: 'Muster.Admin' })]))
    for (const script of codeOf(page).filter((text) => text.includes('AZURE_CLIENT_ID='))) {
      for (const value of [config.partnerTenantId, signIn, consent, permission?.id]) expect(script).toContain(value)
    }
  })

  test('shows no secret', async () => {
    const text = (await lately('/setup')) + (await lately('/doctor'))
    expect(text).not.toMatch(/Muster-secret|Muster sign-in-secret|zY8xW6vU4tS2rQ0pO9nM7lK5jI3hG1fE/)
  })

  test('names the fault at its step, with what to do', async () => {
    const { world } = stage.simulator
    const app = world.registration(stage.portal.config.app.clientId)
    const { consent } = redirectUris(stage.portal.config)
    app.redirectUris = app.redirectUris.filter((uri) => uri !== consent)
    world.removeRoles(stage.partner.id, app.clientId, 'Incident.Read.All')
    try {
      const steps = stepsOf(await lately('/setup'))
      expect(steps.redirects?.state).toBe('bad')
      expect(steps.redirects?.text).toContain(`The redirect URI ${consent} is not registered`)
      expect(steps.redirects?.text).toContain('Add exactly this address')
      expect(steps.permissions?.state).toBe('bad')
      expect(steps.permissions?.text).toContain('Incident.Read.All is not granted in your own tenant')
      const doctor = await lately('/doctor')
      expect(doctor.indexOf('is not registered on app')).toBeLessThan(doctor.indexOf('is registered on app'))
    } finally {
      app.redirectUris.push(consent)
      world.consent(stage.partner.id, app.clientId)
    }
    expect(stepsOf(await lately('/setup')).redirects?.state).toBe('done')
  })

  test('names who must act when the secret has expired, and leaves open what depends on it', async () => {
    const { world } = stage.simulator
    world.expireSecrets(stage.portal.config.app.clientId)
    try {
      const steps = stepsOf(await lately('/setup'))
      expect(steps.credential?.state).toBe('bad')
      expect(steps.credential?.text).toMatch(/has expired.*AADSTS7000222.*Create a new secret in Entra/s)
      expect(steps.permissions?.state).toBe('now')
      expect(steps.consent?.state).toBe('todo')
    } finally {
      world.renewSecrets(stage.portal.config.app.clientId)
    }
  })

  test('asks Microsoft once, however many look at it at once or shortly after', async () => {
    stage.clock.advance(11_000)
    const knocks = () => stage.simulator.requests.filter(({ path }) => /\/authorize$/.test(path)).length
    const before = knocks()
    await alice.open('/setup')
    const once = knocks() - before
    expect(once).toBeGreaterThan(0)
    await Promise.all(Array.from({ length: 6 }, (_, n) => alice.open(n % 2 ? '/setup' : '/doctor')))
    expect(knocks() - before).toBe(once)
    stage.clock.advance(11_000)
    await Promise.all(Array.from({ length: 6 }, () => alice.open('/setup')))
    expect(knocks() - before).toBe(2 * once)
  })

  test('warns of “Microsoft Threat Protection” on Graph alone', async () => {
    expect(await lately('/setup')).not.toContain('Do not add “Microsoft Threat Protection”')
    const graph = await startTestPortal('SQLite', { config: { incidentsApi: 'graph' } })
    try {
      const page = await (await graph.signedIn(graph.cast.alice)).open('/setup')
      expect(page.text).toContain('Do not add “Microsoft Threat Protection”')
      expect(page.text).toContain('45cc0394-e837-488b-a098-1918f48d186c')
      expect(page.text).not.toContain('8ee8fdad-f234-4243-8f3b-15c294843740')
    } finally {
      await graph.close()
    }
  })

  test('tells a fault of our own as one, with its stack in the log, and looks at the rest', async () => {
    // No such key passes the start; what fails here stands for any fault in our own code.
    const dates = { validFrom: new Date('2020-01-01'), expiresAt: new Date('2090-01-01') }
    const credential = {
      kind: 'certificate',
      certificate: 'x',
      privateKey: 'no key',
      thumbprintSha256: 'AB',
      ...dates,
    } as const
    const broken = await startTestPortal('SQLite', {
      config: { app: { clientId: stage.portal.config.app.clientId, credential, second: null } },
    })
    const page = plain((await (await broken.signedIn(broken.cast.alice)).open('/doctor')).text)
    expect(page).toContain('Looking at this ended in a fault of Muster itself')
    expect(page).toMatch(/database/i)
    expect(page).not.toContain('something Muster does not understand')
    expect(JSON.stringify(broken.takeErrors())).toMatch(/a check of the doctor failed/)
    await broken.close()
  })
})
