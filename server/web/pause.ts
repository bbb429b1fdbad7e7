import { z } from 'zod'
import { pauseEverything, resumeEverything } from '../store/pauses.ts'
import { blindAfterMs } from '../store/tenants.ts'
import { operatorActor } from './access.ts'
import { readForm } from './forms.ts'
import { page } from './page/page.ts'
import { render } from './render.ts'
import type { Handler, OperatorRequest } from './route.ts'
import { ownPath } from './security.ts'

export interface PauseView {
  /** After how long without being read a tenant counts as blind. */
  blindAfterMs: number
}

const pausePage = page<PauseView>('pause/pause')

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
