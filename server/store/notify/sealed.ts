import { type DataKeys, openFromStore, sealForStore } from '../../config/data-keys.ts'
import type { Database, Tx } from '../engine/dialect.ts'
import { listDestinations, resealDestination, sealedPlace, sealingPurpose } from './destinations.ts'
import { findSealedMailServer, mailServerPlace, mailServerPurpose, resealMailServer } from './mail-server.ts'

/** Something that the database keeps sealed, and which key opens it: the first, an older one, or none any more. */
export interface SealedRow {
  /** A destination's ID; null for the mail server of Settings. */
  destinationId: string | null
  /** What people call a destination; empty for the mail server. */
  name: string
  sealedBy: 'first' | 'older' | 'lost'
  /** Seals it anew with the first key, where an older one opened it. */
  reseal(tx: Tx): Promise<void>
}

interface Place {
  purpose: string
  place: string
  sealed: string
  replace(tx: Tx, anew: string): Promise<unknown>
}

/** All that is sealed in the database, by the keys there are. */
export async function sealedRows(db: Database, keys: DataKeys): Promise<SealedRow[]> {
  const rows = (await listDestinations(db)).map(({ id, name, sealed }) => {
    const replace = (tx: Tx, anew: string) => resealDestination(tx, id, sealed, anew)
    return rowOf(
      keys,
      { destinationId: id, name },
      { purpose: sealingPurpose, place: sealedPlace(id), sealed, replace },
    )
  })
  const kept = await findSealedMailServer(db)
  if (kept === null) return rows
  const { sealed } = kept
  const replace = (tx: Tx, anew: string) => resealMailServer(tx, sealed, anew)
  const place = { purpose: mailServerPurpose, place: mailServerPlace, sealed, replace }
  return [...rows, rowOf(keys, { destinationId: null, name: '' }, place)]
}

function rowOf(
  keys: DataKeys,
  named: Pick<SealedRow, 'destinationId' | 'name'>,
  { purpose, place, sealed, replace }: Place,
): SealedRow {
  const opened = openFromStore(keys, purpose, place, sealed)
  return {
    ...named,
    sealedBy: opened === null ? 'lost' : opened.current ? 'first' : 'older',
    async reseal(tx) {
      if (opened !== null && !opened.current) await replace(tx, sealForStore(keys, purpose, place, opened.text))
    },
  }
}
