import { readConsentClaim } from '../microsoft/login/consent.ts'
import { enterTenant } from '../onboarding/by-hand.ts'
import { beginConsent, noteOpening } from '../onboarding/consent.ts'
import { nothingCarried, receiveClaim } from '../onboarding/consent-return.ts'
import { issueConsentLink, withdrawConsentLink } from '../onboarding/links.ts'
import { probeAwaited } from '../onboarding/probe.ts'
import type { Step, Visitor } from '../onboarding/steps.ts'
import type { Portal } from '../portal.ts'
import type { Simulator } from '../simulator/simulator.ts'
import { cast } from '../simulator/world/cast.ts'
import type { Incident } from '../simulator/world/incidents.ts'
import { instantOf } from '../simulator/world/instants.ts'
import type { Actor } from '../store/audit.ts'
import { type Customer, createCustomer, listCustomers } from '../store/customers/customers.ts'
import { offboardCustomer } from '../store/customers/offboarding.ts'
import { addNote, notesOf } from '../store/incidents/notes.ts'
import { findLinkByToken } from '../store/onboarding/links.ts'
import { operatorId } from '../store/operators/operators.ts'
import { pauseTenant } from '../store/tenants/pauses.ts'
import { hour, minute } from '../time.ts'
import { SimulatedBrowser } from './browser.ts'
import { type DemoKey, demoCustomers, detailsOf } from './cast.ts'
import { doDue, later, proveDue } from './runs.ts'

export interface Stage {
  portal: Portal
  simulator: Simulator
  /** What was sent to each customer: neither can be read from the portal again. */
  links: Map<DemoKey, { token: string; classicUrl: string }>
}

type Operator = Actor & { kind: 'operator' }

const operatorOf = ({ id, name }: { id: string; name: string }): Operator => ({
  kind: 'operator',
  id: operatorId({ tid: cast.halvard.id, oid: id }),
  name,
  address: null,
  requestId: null,
})
export const operator = operatorOf(cast.halvard.people.ines)
export const analyst = operatorOf(cast.halvard.people.tomasz)
const somebody: Visitor['actor'] = { kind: 'customer', id: null, name: null, address: null, requestId: null }

/** Something that happened `ago` milliseconds before the demonstration starts. */
export interface Scene {
  ago: number
  play: (portal: Portal) => Promise<unknown>
}

export const visitor = (browser: string | null): Visitor => ({ browser, actor: somebody, addressHash: null })

export async function ensureCustomer(portal: Portal, key: DemoKey, pinned: boolean): Promise<Customer> {
  const details = demoCustomers[key]
  const customer = (await listCustomers(portal.db)).find(({ name }) => name === details.name)
  return customer ?? createCustomer(portal.db, operator, detailsOf(details, pinned), portal.now())
}

export async function invite(stage: Stage, portal: Portal, key: DemoKey, pinned: boolean): Promise<void> {
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

export const tokenOf = (stage: Stage, key: DemoKey) => linkOf(stage, key).token

export const opened = (stage: Stage, key: DemoKey, ago: number): Scene => ({
  ago,
  play: async (portal) => {
    const link = await findLinkByToken(portal.db, tokenOf(stage, key))
    if (link) await noteOpening(portal, somebody, link)
  },
})

export async function withdraw(stage: Stage, portal: Portal, key: DemoKey): Promise<void> {
  const link = await findLinkByToken(portal.db, tokenOf(stage, key))
  if (link) await withdrawConsentLink(portal, operator, link.id)
}

/** The customer's administrator opens the link, goes on to Microsoft, decides there, and comes back. */
export async function consent(
  stage: Stage,
  portal: Portal,
  key: DemoKey,
  decision: 'accept' | 'cancel',
): Promise<void> {
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
    const carried = { ...nothingCarried, proof: step.sealed, departure: step.departure }
    step = await receiveClaim(portal, visitor(step.browser === '' ? null : step.browser), claim, carried)
  }
}

export async function offboard(portal: Portal, key: DemoKey): Promise<void> {
  const { id, offboardedAt } = await ensureCustomer(portal, key, true)
  if (offboardedAt === null) await offboardCustomer(portal.db, operator, id, portal.now())
}

/** A sister company's tenant, which consented long before there was a portal. */
export async function enterByHand(stage: Stage, portal: Portal): Promise<void> {
  const { id, domains } = cast.norrskenElnat
  stage.simulator.world.consent(id, portal.config.app.clientId)
  const customer = await ensureCustomer(portal, 'norrsken', true)
  await enterTenant(portal, operator, customer.id, domains[1])
  await doDue(portal)
}

/** Consent in the last days of a trial licence: when incidents are asked for, there is nothing left to read. */
export async function consentWithoutLicence(stage: Stage, portal: Portal): Promise<void> {
  const { world } = stage.simulator
  const { tenantId } = demoCustomers.oakhurst
  world.setLicensed(tenantId, true)
  await consent(stage, portal, 'oakhurst', 'accept')
  await Promise.all(await probeAwaited(portal, 8))
  world.setLicensed(tenantId, false)
  await proveDue(portal)
  // What looks like a consent on its way for the first minutes is a missing licence after ten.
  await proveDue(later(portal, 10 * minute))
}

export async function consentThatSpreadsSlowly(stage: Stage, portal: Portal): Promise<void> {
  const { behaviour } = stage.simulator.world
  behaviour.propagationMs = 6 * hour
  try {
    await consent(stage, portal, 'tidewater', 'accept')
  } finally {
    behaviour.propagationMs = 0
  }
  await proveDue(portal)
}

/** The classic link, followed by an administrator of another company of the same owners: an operator has to decide. */
export async function classicConsentFromElsewhere(stage: Stage, portal: Portal): Promise<void> {
  const url = linkOf(stage, 'bergqvist').classicUrl
  const start: Step = { kind: 'microsoft', url, sealed: null, departure: null, browser: '' }
  await comeBack(stage, portal, start, cast.bergqvistHolding.people.sara.id, 'accept')
}

export const pause = (portal: Portal, key: DemoKey) =>
  pauseTenant(portal.db, operator, demoCustomers[key].tenantId, portal.now())

/** Once, however often the seeding begins anew. */
async function write(portal: Portal, by: Operator, note: Parameters<typeof addNote>[2]): Promise<void> {
  const notes = await notesOf(portal.db, note.tenantId, note.incidentId)
  if (!notes.some(({ text }) => text === note.text)) await addNote(portal.db, by, note, portal.now())
}

export const written = (key: DemoKey, incident: number, ago: number, by: Operator, text: string): Scene => ({
  ago,
  play: (portal) => {
    const { tenantId } = demoCustomers[key]
    return write(portal, by, { tenantId, incidentId: String(incident), text })
  },
})

/** Somebody wrote on an incident that Microsoft found to be part of another one later. */
export function mergedWithNote(
  { simulator: { world } }: Stage,
  key: DemoKey,
  survivorId: number,
  ago: number,
): Scene[] {
  const { tenantId } = demoCustomers[key]
  const part = () => {
    const settled = instantOf(world.clock.now() - 6 * hour)
    const open = ({ status, lastUpdateAt }: Incident) => status === 'active' && lastUpdateAt < settled
    return world.tenant(tenantId).incidents.all().filter(open).at(-1)?.id ?? survivorId
  }
  let merged = survivorId
  return [
    {
      ago: ago + 50 * minute,
      play: (portal) => {
        merged = part()
        const text =
          'Same workstation as last week. Looks like the start of something: compare with the sign-ins of today.'
        return write(portal, analyst, { tenantId, incidentId: String(merged), text })
      },
    },
    {
      ago,
      play: async () => {
        world.mergeIncidents(tenantId, [merged], survivorId)
      },
    },
  ]
}
