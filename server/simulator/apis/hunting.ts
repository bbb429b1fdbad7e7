import { alertsIn } from '../world/alerts/evidence.ts'
import type { Tenant } from '../world/directory.ts'
import { onWire } from '../world/instants.ts'

export interface HuntingResult {
  schema: { name: string; type: string }[]
  rows: Record<string, unknown>[]
}

const tables = new Map<string, { name: string; type: string }[]>(
  Object.entries({
    AlertInfo: [
      { name: 'Timestamp', type: 'DateTime' },
      { name: 'AlertId', type: 'String' },
      { name: 'Title', type: 'String' },
      { name: 'Category', type: 'String' },
      { name: 'Severity', type: 'String' },
      { name: 'ServiceSource', type: 'String' },
    ],
    DeviceInfo: [
      { name: 'Timestamp', type: 'DateTime' },
      { name: 'DeviceId', type: 'String' },
      { name: 'DeviceName', type: 'String' },
      { name: 'OSPlatform', type: 'String' },
      { name: 'PublicIP', type: 'String' },
      { name: 'IsInternetFacing', type: 'SByte' },
    ],
  } satisfies Record<string, { name: string; type: string }[]>),
)
const mostIncidents = 200

/**
 * A sliver of advanced hunting: `AlertInfo` and `DeviceInfo`, with `| where Column == "text"` (or `contains`) and
 * `| take n`. Null for an unknown table. Booleans come as 0 or 1, as they do on the wire.
 */
export function huntIn(tenant: Tenant, query: string): HuntingResult | null {
  const [table = '', ...steps] = query.split('|').map((step) => step.trim())
  const schema = tables.get(table)
  if (!schema) return null
  let rows = table === 'AlertInfo' ? alertRows(tenant) : deviceRows(tenant)
  for (const step of steps) {
    const where = /^where\s+(\w+)\s*(==|=~|contains|has)\s*["']([^"']*)["']$/i.exec(step)
    const take = /^(?:take|limit)\s+(\d{1,6})$/i.exec(step)
    if (where) rows = rows.filter((row) => holds(String(row[where[1] ?? ''] ?? ''), where[2] ?? '', where[3] ?? ''))
    else if (take) rows = rows.slice(0, Number(take[1]))
  }
  return { schema, rows }
}

function holds(value: string, operator: string, operand: string): boolean {
  if (operator === '==') return value === operand
  const [a, b] = [value.toLowerCase(), operand.toLowerCase()]
  return operator === '=~' ? a === b : a.includes(b)
}

function alertRows(tenant: Tenant): Record<string, unknown>[] {
  return latest(tenant).flatMap((incident) =>
    alertsIn(tenant, incident).map((alert) => ({
      Timestamp: onWire(alert.createdAt),
      AlertId: alert.id,
      Title: alert.title,
      Category: alert.category,
      Severity: alert.severity.charAt(0).toUpperCase() + alert.severity.slice(1),
      ServiceSource: alert.service,
    })),
  )
}

function deviceRows(tenant: Tenant): Record<string, unknown>[] {
  const rows = new Map<string, Record<string, unknown>>()
  for (const incident of latest(tenant)) {
    for (const alert of alertsIn(tenant, incident)) {
      for (const device of alert.devices) {
        rows.set(device.mdeDeviceId, {
          Timestamp: onWire(alert.lastActivityAt),
          DeviceId: device.mdeDeviceId,
          DeviceName: device.dnsName,
          OSPlatform: device.osPlatform,
          PublicIP: device.lastExternalIp,
          IsInternetFacing: 0,
        })
      }
    }
  }
  return [...rows.values()]
}

function latest(tenant: Tenant) {
  return tenant.incidents.all().slice(-mostIncidents).reverse()
}
