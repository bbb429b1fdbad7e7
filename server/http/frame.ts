import type { Portal } from '../portal.ts'
import { countAlarms } from '../store/notify/alarm-list.ts'
import { readSettings } from '../store/partner/settings.ts'
import { type FleetSummary, fleetSummary } from '../store/tenants/fleet.ts'
import { type Pause, readPause } from '../store/tenants/pauses.ts'
import { type Avatar, avatarOf } from './avatar.ts'
import type { SignedInOperator } from './operator.ts'
import { type KeyHelp, keysFor, type Place, placesFor } from './places.ts'

/** What stands around every page of an operator: who runs this, who she is, and over how much the numbers are. */
export interface Frame {
  partnerName: string
  operator: SignedInOperator
  avatar: Avatar
  /** Where this role may go, and by which keys. */
  places: Place[]
  keys: KeyHelp[]
  fleet: FleetSummary
  /** Alarms that nobody has seen. */
  newAlarms: number
  /** Reading of every tenant stands still. */
  pause: Pause | null
}

export async function operatorFrame(portal: Portal, operator: SignedInOperator): Promise<Frame> {
  const { db, now } = portal
  const [settings, fleet, pause, alarms] = await Promise.all([
    readSettings(db),
    fleetSummary(db, now()),
    readPause(db),
    countAlarms(db),
  ])
  const avatar = avatarOf(operator.name ?? operator.username ?? '')
  const { role } = operator
  const { partnerName } = settings
  return {
    partnerName,
    operator,
    avatar,
    places: placesFor(role),
    keys: keysFor(role),
    fleet,
    newAlarms: alarms.new,
    pause,
  }
}
