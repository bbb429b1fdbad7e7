import { everything, type Scope } from '../../store/scope.ts'
import { type OperatorRole, reaches } from '../operator.ts'

/** A place of the side bar. */
export interface Place {
  name: 'overview' | 'incidents' | 'customers' | 'alarms' | 'audit' | 'setup' | 'settings'
  href: string
  icon: string
  /** Leads there when pressed after `g`. */
  key: string | null
  /** Who may go there, as the route says. */
  access: OperatorRole
  /** Whether it concerns the whole portal, as the route says. */
  wholePortal?: true
}

/** Whose side bar it is. */
export interface Goer {
  operator: { role: OperatorRole }
  scope: Scope
}

const places: readonly Place[] = [
  { name: 'overview', href: '/', icon: 'layout-dashboard', key: 'o', access: 'Reader' },
  { name: 'incidents', href: '/incidents', icon: 'inbox', key: 'i', access: 'Reader' },
  { name: 'customers', href: '/customers', icon: 'building', key: 'c', access: 'Reader' },
  { name: 'alarms', href: '/alarms', icon: 'bell', key: 'l', access: 'Reader' },
  { name: 'audit', href: '/audit', icon: 'history', key: 'a', access: 'Admin' },
  { name: 'setup', href: '/setup', icon: 'stethoscope', key: null, access: 'Admin', wholePortal: true },
  { name: 'settings', href: '/settings', icon: 'settings', key: null, access: 'Reader' },
]

/** The places somebody of this role and scope may go to, in the order of the side bar. */
export const placesFor = ({ operator, scope }: Goer): Place[] =>
  places.filter((place) => reaches(operator.role, place.access) && (scope === everything || !place.wholePortal))

/** What the help calls a key or several: `shell.keys.<name>`, or the name of a place. */
export interface KeyHelp {
  name: string
  /** In the order they are pressed or may be pressed; the first one is what public/js/keys.js knows the line by. */
  keys: string[]
  /** The place that this leads to, after `g`. */
  place?: Place['name']
}

/** Keys that work for this role and scope; public/js/keys.js hides those that find nothing on the page. */
export function keysFor(goer: Goer): KeyHelp[] {
  return [
    { name: 'move', keys: ['j', 'k'] },
    { name: 'pick', keys: ['x'] },
    { name: 'open', keys: ['Enter'] },
    { name: 'defender', keys: ['d'] },
    ...(reaches(goer.operator.role, 'Analyst') ? [{ name: 'read', keys: ['r'] }] : []),
    { name: 'filter', keys: ['f'] },
    { name: 'search', keys: ['/'] },
    ...placesFor(goer).flatMap(({ name, key }) =>
      key === null ? [] : [{ name: 'go', keys: ['g', key], place: name }],
    ),
    { name: 'help', keys: ['?'] },
  ]
}
