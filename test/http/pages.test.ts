import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import express from 'express'
import request from 'supertest'
import { z } from 'zod'
import { catalogue, type ErrorCode, PortalError } from '../../server/errors.ts'
import { readForm, readQuery, says, several } from '../../server/http/forms.ts'
import { escapeHtml, html, icon } from '../../server/http/html.ts'
import { visitor, zoneOf } from '../../server/http/reader.ts'
import { Refusal } from '../../server/model/refusal.ts'
import { answerError } from '../../server/web/errors.ts'
import { createFormat } from '../../server/web/page/format.ts'
import { languages } from '../../server/words.ts'
import { startTestPortal, type TestPortal } from '../support/portal.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const views = readdirSync(join(root, 'views'), { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.ejs'))
  .map((file) => ({ file, text: readFileSync(join(root, 'views', file), 'utf8') }))

describe('the views', () => {
  /** What must not stand in a view, and why. */
  const forbidden: [string, RegExp][] = [
    ['print anything unescaped but includes', /<%-(?!\s*include\()/],
    ['style anything inline', /\sstyle\s*=|<style/i],
    ['handle events inline', /\son[a-z]+\s*=\s*["']/i],
    ['run scripts inline', /<script(?![^>]*\ssrc=)/i],
    ['use data: addresses', /["'(]data:/],
    ['lead to scripts', /javascript:/i],
    ['load from elsewhere', /\s(?:src|srcset|action|formaction)\s*=\s*"https?:/i],
    ['leave a value in an attribute unquoted', /\s[\w:-]+=<%/],
  ]

  test.each(forbidden)('never %s', (_what, pattern) => {
    expect(views.filter(({ text }) => pattern.test(text)).map(({ file }) => file)).toEqual([])
  })

  test('prove every form that is posted', () => {
    for (const { file, text } of views) {
      for (const [, form = ''] of text.matchAll(/<form([^>]*method="post"[\s\S]*?)<\/form>/gi)) {
        expect([file, /csrfField\(/.test(form)]).toEqual([file, true])
      }
    }
  })

  test('use only icons that exist', () => {
    for (const { text } of views) for (const [, name = ''] of text.matchAll(/\bicon\('([\w-]+)'/g)) icon(name)
  })
})

describe('markup', () => {
  test('escapes what it is given, and not what it made', () => {
    const name = `<img src=x onerror="alert('1')">&`
    expect(String(html`<b title="${name}">${name}</b>`)).toBe(
      '<b title="&lt;img src=x onerror=&#34;alert(&#39;1&#39;)&#34;&gt;&amp;">&lt;img src=x onerror=&#34;alert(&#39;1&#39;)&#34;&gt;&amp;</b>',
    )
    expect(String(html`<i>${[html`<b>x</b>`, '<']}</i>`)).toBe('<i><b>x</b>&lt;</i>')
  })

  test('prints nothing for what is not there', () => {
    expect([null, undefined, false, [], 0, ''].map(escapeHtml)).toEqual(['', '', '', '', '0', ''])
  })

  test('does not take an object for markup that only says it is', () => {
    expect(escapeHtml({ toString: () => '<b>' })).toBe('&lt;b&gt;')
  })
})

describe('times and numbers', () => {
  const now = new Date('2026-11-20T07:14:22Z')
  const english = createFormat('en', 'Europe/Stockholm', now)

  test.each([
    ['clock', '2026-11-20T06:56:00Z', '07:56'],
    ['moment', '2026-11-20T06:56:00Z', 'today 07:56'],
    ['moment', '2026-11-17T09:20:00Z', '17 Nov 10:20'],
    ['moment', '2025-11-17T09:20:00Z', '17 Nov 2025 10:20'],
    ['seconds', '2026-11-20T07:14:22Z', '20 Nov 08:14:22'],
    ['date', '2026-12-03T23:30:00Z', '4 December 2026'],
    ['day', '2026-11-20T06:56:00Z', 'Friday 20 November'],
  ] as const)('are written as %s in the reader’s zone', (style, value, text) => {
    const utc = `${value.slice(0, 19).replace('T', ' ')} UTC`
    expect(String(english.time(value, style))).toBe(
      `<time datetime="${new Date(value).toISOString()}" title="${utc}">${text}</time>`,
    )
  })

  test('are in UTC, and say so, while the zone is unknown', () => {
    expect(String(createFormat('en', null, now).time('2026-11-20T06:56:00Z', 'clock'))).toContain(
      'data-utc="clock">06:56 UTC<',
    )
  })

  test('are written in Swedish and Chinese as people there write them', () => {
    const at = '2026-12-04T10:00:00Z'
    expect(String(createFormat('sv', 'Europe/Stockholm', now).time(at, 'date'))).toContain('>4 december 2026<')
    expect(String(createFormat('zh-Hant', 'Asia/Taipei', now).time(at, 'date'))).toContain('>2026年12月4日<')
    expect(createFormat('sv', null, now).number(1204)).toBe('1\u00a0204')
  })

  test.each([
    [38_000, '38 s'],
    [0, '0 s'],
    [-5_000, '0 s'],
    [130_000, '2 min'],
    [9_180_000, '2 h 33 min'],
    [7_200_000, '2 h'],
    [86_400_000, '1 d'],
    [4 * 86_400_000 + 6 * 3_600_000, '4 d 6 h'],
    [30 * 86_400_000, '30 d'],
  ])('a span of %d ms is %s', (ms, text) => {
    expect(english.span(ms)).toBe(text)
  })

  test('of Microsoft’s seven digits are read, and what is no time is left out', () => {
    expect(String(english.ago('2026-11-20T07:13:44.1234567Z'))).toContain('>37 s ago<')
    expect(String(english.time('nonsense'))).toBe('')
    expect(String(english.ago(null))).toBe('')
  })

  test.each(['Europe/Stockholm', 'Asia/Taipei', 'Etc/GMT+5', 'UTC'])('%s is a zone', (zone) => {
    expect(zoneOf(zone)).not.toBeNull()
  })

  test.each(['', 'Mars/Base', '../../etc', 'a'.repeat(100), '"><script>', '+05:00'])('%j is none', (zone) => {
    expect(zoneOf(zone)).toBeNull()
  })
})

describe('a form', () => {
  const shape = { name: z.string().trim().min(1, says('shell.form.unusable')), groups: several(z.string().max(5), 3) }
  const read = (body: unknown) => readForm(shape, { body } as express.Request)

  test('gives what it holds', () => {
    expect(read({ name: ' Ada ', groups: 'a' })).toMatchObject({ value: { name: 'Ada', groups: ['a'] }, faults: null })
    expect(read({ name: 'Ada' }).value).toEqual({ name: 'Ada', groups: [] })
  })

  test('gives back what was typed with what is wrong about it', () => {
    expect(read({ name: '  ', groups: ['toolong'] })).toEqual({
      value: null,
      faults: [
        { field: 'name', key: 'shell.form.unusable' },
        { field: 'groups', key: 'shell.form.unusable' },
      ],
      typed: { name: '  ', groups: ['toolong'] },
    })
  })

  test.each([
    ['a field nobody offered', { name: 'x', isAdmin: 'true' }],
    ['a single field twice', { name: ['x', 'y'] }],
  ])('with %s is no form of ours', (_what, body) => {
    expect(() => read(body)).toThrow('BAD_REQUEST')
  })

  test('may lack what it lacks, but not be of another kind', () => {
    expect(read(undefined).faults).toEqual([{ field: 'name', key: 'shell.form.unusable' }])
  })

  test('of a query passes over what others added', () => {
    const schema = z.object({ q: z.string().optional() })
    expect(readQuery(schema, { query: { q: 'x', utm_source: 'mail' } } as unknown as express.Request)).toEqual({
      q: 'x',
    })
    expect(() => readQuery(schema, { query: { q: ['a', 'b'] } } as unknown as express.Request)).toThrow('BAD_REQUEST')
  })
})

describe('what goes wrong', () => {
  let here: TestPortal
  let thrown: unknown
  beforeAll(async () => {
    here = await startTestPortal()
  })
  afterAll(() => here.close())

  /** The one function that answers errors, behind a handler that throws. */
  function ask(error: unknown, headers: Record<string, string> = {}) {
    thrown = error
    const app = express()
    app.use((req, res, next) => {
      req.requestId = 'the-request'
      res.locals.portal = here.portal
      res.locals.reader = visitor(here.portal.config, req)
      next()
    })
    app.get('/', () => {
      throw thrown
    })
    app.use(answerError(here.portal.log, here.portal.now))
    return request(app)
      .get('/')
      .set({ Accept: 'text/html', ...headers })
  }

  const facts = {
    account: 'ada@contoso.example',
    role: 'Reader',
    needed: 'Admin',
    gap: 'name',
    n: 1,
    roles: 'A.Read',
    host: 'other.example',
  }
  const codes = Object.keys(catalogue) as ErrorCode[]

  test.each(languages.map(({ code }) => code))('is told whole in %s, for every code', async (language) => {
    for (const code of codes) {
      const page = await ask(new PortalError(code, { facts }), { 'Accept-Language': language })
      expect([code, page.status, page.type]).toEqual([code, catalogue[code].status, 'text/html'])
      expect(page.text).toContain(code)
      expect(page.text).toContain('the-request')
    }
    here.takeErrors()
  })

  test('unforeseen is logged with its cause and told without it', async () => {
    const page = await ask(new Error('canary-message', { cause: new TypeError('canary-cause') }))
    expect(page.status).toBe(500)
    expect(page.text).toContain('UNEXPECTED')
    expect(page.text).not.toContain('canary')
    const [error] = here.takeErrors()
    expect(JSON.stringify(error)).toContain('canary-message')
    expect(JSON.stringify(error)).toContain('canary-cause')
    expect(error).toMatchObject({ requestId: 'the-request' })
  })

  test.each([
    ['a string', 'canary'],
    ['nothing', undefined],
    ['null', null],
    ['a look-alike', { status: 403 }],
  ])('unforeseen and odd (%s) is a 500 all the same', async (_what, error) => {
    const page = await ask(error)
    // Express takes a thrown undefined or null for no error at all.
    expect([500, 404]).toContain(page.status)
    here.takeErrors()
  })

  test.each(['ECONNREFUSED', '57P01', 'SQLITE_BUSY', 'SQLITE_FULL'])(
    'with the database away (%s) is temporary',
    async (code) => {
      const page = await ask(Object.assign(new Error('canary'), { code }))
      expect(page.status).toBe(503)
      expect(page.headers['retry-after']).toBe('5')
      expect(page.text).toContain('DATABASE_UNAVAILABLE')
      expect(page.text).not.toContain('canary')
    },
  )

  test('with a time to wait says how long', async () => {
    const page = await ask(new PortalError('TOO_MANY_REQUESTS', { retryAfterMs: 1_200 }))
    expect(page.headers['retry-after']).toBe('2')
  })

  test('at Microsoft is told in our words, with its reference and nothing else of it', async () => {
    const correlationId = 'b94f5bce-b15e-48c6-a713-fc07c5c41a77'
    const refusal = new Refusal('partner-credential', { at: 'now', aadsts: 7000222, correlationId, error: 'canary' })
    const page = await ask(refusal)
    expect(page.status).toBe(502)
    expect(page.text).toContain(correlationId)
    expect(page.text).not.toContain('canary')
  })
})
