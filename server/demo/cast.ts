import { type CastKey, cast } from '../simulator/world/cast.ts'
import type { World } from '../simulator/world/world.ts'
import type { CustomerDetails } from '../store/customers/customers.ts'
import type { Settings } from '../store/partner/settings.ts'

/** A customer of the demonstration, and the person who decides there. */
export interface DemoCustomer {
  name: string
  tenantId: string
  /** The vanity domain, by which links are pinned. */
  domain: string
  administratorId: string
  language: 'en' | 'sv' | 'zh-Hant'
  contactName: string
  contactEmail: string
  groups: readonly string[]
  notes: string | null
}

type About = Partial<Pick<DemoCustomer, 'language' | 'notes'>> & { groups?: readonly string[] }

function fromCast<Key extends CastKey>(
  key: Key,
  administrator: keyof (typeof cast)[Key]['people'] & string,
  about: About = {},
): DemoCustomer {
  const { id, displayName, domains, people } = cast[key]
  const person = (people as Record<string, { id: string; name: string; username: string }>)[administrator]
  if (!person) throw new Error(`${key} has no ${administrator}`)
  return {
    name: displayName,
    tenantId: id,
    domain: domains[1],
    administratorId: person.id,
    language: about.language ?? 'en',
    contactName: person.name,
    contactEmail: person.username,
    groups: about.groups ?? [],
    notes: about.notes ?? null,
  }
}

/** Tenants of customers that are still on their way, one administrator and one other person each. */
const newcomers = {
  fyrisan: {
    id: '1e5c8d72-40a9-4b36-9f13-7c2e60b5d841',
    name: 'Fyrisån Redovisning AB',
    domain: 'fyrisan.example',
    region: 'EU',
    administrator: ['c3000000-0000-4000-a000-000000000001', 'Maria Falk', 'maria.falk@fyrisan.example'],
    other: ['c3000000-0000-4000-a000-000000000002', 'Jonas Ekberg', 'jonas.ekberg@fyrisan.example'],
    about: { language: 'sv', groups: ['Nordics', 'Finance'] },
  },
  kvarnby: {
    id: '2f6d9e83-51ba-4c47-8a24-8d3f71c6e952',
    name: 'Kvarnby Tandvård AB',
    domain: 'kvarnby.example',
    region: 'EU',
    administrator: ['c4000000-0000-4000-a000-000000000001', 'Stina Hall', 'stina.hall@kvarnby.example'],
    other: ['c4000000-0000-4000-a000-000000000002', 'Ali Demir', 'ali.demir@kvarnby.example'],
    about: { language: 'sv', groups: ['Nordics', 'Health'], notes: 'Wants to talk to her board first.' },
  },
  ravenscourt: {
    id: '3a7eaf94-62cb-4d58-9b35-9e4082d7fa63',
    name: 'Ravenscourt Estates Ltd',
    domain: 'ravenscourt.example',
    region: 'EU',
    administrator: ['c5000000-0000-4000-a000-000000000001', 'Gareth Lowe', 'gareth.lowe@ravenscourt.example'],
    other: ['c5000000-0000-4000-a000-000000000002', 'Priti Shah', 'priti.shah@ravenscourt.example'],
    about: { groups: ['Property'] },
  },
  haifeng: {
    id: '4b8fb0a5-73dc-4e69-8c46-af5193e80b74',
    name: '海峰再生能源股份有限公司',
    domain: 'haifeng-energy.example',
    region: 'AS',
    administrator: ['c6000000-0000-4000-a000-000000000001', '張雅婷', 'yating.chang@haifeng-energy.example'],
    other: ['c6000000-0000-4000-a000-000000000002', '李冠宇', 'guanyu.li@haifeng-energy.example'],
    about: { language: 'zh-Hant', groups: ['Taiwan', 'Energy'] },
  },
} as const satisfies Record<
  string,
  {
    id: string
    name: string
    domain: string
    region: 'EU' | 'AS'
    administrator: readonly [id: string, name: string, username: string]
    other: readonly [id: string, name: string, username: string]
    about: About
  }
>

function fromNewcomer(key: keyof typeof newcomers): DemoCustomer {
  const { id, name, domain, administrator } = newcomers[key]
  const about: About = newcomers[key].about
  return {
    name,
    tenantId: id,
    domain,
    administratorId: administrator[0],
    language: about.language ?? 'en',
    contactName: administrator[1],
    contactEmail: administrator[2],
    groups: about.groups ?? [],
    notes: about.notes ?? null,
  }
}

/** Brings the newcomers' tenants into a world that does not have them yet. */
export function admitNewcomers(world: World): void {
  for (const { id, name, domain, region, administrator, other } of Object.values(newcomers)) {
    if (world.find(id) !== undefined) continue
    world.addTenant({
      id,
      displayName: name,
      domains: [domain.replace(/\.example$/, '.onmicrosoft.com'), domain],
      region,
    })
    for (const [personId, person, username] of [administrator, other]) {
      const directoryRole = personId === administrator[0] ? 'Global Administrator' : 'User'
      world.addPerson(id, { id: personId, name: person, username, directoryRole })
    }
    world.generate(id, 18)
  }
}

/** Every customer of the demonstration, by the key its story uses. */
export const demoCustomers = {
  hjorthagen: fromCast('hjorthagen', 'fredrik', { language: 'sv', groups: ['Nordics', 'Property'] }),
  norrsken: fromCast('norrsken', 'asa', { language: 'sv', groups: ['Nordics', 'Energy'] }),
  vasterbygden: fromCast('vasterbygden', 'erik', { language: 'sv', groups: ['Nordics', 'Finance'] }),
  ostrava: fromCast('ostrava', 'jana', { groups: ['Manufacturing'] }),
  jinghan: fromCast('jinghan', 'yichun', { language: 'zh-Hant', groups: ['Taiwan', 'Manufacturing'] }),
  larchmont: fromCast('larchmont', 'dorothy', { groups: ['Legal'] }),
  ravenscourt: fromNewcomer('ravenscourt'),
  greyfriars: fromCast('greyfriars', 'helen', { groups: ['Education'] }),
  saintAubin: fromCast('saintAubin', 'marie', { groups: ['Health'] }),
  pellworm: fromCast('pellworm', 'heike', { groups: ['Maritime'] }),
  engelska: fromCast('engelska', 'gunilla', { language: 'sv', groups: ['Nordics', 'Education'] }),
  yuanze: fromCast('yuanze', 'jiahao', { language: 'zh-Hant', groups: ['Taiwan', 'Maritime'] }),
  kvarnby: fromNewcomer('kvarnby'),
  calder: fromCast('calder', 'ruth', { groups: ['Public sector'] }),
  haifeng: fromNewcomer('haifeng'),
  brannland: fromCast('brannland', 'olof', { language: 'sv', groups: ['Nordics'] }),
  fyrisan: fromNewcomer('fyrisan'),
  oakhurst: fromCast('oakhurst', 'nora', { groups: ['Health'] }),
  rousselot: fromCast('rousselot', 'etienne', { groups: ['Manufacturing'] }),
  tidewater: fromCast('tidewater', 'marcus', { groups: ['Public sector'] }),
  bergqvist: fromCast('bergqvist', 'sara', { language: 'sv', groups: ['Nordics', 'Logistics'] }),
} as const satisfies Record<string, DemoCustomer>

export type DemoKey = keyof typeof demoCustomers

export const detailsOf = (customer: DemoCustomer, pinned: boolean): CustomerDetails => ({
  name: customer.name,
  language: customer.language,
  contactName: customer.contactName,
  contactEmail: customer.contactEmail,
  notes: customer.notes,
  groups: customer.groups,
  expectedTenantId: pinned ? customer.tenantId : null,
  expectedDomain: pinned ? customer.domain : null,
})

export const partnerSettings: Settings = {
  partnerName: 'Halvard Security AB',
  partnerTagline: 'Security operations, Stockholm and Taipei',
  'partnerTagline.sv': 'Säkerhetscenter i Stockholm och Taipei',
  'partnerTagline.zh-Hant': '資安監控中心，斯德哥爾摩與台北',
  contactName: 'Ines Lindqvist',
  contactPhone: '+46 8 555 001 00',
  contactEmail: 'soc@halvard.example',
  dataLocation: 'Stockholm, Sweden, within the EU',
  'dataLocation.sv': 'Stockholm, inom EU',
  'dataLocation.zh-Hant': '瑞典斯德哥爾摩，歐盟境內',
  dataRetention: '',
  'dataRetention.sv': '',
  'dataRetention.zh-Hant': '',
  dataReaders: 'The twelve analysts of Halvard Security AB, in Stockholm and Taipei',
  'dataReaders.sv': 'De tolv analytikerna hos Halvard Security AB, i Stockholm och Taipei',
  'dataReaders.zh-Hant': 'Halvard Security AB 的十二位分析師，位於斯德哥爾摩與台北',
  privacyUrl: 'https://halvard.example/privacy',
  'privacyUrl.sv': 'https://halvard.example/sv/privacy',
  'privacyUrl.zh-Hant': '',
  appName: 'Halvard SOC Connector',
  linkDays: 14,
  closedDays: 180,
  offboardedDays: 90,
}
