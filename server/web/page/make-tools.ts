import type { Response } from 'express'
import { assetPath } from '../../http/assets.ts'
import type { Frame } from '../../http/frame/frame.ts'
import { Html, html, icon } from '../../http/html.ts'
import { type Reader, zoneCookie } from '../../http/reader.ts'
import { cookieName } from '../../http/session/cookies.ts'
import { languages, type MessageKey, type MessageValues, say, sayParts } from '../../words.ts'
import { createBadges } from './badges.ts'
import { csrfField } from './csrf-field.ts'
import { createFormat } from './format.ts'
import { shellView } from './shell.ts'
import type { PageTools, Tag, Translate } from './tools.ts'

export function toolsFor(res: Response, frame: Frame | null): PageTools {
  const { portal, reader } = res.locals
  const path = res.req.originalUrl
  const now = portal.now()
  const format = createFormat(reader.language, reader.timeZone, now)
  const t = translator(reader.language)
  let own: Html | undefined
  const word: PageTools['word'] = (...parts) => {
    const last = parts.at(-1)
    const values = typeof last === 'object' ? last : undefined
    return t((values === undefined ? parts : parts.slice(0, -1)).join('.') as MessageKey, values)
  }
  const tools: PageTools = {
    ...format,
    ...createBadges(reader.language, format, now, (frame?.pause ?? null) !== null),
    t,
    word,
    faultsIn,
    current: (place, entry) => (place === entry ? html` aria-current="page"` : html``),
    currentLanguage: (language) => (language === reader.language ? html` aria-current="true"` : html``),
    htmxConfig,
    tabTitle: (title, owner = t('shell.name')) => (owner === '' ? title : `${title} · ${owner}`),
    icon,
    asset: assetPath,
    // A page that answers a form is not to be had again by its address.
    live: (id, seconds) =>
      res.req.method !== 'GET'
        ? html`id="${id}"`
        : html`id="${id}" data-live hx-get="${path}" hx-trigger="every ${seconds}s" hx-select="#${id}" hx-target="this" hx-swap="morph:outerHTML" hx-headers='{"X-Muster-Live":"1"}'`,
    // One mask for all forms of a page: each would weigh as much again.
    csrfField(action) {
      if (action !== undefined) return csrfField(portal, res.req, action)
      own ??= csrfField(portal, res.req, action)
      return own
    },
    lang: reader.language,
    gap: reader.language === 'zh-Hant' ? '' : ' ',
    heading,
    languages,
    reader,
    zoneCookie: cookieName(portal.config, zoneCookie),
    path,
    requestId: res.req.requestId,
    shell: null,
    frame,
  }
  return { ...tools, shell: frame && shellView(frame, res.locals.rolesHoldUntil ?? null, tools) }
}

const faultsIn: PageTools['faultsIn'] = (faults, field) =>
  (faults ?? []).filter((fault) => fault.field === field).slice(0, 1)

/** No inline styles and no eval, as the Content-Security-Policy demands; nothing of another origin. */
const htmxConfig = new Html(
  JSON.stringify({
    includeIndicatorStyles: false,
    allowEval: false,
    selfRequestsOnly: true,
    allowScriptTags: false,
    historyCacheSize: 0,
    defaultSettleDelay: 0,
    timeout: 20_000,
  }),
)

/** Chinese may break a line between any two characters: “your organisation” torn apart reads as two other words. */
const inseparable = /(貴組織|系統管理員)/u

const heading = (text: string): Html =>
  html`${text.split(inseparable).map((part) => (inseparable.test(part) ? html`<span class="nowrap">${part}</span>` : part))}`

function translator(language: Reader['language']): Translate {
  const plain = (key: MessageKey, values?: MessageValues) => say(language, key, values)
  const rich: Translate['rich'] = (key, values, tags) => {
    const makers = Object.fromEntries(
      Object.entries(tags).map(([name, tag]) => [name, (parts: (string | Html)[]) => element(tag, parts)]),
    )
    return html`${sayParts<Html>(language, key, values, makers)}`
  }
  return Object.assign(plain, { rich })
}

function element(tag: Tag, parts: (string | Html)[]): Html {
  if (typeof tag === 'string') return html`${new Html(`<${tag}>`)}${parts}${new Html(`</${tag}>`)}`
  const kind = tag.class === undefined ? html`` : html` class="${tag.class}"`
  const tongue = tag.lang === undefined ? html`` : html` lang="${tag.lang}"`
  return html`<a href="${tag.href}"${kind}${tongue}>${parts}</a>`
}
