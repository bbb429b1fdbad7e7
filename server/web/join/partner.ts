import type { Portal } from '../../portal.ts'
import type { Settings } from '../../store/partner/settings.ts'
import type { Language } from '../../words.ts'
import { type ToldText, toldText } from './told-text.ts'

/** Who asks, as customers are told. What the partner has not filled in is null or empty, and is left out. */
export interface PartnerView {
  name: string
  tagline: ToldText | null
  contactName: string
  phone: { text: string; href: string | null } | null
  email: string
  /** https alone. */
  privacy: ToldText | null
  /** What Microsoft will call the app, when the partner wrote it down; and its ID in any case. */
  appName: string
  appId: string
  publicUrl: string
}

/** As a customer who reads that language is told. */
export function partnerViewOf(portal: Portal, settings: Settings, language: Language): PartnerView {
  const privacy = toldText(settings, 'privacyUrl', language)
  const digits = settings.contactPhone.replace(/[^+\d]/g, '')
  return {
    name: settings.partnerName,
    tagline: toldText(settings, 'partnerTagline', language),
    contactName: settings.contactName,
    phone:
      settings.contactPhone === ''
        ? null
        : { text: settings.contactPhone, href: /^\+?\d{3,20}$/.test(digits) ? `tel:${digits}` : null },
    email: settings.contactEmail,
    privacy: privacy !== null && isHttps(privacy.text) ? privacy : null,
    appName: settings.appName,
    appId: portal.config.app.clientId,
    publicUrl: portal.config.publicUrl,
  }
}

const isHttps = (address: string): boolean => URL.canParse(address) && new URL(address).protocol === 'https:'
