import type { Request } from 'express'
import { z } from 'zod'
import { PortalError } from '../errors.ts'
import { en } from '../words/en.ts'
import type { MessageKey, MessageValues } from '../words.ts'

/** One field that cannot be taken as it is, by the key of the sentence that says why. */
export interface FieldFault {
  field: string
  key: MessageKey
  /** What the sentence names. */
  values?: MessageValues
}

/** What was typed, for the page to show again: single values and lists, as they came. */
export type Typed = Record<string, string | string[]>

export type Form<T> = { value: T; faults: null; typed: Typed } | { value: null; faults: FieldFault[]; typed: Typed }

/** The message of a zod check: `z.string().min(1, says('customers.name.missing'))`. */
export const says = (key: MessageKey): MessageKey => key

/** A field that may come several times, as checkboxes do; always a list, never longer than `most`. */
export const several = <T extends z.ZodType>(item: T, most: number) =>
  z.preprocess((value) => (value === undefined ? [] : Array.isArray(value) ? value : [value]), z.array(item).max(most))

/**
 * Reads a form. Faults a person can mend come back, with what was typed, for the page to be shown again with status
 * 422; a field nobody offered, or one value where another kind belongs, is no slip of the pen.
 * @throws PortalError `BAD_REQUEST`
 */
export function readForm<Shape extends z.ZodRawShape>(shape: Shape, req: Request): Form<z.output<z.ZodObject<Shape>>> {
  const typed = (req.body ?? {}) as Typed
  const read = z.strictObject(shape).safeParse(typed)
  if (read.success) return { value: read.data as z.output<z.ZodObject<Shape>>, faults: null, typed }
  const faults: FieldFault[] = []
  for (const issue of read.error.issues) {
    const field = String(issue.path[0] ?? '')
    if (issue.code === 'unrecognized_keys' || (issue.code === 'invalid_type' && Array.isArray(typed[field]))) {
      throw new PortalError('BAD_REQUEST')
    }
    if (faults.some((fault) => fault.field === field)) continue
    faults.push({
      field,
      key: Object.hasOwn(en, issue.message) ? (issue.message as MessageKey) : 'shell.form.unusable',
    })
  }
  return { value: null, faults, typed }
}

/**
 * Reads a query. What it does not know is passed over: people’s mail programs add their own.
 * @throws PortalError `BAD_REQUEST`
 */
export function readQuery<T>(schema: z.ZodType<T>, req: Request): T {
  const read = schema.safeParse(req.query)
  if (!read.success) throw new PortalError('BAD_REQUEST')
  return read.data
}

/** One named part of the path. @throws PortalError `NOT_FOUND` when it can be nothing of ours: too long, or with a NUL */
export function pathValue(req: Request, name: string): string {
  const value = req.params[name]
  if (typeof value !== 'string' || value.length > 200 || value.includes('\0')) throw new PortalError('NOT_FOUND')
  return value
}
