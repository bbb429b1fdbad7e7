import type { Portal } from '../portal.ts'
import type { Actor } from '../store/audit.ts'
import { write } from '../store/engine/write.ts'
import { endSessionOf, endSessionsBut } from '../store/operators/signed-in.ts'

/** Ends somebody's session. @throws PortalError NOT_FOUND */
export async function endOneSession({ db, now }: Portal, actor: Actor, hash: string): Promise<void> {
  await write(db, (tx) => endSessionOf(tx, actor, hash, now()))
}

/** Ends all sessions but the one of that hash. */
export async function endOtherSessions({ db, now }: Portal, actor: Actor, kept: string): Promise<void> {
  await write(db, (tx) => endSessionsBut(tx, actor, kept, now()))
}
