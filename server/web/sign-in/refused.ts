import type { Response } from 'express'
import { z } from 'zod'
import { type ErrorCode, PortalError } from '../../errors.ts'
import type { Handler } from '../../http/route.ts'
import { type Sealed, seal, unseal } from '../../http/session/sealed.ts'
import { Refusal, type RefusalCode } from '../../model/refusal.ts'
import type { Portal } from '../../portal.ts'

const number = z.number().nullable()
const text = z.string().nullable()

/** What is told of a refused sign-in. Nothing in it is secret, and none of it is text that came through the callback. */
const schema = z.union([
  z.object({
    by: z.literal('portal'),
    code: z.custom<ErrorCode>((code) => typeof code === 'string'),
    facts: z.record(z.string(), z.union([z.string(), z.number()])),
    told: z.object({ words: text, aadsts: number, correlationId: text }).nullable(),
    retryAfterMs: number,
  }),
  z.object({
    by: z.literal('microsoft'),
    code: z.custom<RefusalCode>((code) => typeof code === 'string'),
    facts: z.object({
      aadsts: number,
      status: number,
      error: text,
      correlationId: text,
      traceId: text,
      at: z.string(),
    }),
    retryAfterMs: number,
  }),
])

/** Kept by the browser alone, so that the page can be loaded again and a stranger's refusals cost no rows. */
const refusedSignIn: Sealed<z.infer<typeof schema>> = { name: 'muster-refused', schema, seconds: 15 * 60 }

/**
 * Leads a browser whose sign-in was refused to the page that says why: the address it came back to holds a code and a
 * state, which belong into no history, screenshot or bookmark. Everything else is thrown on.
 */
export async function leadToRefusal(portal: Portal, res: Response, error: unknown): Promise<void> {
  if (error instanceof PortalError) {
    const { code, facts, told, retryAfterMs = null } = error
    if (error.status >= 500) portal.log.warn({ err: error, requestId: res.req.requestId }, 'a sign-in failed')
    await seal(portal, res, refusedSignIn, { by: 'portal', code, facts, told, retryAfterMs })
  } else if (error instanceof Refusal) {
    const { code, facts, retryAfterMs } = error
    portal.log.warn({ err: error, requestId: res.req.requestId }, 'a sign-in failed')
    await seal(portal, res, refusedSignIn, { by: 'microsoft', code, facts, retryAfterMs })
  } else throw error
  res.redirect(303, '/auth/refused')
}

/** Says why. @throws PortalError or Refusal, as it was when the browser came back */
export const showRefusedSignIn: Handler = async (portal, req, res) => {
  const refusal = await unseal(portal, req, refusedSignIn)
  if (refusal === null) return res.redirect(303, '/sign-in')
  const { retryAfterMs } = refusal
  if (refusal.by === 'microsoft') throw new Refusal(refusal.code, refusal.facts, { retryAfterMs })
  const { code, facts, told } = refusal
  throw new PortalError(code, {
    facts,
    ...(told === null ? {} : { told }),
    ...(retryAfterMs === null ? {} : { retryAfterMs }),
  })
}
