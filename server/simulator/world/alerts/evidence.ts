import { day } from '../../../time.ts'
import type { Tenant } from '../directory.ts'
import type { Alert, AlertRecipe, Device, Entity, Incident, UserAccount } from '../incidents.ts'
import { instantOf } from '../instants.ts'
import { hashOf, Random } from '../random.ts'
import { type AlertScript, storyOf } from '../stories.ts'
import { entityOf, type Props } from './entities.ts'

/** The tenant as its incidents need it. */
interface Stage {
  id: string
  domain: string
  /** Prefix of device names: `NKE-LAP-0417`. */
  devicePrefix: string
  users: readonly { id: string; name: string; username: string }[]
}

const alertPrefix = new Map<string, string>([
  ['microsoftDefenderForEndpoint', 'da'],
  ['microsoftDefenderForIdentity', 'aa'],
  ['microsoftDefenderForCloudApps', 'ca'],
  ['microsoftDefenderForOffice365', 'fa'],
  ['microsoft365Defender', 'ra'],
  ['azureAdIdentityProtection', 'ad'],
  ['dataLossPrevention', 'dl'],
])

/** From one alert of a story to the next, at most. */
export const longestGapMs = 28 * 60_000

/**
 * Cooks the alerts of an incident from its recipes. Deterministic: the same recipe gives the same alerts, with status
 * and classification following the incident, as they do when a person resolves an incident in Defender.
 */
function alertsOf(stage: Stage, incident: Incident): Alert[] {
  return incident.recipes.flatMap((recipe) => cook(stage, incident, recipe))
}

function cook(stage: Stage, incident: Incident, recipe: AlertRecipe): Alert[] {
  const story = storyOf(recipe.story)
  const random = new Random(recipe.seed)
  const set = dress(stage, random, recipe.startMs)
  const alerts: Alert[] = []
  let at = recipe.startMs
  for (let n = 0; n < recipe.count; n++) {
    const script = story.alerts[n % story.alerts.length]
    if (!script) break
    alerts.push(write(script, incident, recipe, set, random, at, n))
    at += random.int(4, longestGapMs / 60_000) * 60_000
  }
  return alerts
}

function dress(stage: Stage, random: Random, startMs: number): Props {
  const { users } = stage
  const user = users.length > 0 ? accountOf(stage, random.pick(users)) : serviceAccount(stage)
  return {
    user,
    somebody: (chance) => (users.length > 0 ? accountOf(stage, chance.pick(users)) : user),
    device: device(stage, random.int(1, 60), false, startMs),
    server: device(stage, random.int(1, 6), true, startMs),
  }
}

function accountOf(stage: Stage, user: Stage['users'][number]): UserAccount {
  const sid = new Random(hashOf(user.id))
  return {
    accountName: user.username.split('@')[0] ?? user.username,
    domainName: stage.domain,
    userSid: `S-1-5-21-${sid.int(1e8, 4e9)}-${sid.int(1e8, 4e9)}-${sid.int(1e8, 4e9)}-${sid.int(1100, 9000)}`,
    aadUserId: user.id,
    userPrincipalName: user.username,
    displayName: user.name,
  }
}

function serviceAccount(stage: Stage): UserAccount {
  return {
    accountName: 'svc-backup',
    domainName: stage.domain,
    userSid: 'S-1-5-18',
    aadUserId: null,
    userPrincipalName: null,
    displayName: 'svc-backup',
  }
}

function device(stage: Stage, number: number, server: boolean, startMs: number): Device {
  const name = server
    ? `${stage.devicePrefix}-FS-${String(number).padStart(2, '0')}`
    : `${stage.devicePrefix}-LAP-${String(400 + number).padStart(4, '0')}`
  const own = new Random(hashOf(`${stage.id}/${name}`))
  const linux = server && own.chance(0.15)
  return {
    mdeDeviceId: own.hex(40),
    aadDeviceId: own.chance(0.8) ? own.guid() : null,
    dnsName: `${name.toLowerCase()}.${stage.domain}`,
    osPlatform: linux ? 'Linux' : server ? 'WindowsServer2022' : 'Windows11',
    osBuild: linux ? null : server ? 20348 : 26200,
    version: linux ? '24.4' : server ? '21H2' : '25H2',
    healthStatus: 'active',
    riskScore: own.pick(['none', 'low', 'medium', 'high']),
    group: server ? 'Servers' : 'Clients',
    groupId: server ? 7 : 125,
    firstSeenAt: instantOf(startMs - own.int(40, 400) * day, own.int(0, 9999)),
    lastIp: `10.20.${own.int(0, 40)}.${own.int(2, 250)}`,
    lastExternalIp: `192.0.2.${own.int(2, 250)}`,
  }
}

function write(
  script: AlertScript,
  incident: Incident,
  recipe: AlertRecipe,
  set: Props,
  random: Random,
  at: number,
  n: number,
): Alert {
  const entities: Entity[] = []
  const devices: Device[] = []
  for (const prop of script.props) {
    if (prop === 'device' || prop === 'server') devices.push(set[prop])
    else entities.push(entityOf(prop, { set, random, at, deviceId: devices[0]?.mdeDeviceId ?? null }))
  }
  // Real alerts repeat themselves: one held 23 pieces of evidence, most of them processes.
  const repeatable = script.props.filter((prop) => prop !== 'device' && prop !== 'server')
  const more = repeatable.length > 0 ? random.int(1, 9) : 0
  const deviceId = devices[0]?.mdeDeviceId ?? null
  for (let extra = 0; extra < more; extra++) {
    entities.push(entityOf(random.pick(repeatable), { set, random, at, deviceId }))
  }
  const createdAt = instantOf(at + random.int(20, 240) * 1000, random.int(0, 9999))
  // Drawn in any case: the IDs that follow must not depend on the incident's status.
  const resolvedByItself = random.chance(0.1)
  const resolved = resolvedByItself || incident.status === 'resolved'
  const shownAt = [createdAt, incident.lastUpdateAt].sort()[0] ?? createdAt
  return {
    id: `${alertPrefix.get(script.service) ?? 'xx'}${random.guid()}${script.service === 'microsoftDefenderForEndpoint' ? '_1' : ''}`,
    title: script.title,
    description: script.description,
    recommendedActions:
      '1. Contact the user and find out whether the activity is expected.\n2. Review the other alerts of this incident.\n3. Contain the device or reset the credentials if the activity is not expected.',
    category: script.category,
    severity: script.severity,
    status: resolved ? 'resolved' : incident.status === 'inProgress' ? 'inProgress' : 'new',
    service: script.service,
    detectionSource: script.detectionSource,
    detectorId: new Random(hashOf(script.title)).guid(),
    createdAt: shownAt,
    lastUpdateAt: incident.lastUpdateAt,
    resolvedAt: resolved ? incident.lastUpdateAt : null,
    firstActivityAt: instantOf(at, n === 0 ? 0 : random.int(0, 9999)),
    lastActivityAt: instantOf(at + random.int(0, 90) * 1000, random.int(0, 9999)),
    classification: incident.classification === 'unknown' ? null : incident.classification,
    determination: incident.classification === 'unknown' ? null : incident.determination,
    assignedTo: incident.assignedTo,
    investigationId: script.detectionSource === 'antivirus' ? (recipe.seed % 9000) + 100 : null,
    investigationState: script.detectionSource === 'antivirus' ? 'successfullyRemediated' : 'unsupportedAlertType',
    actorName: script.threatFamily === 'Qilin' ? 'Storm-1811' : null,
    threatFamily: script.threatFamily ?? null,
    techniques: script.techniques,
    devices,
    entities,
  }
}

/** The alerts of an incident in its tenant. */
export function alertsIn(tenant: Tenant, incident: Incident): Alert[] {
  const users = tenant.people.filter(({ home }) => home === null)
  const domain = tenant.domains.at(-1) ?? 'example'
  return alertsOf({ id: tenant.id, domain, devicePrefix: tenant.devicePrefix, users }, incident)
}
