import type { RefusalFacts } from '../../model/refusal.ts'
import type { Tenant } from '../../store/tenants/tenants.ts'
import type { PageTools } from './tools.ts'

/** What a tenant is called where nothing else says which one it is: its name, its domain, else its ID. */
export const tenantName = (tenant: Pick<Tenant, 'displayName' | 'defaultDomain' | 'tenantId'>): string =>
  tenant.displayName ?? tenant.defaultDomain ?? tenant.tenantId

/** On what ground a tenant was bound, in words. */
export function howBound(tenant: Pick<Tenant, 'boundHow' | 'boundBy'>, { t }: PageTools): string {
  const key =
    tenant.boundHow === 'sign-in' && tenant.boundBy ? 'tenants.how.sign-in-by' : `tenants.how.${tenant.boundHow}`
  return t(key as 'tenants.how.sign-in-by', { by: tenant.boundBy })
}

/** Microsoft's answer to whoever asks Microsoft about it: number, status and word, as far as there are any. */
export function answerText(refusal: RefusalFacts | null, { t, aadstsText }: PageTools): string {
  const { aadsts = null, status = null, error = null } = refusal ?? {}
  const parts = [
    aadsts ? aadstsText(aadsts) : null,
    status ? t('tenants.answer.http', { status: String(status) }) : null,
    error,
  ]
  return parts.filter(Boolean).join(', ') || '–'
}
