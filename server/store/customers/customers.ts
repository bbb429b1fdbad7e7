import type { Selectable } from 'kysely'
import { PortalError } from '../../errors.ts'
import { type Alphabet, byName } from '../../model/alphabet.ts'
import { type Actor, recordAudit } from '../audit.ts'
import { type Database, isPostgres, type Tx } from '../engine/dialect.ts'
import type { Schema } from '../engine/schema.ts'
import { write } from '../engine/write.ts'
import { newId } from '../identifiers.ts'
import { everything, type Scope, within } from '../scope.ts'

export interface Customer {
  id: string
  name: string
  language: string
  contactName: string | null
  contactEmail: string | null
  notes: string | null
  groups: string[]
  /** The tenant expected up front: its ID, and the domain that was typed, if one was. */
  expectedTenantId: string | null
  expectedDomain: string | null
  createdAt: string
  offboardedAt: string | null
}

/** Which customer, and whether it is still served. */
export type CustomerName = Pick<Customer, 'id' | 'name' | 'offboardedAt'>

export interface CustomerDetails {
  name: string
  language: string
  contactName: string | null
  contactEmail: string | null
  notes: string | null
  groups: readonly string[]
  expectedTenantId: string | null
  expectedDomain: string | null
}

export async function createCustomer(
  db: Database,
  actor: Actor,
  details: CustomerDetails,
  now: Date,
): Promise<Customer> {
  return write(db, async (tx) => {
    const id = newId()
    await tx
      .insertInto('customers')
      .values({
        id,
        ...columns(details),
        created_at: now.toISOString(),
        updated_at: now.toISOString(),
        offboarded_at: null,
      })
      .execute()
    await replaceGroups(tx, id, details.groups)
    await recordAudit(tx, actor, { action: 'customer.created', at: now, customerId: id, facts: { name: details.name } })
    return getCustomer(tx, id)
  })
}

/** @throws PortalError NOT_FOUND */
export async function changeCustomer(
  db: Database,
  actor: Actor,
  id: string,
  details: CustomerDetails,
  now: Date,
): Promise<Customer> {
  return write(db, async (tx) => {
    const before = await holdCustomer(tx, id)
    await tx
      .updateTable('customers')
      .set({ ...columns(details), updated_at: now.toISOString() })
      .where('id', '=', id)
      .execute()
    await replaceGroups(tx, id, details.groups)
    const after = await getCustomer(tx, id)
    const changed = (Object.keys(after) as (keyof Customer)[]).filter(
      (key) => JSON.stringify(after[key]) !== JSON.stringify(before[key]),
    )
    await recordAudit(tx, actor, {
      action: 'customer.changed',
      at: now,
      customerId: id,
      facts: { names: changed.join(', ') },
    })
    return after
  })
}

/** @throws PortalError NOT_FOUND */
export async function getCustomer(db: Database, id: string): Promise<Customer> {
  const customer = await findCustomer(db, id)
  if (customer === null) throw new PortalError('NOT_FOUND')
  return customer
}

/** Null when there is none of that ID, or it is outside the scope. */
export async function findCustomer(db: Database, id: string, scope: Scope = everything): Promise<Customer | null> {
  const row = await db
    .selectFrom('customers')
    .selectAll()
    .where('id', '=', id)
    .where(within(db, scope, 'id'))
    .executeTakeFirst()
  if (!row) return null
  const groups = await db.selectFrom('customer_groups').select('name').where('customer_id', '=', id).execute()
  return fromRow(row, byName(groups.map(nameOf), itself, itself))
}

/** The customer, which nobody else changes or offboards until the transaction ends. @throws PortalError NOT_FOUND */
export async function holdCustomer(tx: Tx, id: string): Promise<Customer> {
  await tx
    .selectFrom('customers')
    .select('id')
    .where('id', '=', id)
    .$if(isPostgres(tx), (query) => query.forUpdate())
    .execute()
  return getCustomer(tx, id)
}

/** All customers by name, or those named, with their groups. */
export async function listCustomers(
  db: Database,
  ids?: readonly string[],
  alphabet?: Alphabet,
  scope: Scope = everything,
): Promise<Customer[]> {
  const rows = await db
    .selectFrom('customers')
    .$if(ids !== undefined, (query) => query.where('id', 'in', [...(ids ?? [])]))
    .where(within(db, scope, 'id'))
    .selectAll()
    .execute()
  const groups = new Map<string, string[]>()
  const holders = await db
    .selectFrom('customer_groups')
    .$if(ids !== undefined, (query) => query.where('customer_id', 'in', [...(ids ?? [])]))
    .where(within(db, scope, 'customer_id'))
    .selectAll()
    .execute()
  for (const { customer_id, name } of byName(holders, nameOf, nameOf, alphabet)) {
    const list = groups.get(customer_id)
    if (list) list.push(name)
    else groups.set(customer_id, [name])
  }
  const customers = rows.map((row) => fromRow(row, groups.get(row.id) ?? []))
  return byName(customers, nameOf, idOf, alphabet)
}

/** The names of all customers, or of those named, by name. */
export async function customerNames(
  db: Database,
  ids?: readonly string[],
  alphabet?: Alphabet,
  scope: Scope = everything,
): Promise<CustomerName[]> {
  if (ids?.length === 0) return []
  const rows = await db
    .selectFrom('customers')
    .$if(ids !== undefined, (query) => query.where('id', 'in', [...(ids ?? [])]))
    .where(within(db, scope, 'id'))
    .select(['id', 'name', 'offboarded_at'])
    .execute()
  const names = rows.map((row) => ({ id: row.id, name: row.name, offboardedAt: row.offboarded_at }))
  return byName(names, nameOf, idOf, alphabet)
}

/** Another customer, still served, whom this tenant is expected of; null for nobody. */
export async function findExpecting(db: Database, tenantId: string, customerId: string): Promise<CustomerName | null> {
  const other = await db
    .selectFrom('customers')
    .select(['id', 'name', 'offboarded_at'])
    .where('expected_tenant_id', '=', tenantId)
    .where('id', '!=', customerId)
    .where('offboarded_at', 'is', null)
    .orderBy('created_at')
    .orderBy('id')
    .executeTakeFirst()
  return other === undefined ? null : { id: other.id, name: other.name, offboardedAt: other.offboarded_at }
}

/** Whether another customer, still served, is the one this tenant was expected for. */
export const isExpectedElsewhere = async (db: Database, tenantId: string, customerId: string): Promise<boolean> =>
  (await findExpecting(db, tenantId, customerId)) !== null

export async function listGroups(db: Database, alphabet?: Alphabet, scope: Scope = everything): Promise<string[]> {
  const rows = await db
    .selectFrom('customer_groups')
    .where(within(db, scope, 'customer_id'))
    .select('name')
    .distinct()
    .execute()
  return byName(rows.map(nameOf), itself, itself, alphabet)
}

const nameOf = ({ name }: { name: string }) => name
const itself = (name: string) => name
const idOf = ({ id }: { id: string }) => id

const columns = (details: CustomerDetails) => ({
  name: details.name,
  language: details.language,
  contact_name: details.contactName,
  contact_email: details.contactEmail,
  notes: details.notes,
  expected_tenant_id: details.expectedTenantId,
  expected_domain: details.expectedDomain,
})

async function replaceGroups(tx: Tx, customerId: string, groups: readonly string[]): Promise<void> {
  await tx.deleteFrom('customer_groups').where('customer_id', '=', customerId).execute()
  const names = [...new Set(groups)]
  if (names.length === 0) return
  await tx
    .insertInto('customer_groups')
    .values(names.map((name) => ({ customer_id: customerId, name })))
    .execute()
}

function fromRow(row: Selectable<Schema['customers']>, groups: string[]): Customer {
  return {
    id: row.id,
    name: row.name,
    language: row.language,
    contactName: row.contact_name,
    contactEmail: row.contact_email,
    notes: row.notes,
    groups,
    expectedTenantId: row.expected_tenant_id,
    expectedDomain: row.expected_domain,
    createdAt: row.created_at,
    offboardedAt: row.offboarded_at,
  }
}
