import { once } from 'node:events'
import type { Response } from 'express'
import { z } from 'zod'
import { operatorActor } from '../../../http/access.ts'
import { readQuery } from '../../../http/forms.ts'
import type { Handler, OperatorRequest } from '../../../http/route.ts'
import { noteExport } from '../../../operators/export.ts'
import type { AuditEvent } from '../../../store/audit.ts'
import { type AuditPlace, auditPage } from '../../../store/partner/audit-log.ts'
import { filterOf, readAudit } from './audit-filter.ts'
import { csvLine } from './csv.ts'

const eventsAtOnce = 1_000

const format = z.object({ format: z.enum(['csv', 'jsonl']).catch('csv') })

const columns = [
  'id',
  'time',
  'kind of actor',
  'actor',
  'action',
  'customer',
  'customer ID',
  'tenant',
  'tenant ID',
  'subject ID',
  'facts',
  'address',
  'request ID',
] as const

const csvOf = (event: AuditEvent): string =>
  csvLine([
    event.id,
    event.at,
    event.actorKind,
    event.actorName,
    event.action,
    event.customerName,
    event.customerId,
    event.tenantName,
    event.tenantId,
    event.subjectId,
    JSON.stringify(event.facts),
    event.address,
    event.requestId,
  ])

/**
 * The log as it is filtered, whole, newest first: read and sent a thousand events at a time, and no faster than it is taken.
 * That it was exported is an event itself.
 */
export const exportAudit: Handler<OperatorRequest> = async (portal, req, res) => {
  const kind = readQuery(format, req).format
  const filter = filterOf(readAudit(req), res.locals.reader.timeZone ?? 'UTC')
  const { scope } = req
  // What is written from now on is left out, this export among it.
  let after: AuditPlace | null = { at: portal.now().toISOString(), id: 0 }
  await noteExport(portal, operatorActor(req), kind)
  const name = `muster-audit-${portal.now().toISOString().slice(0, 19).replaceAll(':', '')}.${kind}`
  res.attachment(name)
  res.type(kind === 'csv' ? 'text/csv; charset=utf-8' : 'application/x-ndjson; charset=utf-8')
  // Excel knows UTF-8 by its mark alone.
  if (kind === 'csv') await send(res, `\ufeff${csvLine(columns)}`)
  while (after !== null && !res.destroyed) {
    const page = await auditPage(portal.db, filter, after, eventsAtOnce, scope)
    const lines = page.events.map((event) => (kind === 'csv' ? csvOf(event) : `${JSON.stringify(event)}\n`))
    await send(res, lines.join(''))
    after = page.next
  }
  res.end()
}

/** Waits until what was written has gone on its way, or nobody takes it any more. */
async function send(res: Response, text: string): Promise<void> {
  if (text === '' || res.destroyed || res.write(text)) return
  const gone = new AbortController()
  const { signal } = gone
  await Promise.race([once(res, 'drain', { signal }), once(res, 'close', { signal })]).finally(() => gone.abort())
}
