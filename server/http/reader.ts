import type { Request, Response } from 'express'
import type { Config } from '../config/config.ts'
import { type Alphabet, alphabetFor } from '../model/alphabet.ts'
import type { Theme } from '../store/operators/operators.ts'
import { isLanguage, type Language, languageFor, wholeLanguages } from '../words.ts'
import type { SignedInOperator } from './operator.ts'
import { cookieOf, setCookie } from './session/cookies.ts'

/** For whom a page is written. */
export interface Reader {
  language: Language
  /** IANA zone; null when unknown, and times are then given in UTC and say so. */
  timeZone: string | null
  theme: Theme | null
  /** In whose order of letters lists of names stand: of the languages that the browser asks for, whatever the page speaks. */
  alphabet: Alphabet
  operator: SignedInOperator | null
}

/** Cookies that say how somebody wants pages. public/js/times.js writes the zone, by the name that it finds in the page. */
export const themeCookie = 'theme'
export const zoneCookie = 'tz'
/** As long as a customer's browser is known by its cookie. */
const zoneCookieSeconds = 7 * 86_400

/** A visitor: the language he asked for, or his browser does; the zone and the theme that his browser was told to keep. */
export function visitor(config: Config, req: Request): Reader {
  const asked = req.query.lang
  const languages = req.headers['accept-language']
  const language = isLanguage(asked) ? asked : languageFor(languages)
  return {
    language,
    alphabet: alphabetFor(languages) ?? language,
    timeZone: zoneOf(cookieOf(config, req, zoneCookie)),
    theme: themeOf(cookieOf(config, req, themeCookie)),
    operator: null,
  }
}

/** An operator: what she chose, else what her browser says. Her pages are in English, or in a language that has all of them. */
export function operatorReader(visit: Reader, operator: SignedInOperator): Reader {
  return {
    language: wholeLanguages.find(({ code }) => code === operator.language)?.code ?? 'en',
    timeZone: zoneOf(operator.timeZone ?? undefined) ?? visit.timeZone,
    theme: operator.theme,
    alphabet: visit.alphabet,
    operator,
  }
}

/** Remembers the zone that a visitor's page told as he went on; what is no zone is not kept. */
export function keepZone(config: Config, res: Response, told: string | undefined): void {
  const zone = zoneOf(told)
  if (zone !== null) setCookie(config, res, zoneCookie, zone, zoneCookieSeconds, false)
}

export const themeOf = (value: string | undefined): Theme | null =>
  value === 'light' || value === 'dark' ? value : null

/** A zone that this Node can reckon with; null for anything else. */
export function zoneOf(value: string | undefined): string | null {
  if (value === undefined || value.length > 64 || !/^[A-Za-z][\w+-]*(\/[\w+-]+)*$/.test(value)) return null
  try {
    return new Intl.DateTimeFormat('en', { timeZone: value }).resolvedOptions().timeZone
  } catch {
    return null
  }
}
