import type { RegistrationFinding } from '../microsoft/microsoft.ts'
import type { Database } from '../store/engine/dialect.ts'
import { readRolesUnseen } from '../store/partner/roles-unseen.ts'

/** Where the registration may not be read, customers' sign-ins tell whether they come with directory roles. */
export async function toldBySignIns<F extends Pick<RegistrationFinding, 'outcome' | 'code' | 'facts'>>(
  db: Database,
  findings: F[],
): Promise<F[]> {
  const unread = findings.find(({ code }) => code === 'directory-roles-unread')
  const since = unread ? await readRolesUnseen(db).catch(() => null) : null
  if (!unread || since === null) return findings
  const facts = { ...unread.facts, date: since.slice(0, 10) }
  const finding: F = { ...unread, outcome: 'warning', code: 'directory-roles-unseen', facts, refusal: null }
  return findings.map((one) => (one === unread ? finding : one))
}
