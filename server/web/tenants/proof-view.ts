import type { Html } from '../../http/html.ts'
import { html } from '../../http/html.ts'
import type { LiveCall, TokenClaims } from '../../model/access.ts'
import type { AccessCheck } from '../../store/tenants/checks.ts'
import { answerText } from '../page/tenant-words.ts'
import type { PageTools } from '../page/tools.ts'

/** What the last check of a tenant's access proved, in words. */
export interface ProofView {
  /** When it was, and what it came to; null before the first one. */
  head: { at: string; class: string; icon: string; label: string } | null
  /** One of them: nothing was checked yet, no token came, or what came. */
  state: { none: boolean; noToken: boolean }
  claims: { label: string; value: string; verdict: string; class: string }[]
  roles: { list: string[]; none: string | null } | null
  expires: Html | null
  missing: string[]
  unexpected: string[]
  calls: string[]
}

export function proofView(
  check: AccessCheck | null,
  ours: { tenantId: string; appId: string },
  tools: PageTools,
): ProofView {
  const { t, time } = tools
  const claims = check?.claims ?? null
  const issued = claims?.issuedAt
    ? html` <span class="faint">${t('tenants.proof.issued')} ${time(claims.issuedAt, 'seconds')}</span>`
    : ''
  return {
    head: check && headOf(check, ours, tools),
    state: {
      none: check === null,
      noToken: check !== null && !claims && check.calls.length === 0 && check.missingRoles.length === 0,
    },
    claims: claims ? claimLines(claims, ours, tools) : [],
    roles: claims && { list: claims.roles, none: claims.roles.length === 0 ? t('tenants.proof.roles.none') : null },
    expires: claims?.expiresAt ? html`${time(claims.expiresAt, 'seconds')}${issued}` : null,
    missing: check?.missingRoles ?? [],
    unexpected: check?.unexpectedRoles ?? [],
    calls: (check?.calls ?? []).map((call) => callText(call, tools)),
  }
}

const isOurs = (claims: TokenClaims, ours: { tenantId: string; appId: string }) =>
  claims.tid === ours.tenantId && claims.appid === ours.appId

function headOf(check: AccessCheck, ours: { tenantId: string; appId: string }, { t }: PageTools): ProofView['head'] {
  const { at, claims, calls } = check
  if (claims && isOurs(claims, ours)) {
    return { at, class: 'green', icon: 'circle-check', label: t('tenants.proof.right') }
  }
  if (claims) return { at, class: 'red', icon: 'alert-triangle', label: t('tenants.proof.wrong') }
  const label = t(calls.length > 0 ? 'tenants.proof.unreadable' : 'tenants.proof.no-token')
  return { at, class: '', icon: 'circle-x', label }
}

function claimLines(
  claims: TokenClaims,
  ours: { tenantId: string; appId: string },
  { t }: PageTools,
): ProofView['claims'] {
  const isForeign = claims.tid !== ours.tenantId
  const isOther = claims.appid !== ours.appId
  return [
    {
      label: t('tenants.proof.tid'),
      value: claims.tid,
      verdict: t(isForeign ? 'tenants.proof.tid.other' : 'tenants.proof.tid.ours'),
      class: isForeign ? 'c-red' : 'c-green',
    },
    {
      label: t('tenants.proof.appid'),
      value: claims.appid,
      verdict: t(isOther ? 'tenants.proof.appid.other' : 'tenants.proof.appid.ours'),
      class: isOther ? 'c-red' : 'c-green',
    },
  ]
}

function callText({ method, path, status, ms, partial }: LiveCall, { t, lacking }: PageTools): string {
  const values = { method, path, status: String(status), ms: String(ms) }
  const text = t(status === null ? 'tenants.proof.no-answer' : 'tenants.proof.call', values)
  return partial ? `${text} · ${lacking(partial)}` : text
}

/** The checks before the last one. */
export interface PastCheckView {
  id: string
  at: string
  state: string
  why: string | null
  /** Null when Microsoft refused nothing. */
  answer: string | null
  correlationId: string | null
}

export const pastCheckView = (check: AccessCheck, tools: PageTools): PastCheckView => ({
  id: check.id,
  at: check.at,
  state: tools.word('standing', check.state),
  why: check.refusalCode
    ? tools.t(tools.refusalKeys(check.refusalCode, { firstActiveAt: null }, check.refusal).why, {
        aadsts: 0,
        status: 0,
      })
    : null,
  answer: check.refusal ? answerText(check.refusal, tools) : null,
  correlationId: check.refusal?.correlationId ?? null,
})
