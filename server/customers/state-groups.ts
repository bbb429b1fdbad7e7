import type { CustomerStatus } from './status.ts'

/** What a list of customers is divided into; the single states are a filter. */
export const stateGroups = ['trouble', 'on-the-way', 'connected', 'ended'] as const
export type StateGroup = (typeof stateGroups)[number]

/**
 * Every state and its group, in the order of the list: what Muster cannot see, then what needs somebody, then what is going on,
 * then what is well, then history.
 */
const groups = {
  revoked: 'trouble',
  gone: 'trouble',
  disabled: 'trouble',
  blocked: 'trouble',
  limited: 'trouble',
  blind: 'trouble',
  paused: 'trouble',
  review: 'trouble',
  unproven: 'trouble',
  unlicensed: 'trouble',
  declined: 'trouble',
  expired: 'trouble',
  withdrawn: 'on-the-way',
  'not-invited': 'on-the-way',
  proving: 'on-the-way',
  claimed: 'on-the-way',
  reading: 'on-the-way',
  'at-microsoft': 'on-the-way',
  opened: 'on-the-way',
  waiting: 'on-the-way',
  active: 'connected',
  offboarded: 'ended',
} as const satisfies Record<CustomerStatus, StateGroup>

export const troubleFirst = Object.keys(groups) as readonly CustomerStatus[]
export const groupOf = (standing: CustomerStatus): StateGroup => groups[standing]

/** A group or a state, and how many customers are in it. */
export interface Counted<Name> {
  name: Name
  count: number
}

export interface StateCounts {
  all: number
  groups: Counted<StateGroup>[]
  /** States of the group, or of all groups, that somebody is in. */
  states: Counted<CustomerStatus>[]
}

/** How many of these are in each group, and in each state of `within`; `asked` is listed even when nobody is in it. */
export function countStates(
  standings: readonly CustomerStatus[],
  within: StateGroup | null,
  asked: CustomerStatus | null,
): StateCounts {
  const counts = new Map<CustomerStatus, number>()
  for (const standing of standings) counts.set(standing, (counts.get(standing) ?? 0) + 1)
  const countOf = (states: readonly CustomerStatus[]) =>
    states.reduce((sum, state) => sum + (counts.get(state) ?? 0), 0)
  return {
    all: standings.length,
    groups: stateGroups.map((name) => ({ name, count: countOf(troubleFirst.filter((one) => groupOf(one) === name)) })),
    states: troubleFirst
      .filter((state) => within === null || groupOf(state) === within)
      .map((name) => ({ name, count: countOf([name]) }))
      .filter(({ name, count }) => count > 0 || name === asked),
  }
}
