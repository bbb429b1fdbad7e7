import type { AccessEvidence, Capability, CapabilityState, LiveCall } from '../../model/access.ts'
import { Refusal } from '../../model/refusal.ts'
import type { AppToken } from '../microsoft.ts'
import { allows, capabilities, missingRoles, permissionsFor, unexpectedRoles } from '../permissions.ts'
import { AnswerTooLarge } from '../wire/http.ts'
import { readApiRefusal } from '../wire/read-refusal.ts'
import { belongsElsewhere, isRecord } from '../wire/reading.ts'
import { requireTenantId } from '../wire/tenant-id.ts'
import { type Api, bodyOf, callWith, roleHeld } from './api.ts'
import { firstItemIn } from './list-head.ts'
import { partialIn } from './partial.ts'

/**
 * The proof for one tenant. A token alone proves nothing (Entra issues them without roles), roles alone prove little (an
 * unlicensed tenant answers 403 to them), so what asks for data decides:
 * 1. a fresh token, from a fresh client: a cached one outlives a revoked consent;
 * 2. its tenant, app and roles, where it can be read, as evidence;
 * 3. one live call for each capability that consent was asked for, as the verdict.
 * Nothing is tried twice here: when to look again is the caller's to decide.
 * @throws what went wrong in our own code; Microsoft's refusals are in the evidence
 */
export async function checkAccess(api: Api, tenant: string): Promise<AccessEvidence> {
  const nothing: AccessEvidence = {
    claims: null,
    tokenIssued: false,
    capabilities: {
      readIncidents: 'unknown',
      writeIncidents: 'unknown',
      hunting: 'unknown',
      organisationProfile: 'unknown',
    },
    calls: [],
    missingRoles: [],
    unexpectedRoles: [],
    refusal: null,
  }
  let token: AppToken
  let tenantId: string
  try {
    tenantId = requireTenantId(tenant, api.now())
    token = await api.tokens.prove(tenantId, api.resource)
  } catch (error) {
    const refusal = refusalOr(error)
    return { ...nothing, capabilities: { ...nothing.capabilities, readIncidents: afterRefusal(refusal) }, refusal }
  }
  const evidence = { ...nothing, ...readRoles(api, token), tokenIssued: true }
  for (const { capability, name } of permissionsFor(api.source.api)) {
    const { call, refusal } = await callLive(api, tenantId, token, capability)
    evidence.calls.push(call)
    const lacking = roleHeld(api.source, token, capability) === false
    const verdict = lacking ? roleMissing(refusal, api.now()) : refusal
    evidence.capabilities[capability] = verdict === null ? 'granted' : afterRefusal(verdict)
    if (verdict?.code === 'role-missing' && !evidence.missingRoles.includes(name)) evidence.missingRoles.push(name)
    if (capability === 'readIncidents') evidence.refusal = verdict
  }
  return evidence
}

function readRoles(api: Api, token: AppToken) {
  const { claims } = token
  const state = (capability: Capability): CapabilityState =>
    claims === null ? 'unknown' : allows(api.source.api, capability, claims.roles) ? 'granted' : 'missing'
  return {
    claims,
    capabilities: Object.fromEntries(capabilities.map((capability) => [capability, state(capability)])) as Record<
      Capability,
      CapabilityState
    >,
    missingRoles: claims === null ? [] : missingRoles(api.source.api, claims.roles),
    unexpectedRoles: claims === null ? [] : unexpectedRoles(api.source.api, claims.roles),
  }
}

/** What a readable token does not carry is not granted, even where the API happens to answer. */
function roleMissing(refusal: Refusal | null, now: Date): Refusal {
  if (refusal?.code === 'role-missing') return refusal
  return new Refusal('role-missing', refusal?.facts ?? { at: now.toISOString() })
}

async function callLive(
  api: Api,
  tenantId: string,
  token: AppToken,
  capability: Capability,
): Promise<{ call: LiveCall; refusal: Refusal | null }> {
  const url = api.source.listUrl({}, { top: 1, skip: 0 })
  const { pathname, search } = new URL(url)
  const call: LiveCall = { capability, method: 'GET', path: pathname + search, status: null, ms: 0 }
  const started = performance.now()
  try {
    const answer = await callWith(api, token, url, { tries: 1 })
    call.status = answer.status
    const answered = answer.status === 200 || answer.status === 206
    if (!answered)
      throw readApiRefusal(answer, { about: 'list', roleHeld: roleHeld(api.source, token, capability) }, api.now())
    const partial = partialIn(answer)
    if (partial !== null) call.partial = partial
    requireOwnList(bodyOf(answer, api.now()).value, tenantId, api.now())
    return { call, refusal: null }
  } catch (error) {
    const refusal = error instanceof AnswerTooLarge ? beyondReading(error, call, tenantId, api.now()) : refusalOr(error)
    call.status ??= refusal?.facts.status ?? null
    return { call, refusal }
  } finally {
    call.ms = Math.round(performance.now() - started)
  }
}

/** One incident of any size proves nothing against the access: the status is what was asked for. */
function beyondReading(answer: AnswerTooLarge, call: LiveCall, tenantId: string, now: Date): Refusal | null {
  call.status = answer.status
  const partial = partialIn(answer)
  if (partial !== null) call.partial = partial
  const first = firstItemIn(answer.head)
  const isObject = /^\ufeff?\s*\{/.test(answer.head.subarray(0, 100).toString())
  try {
    requireOwnList(first !== null ? [first] : isObject ? [] : null, tenantId, now)
    return null
  } catch (error) {
    return refusalOr(error)
  }
}

/** @throws Refusal for what is no list, or names another tenant */
function requireOwnList(list: unknown, tenantId: string, now: Date): void {
  if (!Array.isArray(list)) {
    throw new Refusal('unexpected-answer', { at: now.toISOString(), status: 200, error: 'no_list' })
  }
  if (list.some((item) => isRecord(item) && belongsElsewhere(item.tenantId, tenantId))) {
    throw new Refusal('wrong-tenant-token', { at: now.toISOString(), status: 200, error: 'item_of_another_tenant' })
  }
}

function afterRefusal({ code }: Refusal): CapabilityState {
  if (code === 'not-consented' || code === 'role-missing') return 'missing'
  return code === 'unlicensed' || code === 'not-set-up' ? 'unlicensed' : 'unknown'
}

/** A fault of our own code is thrown on, to be logged. @throws every error but a Refusal */
function refusalOr(error: unknown): Refusal {
  if (error instanceof Refusal) return error
  throw error
}
