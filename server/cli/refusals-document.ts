import { type Reason, type ReasonName, reasons } from '../model/aadsts.ts'
import { type Entry, entries, oauthWords, ownerAt, type Place } from '../model/dictionary.ts'
import { ownerOf, type RefusalCode, type RefusalOwner, refusalCodes } from '../model/refusal.ts'
import { type MessageKey, say } from '../words.ts'

const owners: Record<RefusalOwner, string> = {
  partner: 'you',
  customer: 'the customer’s administrator',
  microsoft: 'Microsoft',
  wait: 'nobody: wait',
}

/**
 * `docs/refusals.md`: every refusal and every AADSTS number that the dictionary knows, with who must act, what happened
 * and what to do, at the token, at the consent and at operators' sign-in. In English, as pages say it.
 */
export function refusalsDocument(): string {
  const names = Object.keys(reasons) as ReasonName[]
  return [
    ...opening(names.length),
    ...refusalCodes.flatMap((code) =>
      section(
        code,
        names.filter((name) => reasons[name].code === code),
      ),
    ),
    ...words(),
    ...index(),
    '',
  ].join('\n')
}

const opening = (count: number): string[] => [
  '# When Microsoft says no',
  '',
  '<!-- Made from server/model/aadsts.ts and the words of the pages by `npm run docs`. Do not edit. -->',
  '',
  `The ${entries.length} AADSTS numbers that Muster knows, under ${count} reasons. They are read alike wherever Microsoft says them: when a token`,
  'is refused, when an administrator comes back without a consent, and when one of your own people is not let in. Of several',
  'numbers the one that says most decides: none that stands for many others, then the longest. For a number that is not here',
  'OAuth’s own word decides, and what says nothing is told as that. [All numbers](#all-numbers) are at the end.',
]

function section(code: RefusalCode, names: ReasonName[]): string[] {
  return [
    '',
    `## \`${code}\``,
    '',
    text(`refusal.${code}`),
    text(`refusal.${code}.next`),
    `Who must act: ${owners[ownerOf(code)]}.`,
    ...names.flatMap((name) => reasonLines(name, reasons[name])),
  ]
}

function reasonLines(name: ReasonName, { numbers }: Reason): string[] {
  const [first] = entries.filter(({ reason }) => reason === name)
  if (!first) return []
  return [
    '',
    `### ${name}`,
    '',
    line('token', first, ...tokenWords(first)),
    line('consent', first, ...consentWords(first)),
    line('sign-in', first, text(`login.${first.login}`), text(`login.${first.login}.next`)),
    '',
    '| AADSTS | |',
    '| --- | --- |',
    ...[...numbers].sort(([a], [b]) => a - b).map(([number, fact]) => `| ${number} | ${fact} |`),
  ]
}

const places: Record<Place, string> = {
  token: 'When a token is refused',
  consent: 'When a consent is refused',
  'sign-in': 'When a sign-in is refused',
}

const line = (place: Place, entry: Entry, happened: string, next: string) =>
  `- **${places[place]}** (${place === 'sign-in' && ownerAt(place, entry) === 'partner' ? 'you, or your own administrator' : owners[ownerAt(place, entry)]}): ${sentence(happened)} ${next}`

function tokenWords({ code, reason, cause }: Entry): [string, string] {
  const key = cause ? `cause.${reason}` : `refusal.${code}`
  return [text(key), text(`${key}.next`)]
}

/** The title and the advice of the page at which a consent ends. */
function consentWords({ outcome, login }: Entry): [string, string] {
  if (outcome === 'other') return [text(`login.${login}`), text(`login.${login}.next`)]
  const end = outcome === 'cancelled' ? 'declined' : outcome
  return [text(`join.end.${end}.title`), text(`join.end.${end}.do`)]
}

function words(): string[] {
  return [
    '',
    '## OAuth’s words',
    '',
    'What decides for a number that is not here, or where there is none. `invalid_grant`, `invalid_request` and `access_denied` are not',
    'in the list: Microsoft uses them for too many different things.',
    '',
    '| `error` | Read as |',
    '| --- | --- |',
    ...[...oauthWords].map(([word, name]) => `| \`${word}\` | [${name}](#${name}) |`),
  ]
}

function index(): string[] {
  return [
    '',
    '## All numbers',
    '',
    '| AADSTS | What is special about it | Who must act on the token | Reason |',
    '| --- | --- | --- | --- |',
    ...entries.map(
      (entry) =>
        `| ${entry.number} | ${entry.fact} | ${owners[ownerAt('token', entry)]} | [${entry.reason}](#${entry.reason}) |`,
    ),
  ]
}

const text = (key: string) =>
  say('en', key as MessageKey, { partner: 'your security partner', customer: 'the customer', aadsts: 0, status: 0 })

function sentence(title: string): string {
  const sentence = title.charAt(0).toUpperCase() + title.slice(1)
  return /[.?!]$/.test(sentence) ? sentence : `${sentence}.`
}
