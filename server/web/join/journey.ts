import type { Request, Response } from 'express'
import { z } from 'zod'
import { type Sealed, seal, unseal } from '../../http/session/sealed.ts'
import type { SealedProof } from '../../onboarding/steps.ts'
import type { Portal } from '../../portal.ts'
import { digest } from '../../store/identifiers.ts'
import { isLanguage, type Language } from '../../words.ts'

/** What a browser that left for Microsoft is remembered by: the page it came from and the language it was read in. */
export interface Journey {
  linkId: string
  token: string
  language: Language | null
}

/** Whoever connects several organisations in one browser finds back to these many pages. */
const most = 3

const journeys: Sealed<Journey[]> = {
  name: 'muster-join',
  schema: z.array(
    z.object({
      linkId: z.string(),
      token: z.string(),
      language: z.custom<Language | null>((value) => value === null || isLanguage(value)),
    }),
  ),
  seconds: 24 * 3600,
}

export async function rememberJourney(portal: Portal, req: Request, res: Response, journey: Journey): Promise<void> {
  const others = ((await unseal(portal, req, journeys)) ?? []).filter(({ linkId }) => linkId !== journey.linkId)
  await seal(portal, res, journeys, [journey, ...others].slice(0, most))
}

/** Null for the classic link, which starts at Microsoft, and when it was too long ago. */
export async function findJourney(portal: Portal, req: Request, linkId: string): Promise<Journey | null> {
  const opened = (await unseal(portal, req, journeys)) ?? []
  return opened.find((journey) => journey.linkId === linkId) ?? null
}

/**
 * The secrets of one sign-in that proves a tenant. Each has a cookie of its own, named after its state and sealed for
 * that name: two organisations can be connected side by side, and none passes for the other.
 */
export const proofCookie = (state: string): Sealed<SealedProof> => ({
  name: `muster-proof-${digest(state).slice(0, 16)}`,
  schema: z.object({
    state: z.literal(state),
    attemptId: z.string().nullable(),
    unkept: z
      .object({
        linkId: z.string(),
        kind: z.enum(['landing', 'classic']),
        claimedTenantId: z.string().nullable(),
        leftAt: z.string(),
      })
      .nullish(),
    tenantId: z.string().nullish(),
    nonce: z.string(),
    codeVerifier: z.string(),
    silent: z.boolean(),
  }),
  seconds: 15 * 60,
})
