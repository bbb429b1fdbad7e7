import { z } from 'zod'
import { lineBreaking } from '../invisible.ts'
import type { MessageKey } from '../words.ts'
import { says } from './forms.ts'

const tidyLine = (text: string) => text.normalize('NFC').replace(lineBreaking, ' ').replace(/\s+/gu, ' ').trim()

const tidyText = (text: string) =>
  text
    .normalize('NFC')
    .split(/\r\n?|\n/)
    .map((row) => row.replace(lineBreaking, ' ').trimEnd())
    .join('\n')
    .trim()

/** One line that has to be there. */
export const line = (most: number, faults: { missing: MessageKey; long: MessageKey }) =>
  z.string(faults.missing).transform(tidyLine).pipe(z.string().min(1, faults.missing).max(most, faults.long))

/** One line that may be left empty; then it is null. */
export const optionalLine = (most: number, long: MessageKey) =>
  z.string().default('').transform(tidyLine).pipe(z.string().max(most, long)).transform(orNull)

/** Several lines that have to be there; line ends are kept. */
export const requiredText = (most: number, faults: { missing: MessageKey; long: MessageKey }) =>
  z.string(faults.missing).transform(tidyText).pipe(z.string().min(1, faults.missing).max(most, faults.long))

/** Several lines that may be left empty; then they are null. */
export const optionalText = (most: number, long: MessageKey) =>
  z.string().default('').transform(tidyText).pipe(z.string().max(most, long)).transform(orNull)

/** An address that a mail program can be opened with; null when left empty. */
export const optionalEmail = (unusable: MessageKey) =>
  z
    .string()
    .default('')
    .transform(tidyLine)
    .pipe(z.string().max(254, unusable))
    .refine((value) => value === '' || /^[^\s@<>(),;:"\\]+@[^\s@<>(),;:"\\]+\.[^\s@<>(),;:"\\]+$/.test(value), unusable)
    .transform(orNull)

/** A whole number between two others, as typed. */
export const wholeNumber = (least: number, most: number, unusable: MessageKey) =>
  z
    .string(unusable)
    .trim()
    .regex(/^\d{1,6}$/, unusable)
    .transform(Number)
    .pipe(z.number().min(least, unusable).max(most, unusable))

/** Names separated by commas, also full-width ones; each once, however it is capitalised. */
export const nameList = (fault: MessageKey) =>
  z
    .string()
    .default('')
    .transform((text) => {
      const names = new Map<string, string>()
      for (const name of text.split(/[,，、]/u).map(tidyLine)) {
        if (name !== '' && !names.has(name.toLowerCase())) names.set(name.toLowerCase(), name)
      }
      return [...names.values()]
    })
    .pipe(z.array(z.string().max(40, fault)).max(20, fault))

function orNull(text: string): string | null {
  return text === '' ? null : text
}

export const linkDays = wholeNumber(1, 90, says('customers.days.unusable'))
