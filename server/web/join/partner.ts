import type { Portal } from '../../portal.ts'
import type { Settings } from '../../store/partner/settings.ts'

/** Who asks, as customers are told. What the partner has not filled in is null or empty, and is left out. */
export interface PartnerView {
  name: string
  tagline: string
  contactName: string
  phone: { text: string; href: string | null } | null
  email: string
  /** https alone. */
  privacyUrl: string | null
  /** What Microsoft will call the app, when the partner wrote it down; and its ID in any case. */
  appName: string
  appId: string
  publicUrl: string
}

export function partnerViewOf(portal: Portal, settings: Settings): PartnerView {
  const digits = settings.contactPhone.replace(/[^+\d]/g, '')
  return {
    name: settings.partnerName,
    tagline: settings.partnerTagline,
    contactName: settings.contactName,
    phone:
      settings.contactPhone === ''
        ? null
        : { text: settings.contactPhone, href: /^\+?\d{3,20}$/.test(digits) ? `tel:${digits}` : null },
    email: settings.contactEmail,
    privacyUrl: isHttps(settings.privacyUrl) ? settings.privacyUrl : null,
    appName: settings.appName,
    appId: portal.config.app.clientId,
    publicUrl: portal.config.publicUrl,
  }
}

const isHttps = (address: string): boolean => URL.canParse(address) && new URL(address).protocol === 'https:'
