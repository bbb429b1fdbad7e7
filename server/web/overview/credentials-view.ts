import { credentialName } from '../../notify/compose.ts'
import { type PartnerCredential, troubleOf } from '../../partner/expiry.ts'
import type { PageTools } from '../page/tools.ts'

/** A credential of the partner's own that needs somebody. */
export interface CredentialView {
  name: string
  class: 'alert-danger' | 'alert-warning'
  title: string
  why: string
  endsAt: string | null
}

/** Days before the end from which it is more than a warning, unless another credential takes over. */
const urgentDays = 7

/** Those that are refused beside another one, or end within two months. */
export function credentialViews(
  credentials: readonly PartnerCredential[],
  now: Date,
  { t, lang }: Pick<PageTools, 't' | 'lang'>,
): CredentialView[] {
  return credentials.flatMap((one): CredentialView[] => {
    const trouble = troubleOf(one, now)
    if (trouble === null) return []
    const { name, endsAt, clientId } = one
    const credential = credentialName(lang, name)
    const refused = trouble.code === 'refused'
    const others = credentials.filter((other) => other !== one && other.clientId === clientId)
    const isCovered = others.some((other) => takesOver(other, one))
    const isUrgent = !isCovered && (refused || trouble.days <= urgentDays)
    return [
      {
        name,
        class: isUrgent ? 'alert-danger' : 'alert-warning',
        title: refused
          ? t('notify.heading.credential-ending.refused', { credential })
          : t('notify.heading.credential-ending', { credential, days: trouble.days }),
        why: isCovered
          ? t('overview.credential.covered')
          : t(name.startsWith('app') ? 'overview.credential.alone.app' : 'overview.credential.alone.sign-in'),
        endsAt: endsAt?.toISOString() ?? null,
      },
    ]
  })
}

/** Whether another credential goes on when this one ends; one whose end nobody knows is taken to. */
const takesOver = (other: PartnerCredential, one: PartnerCredential): boolean =>
  other.refused === null &&
  (one.refused !== null || one.endsAt === null || other.endsAt === null || other.endsAt > one.endsAt)
