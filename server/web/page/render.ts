import { fileURLToPath } from 'node:url'
import ejs from 'ejs'
import type { Response } from 'express'
import { assetPath } from '../../http/assets.ts'
import type { Frame } from '../../http/frame.ts'
import { escapeHtml, Html, html, icon } from '../../http/html.ts'
import { type Reader, zoneCookie } from '../../http/reader.ts'
import { cookieName } from '../../http/session/cookies.ts'
import { languages, type MessageKey, type MessageValues, say, sayParts } from '../../words.ts'
import { createSignals, type Signals } from './badges.ts'
import { csrfField } from './csrf-field.ts'
import { createFormat, type Format } from './format.ts'
import type { Page } from './page.ts'

const views = fileURLToPath(new URL('../../../views', import.meta.url))

/** An element name, or the attributes of a link. */
type Tag = string | { href: string; class?: string; lang?: string }

interface Translate {
  (key: MessageKey, values?: MessageValues): string
  /** A message with tags: `t.rich('x.y', { name }, { b: 'strong', a: { href } })`. Values are escaped. */
  rich(key: MessageKey, values: MessageValues, tags: Record<string, Tag>): Html
}

/** What every template has beside its view. */
interface Tools extends Format, Signals {
  t: Translate
  html: typeof html
  icon: typeof icon
  /** The address of a file of public/, with the version that lets browsers keep it for good. */
  asset: typeof assetPath
  /** Attributes of a section that renews itself: `<section <%= live('progress', 5) %>>`. See docs/pages.md. */
  live(id: string, seconds: number): Html
  /** The hidden field without which no form is accepted; public forms name the path they post to. */
  csrfField(action?: string): Html
  lang: Reader['language']
  /** Between two sentences: Chinese ones stand without a space. */
  gap: string
  /** A title in which words that belong together stay on one line. */
  heading(text: string): Html
  languages: typeof languages
  reader: Reader
  /** The name of the cookie in which public/js/times.js keeps the zone of the browser. */
  zoneCookie: string
  /** Path and query of this page. */
  path: string
  requestId: string
  frame: Frame | null
}

/**
 * Answers with a page, in the operator’s frame when there is an operator. `status` is for pages that answer something
 * refused, such as a form with faults (422).
 */
export async function render<View extends object>(
  res: Response,
  page: Page<View>,
  view: View,
  status = 200,
): Promise<void> {
  await send(res, page, view, status, (await res.locals.frame?.()) ?? null)
}

/** Answers with a page that asks the database nothing: the ones that say what went wrong. */
export async function renderBare<View extends object>(
  res: Response,
  page: Page<View>,
  view: View,
  status: number,
): Promise<void> {
  await send(res, page, view, status, null)
}

async function send<View extends object>(
  res: Response,
  page: Page<View>,
  view: View,
  status: number,
  frame: Frame | null,
): Promise<void> {
  const text = await ejs.renderFile(
    `${views}/${page.template}.ejs`,
    { ...toolsFor(res, frame), ...view },
    { escape: escapeHtml, cache: true, root: views },
  )
  res.status(status).type('html').send(text)
}

function toolsFor(res: Response, frame: Frame | null): Tools {
  const { portal, reader } = res.locals
  const path = res.req.originalUrl
  const now = portal.now()
  const format = createFormat(reader.language, reader.timeZone, now)
  return {
    ...format,
    ...createSignals(reader.language, format, now, (frame?.pause ?? null) !== null),
    t: translator(reader.language),
    html,
    icon,
    asset: assetPath,
    // A page that answers a form is not to be had again by its address.
    live: (id, seconds) =>
      res.req.method !== 'GET'
        ? html`id="${id}"`
        : html`id="${id}" data-live hx-get="${path}" hx-trigger="every ${seconds}s" hx-select="#${id}" hx-target="this" hx-swap="morph:outerHTML" hx-headers='{"X-Muster-Live":"1"}'`,
    csrfField: (action) => csrfField(portal, res.req, action),
    lang: reader.language,
    gap: reader.language === 'zh-Hant' ? '' : ' ',
    heading,
    languages,
    reader,
    zoneCookie: cookieName(portal.config, zoneCookie),
    path,
    requestId: res.req.requestId,
    frame,
  }
}

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
