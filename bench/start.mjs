// From the command to the first "ready", against a Node.js that does nothing but listen.
import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { createServer } from 'node:http'
import { fileURLToPath } from 'node:url'
import { clientId, clientSecret, partnerTenantId, percentile, temporaryFolder } from './stage.mjs'

const rounds = 5
const main = fileURLToPath(new URL('../dist/main.js', import.meta.url))
const nothing = `require('node:http').createServer((q, s) => s.end()).listen(process.env.PORT, '127.0.0.1')`

export async function measureStart() {
  const ours = []
  const floor = []
  const folder = temporaryFolder()
  try {
    for (let round = 0; round < rounds; round++) {
      floor.push(await untilReady(['-e', nothing], {}))
      ours.push(
        await untilReady([main], {
          DATA_DIR: folder.path,
          SESSION_SECRET: randomBytes(48).toString('base64url'),
          AZURE_CLIENT_ID: clientId,
          AZURE_CLIENT_SECRET: clientSecret,
          AZURE_TENANT_ID: partnerTenantId,
          LOG_LEVEL: 'silent',
        }),
      )
    }
  } finally {
    folder.remove()
  }
  const median = (list) =>
    percentile(
      [...list].sort((a, b) => a - b),
      0.5,
    )
  return { row: 'start to ready', ours: median(ours), floor: median(floor), ratio: median(ours) / median(floor) }
}

async function untilReady(args, env) {
  const port = await freePort()
  const started = performance.now()
  const child = spawn(process.execPath, args, {
    env: { PATH: process.env.PATH, PORT: String(port), ...env },
    cwd: fileURLToPath(new URL('.', import.meta.url)),
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  try {
    for (;;) {
      const ready = await fetch(`http://127.0.0.1:${port}/readyz`).then(
        (response) => response.ok,
        () => false,
      )
      if (ready) return performance.now() - started
      if (child.exitCode !== null) throw new Error(`the process ended with ${child.exitCode}`)
      if (performance.now() - started > 30_000) throw new Error('not ready in 30 s')
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
  } finally {
    child.kill('SIGKILL')
    await new Promise((resolve) =>
      child.exitCode !== null || child.signalCode !== null ? resolve() : child.once('exit', resolve),
    )
  }
}

async function freePort() {
  const server = createServer()
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address()
  await new Promise((resolve) => server.close(resolve))
  return port
}
