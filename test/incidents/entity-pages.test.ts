import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { defenderAlert, defenderIncident, graphAlert, graphIncident } from '../support/payloads.ts'
import { onEachEngine } from '../support/portal.ts'
import { type RecordsPortal, startRecordsPortal } from '../support/records.ts'

const mails = ['anna', 'bo', 'cleo'].map((name) => `${name}@contoso.example`)
const hashes = ['a'.repeat(64), 'b'.repeat(64)]

const onGraph = [
  ...mails.map((recipientEmailAddress) => ({
    '@odata.type': '#microsoft.graph.security.analyzedMessageEvidence',
    subject: 'Invoice 4711',
    recipientEmailAddress,
    verdict: 'malicious',
  })),
  ...hashes.map((sha256) => ({
    '@odata.type': '#microsoft.graph.security.fileEvidence',
    fileDetails: { fileName: 'invoice.exe', sha256 },
  })),
  ...[40_001, 40_002].map((processId) => ({
    '@odata.type': '#microsoft.graph.security.processEvidence',
    processId,
    imageFile: { fileName: 'zsh' },
    processCommandLine: '-zsh',
  })),
]
const onDefender = [
  ...mails.map((recipient) => ({
    entityType: 'MailMessage',
    subject: 'Invoice 4711',
    recipient,
    verdict: 'Malicious',
  })),
  ...hashes.map((sha256) => ({ entityType: 'File', fileName: 'invoice.exe', sha256 })),
  ...[40_001, 40_002].map((processId) => ({
    entityType: 'Process',
    fileName: 'zsh',
    processId,
    processCommandLine: '-zsh',
  })),
]

const deep = (levels: number) => JSON.parse(`${'['.repeat(levels)}"the bottom"${']'.repeat(levels)}`) as unknown

onEachEngine('what an incident names', (engine) => {
  describe.each(['defender', 'graph'] as const)('on %s', (api) => {
    let portal: RecordsPortal
    const graph = api === 'graph'
    const incident = (id: string, more: object) =>
      graph ? graphIncident({ id, ...more }) : defenderIncident({ incidentId: id, alerts: [], ...more })
    /** A tenant with one incident of one alert; its page and that of its list. */
    async function readWith(evidence: unknown[], more: object = {}, ofAlert: object = {}) {
      const alert = graph
        ? graphAlert({ evidence, ...ofAlert })
        : defenderAlert({ devices: [], entities: evidence, ...ofAlert })
      const tenantId = await portal.tenantOf(
        [incident('1', { ...more, ...(graph ? {} : { alerts: [alert] }) })],
        new Map([['1', [alert]]]),
      )
      const open = async (path: string) => {
        const page = await portal.reader.open(`/tenants/${tenantId}/incidents${path}`)
        expect([path, page.status]).toEqual([path, 200])
        return page.text
      }
      return { tenantId, open }
    }
    beforeAll(async () => {
      portal = await startRecordsPortal(engine, api)
    })
    afterAll(() => portal.close())

    test('is counted, shown and found by whatever tells it apart', async () => {
      const { open } = await readWith(graph ? onGraph : onDefender)
      const page = await open('/1')
      expect(page).toContain('<p>7, the ones with a verdict first</p>')
      expect(page).toContain('3 recipients')
      for (const text of [...mails, ...hashes, '40001', '40002']) expect(page).toContain(text)
      for (const text of [mails[1], hashes[1], '40002'])
        expect([text, await open(`?q=${encodeURIComponent(text ?? '')}`)]).toEqual([
          text,
          expect.stringMatching(/<a class="title"/),
        ])
    })

    test('is all there, however much it is', async () => {
      const named = (n: number) =>
        graph
          ? { '@odata.type': '#microsoft.graph.security.urlEvidence', url: `https://x.example/${n}` }
          : { entityType: 'Url', url: `https://x.example/${n}` }
      const { open } = await readWith(Array.from({ length: 260 }, (_, n) => named(n)))
      const page = await open('/1')
      expect(page).toContain('Show 60 more')
      const [, href = ''] = /href="[^"]*(\?[^"]*entities=all[^"#]*)#entities"/.exec(page) ?? []
      const all = await open(`/1${href.replaceAll('&amp;', '&')}`)
      for (let n = 0; n < 260; n++) expect(all).toContain(`hxxps://x[.]example/${n}<`)
    })

    test('is shown as it came, however deep it is nested', async () => {
      const odd = graph
        ? { '@odata.type': '#microsoft.graph.security.quantumEvidence', displayName: 'Q', odd: deep(6_000) }
        : { entityType: 'Quantum', displayName: 'Q', odd: deep(6_000) }
      const { open } = await readWith([odd], { unknownField: deep(6_000) }, { another: deep(6_000) })
      const page = await open('/1')
      expect(page).toContain('unknownField')
      expect(page).toContain('the bottom')
      const { alerts } = await portal.here.portal.db
        .selectFrom('incidents')
        .select('alerts')
        .orderBy('number', 'desc')
        .executeTakeFirstOrThrow()
      expect(alerts).toContain('"name":"Q"')
    })
  })
})
