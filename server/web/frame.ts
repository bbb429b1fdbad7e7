import type { Portal } from '../portal.ts'
import { type FleetSummary, fleetSummary } from '../store/fleet.ts'
import { readSettings } from '../store/settings.ts'
import type { SignedInOperator } from './route.ts'

/** What stands around every page of an operator: who runs this, who she is, and over how much the numbers are. */
export interface Frame {
  partnerName: string
  operator: SignedInOperator
  /** Two letters for the round badge. */
  initials: string
  fleet: FleetSummary
}

export async function operatorFrame(portal: Portal, operator: SignedInOperator): Promise<Frame> {
  const [settings, fleet] = await Promise.all([readSettings(portal.db), fleetSummary(portal.db, portal.now())])
  return { partnerName: settings.partnerName, operator, initials: initialsOf(operator), fleet }
}

function initialsOf(operator: SignedInOperator): string {
  const words = (operator.name ?? operator.username ?? '?').trim().split(/[\s.@]+/u)
  const letters = [words[0], words.length > 1 ? words[words.length - 1] : undefined]
  return letters
    .map((word) => [...(word ?? '')][0] ?? '')
    .join('')
    .toUpperCase()
}
