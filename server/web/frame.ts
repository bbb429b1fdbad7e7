import type { Portal } from '../portal.ts'
import { type FleetSummary, fleetSummary } from '../store/fleet.ts'
import { type Pause, readPause } from '../store/pauses.ts'
import { readSettings } from '../store/settings.ts'
import type { SignedInOperator } from './route.ts'

/** What stands around every page of an operator: who runs this, who she is, and over how much the numbers are. */
export interface Frame {
  partnerName: string
  operator: SignedInOperator
  /** Two letters for the round badge. */
  initials: string
  fleet: FleetSummary
  /** Reading of every tenant stands still. */
  pause: Pause | null
}

export async function operatorFrame(portal: Portal, operator: SignedInOperator): Promise<Frame> {
  const { db, now } = portal
  const [settings, fleet, pause] = await Promise.all([readSettings(db), fleetSummary(db, now()), readPause(db)])
  return { partnerName: settings.partnerName, operator, initials: initialsOf(operator), fleet, pause }
}

function initialsOf(operator: SignedInOperator): string {
  const words = (operator.name ?? operator.username ?? '?').trim().split(/[\s.@]+/u)
  const letters = [words[0], words.length > 1 ? words[words.length - 1] : undefined]
  return letters
    .map((word) => [...(word ?? '')][0] ?? '')
    .join('')
    .toUpperCase()
}
