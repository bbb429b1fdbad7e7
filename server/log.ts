import { type DestinationStream, type Logger, pino } from 'pino'

export type Log = Logger

const hidden = '[hidden]'

/**
 * JSON lines, UTC, with what might be a secret taken out by name. Errors keep type, message, code and stack alone: a
 * library's error object may carry the request it failed on, and with it a credential.
 */
export function createLog(level: string, destination?: DestinationStream): Log {
  return pino(
    {
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
// biome-ignore lint/suspicious/noControlCharactersInRegex: taking them out is the purpose
const controls = /[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]+/g

/** One bounded line that is safe to write down, whoever wrote the text. */
export function plain(text: string, limit = 500): string {
  return text.replace(jwtLike, hidden).replace(controls, ' ').slice(0, limit)
}
