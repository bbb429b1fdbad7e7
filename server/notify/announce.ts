import type { Portal } from '../portal.ts'
import { write } from '../store/engine/write.ts'
import { firstAnnouncementAt, takeAnnouncements } from '../store/notify/alarms.ts'
import { listDestinations } from '../store/notify/destinations.ts'
import { addMessages } from '../store/notify/outbox.ts'
import { groupsOfCustomers } from '../store/notify/subjects.ts'
import { findMailServer } from './mail-server.ts'
import { addressed } from './rules.ts'

const alarmsAtOnce = 50

/**
 * Writes what alarms have to tell to the outbox, by the rules of the destinations: an alarm is noted as told in the same
 * transaction, so that it is told once however often a process is killed.
 * @returns how many alarms had something to tell
 */
export async function announceDue(portal: Portal): Promise<number> {
  const { db, now } = portal
  if ((await firstAnnouncementAt(db, now())) === null) return 0
  // Before the transaction: it has the one connection there is.
  const mail = (await findMailServer(portal)) !== null
  return write(db, async (tx) => {
    const at = now()
    const announcements = await takeAnnouncements(tx, at, alarmsAtOnce)
    if (announcements.length === 0) return 0
    const customers = announcements.flatMap(({ alarm }) => alarm.customerId ?? [])
    const groups = await groupsOfCustomers(tx, customers)
    const around = {
      destinations: await listDestinations(tx),
      groupsOf: (customerId: string) => groups.get(customerId) ?? [],
      mail,
    }
    await addMessages(tx, addressed(announcements, around, at), at)
    return announcements.length
  })
}
