import type { Request } from 'express'

/** From this machine, addressed by a loopback name: a foreign page cannot reach here under a name of its own. */
export function isLocal(req: Request): boolean {
  const peer = req.socket.remoteAddress ?? ''
  const host = (req.get('host') ?? '').replace(/:\d+$/, '')
  return (
    (/^(::ffff:)?127\./.test(peer) || peer === '::1') &&
    (host === 'localhost' || host === '[::1]' || /^127(\.\d{1,3}){3}$/.test(host))
  )
}

/** False when a browser says that another site sent this. */
export function isSameOrigin(req: Request): boolean {
  const origin = req.get('origin')
  const site = req.get('sec-fetch-site')
  return (
    (origin === undefined || origin === `http://${req.get('host')}`) &&
    (site === undefined || site === 'same-origin' || site === 'none')
  )
}
