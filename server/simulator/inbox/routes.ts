import express, { type Response, Router } from 'express'
import { isLocal } from '../control/loopback.ts'
import { type PostKind, postKinds } from './checks.ts'
import { type Inbox, mostBytes } from './inbox.ts'
import { sendInboxPage, sendItemPage, sendMailFrame } from './page.ts'

/** How each of the other sides says that it has taken something. */
const answers: Record<PostKind, (res: Response) => unknown> = {
  webhook: (res) => res.status(204).end(),
  teams: (res) => res.status(202).end(),
  slack: (res) => res.type('text').send('ok'),
  siem: (res) => res.json({ text: 'Success', code: 0 }),
}

/** The mail box and what the receivers were sent, to look at, and the receivers themselves. They answer to this machine alone. */
export function inboxRoutes(inbox: Inbox): Router {
  const routes = Router()
  routes.use(['/_sim/inbox', '/_sim/receive'], (req, res, next) => {
    if (isLocal(req)) return next()
    res.status(403).json({ error: 'only this machine may do that' })
  })
  routes.get('/_sim/inbox', (req, res) => sendInboxPage(inbox, res, kindIn(req.query.kind)))
  routes.get('/_sim/inbox/:id', (req, res) => sendItemPage(inbox.find(Number(req.params.id)), res))
  routes.get('/_sim/inbox/:id/html', (req, res) => sendMailFrame(inbox.find(Number(req.params.id)), res))
  for (const kind of postKinds) {
    routes.post(`/_sim/receive/${kind}`, express.text({ type: () => true, limit: mostBytes }), async (req, res) => {
      await inbox.addPost(kind, req.headers, typeof req.body === 'string' ? req.body : '')
      answers[kind](res)
    })
  }
  return routes
}

const kindIn = (value: unknown) => ['mail', ...postKinds].find((kind) => kind === value) ?? null
