import type { DatabaseCondition } from '../store/engine/inspection.ts'
import type { SealVerdict } from '../store/partner/audit-seals.ts'

const databaseOutcomes = {
  absent: 'ok',
  empty: 'ok',
  current: 'ok',
  older: 'warning',
  newer: 'fault',
  'read-only': 'fault',
  unreachable: 'fault',
} as const satisfies Record<DatabaseCondition['state'], string>

export function judgeDatabase({ engine, place, state, reason }: DatabaseCondition) {
  return { outcome: databaseOutcomes[state], code: `database-${state}`, facts: { engine, place, reason } }
}

const sealOutcomes = {
  none: 'ok',
  missing: 'fault',
  added: 'fault',
  changed: 'fault',
  'key-lost': 'unknown',
} as const satisfies Record<SealVerdict['kind'], string>

/** Whether the audit log is what was sealed, and the first event that is not. */
export function judgeSeals({ kind, eventId, newest }: SealVerdict) {
  const code = kind === 'none' ? (newest === null ? 'seal-empty' : 'seal-whole') : `seal-${kind}`
  const facts = { event: String(eventId ?? ''), sequence: String(newest?.sequence ?? 0), mac: newest?.mac ?? '' }
  return { outcome: sealOutcomes[kind], code, facts }
}
