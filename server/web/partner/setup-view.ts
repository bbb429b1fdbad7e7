import type { Config } from '../../config/config.ts'
import type { Html } from '../../http/html.ts'
import { html } from '../../http/html.ts'
import type { SetupMaterial } from '../../microsoft/registration/setup.ts'
import type { Finding } from '../../partner/doctor.ts'
import type { PageTools } from '../page/tools.ts'
import { type FindingView, findingView } from './findings-view.ts'

export type StepName =
  | 'runs'
  | 'app'
  | 'redirects'
  | 'credential'
  | 'permissions'
  | 'consent'
  | 'sign-in'
  | 'admin'
  | 'partner'
  | 'asked'
  | 'trial'

export interface SetupStep {
  name: StepName
  /** `now` is the first one that is neither done nor failing. */
  state: 'done' | 'now' | 'bad' | 'warn' | 'todo'
  findings: Finding[]
}

export interface SetupFacts {
  steps: SetupStep[]
  material: SetupMaterial
  api: Config['incidentsApi']
  clientId: string
  credential: { kind: 'secret' } | { kind: 'certificate'; thumbprint: string; endsAt: Date }
  /** Makes the files that the step about the credential speaks of. */
  certificateCommand: string
  adminUsers: number
  /** The environment line that keeps this operator Admin. */
  adminLine: string
  firstProvenAt: string | null
  /** Incidents of an older version that are being read again. */
  rereading: { left: number; done: number; total: number } | null
}

export interface SetupView extends Pick<SetupFacts, 'material' | 'clientId' | 'certificateCommand' | 'adminLine'> {
  /** Seconds after which the page looks again. */
  seconds: number
  progress: string
  rereading: string | null
  steps: StepView[]
  tags: { b: 'strong'; code: 'code' }
  redirects: { signIn: string; consent: string; operators: string }
  /** How permissions are added, for the API in use. */
  permissionsHow: Html
  permissionsTitle: string
  permissions: { name: string; resource: string; type: string; id: string; copy: string }[]
  /** Whether the API in use hands out less than the other one. */
  isGraph: boolean
}

interface StepView {
  name: StepName
  label: string
  state: SetupStep['state']
  stateLabel: string
  mark: Html | number
  findings: FindingView[]
  /** What is known of it beside what was found. */
  known: Html | string | null
  /** Whether what is known holds a long number. */
  isLong: boolean
  /** Which step's instructions stand in it; null where none are needed. */
  how: { open: boolean; is: Partial<Record<string, boolean>> } | null
}

const seconds = 10
const tags = { b: 'strong', code: 'code' } as const
const marks: Partial<Record<SetupStep['state'], string>> = { done: 'check', bad: 'x', warn: 'alert-triangle' }

export function setupView(facts: SetupFacts, tools: PageTools): SetupView {
  const { t, word } = tools
  const { steps, material, api } = facts
  const stepsDone = steps.filter(({ state }) => state === 'done' || state === 'warn').length
  const [signIn = '', consent = ''] = material.app.redirectUris
  return {
    material,
    clientId: facts.clientId,
    certificateCommand: facts.certificateCommand,
    adminLine: facts.adminLine,
    seconds,
    progress: t('setup.progress', { done: stepsDone, of: steps.length, seconds }),
    rereading: facts.rereading && t('setup.rereading', { ...facts.rereading }),
    steps: steps.map((step, i) => stepView(step, i, facts, tools)),
    tags,
    redirects: { signIn, consent, operators: material.signIn.redirectUris[0] ?? '' },
    permissionsHow: t.rich(`setup.permissions.how.${api}`, {}, tags),
    permissionsTitle: t('setup.step.permissions', { n: askedRoles(material) }),
    permissions: material.permissions.map(({ name, resource, type, id }) => ({
      name,
      resource,
      type: word('setup.permissions', type),
      id,
      copy: `${t('setup.copy')} ${name}`,
    })),
    isGraph: api === 'graph',
  }
}

const askedRoles = ({ permissions }: SetupMaterial) => permissions.filter(({ type }) => type === 'Role').length

function stepView({ name, state, findings }: SetupStep, i: number, facts: SetupFacts, tools: PageTools): StepView {
  const { t, icon, word } = tools
  const mark = marks[state]
  const key = name === 'sign-in' ? 'signIn' : name
  return {
    name,
    label: word('setup.step', name, { n: askedRoles(facts.material) }),
    state,
    stateLabel: t(`setup.state.${state}`),
    mark: mark ? icon(mark) : i + 1,
    findings: findings.map((finding) => findingView(finding, tools)),
    known: knownOf(name, facts, tools),
    isLong: name === 'credential',
    how: name === 'runs' ? null : { open: state !== 'done', is: { [key]: true } },
  }
}

function knownOf(name: StepName, facts: SetupFacts, tools: PageTools): Html | string | null {
  const { t, time, dateText } = tools
  const { credential, firstProvenAt } = facts
  if (name === 'admin') return adminText(facts, tools)
  if (name === 'trial' && firstProvenAt) return html`${t('setup.trial.done')} ${time(firstProvenAt, 'date')}.`
  if (name !== 'credential') return null
  if (credential.kind === 'secret') return t('setup.credential.uses.secret')
  const { thumbprint, endsAt } = credential
  return t('setup.credential.uses.certificate', { thumbprint, date: dateText(endsAt) })
}

function adminText({ adminUsers }: SetupFacts, { t, shell }: PageTools): Html {
  const you = t('setup.admin.you', { name: shell?.operatorName ?? '', role: shell?.role ?? '' })
  const why =
    adminUsers > 0 ? t.rich('setup.admin.named', { n: adminUsers }, tags) : t.rich('setup.admin.by-role', {}, tags)
  return html`${you} ${why}`
}
