import type { IncidentsApi } from '../config/config.ts'
import { graphResource } from '../microsoft/permissions.ts'
import {
  factsOfPermission,
  type Limit,
  limits,
  type PermissionWords,
  spelled,
} from '../microsoft/registration/role-facts.ts'
import { Refusal } from '../model/refusal.ts'
import type { Portal } from '../portal.ts'
import type { Actor } from '../store/audit.ts'
import { type DueClaim, unlessLost } from '../store/engine/claim.ts'
import type { Database } from '../store/engine/dialect.ts'
import { write } from '../store/engine/write.ts'
import {
  type AskedPermission,
  type AskedPermissions,
  claimLook,
  confirmPermissions,
  endLook,
  holdLook,
  mayLook,
  readAskedPermissions,
  recordRegistration,
  recordSeenRoles,
  type SeenRole,
} from '../store/partner/asked-permissions.ts'
import { minute } from '../time.ts'

/** Who is about to issue a link looks at Microsoft again when the last look is older. */
export const lookEvery = 10 * minute
/** A registration that could not be read again for so long counts as not known. */
const registrationLasts = 7 * 24 * 60 * minute

/** One permission as customers are told of it. */
export interface ToldPermission extends AskedPermission {
  words: PermissionWords
  /** The API it belongs to, as Microsoft names it; null where Muster does not know. */
  resource: string | null
}

/** What customers are told of what they are asked for, and what follows from it. */
export interface Asking {
  /** `registration`: read there · `confirmed`: an Admin said so · `unknown`: these at least, perhaps more. */
  source: 'registration' | 'confirmed' | 'unknown'
  permissions: ToldPermission[]
  /** What the partner cannot do; empty when nothing of the kind is proven. */
  cannot: readonly Limit[]
  /** Whether something of it can change anything, or may. */
  changes: boolean
  /** Which administrators may consent. */
  consenters: IncidentsApi
}

type Knowledge = Pick<Portal, 'db' | 'microsoft' | 'now' | 'config'>

/** Roles met in tokens that no page tells of and no Admin was asked about: they stop new links. */
export function rolesBeyond(portal: Pick<Knowledge, 'microsoft' | 'now'>, record: AskedPermissions): SeenRole[] {
  const ours = permissionsKnown(portal, record).permissions.filter(({ kind }) => kind === 'application')
  const names = new Set([...ours.map(({ name }) => name), ...(record.confirmed?.known ?? [])].map(spelled))
  return record.seen.filter(({ role }) => !names.has(spelled(role)))
}

interface Known {
  source: Asking['source']
  permissions: readonly AskedPermission[]
}

function permissionsKnown({ microsoft, now }: Pick<Knowledge, 'microsoft' | 'now'>, record: AskedPermissions): Known {
  const { registration, confirmed } = record
  const application = (name: string): AskedPermission => ({ name, kind: 'application' })
  if (registration && now().getTime() - Date.parse(registration.readAt) < registrationLasts) {
    // A registration that asks for no role at all cannot be the one that customers consent to.
    const asks = registration.permissions.some(({ kind }) => kind === 'application')
    if (asks) return { source: 'registration', permissions: registration.permissions }
  }
  if (confirmed) return { source: 'confirmed', permissions: confirmed.asked.map(application) }
  return { source: 'unknown', permissions: microsoft.permissions.map(({ name }) => application(name)) }
}

/**
 * What a customer's page and letter say is asked for. A role that was met and that nobody has accounted for is told as
 * well, and what the partner cannot do holds with it.
 * @param db the transaction in hand, within one
 */
export async function readAsking(portal: Knowledge, db: Database = portal.db): Promise<Asking> {
  const record = await readAskedPermissions(db)
  const { source, permissions } = permissionsKnown(portal, record)
  const beyond = rolesBeyond(portal, record).map(({ role }): AskedPermission => ({ name: role, kind: 'application' }))
  const lines = [...permissions, ...beyond].flatMap((permission) => {
    const facts = factsOfPermission(permission.name, permission.kind)
    return facts === null ? [] : [{ ...permission, ...facts }]
  })
  const broken = new Set(lines.flatMap(({ breaks }) => breaks))
  const onGraph = lines.some(({ kind, api }) => kind === 'application' && api !== 'defender')
  return {
    source,
    permissions: lines.map(({ name, kind, words, api }) => ({
      name,
      kind,
      words,
      resource: resourceName(portal, api),
    })),
    cannot: source === 'unknown' ? [] : limits.filter((limit) => !broken.has(limit)),
    changes: broken.size > 0,
    consenters: onGraph ? 'graph' : portal.microsoft.api,
  }
}

function resourceName({ microsoft, config }: Knowledge, api: IncidentsApi | null): string | null {
  if (api === microsoft.api) return microsoft.resource.name
  return api === 'graph' ? graphResource(config).name : null
}

/**
 * Looks at Microsoft again: what the registration asks for, where that may be read, and which roles the app holds in the
 * partner's own tenant. At most once in `everyMs` among all processes. When Microsoft does not answer, what was known
 * stays.
 */
export async function lookAtPermissions(portal: Portal, everyMs: number): Promise<void> {
  const { db, now } = portal
  if (!(await mayLook(db, everyMs, now()))) return
  const claim = await write(db, (tx) => claimLook(tx, everyMs, now()))
  if (claim === null) return
  try {
    await lookClaimed(portal, claim)
  } finally {
    await unlessLost(write(db, (tx) => endLook(tx, claim, now())))
  }
}

async function lookClaimed({ db, microsoft, log, now, config }: Portal, claim: DueClaim): Promise<void> {
  try {
    const registered = await microsoft.readRegisteredPermissions()
    await write(db, async (tx) => {
      await holdLook(tx, claim)
      await recordRegistration(tx, registered, now())
    })
  } catch (error) {
    if (!(error instanceof Refusal)) throw error
    log.info({ err: error }, 'the registration could not be read')
  }
  const roles = await microsoft.readOwnExcess()
  await write(db, async (tx) => {
    await holdLook(tx, claim)
    await recordSeenRoles(tx, { tenantId: config.partnerTenantId, roles }, now())
  })
}

/** An Admin says what customers are asked for, of all that she was shown. */
export async function confirmAsked(
  { db, now }: Pick<Portal, 'db' | 'now'>,
  actor: Actor & { kind: 'operator' },
  confirmed: { asked: readonly string[]; known: readonly string[] },
): Promise<void> {
  await write(db, (tx) => confirmPermissions(tx, actor, confirmed, now()))
}
