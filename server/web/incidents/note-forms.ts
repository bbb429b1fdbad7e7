import { z } from 'zod'
import { PortalError } from '../../errors.ts'
import { operatorActor } from '../../http/access.ts'
import { requiredText } from '../../http/fields.ts'
import { pathValue, readForm, says } from '../../http/forms.ts'
import type { Handler, OperatorRequest } from '../../http/route.ts'
import { tenantFor } from '../../http/scope.ts'
import { ownPath } from '../../http/security.ts'
import { addNote, removeNote } from '../../store/incidents/notes.ts'
import { incidentAddress, listFrom } from './filters.ts'
import { showIncidentWith } from './incident.ts'
import { mostOfANote } from './notes.ts'

const fields = {
  text: requiredText(mostOfANote, { missing: says('incident.notes.missing'), long: says('incident.notes.long') }),
}

/** Keeps a note. A note that cannot be kept is shown again as it was typed. */
export const writeNote: Handler<OperatorRequest> = async (portal, req, res) => {
  const { tenantId } = await tenantFor(portal, req, pathValue(req, 'tenantId'))
  const incidentId = pathValue(req, 'incidentId')
  const form = readForm(fields, req)
  if (form.faults) return showIncidentWith(portal, req, res, form)
  await addNote(portal.db, operatorActor(req), { tenantId, incidentId, text: form.value.text }, portal.now())
  res.redirect(303, `${incidentAddress(tenantId, incidentId, listFrom(req.query.from, tenantId))}#notes`)
}

/** Takes a note away; whoever wrote it may, and an Admin. */
export const takeNoteAway: Handler<OperatorRequest> = async (portal, req, res) => {
  const { value } = readForm({ returnTo: z.string().optional() }, req)
  const { tenantId } = await tenantFor(portal, req, pathValue(req, 'tenantId'))
  const note = { tenantId, id: pathValue(req, 'noteId'), anybodys: req.operator.role === 'Admin' }
  try {
    await removeNote(portal.db, operatorActor(req), note, portal.now())
  } catch (error) {
    if (!(error instanceof PortalError) || error.code !== 'FORBIDDEN') throw error
    throw new PortalError('FORBIDDEN', { facts: { role: req.operator.role, needed: 'Admin' } })
  }
  res.redirect(303, `${ownPath(value?.returnTo ?? `/tenants/${tenantId}/incidents`)}#notes`)
}
