import type { AuditEvent } from '../../store/audit.ts'
import { en } from '../../words/en.ts'
import type { MessageKey } from '../../words.ts'

/** One event as a sentence: `t.rich(key, values, tags)`, and the event for what stands beside it. */
export interface Sentence {
  event: AuditEvent
  key: MessageKey
  values: Record<string, string | number>
  tags: Record<string, string | { href: string; lang?: string }>
  /** How often it happened, where one event stands for several. */
  counted?: { times: number; lastAt: string }
}

/**
 * Says an event. `here` stands on the page of the customer it is about and does not name her again; `log` names customer
 * and tenant, with links.
 */
export function sentenceOf(event: AuditEvent, place: 'here' | 'log'): Sentence {
  const { customerId, customerName, tenantId, tenantName, facts } = event
  const claimed = typeof facts.tenantId === 'string' ? facts.tenantId : ''
  // Most tenants are called what their customer is called. A sentence that leads to the tenant need not name both; one
  // that only speaks of a tenant names it by its ID.
  const isSame = customerName !== null && isSameName(tenantName, customerName)
  const saidByTenant = isSame && en[`audit.${event.action}`].includes('<t>')
  return {
    event,
    key: `audit.${event.action}`,
    values: {
      who:
        event.actorKind === 'muster' ? 'muster' : (event.actorName ?? event.address) === null ? 'nobody' : 'somebody',
      actor: event.actorName ?? event.address ?? '',
      // A name is a person's; an address alone is where somebody was.
      named: event.actorName === null ? 'no' : 'yes',
      from: event.actorKind === 'customer' && event.address !== null ? event.address : '',
      place: place === 'log' && customerName !== null && !saidByTenant ? 'log' : 'here',
      customer: customerName ?? '',
      tenant: (isSame && !saidByTenant ? null : tenantName) ?? tenantId ?? claimed,
      person: typeof facts.person === 'string' ? facts.person : 'none',
      destination: typeof facts.destination === 'string' ? facts.destination : '',
    },
    tags: {
      b: 'strong',
      c: customerId === null ? 'span' : linkTo(`/customers/${customerId}`, customerName),
      t: tenantId === null ? 'span' : linkTo(`/tenants/${tenantId}`, tenantName),
    },
  }
}

const isSameName = (one: string | null, other: string) => one?.trim().toLowerCase() === other.trim().toLowerCase()

const linkTo = (href: string, name: string | null) => (name && isChinese(name) ? { href, lang: 'zh-Hant' } : { href })

const isChinese = (text: string) => /\p{Script=Han}/u.test(text)
