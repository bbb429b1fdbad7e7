import type { assetPath } from '../../http/assets.ts'
import type { FieldFault } from '../../http/forms.ts'
import type { Frame } from '../../http/frame/frame.ts'
import type { Html, icon } from '../../http/html.ts'
import type { Reader } from '../../http/reader.ts'
import type { languages, MessageKey, MessageValues } from '../../words.ts'
import type { Badges } from './badges.ts'
import type { Format } from './format.ts'

/** An element name, or the attributes of a link. */
export type Tag = string | { href: string; class?: string; lang?: string }

export interface Translate {
  (key: MessageKey, values?: MessageValues): string
  /** A message with tags: `t.rich('x.y', { name }, { b: 'strong', a: { href } })`. Values are escaped. */
  rich(key: MessageKey, values: MessageValues, tags: Record<string, Tag>): Html
}

/** What every template has beside its view, and what makes a view of facts. */
export interface PageTools extends Format, Badges {
  t: Translate
  /** A message by its name: `word('tenants.jump', place)` is `t(`tenants.jump.${place}`)`; values may come last. */
  word(...parts: (string | number | MessageValues)[]): string
  /** What is to be mended in one field: none or one. */
  faultsIn(faults: readonly FieldFault[] | null, field: string): FieldFault[]
  /** `aria-current="page"` where the page is the one this entry leads to. */
  current(place: string, entry: string): Html
  /** `aria-current="true"` on the language the page is in. */
  currentLanguage(language: string): Html
  htmxConfig: Html
  /** What the browser's tab says. */
  tabTitle(title: string, owner?: string): string
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
  /** What stands around an operator's page; null on pages of others. */
  shell: ShellView | null
  frame: Frame | null
}

/** What stands around every page of an operator, in words. */
export interface ShellView {
  partnerName: string
  operatorName: string
  role: string
  avatar: Frame['avatar']
  places: (Frame['places'][number] & { label: string; count: Html | string | null })[]
  keys: { first: string; label: string; keys: string[] }[]
  /** How many alarms nobody has seen, null for none, and the same in words. */
  newAlarms: string | null
  bell: string
  /** How many tenants are blind, in words; null for none. */
  blind: string | null
  /** Over how many tenants the numbers are; null without any. */
  read: Html | null
  newestReadAt: string | null
  themes: { name: 'auto' | 'light' | 'dark'; pressed: 'true' | 'false' }[]
  /** That nothing can be stored, and why. */
  writeFault: string | null
  pause: { at: string; by: string; mayResume: boolean } | null
  /** Until when roles hold that Microsoft cannot be asked for; null while it can. */
  rolesHoldUntil: string | null
}
