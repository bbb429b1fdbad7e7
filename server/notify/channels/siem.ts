import { z } from 'zod'
import type { Message } from '../message.ts'
import { type Channel, post } from './channel.ts'

/** A collector that reads JSON lines over https, and what it asks for: a whole `Authorization` header, or nothing. */
export const siemAddress = z.object({ url: z.string(), authorization: z.string().nullable() })
export type SiemAddress = z.infer<typeof siemAddress>

const linesTogether = 100

/** One event a line. What is added later is added beside; nothing is taken away or renamed. */
export const siemLine = ({ id, type, at, heading, data }: Message): string =>
  JSON.stringify({ time: at, product: 'Muster', id, type, message: heading, ...data })

export const siem: Channel<SiemAddress> = {
  together: linesTogether,
  async send(portal, door, { address }, messages) {
    const headers = {
      'content-type': 'application/x-ndjson',
      'user-agent': 'Muster',
      ...(address.authorization === null ? {} : { authorization: address.authorization }),
    }
    const body = `${messages.map(siemLine).join('\n')}\n`
    const secrets = address.authorization === null ? [] : [address.authorization, ...address.authorization.split(/\s+/)]
    return post(portal, door, { url: address.url, headers, body }, secrets)
  },
}
