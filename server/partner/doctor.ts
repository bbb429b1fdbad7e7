import { isLoopbackHost } from '../config/clouds.ts'
import { type Config, callLimits } from '../config/config.ts'
import type { Told } from '../config/environment.ts'
import { type ConfigProblem, variables } from '../config/variables.ts'
import type { Log } from '../log.ts'
import { connectMicrosoft } from '../microsoft/connect.ts'
import type { Microsoft, RegistrationFinding } from '../microsoft/microsoft.ts'
import { outbound } from '../microsoft/wire/http.ts'
import { Refusal } from '../model/refusal.ts'
import type { Portal } from '../portal.ts'
import { type DatabaseCondition, inspectDatabase, inspectOpenDatabase } from '../store/engine/inspection.ts'
import { type SealedRow, sealedRows } from '../store/notify/sealed.ts'
import { type SealVerdict, verifySeals, verifySealsIn } from '../store/partner/audit-seals.ts'
import { second } from '../time.ts'
import { judgeDatabase, judgeSeals } from './database-findings.ts'
import { readWhatCan } from './doctor-config.ts'
import { keyFindings, readSealedRows } from './doctor-keys.ts'
import { needs } from './doctor-needs.ts'
import { toldBySignIns } from './roles-in-sign-ins.ts'

export type CheckName =
  | 'configuration'
  | 'database'
  | 'audit'
  | 'address'
  | 'metrics'
  | 'clock'
  | RegistrationFinding['check']

/** One thing looked at: `setup.found.<code>` says what was found, `setup.found.<code>.next` how to mend it. */
export interface Finding extends Omit<RegistrationFinding, 'check'> {
  check: CheckName
}

/** Everything looked at, in the order in which a partner sets Muster up. `unknown` is what could not be looked at. */
export interface Examination {
  at: string
  findings: Finding[]
}

type Outcome = Finding['outcome']

const skewTolerated = 60 * second
/** ID tokens and certificate assertions are refused beyond this. */
const skewFatal = 300 * second

/** Looks at a portal that runs. */
async function examine(portal: Portal): Promise<Examination> {
  const { config, db, microsoft, log } = portal
  const condition = inspectOpenDatabase(db, config)
  const seal = () => verifySeals(db, config, newestSeals)
  const kept = () => sealedRows(db, config)
  const found = await together({ config, microsoft, condition, seal, kept, log, now: portal.now })
  return examination(portal, [], await toldBySignIns(portal.db, found))
}

/**
 * Looks at a configuration before anything runs. What is wrong in it is listed whole, and everything that does not
 * depend on that is looked at all the same.
 */
export async function examineEnvironment(
  { env, ...noticed }: Omit<Told, 'places'>,
  { log, now }: { log: Log; now: () => Date },
): Promise<Examination> {
  const { config, problems } = readWhatCan(env, noticed)
  const broken = new Set(problems.map(({ variable }) => variable))
  const microsoft = connectMicrosoft(config, { log, now })
  const condition = inspectDatabase(config, log)
  const seal = () => verifySealsIn(config, config, log)
  const kept = () => readSealedRows(config, log)
  const found = await together({ config, microsoft, condition, seal, kept, log, now, broken })
  return examination({ config, now }, problems, found)
}

/** A page looks at the newest alone; the command looks at all. */
const newestSeals = 1_000
const keptMs = 10 * second
class LatestLook {
  look: { startedAt: number; examination: Promise<Examination> } | null = null
}

/** The latest look at a running portal, or a new one when that is older than ten seconds; callers share it. */
export function examineLately(portal: Portal): Promise<Examination> {
  const latest = portal.memory.of(LatestLook)
  const startedAt = portal.now().getTime()
  if (latest.look && Math.abs(startedAt - latest.look.startedAt) < keptMs) return latest.look.examination
  const look = { startedAt, examination: examine(portal) }
  latest.look = look
  look.examination.catch(() => {
    if (latest.look === look) latest.look = null
  })
  return look.examination
}

interface Looking {
  config: Config
  microsoft: Microsoft
  condition: Promise<DatabaseCondition>
  /** Looks at what was sealed, in a database that has this version's schema. */
  seal: () => Promise<SealVerdict>
  /** What is kept under keys of ours, in such a database. */
  kept: () => Promise<SealedRow[]>
  now: () => Date
  log: Log
  /** Variables whose value cannot be used: what depends on them is not looked at. */
  broken?: ReadonlySet<string>
}

async function together(looking: Looking): Promise<Finding[]> {
  const { broken = new Set<string>() } = looking
  const missing = (check: keyof typeof needs) => needs[check].filter((variable) => broken.has(variable))
  const unless = async (check: keyof typeof needs, look: () => Promise<Finding[]>) =>
    missing(check).length > 0 ? [skipped(check, missing(check))] : ownFault(check, looking.log, look)
  // Without tenant and app there is nothing to ask Microsoft about.
  const unasked = missing('audience').filter((variable) => variable !== 'PUBLIC_URL')
  const inDatabase = async (look: () => Promise<Finding[]>) =>
    (await looking.condition).state === 'current' ? look() : []
  const [database, keys, audit, address, metrics, clock, registration] = await Promise.all([
    unless('database', async () => [ownFinding('database', judgeDatabase(await looking.condition))]),
    unless('database', () =>
      inDatabase(async () =>
        keyFindings(looking.config, await looking.kept()).map((found) => ownFinding('database', found)),
      ),
    ),
    unless('audit', () => inDatabase(async () => [ownFinding('audit', judgeSeals(await looking.seal()))])),
    unless('address', async () => [await inspectAddress(looking)]),
    unless('metrics', async () => [await inspectMetrics(looking)]),
    unless('clock', async () => [await inspectClock(looking)]),
    unasked.length > 0 ? [] : ownFault('credential', looking.log, () => looking.microsoft.inspectRegistration()),
  ])
  const registered = registrationChecks.flatMap((check) => {
    const gaps = unasked.length > 0 ? unasked : missing(check)
    if (gaps.length > 0) return [skipped(check, gaps)]
    const found = registration.filter((one) => one.check === check)
    // What the checks before it could not open was not looked at, and that has to be said.
    return found.length > 0 ? found : [finding(check, 'unknown', 'not-reached')]
  })
  return [
    ...database,
    ...keys.filter(({ code }) => code !== 'not-looked-at'),
    ...audit,
    ...address,
    ...metrics,
    ...clock,
    ...registered,
  ]
}

/** A fault of our own is told as one, in the place of what could not be looked at, and takes no other check with it. */
async function ownFault<F extends Finding>(check: F['check'], log: Log, look: () => Promise<F[]>): Promise<Finding[]> {
  try {
    return await look()
  } catch (error) {
    log.error({ err: error }, 'a check of the doctor failed')
    return [finding(check, 'fault', 'own-fault', { reason: error instanceof Error ? error.name : 'unknown' })]
  }
}

const registrationChecks = [
  'tenant',
  'credential',
  'audience',
  'directory-roles',
  'redirect-uris',
  'permissions',
  'api',
  'sign-in',
] as const satisfies readonly RegistrationFinding['check'][]

const finding = (
  check: CheckName,
  outcome: Outcome,
  code: string,
  facts: Record<string, string> = {},
  refusal: Refusal | null = null,
): Finding => ({ check, outcome, code, facts, refusal })

const ownFinding = (check: CheckName, judged: Pick<Finding, 'outcome' | 'code' | 'facts'>): Finding => ({
  check,
  ...judged,
  refusal: null,
})

const skipped = (check: CheckName, needed: readonly string[]) =>
  finding(check, 'unknown', 'not-looked-at', { variables: needed.join(', ') })

function examination(
  { config, now }: Pick<Looking, 'config' | 'now'>,
  problems: readonly ConfigProblem[],
  found: readonly Finding[],
): Examination {
  return { at: now().toISOString(), findings: [...configurationFindings(config, problems), ...found] }
}

function configurationFindings(config: Config, problems: readonly ConfigProblem[]): Finding[] {
  const check = 'configuration'
  const named = new Set(problems.map(({ variable }) => variable))
  const secure = config.publicUrl.startsWith('https:')
  return [
    ...(problems.length > 0
      ? problems.map((problem) => finding(check, 'fault', 'variable-wrong', { ...problem }))
      : config.warnings.length === 0
        ? [finding(check, 'ok', 'variables-read', { n: String(variables.length) })]
        : []),
    ...config.warnings.map((warning) => finding(check, 'warning', 'variable-doubtful', { ...warning })),
    ...(secure && config.trustProxy.length === 0 && !named.has('TRUST_PROXY')
      ? [finding(check, 'warning', 'proxy-unnamed')]
      : []),
    config.adminUsers.length > 0
      ? finding(check, 'ok', 'admins-named', { n: String(config.adminUsers.length) })
      : finding(check, 'ok', 'admins-by-role'),
    ...(beyondLimits(config) ? [finding(check, 'warning', 'calls-beyond', callFacts(config))] : []),
  ]
}

const beyondLimits = ({ sync, incidentsApi }: Config) =>
  sync.callsPerMinute > callLimits[incidentsApi].minute || sync.callsPerHour > callLimits[incidentsApi].hour

const callFacts = ({ sync, incidentsApi }: Config) => ({
  minute: String(sync.callsPerMinute),
  hour: String(sync.callsPerHour),
  limitMinute: String(callLimits[incidentsApi].minute),
  limitHour: String(callLimits[incidentsApi].hour),
})

/** Whether people who type PUBLIC_URL reach this portal, as far as this machine can tell. */
async function inspectAddress({ config, now }: Looking): Promise<Finding> {
  const facts = { url: config.publicUrl }
  const send = outbound({ fetch: globalThis.fetch, now })
  try {
    const answer = await send({ url: `${config.publicUrl}/healthz`, deadlineMs: 5_000, limitBytes: 10_000, tries: 1 })
    const ours = answer.status === 200 && answer.text.trim() === 'alive'
    return ours
      ? finding('address', 'ok', 'address-answers', facts)
      : finding('address', 'fault', 'address-other', { ...facts, status: String(answer.status) })
  } catch (error) {
    if (!(error instanceof Refusal)) throw error
    const reason = error.facts.error || 'no answer'
    if (/CERT|TLS|SSL|SIGNATURE/.test(reason)) {
      return finding('address', 'warning', 'address-certificate', { ...facts, reason })
    }
    const local = isLoopbackHost(new URL(config.publicUrl).hostname)
    return finding('address', 'unknown', local ? 'address-silent-here' : 'address-silent', { ...facts, reason })
  }
}

/** Metrics are answered on this machine alone: from here it can be told whether by this portal. */
async function inspectMetrics({ config, now }: Looking): Promise<Finding> {
  if (config.metricsPort === null) return finding('metrics', 'ok', 'metrics-off')
  const url = `http://127.0.0.1:${config.metricsPort}/metrics`
  const send = outbound({ fetch: globalThis.fetch, now })
  try {
    const answer = await send({ url, deadlineMs: 5_000, limitBytes: 5_000_000, tries: 1 })
    const ours = answer.status === 200 && /^muster_/m.test(answer.text)
    return ours
      ? finding('metrics', 'ok', 'metrics-answer', { url })
      : finding('metrics', 'fault', 'metrics-other', { url, status: String(answer.status) })
  } catch (error) {
    if (!(error instanceof Refusal)) throw error
    return finding('metrics', 'ok', 'metrics-silent', { url })
  }
}

async function inspectClock({ microsoft }: Looking): Promise<Finding> {
  try {
    const ahead = await microsoft.clockAhead()
    const seconds = String(Math.round(Math.abs(ahead) / second))
    const outcome =
      Math.abs(ahead) < skewTolerated ? 'ok' : Math.abs(ahead) < skewFatal ? 'warning' : ('fault' as const)
    const code = outcome === 'ok' ? 'clock-right' : ahead > 0 ? 'clock-ahead' : 'clock-behind'
    return finding('clock', outcome, code, { seconds })
  } catch (error) {
    if (!(error instanceof Refusal)) throw error
    return finding('clock', 'unknown', 'clock-unknown', {}, error)
  }
}
