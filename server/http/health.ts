import type { Portal } from '../portal.ts'
import { isMigrated } from '../store/engine/migrations.ts'
import type { Handler } from './route.ts'

/** Alive: answers as long as the process can. Touches nothing. */
export const alive: Handler = (_portal, _req, res) => {
  res.set('Cache-Control', 'no-cache').type('text').send('alive\n')
}

/**
 * Ready: the database answers, holds the schema of this version, and the process is not stopping. Where it takes no writes
 * the pages stay, as they are what explains it.
 */
export const ready: Handler = async (portal, _req, res) => {
  const { draining, storage } = res.locals.lifecycle
  const reason = draining ? 'draining' : await databaseFault(portal)
  res.set('Cache-Control', 'no-cache').type('text')
  if (reason === null && storage && storage.fault !== null) res.json({ writable: false })
  else if (reason === null) res.send('ready\n')
  else res.status(503).set('Retry-After', '5').send(`${reason}\n`)
}

async function databaseFault({ db, log }: Portal): Promise<string | null> {
  try {
    return (await isMigrated(db)) ? null : 'the database is not migrated'
  } catch (err) {
    log.warn({ err }, 'the database did not answer')
    return 'the database does not answer'
  }
}
