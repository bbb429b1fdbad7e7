import type { Html } from '../../http/html.ts'
import type { ObstacleView } from '../customers/link-obstacle.ts'
import type { PageTools } from '../page/tools.ts'
import { type CredentialView, credentialViews } from './credentials-view.ts'
import { type FunnelView, funnelView, type NeedsView, needsView } from './needs-view.ts'
import { type AlarmView, alarmView, type Beginning } from './overview-view.ts'
import { scopedText } from './scoped.ts'

export interface FirstDayFacts extends Beginning {
  customers: number
  /** Customers that were sent a link at any time. */
  invited: number
  /** Whether customers can be told who asks. */
  introduced: boolean
  mayAdd: boolean
}

export interface FirstDayView {
  title: Html | string
  lead: string
  hasCustomers: boolean
  mayAdd: boolean
  alarms: AlarmView[]
  credentials: CredentialView[]
  obstacle: ObstacleView | null
  rolesUnseenSince: string | null
  scoped: Html | null
  /** The way to the first incident; what is to be done next has a button. */
  steps: FirstStep[]
  /** What needs somebody and how consent goes; null while neither has anything to say. */
  more: { needs: NeedsView | null; funnel: FunnelView | null } | null
}

interface FirstStep {
  state: 'done' | 'now' | 'todo' | 'stopped'
  dot: Html | number
  name: string
  why: string
  link: { href: string; label: string } | null
  button: { href: string; label: string; icon: Html | null; class: string } | null
}

export function firstDayView(facts: FirstDayFacts, tools: PageTools): FirstDayView {
  const { t, time, frame } = tools
  const { customers, introduced, mayAdd, needs, funnel } = facts
  const name = frame?.operator.name || frame?.operator.username || ''
  const open = doneOf(facts).filter((done) => !done).length
  const isSaying = needs.reviews.length + needs.lost.length + needs.paused.length + funnel.links > 0
  return {
    title: customers === 0 ? t('overview.welcome', { name }) : time(facts.now, 'day'),
    lead: customers === 0 ? t('overview.first', { steps: open }) : t('overview.first.going'),
    hasCustomers: customers > 0,
    mayAdd,
    alarms: facts.alarms.map((alarm) => alarmView(alarm, tools)),
    credentials: credentialViews(facts.credentials, facts.now, tools),
    obstacle: introduced && mayAdd ? facts.obstacle : null,
    rolesUnseenSince: facts.rolesUnseenSince,
    scoped: facts.scoped && scopedText(facts.scoped, tools),
    steps: [appStep(facts, tools), ...ownSteps(facts, tools)],
    more: isSaying ? { needs: needsView(needs, tools), funnel: funnelView(funnel, true, tools) } : null,
  }
}

/** The last step is done when this page is no longer shown. */
const doneOf = ({ introduced, customers, invited }: FirstDayFacts) => [introduced, customers > 0, invited > 0, false]

function appStep({ alarms, mayAdd }: FirstDayFacts, { t, icon }: PageTools): FirstStep {
  const fails = alarms.length > 0
  return {
    state: fails ? 'stopped' : 'done',
    dot: icon(fails ? 'x' : 'check'),
    name: t(fails ? 'overview.first.app.alarm' : 'overview.first.app'),
    why: t('overview.first.app.why'),
    link: mayAdd ? { href: '/doctor', label: t('overview.first.app.checks') } : null,
    button: null,
  }
}

function ownSteps(facts: FirstDayFacts, { t, icon }: PageTools): FirstStep[] {
  const { customers, invited, introduced, mayAdd } = facts
  const done = doneOf(facts)
  const next = done.indexOf(false)
  const asks = (i: number) => i === next && mayAdd
  const partnerWhy = t(mayAdd ? 'overview.first.partner.why' : 'overview.first.partner.reader')
  const customerWhy = t(mayAdd ? 'overview.first.customer.why' : 'overview.first.customer.reader')
  const steps: Pick<FirstStep, 'name' | 'why' | 'button'>[] = [
    {
      name: t('overview.first.partner'),
      why: introduced ? t('overview.first.partner.done') : partnerWhy,
      button:
        introduced || !mayAdd
          ? null
          : {
              href: '/settings#partnerName',
              label: t('overview.first.partner.open'),
              icon: null,
              class: asks(0) ? 'btn btn-primary' : 'btn',
            },
    },
    {
      name: t('overview.first.customer'),
      why: customers > 0 ? t('overview.first.customer.done', { n: customers }) : customerWhy,
      button: asks(1)
        ? {
            href: '/customers/new',
            label: t('overview.first.customer.add'),
            icon: icon('plus'),
            class: 'btn btn-primary',
          }
        : null,
    },
    {
      name: t('overview.first.link'),
      why: invited > 0 ? t('overview.first.link.done', { n: invited }) : t('overview.first.link.why'),
      button: asks(2)
        ? { href: '/customers', label: t('overview.first.link.choose'), icon: null, class: 'btn btn-primary' }
        : null,
    },
    { name: t('overview.first.incidents'), why: t('overview.first.incidents.why'), button: null },
  ]
  return steps.map((step, i) => ({
    ...step,
    state: done[i] ? 'done' : i === next ? 'now' : 'todo',
    // The app is the first step of all.
    dot: done[i] ? icon('check') : i + 2,
    link: null,
  }))
}
