import type { Examination, Finding } from '../../partner/doctor.ts'
import type { PageTools } from '../page/tools.ts'
import { findingText, type ReasonView, reasonView } from './findings-view.ts'

export interface DoctorFacts extends Examination {
  isOurs(finding: Finding): boolean
}

export interface DoctorView {
  lead: string
  at: string
  /** What needs somebody first. */
  groups: { name: string; title: string; checks: CheckView[] }[]
}

interface CheckView {
  icon: string
  colour: string
  title: string
  outcome: string
  texts: string[]
  reason: ReasonView | null
}

const looks: Record<Finding['outcome'], [string, string]> = {
  ok: ['circle-check', 'c-green'],
  warning: ['alert-triangle', 'c-yellow'],
  fault: ['alert-circle', 'c-red'],
  unknown: ['circle-dashed', 'faint'],
}
const outcomes = ['ok', 'warning', 'fault', 'unknown'] as const

export function doctorView({ at, findings, isOurs }: DoctorFacts, tools: PageTools): DoctorView {
  const { t, word } = tools
  const of = (outcome: Finding['outcome']) => findings.filter((finding) => finding.outcome === outcome)
  const groups: [string, Finding[]][] = [
    ['needs-you', [...of('fault'), ...of('warning')]],
    ['unknown', of('unknown')],
    ['muster', of('ok').filter(isOurs)],
    ['microsoft', of('ok').filter((finding) => !isOurs(finding))],
  ]
  const counts = outcomes.flatMap((outcome) => {
    const n = of(outcome).length
    return n > 0 ? [word('setup.doctor.count', outcome, { n })] : []
  })
  return {
    lead: t('setup.doctor.lead', { checks: findings.length, counts: counts.join(', ') }),
    at,
    groups: groups
      .filter(([, list]) => list.length > 0)
      .map(([name, list]) => ({
        name,
        title: word('setup.doctor', name),
        checks: together(list).map((same) => checkView(same, tools)),
      })),
  }
}

/** What passes in one check stands under one title; what does not stands alone, with its remedy. */
function together(findings: readonly Finding[]): [Finding, ...Finding[]][] {
  const groups: [Finding, ...Finding[]][] = []
  for (const finding of findings) {
    const last = groups.at(-1)
    const isSame = last?.[0].check === finding.check && last[0].outcome === 'ok' && finding.outcome === 'ok'
    if (last && isSame) last.push(finding)
    else groups.push([finding])
  }
  return groups
}

function checkView(same: [Finding, ...Finding[]], tools: PageTools): CheckView {
  const [first] = same
  const [icon, colour] = looks[first.outcome]
  return {
    icon,
    colour,
    title: tools.word('setup.check', first.check),
    outcome: tools.word('setup.outcome', first.outcome),
    texts: same.map((finding) => findingText(finding, tools)),
    reason: first.outcome === 'ok' ? null : reasonView(first, tools),
  }
}
