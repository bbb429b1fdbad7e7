import type { SessionData } from 'express-session'
import { operatorActor, roleOf } from '../../http/access.ts'
import { pathValue, readForm } from '../../http/forms.ts'
import { avatarOf } from '../../http/frame/avatar.ts'
import type { Html } from '../../http/html.ts'
import type { Handler, OperatorRequest } from '../../http/route.ts'
import { idleMs } from '../../http/session/sessions.ts'
import { endOneSession, endOtherSessions } from '../../operators/sessions.ts'
import { type OpenSession, openSessions, sessionHash } from '../../store/operators/signed-in.ts'
import { page } from '../page/page.ts'
import { render } from '../page/render.ts'
import type { PageTools } from '../page/tools.ts'

interface SessionsFacts {
  sessions: (OpenSession & { role: 'Reader' | 'Analyst' | 'Admin' | null; isOwn: boolean })[]
}

interface SessionsView {
  title: string
  /** Whether anybody but the reader is signed in. */
  others: boolean
  lines: {
    action: string
    name: Html
    avatar: ReturnType<typeof avatarOf>
    role: string
    isOwn: boolean
    /** Null where it is not known: it began before it was kept. */
    from: { browser: string; address: string } | null
    signedInAt: string
    lastSeenAt: string
    endLabel: string
  }[]
}

const sessionsPage = page('operators/sessions', sessionsView)

/** Who is signed in, since when and from where. */
export const showSessions: Handler<OperatorRequest> = async (portal, req, res) => {
  const own = sessionHash(req.sessionID)
  const sessions = await openSessions(portal.db, portal.now())
  await render(res, sessionsPage, {
    sessions: sessions.map((session) => ({
      ...session,
      role: roleOf(session.operator, portal.config),
      isOwn: session.hash === own,
    })),
  })
}

/** Ends a session, from the next request of its browser on. @throws PortalError NOT_FOUND */
export const endSession: Handler<OperatorRequest> = async (portal, req, res) => {
  readForm({}, req)
  await endOneSession(portal, operatorActor(req), pathValue(req, 'id'))
  res.redirect(303, '/sessions')
}

/** Ends all but the one that asks. */
export const endOthers: Handler<OperatorRequest> = async (portal, req, res) => {
  readForm({}, req)
  await endOtherSessions(portal, operatorActor(req), sessionHash(req.sessionID))
  res.redirect(303, '/sessions')
}

function sessionsView({ sessions }: SessionsFacts, { t, named }: PageTools): SessionsView {
  const people = new Set(sessions.map(({ operator }) => operator.id)).size
  return {
    title: t('sessions.title', { n: sessions.length, people }),
    others: sessions.some(({ isOwn }) => !isOwn),
    lines: sessions.map(({ hash, operator, role, isOwn, signedInAt, expiresAt, data }) => {
      const name = operator.name ?? operator.username ?? operator.oid
      const { from } = JSON.parse(data) as SessionData
      return {
        action: `/sessions/${hash}/ending`,
        name: named(name),
        avatar: avatarOf(name),
        role: role === null ? t('settings.no-role') : t(`shell.role.${role}`),
        isOwn,
        from: from === undefined ? null : { browser: browserText(from.agent, t), address: from.address ?? '' },
        signedInAt,
        // A session ends half an hour after its person did something; prolonged once a minute at most.
        lastSeenAt: new Date(Math.max(Date.parse(expiresAt) - idleMs, Date.parse(signedInAt))).toISOString(),
        endLabel: t('sessions.end.of', { name }),
      }
    }),
  }
}

/** What each browser calls itself, the most particular first: most of them claim to be the others as well. */
const browsers = [
  [/Edg(e|A|iOS)?\//, 'Edge'],
  [/OPR\//, 'Opera'],
  [/Firefox\/|FxiOS\//, 'Firefox'],
  [/Chrome\/|CriOS\//, 'Chrome'],
  [/Safari\//, 'Safari'],
] as const
const systems = [
  [/iPhone|iPad/, 'iOS'],
  [/Android/, 'Android'],
  [/Windows/, 'Windows'],
  [/Mac OS X/, 'macOS'],
  [/Linux|X11/, 'Linux'],
] as const

function browserText(agent: string, t: PageTools['t']): string {
  const find = (table: readonly (readonly [RegExp, string])[]) => table.find(([pattern]) => pattern.test(agent))?.[1]
  const [browser, system] = [find(browsers), find(systems)]
  if (browser === undefined) return t('sessions.browser.unknown')
  return system === undefined ? browser : t('sessions.browser', { browser, system })
}
