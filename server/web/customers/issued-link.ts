import type { Request, Response } from 'express'
import { z } from 'zod'
import type { OperatorRequest } from '../../http/route.ts'
import { guardSecret } from '../../http/security.ts'
import { dropSealed, type Sealed, seal, unseal } from '../../http/session/sealed.ts'
import { readAsking } from '../../partner/asked-permissions.ts'
import type { Portal } from '../../portal.ts'
import type { Customer } from '../../store/customers/customers.ts'
import type { ConsentLink } from '../../store/onboarding/links.ts'
import { findIntroductionGap, readSettings } from '../../store/partner/settings.ts'
import { type Language, languages, say } from '../../words.ts'
import { createFormat } from '../page/format.ts'

/** A link at the one moment its address is known: right after it was issued. */
export interface IssuedLink {
  url: string
  classicUrl: string
  /** The customer's own language first. None when the partner's name was taken out of Settings meanwhile. */
  mails: Mail[]
}

interface Mail {
  language: Language
  name: string
  text: string
  /** `mailto:` with recipient, subject and text. */
  address: string
}

/** From the answer that issued the link to the page that shows it, in the issuer's own browser; the database has a hash. */
const carried: Sealed<{ operatorId: string; customerId: string; linkId: string; url: string; classicUrl: string }> = {
  name: 'muster-link',
  schema: z.object({
    operatorId: z.string(),
    customerId: z.string(),
    linkId: z.string(),
    url: z.string(),
    classicUrl: z.string(),
  }),
  seconds: 5 * 60,
}

/** Hands the addresses of a link that was just issued to the next page of its customer. */
export async function showOnce(
  portal: Portal,
  req: OperatorRequest,
  res: Response,
  issued: { link: ConsentLink; url: string; classicUrl: string },
): Promise<void> {
  const { link, url, classicUrl } = issued
  const { customerId, id: linkId } = link
  await seal(portal, res, carried, { operatorId: req.operator.id, customerId, linkId, url, classicUrl })
}

/**
 * Takes what `showOnce` handed over; it is gone from the browser with this answer. What a page asks for by itself takes
 * nothing: the person would never see it.
 */
export async function takeIssued(
  portal: Portal,
  req: OperatorRequest,
  res: Response,
  customer: Customer,
  link: ConsentLink | null,
): Promise<IssuedLink | null> {
  if (isByItself(req)) return null
  const issued = await unseal(portal, req, carried)
  if (issued === null || issued.customerId !== customer.id || issued.operatorId !== req.operator.id) return null
  dropSealed(portal, res, carried)
  if (link === null || link.id !== issued.linkId) return null
  const { url, classicUrl } = issued
  guardSecret(res)
  return { url, classicUrl, mails: await mailsFor(portal, req, customer, link, url) }
}

const isByItself = (req: Request) => req.method !== 'GET' || req.headers['x-muster-live'] === '1'

async function mailsFor(
  portal: Portal,
  req: OperatorRequest,
  customer: Customer,
  link: ConsentLink,
  url: string,
): Promise<Mail[]> {
  const [settings, asking] = await Promise.all([readSettings(portal.db), readAsking(portal)])
  const sender = req.operator.name ?? req.operator.username ?? ''
  // A letter in the company's name says which company that is, whoever sends it.
  if (findIntroductionGap(settings) !== null) return []
  const partner = settings.partnerName
  const inOrder = [...languages].sort(
    (a, b) => Number(b.code === customer.language) - Number(a.code === customer.language),
  )
  return inOrder.map(({ code, name }) => {
    const values = {
      partner,
      sender,
      url,
      // Nobody knows the zone of whoever will read the letter.
      until: createFormat(code, 'UTC', portal.now()).dateText(link.expiresAt),
      reference: link.reference,
      does: asking.changes ? 'work' : 'read',
      cannot: asking.cannot.length > 0 ? 'yes' : 'no',
      consenters: say(code, `join.consenters.${asking.consenters}`),
    }
    const subject = say(code, 'customers.mail.subject', values)
    const text = say(code, 'customers.mail.text', values)
    const address = `mailto:${encodeURIComponent(customer.contactEmail ?? '')}?${mailQuery({ subject, body: text })}`
    return { language: code, name, text, address }
  })
}

/** Mail programs read `%20` and `%0D%0A`; the plus signs of forms they leave as they are. */
const mailQuery = (fields: Record<string, string>) =>
  Object.entries(fields)
    .map(([name, value]) => `${name}=${encodeURIComponent(value.replace(/\r?\n/g, '\r\n'))}`)
    .join('&')
