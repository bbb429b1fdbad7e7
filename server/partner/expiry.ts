import { type Credential, credentialsOf, type Registration } from '../config/credentials.ts'
import { Refusal } from '../model/refusal.ts'
import type { Portal } from '../portal.ts'
import type { Actor } from '../store/audit.ts'
import { write } from '../store/engine/write.ts'
import { endAlarm, openSubjects, raiseAlarm } from '../store/notify/alarms.ts'
import {
  type EnteredEnd,
  enterEnd,
  forgetTrials,
  keepTrials,
  readEnteredEnds,
  readTrials,
} from '../store/partner/credentials.ts'
import { type KeptSecretEnds, keepSecretEnds, readKeptSecretEnds } from '../store/partner/secret-ends.ts'
import { readPause } from '../store/tenants/pauses.ts'
import { day, hour, minute } from '../time.ts'

export type CredentialName = `${'app' | 'sign-in'}-${'secret' | 'certificate'}${'' | '-2'}`

/** A credential of the partner's own: when it ends, and what Microsoft says to it. */
export interface PartnerCredential {
  name: CredentialName
  clientId: string
  credential: Credential
  /** Null where nobody can tell. */
  endsAt: Date | null
  /** Who says when it ends: the certificate itself, Entra, or a person; null where nobody does. */
  endFrom: 'certificate' | 'entra' | { by: string } | null
  /** Microsoft did not take it when it was last tried; credentials are tried where there are two of a registration. */
  refused: { aadsts: number | null } | null
}

/** Days before the end at which people are warned. */
const warnings = [60, 30, 14, 7, 1]
const readEveryMs = 6 * hour
const tryEveryMs = 10 * minute

/** What Entra and Azure show of a secret, and what tells two of them apart. */
export const hintOf = (secret: string): string => secret.slice(0, 3)

/** The credentials this portal runs on. */
export async function partnerCredentials({ config, db }: Pick<Portal, 'config' | 'db'>): Promise<PartnerCredential[]> {
  const read = (await readKeptSecretEnds(db))?.ends ?? []
  const entered = await readEnteredEnds(db)
  const trials = (await readTrials(db))?.trials ?? []
  const { app, signIn } = config
  const of = (which: 'app' | 'sign-in', registration: Registration): PartnerCredential[] =>
    credentialsOf(registration).map((credential, i) => {
      const name = nameOf(which, credential, i)
      const refused = trials.find((trial) => trial.name === name)?.refused ?? null
      const { clientId } = registration
      return { name, clientId, credential, ...endOf(clientId, credential, read, entered), refused }
    })
  return [...of('app', app), ...(app.clientId === signIn.clientId ? [] : of('sign-in', signIn))]
}

const nameOf = (which: 'app' | 'sign-in', { kind }: Credential, i: number): CredentialName =>
  `${which}-${kind}${i === 0 ? '' : '-2'}`

function endOf(
  clientId: string,
  credential: Credential,
  read: KeptSecretEnds['ends'],
  entered: readonly EnteredEnd[],
): Pick<PartnerCredential, 'endsAt' | 'endFrom'> {
  if (credential.kind === 'certificate') return { endsAt: credential.expiresAt, endFrom: 'certificate' }
  const hint = hintOf(credential.secret)
  const isIt = (one: { clientId: string; hint: string }) => one.clientId === clientId && one.hint === hint
  // Of several with the same beginning it is not known which one is meant: the first to end is the one to heed.
  const [soonest] = read
    .filter(isIt)
    .map((one) => one.endsAt)
    .sort()
  if (soonest !== undefined) return { endsAt: new Date(soonest), endFrom: 'entra' }
  const said = entered.find(isIt)
  if (!said) return { endsAt: null, endFrom: null }
  return { endsAt: new Date(Date.parse(said.date) + day), endFrom: { by: said.by } }
}

/** What is the matter with a credential: it is refused beside one that works, or ends in so many days; null where nothing is. */
export function troubleOf(
  { endsAt, refused }: Pick<PartnerCredential, 'endsAt' | 'refused'>,
  now: Date,
): { code: string; days: number } | null {
  const days = endsAt === null ? null : Math.max(0, Math.ceil((endsAt.getTime() - now.getTime()) / day))
  if (refused !== null) return { code: 'refused', days: days ?? 0 }
  const stage = days === null ? null : stageOf(days)
  return stage === null || days === null ? null : { code: String(stage), days }
}

/** Asks Entra when secrets end and which credentials it takes, a few times a day, and raises or ends the alarms about them. */
export async function watchCredentials(portal: Portal): Promise<void> {
  const { db, now } = portal
  // While everything is paused, nothing leaves for Microsoft by itself.
  if (!(await readPause(db))) {
    await readSecrets(portal)
    await tryCredentials(portal)
  }
  const credentials = await partnerCredentials(portal)
  const open = await openSubjects(db, 'credential-ending')
  for (const subject of open) {
    // One that is no longer in use can end unnoticed.
    if (!credentials.some(({ name }) => name === subject)) await end(portal, subject)
  }
  for (const credential of credentials) {
    const { name, endsAt } = credential
    const trouble = troubleOf(credential, now())
    if (trouble === null) {
      if (open.has(name)) await end(portal, name)
      continue
    }
    // What is the matter is the code: each stage is told once.
    const ends = endsAt === null ? {} : { endsAt: endsAt.toISOString() }
    const facts = { ...trouble, credential: name, ...ends, aadsts: credential.refused?.aadsts ?? null }
    await write(db, (tx) => raiseAlarm(tx, { kind: 'credential-ending', subject: name, facts }, now()))
  }
}

const end = ({ db, now }: Portal, subject: string) =>
  write(db, (tx) => endAlarm(tx, { kind: 'credential-ending', subject }, now()))

/** The least of the warnings that has come; 0 once it has ended, null before the first. */
function stageOf(days: number): number | null {
  if (days === 0) return 0
  return [...warnings].reverse().find((warning) => days <= warning) ?? null
}

/** One refused of two would be noticed by nobody: the other one serves. */
async function tryCredentials({ db, config, microsoft, now }: Portal): Promise<void> {
  const kept = await readTrials(db)
  if (config.app.second === null && config.signIn.second === null) {
    if (kept !== null) await write(db, (tx) => forgetTrials(tx))
    return
  }
  const age = kept === null ? Number.POSITIVE_INFINITY : Math.abs(now().getTime() - Date.parse(kept.at))
  if (age < tryEveryMs) return
  const trials = (await microsoft.proveEachCredential()).map(({ registration, which, refusal }) => {
    const { credential, second } = registration === 'app' ? config.app : config.signIn
    const name = nameOf(registration, which === 1 && second ? second : credential, which)
    const ofIt = refusal?.code === 'partner-credential'
    const before = kept?.trials.find((one) => one.name === name)?.refused ?? null
    // Whoever did not answer said nothing new.
    return { name, refused: ofIt ? { aadsts: refusal.facts.aadsts } : refusal === null ? null : before, registration }
  })
  const told = trials.map(({ name, refused, registration }) => {
    const theirs = trials.filter((one) => one.registration === registration)
    // All refused is the partner's fault, and one alone has nothing beside it.
    const other = registration === 'sign-in' || theirs.some((one) => one.refused === null)
    return { name, refused: theirs.length === 2 && other ? refused : null }
  })
  await write(db, (tx) => keepTrials(tx, told, now()))
}

async function readSecrets({ db, config, microsoft, now, log }: Portal): Promise<void> {
  const all = [config.app, config.signIn].flatMap(credentialsOf)
  if (all.every(({ kind }) => kind === 'certificate')) return
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

/**
 * An Admin says when secrets end that Entra may not be asked about; what she left out, or what Entra knows, stays.
 * @param dates the last day of each, `YYYY-MM-DD`, by its name; empty for not known
 */
export async function enterEnds(
  portal: Portal,
  actor: Actor & { kind: 'operator' },
  dates: ReadonlyMap<string, string | undefined>,
): Promise<void> {
  const credentials = await partnerCredentials(portal)
  await write(portal.db, async (tx) => {
    for (const { name, clientId, credential, endsAt, endFrom } of credentials) {
      const date = dates.get(name)
      if (date === undefined || credential.kind !== 'secret' || endFrom === 'entra' || date === lastDay(endsAt))
        continue
      const end = { name, clientId, hint: hintOf(credential.secret), date: date === '' ? null : date }
      await enterEnd(tx, actor, end, portal.now())
    }
  })
}

/** The last day on which a credential can be used, `YYYY-MM-DD`; empty where nobody knows. */
export const lastDay = (endsAt: Date | null): string =>
  endsAt === null ? '' : new Date(endsAt.getTime() - 1).toISOString().slice(0, 10)
