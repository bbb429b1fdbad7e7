import type { ApiExample } from '../../microsoft/registration/examples.ts'
import type { PageTools } from '../page/tools.ts'

/** The examples in one language. */
export interface LanguageView {
  name: string
  label: string
  selected: 'true' | 'false'
  examples: { text: string; label: string }[]
  /** For the older token endpoint. */
  older: { text: string; label: string }[]
}

const languages: readonly ApiExample['language'][] = ['powershell', 'csharp', 'curl', 'typescript']

export function languageViews(examples: readonly ApiExample[], { t }: PageTools): LanguageView[] {
  return languages.map((name, i) => {
    const label = t(`tenants.language.${name}`)
    const code = t('tenants.examples.code', { language: label })
    const own = examples.filter(({ language }) => language === name)
    return {
      name,
      label,
      selected: i === 0 ? 'true' : 'false',
      examples: own.filter(({ tokenEndpoint }) => tokenEndpoint !== 'v1').map(({ text }) => ({ text, label: code })),
      older: own
        .filter(({ tokenEndpoint }) => tokenEndpoint === 'v1')
        .map(({ text }) => ({ text, label: `${code}, v1` })),
    }
  })
}
