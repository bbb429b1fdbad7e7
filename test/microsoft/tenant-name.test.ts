import { describe, expect, test } from '@jest/globals'
import { readTenantName } from '../../server/microsoft/wire/tenant-name.ts'
import { createFormat } from '../../server/web/page/format.ts'

const id = '11111111-aaaa-4bbb-8ccc-0123456789ab'
const byId = { id, domain: null }
const contoso = { id: null, domain: 'contoso.example' }
const initial = { id: null, domain: 'contoso.onmicrosoft.com' }

describe('a tenant is understood', () => {
  test.each([
    ['contoso.example', contoso],
    ['Contoso.Example', contoso],
    ['  contoso.example\t', contoso],
    ['contoso.example.', contoso],
    ['contoso.example,', contoso],
    ['"contoso.example"', contoso],
    ['“contoso.example”', contoso],
    ["'contoso.example'", contoso],
    ['«contoso.example»', contoso],
    ['`contoso.example`', contoso],
    ['@contoso.example', contoso],
    ['www.contoso.example', contoso],
    ['contoso．example', contoso],
    ['contoso。example', contoso],
    ['ｃｏｎｔｏｓｏ.example', contoso],
    ['contoso\u200b.example', contoso],
    ['\ufeffcontoso.example', contoso],
    ['con\u00adtoso.example', contoso],
    ['contoso.example\u00a0', contoso],
    ['\u202econtoso.example', contoso],
    ['contoso.example/', contoso],
  ])('by a domain: %j', (typed, meant) => expect(readTenantName(typed)).toEqual(meant))

  test.each([
    ['admin@contoso.example', contoso],
    ['mailto:admin@contoso.example', contoso],
    ['MAILTO:admin@contoso.example?subject=Hello', contoso],
    ['Kim Lund <kim.lund@contoso.example>', contoso],
    ['"Lund, Kim" <kim.lund@contoso.example>', contoso],
    ['<kim.lund@contoso.example>', contoso],
    ['kim.lund@contoso.example;', contoso],
    ['kim@contoso.example, eva@contoso.example', contoso],
  ])('by a mail address: %j', (typed, meant) => expect(readTenantName(typed)).toEqual(meant))

  test.each([
    [id, byId],
    [id.toUpperCase(), byId],
    [`{${id}}`, byId],
    [`"${id}"`, byId],
    [`(${id})`, byId],
    [`${id}.`, byId],
    [id.replaceAll('-', ''), byId],
    [`urn:uuid:${id}`, byId],
    [`Tenant ID: ${id}`, byId],
    [`TenantId = "${id}"`, byId],
    [id.replaceAll('-', '\u2011').replaceAll('\u2011', '-\u200b'), byId],
  ])('by an ID: %j', (typed, meant) => expect(readTenantName(typed)).toEqual(meant))

  test.each([
    ['https://contoso.example', contoso],
    ['https://www.contoso.example/about?x=y#z', contoso],
    ['http://contoso.example:80/', contoso],
    ['contoso.example/about', contoso],
    [`https://login.microsoftonline.com/${id}/oauth2/v2.0/authorize?client_id=x`, byId],
    ['https://login.microsoftonline.com/contoso.example/v2.0/.well-known/openid-configuration', contoso],
    ['login.microsoftonline.com/contoso.onmicrosoft.com', initial],
    [`https://sts.windows.net/${id}/`, byId],
    [`https://security.microsoft.com/incidents?tid=${id}`, byId],
    [`https://security.microsoft.com/incidents?tid=${id.toUpperCase()}&x=y`, byId],
    ['https://portal.azure.com/#@contoso.onmicrosoft.com/resource/subscriptions', initial],
    ['https://portal.azure.com/contoso.onmicrosoft.com#home', initial],
    [`https://portal.azure.com/#@${id}/blade/x`, byId],
    [`https://portal.azure.com/#view/Microsoft_AAD_IAM/TenantOverview.ReactView/tenantId/${id}`, byId],
    [`https://entra.microsoft.com/${id}#home`, byId],
    [`https://admin.microsoft.com/?ctid=${id}`, byId],
    [`https://myapps.microsoft.com/signin/x/y?tenantId=${id}`, byId],
    [`https://login.microsoftonline.us/${id}/saml2`, byId],
    ['https://account.activedirectory.windowsazure.com/applications?whr=contoso.example', contoso],
    ['contoso.onmicrosoft.com', initial],
    ['admin@contoso.onmicrosoft.com', initial],
  ])('by an address of a page: %j', (typed, meant) => expect(readTenantName(typed)).toEqual(meant))

  test.each([
    ['contoso.example@evil.example', 'evil.example'],
    ['https://contoso.example@evil.example/', 'evil.example'],
    ['https://evil.example/contoso.example', 'evil.example'],
    ['evil.example/contoso.example', 'evil.example'],
    ['evil.example\\contoso.example', 'evil.example'],
    ['evil.example#contoso.example', 'evil.example'],
    ['evil.example?contoso.example', 'evil.example'],
    ['evil.example／contoso.example', 'evil.example'],
    ['mailto:contoso.example@evil.example', 'evil.example'],
    ['contoso.example <it@evil.example>', 'evil.example'],
    ['cоntoso.example', 'xn--cntoso-wqf.example'],
    ['bücher.example', 'xn--bcher-kva.example'],
    ['XN--BCHER-KVA.example', 'xn--bcher-kva.example'],
  ])('by the host that is looked up, whatever stands beside it: %j', (typed, domain) => {
    expect(readTenantName(typed)).toEqual({ id: null, domain })
  })
})

test.each([
  '',
  ' ',
  '.',
  '""',
  'contoso',
  'common',
  'organizations',
  'localhost',
  '127.0.0.1',
  '0x7f.1',
  '[::1]',
  '../evil',
  'contoso.example:8080',
  'a..b',
  '-a.example',
  '00000000-0000-0000-0000-000000000000',
  `{${'0'.repeat(8)}-0000-0000-0000-000000000000}`,
  '9188040d-6c67-4c5b-b112-36a304b66dad',
  'https://login.microsoftonline.com/common/oauth2/v2.0/authorize',
  'https://login.microsoftonline.com/organizations',
  'https://portal.azure.com/#home',
  'https://security.microsoft.com/incidents',
  'security.microsoft.com',
  'someone@live.com',
  `https://security.microsoft.com/?tid=${id}&tenantId=22222222-aaaa-4bbb-8ccc-0123456789ab`,
  'kim@contoso.example, eva@fabrikam.example',
  'contoso.example fabrikam.example',
  'javascript:alert(1)',
  'ftp://contoso.example/',
  'file:///etc/passwd',
  'x'.repeat(3_000),
  `${'a.'.repeat(900)}example`,
  '\0',
  '%2e%2e.example',
])('%j names no tenant, or could name two', (typed) => {
  expect(readTenantName(typed)).toBeNull()
})

/** What takes cubic time or worse takes minutes at this length. */
test('reading what somebody typed takes no longer the longer it is', () => {
  for (const part of ['<', '@', '"', 'a.', '#@', '?tid=', ' x', '/tenantId/', '<@']) {
    const started = performance.now()
    readTenantName(part.repeat(2_000 / part.length))
    expect(performance.now() - started).toBeLessThan(5_000)
  }
})

describe('a domain is shown', () => {
  const { domainName } = createFormat('en', null, new Date())
  test.each([
    ['contoso.example', 'contoso.example'],
    ['xn--cntoso-wqf.example', 'xn--cntoso-wqf.example (cоntoso.example)'],
    ['xn--bcher-kva.example', 'xn--bcher-kva.example (bücher.example)'],
    ['mailto:admin@contoso.example', 'contoso.example'],
    ['contoso.example@evil.example', 'evil.example'],
    ['bücher.example', 'xn--bcher-kva.example (bücher.example)'],
  ])('as it was looked up, with its letters where they differ: %s', (stored, shown) => {
    expect(domainName(stored)).toBe(shown)
  })
})
