import type { Request, Response } from 'express'
import type { SimulatorParts } from '../parts.ts'
import type { Incident } from '../world/incidents.ts'
import { sendGraphError } from './answers.ts'
import type { Call } from './api.ts'
import { FilterError, type FilterField, wholeNumber } from './filter.ts'

/** How many items a page has where nothing else is asked for. */
export const usualTop = 50

interface Filterable {
  lastUpdateAt: string
  createdAt: string
  assignedTo: string | null
  classification: string | null
  determination: string | null
  severity: string
  status: string
}
/** What incidents and alerts are filtered by. */
export const fieldsOfBoth = {
  lastUpdateDateTime: { kind: 'time', read: ({ lastUpdateAt }) => lastUpdateAt },
  createdDateTime: { kind: 'time', read: ({ createdAt }) => createdAt },
  assignedTo: { kind: 'text', read: ({ assignedTo }) => assignedTo },
  classification: { kind: 'text', read: ({ classification }) => classification },
  determination: { kind: 'text', read: ({ determination }) => determination },
  severity: { kind: 'text', read: ({ severity }) => severity },
  status: { kind: 'text', read: ({ status }) => status },
} satisfies Record<string, FilterField<Filterable>>

/** The role is granted and the data still is not there: the other meaning of 403. */
export async function withoutData({ parts, req, res, tenant }: Call): Promise<boolean> {
  if (!tenant.setUp) {
    await sendGraphError(parts, req, res, 404, 'UnknownTenantId', `Tenant ${tenant.id} is unknown.`)
    return true
  }
  if (tenant.licensed) return false
  await sendGraphError(parts, req, res, 403, 'Forbidden', 'Tenant is not onboarded to Microsoft Defender XDR.')
  return true
}

export async function incidentNamed({ parts, req, res, tenant }: Call): Promise<Incident | null> {
  const id = String(req.params.id)
  const incident = /^\d{1,15}$/.test(id) ? tenant.incidents.get(Number(id)) : undefined
  if (!incident) await sendGraphError(parts, req, res, 404, 'ResourceNotFound', `Incident '${id}' was not found.`)
  return incident ?? null
}

export function wantsAllMembers(req: Request): boolean {
  return (req.get('prefer') ?? '').toLowerCase().includes('include-unknown-enum-members')
}

export function topOf(value: string | undefined, most: number): number {
  const top = wholeNumber(value, '$top', usualTop)
  if (top > most) {
    throw new FilterError(
      `The query specified in the URI is not valid. The limit of '${most}' for Top query has been exceeded. The value from the incoming request is '${top}'.`,
    )
  }
  return top
}

export function skipOf(query: Record<string, string | undefined>): number {
  if (query.$skiptoken === undefined) return wholeNumber(query.$skip, '$skip', 0)
  return wholeNumber(Buffer.from(query.$skiptoken, 'base64url').toString(), '$skiptoken', 0)
}

export function expandsAlerts(expand: string | undefined): boolean {
  if (expand === undefined) return false
  if (expand !== 'alerts')
    throw new FilterError(`Could not find a property named '${expand}' on type 'microsoft.graph.security.incident'.`)
  return true
}

export function selected(item: Record<string, unknown>, select: string | undefined): Record<string, unknown> {
  if (select === undefined) return item
  const names = new Set([...select.split(',').map((name) => name.trim()), 'alerts'])
  return Object.fromEntries(Object.entries(item).filter(([name]) => names.has(name)))
}

export function nextLink(parts: SimulatorParts, req: Request, skip: number): string {
  const url = new URL(req.originalUrl, parts.origin)
  url.searchParams.delete('$skip')
  url.searchParams.delete('$skiptoken')
  if (parts.world.behaviour.nextLinkStyle === 'skip') url.searchParams.set('$skip', String(skip))
  else url.searchParams.set('$skiptoken', Buffer.from(String(skip)).toString('base64url'))
  return url.href.replaceAll('%24', '$')
}

export async function sendFilterError(
  parts: SimulatorParts,
  req: Request,
  res: Response,
  error: unknown,
): Promise<void> {
  if (!(error instanceof FilterError)) throw error
  await sendGraphError(parts, req, res, 400, 'BadRequest', error.message)
}
