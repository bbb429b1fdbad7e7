import type { Request, Response } from 'express'
import { z } from 'zod'
import { PortalError } from '../../errors.ts'
import { customerActor } from '../../http/access.ts'
import { pathValue, readForm } from '../../http/forms.ts'
import { keepZone } from '../../http/reader.ts'
import type { Handler } from '../../http/route.ts'
import { beginConsent, noteOpening } from '../../onboarding/consent.ts'
import { readAsking } from '../../partner/asked-permissions.ts'
import type { Portal } from '../../portal.ts'
import { type Customer, getCustomer } from '../../store/customers/customers.ts'
import { type ConsentLink, findLinkByToken, refuseEnded } from '../../store/onboarding/links.ts'
import { readSettings } from '../../store/partner/settings.ts'
import { isLanguage, type Language } from '../../words.ts'
import { page } from '../page/page.ts'
import { render } from '../page/render.ts'
import { goOn, visitorOf } from './callback.ts'
import { joinView, type LinkOnPage, type LinkPage, notAdminView } from './join-view.ts'
import { rememberJourney } from './journey.ts'
import { partnerViewOf } from './partner.ts'
import { toldText } from './told-text.ts'

/** A link, as its own page shows it. */
const joinPage = page('join/join', joinView)
const notAdminPage = page('join/not-admin', notAdminView)

/** The page a customer's administrator reads first. Opening it starts nothing: mail scanners open links, too. */
export const showJoin: Handler = async (portal, req, res) => {
  const { page, customer, settings } = await linkPage(portal, req, res)
  const { language } = res.locals.reader
  await render(res, joinPage, {
    ...page,
    customerName: customer.name,
    loginHost: new URL(portal.config.authorityHost).host,
    kept: {
      where: toldText(settings, 'dataLocation', language),
      closedDays: settings.closedDays,
      offboardedDays: settings.offboardedDays,
      howLong: toldText(settings, 'dataRetention', language),
      who: toldText(settings, 'dataReaders', language),
    },
    again: req.query.again === '1',
    chosen: languageAsked(req),
  })
}

/** For whoever met Microsoft's "Need admin approval", from which no browser ever comes back. */
export const showNotAdmin: Handler = async (portal, req, res) => {
  const { page } = await linkPage(portal, req, res)
  await render(res, notAdminPage, page)
}

/** A person has the page open: told by the page's own script, at the first sign of one. */
export const addOpening: Handler = async (portal, req, res) => {
  const { link } = await usableLinkOf(portal, req, res)
  await noteOpening(portal, customerActor(req), link)
  res.status(204).end()
}

/** The page again, in the language it was read in, after it was open for so long that its form is no longer taken. */
export function joinPageAgain(req: Request): string {
  const lang: unknown = (req.body as Record<string, unknown> | undefined)?.lang
  return `/join/${encodeURIComponent(pathValue(req, 'token'))}?again=1${isLanguage(lang) ? `&lang=${lang}` : ''}`
}

const questions = {
  lang: z.string().refine(isLanguage).optional(),
  /** As public/js/times.js found it. */
  zone: z.string().max(100).optional(),
}

/** The visitor goes on: an attempt starts, and the browser is sent to Microsoft. */
export const addAttempt: Handler = async (portal, req, res) => {
  const { value } = readForm(questions, req)
  if (value === null) throw new PortalError('BAD_REQUEST')
  const token = pathValue(req, 'token')
  await usableLinkOf(portal, req, res, value.lang)
  keepZone(portal.config, res, value.zone)
  const step = await beginConsent(portal, visitorOf(portal, req), token)
  await rememberJourney(portal, req, res, { linkId: step.departure.linkId, token, language: value.lang ?? null })
  await goOn(portal, req, res, step)
}

async function linkPage(portal: Portal, req: Request, res: Response) {
  const { link, customer } = await usableLinkOf(portal, req, res)
  const [settings, asking] = await Promise.all([readSettings(portal.db), readAsking(portal)])
  const page: LinkPage = {
    partner: partnerViewOf(portal, settings, res.locals.reader.language),
    link: linkOnPage(portal, link, pathValue(req, 'token')),
    asking,
  }
  return { page, customer, settings }
}

/**
 * The link behind the address. Its customer's language is spoken from here on, also where it has ended.
 * @throws PortalError LINK_UNKNOWN, LINK_WITHDRAWN, LINK_EXPIRED, LINK_COMPLETED
 */
async function usableLinkOf(portal: Portal, req: Request, res: Response, language: Language | null = null) {
  const link = await findLinkByToken(portal.db, pathValue(req, 'token'))
  if (!link) throw new PortalError('LINK_UNKNOWN')
  const customer = await getCustomer(portal.db, link.customerId)
  speakTo(req, res, customer, language)
  refuseEnded(link, portal.now())
  return { link, customer }
}

export function linkOnPage(portal: Portal, link: ConsentLink, token: string): LinkOnPage {
  const path = `/join/${token}`
  return {
    path,
    url: `${portal.config.publicUrl}${path}`,
    reference: link.reference,
    expiresAt: link.expiresAt,
    pinnedTenantId: link.pinnedTenantId,
    pinnedDomain: link.pinnedDomain,
  }
}

const languageAsked = (req: Request): Language | null => (isLanguage(req.query.lang) ? req.query.lang : null)

/** In the language asked for, now or earlier on the way; else the customer's; else the browser's. */
export function speakTo(req: Request, res: Response, customer: Customer, earlier: Language | null = null): void {
  const { reader } = res.locals
  const own = isLanguage(customer.language) ? customer.language : reader.language
  res.locals.reader = { ...reader, language: languageAsked(req) ?? earlier ?? own }
}
