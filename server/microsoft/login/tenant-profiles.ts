import { LRUCache } from 'lru-cache'
import type { Config } from '../../config/config.ts'
import type { Log } from '../../log.ts'
import type { TenantProfile } from '../../model/access.ts'
import { Refusal } from '../../model/refusal.ts'
import { graphResource } from '../permissions.ts'
import type { Send } from '../wire/http.ts'
import { objectIn } from '../wire/read-refusal.ts'
import { requireTenantId } from '../wire/tenant-id.ts'
import type { Tokens } from './tokens.ts'

interface Means {
  config: Config
  tokens: Tokens
  send: Send
  now: () => Date
  log: Log
}

/** Pages that refresh themselves ask again and again: a profile is kept for so long, and that there was none for less. */
const keptMs = 10 * 60_000
const retriedMs = 60_000
const mostTenants = 1_000

/** What tenants are called, asked in the partner's name and kept in memory for a while. */
export class TenantProfiles {
  readonly #means: Means
  readonly #held = new LRUCache<string, { profile: TenantProfile | null; readAt: number }>({ max: mostTenants })

  constructor(means: Means) {
    this.#means = means
  }

  /** @returns null when Microsoft knows no such tenant or did not answer; never throws a Refusal */
  async describe(tenantId: string): Promise<TenantProfile | null> {
    const { now, log } = this.#means
    const entry = this.#held.get(tenantId)
    const age = entry ? now().getTime() - entry.readAt : Number.POSITIVE_INFINITY
    if (entry && age >= 0 && age < (entry.profile === null ? retriedMs : keptMs)) return entry.profile
    const profile = await this.#read(tenantId).catch((error: unknown) => {
      log[error instanceof Refusal ? 'debug' : 'error']({ err: error, tenantId }, 'tenant not described')
      return null
    })
    this.#held.set(tenantId, { profile, readAt: now().getTime() })
    return profile
  }

  /** https://learn.microsoft.com/graph/api/tenantrelationship-findtenantinformationbytenantid @throws Refusal */
  async #read(tenantId: string): Promise<TenantProfile | null> {
    const { config, tokens, send, now } = this.#means
    const id = requireTenantId(tenantId, now())
    const token = await tokens.get(config.partnerTenantId, graphResource(config).uri)
    const answer = await send({
      url: `${config.graphUrl}/v1.0/tenantRelationships/findTenantInformationByTenantId(tenantId='${id}')`,
      api: 'graph',
      headers: { authorization: `Bearer ${token.value}` },
      deadlineMs: 5_000,
      limitBytes: 100_000,
      tries: 1,
    })
    if (answer.status !== 200) {
      // The permission may be granted any minute, and a token carries what was granted when it was issued.
      if (answer.status === 403) tokens.forget(config.partnerTenantId)
      throw new Refusal('unexpected-answer', { at: now().toISOString(), status: answer.status })
    }
    const profile = objectIn(answer.text)
    if (typeof profile.tenantId !== 'string' || profile.tenantId.toLowerCase() !== id) return null
    return { tenantId: id, displayName: nameIn(profile.displayName), defaultDomain: nameIn(profile.defaultDomainName) }
  }
}

function nameIn(value: unknown): string | null {
  return typeof value === 'string' && value.trim() !== '' ? value.replaceAll('\0', '\ufffd').trim().slice(0, 300) : null
}
