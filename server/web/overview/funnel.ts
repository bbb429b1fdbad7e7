import type { CustomerLine, StepName } from '../../customers/progress.ts'
import { statusSince } from '../../customers/status.ts'
import { day } from '../../time.ts'

export interface Funnel {
  /** Customers that were sent a link. */
  links: number
  steps: { name: StepName; count: number; lost: number; width: string }[]
  /** Who has not come as far as the proof, and since when they stand where they do: the ones waiting longest first. */
  underWay: (CustomerLine & { since: string })[]
}

export const funnelDays = 30

/** How far the customers came whose newest link is of the last 30 days. */
export function funnelOf(lines: readonly CustomerLine[], now: Date): Funnel {
  const from = new Date(now.getTime() - funnelDays * day).toISOString()
  const recent = lines.filter(
    ({ link, customer }) => link !== null && link.issuedAt >= from && customer.offboardedAt === null,
  )
  const reached = (line: CustomerLine, name: StepName) => stateOf(line, name) === 'done'
  const names = recent[0]?.steps.map(({ name }) => name) ?? []
  let before = recent.length
  return {
    links: recent.length,
    steps: names.map((name) => {
      const count = recent.filter((line) => reached(line, name)).length
      const lost = before - count
      before = count
      return { name, count, lost, width: `${((count / recent.length) * 100).toFixed(1)}%` }
    }),
    underWay: recent
      .filter((line) => !reached(line, 'proven'))
      .map((line) => ({ ...line, since: statusSince(line) ?? line.link?.issuedAt ?? line.customer.createdAt }))
      .sort((a, b) => (a.since < b.since ? -1 : 1)),
  }
}

const stateOf = (line: CustomerLine, name: StepName) => line.steps.find((step) => step.name === name)?.state
