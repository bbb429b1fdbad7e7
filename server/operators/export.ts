import type { Portal } from '../portal.ts'
import { type Actor, recordAudit } from '../store/audit.ts'
import { write } from '../store/engine/write.ts'

/** Writes down that the audit log was exported, in which format. */
export async function noteExport({ db, now }: Portal, actor: Actor, format: string): Promise<void> {
  await write(db, (tx) => recordAudit(tx, actor, { action: 'audit.exported', at: now(), facts: { format } }))
}
