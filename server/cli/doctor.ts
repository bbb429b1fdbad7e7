import { environment } from '../config/environment.ts'
import { createLog } from '../log.ts'
import { findCause } from '../model/dictionary.ts'
import { type Refusal, wayCause } from '../model/refusal.ts'
import { type CheckName, type Examination, examineEnvironment, type Finding } from '../partner/doctor.ts'
import { type MessageKey, say } from '../words.ts'

interface Check {
  check: CheckName
  outcome: Finding['outcome']
  code: string
  /** What was found, in English. */
  found: string
  /** How to mend it; null when there is nothing to mend. */
  fix: string | null
  facts: Record<string, string>
  /** Microsoft's own numbers, where it was Microsoft that refused. */
  aadsts: number | null
  correlationId: string | null
}

interface Report {
  at: string
  /** False when any check found a fault. */
  ok: boolean
  checks: Check[]
}

/** `npm run doctor`: looks at everything, says it, and tells by its exit code whether any check failed. */
export async function doctor(options: { json: boolean }): Promise<number> {
  const log = createLog('error', process.stderr)
  const report = reportOn(await examineEnvironment(environment(), { log, now: () => new Date() }))
  const colours = !options.json && process.stdout.isTTY === true && process.env.NO_COLOR === undefined
  process.stdout.write(options.json ? `${JSON.stringify(report, null, 2)}\n` : asText(report, colours))
  return report.ok ? 0 : 1
}

function reportOn({ at, findings }: Examination): Report {
  return { at, ok: findings.every(({ outcome }) => outcome !== 'fault'), checks: findings.map(checkOf) }
}

function checkOf({ check, outcome, code, facts, refusal }: Finding): Check {
  const lines = [say('en', `setup.found.${code}` as MessageKey, facts)]
  if (refusal) lines.push(say('en', wordsOf(refusal), { ...refusal.facts, ...facts } as never))
  const fix = outcome === 'ok' ? null : say('en', `setup.found.${code}.next` as MessageKey, facts)
  const { aadsts = null, correlationId = null } = refusal?.facts ?? {}
  return { check, outcome, code, found: lines.join(' '), fix, facts, aadsts, correlationId }
}

function wordsOf({ code, facts }: Refusal): MessageKey {
  const way = wayCause(code, facts.error)
  if (way) return `refusal.unavailable.${way}`
  const cause = findCause(code, facts.aadsts)
  return (cause ? `cause.${cause.reason}` : `refusal.${code}`) as MessageKey
}

const marks: Record<Finding['outcome'], { word: string; colour: number }> = {
  ok: { word: 'ok', colour: 32 },
  warning: { word: 'warning', colour: 33 },
  fault: { word: 'fault', colour: 31 },
  unknown: { word: 'unknown', colour: 90 },
}

function asText({ ok, checks }: Report, colours: boolean): string {
  const painted = (text: string, colour: number) => (colours ? `\u001b[${colour}m${text}\u001b[0m` : text)
  const lines = checks.flatMap(({ check, outcome, found, fix, aadsts, correlationId }) => {
    const { word, colour } = marks[outcome]
    const name = say('en', `setup.check.${check}`)
    const references = [
      ...(aadsts === null ? [] : [`AADSTS${aadsts}`]),
      ...(correlationId === null ? [] : [`Microsoft’s reference ${correlationId}`]),
    ].join(', ')
    return [
      `  ${painted(word.padEnd(8), colour)} ${name.padEnd(16)} ${found}`,
      ...(references === '' ? [] : [`${' '.repeat(28)}${references}`]),
      ...(fix === null ? [] : [`${' '.repeat(28)}${painted('→', colour)} ${fix}`]),
    ]
  })
  const counts = (['ok', 'warning', 'fault', 'unknown'] as const)
    .map((outcome) => [checks.filter((check) => check.outcome === outcome).length, outcome] as const)
    .filter(([count]) => count > 0)
    .map(([count, outcome]) => say('en', `setup.doctor.count.${outcome}`, { n: count }))
  const end = say('en', ok ? 'setup.doctor.ends-well' : 'setup.doctor.ends-badly')
  const sum = say('en', 'setup.doctor.lead', { checks: checks.length, counts: counts.join(', ') })
  return `${['', ...lines, '', `${sum} ${end}`].join('\n')}\n`
}
