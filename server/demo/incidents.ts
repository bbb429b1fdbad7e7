import type { IncidentIndex } from '../simulator/world/incident-index.ts'
import type { Incident } from '../simulator/world/incidents.ts'
import { msOf } from '../simulator/world/instants.ts'
import type { World } from '../simulator/world/world.ts'

/** An incident as it stood from `at` on, in milliseconds. */
interface Version {
  shelf: IncidentIndex
  at: number
  incident: Incident
}

/**
 * Takes all incidents out of a world, so that each comes when it is made and changes when it is changed: whoever reads
 * the world meanwhile reads nothing that is still to come.
 * @returns what brings back everything up to a time in milliseconds
 */
export function incidentsAsTheyCome(world: World): (upTo: number) => void {
  let waiting = world
    .tenants()
    .flatMap(({ incidents }) => incidents.all().flatMap((incident) => versionsOf(incidents, incident)))
    .sort((a, b) => a.at - b.at)
  for (const { shelf, incident } of waiting) shelf.remove(incident.id)
  return (upTo) => {
    const due = waiting.findIndex(({ at }) => at > upTo)
    const now = due === -1 ? waiting : waiting.slice(0, due)
    waiting = due === -1 ? [] : waiting.slice(due)
    for (const { shelf, incident } of now) {
      // What the story did to it meanwhile, as a merge, is the later word.
      const latest = shelf.latest(incident.id)
      if (latest === undefined || latest.lastUpdateAt < incident.lastUpdateAt) shelf.put(incident)
    }
  }
}

function versionsOf(shelf: IncidentIndex, incident: Incident): Version[] {
  const { createdAt, lastUpdateAt } = incident
  const changed = { shelf, at: msOf(lastUpdateAt), incident }
  if (lastUpdateAt <= createdAt) return [changed]
  const fresh: Incident = {
    ...incident,
    lastUpdateAt: createdAt,
    status: 'active',
    assignedTo: null,
    classification: 'unknown',
    determination: 'unknown',
    tags: [],
    comments: [],
    lastModifiedBy: 'Microsoft 365 Defender-IncidentCreation',
  }
  return [{ shelf, at: msOf(createdAt), incident: fresh }, changed]
}
