// The portal with one of its defences taken out: a run against it has to fail.
import { cpSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from '../test/support/root.ts'

/** The compiled portal as production runs it. */
export const built = join(root, 'dist')

type Change = readonly [file: string, defence: string, without: string]

/** Exact pieces of the compiled portal, and what takes their place. */
export const mutants: Readonly<Record<string, readonly Change[]>> = {
  /** A poll begins where the last one ended. */
  overlap: [['sync/follow.js', 'instant(Date.parse(reached) - overlapMs)', 'instant(Date.parse(reached))']],
  /** Whoever once had a claim may go on writing. */
  fence: [['store/engine/due.js', 'if (rows.length !== 1)', 'if (rows.length > 1)']],
  /** What arrives last is taken for the newest. */
  guard: [
    [
      'store/incidents/upsert.js',
      'where excluded.last_update_at > incidents.last_update_at',
      'where excluded.last_update_at <> incidents.last_update_at',
    ],
  ],
  /** What the polls did not bring is never looked for. */
  reconcile: [
    [
      'sync/windows.js',
      '!window && (tenant.nextReconcileAt === null || isDue(tenant.nextReconcileAt, portal.now()))',
      '!window && false',
    ],
  ],
}

/** A copy of the portal in `folder` with the defence taken out. @throws Error when the portal is no longer written so */
export function mutantOf(name: string, folder: string): string {
  const changes = mutants[name]
  if (!changes) throw new Error(`no mutant is called ${name}; there are: ${Object.keys(mutants).join(', ')}`)
  mkdirSync(folder, { recursive: true })
  const dist = join(folder, 'dist')
  cpSync(built, dist, { recursive: true })
  for (const beside of ['node_modules', 'views', 'public', 'package.json', 'check-node.mjs']) {
    symlinkSync(join(root, beside), join(folder, beside))
  }
  for (const [file, defence, without] of changes) {
    const path = join(dist, file)
    const text = readFileSync(path, 'utf8')
    if (text.split(defence).length !== 2) {
      throw new Error(`the mutant "${name}" no longer applies: dist/${file} has not exactly one \`${defence}\``)
    }
    writeFileSync(
      path,
      text.replace(defence, () => without),
    )
  }
  return dist
}
