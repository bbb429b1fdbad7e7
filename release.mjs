// Makes release/muster-<version>.tar.gz: what `npm pack` packs, with the bill of what it needs (CycloneDX), the licences of all that is
// shipped, and a checksum of each file. Taken apart, `npm ci --omit=dev && npm start` runs it, without a compiler.
import { execFileSync, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, relative, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = dirname(fileURLToPath(import.meta.url))
const { name, version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
const into = resolve(process.argv[2] ?? join(root, 'release'))
/** Compiled into what is shipped, and so no dependency of it. */
const compiledIn = ['bootstrap']

const npm = process.env.npm_execpath ? [process.execPath, process.env.npm_execpath] : ['npm']
const run = (...words) =>
  execFileSync(npm[0], [...npm.slice(1), ...words], {
    cwd: root,
    encoding: 'utf8',
    maxBuffer: 64e6,
    stdio: ['ignore', 'pipe', 'inherit'],
  })

const lock = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')).packages
const shipped = Object.entries(lock).filter(
  ([path, one]) => path !== '' && !one.link && (!one.dev || compiledIn.includes(nameOf(path))),
)
const unsure = shipped.filter(([, one]) => !one.integrity).map(([path]) => path)
if (unsure.length > 0) end(`package-lock.json has no integrity for ${unsure.join(', ')}`)

const work = mkdtempSync(join(tmpdir(), 'muster-release-'))
try {
  run('pack', '--silent', '--pack-destination', work)
  execFileSync('tar', ['-xzf', join(work, `${name}-${version}.tgz`), '-C', work])
  const folder = join(work, `${name}-${version}`)
  renameSync(join(work, 'package'), folder)
  writeFileSync(join(folder, 'sbom.cdx.json'), run('sbom', '--sbom-format', 'cyclonedx', '--omit', 'dev'))
  writeFileSync(join(folder, 'LICENCES.txt'), licences())
  const files = filesBelow(folder)
    .map((file) => relative(folder, file))
    .sort()
  writeFileSync(join(folder, 'SHA256SUMS'), files.map((file) => `${digest(join(folder, file))}  ${file}\n`).join(''))
  mkdirSync(into, { recursive: true })
  const archive = join(into, `${name}-${version}.tar.gz`)
  execFileSync('tar', ['-czf', archive, '--owner=0', '--group=0', '--numeric-owner', '-C', work, `${name}-${version}`])
  writeFileSync(`${archive}.sha256`, `${digest(archive)}  ${name}-${version}.tar.gz\n`)
  console.log(`${archive}: ${files.length + 1} files, ${shipped.length} packages`)
} finally {
  rmSync(work, { recursive: true, force: true })
}
// Not every registry signs: what it says is for whoever releases.
if (!process.argv.includes('--offline')) {
  const { stdout, stderr, status } = spawnSync(npm[0], [...npm.slice(1), 'audit', 'signatures'], {
    cwd: root,
    encoding: 'utf8',
  })
  const said = `${stdout}${stderr}`.trim().split('\n').filter(Boolean)
  console.log(`npm audit signatures: ${status === 0 ? said.join(' ') : `not verified (${said.at(-1)})`}`)
  if (/invalid signature|tampered/i.test(said.join(' '))) end('a package is not what its registry signed')
}

function nameOf(path) {
  return path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length)
}

function licences() {
  const parts = shipped.map(([path, { version: its, license }]) => {
    const folder = join(root, path)
    const file = existsSync(folder) ? readdirSync(folder).find((one) => /^(licen[cs]e|copying)/i.test(one)) : undefined
    const installed = existsSync(folder)
    const said =
      license ?? (installed ? JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')).license : undefined)
    if (!said && !file) end(`nobody says what the licence of ${path} is`)
    const text = file
      ? readFileSync(join(folder, file), 'utf8').trim()
      : installed
        ? ''
        : 'For another platform than the one this was made on.'
    return `${nameOf(path)} ${its}\nLicence: ${typeof said === 'string' ? said : 'see below'}\n\n${text}`.trim()
  })
  const own = `${name} ${version}\n\n${readFileSync(join(root, 'LICENSE'), 'utf8').trim()}`
  return `${[own, ...parts].join(`\n\n${'-'.repeat(78)}\n\n`)}\n`
}

function filesBelow(folder) {
  return readdirSync(folder, { withFileTypes: true }).flatMap((one) =>
    one.isDirectory() ? filesBelow(join(folder, one.name)) : [join(folder, one.name)],
  )
}

function digest(file) {
  return createHash('sha256').update(readFileSync(file)).digest('hex')
}

function end(why) {
  console.error(`No release: ${why}.`)
  process.exit(1)
}
