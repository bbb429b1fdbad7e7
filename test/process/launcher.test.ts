import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals'
import { build } from '../support/build.ts'
import { temporaryFolder } from '../support/places.ts'
import { leastEnvironment, releaseFolder } from '../support/release.ts'
import { until } from '../support/waiting.ts'

const folder = temporaryFolder()
let release: ReturnType<typeof releaseFolder>
const left = new Set<number>()
let places = 0

beforeAll(() => {
  build()
  release = releaseFolder()
})
afterEach(() => {
  for (const pid of left) if (lives(pid)) process.kill(pid, 'SIGKILL')
  left.clear()
})
afterAll(() => {
  release.remove()
  folder.remove()
})

const lives = (pid: number): boolean => {
  try {
    return !/\) Z /.test(readFileSync(`/proc/${pid}/stat`, 'latin1'))
  } catch {
    return false
  }
}

interface Started {
  launcher: number
  portal: number
  port: number
  /** Standard output and the log of the portal so far. */
  text(): string
}

/** A launcher that runs the portal through a shell, as npm does, or by itself; each writes its own ID first. */
async function startBy(launcher: 'shell' | 'itself', npm: boolean): Promise<Started> {
  const main = join(release.folder, 'dist', 'main.js')
  const env = {
    PATH: process.env.PATH,
    ...(npm ? { npm_lifecycle_event: 'start' } : {}),
    ...leastEnvironment,
    DATA_DIR: join(folder.path, `data-${places++}`),
    LOG_LEVEL: 'info',
    MAIN: main,
    NODE: process.execPath,
  }
  const inner =
    launcher === 'shell' ? `sh -c '"$NODE" "$MAIN" & echo portal $!; wait' &` : `"$NODE" "$MAIN" & echo portal $!;`
  const child = spawn('sh', ['-c', `echo launcher $$; ${inner} wait`], { env, stdio: ['ignore', 'pipe', 'pipe'] })
  let text = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (data) => (text += String(data)))
  const said = async (pattern: RegExp) => {
    await until(() => pattern.test(text), { withinMs: 60_000, what: `${pattern}` })
    return Number(pattern.exec(text)?.[1])
  }
  const portal = await said(/portal (\d+)/)
  left.add(portal)
  const port = await said(/Muster runs at http:\/\/localhost:(\d+)/)
  return { launcher: await said(/launcher (\d+)/), portal, port, text: () => text }
}

const linux = process.platform === 'linux' ? describe : describe.skip

linux('a portal that npm started', () => {
  test.each(['shell', 'itself'] as const)(
    'ends in good order when npm is gone, with %s between them',
    async (between) => {
      const { launcher, portal, text } = await startBy(between, true)
      process.kill(launcher, 'SIGKILL')
      await until(() => !lives(portal), { withinMs: 30_000, what: 'the portal has ended' })
      expect(text()).toContain('the npm that started this process is gone')
      expect(text()).not.toMatch(/"level":"(error|fatal)"/)
    },
  )

  test('takes the second of two signals at once for the echo that npm makes of the first', async () => {
    const { portal, text } = await startBy('itself', true)
    process.kill(portal, 'SIGINT')
    await until(() => text().includes('"stopping"'), { what: 'it stops' })
    process.kill(portal, 'SIGINT')
    await until(() => !lives(portal), { withinMs: 30_000, what: 'the portal has ended' })
    expect(text().match(/"msg":"stopping"/g)).toHaveLength(1)
  })
})

linux('a portal that something else started', () => {
  test('goes on without its parent', async () => {
    const { launcher, portal, port, text } = await startBy('itself', false)
    process.kill(launcher, 'SIGKILL')
    await until(() => !lives(launcher), { what: 'its parent is gone' })
    const parent = () => / \w (\d+)/.exec(readFileSync(`/proc/${portal}/stat`, 'latin1'))?.[1]
    await until(() => parent() !== String(launcher), { what: 'it has another parent' })
    const deadline = performance.now() + 1_200
    await until(() => performance.now() > deadline, { what: 'a watch would have noticed' })
    expect((await fetch(`http://127.0.0.1:${port}/readyz`)).status).toBe(200)
    expect(text()).not.toContain('stopping')
    process.kill(portal, 'SIGTERM')
    await until(() => !lives(portal), { withinMs: 30_000, what: 'the portal has ended' })
  })
})
