import { domainToUnicode } from 'node:url'
import { type Html, html } from '../../http/html.ts'
import { readTenantName } from '../../microsoft/wire/tenant-name.ts'
import type { Language } from '../../words.ts'
import { say } from '../../words.ts'

/**
 * `clock` 08:14 · `moment` today 08:14, 17 Nov 10:20 · `seconds` 20 Nov 08:14:22 · `date` 4 December 2026 ·
 * `day` Friday 20 November
 */
export type TimeStyle = 'clock' | 'moment' | 'seconds' | 'date' | 'day'

/** How times, spans and numbers are written for one reader. */
export interface Format {
  time(value: Date | string | null, style?: TimeStyle): Html
  /** `38 s ago`, with the time itself under the pointer. */
  ago(value: Date | string | null): Html
  /** A span as words: `2 h 33 min`. */
  span(milliseconds: number): string
  number(value: number): string
  /** A day alone, as text for a letter: `14 December 2026`, as `time(…, 'date')` shows it on a page. */
  dateText(value: Date | string): string
  /**
   * A domain as it was looked up, in ASCII, with its letters beside it where they differ: `о` of another alphabet passes
   * for `o` to the eye alone.
   */
  domainName(stored: string): string
  /** A UTC calendar day, `2026-10-22`, as `22 Oct`. */
  shortDay(day: string): string
}

/** British spelling gives English day before month and the 24-hour clock. */
const locales: Record<Language, string> = { en: 'en-GB', sv: 'sv-SE', 'zh-Hant': 'zh-TW' }

const styles: Record<Exclude<TimeStyle, 'moment'> | 'moment-year', Intl.DateTimeFormatOptions> = {
  clock: { hour: '2-digit', minute: '2-digit' },
  'moment-year': { day: 'numeric', month: 'short', year: 'numeric', hour: '2-digit', minute: '2-digit' },
  seconds: { day: 'numeric', month: 'short', hour: '2-digit', minute: '2-digit', second: '2-digit' },
  date: { day: 'numeric', month: 'long', year: 'numeric' },
  day: { weekday: 'long', day: 'numeric', month: 'long' },
}

/** What two clocks may differ by, in milliseconds. */
const differing = 60_000

const formats = new Map<string, Intl.DateTimeFormat>()

function written(date: Date, language: Language, zone: string, options: Intl.DateTimeFormatOptions): string {
  const id = `${language} ${zone} ${JSON.stringify(options)}`
  let format = formats.get(id)
  if (!format) {
    format = new Intl.DateTimeFormat(locales[language], { ...options, timeZone: zone, hourCycle: 'h23' })
    formats.set(id, format)
  }
  return format
    .format(date)
    .replace(/, (?=\d\d:)/, ' ')
    .replace(/^(\p{L}+), (?=\d)/u, '$1 ')
}

function domainName(domain: string): string {
  // Older records hold what was typed around the domain as well.
  const ascii = readTenantName(domain)?.domain ?? domain
  const letters = domainToUnicode(ascii)
  return letters === '' || letters === ascii ? ascii : `${ascii} (${letters})`
}

export function createFormat(language: Language, timeZone: string | null, now: Date): Format {
  const zone = timeZone ?? 'UTC'
  const numbers = new Intl.NumberFormat(locales[language])
  const inZone = (date: Date, options: Intl.DateTimeFormatOptions) => written(date, language, zone, options)
  const sameDay = (date: Date) => inZone(date, styles.date) === inZone(now, styles.date)
  const sameYear = (date: Date) => inZone(date, { year: 'numeric' }) === inZone(now, { year: 'numeric' })

  const text = (date: Date, style: TimeStyle): string => {
    if (style !== 'moment') return inZone(date, styles[style])
    if (sameDay(date)) return say(language, 'shell.time.today', { clock: inZone(date, styles.clock) })
    const { year, ...options } = styles['moment-year']
    return inZone(date, sameYear(date) ? options : { ...options, ...(year ? { year } : {}) })
  }

  const span = (milliseconds: number): string => {
    const seconds = Math.max(0, Math.floor(milliseconds / 1000))
    const minutes = Math.floor(seconds / 60)
    const hours = Math.floor(minutes / 60)
    const days = Math.floor(hours / 24)
    const words = (key: 's' | 'min' | 'h' | 'd', n: number) => say(language, `shell.span.${key}`, { n })
    if (seconds < 60) return words('s', seconds)
    if (hours < 1) return words('min', minutes)
    if (days < 1) return minutes % 60 === 0 ? words('h', hours) : `${words('h', hours)} ${words('min', minutes % 60)}`
    return days < 7 && hours % 24 > 0 ? `${words('d', days)} ${words('h', hours % 24)}` : words('d', days)
  }

  return {
    span,
    number: (value) => numbers.format(value),
    dateText(value) {
      const date = dateOf(value)
      return date ? text(date, 'date') : ''
    },
    domainName,
    shortDay: (day) => written(new Date(`${day}T00:00:00Z`), language, 'UTC', { day: 'numeric', month: 'short' }),
    time(value, style = 'moment') {
      const date = dateOf(value)
      if (!date) return html``
      // A date alone names no hour, so it needs no zone beside it; public/js/times.js rewrites what carries data-utc.
      const label = timeZone === null && style !== 'date' && style !== 'day' ? ' UTC' : ''
      return label === ''
        ? html`<time datetime="${date.toISOString()}" title="${exact(date)}">${text(date, style)}</time>`
        : html`<time datetime="${date.toISOString()}" title="${exact(date)}" data-utc="${style}">${text(date, style)}${label}</time>`
    },
    ago(value) {
      const date = dateOf(value)
      if (!date) return html``
      const passed = now.getTime() - date.getTime()
      // Nothing was a moment ago that is still to come.
      const words = passed < -differing ? text(date, 'moment') : say(language, 'shell.time.ago', { span: span(passed) })
      return html`<time datetime="${date.toISOString()}" title="${exact(date)}">${words}</time>`
    },
  }
}

/** Microsoft’s instants carry seven fraction digits; Date reads three. */
function dateOf(value: Date | string | null): Date | null {
  const date = typeof value === 'string' ? new Date(value) : value
  return date === null || Number.isNaN(date.getTime()) ? null : date
}

const exact = (date: Date): string => `${date.toISOString().slice(0, 19).replace('T', ' ')} UTC`
