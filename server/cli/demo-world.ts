import { enterTenant } from '../binding.ts'
import { readConsentClaim } from '../microsoft/consent.ts'
import { beginConsent, issueConsentLink, receiveClaim, type Step, type Visitor } from '../onboarding.ts'
import type { Portal } from '../portal.ts'
import { proveTenant } from '../proving.ts'
import { cast } from '../simulator/cast.ts'
import type { Simulator } from '../simulator/simulator.ts'
import type { Actor } from '../store/audit.ts'
import { claimDue } from '../store/claims.ts'
import { type Customer, createCustomer, listCustomers } from '../store/customers.ts'
import { linkByToken, recordOpening, withdrawLink } from '../store/links.ts'
import { operatorId } from '../store/operators.ts'
import { changeSettings } from '../store/settings.ts'
import { offboardCustomer } from '../store/tenants.ts'
import { syncTenant } from '../sync.ts'
import { admitNewcomers, type DemoKey, demoCustomers, detailsOf, partnerSettings } from './demo-cast.ts'
import { SimulatedBrowser } from './simulated-browser.ts'

const second = 1_000
const minute = 60 * second
const hour = 60 * minute
const day = 24 * hour
const lease = minute
const atOnce = 8

const { ines } = cast.halvard.people
const operator: Actor & { kind: 'operator' } = {
  kind: 'operator',
  id: operatorId({ tid: cast.halvard.id, oid: ines.id }),
  name: ines.name,
  address: null,
  requestId: null,
}
const somebody: Visitor['actor'] = { kind: 'customer', id: null, name: null, address: null, requestId: null }

/** Something that happened `ago` milliseconds before the demonstration starts. */
interface Scene {
  ago: number
  play: (portal: Portal) => Promise<unknown>
}

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
  const { manners } = simulator.world
  const usual = { ...manners }
  Object.assign(manners, { propagationMs: 0, quotas: false })
  admitNewcomers(simulator.world)
  const start = portal.now().getTime()
  const scenes = script({ portal, simulator, links: new Map() })
  try {
    for (const [n, { ago, play }] of scenes.entries()) {
      signal.throwIfAborted()
      await play({ ...portal, now: () => new Date(start - ago) })
      progress(n + 1, scenes.length)
    }
  } finally {
    Object.assign(manners, usual)
  }
}

/** In the order in which it happened: the audit log is read in the order in which it was written. */
function script(stage: Stage): Scene[] {
  const { world } = stage.simulator
  const { app } = stage.portal.config
  const invited = (key: DemoKey, ago: number, pinned = true): Scene => ({
    ago,
    play: (portal) => invite(stage, portal, key, pinned),
  })
  const consented = (key: DemoKey, ago: number): Scene => ({
    ago,
    play: async (portal) => {
      await consent(stage, portal, key, 'accept')
      await proveDue(portal)
    },
  })
  const aboard = (key: DemoKey, ago: number, pinned = true): Scene[] => [
    invited(key, ago, pinned),
    consented(key, ago - 3 * hour),
  ]
  /** From here on the tenant refuses; the next pass over it notices. */
  const lost = (key: DemoKey, ago: number, how: (tenantId: string) => void): Scene => ({
    ago,
    play: async (portal) => {
      const { tenantId } = demoCustomers[key]
      await readDue(later(portal, -2 * minute))
      how(tenantId)
      portal.microsoft.forget(tenantId)
      await readDue(portal)
      await proveDue(portal)
    },
  })
  const roles = world.registration(app.clientId).requiredResources.flatMap((required) => required.roles)

  const scenes: Scene[] = [
    { ago: 61 * day, play: (portal) => changeSettings(portal.db, operator, partnerSettings, portal.now()) },
    ...aboard('hjorthagen', 60 * day),
    { ago: 45 * day, play: (portal) => offboard(portal, 'hjorthagen') },
    ...aboard('norrsken', 21 * day),
    ...aboard('vasterbygden', 21 * day - 20 * minute),
    ...aboard('ostrava', 21 * day - 50 * minute, false),
    ...aboard('jinghan', 21 * day - 70 * minute),
    invited('ravenscourt', 21 * day - 2 * hour),
    opened(stage, 'ravenscourt', 19 * day),
    ...aboard('larchmont', 17 * day),
    ...aboard('greyfriars', 17 * day - 15 * minute),
    ...aboard('saintAubin', 17 * day - 40 * minute),
    ...aboard('pellworm', 17 * day - 90 * minute, false),
    ...aboard('engelska', 12 * day),
    ...aboard('yuanze', 12 * day - 35 * minute, false),
    invited('kvarnby', 10 * day),
    { ago: 9 * day, play: (portal) => consent(stage, portal, 'kvarnby', 'cancel') },
    { ago: 9 * day - hour, play: (portal) => enterByHand(stage, portal) },
    invited('calder', 8 * day),
    invited('haifeng', 7 * day),
    { ago: 6 * day + hour, play: (portal) => withdraw(stage, portal, 'haifeng') },
    opened(stage, 'calder', 6 * day),
    invited('brannland', 6 * day - hour),
    { ago: 5 * day, play: (portal) => ensureCustomer(portal, 'fyrisan', true) },
    invited('oakhurst', 3 * day),
    { ago: 3 * day - hour, play: (portal) => consentWithoutLicence(stage, portal) },
    opened(stage, 'calder', 2 * day),
    invited('rousselot', 26 * hour),
    { ago: 19 * hour, play: (portal) => beginConsent(portal, visitor(null), tokenOf(stage, 'rousselot')) },
    { ago: 5 * hour + 5 * minute, play: readAll },
    lost('greyfriars', 5 * hour, (tenantId) => world.removeRoles(tenantId, app.clientId, ...roles)),
    lost('jinghan', 2 * hour, (tenantId) => world.revoke(tenantId, app.clientId)),
    lost('larchmont', 42 * minute, (tenantId) => world.blockByPolicy(tenantId)),
    invited('tidewater', 40 * minute),
    { ago: 25 * minute, play: (portal) => consentThatSpreadsSlowly(stage, portal) },
    invited('bergqvist', 30 * minute, false),
    { ago: 16 * minute, play: (portal) => classicConsentFromElsewhere(stage, portal) },
    { ago: 0, play: readAll },
  ]
  return scenes.sort((a, b) => b.ago - a.ago)
}

interface Stage {
  portal: Portal
  simulator: Simulator
  /** What was sent to each customer: neither can be read from the portal again. */
  links: Map<DemoKey, { token: string; classicUrl: string }>
}

const visitor = (browser: string | null): Visitor => ({ browser, actor: somebody })

async function ensureCustomer(portal: Portal, key: DemoKey, pinned: boolean): Promise<Customer> {
  const wanted = demoCustomers[key]
  const known = (await listCustomers(portal.db)).find(({ name }) => name === wanted.name)
  return known ?? createCustomer(portal.db, operator, detailsOf(wanted, pinned), portal.now())
}

async function invite(stage: Stage, portal: Portal, key: DemoKey, pinned: boolean): Promise<void> {
  const customer = await ensureCustomer(portal, key, pinned)
  if (customer.offboardedAt !== null) return
  const { url, classicUrl } = await issueConsentLink(portal, operator, { customerId: customer.id, days: 14 })
  stage.links.set(key, { token: url.slice(url.lastIndexOf('/') + 1), classicUrl })
}

function linkOf(stage: Stage, key: DemoKey): { token: string; classicUrl: string } {
  const link = stage.links.get(key)
  if (!link) throw new Error(`${key} was not invited`)
  return link
}

const tokenOf = (stage: Stage, key: DemoKey) => linkOf(stage, key).token

const opened = (stage: Stage, key: DemoKey, ago: number): Scene => ({
  ago,
  play: async (portal) => {
    const link = await linkByToken(portal.db, tokenOf(stage, key))
    if (link) await recordOpening(portal.db, somebody, link, portal.now())
  },
})

async function withdraw(stage: Stage, portal: Portal, key: DemoKey): Promise<void> {
  const link = await linkByToken(portal.db, tokenOf(stage, key))
  if (link) await withdrawLink(portal.db, operator, link.id, portal.now())
}

/** The customer's administrator opens the link, goes on to Microsoft, decides there, and comes back. */
async function consent(stage: Stage, portal: Portal, key: DemoKey, decision: 'accept' | 'cancel'): Promise<void> {
  if (!stage.links.has(key)) return
  const step = await beginConsent(portal, visitor(null), tokenOf(stage, key))
  await comeBack(stage, portal, step, demoCustomers[key].administratorId, decision)
}

async function comeBack(
  stage: Stage,
  portal: Portal,
  first: Step,
  personId: string,
  decision: 'accept' | 'cancel',
): Promise<void> {
  const browser = new SimulatedBrowser(stage.simulator.origin)
  for (let step = first; step.kind === 'microsoft'; ) {
    const claim = readConsentClaim(await browser.follow(step.url, personId, decision))
    step = await receiveClaim(portal, visitor(step.browser === '' ? null : step.browser), claim, step.sealed)
  }
}

async function offboard(portal: Portal, key: DemoKey): Promise<void> {
  const { id, offboardedAt } = await ensureCustomer(portal, key, true)
  if (offboardedAt === null) await offboardCustomer(portal.db, operator, id, portal.now())
}

/** A sister company's tenant, which consented long before there was a portal. */
async function enterByHand(stage: Stage, portal: Portal): Promise<void> {
  const { id, domains } = cast.norrskenElnat
  stage.simulator.world.consent(id, portal.config.app.clientId)
  const customer = await ensureCustomer(portal, 'norrsken', true)
  await enterTenant(portal, operator, customer.id, domains[1])
  await proveDue(portal)
}

/** Consent in the last days of a trial licence: when the proof is made, there is nothing left to read. */
async function consentWithoutLicence(stage: Stage, portal: Portal): Promise<void> {
  const { world } = stage.simulator
  const { tenantId } = demoCustomers.oakhurst
  world.setLicensed(tenantId, true)
  await consent(stage, portal, 'oakhurst', 'accept')
  world.setLicensed(tenantId, false)
  await proveDue(portal)
  // What looks like a consent on its way for the first minutes is a missing licence after ten.
  await proveDue(later(portal, 10 * minute))
}

async function consentThatSpreadsSlowly(stage: Stage, portal: Portal): Promise<void> {
  const { manners } = stage.simulator.world
  manners.propagationMs = 6 * hour
  try {
    await consent(stage, portal, 'tidewater', 'accept')
  } finally {
    manners.propagationMs = 0
  }
  await proveDue(portal)
}

/** The classic link, followed by an administrator of another company of the same owners: an operator has to decide. */
async function classicConsentFromElsewhere(stage: Stage, portal: Portal): Promise<void> {
  const url = linkOf(stage, 'bergqvist').classicUrl
  const start: Step = { kind: 'microsoft', url, sealed: null, browser: '' }
  await comeBack(stage, portal, start, cast.bergqvistHolding.people.sara.id, 'accept')
}

/** Proves every tenant whose check is due, as the worker does. */
async function proveDue(portal: Portal): Promise<void> {
  for (;;) {
    const claims = await claimDue(portal.db, 'check', portal.now(), atOnce, lease)
    if (claims.length === 0) return
    await Promise.all(claims.map((claim) => proveTenant(portal, claim)))
  }
}

/** Passes over every tenant that is due, as the worker does. */
async function readDue(portal: Portal): Promise<void> {
  for (;;) {
    const claims = await claimDue(portal.db, 'sync', portal.now(), atOnce, lease)
    if (claims.length === 0) return
    await Promise.all(claims.map((claim) => syncTenant(portal, claim)))
  }
}

/** Open incidents first, then the days before, then what is new: three passes, seconds apart. */
async function readAll(portal: Portal): Promise<void> {
  await proveDue(portal)
  for (const pause of [0, 2 * second, 4 * second]) await readDue(later(portal, pause))
}

function later(portal: Portal, ms: number): Portal {
  const at = new Date(portal.now().getTime() + ms)
  return { ...portal, now: () => at }
}
