import type { Response } from 'express'
import type { ErrorCode } from '../../errors.ts'
import { readSettings } from '../../store/partner/settings.ts'
import { say } from '../../words.ts'
import { page } from '../page/page.ts'
import { renderBare } from '../page/render.ts'
import { contactView, isReachable } from './join-view.ts'
import { type PartnerView, partnerViewOf } from './partner.ts'

/**
 * Where a customer's way ends without anything to show: a link that opens nothing, a page of another browser. Whoever
 * meets it learns who the partner is, how to reach them and what to name, and nothing about anybody else.
 */
interface EndingFacts {
  partner: PartnerView
  code: string
  title: string
  next: string
  /** Of the link, where the address was one of ours. */
  reference: string | null
  /** A letter that asks for a new link, ready to send; null where none is needed or nobody can be written to. */
  newLinkHref: string | null
}

const endingPage = page('join/ending', (facts: EndingFacts, tools) => {
  const { partner, newLinkHref } = facts
  return {
    ...facts,
    /** Null when nobody can be reached. */
    contact: isReachable(partner) ? contactView(partner, tools) : null,
    email: newLinkHref === null ? partner.email : null,
    phone: partner.phone?.href ? partner.phone : null,
  }
})

/** The dead ends, and whether a new link is what helps. */
const endings: Partial<Record<ErrorCode, { newLink: boolean }>> = {
  LINK_UNKNOWN: { newLink: true },
  LINK_EXPIRED: { newLink: true },
  LINK_WITHDRAWN: { newLink: true },
  LINK_COMPLETED: { newLink: false },
  CONSENT_NOT_YOURS: { newLink: false },
}

export const isEnding = (code: string): code is ErrorCode => Object.hasOwn(endings, code)

export async function showEnding(
  res: Response,
  answer: Pick<EndingFacts, 'title' | 'next' | 'reference'> & { code: ErrorCode },
  status: number,
): Promise<void> {
  const { portal, reader } = res.locals
  const asker = partnerViewOf(portal, await readSettings(portal.db), reader.language)
  // A person's name is for who holds a link of ours, not for who makes up an address.
  const partner = answer.reference === null ? { ...asker, contactName: '' } : asker
  const asks = endings[answer.code]?.newLink === true && partner.email !== ''
  const subject = say(reader.language, 'join.ended.subject', { reference: answer.reference ?? 'none' })
  const newLinkHref = asks ? `mailto:${partner.email}?subject=${encodeURIComponent(subject)}` : null
  await renderBare(res, endingPage, { ...answer, partner, newLinkHref }, status)
}
