import type { SignedInPerson } from '../model/access.ts'
import type { Actor } from '../store/audit.ts'

/** A browser on its way: the secret of its cookie, and who it is for the audit log. */
export interface Visitor {
  browser: string | null
  actor: Actor & { kind: 'customer' }
  /** Keyed hash of its network address, by which is counted; null when nobody knows it. */
  addressHash: string | null
}

/**
 * That a browser left for Microsoft, which the browser alone keeps, in a sealed cookie: whoever presses the button ten
 * thousand times leaves nothing here but a count.
 */
export interface Departure {
  /** What Microsoft is to send back with it. */
  state: string
  linkId: string
  /** `classic` where it goes on by the rules of the classic link. */
  kind: 'landing' | 'classic'
  /** In UTC. */
  leftAt: string
}

/** Where to send the browser next. */
export type Step =
  /** On to Microsoft; `sealed` or `departure` must come back with the browser, and `browser` be kept as its cookie. */
  | {
      kind: 'microsoft'
      url: string
      sealed: SealedProof | null
      departure: Departure | null
      browser: string
    }
  /** To the page of its attempt. */
  | { kind: 'attempt'; attemptId: string; browser: string }
  /** Back to the page of its link: nothing was kept of this run. */
  | { kind: 'landing'; linkId: string; browser: string }
  /** Nothing to show to whoever this is. */
  | { kind: 'stranger' }

/** The secrets of a sign-in that proves a tenant; they live in the browser's sealed cookie alone. */
export interface SealedProof {
  /** Of the sign-in: what the browser will come back with. */
  state: string
  /** The run that is being proven; null for one of which nothing is kept yet. */
  attemptId: string | null
  /** What is not kept here of that run; null for one that is. A cookie of the version before has neither this nor `tenantId`. */
  unkept?: UnkeptRun | null | undefined
  /** The tenant that was asked to sign in; null for whichever it is. */
  tenantId?: string | null | undefined
  nonce: string
  codeVerifier: string
  silent: boolean
}

/** A run of which nothing is kept, because too many of its link are: it goes on to its proof, and is kept with that. */
export interface UnkeptRun {
  linkId: string
  kind: 'landing' | 'classic'
  /** What the browser claimed; null for a code. */
  claimedTenantId: string | null
  leftAt: string
}

/** A sign-in that has come back, and the run that it was to prove. */
export interface SignIn {
  state: string
  /** ID of the run; what is carried along of one that has no row. */
  run: string | UnkeptRun
  /** False for a second return with the same state, or of a sign-in whose place another has taken: it proves nothing. */
  taken: boolean
  /** The tenant that was asked to sign in; null for whichever it is. */
  tenantId: string | null
  /** `needs-person`: it was tried silently, and Microsoft needs a person · `unproven`: it came to nothing. */
  end: { kind: 'person'; person: SignedInPerson } | { kind: 'needs-person' } | { kind: 'unproven' }
}
