import { once } from 'node:events'
import { type AddressInfo, createServer, type Server } from 'node:net'

/** Listens on a port of 127.0.0.1 that the system chooses. Takes `http` servers as well. @returns the port */
export async function listen(server: Server): Promise<number> {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return (server.address() as AddressInfo).port
}

/** Ends the server and the connections that nobody uses any more. */
export const closed = (server: Server): Promise<void> => new Promise((resolve) => server.close(() => resolve()))

/** A port of 127.0.0.1 that was free a moment ago. */
export async function freePort(): Promise<number> {
  const server = createServer()
  const port = await listen(server)
  await closed(server)
  return port
}
