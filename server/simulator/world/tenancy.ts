import type { Resource, SimulatorRegistration } from '../login/registration.ts'
import { type Behaviour, usualBehaviour } from './behaviour.ts'
import type { VirtualClock } from './clock.ts'
import { appForAll, appForOne } from './consents.ts'
import type { DirectoryRole, EnterpriseApp, Person, Tenant } from './directory.ts'
import { IncidentIndex } from './incident-index.ts'
import { hashOf, Random } from './random.ts'

export interface NewTenant {
  id?: string
  displayName: string
  /** Initial domain first. Default: made from the name. */
  domains?: string[]
  region?: Tenant['region']
  licensed?: boolean
  setUp?: boolean
  large?: boolean
  devicePrefix?: string
}

export interface NewPerson {
  id?: string
  name: string
  /** Default: made from the name and the tenant's last domain. */
  username?: string
  directoryRole?: DirectoryRole
  appRoles?: string[]
}

/** Tenants, their people, the app registrations, and what each tenant has consented to. */
export class Tenancy {
  readonly clock: VirtualClock
  readonly behaviour: Behaviour
  readonly registrations = new Map<string, SimulatorRegistration>()
  readonly #tenants = new Map<string, Tenant>()
  readonly #domains = new Map<string, string>()
  protected readonly random: Random
  #onChange: () => void = () => {}

  constructor(clock: VirtualClock, registrations: readonly SimulatorRegistration[], seed = 1) {
    this.clock = clock
    this.random = new Random(seed)
    for (const registration of registrations) this.registrations.set(registration.clientId.toLowerCase(), registration)
    this.behaviour = { ...usualBehaviour }
  }

  /** Called after every change that should be remembered. */
  set onChange(listener: () => void) {
    this.#onChange = listener
  }

  remember(): void {
    this.#onChange()
  }

  tenants(): Tenant[] {
    return [...this.#tenants.values()]
  }

  /** By ID or domain, deleted ones included; undefined when there is none. */
  find(idOrDomain: string): Tenant | undefined {
    const key = idOrDomain.toLowerCase()
    return this.#tenants.get(key) ?? this.#tenants.get(this.#domains.get(key) ?? '')
  }

  /** @throws Error when there is no such tenant */
  tenant(idOrDomain: string): Tenant {
    const tenant = this.find(idOrDomain)
    if (!tenant) throw new Error(`no tenant ${idOrDomain}`)
    return tenant
  }

  person(personId: string): Person | undefined {
    for (const tenant of this.#tenants.values()) {
      const person = tenant.people.find(({ id }) => id === personId)
      if (person) return person
    }
    return undefined
  }

  /** The account this person has in that tenant: its own, or a guest's. */
  accountIn(person: Person, tenant: Tenant): Person | undefined {
    if (person.tenantId === tenant.id) return person
    return tenant.people.find(({ home }) => home?.personId === person.id)
  }

  addTenant(input: NewTenant): Tenant {
    const id = (input.id ?? this.random.guid()).toLowerCase()
    if (this.#tenants.has(id)) throw new Error(`tenant ${id} exists`)
    const name = slugOf(input.displayName)
    const slug = name && !this.#domains.has(`${name}.onmicrosoft.com`) ? name : `${name}${id.slice(0, 8)}`
    const tenant: Tenant = {
      id,
      displayName: input.displayName,
      domains: (input.domains ?? [`${slug}.onmicrosoft.com`, `${slug}.example`]).map((d) => d.toLowerCase()),
      region: input.region ?? 'EU',
      people: [],
      licensed: input.licensed ?? true,
      setUp: input.setUp ?? true,
      large: input.large ?? false,
      deleted: false,
      blockedBy: null,
      skipWall: null,
      devicePrefix: input.devicePrefix ?? slug.slice(0, 3).toUpperCase(),
      apps: new Map(),
      incidents: new IncidentIndex(() => this.clock.now()),
      nextIncidentId: 1,
    }
    this.adopt(tenant)
    this.remember()
    return tenant
  }

  /** Takes in a tenant as it is, and gives home registrations their service principal. */
  adopt(tenant: Tenant): void {
    this.#tenants.set(tenant.id, tenant)
    for (const domain of tenant.domains) this.#domains.set(domain, tenant.id)
    for (const registration of this.registrations.values()) {
      if (
        registration.homeTenantId.toLowerCase() === tenant.id &&
        !tenant.apps.has(registration.clientId.toLowerCase())
      ) {
        this.consent(tenant.id, registration.clientId, { propagationMs: 0 })
      }
    }
  }

  addPerson(tenantId: string, input: NewPerson): Person {
    const tenant = this.tenant(tenantId)
    const username = input.username ?? `${slugOf(input.name, '.')}@${tenant.domains.at(-1)}`
    const person: Person = {
      id: input.id ?? new Random(hashOf(`${tenant.id}/${username}`)).guid(),
      tenantId: tenant.id,
      name: input.name,
      username,
      directoryRole: input.directoryRole ?? 'User',
      appRoles: input.appRoles ?? [],
      home: null,
    }
    tenant.people.push(person)
    this.remember()
    return person
  }

  /** Invites a person of another tenant; the account made here has its own object ID. */
  addGuest(
    tenantId: string,
    personId: string,
    options: { appRoles?: string[]; directoryRole?: DirectoryRole } = {},
  ): Person {
    const home = this.person(personId)
    if (!home) throw new Error(`no person ${personId}`)
    const tenant = this.tenant(tenantId)
    const guest: Person = {
      id: new Random(hashOf(`${tenant.id}/${personId}`)).guid(),
      tenantId: tenant.id,
      name: home.name,
      username: `${home.username.replace('@', '_')}#EXT#@${tenant.domains[0]}`,
      directoryRole: options.directoryRole ?? 'User',
      appRoles: options.appRoles ?? [],
      home: { tenantId: home.tenantId, personId },
    }
    tenant.people.push(guest)
    this.remember()
    return guest
  }

  /** @throws Error when no registration has that client ID */
  registration(clientId: string): SimulatorRegistration {
    const registration = this.registrations.get(clientId.toLowerCase())
    if (!registration) throw new Error(`no registration ${clientId}`)
    return registration
  }

  /**
   * Consent for the whole organisation: makes the enterprise app if it is missing and grants everything the
   * registration requires (or only `roles`), replacing what was granted before. Roles of a resource that the tenant
   * has no service principal for are left out.
   */
  consent(
    tenantId: string,
    clientId: string,
    options: { roles?: string[]; resource?: Resource; propagationMs?: number } = {},
  ): EnterpriseApp {
    const tenant = this.tenant(tenantId)
    const registration = this.registration(clientId)
    const roles = options.roles ?? registration.requiredResources.flatMap((required) => required.roles)
    const propagationMs = options.propagationMs ?? this.behaviour.propagationMs
    const app = appForAll(tenant, registration.clientId, roles, { now: this.clock.now(), propagationMs })
    tenant.apps.set(app.clientId, app)
    this.remember()
    return app
  }

  /** One person consents for himself: the enterprise app comes to exist, application permissions do not. */
  consentForOne(tenantId: string, clientId: string, personId: string): void {
    const tenant = this.tenant(tenantId)
    const app = tenant.apps.get(clientId.toLowerCase()) ?? appForOne(tenant, clientId, this.clock.now())
    if (!app.users.includes(personId)) app.users.push(personId)
    tenant.apps.set(app.clientId, app)
    this.remember()
  }

  /** The customer deletes the enterprise app. Tokens already issued live on. */
  revoke(tenantId: string, clientId: string): void {
    this.tenant(tenantId).apps.delete(clientId.toLowerCase())
    this.remember()
  }

  disableApp(tenantId: string, clientId: string, disabled = true): void {
    this.enterpriseApp(tenantId, clientId).enabled = !disabled
    this.remember()
  }

  /** Takes permissions back; new tokens lack them. */
  removeRoles(tenantId: string, clientId: string, ...roles: string[]): void {
    const app = this.enterpriseApp(tenantId, clientId)
    app.grants = app.grants.filter(({ role }) => !roles.includes(role))
    this.remember()
  }

  /** @throws Error when the tenant has no such enterprise app */
  enterpriseApp(tenantId: string, clientId: string): EnterpriseApp {
    const app = this.tenant(tenantId).apps.get(clientId.toLowerCase())
    if (!app) throw new Error(`tenant ${tenantId} has no enterprise app ${clientId}`)
    return app
  }

  /** False takes the "Microsoft Threat Protection" service principal, and with it its grants and the Defender data. */
  setLicensed(tenantId: string, licensed: boolean): void {
    const tenant = this.tenant(tenantId)
    tenant.licensed = licensed
    if (!licensed) {
      for (const app of tenant.apps.values()) app.grants = app.grants.filter(({ resource }) => resource !== 'mtp')
    }
    this.remember()
  }

  /** Whether Defender was ever opened in the tenant. */
  setUpDefender(tenantId: string, setUp: boolean): void {
    this.tenant(tenantId).setUp = setUp
    this.remember()
  }

  /** Workload-identity Conditional Access on (a policy ID) or off (null). */
  blockByPolicy(tenantId: string, policyId: string | null = '01234567-89ab-cdef-fedc-ba9876543210'): void {
    this.tenant(tenantId).blockedBy = policyId
    this.remember()
  }

  setLarge(tenantId: string, large: boolean): void {
    this.tenant(tenantId).large = large
    this.remember()
  }

  /** Graph pages end at this offset although more would follow. */
  setSkipWall(tenantId: string, offset: number | null): void {
    this.tenant(tenantId).skipWall = offset
    this.remember()
  }

  deleteTenant(tenantId: string, deleted = true): void {
    this.tenant(tenantId).deleted = deleted
    this.remember()
  }

  /** Ends every secret of a registration, as if its last day had come. */
  expireSecrets(clientId: string): void {
    const past = new Date(this.clock.now() - 1000)
    for (const secret of this.registration(clientId).secrets) secret.expiresAt = past
    this.remember()
  }

  /** Makes the secrets good again; stands for adding a new one with the same value. */
  renewSecrets(clientId: string): void {
    for (const secret of this.registration(clientId).secrets) delete secret.expiresAt
    this.remember()
  }
}

function slugOf(name: string, gap = ''): string {
  return name
    .normalize('NFD')
    .replace(/[\u0300-\u036f]/g, '')
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, gap)
    .replace(/^\.|\.$/g, '')
}
