import { z } from 'zod'
import { PortalError } from '../../errors.ts'
import { operatorActor } from '../../http/access.ts'
import { pathValue, readForm } from '../../http/forms.ts'
import { zoneOf } from '../../http/reader.ts'
import type { Handler, OperatorRequest } from '../../http/route.ts'
import { tenantFor } from '../../http/scope.ts'
import { ownPath } from '../../http/security.ts'
import type { Portal } from '../../portal.ts'
import { requestSync } from '../../store/sync/requests.ts'
import { requestReread } from '../../store/sync/windows.ts'
import { pauseTenant, resumeTenant } from '../../store/tenants/pauses.ts'
import { spanNames, spans, stretchOf } from './reread.ts'
import { showTenantWith } from './tenant.ts'

const tenantIn = (portal: Portal, req: OperatorRequest) => tenantFor(portal, req, pathValue(req, 'tenantId'))

const comingBack = { returnTo: z.string().optional() }

/** Reads the tenant now instead of when it is due, and goes back to the page that asked. */
export const addSync: Handler<OperatorRequest> = async (portal, req, res) => {
  const { value } = readForm(comingBack, req)
  const { tenantId } = await tenantIn(portal, req)
  await requestSync(portal.db, operatorActor(req), tenantId, portal.now())
  res.redirect(303, ownPath(value?.returnTo ?? `/tenants/${tenantId}`))
}

export const pause: Handler<OperatorRequest> = async (portal, req, res) => {
  readForm({}, req)
  const { tenantId } = await tenantIn(portal, req)
  await pauseTenant(portal.db, operatorActor(req), tenantId, portal.now())
  res.redirect(303, `/tenants/${tenantId}`)
}

export const resume: Handler<OperatorRequest> = async (portal, req, res) => {
  const { value } = readForm(comingBack, req)
  const { tenantId } = await tenantIn(portal, req)
  await resumeTenant(portal.db, operatorActor(req), tenantId, portal.now())
  res.redirect(303, ownPath(value?.returnTo ?? `/tenants/${tenantId}`))
}

const window = {
  span: z.enum([...spanNames, 'own']),
  from: z.string().max(40).default(''),
  to: z.string().max(40).default(''),
  zone: z.string().max(64).default('UTC'),
}

/** A stretch of time is read again, and what is found is compared with what is kept. */
export const addWindow: Handler<OperatorRequest> = async (portal, req, res) => {
  const tenant = await tenantIn(portal, req)
  const { tenantId } = tenant
  const form = readForm(window, req)
  if (form.faults) throw new PortalError('BAD_REQUEST')
  const { span, from, to, zone } = form.value
  const now = portal.now()
  const stretch =
    span === 'own'
      ? stretchOf({ from, to }, zoneOf(zone) ?? 'UTC', now)
      : { from: new Date(now.getTime() - spans[span]), to: now }
  if (Array.isArray(stretch)) return showTenantWith(portal, req, res, tenant, { faults: stretch, typed: form.typed })
  await requestReread(
    portal.db,
    operatorActor(req),
    tenantId,
    { from: stretch.from.toISOString(), to: stretch.to.toISOString() },
    now,
  )
  res.redirect(303, `/tenants/${tenantId}#reading`)
}
