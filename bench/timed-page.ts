import { Agent, type IncomingMessage, request } from 'node:http'

const agent = new Agent({ keepAlive: true })

/** Milliseconds until a page of an operator is read. Not `fetch`: that one does not let the Host header be said, and the portal answers to its public host alone. */
export async function timed(port: number, host: string, path: string, cookie: string): Promise<number> {
  const started = performance.now()
  const { status, body } = await new Promise<{ status: number | undefined; body: string }>((resolve, reject) => {
    const headers = { cookie, host, accept: 'text/html', 'sec-fetch-site': 'same-origin' }
    request({ host: '127.0.0.1', port, path, headers, agent }, (response: IncomingMessage) => {
      const chunks: Buffer[] = []
      response.on('data', (chunk: Buffer) => chunks.push(chunk))
      response.on('end', () => resolve({ status: response.statusCode, body: Buffer.concat(chunks).toString() }))
      response.on('error', reject)
    })
      .on('error', reject)
      .end()
  })
  if (status !== 200) throw new Error(`${path} answered ${status}: ${body.slice(0, 300)}`)
  return performance.now() - started
}
