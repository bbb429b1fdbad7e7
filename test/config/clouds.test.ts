import { describe, expect, test } from '@jest/globals'
import { cloudFor } from '../../server/config/clouds.ts'
import { type Config, readConfig } from '../../server/config/config.ts'
import { ConfigError, type ConfigProblem, type Environment } from '../../server/config/variables.ts'

const enough: Environment = {
  SESSION_SECRET: 'p9Q2vN7xR4sT8wY1zA3bC6dE5fG0hJ_k',
  AZURE_CLIENT_ID: '3B7F2D90-5C1E-4A86-9D43-0F8E61B7A2C5',
  AZURE_CLIENT_SECRET: 'kqV8Q~not-a-real-one',
  AZURE_TENANT_ID: '5f0a9c3e-77d2-4b10-8a4e-b1c6d2e90f44',
}
const read = (changes: Environment): Config => readConfig({ ...enough, ...changes })

function problemsOf(changes: Environment): readonly ConfigProblem[] {
  try {
    read(changes)
    return []
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    return error.problems
  }
}

const global = 'https://login.microsoftonline.com'
const us = 'https://login.microsoftonline.us'
const china = 'https://login.partner.microsoftonline.cn'
const graph = {
  global: 'https://graph.microsoft.com',
  us: 'https://graph.microsoft.us',
  dod: 'https://dod-graph.microsoft.us',
  china: 'https://microsoftgraph.chinacloudapi.cn',
}
const defender = {
  global: 'https://api.security.microsoft.com',
  region: 'https://us.api.security.microsoft.com',
  gcc: 'https://api-gcc.security.microsoft.us',
  gov: 'https://api-gov.security.microsoft.us',
}
const set = (authority?: string, graphUrl?: string, defenderUrl?: string, api?: string): Environment => ({
  ...(authority ? { AZURE_AUTHORITY_HOST: authority } : {}),
  ...(graphUrl ? { GRAPH_API_URL: graphUrl } : {}),
  ...(defenderUrl ? { DEFENDER_API_URL: defenderUrl } : {}),
  ...(api ? { INCIDENTS_API: api } : {}),
})

describe('the hosts of one cloud', () => {
  test.each<[string, Environment, string]>([
    ['nothing set', set(), 'global'],
    ['everything global', set(global, graph.global, defender.global), 'global'],
    ['a region', set(global, graph.global, defender.region), 'global'],
    ['another region', set(undefined, undefined, 'https://api-eu.security.microsoft.com'), 'global'],
    ['GCC', set(undefined, undefined, defender.gcc), 'global'],
    ['an older login host', set('https://login.windows.net', graph.global), 'global'],
    ['GCC High', set(us, graph.us, defender.gov), 'us-government'],
    ['GCC High by its login', set(us), 'us-government'],
    ['the DoD', set(us, graph.dod, defender.gov), 'us-dod'],
    ['the DoD by Graph', set(us, graph.dod), 'us-dod'],
    ['China with Graph', set(china, graph.china, undefined, 'graph'), 'china'],
    ['China by its login', set(china, undefined, undefined, 'graph'), 'china'],
  ])('are taken: %s', (_what, changes, cloud) => {
    expect(problemsOf(changes)).toEqual([])
    expect(cloudFor(read(changes)).name).toBe(cloud)
  })

  test('follow the sign-in where they are not set', () => {
    expect(read(set(us))).toMatchObject({ graphUrl: graph.us, defenderUrl: defender.gov })
    expect(read(set(us, graph.dod))).toMatchObject({ graphUrl: graph.dod, defenderUrl: defender.gov })
    expect(read(set(china, undefined, undefined, 'graph'))).toMatchObject({ graphUrl: graph.china })
  })

  test.each<[Environment, string, RegExp]>([
    [set(us, graph.global), 'GRAPH_API_URL', /Use https:\/\/graph\.microsoft\.us or https:\/\/dod-graph/],
    [set(us, undefined, defender.global), 'DEFENDER_API_URL', /Use https:\/\/api-gov\.security\.microsoft\.us,/],
    [set(us, graph.us, defender.region), 'DEFENDER_API_URL', /Use https:\/\/api-gov/],
    [set(us, graph.dod, defender.gcc), 'DEFENDER_API_URL', /Use https:\/\/api-gov/],
    [set(undefined, graph.us), 'GRAPH_API_URL', /Use https:\/\/graph\.microsoft\.com, or AZURE_AUTHORITY_HOST=.*\.us/],
    [
      set(global, undefined, defender.gov),
      'DEFENDER_API_URL',
      /AZURE_AUTHORITY_HOST=https:\/\/login.microsoftonline.us/,
    ],
    [set(global, graph.china, undefined, 'graph'), 'GRAPH_API_URL', /login\.partner\.microsoftonline\.cn/],
    [set(china, graph.global, undefined, 'graph'), 'GRAPH_API_URL', /Use https:\/\/microsoftgraph\.chinacloudapi\.cn/],
    [set(china, graph.china, defender.global, 'graph'), 'DEFENDER_API_URL', /Leave it empty/],
    [set('http://localhost:4000', graph.us, defender.global), 'DEFENDER_API_URL', /Use https:\/\/api-gov/],
    [set(china), 'INCIDENTS_API', /Use graph/],
  ])('are refused with those of another: %j', (changes, variable, remedy) => {
    const problems = problemsOf(changes)
    expect(problems.map((one) => one.variable)).toEqual([variable])
    expect(problems[0]?.remedy).toMatch(remedy)
  })

  test('are both named where both are of another', () => {
    const problems = problemsOf(set(us, graph.global, defender.global))
    expect(problems.map(({ variable }) => variable)).toEqual(['GRAPH_API_URL', 'DEFENDER_API_URL'])
  })

  test.each([
    set('http://localhost:4000', 'http://localhost:4000', 'http://localhost:4000'),
    set('http://127.0.0.1:4000', graph.us, defender.gov),
    set(us, 'http://[::1]:4000', 'http://localhost:4000'),
    set(china, undefined, 'http://localhost:4000'),
  ])('agree with a double on this machine: %j', (changes) => {
    expect(problemsOf(changes)).toEqual([])
  })

  test.each([
    ['DEFENDER_API_URL', 'https://api-dod.security.microsoft.us'],
    ['DEFENDER_API_URL', 'https://us.api.security.microsoft.us'],
    ['GRAPH_API_URL', 'https://dod-graph.microsoft.com'],
  ])('are none that a pattern alone would let through: %s=%s', (name, value) => {
    expect(problemsOf({ [name]: value })).toMatchObject([
      { variable: name, problem: expect.stringMatching(/^is not one/) },
    ])
  })

  test('are told as of no use where Microsoft offers no incidents', () => {
    const { warnings } = read(set(china, undefined, undefined, 'graph'))
    expect(warnings).toMatchObject([{ variable: 'AZURE_AUTHORITY_HOST' }])
  })
})
