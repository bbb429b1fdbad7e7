import { AsyncLocalStorage } from 'node:async_hooks'
import { type DestinationStream, type Logger, pino } from 'pino'
import { lineBreaking } from './invisible.ts'
import { minute } from './time.ts'

export type Log = Logger

const hidden = '[hidden]'

/** Whose request a line is written for; `bounded` is asked again for each line. */
interface LineScope {
  readonly bounded: boolean
}

const scopes = new AsyncLocalStorage<LineScope>()

/** Runs something of which every line that it writes, and what it leads to, is within that scope. */
export const withinScope = <T>(scope: LineScope, run: () => T): T => scopes.run(scope, run)

/** Lines a minute, for each level, that requests of nobody signed in may write in one process: a disk is filled by no stranger. */
export const boundedLines = 600

/**
 * Counts bounded lines by level. What is beyond the bound is left out, and one line at the end of its minute says how much
 * that was.
 */
function createLineBound(windowMs: number, summarise: (leftOut: Record<string, number>) => void) {
  let endsAt = 0
  let lineCounts = new Map<number, number>()
  return (level: number): boolean => {
    if (!scopes.getStore()?.bounded) return true
    const now = performance.now()
    if (now >= endsAt) {
      endsAt = now + windowMs
      lineCounts = new Map()
    }
    const lines = (lineCounts.get(level) ?? 0) + 1
    lineCounts.set(level, lines)
    if (lines === boundedLines + 1) {
      const counted = lineCounts
      setTimeout(() => summarise(leftOutOf(counted)), endsAt - now).unref()
    }
    return lines <= boundedLines
  }
}

const leftOutOf = (lineCounts: ReadonlyMap<number, number>): Record<string, number> =>
  Object.fromEntries(
    [...lineCounts].flatMap(([level, lines]) =>
      lines > boundedLines ? [[pino.levels.labels[level] ?? String(level), lines - boundedLines] as const] : [],
    ),
  )

/**
 * JSON lines, UTC, with what might be a secret taken out by name. Errors keep type, message, code and stack alone: a
 * library's error object may carry the request it failed on, and with it a credential.
 * Lines within a bounded scope are limited for each `windowMs`.
 */
export function createLog(level: string, destination?: DestinationStream, windowMs = minute): Log {
  const mayWrite = createLineBound(windowMs, (leftOut) =>
    scopes.exit(() => log.warn({ leftOut }, 'lines that strangers caused were left out')),
  )
  const log: Log = pino(
    {
      hooks: {
        logMethod(args, method, lineLevel) {
          if (mayWrite(lineLevel)) method.apply(this, args)
        },
      },
      level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      redact: {
        paths: ['*.authorization', '*.cookie', '*.secret', '*.token', '*.state', '*.code', '*.password'].flatMap(
          (path) => [path, path.slice(2)],
        ),
        censor: hidden,
      },
      serializers: { err: describeError },
    },
    ...(destination ? [destination] : []),
  )
  return log
}

/** What of an error may be written down: bounded, one line, control characters gone. */
export function describeError(error: unknown): object {
  if (!(error instanceof Error)) return { message: plain(String(error)) }
  const { code, status } = error as { code?: unknown; status?: unknown }
  return {
    type: error.name,
    message: plain(error.message),
    ...(typeof code === 'string' || typeof code === 'number' ? { reason: code } : {}),
    ...(typeof status === 'number' ? { status } : {}),
    stack: plain(error.stack ?? '', 2000),
    ...(error.cause === undefined ? {} : { cause: describeError(error.cause) }),
  }
}

const jwtLike = /\beyJ[\w-]+\.[\w-]+\.[\w-]*/g

/** One bounded line that is safe to write down, whoever wrote the text. */
export function plain(text: string, limit = 500): string {
  return text.replace(jwtLike, hidden).replace(lineBreaking, ' ').slice(0, limit)
}
