import type { Config } from '../config/config.ts'
import { cast } from '../simulator/world/cast.ts'
import { demoCustomers } from './cast.ts'
import { keptFile } from './folder.ts'

/** What the demonstration says when it is ready: where it is, who can sign in, and what to try first. */
export function welcome(url: string, origin: string, config: Config, fresh: boolean): string {
  const { halvard, norrsken } = cast
  const people = [
    [halvard.people.ines.name, 'Admin', 'everything: customers, links, decisions, setup'],
    [halvard.people.tomasz.name, 'Analyst', 'incidents, and asking tenants again; no links, no decisions'],
    [halvard.people.priya.name, 'Reader', 'looks, and changes nothing'],
    [halvard.people.linnea.name, '–', 'is told that she has no role here, and who gives one'],
    [norrsken.people.asa.name, '–', 'a customer’s administrator: turned away by Microsoft itself'],
  ] as const
  const { fyrisan } = demoCustomers
  return [
    '',
    `  Muster               ${url}`,
    `  Simulated Microsoft  ${origin}/_sim`,
    `  What Muster sent     ${origin}/_sim/inbox`,
    '',
    '  Sign in as           Role     and find',
    ...people.map(([name, role, does]) => `  ${name.padEnd(20)} ${role.padEnd(8)} ${does}`),
    '',
    '  Try first',
    `  1. As ${halvard.people.ines.name}: open the customer ${fyrisan.name}, issue its link, open it in a private window,`,
    `     go on to Microsoft as ${fyrisan.contactName} and accept. Watch the customer’s page meanwhile.`,
    '  2. On the simulated Microsoft’s page: revoke a consent, add an incident, throttle a tenant. See what Muster says.',
    '     Tokens outlive a revoked consent, as at Microsoft: “Check again now” on the tenant’s page asks for a new one.',
    '  3. Open Setup: everything a real app registration needs, filled in and checked.',
    '  4. Open “What Muster sent”: mails, Teams, Slack, a signed webhook and a SIEM. Destinations has a test button for each.',
    '  5. Run the examples at the foot of a tenant’s page. AZURE_CLIENT_SECRET is the appSecret in',
    `     ${keptFile(config.dataDir)}.`,
    '',
    `  ${fresh ? 'Kept' : 'Found again'} in ${config.databaseUrl === null ? config.dataDir : `${config.dataDir} and the database`}. Nothing leaves this machine, and no password is asked for.`,
    '  Stop with Ctrl-C. Begin anew: npm run demo -- --fresh',
    '  Your own portal: copy .env.example to .env, fill it in as the page Setup shows, check with “npm run doctor”, and “npm start”.',
    '',
  ].join('\n')
}
