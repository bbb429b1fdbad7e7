import type { Request, Response } from 'express'
import type { Portal } from '../portal.ts'
import type { Scope } from '../store/scope.ts'
import type { Frame } from './frame/frame.ts'
import type { Lifecycle } from './lifecycle.ts'
import type { OperatorRole, SignedInOperator } from './operator.ts'
import type { Reader } from './reader.ts'

/**
 * Who may come in. `customer-browser`: whoever holds the cookie given when a visitor continued to Microsoft;
 * `signed-in`: any operator with a role; a role: that role or one above it (Admin ⊃ Analyst ⊃ Reader).
 */
export type Access = 'public' | 'customer-browser' | 'signed-in' | OperatorRole

export interface OperatorRequest extends Request {
  operator: SignedInOperator
  /** Whose data she may see. */
  scope: Scope
}

export interface CustomerRequest extends Request {
  /** The cookie of the browser, 256 bits; kept as a digest alone. */
  browser: string
}

/** Parse, one call, answer. What it throws is answered by errors.ts. */
export type Handler<R extends Request = Request> = (portal: Portal, req: R, res: Response) => unknown

interface RouteOptions {
  method: 'GET' | 'POST'
  path: string
  /** Unauthenticated requests are counted by address: a page, the start of a run at Microsoft, a return from there. */
  limit?: 'page' | 'start' | 'return'
  /** Bytes of form a POST may bring; 32 kB unless said. */
  bodyLimit?: number
  /** Answers whatever Host asks: load balancers ask by address. */
  anyHost?: true
  /** Where a public form stands: that page is shown again when the form was open for too long. */
  formPage?: (req: Request) => string
  /** Looks at the session although nobody need be signed in. */
  readsSession?: true
  /** It concerns the whole portal: for operators who may see every customer. */
  wholePortal?: true
  /** Its GET changes something, or asks Microsoft: a HEAD, as scanners and previews send it, is answered before any of that. */
  getChanges?: true
}

export type Route = RouteOptions &
  (
    | { access: 'public'; handler: Handler }
    | { access: 'customer-browser'; handler: Handler<CustomerRequest> }
    | { access: 'signed-in' | OperatorRole; handler: Handler<OperatorRequest> }
  )

/** Counts one code that is about to be redeemed. @throws PortalError `TOO_MANY_REQUESTS` */
type CountCode = (req: Request) => Promise<void>

declare global {
  namespace Express {
    interface Request {
      /** Ours alone: what a client sends as one is not looked at. */
      requestId: string
      operator?: SignedInOperator
      scope?: Scope
      browser?: string
    }
    interface Locals {
      portal: Portal
      lifecycle: Lifecycle
      countCode: CountCode
      reader: Reader
      /** The roles are too old for what a form asks. */
      rolesTooOld?: boolean
      /** Until when roles hold that Microsoft cannot be asked for; null while it can. */
      rolesHoldUntil?: string | null
      /** Reads the operator's frame; set when there is an operator. */
      frame?: () => Promise<Frame>
    }
  }
}
