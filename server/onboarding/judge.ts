import type { ConsentRefusal } from '../model/aadsts.ts'
import type { AttemptOutcome } from '../store/onboarding/attempts.ts'
import type { LinkState } from '../store/onboarding/links.ts'
import type { ReviewEvidence, ReviewKind } from '../store/onboarding/reviews.ts'
import type { ConsentRight } from './consent-right.ts'
import { type BindingFacts, type BindingVerdict, judgeBinding, objectionTo } from './judge-binding.ts'

/** What a return from Microsoft says. Of a sign-in it is what was made of its code, before anything is judged. */
export type Claim =
  | { kind: 'granted'; tenantId: string }
  | { kind: 'refused'; reason: ConsentRefusal }
  /** The classic link's answer: it names no tenant. */
  | { kind: 'code' }
  /** It cannot be read at all. */
  | { kind: 'unreadable' }
  /** A validated sign-in; `right` says whether it shows that this person may give the tenant. */
  | { kind: 'person'; tenantId: string; right: ConsentRight }
  /** The silent sign-in needs a person; `tenantId` is the one that was asked for, null for any. */
  | { kind: 'needs-person'; tenantId: string | null }
  /** The sign-in came to nothing. */
  | { kind: 'unproven' }

/**
 * How a return is tied to a run. `first`: it is that run's, in time and in its own browser · `late`: that, after its time
 * was over · `again`: its browser has been here with it · `elsewhere`: a state of ours, in a browser that did not set out with
 * it · `mangled`: no state of ours, in a browser that set out and has not come back · `unknown`: nobody's.
 */
export type Tie = 'first' | 'late' | 'again' | 'elsewhere' | 'mangled' | 'unknown'

/** The run of a return that is tied to one, or that can become one. */
export interface RunFacts {
  kind: 'landing' | 'classic'
  /** `kept`: it has a row · `room`: it can have one · `full`: so many are kept of its link that it cannot. */
  row: 'kept' | 'room' | 'full'
  /** A token proved it meanwhile. */
  bound: boolean
  pinnedTenantId: string | null
  /** What the browser claimed when it came back before; null for nothing. */
  claimedTenantId: string | null
  link: LinkState
}

/** All that decides what follows from a return. */
export interface ReturnFacts {
  claim: Claim
  tie: Tie
  /** Whether this browser has a page of a run to go to, where this return makes none. */
  page: boolean
  /** Of `first`, `late` and `mangled` alone. */
  run: RunFacts | null
  /** Of a claim that names a tenant, where the run could end with it. */
  binding: BindingFacts | null
}

/** What a run is from now on. */
export interface RunEnd {
  outcome: AttemptOutcome
  /** The tenant it is about from now on; null leaves that as it was. */
  tenantId: string | null
  evidence: ReviewEvidence
  /** Why an operator has to decide on it; null where nobody has to. */
  review: ReviewKind | null
  /** What the audit log says of it: that the attempt came to nothing, or that the tenant was refused. */
  witness: 'attempt' | 'tenant' | null
}

export interface ReturnVerdict {
  /** `page`: of the run · `sign-in`: on to Microsoft · `landing`: the page of its link · `stranger`: nothing to see. */
  next: 'page' | 'sign-in' | 'landing' | 'stranger'
  /** Null leaves the run as it was, or as it is first kept. */
  end: RunEnd | null
  /** Kept for an operator apart from any run; its evidence is what a browser said. */
  beside: { kind: 'unclaimed' | 'mangled' | 'code'; tenantId: string | null } | null
  /** Of a sign-in: the tenant that is asked; null for whichever it is. */
  signIn: string | null
}

/** What follows from a return. It looks nothing up and changes nothing: the same facts give the same verdict. */
export function judgeReturn(facts: ReturnFacts): ReturnVerdict {
  const { claim, tie, run } = facts
  const page = verdictOf(facts.page ? 'page' : 'stranger')
  if (tie === 'again' || tie === 'unknown') return page
  if (tie === 'elsewhere' || run === null) return { ...page, beside: unclaimed(claim) }
  // Nothing that comes back later takes a proven tenant away again.
  if (run.bound) return verdictOf('page')
  if (isOfSignIn(claim)) return judgeSignIn(claim, run, facts.binding)
  if (tie === 'mangled') return judgeMangled(claim, run)
  if (claim.kind === 'unreadable') return page
  if (run.row === 'full') return judgeUnkept(claim, run)
  return tie === 'late' ? judgeLate(claim, run) : judgeFirst(claim, run, facts.binding)
}

type SignInClaim = Claim & { kind: 'person' | 'needs-person' | 'unproven' }
type BrowserClaim = Exclude<Claim, SignInClaim>
type ReadClaim = Exclude<BrowserClaim, { kind: 'unreadable' }>

const isOfSignIn = (claim: Claim): claim is SignInClaim =>
  claim.kind === 'person' || claim.kind === 'needs-person' || claim.kind === 'unproven'

function judgeFirst(claim: ReadClaim, run: RunFacts, binding: BindingFacts | null): ReturnVerdict {
  if (claim.kind === 'refused') return verdictOf('page', { end: refusedBy(claim.reason) })
  if (run.link === 'withdrawn') {
    return verdictOf('page', { end: endOf('link-withdrawn', { witness: 'attempt' }), beside: keptOf(claim, run) })
  }
  // Whichever organisation a code is of: asking only for the expected one would never tell that it was another.
  if (claim.kind !== 'granted') return verdictOf('sign-in')
  const { tenantId } = claim
  if (run.pinnedTenantId === null || binding === null) {
    return verdictOf('sign-in', { end: endOf('claimed', { tenantId }), signIn: tenantId })
  }
  return verdictOf('page', { end: endOfBinding(judgeBinding(binding), { tenantId, evidence: 'callback' }) })
}

/** Its page says that somebody looks at it. */
function judgeLate(claim: ReadClaim, run: RunFacts): ReturnVerdict {
  if (claim.kind !== 'granted') return verdictOf('page', { beside: keptOf(claim, run) })
  return verdictOf('page', { end: endOf('review', { tenantId: claim.tenantId, review: 'unclaimed' }) })
}

/** A no is one, however its address was altered: nothing follows from it. */
function judgeMangled(claim: BrowserClaim, run: RunFacts): ReturnVerdict {
  const beside = claim.kind === 'granted' ? ({ kind: 'mangled', tenantId: claim.tenantId } as const) : null
  if (run.row === 'full') return verdictOf('landing', { beside })
  return verdictOf('page', { beside, end: claim.kind === 'refused' ? refusedBy(claim.reason) : null })
}

/**
 * So many runs of this link are kept that none can give way: a stranger pressed on. Nothing is kept of this one before its
 * browser has shown by a sign-in whom it belongs to; then it has a row like any other.
 */
function judgeUnkept(claim: ReadClaim, { link, pinnedTenantId }: RunFacts): ReturnVerdict {
  const over = link === 'withdrawn' || link === 'completed'
  if (over || claim.kind === 'refused') return verdictOf('landing')
  const signIn = claim.kind === 'granted' ? claim.tenantId : null
  if (signIn !== null && pinnedTenantId !== null && pinnedTenantId !== signIn) return verdictOf('landing')
  return verdictOf('sign-in', { signIn })
}

function judgeSignIn(claim: SignInClaim, run: RunFacts, binding: BindingFacts | null): ReturnVerdict {
  if (claim.kind === 'needs-person') return verdictOf('sign-in', { signIn: claim.tenantId })
  const unkept = run.row !== 'kept'
  if (claim.kind === 'unproven') return unkept ? verdictOf('landing') : verdictOf('page', { end: endUnproven(run) })
  if (unkept && run.link === 'completed') return verdictOf('landing')
  return verdictOf('page', { end: endProven(claim, run, binding) })
}

/** What becomes of a run whose tenant no sign-in has shown: what the browser claimed is left for an operator. */
export function endUnproven({ claimedTenantId }: Pick<RunFacts, 'claimedTenantId'>): RunEnd {
  if (claimedTenantId === null) return endOf('sign-in-failed', { witness: 'attempt' })
  return endOf('review', { tenantId: claimedTenantId, review: 'unpinned' })
}

function endProven(
  { tenantId, right }: Claim & { kind: 'person' },
  run: RunFacts,
  binding: BindingFacts | null,
): RunEnd {
  const evidence = 'sign-in'
  // What a browser claimed counts only where the claim came back to the browser that had set out.
  const expected = (run.kind === 'classic' ? null : run.claimedTenantId) ?? run.pinnedTenantId
  if (expected !== null && expected !== tenantId) {
    return endOf('other-tenant-signed-in', { tenantId, evidence, witness: 'attempt' })
  }
  const known = { tenantId, evidence } as const
  if (expected === null || binding === null) {
    return endForReview(right === 'guest' ? 'guest' : 'unpinned', known, binding)
  }
  // The right to give a tenant counts where neither an operator named it beforehand nor this customer has it already.
  const needed = run.pinnedTenantId === null && binding.owner?.customerId !== binding.customerId
  if (right === 'guest' || (right !== 'shown' && needed)) return endForReview(right, known, binding)
  return endOfBinding(judgeBinding(binding), known)
}

type Known = Pick<RunEnd, 'evidence'> & { tenantId: string }

/**
 * An operator has to decide. What can never be this customer's is refused here and now, but only to somebody proven to
 * belong to it: to a claim that anybody can make up, the answer must not tell whether a tenant is known here.
 */
function endForReview(review: ReviewKind, known: Known, binding: BindingFacts | null): RunEnd {
  const belongs = known.evidence === 'sign-in' && review !== 'guest'
  const objection = belongs && binding !== null ? objectionTo(binding) : null
  return objection === null ? endOf('review', { ...known, review }) : endOf(objection, { ...known, witness: 'tenant' })
}

/** What becomes of a run whose tenant is known, as a verdict about that tenant has it. */
export function endOfBinding(verdict: BindingVerdict, known: Known): RunEnd {
  switch (verdict) {
    case 'allowed':
      return endOf('awaiting-proof', known)
    case 'bound':
      return endOf('bound', known)
    case 'link-withdrawn':
      return endOf('link-withdrawn', { ...known, review: 'unclaimed', witness: 'attempt' })
    case 'late':
      return endOf('review', { ...known, review: 'unclaimed' })
    case 'needs-decision':
      return endOf('review', { ...known, review: 'unpinned' })
    default:
      return endOf(verdict, { ...known, witness: 'tenant' })
  }
}

/** How a run ends that Microsoft, or a person there, said no to. */
export const outcomeOf: Record<ConsentRefusal, AttemptOutcome> = {
  declined: 'declined',
  cancelled: 'declined',
  'not-admin': 'not-admin',
  'wrong-tenant': 'wrong-tenant',
  unlicensed: 'unlicensed',
  misconfigured: 'misconfigured',
  other: 'refused',
}

const refusedBy = (reason: ConsentRefusal) => endOf(outcomeOf[reason], { witness: 'attempt' })

const unclaimed = (claim: Claim): ReturnVerdict['beside'] =>
  claim.kind === 'granted' ? { kind: 'unclaimed', tenantId: claim.tenantId } : null

/** A code that came with a classic link that has ended is not redeemed: that it came is kept for an operator. */
const keptOf = (claim: Claim, { kind }: RunFacts): ReturnVerdict['beside'] =>
  claim.kind === 'code' && kind === 'classic' ? { kind: 'code', tenantId: null } : unclaimed(claim)

const verdictOf = (next: ReturnVerdict['next'], more: Partial<ReturnVerdict> = {}): ReturnVerdict => ({
  next,
  end: null,
  beside: null,
  signIn: null,
  ...more,
})

const endOf = (outcome: AttemptOutcome, more: Partial<RunEnd> = {}): RunEnd => ({
  outcome,
  tenantId: null,
  evidence: 'callback',
  review: null,
  witness: null,
  ...more,
})
