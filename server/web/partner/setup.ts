import type { Handler, OperatorRequest } from '../../http/route.ts'
import { setupMaterial } from '../../microsoft/registration/setup.ts'
import { lookAtPermissions, lookEvery, readAsking, rolesBeyond } from '../../partner/asked-permissions.ts'
import { type CheckName, examineLately, type Finding } from '../../partner/doctor.ts'
import { readAskedPermissions } from '../../store/partner/asked-permissions.ts'
import { findIntroductionGap, readSettings } from '../../store/partner/settings.ts'
import { listTenants } from '../../store/tenants/tenants.ts'
import { rereadingProgress } from '../../store/upkeep/older-readings.ts'
import { page } from '../page/page.ts'
import { render } from '../page/render.ts'
import { doctorView } from './doctor-view.ts'
import { type SetupStep, type StepName, setupView } from './setup-view.ts'

const setupPage = page('partner/setup', setupView)
const doctorPage = page('partner/doctor', doctorView)

/** What each step’s tick rests on. Steps without a check are ticked by what the portal knows of itself. */
const checksOf: Partial<Record<StepName, readonly CheckName[]>> = {
  runs: ['configuration', 'database', 'audit', 'address', 'metrics', 'clock'],
  app: ['tenant', 'audience', 'directory-roles'],
  redirects: ['redirect-uris'],
  credential: ['credential'],
  permissions: ['permissions'],
  consent: ['api'],
  'sign-in': ['sign-in'],
}

const certificateCommand =
  'openssl req -x509 -newkey rsa:3072 -sha256 -days 365 -nodes -subj /CN=muster -keyout muster-key.pem -out muster-cert.pem && cat muster-key.pem muster-cert.pem > muster.pem'

/** The way from nothing to a registered app, each step with what Muster sees of it now. */
export const showSetup: Handler<OperatorRequest> = async (portal, req, res) => {
  const { config, db } = portal
  await lookAtPermissions(portal, lookEvery)
  const [{ findings }, tenants, settings, permissions, asking, rereading] = await Promise.all([
    examineLately(portal),
    listTenants(db, undefined, req.scope),
    readSettings(db),
    readAskedPermissions(db),
    readAsking(portal),
    rereadingProgress(db),
  ])
  const firstProvenAt = tenants.flatMap(({ firstActiveAt }) => firstActiveAt ?? []).sort()[0] ?? null
  const { credential } = config.app
  await render(res, setupPage, {
    steps: stepsOf(findings, {
      partner: doneIf(findIntroductionGap(settings) === null),
      asked: rolesBeyond(portal, permissions).length > 0 ? 'bad' : doneIf(asking.source !== 'unknown'),
      trial: doneIf(firstProvenAt !== null),
    }),
    material: setupMaterial(config, settings.appName),
    api: config.incidentsApi,
    clientId: config.app.clientId,
    credential:
      credential.kind === 'secret'
        ? { kind: 'secret' }
        : { kind: 'certificate', thumbprint: credential.thumbprintSha256, endsAt: credential.expiresAt },
    certificateCommand,
    adminUsers: config.adminUsers.length,
    adminLine: `ADMIN_USERS=${[...new Set([...config.adminUsers, req.operator.oid])].join(',')}`,
    firstProvenAt,
    rereading: rereading === null ? null : { ...rereading, done: rereading.total - rereading.left },
  })
}

/** Whose each check is: what this machine answers for, or what Microsoft does. */
const ours: Record<CheckName, boolean> = {
  configuration: true,
  database: true,
  audit: true,
  address: true,
  metrics: true,
  clock: true,
  tenant: false,
  credential: false,
  audience: false,
  'directory-roles': false,
  'redirect-uris': false,
  permissions: false,
  api: false,
  'sign-in': false,
}

/** The same checks as a list: what needs somebody first. */
export const showDoctor: Handler<OperatorRequest> = async (portal, _req, res) => {
  await render(res, doctorPage, { ...(await examineLately(portal)), isOurs: ({ check }) => ours[check] })
}

/** How the steps without a check stand. */
type Known = Record<'partner' | 'asked' | 'trial', 'done' | 'bad' | 'todo'>

const doneIf = (is: boolean) => (is ? 'done' : 'todo')

function stepsOf(findings: readonly Finding[], known: Known): SetupStep[] {
  const names: StepName[] = [
    'runs',
    'app',
    'redirects',
    'credential',
    'permissions',
    'consent',
    'sign-in',
    'admin',
    'partner',
    'asked',
    'trial',
  ]
  const steps = names.map((name): SetupStep => {
    const matches = findings.filter(({ check }) => checksOf[name]?.includes(check))
    return { name, findings: matches, state: stateOf(matches) }
  })
  for (const step of steps) {
    // Nobody but an Admin is shown this page.
    if (step.name === 'admin') step.state = 'done'
    if (step.name === 'partner' || step.name === 'asked' || step.name === 'trial') step.state = known[step.name]
  }
  const next = steps.find(({ state }) => state === 'todo')
  if (next) next.state = 'now'
  return steps
}

function stateOf(findings: readonly Finding[]): SetupStep['state'] {
  const outcomes = new Set(findings.map(({ outcome }) => outcome))
  if (outcomes.has('fault')) return 'bad'
  if (outcomes.has('warning')) return 'warn'
  return outcomes.has('ok') ? 'done' : 'todo'
}
