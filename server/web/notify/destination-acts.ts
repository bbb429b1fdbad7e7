import { operatorActor } from '../../http/access.ts'
import { pathValue, readForm } from '../../http/forms.ts'
import type { Handler, OperatorRequest } from '../../http/route.ts'
import { seal } from '../../http/session/sealed.ts'
import { renewSecret, retireSecret, sendTest } from '../../notify/destinations.ts'
import { recordAudit } from '../../store/audit.ts'
import { write } from '../../store/engine/write.ts'
import {
  getDestination,
  pauseDestination,
  removeDestination,
  resumeDestination,
} from '../../store/notify/destinations.ts'
import { replayFailed } from '../../store/notify/outbox.ts'
import { newSecret } from './destination.ts'

const pageOf = (id: string) => `/destinations/${encodeURIComponent(id)}`

/** Sends a test and shows what came back. @throws PortalError NOT_FOUND */
export const addTest: Handler<OperatorRequest> = async (portal, req, res) => {
  readForm({}, req)
  const id = pathValue(req, 'id')
  const messageId = await sendTest(portal, operatorActor(req), id)
  res.redirect(303, `${pageOf(id)}?${new URLSearchParams({ test: messageId })}`)
}

export const pauseOne: Handler<OperatorRequest> = async (portal, req, res) => {
  readForm({}, req)
  const id = pathValue(req, 'id')
  await write(portal.db, (tx) => pauseDestination(tx, operatorActor(req), id, portal.now()))
  res.redirect(303, pageOf(id))
}

export const resumeOne: Handler<OperatorRequest> = async (portal, req, res) => {
  readForm({}, req)
  const id = pathValue(req, 'id')
  await write(portal.db, (tx) => resumeDestination(tx, operatorActor(req), id, portal.now()))
  res.redirect(303, pageOf(id))
}

export const removeOne: Handler<OperatorRequest> = async (portal, req, res) => {
  readForm({}, req)
  await write(portal.db, (tx) => removeDestination(tx, operatorActor(req), pathValue(req, 'id'), portal.now()))
  res.redirect(303, '/destinations')
}

export const addSecret: Handler<OperatorRequest> = async (portal, req, res) => {
  readForm({}, req)
  const id = pathValue(req, 'id')
  const secret = await renewSecret(portal, operatorActor(req), id)
  if (secret !== null) await seal(portal, res, newSecret, { id, secret })
  res.redirect(303, pageOf(id))
}

export const retireOldSecret: Handler<OperatorRequest> = async (portal, req, res) => {
  readForm({}, req)
  const id = pathValue(req, 'id')
  await retireSecret(portal, operatorActor(req), id)
  res.redirect(303, pageOf(id))
}

/** Has all that failed for a destination, or is held for it, sent again. @throws PortalError NOT_FOUND */
export const replayAll: Handler<OperatorRequest> = async (portal, req, res) => {
  readForm({}, req)
  const id = pathValue(req, 'id')
  const { db, now } = portal
  await write(db, async (tx) => {
    const { name } = await getDestination(tx, id)
    const messages = await replayFailed(tx, id, now())
    const facts = { destination: name, messages }
    await recordAudit(tx, operatorActor(req), { action: 'deliveries.replayed', at: now(), subjectId: id, facts })
  })
  res.redirect(303, `/deliveries?${new URLSearchParams({ destination: id })}`)
}
