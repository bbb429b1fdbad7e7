import { type Cloud, cloudOf, cloudsOf, cloudsWith, isLoopbackHost } from './clouds.ts'
import { type Fault, readOrigin } from './values.ts'
import type { ConfigProblem, Environment } from './variables.ts'

interface Origins {
  authorityHost: string
  defenderUrl: string
  graphUrl: string
  warnings: ConfigProblem[]
}

const usual = 'https://login.microsoftonline.com'
const api = { graph: 'GRAPH_API_URL', defender: 'DEFENDER_API_URL' } as const

/**
 * Where Microsoft is. What is not set is what goes with the sign-in; what is set has to be of one cloud, because a token of
 * one is nothing in another. A double on loopback agrees with everything.
 */
export function readOrigins(
  text: (name: keyof Environment) => string | undefined,
  incidentsApi: 'defender' | 'graph',
  fault: Fault,
): Origins {
  const authorityHost = readOrigin('AZURE_AUTHORITY_HOST', text('AZURE_AUTHORITY_HOST'), fault, {
    fallback: usual,
    allowed: (origin) => cloudOf(origin) !== undefined,
    remedy: 'Use https://login.microsoftonline.com, or a national cloud’s own login origin.',
  })
  const given = (name: keyof typeof api, remedy: string) =>
    readOrigin(api[name], text(api[name]), fault, {
      fallback: '',
      allowed: (origin) => cloudsWith(name, origin).length > 0,
      remedy,
    })
  const defender = given(
    'defender',
    'Use https://api.security.microsoft.com, or your region’s or cloud’s own host of that service.',
  )
  const graph = given('graph', 'Use https://graph.microsoft.com, or your national cloud’s Microsoft Graph host.')
  const agreed = agreeing({ authorityHost, graph, defender }, fault)
  const cloud = agreed[0] ?? cloudsOf(usual)[0]
  const { graphResource = '', defenderResource = '' } = cloud ?? {}
  const warnings = cloud?.name === 'china' ? chinese(incidentsApi, defender, fault) : []
  return { authorityHost, graphUrl: graph || graphResource, defenderUrl: defender || defenderResource, warnings }
}

interface Given {
  authorityHost: string
  /** Empty where it is not set. */
  graph: string
  defender: string
}

/** The clouds that all of it is of; none where it is not of one. */
function agreeing({ authorityHost, graph, defender }: Given, fault: Fault): readonly Cloud[] {
  let left: readonly Cloud[] | null = isDouble(authorityHost) ? null : cloudsOf(authorityHost)
  // What is no host of Microsoft's has been told as that.
  if (left?.length === 0) return []
  for (const [name, origin] of [
    ['graph', graph],
    ['defender', defender],
  ] as const) {
    const its = origin === '' || isDouble(origin) ? [] : cloudsWith(name, origin)
    if (its.length === 0) continue
    const both: readonly Cloud[] = left?.filter((cloud) => its.includes(cloud)) ?? its
    if (left !== null && both.length === 0) tellApart(name, left, its, fault)
    else left = both
  }
  return left ?? []
}

const isDouble = (origin: string) => isLoopbackHost(new URL(origin).hostname)

function tellApart(name: keyof typeof api, wanted: readonly Cloud[], its: readonly Cloud[], fault: Fault): void {
  const right = [...new Set(wanted.flatMap((cloud) => originOf(name, cloud)))]
  const logins = [...new Set(its.map(({ loginHosts: [host] }) => `https://${host}`))]
  const use = right.length === 0 ? 'Leave it empty, with INCIDENTS_API=graph' : `Use ${right.join(' or ')}`
  fault(
    api[name],
    `is of the cloud ${namesOf(its)}, and ${name === 'graph' ? 'AZURE_AUTHORITY_HOST' : 'the sign-in'} of ${namesOf(wanted)}`,
    `${use}, or AZURE_AUTHORITY_HOST=${logins.join(' or ')}.`,
  )
}

const namesOf = (clouds: readonly Cloud[]) => clouds.map(({ name }) => name).join(' or ')

function originOf(name: keyof typeof api, cloud: Cloud): string[] {
  if (name === 'graph') return [cloud.graphResource]
  return cloud.isDefender(cloud.defenderResource) ? [cloud.defenderResource] : []
}

/** https://learn.microsoft.com/graph/api/security-list-incidents: not available there, and Defender has no API at all. */
function chinese(incidentsApi: 'defender' | 'graph', defender: string, fault: Fault): ConfigProblem[] {
  if (incidentsApi === 'defender' && !(defender !== '' && isDouble(defender))) {
    fault('INCIDENTS_API', 'is defender, and Microsoft has no such API in the cloud china', 'Use graph.')
  }
  const problem = 'is of a cloud in which Microsoft offers no incidents'
  const remedy = 'Tenants can be brought aboard there, and nothing can be read of them until Microsoft offers it.'
  return [{ variable: 'AZURE_AUTHORITY_HOST', problem, remedy }]
}
