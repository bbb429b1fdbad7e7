import type { Config } from '../config/config.ts'
import type { Log } from '../log.ts'
import { connectDatabase } from '../store/engine/database.ts'
import { type SealedRow, sealedRows } from '../store/notify/sealed.ts'

/** What the doctor says of the keys that seal what the database keeps sealed. */
export interface KeyFinding {
  outcome: 'ok' | 'warning' | 'fault'
  code: 'keys-current' | 'keys-older' | 'keys-lost'
  facts: { names: string; n: string }
}

/** What is sealed in a database that nobody has open, of this version's schema. */
export async function readSealedRows(config: Config, log: Log): Promise<SealedRow[]> {
  const db = connectDatabase({ ...config, log })
  try {
    return await sealedRows(db, config)
  } finally {
    await db.destroy()
  }
}

/** Nothing where nothing is sealed. */
export function keyFindings({ dataKeys, sessionSecrets }: Config, rows: readonly SealedRow[]): KeyFinding[] {
  const named = (sealedBy: SealedRow['sealedBy']) =>
    rows.filter((row) => row.sealedBy === sealedBy).map((row) => row.name || 'the mail server of Settings')
  const found = (outcome: KeyFinding['outcome'], code: KeyFinding['code'], names: string[]): KeyFinding[] =>
    names.length === 0 ? [] : [{ outcome, code, facts: { names: names.join(', '), n: String(names.length) } }]
  const unsettled = [...found('warning', 'keys-older', named('older')), ...found('fault', 'keys-lost', named('lost'))]
  const several = dataKeys.length > 0 ? dataKeys.length > 1 : sessionSecrets.length > 1
  return unsettled.length > 0 || !several ? unsettled : found('ok', 'keys-current', named('first'))
}
