import type { Capability, CapabilityState, LiveCall } from '../../model/access.ts'
import type { PageTools } from '../page/tools.ts'

export interface CapabilityLine {
  capability: Capability
  state: CapabilityState
  /** The permission it is asked for by; null while Muster does not ask for it. */
  permission: string | null
  call: LiveCall | null
}

/** What Muster may do in a tenant, in words. */
export interface CapabilityView {
  label: string
  permission: string | null
  class: string
  icon: string
  state: string
  call: string | null
}

const capabilityDrawings: Record<CapabilityState | 'not-asked', [string, string]> = {
  granted: ['yes', 'circle-check'],
  missing: ['no', 'circle-x'],
  unlicensed: ['lic', 'license'],
  unknown: ['unk', 'help'],
  'not-asked': ['unk', 'circle-dashed'],
}

export function capabilityView(line: CapabilityLine, { word }: PageTools): CapabilityView {
  const { capability, state, permission, call } = line
  const shown = permission === null && state !== 'granted' ? 'not-asked' : state
  const [kind, icon] = capabilityDrawings[shown]
  return {
    label: word('tenants.capability', capability),
    permission,
    class: kind,
    icon,
    state: word('tenants.granted', shown),
    call: call && `${call.method} ${call.path} → ${call.status ?? '–'}`,
  }
}
