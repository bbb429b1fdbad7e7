import { cpSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { root } from './root.ts'

/** A folder as an installed release is: what was built last, and no `.env` of whoever works here. Gone with `remove`. */
export function releaseFolder(): { folder: string; remove(): void } {
  const folder = mkdtempSync(join(tmpdir(), 'muster-release-'))
  for (const part of ['dist', 'package.json', 'check-node.mjs'])
    cpSync(join(root, part), join(folder, part), { recursive: true })
  for (const part of ['node_modules', 'views', 'public']) symlinkSync(join(root, part), join(folder, part))
  return { folder, remove: () => rmSync(folder, { recursive: true, force: true }) }
}

/** As little as a portal starts with: a Microsoft that is nowhere, and any free port. */
export const leastEnvironment = {
  PORT: '0',
  PUBLIC_URL: 'http://localhost:0',
  SESSION_SECRET: 'zY8xW6vU4tS2rQ0pO9nM7lK5jI3hG1fE',
  AZURE_CLIENT_ID: '33333333-aaaa-4bbb-8ccc-0123456789ab',
  AZURE_CLIENT_SECRET: 'canary-client-secret',
  AZURE_TENANT_ID: '99999999-aaaa-4bbb-8ccc-0123456789ab',
  AZURE_AUTHORITY_HOST: 'http://127.0.0.1:1',
  DEFENDER_API_URL: 'http://127.0.0.1:1',
  GRAPH_API_URL: 'http://127.0.0.1:1',
}
