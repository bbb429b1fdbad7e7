import type { Html } from '../../http/html.ts'
import type { PageTools } from '../page/tools.ts'
import type { EntitiesView as EntitiesFacts, EntityFacts, EntityGroup, EntityLine, FactLine } from './entities.ts'

/** What is involved in an incident, in words; null when nothing is. */
export interface EntitiesView {
  lead: string
  groups: GroupView[]
  allHref: string
}

interface GroupView {
  icon: string
  label: string
  total: string
  shown: LineView[]
  more: LineView[]
  moreLabel: string
  /** How many are not shown at all, in words; null for none. */
  rest: string | null
}

interface LineView {
  name: string
  class: string
  type: string | null
  detail: string | null
  about: AboutView
  /** Those that differ in something else, behind a fold; null for one alone. */
  variants: { label: string; open: boolean; list: { about: AboutView; verdict: Html }[] } | null
  verdict: Html | null
}

interface AboutView {
  facts: { label: string; values: string }[]
  remediation: string | null
  folded: { label: string; values: string }[]
  foldedLabel: string
}

/** So many characters of a name, a detail and a fact are shown. */
const nameLength = 500
const detailLength = 300
const factLength = 500
const foldedLength = 8_000

export function entitiesView(facts: EntitiesFacts, tools: PageTools): EntitiesView | null {
  const { t } = tools
  if (facts.total === 0) return null
  return {
    lead: t(facts.judged ? 'incident.entities.judged' : 'incident.entities.count', { n: facts.total }),
    groups: facts.groups.map((group) => groupView(group, tools)),
    allHref: facts.allHref,
  }
}

function groupView(group: EntityGroup, tools: PageTools): GroupView {
  const { t, word, number } = tools
  return {
    icon: group.icon,
    label: word('incident.kind', group.kind),
    total: number(group.total),
    shown: group.shown.map((line) => lineView(line, group.mono, tools)),
    more: group.more.map((line) => lineView(line, group.mono, tools)),
    moreLabel: t('incident.entities.more', { n: group.moreTotal }),
    rest: group.rest > 0 ? t('incident.entities.rest', { n: group.rest }) : null,
  }
}

function lineView(line: EntityLine, mono: boolean, tools: PageTools): LineView {
  const { t, short, spoken, verdict } = tools
  const { variants } = line
  return {
    name: short(line.name, nameLength),
    class: mono ? 'mono t-sm break' : 'break',
    type: line.type ? spoken('entity', line.type) : null,
    detail: line.detail ? short(line.detail, detailLength) : null,
    about: aboutView(line, tools),
    variants:
      variants.length > 0
        ? {
            label: t(`incident.entities.${line.countedAs}`, { n: variants.length + line.rest }),
            open: line.open,
            list: variants.map((one) => ({ about: aboutView(one, tools), verdict: verdict(one.verdict) })),
          }
        : null,
    verdict: variants.length > 0 ? null : verdict(line.verdict),
  }
}

function aboutView({ facts, folded, remediation }: EntityFacts, { t, short, spoken }: PageTools): AboutView {
  const say = (most: number) => (fact: FactLine) => ({
    label: fact.label.map((part) => spoken('fact', part)).join(', '),
    values: short(fact.values, most),
  })
  return {
    facts: facts.map(say(factLength)),
    remediation: remediation ? spoken('remediation', remediation) : null,
    folded: folded.map(say(foldedLength)),
    foldedLabel: t('incident.entities.fields', { n: folded.length }),
  }
}
