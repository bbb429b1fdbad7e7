import { request as ask } from 'node:http'
import { brotliDecompressSync, gunzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { customerNamed, formToken } from '../support/admin.ts'
import type { Browser } from '../support/browser.ts'
import { startTestPortal, type TestPortal } from '../support/portal.ts'

let here: TestPortal
let alice: Browser
beforeAll(async () => {
  here = await startTestPortal()
  alice = await here.signedIn(here.cast.alice)
  for (let i = 0; i < 40; i++) await customerNamed(here, `Customer ${i}`)
})
afterAll(() => here.close())

interface Answer {
  status: number
  headers: Record<string, string | string[] | undefined>
  /** As it came over the wire. */
  bytes: Buffer
  text: string
}

/** One answer as it is sent, which no client has unpacked. */
function raw(path: string, headers: Record<string, string> = {}): Promise<Answer> {
  const cookie = alice
    .cookieNames()
    .map((name) => `${name}=${alice.cookie(name)}`)
    .join('; ')
  const { host } = new URL(here.portal.config.publicUrl)
  return new Promise((resolve, reject) => {
    const { port } = here.portal.config
    const asked = ask(
      { host: '127.0.0.1', port, path, headers: { Host: host, Cookie: cookie, ...headers } },
      (answer) => {
        const parts: Buffer[] = []
        answer.on('data', (part: Buffer) => parts.push(part))
        answer.on('end', () => {
          const bytes = Buffer.concat(parts)
          const encoding = answer.headers['content-encoding']
          const text = (
            encoding === 'br' ? brotliDecompressSync(bytes) : encoding === 'gzip' ? gunzipSync(bytes) : bytes
          ).toString()
          resolve({ status: answer.statusCode ?? 0, headers: answer.headers, bytes, text })
        })
      },
    )
    asked.on('error', reject).end()
  })
}

describe('a page', () => {
  test.each([
    ['br, gzip', 'br'],
    ['gzip, deflate', 'gzip'],
    ['identity', undefined],
    ['br;q=0, gzip;q=0', undefined],
  ])('is sent to a browser that takes %j as %s, and is the same page', async (takes, encoding) => {
    const plain = await raw('/customers')
    const page = await raw('/customers', { 'Accept-Encoding': takes })
    expect(page.status).toBe(200)
    expect(page.headers['content-encoding']).toBe(encoding)
    expect(page.headers.vary).toMatch(/Accept-Encoding/)
    const without = (text: string) => text.replace(/value="[\w-]{100,}"/g, '').replace(/\d+ m?s ago/g, '')
    expect(without(page.text)).toBe(without(plain.text))
    if (encoding !== undefined) expect(page.bytes.length).toBeLessThan(plain.bytes.length / 4)
  })

  test.each(['/sign-in', '/nowhere', '/join/unknown'])('that knows nobody is compressed: %s', async (path) => {
    const page = await raw(path, { Cookie: '', 'Accept-Encoding': 'gzip', 'Sec-Fetch-Site': 'cross-site' })
    expect(page.headers['content-encoding']).toBe('gzip')
  })

  test.each(['cross-site', 'same-site'])('of an operator that a %s page asked for is not compressed', async (site) => {
    const headers = { 'Accept-Encoding': 'br, gzip', 'Sec-Fetch-Site': site }
    expect((await raw('/customers?q=guess', headers)).headers['content-encoding']).toBeUndefined()
    expect((await raw('/customers', { ...headers, 'Sec-Fetch-Site': 'none' })).headers['content-encoding']).toBe('br')
  })

  test('that shows a link the once is compressed by nobody on the way', async () => {
    const fields = { name: 'Shown once', expected: '', contactName: '', contactEmail: '', groups: '', notes: '' }
    const form = await alice.open('/customers/new')
    const saved = await alice.submit(form, '/customers', { ...fields, language: 'en', days: '3', link: 'issue' })
    const path = new URL(saved.location ?? '').pathname
    const shown = await raw(path, { 'Accept-Encoding': 'br, gzip' })
    expect(shown.text).toMatch(/\/join\/[\w-]{43}/)
    expect(shown.headers['content-encoding']).toBeUndefined()
    expect(shown.headers['cache-control']).toBe('no-store, no-transform')
  })

  test('carries the session’s token under a mask of its own, one for all of its forms', async () => {
    const tokens = await Promise.all(
      [1, 2, 3].map(async () =>
        [...(await raw('/settings')).text.matchAll(/name="_csrf" value="([^"]+)"/g)].map(([, own]) => own),
      ),
    )
    for (const own of tokens) expect([own.length > 2, new Set(own).size]).toEqual([true, 1])
    expect(new Set(tokens.map(([own]) => own)).size).toBe(3)
    for (const [_csrf = ''] of tokens) {
      expect((await alice.post('/preferences', { _csrf, theme: 'dark' })).status).toBe(303)
    }
  })

  test.each([
    ['shortened', (token: string) => token.slice(0, -4)],
    ['lengthened', (token: string) => `${token}AAAA`],
    ['with another mask', (token: string) => `${token.startsWith('A') ? 'B' : 'A'}${token.slice(1)}`],
    ['that is a mask alone', () => 'A'.repeat(171)],
    ['not of base64', () => 'å'.repeat(171)],
    ['empty', () => ''],
  ])('takes no token %s', async (_how, change) => {
    const token = formToken(await alice.open('/settings'))
    expect((await alice.post('/preferences', { _csrf: change(token), theme: 'light' })).status).toBe(403)
  })
})

describe('a file', () => {
  const addresses = async () => {
    const page = await raw('/sign-in', { Cookie: '' })
    return [...page.text.matchAll(/(?:href|src)="(\/assets\/[^"]+)"/g)].map(([, address = '']) => address)
  }

  test('is sent compressed and kept for good', async () => {
    const all = await addresses()
    expect(all.length).toBeGreaterThan(3)
    let [sent, whole] = [0, 0]
    for (const address of all) {
      const plain = await raw(address)
      expect(plain.headers['content-encoding']).toBeUndefined()
      whole += plain.bytes.length
      for (const encoding of ['gzip', 'br']) {
        const packed = await raw(address, { 'Accept-Encoding': encoding })
        expect([address, packed.headers['content-encoding'], packed.text === plain.text]).toEqual([
          address,
          encoding,
          true,
        ])
        expect(packed.headers['content-type']).toBe(plain.headers['content-type'])
        expect(packed.headers['cache-control']).toBe('public, max-age=31536000, immutable')
        expect(packed.headers.vary).toBe('Accept-Encoding')
        expect(packed.headers['content-length']).toBe(String(packed.bytes.length))
        if (encoding === 'br') sent += packed.bytes.length
      }
    }
    expect(sent).toBeLessThan(whole / 3)
  })
})
