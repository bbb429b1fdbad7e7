import type { Portal } from '../../portal.ts'
import { countAlarms } from '../../store/notify/alarm-list.ts'
import { readSettings } from '../../store/partner/settings.ts'
import { everything, type Scope } from '../../store/scope.ts'
import { type FleetSummary, fleetSummary } from '../../store/tenants/fleet.ts'
import { type Pause, readPause } from '../../store/tenants/pauses.ts'
import type { WriteFault } from '../../store/upkeep/write-probe.ts'
import { runsPortal, type SignedInOperator } from '../operator.ts'
import { type Avatar, avatarOf } from './avatar.ts'
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
  /** Why nothing can be stored; null where it can. */
  writeFault: WriteFault | null
  /** Whether she sees some customers alone. */
  limited: boolean
  /** Whether she may change what is the whole portal's. */
  runs: boolean
  /** Reading of every tenant stands still. */
  pause: Pause | null
}

export async function operatorFrame(
  portal: Portal,
  operator: SignedInOperator,
  scope: Scope,
  writeFault: WriteFault | null,
): Promise<Frame> {
  const { db, now } = portal
  const [settings, fleet, pause, alarms] = await Promise.all([
    readSettings(db),
    fleetSummary(db, now(), scope),
    readPause(db),
    countAlarms(db, scope),
  ])
  const avatar = avatarOf(operator.name ?? operator.username ?? '')
  const who = { operator, scope }
  const { partnerName } = settings
  const limited = scope !== everything
  const runs = runsPortal(who)
  return {
    partnerName,
    operator,
    avatar,
    places: placesFor(who),
    keys: keysFor(who),
    fleet,
    newAlarms: alarms.new,
    writeFault,
    pause,
    limited,
    runs,
  }
}
