import { Refusal } from '../model/refusal.ts'
import type { Portal } from '../portal.ts'
import { unlessLost } from '../store/engine/claim.ts'
import { write } from '../store/engine/write.ts'
import {
  claimFaultProbe,
  clearPartnerFaults,
  endFaultProbe,
  type PartnerFault,
  readPartnerFaults,
  recordPartnerFault,
} from '../store/partner/faults.ts'
import { minute } from '../time.ts'

/** What the partner's own tenant said counts this long: a thousand tenants that fail at once ask it once. */
const remembered = minute
/** Two tenants that say the same within this speak for more than themselves, when the partner's own cannot be asked. */
const together = 10 * minute

/** Whether the partner's own credential and registration work, as its own tenant says. */
type FaultState = { is: 'works' } | { is: 'fails'; code: PartnerFault['code']; refusal: Refusal } | { is: 'unknown' }

/** What this process heard of the partner's credential; another process asks for itself, and comes to the same. */
class Accusations {
  /** The question that is under way. */
  question: Promise<FaultState> | null = null
  last: { at: number; state: FaultState } | null = null
  /** Tenants that blamed the partner lately, and when. */
  readonly accusers = new Map<string, number>()
}

/**
 * A tenant's token was refused for a fault of the partner's own. Before every tenant is paused for it, the partner's own
 * tenant is asked for a token with the same credential: only when that fails alike is the alarm raised. When it cannot be
 * asked, two tenants have to say so within minutes. Otherwise it is that one tenant's trouble. Refusals of other kinds
 * are none of its business.
 * @returns whether an alarm was raised, or stood already
 */
export async function reportPartnerFault(portal: Portal, tenantId: string, refusal: Refusal): Promise<boolean> {
  if (!blamesPartner(refusal)) return false
  const { db, log, now } = portal
  const state = await ask(portal, remembered)
  if (state.is === 'works') {
    log.info({ tenantId, aadsts: refusal.facts.aadsts }, 'a tenant blames a credential that works elsewhere')
    return false
  }
  if (state.is === 'fails') {
    await write(db, (tx) => recordPartnerFault(tx, state.code, state.refusal.facts, now()))
    return true
  }
  const { accusers } = portal.memory.of(Accusations)
  const at = now().getTime()
  accusers.set(tenantId, at)
  for (const [accuser, blamedAt] of accusers) if (Math.abs(at - blamedAt) > together) accusers.delete(accuser)
  if (accusers.size < 2) return false
  await write(db, (tx) => recordPartnerFault(tx, refusal.code, refusal.facts, now()))
  return true
}

/**
 * While an alarm stands: asks the partner's own tenant again, once a minute among all processes, and ends the alarm when
 * it answers.
 * @returns `not-yet` before the minute is over; `unknown` when it cannot be asked, so that a tenant has to be tried
 */
export async function probePartner(portal: Portal): Promise<'not-yet' | FaultState['is']> {
  const { db, now } = portal
  const [fault] = await readPartnerFaults(db)
  if (!fault || fault.nextProbeAt > now().toISOString()) return 'not-yet'
  const claim = await write(db, (tx) => claimFaultProbe(tx, fault.code, now()))
  if (claim === null) return 'not-yet'
  const state = await ask(portal, 0)
  if (state.is === 'works') {
    await endPartnerFaults(portal)
    portal.memory.of(Accusations).accusers.clear()
  } else await unlessLost(write(db, (tx) => endFaultProbe(tx, claim, now())))
  return state.is
}

/** A token was issued: the partner's own credential and registration work. Writes nothing when no fault stood. */
export async function endPartnerFaults({ db, now }: Pick<Portal, 'db' | 'now'>): Promise<void> {
  if ((await readPartnerFaults(db)).length > 0) await write(db, (tx) => clearPartnerFaults(tx, now()))
}

async function ask(portal: Portal, maxAge: number): Promise<FaultState> {
  const accusations = portal.memory.of(Accusations)
  const { last } = accusations
  if (last && Math.abs(portal.now().getTime() - last.at) < maxAge) return last.state
  accusations.question ??= askNow(portal)
    .then((state) => {
      accusations.last = { at: portal.now().getTime(), state }
      return state
    })
    .finally(() => {
      accusations.question = null
    })
  return accusations.question
}

async function askNow({ microsoft }: Portal): Promise<FaultState> {
  try {
    await microsoft.proveCredential()
    return { is: 'works' }
  } catch (error) {
    if (!(error instanceof Refusal)) throw error
    return blamesPartner(error) ? { is: 'fails', code: error.code, refusal: error } : { is: 'unknown' }
  }
}

const blamesPartner = (refusal: Refusal): refusal is Refusal & { code: PartnerFault['code'] } =>
  refusal.code === 'partner-credential' || refusal.code === 'partner-registration'
