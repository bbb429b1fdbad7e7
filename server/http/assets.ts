import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { brotliCompress, constants, gzip } from 'node:zlib'
import express, { type RequestHandler, type Router } from 'express'

const folder = fileURLToPath(new URL('../../public', import.meta.url))
const resolve = createRequire(import.meta.url).resolve

/** Scripts of others, as their packages ship them; the lockfile pins what they are. */
const vendored = new Map([
  ['htmx.js', resolve('htmx.org/dist/htmx.min.js')],
  ['idiomorph.js', resolve('idiomorph/dist/idiomorph-ext.min.js')],
])

/** What css/muster.css is made of, in the order of the cascade: one request instead of eighteen. */
const sheets = [
  'base',
  'tokens',
  'foundations',
  'layout',
  'controls',
  'signals',
  'tables',
  'overview',
  'queue',
  'incident',
  'customers',
  'alarms',
  'slips',
  'public',
  'reading',
  'helpers',
  'narrow',
  'paper',
]
const sheet = sheets.map((name) => readFileSync(join(folder, 'css', `${name}.css`), 'utf8')).join('\n')

/** Where release 0.1 had them: its pages ask this one while both run side by side. */
const newPlaces = new Map([
  ['base.css', 'css/base.css'],
  ['muster.css', 'css/muster.css'],
  ['muster.js', 'js/muster.js'],
])

const files = readdirSync(folder, { recursive: true, withFileTypes: true })
  .filter((entry) => entry.isFile())
  .map((entry) => join(entry.parentPath, entry.name))
  .sort()

/**
 * A digest over every file that is served. It is part of each file's path, so that the addresses inside style sheets
 * carry it as well, and a browser may keep what it has for good.
 */
const version = digestOf([...files, ...vendored.values()])

function digestOf(files: string[]): string {
  const hash = createHash('sha256')
  for (const file of files) hash.update(readFileSync(file))
  return hash.digest('hex').slice(0, 12)
}

/** The address of a file of public/: `asset('css/muster.css')`; `vendor/` holds the scripts of others. */
export const assetPath = (name: string): string => `/assets/${version}/${name}`

const encodings = ['br', 'gzip'] as const

const encode = {
  br: (text: Buffer) => promisify(brotliCompress)(text),
  gzip: (text: Buffer) => promisify(gzip)(text, { level: constants.Z_BEST_COMPRESSION }),
}

/** Sends a text in the first of these encodings that the browser takes, made once, when it is first asked for. */
function sendText(type: string, text: Buffer): RequestHandler {
  const bodies: Partial<Record<(typeof encodings)[number], Promise<Buffer>>> = {}
  return async (req, res) => {
    res.type(type).vary('Accept-Encoding')
    const encoding = encodings.find((one) => req.acceptsEncodings(one) !== false)
    if (encoding === undefined) {
      res.send(text)
      return
    }
    bodies[encoding] ??= encode[encoding](text)
    res.set('Content-Encoding', encoding).send(await bodies[encoding])
  }
}

/**
 * Files, under whatever version is asked for: while two releases run side by side, both find theirs. Only what the
 * address promises may be kept.
 */
export function assets(): Router {
  const router = express.Router()
  router.use('/:version', (req, res, next) => {
    const promised = req.params.version === version
    res.set('Cache-Control', promised ? 'public, max-age=31536000, immutable' : 'no-cache')
    next()
  })
  router.get('/:version/css/muster.css', sendText('css', Buffer.from(sheet)))
  for (const [name, place] of newPlaces) router.get(`/:version/${name}`, (_req, res) => res.redirect(place))
  for (const [name, file] of vendored) {
    router.get(`/:version/vendor/${name}`, sendText('js', readFileSync(file)))
  }
  for (const file of files) {
    const kind = /\.(css|js|svg)$/.exec(file)?.[1]
    if (kind) router.get(`/:version/${relative(folder, file)}`, sendText(kind, readFileSync(file)))
  }
  router.use(
    '/:version',
    express.static(folder, { cacheControl: false, index: false, redirect: false, dotfiles: 'ignore' }),
  )
  return router
}
