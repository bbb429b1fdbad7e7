import type { Response } from 'express'
import { readSettings } from '../store/settings.ts'
import { renderBare } from './render.ts'

/**
 * Where a customer's way ends without anything to show: a link that opens nothing, a page of another browser. Whoever
 * meets it learns the partner's name and what to do, and nothing about anybody else.
 */
export interface EndingView {
  partner: { name: string; tagline: string }
  code: string
  title: string
  next: string
}

const endings = new Set(['LINK_UNKNOWN', 'LINK_EXPIRED', 'LINK_WITHDRAWN', 'LINK_COMPLETED', 'CONSENT_NOT_YOURS'])

export const isEnding = (code: string): boolean => endings.has(code)

export async function showEnding(res: Response, said: Omit<EndingView, 'partner'>, status: number): Promise<void> {
  const { partnerName } = await readSettings(res.locals.portal.db)
  await renderBare(res, 'join/ending', { ...said, partner: { name: partnerName, tagline: '' } }, status)
}
