import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from '@jest/globals'
import { root } from './support/root.ts'

/** Who opens transactions: the stories, the worker, and the engine of the store. What changes something takes one. */
const opens =
  /^(onboarding|customers|tenants|partner|sync|incidents|operators|notify|hunting|reports|worker|store\/engine)\//

/**
 * Files elsewhere that open transactions, and how often. Nothing may be added; what is mended has to be taken out.
 */
const left: Record<string, number> = {
  'store/customers/customers.ts': 2,
  'store/customers/offboarding.ts': 1,
  'store/incidents/alerts.ts': 2,
  'store/incidents/notes.ts': 2,
  'store/incidents/rejected.ts': 1,
  'store/notify/outbox.ts': 1,
  'store/notify/outcomes.ts': 1,
  'store/operators/operators.ts': 1,
  'store/operators/sessions.ts': 3,
  'store/operators/spent-states.ts': 1,
  'store/partner/settings.ts': 1,
  'store/sync/budgets.ts': 3,
  'store/sync/claims.ts': 2,
  'store/sync/requests.ts': 2,
  'store/sync/rows.ts': 1,
  'store/sync/syncs.ts': 6,
  'store/sync/window-pages.ts': 2,
  'store/sync/window-runs.ts': 4,
  'store/sync/windows.ts': 1,
  'store/tenants/checks.ts': 3,
  'store/tenants/pauses.ts': 4,
  'store/tenants/tenants.ts': 1,
  'store/upkeep/clock-set-back.ts': 1,
  'store/upkeep/older-readings.ts': 2,
  'store/upkeep/retention.ts': 2,
  'store/upkeep/sweeps.ts': 6,
  'store/upkeep/write-probe.ts': 1,
  'web/notify/alarms.ts': 1,
  'web/notify/deliveries.ts': 1,
  'web/notify/destination-acts.ts': 4,
  'web/notify/destinations.ts': 2,
  'web/sign-in/sign-in.ts': 5,
}

const server = join(root, 'server')
const sources = readdirSync(server, { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.ts'))
  .map((file) => ({ file, text: readFileSync(join(server, file), 'utf8') }))

/** Calls of the store's `write`, in a file that imports it. */
function transactionsIn(text: string): number {
  if (!/import \{[^}]*\bwrite\b[^}]*\} from '[./\w-]*\/write\.ts'/.test(text)) return 0
  return text.match(/(?<![\w.])write\(/g)?.length ?? 0
}

describe('a transaction', () => {
  test('is opened by stories, the worker and the engine, and elsewhere only where that is still to be mended', () => {
    const elsewhere = sources
      .filter(({ file }) => !opens.test(file))
      .map(({ file, text }) => [file, transactionsIn(text)] as const)
      .filter(([, count]) => count > 0)
    expect(Object.fromEntries(elsewhere)).toEqual(left)
  })

  test('is handed on as what it is, and never hidden in a portal', () => {
    expect(sources.filter(({ text }) => /\bdb: tx\b/.test(text)).map(({ file }) => file)).toEqual([])
  })

  test('is found where there is one', () => {
    const imported = "import { isUnavailable, write } from '../engine/write.ts'\n"
    expect(transactionsIn(`${imported}await write(db, (tx) => tx)\nreturn write(db, f)`)).toBe(2)
    expect(transactionsIn(`${imported}res.write(text)`)).toBe(0)
    expect(transactionsIn('write(json)')).toBe(0)
  })
})
