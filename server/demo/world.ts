import { beginConsent } from '../onboarding/consent.ts'
import { confirmAsked } from '../partner/asked-permissions.ts'
import type { Portal } from '../portal.ts'
import type { Simulator } from '../simulator/simulator.ts'
import { type CastTenant, cast, mergeOldest } from '../simulator/world/cast.ts'
import { instantOf } from '../simulator/world/instants.ts'
import { changeSettings } from '../store/partner/settings.ts'
import { day, hour, minute } from '../time.ts'
import { admitNewcomers, type DemoKey, demoCustomers, partnerSettings } from './cast.ts'
import { incidentsAsTheyCome } from './incidents.ts'
import {
  analyst,
  classicConsentFromElsewhere,
  consent,
  consentThatSpreadsSlowly,
  consentWithoutLicence,
  ensureCustomer,
  enterByHand,
  invite,
  mergedWithNote,
  offboard,
  opened,
  operator,
  pause,
  type Scene,
  type Stage,
  tokenOf,
  visitor,
  withdraw,
  written,
} from './people.ts'
import { beginFirstSync, doDue, proveDue } from './runs.ts'

/** Between the days on which people did something, what changed is read this many days ago. */
const readDaysAgo = [14, 10, 7, 5, 3, 2, 1]

/**
 * Brings the demonstration's customers to where they stand, by the portal's own stories: what people did is done again,
 * as of the hour they did it. A seeding that was cut short is done once more from the start; it finds what is there.
 * @throws whatever `signal` was aborted with
 */
export async function bringToLife(
  portal: Portal,
  simulator: Simulator,
  { signal, progress }: { signal: AbortSignal; progress: (done: number, of: number) => void },
): Promise<void> {
  const { behaviour } = simulator.world
  const usual = { ...behaviour }
  Object.assign(behaviour, { propagationMs: 0, quotas: false })
  admitNewcomers(simulator.world)
  const { clock } = simulator
  const start = clock.now()
  const happen = incidentsAsTheyCome(simulator.world)
  let movedMs = 0
  const moveTo = (ms: number) => {
    const step = ms - clock.now()
    clock.advance(step)
    movedMs += step
  }
  const scenes = script({ portal, simulator, links: new Map() })
  try {
    for (const [n, { ago, play }] of scenes.entries()) {
      signal.throwIfAborted()
      const at = start - ago
      moveTo(at)
      happen(at)
      await play({ ...portal, now: () => new Date(at) })
      progress(n + 1, scenes.length)
    }
  } finally {
    clock.advance(-movedMs)
    happen(Number.POSITIVE_INFINITY)
    Object.assign(behaviour, usual)
  }
}

const invited = (stage: Stage, key: DemoKey, ago: number, pinned = true): Scene => ({
  ago,
  play: (portal) => invite(stage, portal, key, pinned),
})

const consented = (stage: Stage, key: DemoKey, ago: number): Scene => ({
  ago,
  play: async (portal) => {
    await consent(stage, portal, key, 'accept')
    await doDue(portal)
  },
})

const aboard = (stage: Stage, key: DemoKey, ago: number, pinned = true): Scene[] => [
  invited(stage, key, ago, pinned),
  consented(stage, key, ago - 3 * hour),
]

/** From here on the tenant refuses; the next sync run over it notices. It was read so long before that it is due again. */
const lost = (stage: Stage, key: DemoKey, ago: number, how: (tenantId: string) => void): Scene[] => [
  { ago: ago + stage.portal.config.sync.quietPaceMs + 2 * minute, play: doDue },
  {
    ago,
    play: async (portal) => {
      const { tenantId } = demoCustomers[key]
      how(tenantId)
      portal.microsoft.forget(tenantId)
      await doDue(portal)
    },
  },
]

/** What the app asks customers for. */
const rolesOf = ({ portal, simulator }: Stage) =>
  simulator.world.registration(portal.config.app.clientId).requiredResources.flatMap(({ roles }) => roles)

/** In the order in which it happened: the audit log is read in the order in which it was written. */
function script(stage: Stage): Scene[] {
  return [...firstWeeks(stage), ...lastWeek(stage)].sort((a, b) => b.ago - a.ago)
}

/** Until about a week ago: how most customers came aboard. */
function firstWeeks(stage: Stage): Scene[] {
  const roles = rolesOf(stage)
  const permissions = { asked: roles, known: roles }
  return [
    { ago: 61 * day, play: (portal) => changeSettings(portal.db, operator, partnerSettings, portal.now()) },
    {
      ago: 61 * day - 5 * minute,
      play: (portal) => confirmAsked(portal, operator, permissions),
    },
    ...aboard(stage, 'hjorthagen', 60 * day),
    { ago: 45 * day, play: (portal) => offboard(portal, 'hjorthagen') },
    ...aboard(stage, 'norrsken', 21 * day),
    ...aboard(stage, 'vasterbygden', 21 * day - 20 * minute),
    ...aboard(stage, 'ostrava', 21 * day - 50 * minute, false),
    ...aboard(stage, 'jinghan', 21 * day - 70 * minute),
    invited(stage, 'ravenscourt', 21 * day - 2 * hour),
    opened(stage, 'ravenscourt', 19 * day),
    ...aboard(stage, 'larchmont', 17 * day),
    ...aboard(stage, 'greyfriars', 17 * day - 15 * minute),
    ...aboard(stage, 'saintAubin', 17 * day - 40 * minute),
    ...aboard(stage, 'pellworm', 17 * day - 90 * minute, false),
    ...aboard(stage, 'engelska', 12 * day),
    invited(stage, 'yuanze', 12 * day - 35 * minute, false),
    invited(stage, 'kvarnby', 10 * day),
    { ago: 9 * day, play: (portal) => consent(stage, portal, 'kvarnby', 'cancel') },
    { ago: 9 * day - hour, play: (portal) => enterByHand(stage, portal) },
  ]
}

/** What customers, their tenants and the partner's people did since, and where it leaves each of them. */
function lastWeek(stage: Stage): Scene[] {
  const { world } = stage.simulator
  const { app } = stage.portal.config
  return [
    invited(stage, 'calder', 8 * day),
    invited(stage, 'haifeng', 7 * day),
    { ago: 6 * day + hour, play: (portal) => withdraw(stage, portal, 'haifeng') },
    opened(stage, 'calder', 6 * day),
    invited(stage, 'brannland', 6 * day - hour),
    { ago: 5 * day, play: (portal) => ensureCustomer(portal, 'fyrisan', true) },
    invited(stage, 'oakhurst', 3 * day),
    { ago: 3 * day - hour, play: (portal) => consentWithoutLicence(stage, portal) },
    opened(stage, 'calder', 2 * day),
    invited(stage, 'rousselot', 26 * hour),
    { ago: 19 * hour, play: (portal) => beginConsent(portal, visitor(null), tokenOf(stage, 'rousselot')) },
    ...readDaysAgo.map((days) => ({ ago: days * day, play: doDue })),
    { ago: 9 * hour, play: doDue },
    { ago: 7.5 * hour, play: doDue },
    written('norrsken', 2279, 7 * hour, operator, 'Called Åsa Holmgren. She takes the server off the network herself.'),
    written('norrsken', 2279, 6 * hour, analyst, 'Server is off the network. Waiting for its memory image.'),
    lateAtMicrosoft(stage, 'saintAubin', 4 * hour),
    written(
      'vasterbygden',
      4402,
      110 * minute,
      analyst,
      'Erik Sandell says this upload was agreed. Close it when he has confirmed in writing.',
    ),
    ...mergedByMicrosoft(stage),
    ...mergedWithNote(stage, 'norrsken', 2288, 60 * minute),
    { ago: 75 * minute, play: doDue },
    { ago: 70 * minute, play: (portal) => pause(portal, 'pellworm') },
    ...lost(stage, 'greyfriars', 5 * hour, (tenantId) => world.removeRoles(tenantId, app.clientId, ...rolesOf(stage))),
    ...lost(stage, 'jinghan', 2 * hour, (tenantId) => world.revoke(tenantId, app.clientId)),
    ...lost(stage, 'larchmont', 42 * minute, (tenantId) => world.blockByPolicy(tenantId)),
    invited(stage, 'tidewater', 40 * minute),
    { ago: 25 * minute, play: (portal) => consentThatSpreadsSlowly(stage, portal) },
    invited(stage, 'bergqvist', 30 * minute, false),
    { ago: 16 * minute, play: (portal) => classicConsentFromElsewhere(stage, portal) },
    { ago: 0, play: doDue },
    { ago: 0, play: (portal) => firstSyncUnderWay(stage, portal, 'yuanze') },
  ]
}

/**
 * Microsoft shows an incident hours after it happened, so that no poll comes by it any more: what the comparison with
 * everything kept is for.
 */
const lateAtMicrosoft = ({ simulator: { world } }: Stage, key: DemoKey, ago: number): Scene => ({
  ago,
  play: async () => {
    const at = instantOf(world.clock.now() - 3 * hour)
    world.addIncident(demoCustomers[key].tenantId, { story: 'travel', createdAt: at, lastUpdateAt: at })
  },
})

/** In each tenant with a headline, soon after it came: Microsoft finds that two older incidents are part of it. */
function mergedByMicrosoft({ simulator: { world } }: Stage): Scene[] {
  return Object.values<CastTenant>(cast).flatMap(({ id, headlines }) => {
    const latest = headlines?.at(-1)
    return latest ? [{ ago: latest.hours * 0.6 * hour, play: async () => mergeOldest(world, id) }] : []
  })
}

/** Consent a moment ago, in a tenant with more to read than the others. */
async function firstSyncUnderWay(stage: Stage, portal: Portal, key: DemoKey): Promise<void> {
  stage.simulator.world.generate(demoCustomers[key].tenantId, 400)
  await consent(stage, portal, key, 'accept')
  await proveDue(portal)
  await beginFirstSync(portal)
}
