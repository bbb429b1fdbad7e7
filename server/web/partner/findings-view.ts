import type { Finding } from '../../partner/doctor.ts'
import type { PageTools } from '../page/tools.ts'

/** What a check found, in words. */
export interface FindingView {
  text: string
  /** How grave it is, as an alert; null for what is well or could not be looked at. */
  alert: { class: string; icon: string } | null
  isUnknown: boolean
  /** Null for what is well: nothing is to be done about it. */
  reason: ReasonView | null
}

/** Why it is so, and what to do. */
export interface ReasonView {
  /** What Microsoft said; null when it said nothing. */
  refusal: { why: string; number: string | null; reference: string | null } | null
  next: string
}

const alerts: Partial<Record<Finding['outcome'], FindingView['alert']>> = {
  fault: { class: 'alert-danger', icon: 'alert-circle' },
  warning: { class: 'alert-warning', icon: 'alert-triangle' },
}

export const findingText = ({ code, facts }: Finding, { word }: PageTools): string => word('setup.found', code, facts)

export const findingView = (finding: Finding, tools: PageTools): FindingView => ({
  text: findingText(finding, tools),
  alert: alerts[finding.outcome] ?? null,
  isUnknown: finding.outcome === 'unknown',
  reason: finding.outcome === 'ok' ? null : reasonView(finding, tools),
})

export function reasonView({ refusal, code, facts }: Finding, tools: PageTools): ReasonView {
  const { t, word, refusalKeys, aadstsText } = tools
  const next = word('setup.found', code, 'next', facts)
  if (!refusal) return { refusal: null, next }
  const { aadsts, correlationId } = refusal.facts
  const { why } = refusalKeys(refusal.code, { firstActiveAt: null }, refusal.facts)
  return {
    refusal: {
      why: t(why, { aadsts: aadsts ?? 0, status: refusal.facts.status ?? 0 }),
      number: aadsts ? aadstsText(aadsts) : null,
      reference: correlationId ? t('setup.microsoft-reference', { id: correlationId }) : null,
    },
    next,
  }
}
