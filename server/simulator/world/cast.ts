import { hour } from '../../time.ts'
import type { DirectoryRole, Tenant } from './directory.ts'
import { instantOf } from './instants.ts'
import { hashOf } from './random.ts'
import type { World } from './world.ts'

export interface CastTenant {
  id: string
  displayName: string
  domains: readonly [initial: string, vanity: string]
  region: Tenant['region']
  devicePrefix: string
  people: Record<string, CastPerson>
  /** Incidents made up over the last 30 days, besides the headlines. */
  background: number
  /** Incidents that people will recognise: ID, story, hours since creation and last update. */
  headlines?: readonly Headline[]
  licensed?: boolean
  large?: boolean
}

interface CastPerson {
  id: string
  name: string
  username: string
  directoryRole: DirectoryRole
  appRoles?: readonly string[]
}

interface Headline {
  id: number
  story: string
  hours: number
  owner?: string
  status?: 'active' | 'inProgress' | 'awaitingAction'
  tags?: readonly string[]
}

const global = 'Global Administrator'

function person(
  id: string,
  name: string,
  username: string,
  directoryRole: DirectoryRole = 'User',
  appRoles?: readonly string[],
): CastPerson {
  return { id, name, username, directoryRole, ...(appRoles ? { appRoles } : {}) }
}

/**
 * Everybody in the demonstration, by readable key: the partner first, then customers, then tenants no customer record
 * exists for. IDs never change. All names are invented; domains are reserved ones (RFC 2606).
 */
export const cast = {
  halvard: {
    id: '2c6f9a10-4d7e-4b35-8f21-90b3e5d7a601',
    displayName: 'Halvard Security AB',
    domains: ['halvardsecurity.onmicrosoft.com', 'halvard.example'],
    region: 'EU',
    devicePrefix: 'HAL',
    background: 12,
    people: {
      ines: person('a1000000-0000-4000-a000-000000000001', 'Ines Lindqvist', 'ines.lindqvist@halvard.example', global, [
        'Muster.Admin',
      ]),
      tomasz: person('a1000000-0000-4000-a000-000000000002', 'Tomasz Wilk', 'tomasz.wilk@halvard.example', 'User', [
        'Muster.Analyst',
      ]),
      priya: person('a1000000-0000-4000-a000-000000000003', 'Priya Raman', 'priya.raman@halvard.example', 'User', [
        'Muster.Reader',
      ]),
      linnea: person('a1000000-0000-4000-a000-000000000004', 'Linnea Ståhl', 'linnea.stahl@halvard.example'),
    },
  },
  norrsken: {
    id: '7d1c2a54-90be-4f0e-a6a1-3f5d0b8e2c11',
    displayName: 'Norrsken Kommunal Energi AB',
    domains: ['norrskenenergi.onmicrosoft.com', 'norrskenenergi.example'],
    region: 'EU',
    devicePrefix: 'NKE',
    background: 120,
    headlines: [
      { id: 2279, story: 'credential', hours: 8 },
      {
        id: 2284,
        story: 'ot',
        hours: 24,
        status: 'awaitingAction',
        owner: 'ines.lindqvist@halvard.example',
        tags: ['Customer call'],
      },
      { id: 2288, story: 'powershell', hours: 2 },
      { id: 2291, story: 'multi-stage', hours: 2.5, status: 'inProgress', owner: 'tomasz.wilk@halvard.example' },
    ],
    people: {
      asa: person(
        'a2000000-0000-4000-a000-000000000001',
        'Åsa Holmgren',
        'asa.holmgren@norrskenenergi.example',
        global,
      ),
      karin: person('a2000000-0000-4000-a000-000000000002', 'Karin Öberg', 'karin.oberg@norrskenenergi.example'),
      lund: person(
        'a2000000-0000-4000-a000-000000000003',
        'Kristoffer Lund',
        'k.lund@norrskenenergi.example',
        'Application Administrator',
      ),
    },
  },
  vasterbygden: {
    id: '0f4a7e62-1b83-4c9d-9e05-7a2d6c3f8b14',
    displayName: 'Västerbygdens Sparbank',
    domains: ['vasterbygden.onmicrosoft.com', 'vasterbygden.example'],
    region: 'EU',
    devicePrefix: 'VSB',
    background: 110,
    headlines: [
      { id: 4402, story: 'dlp', hours: 3 },
      { id: 4409, story: 'inbox-rule', hours: 0.85 },
      { id: 4417, story: 'aitm', hours: 0.63 },
    ],
    people: {
      erik: person(
        'a3000000-0000-4000-a000-000000000001',
        'Erik Sandström',
        'erik.sandstrom@vasterbygden.example',
        global,
      ),
      maja: person('a3000000-0000-4000-a000-000000000002', 'Maja Nordin', 'maja.nordin@vasterbygden.example'),
    },
  },
  jinghan: {
    id: 'b3d8c5f1-6e27-4a90-8c1b-52f7e0a9d463',
    displayName: '晶瀚精密光學股份有限公司',
    domains: ['jinghan-optics.onmicrosoft.com', 'jinghan-optics.example'],
    region: 'AS',
    devicePrefix: 'JHO',
    background: 60,
    headlines: [{ id: 884, story: 'ransomware', hours: 7 }],
    people: {
      yichun: person('a4000000-0000-4000-a000-000000000001', '陳怡君', 'yichun.chen@jinghan-optics.example', global),
      weiting: person('a4000000-0000-4000-a000-000000000002', '林韋廷', 'weiting.lin@jinghan-optics.example'),
    },
  },
  yuanze: {
    id: 'd9470b2e-35fa-4e18-a7c6-08e1b4d2f597',
    displayName: '遠澤海運物流股份有限公司',
    domains: ['yuanze-marine.onmicrosoft.com', 'yuanze-marine.example'],
    region: 'AS',
    devicePrefix: 'YZM',
    background: 40,
    headlines: [{ id: 209, story: 'anonymous-ip', hours: 1 }],
    people: {
      jiahao: person('a5000000-0000-4000-a000-000000000001', '黃家豪', 'jiahao.huang@yuanze-marine.example', global),
      peishan: person('a5000000-0000-4000-a000-000000000002', '吳佩珊', 'peishan.wu@yuanze-marine.example'),
    },
  },
  larchmont: {
    id: '64e1f0c9-8a2d-4735-b9d4-e3a7051c6f28',
    displayName: 'Larchmont & Pryce Legal LLP',
    domains: ['larchmontpryce.onmicrosoft.com', 'larchmontpryce.example'],
    region: 'NA',
    devicePrefix: 'LPL',
    background: 45,
    headlines: [{ id: 640, story: 'travel', hours: 6 }],
    people: {
      dorothy: person(
        'a6000000-0000-4000-a000-000000000001',
        'Dorothy Pryce',
        'dorothy.pryce@larchmontpryce.example',
        global,
      ),
      samuel: person('a6000000-0000-4000-a000-000000000002', 'Samuel Okafor', 'samuel.okafor@larchmontpryce.example'),
    },
  },
  greyfriars: {
    id: '19b5d3a7-c046-4f8e-8b72-6d9f2e40a1c5',
    displayName: 'Greyfriars Multi-Academy Trust',
    domains: ['greyfriarsmat.onmicrosoft.com', 'greyfriars.example'],
    region: 'EU',
    devicePrefix: 'GMT',
    background: 25,
    headlines: [{ id: 77, story: 'mass-download', hours: 16 }],
    people: {
      helen: person(
        'a7000000-0000-4000-a000-000000000001',
        'Helen Braithwaite',
        'helen.braithwaite@greyfriars.example',
        global,
      ),
      owen: person('a7000000-0000-4000-a000-000000000002', 'Owen Pritchard', 'owen.pritchard@greyfriars.example'),
    },
  },
  ostrava: {
    id: 'e87a2c40-5d19-4b63-9f38-a1c60d7be592',
    displayName: 'Ostrava Steel Components s.r.o.',
    domains: ['ostravasteel.onmicrosoft.com', 'ostravasteel.example'],
    region: 'EU',
    devicePrefix: 'OSC',
    background: 70,
    headlines: [
      { id: 1198, story: 'execution-c2', hours: 4, status: 'inProgress', owner: 'priya.raman@halvard.example' },
      { id: 1203, story: 'hands-on', hours: 1, owner: 'priya.raman@halvard.example' },
    ],
    people: {
      jana: person(
        'a8000000-0000-4000-a000-000000000001',
        'Jana Dvořáková',
        'jana.dvorakova@ostravasteel.example',
        global,
      ),
      petr: person('a8000000-0000-4000-a000-000000000002', 'Petr Novotný', 'petr.novotny@ostravasteel.example'),
    },
  },
  saintAubin: {
    id: '3a90e6b4-f27c-4d51-8e0a-b94d1f7c2638',
    displayName: 'Saint-Aubin Clinics Group',
    domains: ['saintaubin.onmicrosoft.com', 'saint-aubin.example'],
    region: 'EU',
    devicePrefix: 'SAC',
    background: 90,
    large: true,
    headlines: [{ id: 3310, story: 'bec', hours: 3 }],
    people: {
      celine: person(
        'a9000000-0000-4000-a000-000000000001',
        'Céline Moreau',
        'celine.moreau@saint-aubin.example',
        'Privileged Role Administrator',
      ),
      luc: person('a9000000-0000-4000-a000-000000000002', 'Luc Fontaine', 'luc.fontaine@saint-aubin.example'),
      marie: person('a9000000-0000-4000-a000-000000000003', 'Marie Aubry', 'marie.aubry@saint-aubin.example', global),
    },
  },
  pellworm: {
    id: '85c1d7f3-0e4b-4962-a5d8-c72e9b301f46',
    displayName: 'Pellworm Schiffsausrüstung GmbH & Co. KG',
    domains: ['pellworm.onmicrosoft.com', 'pellworm.example'],
    region: 'EU',
    devicePrefix: 'PSA',
    background: 40,
    headlines: [{ id: 512, story: 'dcsync', hours: 9, status: 'inProgress', owner: 'tomasz.wilk@halvard.example' }],
    people: {
      heike: person(
        'b1000000-0000-4000-a000-000000000001',
        'Heike Petersen',
        'heike.petersen@pellworm.example',
        global,
      ),
      jens: person('b1000000-0000-4000-a000-000000000002', 'Jens Thomsen', 'jens.thomsen@pellworm.example'),
    },
  },
  engelska: {
    id: 'f6208e5d-b314-4a7c-9d6f-15e8c0a47b93',
    displayName: 'Internationella Engelska Friskolan i Västerbotten ekonomisk förening',
    domains: ['iefvasterbotten.onmicrosoft.com', 'ief-vasterbotten.example'],
    region: 'EU',
    devicePrefix: 'IEF',
    background: 65,
    headlines: [
      { id: 1544, story: 'reported', hours: 2 },
      { id: 1550, story: 'unfamiliar', hours: 5 },
    ],
    people: {
      gunilla: person(
        'b2000000-0000-4000-a000-000000000001',
        'Gunilla Berg',
        'gunilla.berg@ief-vasterbotten.example',
        global,
      ),
      anton: person(
        'b2000000-0000-4000-a000-000000000002',
        'Anton Lindgren',
        'anton.lindgren@ief-vasterbotten.example',
      ),
    },
  },
  tidewater: {
    id: '4e7b19d0-a6c8-4f25-b380-d5f1724e9a6c',
    displayName: 'Tidewater Municipal Water District',
    domains: ['tidewaterwater.onmicrosoft.com', 'tidewater.example'],
    region: 'NA',
    devicePrefix: 'TWD',
    background: 30,
    people: {
      marcus: person('b3000000-0000-4000-a000-000000000001', 'Marcus Bell', 'marcus.bell@tidewater.example', global),
      alicia: person('b3000000-0000-4000-a000-000000000002', 'Alicia Romero', 'alicia.romero@tidewater.example'),
    },
  },
  oakhurst: {
    id: '9d3f60a8-27e5-4c14-8fb9-06b8e5d1c742',
    displayName: 'Oakhurst Dental Partners',
    domains: ['oakhurstdental.onmicrosoft.com', 'oakhurst.example'],
    region: 'NA',
    devicePrefix: 'ODP',
    background: 0,
    licensed: false,
    people: {
      nora: person('b4000000-0000-4000-a000-000000000001', 'Nora Whitfield', 'nora.whitfield@oakhurst.example', global),
      ben: person('b4000000-0000-4000-a000-000000000002', 'Ben Castillo', 'ben.castillo@oakhurst.example'),
    },
  },
  bergqvist: {
    id: '5f0a9c3e-77d2-4b10-8a4e-b1c6d2e90f44',
    displayName: 'Bergqvist Åkeri & Logistik AB',
    domains: ['bergqvistakeri.onmicrosoft.com', 'bergqvist-akeri.example'],
    region: 'EU',
    devicePrefix: 'BAL',
    background: 20,
    people: {
      sara: person('b5000000-0000-4000-a000-000000000001', 'Sara Ek', 'sara.ek@bergqvist-akeri.example', global),
      nils: person('b5000000-0000-4000-a000-000000000002', 'Nils Bergqvist', 'nils.bergqvist@bergqvist-akeri.example'),
    },
  },
  brannland: {
    id: 'c25e84f7-913b-4d0a-a6e2-7f40d8b15c39',
    displayName: 'Brännland Must & Cider AB',
    domains: ['brannlandmust.onmicrosoft.com', 'brannland.example'],
    region: 'EU',
    devicePrefix: 'BMC',
    background: 8,
    people: {
      olof: person(
        'b6000000-0000-4000-a000-000000000001',
        'Olof Brännström',
        'olof.brannstrom@brannland.example',
        global,
      ),
      tilde: person('b6000000-0000-4000-a000-000000000002', 'Tilde Hägg', 'tilde.hagg@brannland.example'),
    },
  },
  calder: {
    id: '71a6f3d9-4c58-4e02-9b17-e0d2c84f6ba5',
    displayName: 'Calder Valley Housing Association',
    domains: ['caldervalleyha.onmicrosoft.com', 'calder-valley.example'],
    region: 'EU',
    devicePrefix: 'CVH',
    background: 30,
    people: {
      ruth: person(
        'b7000000-0000-4000-a000-000000000001',
        'Ruth Ackroyd',
        'ruth.ackroyd@calder-valley.example',
        global,
      ),
      imran: person(
        'b7000000-0000-4000-a000-000000000002',
        'Imran Shah',
        'imran.shah@calder-valley.example',
        'Cloud Application Administrator',
      ),
      joan: person('b7000000-0000-4000-a000-000000000003', 'Joan Sutcliffe', 'joan.sutcliffe@calder-valley.example'),
    },
  },
  rousselot: {
    id: '08d4b7e2-6f91-4a3c-8d50-b2c9f71e3a84',
    displayName: 'Imprimerie Rousselot SARL',
    domains: ['rousselot.onmicrosoft.com', 'rousselot.example'],
    region: 'EU',
    devicePrefix: 'IRS',
    background: 10,
    people: {
      etienne: person(
        'b8000000-0000-4000-a000-000000000001',
        'Étienne Rousselot',
        'etienne.rousselot@rousselot.example',
        global,
      ),
      claire: person('b8000000-0000-4000-a000-000000000002', 'Claire Perrin', 'claire.perrin@rousselot.example'),
    },
  },
  bergqvistHolding: {
    id: 'c81e7b26-0d5f-4f3a-9e17-64a2b8d3f905',
    displayName: 'Bergqvist Holding',
    domains: ['bergqvistholding.onmicrosoft.com', 'bergqvist-holding.example'],
    region: 'EU',
    devicePrefix: 'BHO',
    background: 6,
    people: {
      sara: person(
        'b9000000-0000-4000-a000-000000000001',
        'Sara Ek (Holding)',
        'sara.ek@bergqvist-holding.example',
        global,
      ),
      ulla: person(
        'b9000000-0000-4000-a000-000000000002',
        'Ulla Bergqvist',
        'ulla.bergqvist@bergqvist-holding.example',
      ),
    },
  },
  norrskenElnat: {
    id: 'e4b0917c-2f6d-4d18-9c55-8a7f30d1b622',
    displayName: 'Norrsken Elnät AB',
    domains: ['norrskenelnat.onmicrosoft.com', 'norrskenelnat.example'],
    region: 'EU',
    devicePrefix: 'NEL',
    background: 25,
    people: {
      asa: person(
        'c1000000-0000-4000-a000-000000000001',
        'Åsa Holmgren (Elnät)',
        'asa.holmgren@norrskenelnat.example',
        global,
      ),
      per: person('c1000000-0000-4000-a000-000000000002', 'Per Wikström', 'per.wikstrom@norrskenelnat.example'),
    },
  },
  hjorthagen: {
    id: 'a0c7d3e1-58b4-4c62-9b7f-1d20e6f3c845',
    displayName: 'Hjorthagen Fastigheter AB',
    domains: ['hjorthagen.onmicrosoft.com', 'hjorthagen.example'],
    region: 'EU',
    devicePrefix: 'HJF',
    background: 15,
    people: {
      fredrik: person('c2000000-0000-4000-a000-000000000001', 'Fredrik Alm', 'fredrik.alm@hjorthagen.example', global),
      eva: person('c2000000-0000-4000-a000-000000000002', 'Eva Rask', 'eva.rask@hjorthagen.example'),
    },
  },
} as const satisfies Record<string, CastTenant>

export type CastKey = keyof typeof cast

/** Brings the cast on: tenants, people, and 30 days of incidents that end at the world's present. */
export function bringOn(world: World, seed = 1, merged = true): void {
  for (const member of Object.values<CastTenant>(cast)) {
    world.addTenant({
      id: member.id,
      displayName: member.displayName,
      domains: [...member.domains],
      region: member.region,
      devicePrefix: member.devicePrefix,
      licensed: member.licensed ?? true,
      large: member.large ?? false,
    })
    for (const { appRoles, ...input } of Object.values(member.people)) {
      world.addPerson(member.id, { ...input, appRoles: [...(appRoles ?? [])] })
    }
    history(world, member, seed)
    if (merged) mergeOldest(world, member.id)
  }
}

function history(world: World, member: CastTenant, seed: number): void {
  const tenant = world.tenant(member.id)
  const firstHeadline = member.headlines?.[0]
  // Background incidents are older than the headlines, so their numbers are lower.
  tenant.nextIncidentId = Math.max(1, (firstHeadline?.id ?? member.background * 3) - member.background)
  world.generate(member.id, member.background, { seed: hashOf(`${seed}/${member.id}`) })
  for (const headline of member.headlines ?? []) {
    const createdMs = world.clock.now() - headline.hours * hour
    const story = headline.story
    world.addIncident(member.id, {
      id: headline.id,
      story,
      status: headline.status ?? 'active',
      assignedTo: headline.owner ?? null,
      tags: [...(headline.tags ?? [])],
      createdAt: instantOf(createdMs, 3333),
      lastUpdateAt: instantOf(createdMs + (headline.hours * hour) / 3, 6667),
      seed: hashOf(`${member.id}/${headline.id}`),
    })
  }
}

/** A chain: the two incidents that were active longest become one, and that one goes into the tenant's latest headline. */
export function mergeOldest(world: World, tenantId: string): void {
  const { headlines } = Object.values<CastTenant>(cast).find(({ id }) => id === tenantId) ?? {}
  const active = world
    .tenant(tenantId)
    .incidents.all()
    .filter(({ status, recipes }) => status === 'active' && recipes.length > 0)
  const [first, second] = active
  const survivor = headlines?.at(-1)?.id
  if (!first || !second || survivor === undefined || first.id === survivor || second.id === survivor) return
  const between = world.mergeIncidents(tenantId, [first.id, second.id])
  world.mergeIncidents(tenantId, [between.id], survivor)
}
