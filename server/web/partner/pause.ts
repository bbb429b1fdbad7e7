import { z } from 'zod'
import { operatorActor } from '../../http/access.ts'
import { readForm } from '../../http/forms.ts'
import type { Handler, OperatorRequest } from '../../http/route.ts'
import { ownPath } from '../../http/security.ts'
import { blindAfterMs } from '../../store/tenants/blind.ts'
import { pauseEverything, resumeEverything } from '../../store/tenants/pauses.ts'
import { page } from '../page/page.ts'
import { render } from '../page/render.ts'

export interface PauseView {
  /** After how long without being read a tenant counts as blind. */
  blindAfterMs: number
}

const pausePage = page<PauseView>('partner/pause')

/** What pausing everything does, before it is done; the frame knows whether it is. */
export const showPause: Handler<OperatorRequest> = (_portal, _req, res) => render(res, pausePage, { blindAfterMs })

export const pauseAll: Handler<OperatorRequest> = async (portal, req, res) => {
  readForm({}, req)
  await pauseEverything(portal.db, operatorActor(req), portal.now())
  res.redirect(303, '/')
}

export const resumeAll: Handler<OperatorRequest> = async (portal, req, res) => {
  const { value } = readForm({ returnTo: z.string().optional() }, req)
  await resumeEverything(portal.db, operatorActor(req), portal.now())
  res.redirect(303, ownPath(value?.returnTo ?? '/'))
}
