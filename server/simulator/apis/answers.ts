import { randomUUID } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import type { Request, Response } from 'express'
import { type LoginRefusal, refusalBody, refusalOf, traceOf } from '../login/refusals.ts'
import type { SimulatorParts } from '../parts.ts'
import type { Passage, Surface, Weather } from '../world/weather.ts'

/** What will happen to an answer on its way out. */
const distort = (res: Response, weather: Weather): void => {
  res.locals.distortion = weather
}
const distortionOf = (res: Response) => res.locals.distortion as Weather | undefined

/** Lets weather strike before a handler runs. @returns true when the request has been answered (or never will be). */
export async function weathered(
  parts: SimulatorParts,
  req: Request,
  res: Response,
  surface: Surface,
  tenantId: string | null,
): Promise<boolean> {
  const { lateMs } = parts.world.behaviour
  if (lateMs !== null) await pause(lateMs[0] + Math.random() * (lateMs[1] - lateMs[0]))
  const struck = parts.world.sky.strikes(passageOf(req, surface, tenantId))
  for (const weather of struck) {
    switch (weather.kind) {
      case 'slow':
        await pause(weather.delayMs ?? 1000)
        break
      case 'hang':
        return true
      case 'reset':
        req.socket.destroy()
        return true
      case 'throttle':
        setRetryAfter(parts, res, weather.retryAfter === undefined ? 10 : weather.retryAfter)
        sendProblem(parts, req, res, surface, 429)
        return true
      case 'outage':
        if (weather.retryAfter !== undefined) setRetryAfter(parts, res, weather.retryAfter)
        sendProblem(parts, req, res, surface, weather.status ?? 503)
        return true
      case 'unauthorized':
        sendProblem(parts, req, res, surface, 401)
        return true
      case 'forbidden':
        sendProblem(parts, req, res, surface, 403)
        return true
      case 'html':
        sendGatewayPage(res, weather.status ?? 503)
        return true
      case 'redirect':
        res.redirect(302, weather.location ?? `${parts.origin}/elsewhere`)
        return true
      case 'refusal':
        // A browser is sent home with it, once it is known where that is.
        if (surface === 'login') {
          distort(res, weather)
          break
        }
        sendRefusal(parts, req, res, refusalBy(weather))
        return true
      default:
        distort(res, weather)
    }
  }
  return false
}

const refusalBy = ({ code, also, word }: Weather): LoginRefusal => ({
  ...refusalOf(code ?? 90033),
  ...(also === undefined ? {} : { also }),
  ...(word === undefined ? {} : { error: word }),
})

/** What the weather lets the sign-in or consent page of this request refuse with. */
export function refusedOnPage(res: Response): LoginRefusal | null {
  const weather = distortionOf(res)
  return weather?.kind === 'refusal' ? refusalBy(weather) : null
}

export function passageOf(req: Request, surface: Surface, tenantId: string | null): Passage {
  return { surface, tenantId, method: req.method, url: req.originalUrl }
}

/** Sends JSON, in whatever state the weather lets it through. */
export async function sendJson(res: Response, status: number, body: unknown): Promise<void> {
  const text = JSON.stringify(body)
  const weather = distortionOf(res)
  res.status(status).type('application/json; charset=utf-8')
  switch (weather?.kind) {
    case undefined:
      res.send(text)
      return
    case 'malformed':
      res.send(`${text.slice(0, Math.max(1, text.length - 20))},,`)
      return
    case 'empty':
      res.send('')
      return
    case 'lost-answer':
      res.socket?.destroy()
      return
    case 'cut':
      res.setHeader('content-length', Buffer.byteLength(text))
      res.flushHeaders()
      res.write(text.slice(0, Math.floor(text.length / 2)), () => res.socket?.destroy())
      return
    case 'drip':
      await drip(res, text, weather.delayMs ?? 200)
      return
    default:
      res.send(text)
  }
}

async function drip(res: Response, text: string, delayMs: number): Promise<void> {
  res.flushHeaders()
  const piece = Math.max(1, Math.ceil(text.length / 100))
  for (let at = 0; at < text.length && !res.destroyed; at += piece) {
    res.write(text.slice(at, at + piece))
    await pause(delayMs)
  }
  res.end()
}

/** A refusal of the login service as JSON, with the headers its answers carry. */
export async function sendRefusal(
  parts: SimulatorParts,
  req: Request,
  res: Response,
  refusal: LoginRefusal,
): Promise<void> {
  const trace = traceOf(parts.world, correlationOf(req))
  loginHeaders(res, trace.traceId)
  await sendJson(res, refusal.status, refusalBody(parts.world, refusal, trace, parts.origin))
}

export function loginHeaders(res: Response, requestId: string = randomUUID()): void {
  res.set({
    'Cache-Control': 'no-store, no-cache',
    Pragma: 'no-cache',
    Expires: '-1',
    'x-ms-request-id': requestId,
    'x-ms-ests-server': '2.1.19343.4 - SIM ProdSlices',
  })
}

export function correlationOf(req: Request): string | undefined {
  const body: unknown = req.body
  const posted = body && typeof body === 'object' ? (body as Record<string, unknown>)['client-request-id'] : undefined
  const id = posted ?? req.query['client-request-id'] ?? req.get('client-request-id')
  return typeof id === 'string' ? id : undefined
}

/** The error envelope of the Defender host: `target` is what its support asks for. */
export async function sendDefenderError(res: Response, status: number, code: string, message: string): Promise<void> {
  await sendJson(res, status, { error: { code, message, target: randomUUID() } })
}

export async function sendGraphError(
  parts: SimulatorParts,
  req: Request,
  res: Response,
  status: number,
  code: string,
  message: string,
): Promise<void> {
  const requestId = randomUUID()
  res.set('request-id', requestId)
  await sendJson(res, status, {
    error: {
      code,
      message,
      innerError: {
        date: new Date(parts.world.clock.now()).toISOString().slice(0, 19),
        'request-id': requestId,
        'client-request-id': req.get('client-request-id') ?? requestId,
      },
    },
  })
}

const apiWords: Record<number, [code: string, message: string]> = {
  401: ['Unauthorized', 'The access token is invalid or expired.'],
  403: ['Forbidden', 'Access to the resource is forbidden.'],
  429: ['TooManyRequests', 'Too many requests.'],
  500: ['InternalServerError', 'An internal server error occurred.'],
  502: ['BadGateway', 'Bad gateway.'],
  503: ['ServiceUnavailable', 'The service is temporarily unavailable.'],
  504: ['GatewayTimeout', 'The gateway did not receive a timely response.'],
}

async function sendProblem(
  parts: SimulatorParts,
  req: Request,
  res: Response,
  surface: Surface,
  status: number,
): Promise<void> {
  if (surface === 'login') return sendGatewayPage(res, status)
  if (surface === 'token' || surface === 'discovery') {
    const base = refusalOf(status === 429 ? 90055 : 90033)
    return sendRefusal(parts, req, res, { ...base, status })
  }
  const [code, message] = apiWords[status] ?? ['UnknownError', '']
  if (surface === 'defender') return sendDefenderError(res, status, code, message)
  return sendGraphError(parts, req, res, status, status === 401 ? 'InvalidAuthenticationToken' : code, message)
}

function sendGatewayPage(res: Response, status: number): void {
  res
    .status(status)
    .type('html')
    .send(
      `<html>\r\n<head><title>${status}</title></head>\r\n<body>\r\n<center><h1>${status}</h1></center>\r\n<hr><center>Microsoft-Azure-Application-Gateway/v2</center>\r\n</body>\r\n</html>\r\n`,
    )
}

function setRetryAfter(parts: SimulatorParts, res: Response, value: NonNullable<Weather['retryAfter']> | null): void {
  if (value === null) return
  if (typeof value === 'object') {
    res.set('Retry-After', new Date(parts.world.clock.now() + value.dateMs).toUTCString())
  } else res.set('Retry-After', String(value))
}
