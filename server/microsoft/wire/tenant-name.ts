import { aroundNames } from '../../invisible.ts'
import { tenantIdOf } from './tenant-id.ts'

/** A tenant as a person named it: by its ID, or by a domain, as DNS writes it. */
export type TenantName = { id: string; domain: null } | { id: null; domain: string }

const domain = /^(?=.{4,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]([a-z0-9-]{0,61}[a-z0-9])$/

/**
 * Hosts of Microsoft's own sign-in and admin pages. People paste their addresses for the tenant named in them; the host
 * itself is never the customer.
 */
const microsoftHosts =
  /(^|\.)(microsoft\.com|microsoftonline\.(com|us|cn)|partner\.microsoftonline\.cn|microsoft\.us|azure\.(com|us|cn)|windows\.net|microsoft\.scloud|office\.com|office365\.(com|us)|cloud\.microsoft|windowsazure\.com|live\.com|sharepoint\.(com|us|cn))$/

const longest = 2_000

/**
 * Reads a tenant's name in the forms people paste: an ID, in braces or not; a domain; a mail address, alone, after
 * `mailto:` or with a person's name; the address of a page in that domain; the address of one of Microsoft's pages that
 * names the tenant. Null when it is none of them, or could be two.
 */
export function readTenantName(typed: string): TenantName | null {
  if (typed.length > longest) return null
  const text = unwrapped(
    typed
      .normalize('NFKC')
      .replace(/[\s\u00a0]+/gu, ' ')
      .replace(aroundNames, ''),
  )
  const whole = nameIn(text)
  if (whole !== null) return whole
  const words = text.split(/[\s,;|]+/u).filter(Boolean)
  if (words.length < 2 || words.length > 20) return null
  const names = new Map<string, TenantName>()
  for (const word of words) {
    const name = nameIn(unwrapped(word))
    if (name !== null) names.set(name.id ?? name.domain, name)
  }
  const [only, second] = [...names.values()]
  return only !== undefined && second === undefined ? only : null
}

const quotes = /^["'“”„‟‘’‚‛«»‹›`<([{]+|["'“”„‟‘’‚‛«»‹›`>)\]}.,;:]+$/gu

/** Without quotes, brackets and the full stop of a sentence around it. */
const unwrapped = (text: string): string => text.trim().replace(quotes, '').trim()

function nameIn(text: string): TenantName | null {
  const id = idIn(text)
  if (id !== null) return { id, domain: null }
  const mailbox = /<([^<>]+)>?$/u.exec(text)?.[1]
  if (mailbox !== undefined) return nameIn(mailbox.trim())
  if (/\s/u.test(text)) return null
  if (/^[a-z][a-z0-9+.-]*:\/\//iu.test(text)) return /^https?:/iu.test(text) ? nameInAddress(text) : null
  const address = text.replace(/^mailto:/iu, '').replace(/[/?#\\].*$/su, '')
  // An address of a page without its scheme.
  const path = text.slice(address.length)
  if (path !== '' && !address.includes('@')) return nameInAddress(`https://${text}`)
  const host = hostOf(address.replace(/^.*@/su, ''))
  return host === null || microsoftHosts.test(host) ? null : { id: null, domain: host }
}

/** An ID with its hyphens, or without some or all of them. */
function idIn(text: string): string | null {
  const digits = /^(?:urn:uuid:)?([0-9a-f]{8})-?([0-9a-f]{4})-?([0-9a-f]{4})-?([0-9a-f]{4})-?([0-9a-f]{12})$/iu.exec(
    text,
  )
  return digits === null ? null : tenantIdOf(digits.slice(1).join('-'))
}

function nameInAddress(address: string): TenantName | null {
  if (!URL.canParse(address)) return null
  const url = new URL(address)
  const host = hostOf(url.host)
  if (host === null) return null
  return microsoftHosts.test(host) ? nameInMicrosoftPage(url) : { id: null, domain: host }
}

const parameters = new Set(['tid', 'tenantid', 'tenant', 'domain_hint', 'whr', 'realm', 'ctid', 'customerid'])

/**
 * `login.microsoftonline.com/<tenant>/…`, `portal.azure.com/#@<tenant>/…`, `security.microsoft.com/…?tid=<tenant>`,
 * `entra.microsoft.com/<tenant>/…`, and what stands behind `tenantId/` in the fragments of portals.
 */
function nameInMicrosoftPage(url: URL): TenantName | null {
  const names = new Map<string, TenantName>()
  const add = (text: string | undefined) => {
    const plain = decoded(text ?? '').replace(/^@/u, '')
    const id = idIn(plain)
    const host = id === null ? hostOf(plain) : null
    if (id !== null) names.set(id, { id, domain: null })
    else if (host !== null && !microsoftHosts.test(host)) names.set(host, { id: null, domain: host })
  }
  for (const part of [url.search, url.hash]) {
    for (const [, key = '', value] of part.matchAll(/[?&#/]([a-z_]+)[=/]([^&#/?]+)/giu)) {
      if (parameters.has(key.toLowerCase())) add(value)
    }
  }
  add(/^#@([^/?]+)/u.exec(url.hash)?.[1])
  const [first] = url.pathname.split('/').filter(Boolean)
  add(first)
  const [only, second] = [...names.values()]
  return only !== undefined && second === undefined ? only : null
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

/** A host as DNS writes it (`bücher.example` becomes `xn--bcher-kva.example`), without `www.`; null for what is none. */
function hostOf(text: string): string | null {
  if (text === '' || text.length > 253 || !URL.canParse(`http://${text}`)) return null
  const { hostname, port, username, pathname } = new URL(`http://${text}`)
  if (port !== '' || username !== '' || pathname !== '/') return null
  const host = hostname.replace(/\.$/u, '').replace(/^www\.(?=.+\.)/u, '')
  return domain.test(host) ? host : null
}
