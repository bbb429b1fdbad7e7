import type { Registration } from '../config/credentials.ts'
import { Refusal } from '../model/refusal.ts'
import type { Portal } from '../portal.ts'
import { write } from '../store/engine/write.ts'
import { endAlarm, openSubjects, raiseAlarm } from '../store/notify/alarms.ts'
import { keepSecretEnds, readKeptSecretEnds } from '../store/partner/secret-ends.ts'
import { day, hour } from '../time.ts'

/** A credential of the partner's own, and when it ends; null where nobody can tell. */
export interface CredentialEnd {
  name: 'app-secret' | 'app-certificate' | 'sign-in-secret' | 'sign-in-certificate'
  endsAt: Date | null
}

/** Days before the end at which people are warned. */
const warnings = [60, 30, 14, 7, 1]
const readEveryMs = 6 * hour

/** The credentials this portal runs on: a certificate says when it ends, and of a secret Entra does, where it may be asked. */
export async function credentialEnds({ config, db }: Portal): Promise<CredentialEnd[]> {
  const secrets = (await readKeptSecretEnds(db))?.ends ?? []
  const endOf = ({ clientId, credential }: Registration): Date | null => {
    if (credential.kind === 'certificate') return credential.expiresAt
    const hint = credential.secret.slice(0, 3)
    // Of several with the same beginning it is not known which one is meant: the first to end is the one to heed.
    const ends = secrets.filter((one) => one.clientId === clientId && one.hint === hint).map((one) => one.endsAt)
    return ends.sort()[0] === undefined ? null : new Date(ends[0] as string)
  }
  const { app, signIn } = config
  const named = (which: 'app' | 'sign-in', registration: Registration): CredentialEnd => ({
    name: `${which}-${registration.credential.kind}`,
    endsAt: endOf(registration),
  })
  return app.clientId === signIn.clientId ? [named('app', app)] : [named('app', app), named('sign-in', signIn)]
}

/** Asks Entra when secrets end, a few times a day, and raises or ends the alarms about credentials. */
export async function watchCredentials(portal: Portal): Promise<void> {
  const { db, now } = portal
  await readSecrets(portal)
  const open = await openSubjects(db, 'credential-ending')
  for (const { name, endsAt } of await credentialEnds(portal)) {
    const alarm = { kind: 'credential-ending', subject: name } as const
    const days = endsAt === null ? null : Math.max(0, Math.ceil((endsAt.getTime() - now().getTime()) / day))
    const stage = days === null ? null : stageOf(days)
    if (stage === null || endsAt === null) {
      if (open.has(name)) await write(db, (tx) => endAlarm(tx, alarm, now()))
      continue
    }
    // The stage is the code: each of them is told once.
    const facts = { code: String(stage), credential: name, days: stage === 0 ? 0 : days, endsAt: endsAt.toISOString() }
    await write(db, (tx) => raiseAlarm(tx, { ...alarm, facts }, now()))
  }
}

/** The least of the warnings that has come; 0 once it has ended, null before the first. */
function stageOf(days: number): number | null {
  if (days === 0) return 0
  return [...warnings].reverse().find((warning) => days <= warning) ?? null
}

async function readSecrets({ db, config, microsoft, now, log }: Portal): Promise<void> {
  if ([config.app, config.signIn].every(({ credential }) => credential.kind === 'certificate')) return
  const kept = await readKeptSecretEnds(db)
  const age = kept ? now().getTime() - Date.parse(kept.at) : Number.POSITIVE_INFINITY
  if (age >= 0 && age < readEveryMs) return
  try {
    const ends = (await microsoft.readSecretEnds()) ?? []
    const told = ends.map((one) => ({ ...one, endsAt: one.endsAt.toISOString() }))
    await write(db, (tx) => keepSecretEnds(tx, told, now()))
  } catch (error) {
    if (!(error instanceof Refusal)) throw error
    log.debug({ reason: error.code }, 'Entra was not asked when secrets end')
    // What was read before stays, and is asked for again when it would have been.
    await write(db, (tx) => keepSecretEnds(tx, kept?.ends ?? [], now()))
  }
}
