import type { NextFunction, Request, Response } from 'express'
import { isGuid } from '../../guid.ts'
import type { VirtualClock } from '../world/clock.ts'

/** One request as it came in, for tests that count calls. */
export interface RecordedRequest {
  method: string
  /** Without the query. */
  path: string
  /** Path and query. */
  url: string
  /** Tenant in the path (as named there) or in the token. */
  tenantId: string | null
  /** `tid` of the bearer token, when it was one of this Microsoft's. */
  tokenTid: string | null
  /** `User-Agent` of the caller, for tests that tell processes apart. */
  agent: string | null
  /** Virtual milliseconds. */
  at: number
  /** When the answer had gone out or the connection broke; null until then. */
  endedAt: number | null
  /** Null while there is no answer; stays null for requests that never get one. */
  status: number | null
}

const most = 20_000

/** Writes every request down in a bounded list; the oldest go first. */
export function recorder(
  requests: RecordedRequest[],
  clock: VirtualClock,
  line: (text: string) => void,
): (req: Request, res: Response, next: NextFunction) => void {
  return (req, res, next) => {
    const [path = '', first = ''] = [req.path, req.path.split('/')[1]]
    const record: RecordedRequest = {
      method: req.method,
      path,
      url: req.originalUrl,
      tenantId:
        isGuid(first) || first.includes('.onmicrosoft.') || first.endsWith('.example') ? first.toLowerCase() : null,
      tokenTid: null,
      agent: req.get('user-agent') ?? null,
      at: clock.now(),
      endedAt: null,
      status: null,
    }
    res.locals.record = record
    if (!path.startsWith('/_sim')) {
      requests.push(record)
      if (requests.length > most) requests.splice(0, requests.length - most)
    }
    res.on('close', () => {
      record.endedAt = clock.now()
    })
    res.on('finish', () => {
      record.status = res.statusCode
      line(`${new Date(record.at).toISOString()} ${record.method} ${record.path} ${record.status}`)
    })
    next()
  }
}

/** Notes whose token came with a request. */
export function noteToken(req: Request, tid: string): void {
  const record = req.res?.locals.record as RecordedRequest | undefined
  if (!record) return
  record.tokenTid = tid
  record.tenantId = tid
}
