import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  randomBytes,
} from 'node:crypto'
import { exportJWK, type JWK, type JWTPayload, jwtVerify, SignJWT } from 'jose'

/** Claims of an access token, in a form both APIs understand. */
export interface AccessClaims {
  aud: string
  tid: string
  appid: string
  exp: number
  roles: string[]
  /** Delegated tokens only. */
  scp: string | null
}

let processKey: KeyObject | null = null

function makeKey(): KeyObject {
  return generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey
}

/** The signing key of this Microsoft, and the tokens it has made opaque. */
export class Keys {
  readonly #privateKey: KeyObject
  readonly #publicKey: KeyObject
  readonly #jwk: JWK
  readonly kid: string
  readonly pem: string
  /** Tokens that are no JWTs, and signatures that were already checked. Bounded; the oldest go first. */
  readonly #known = new Map<string, AccessClaims>()

  private constructor(privateKey: KeyObject, jwk: JWK) {
    this.#privateKey = privateKey
    this.#publicKey = createPublicKey(privateKey)
    this.pem = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
    this.kid = createHash('sha256')
      .update(jwk.n ?? '')
      .digest('base64url')
      .slice(0, 27)
    this.#jwk = { ...jwk, kid: this.kid, x5t: this.kid, use: 'sig', alg: 'RS256' }
  }

  /**
   * @param pem PKCS #8 private key to go on with. Without it: the one key of this process, because making one takes a
   * third of a second and tests start many simulators; `fresh` makes another.
   */
  static async open(pem: string | undefined, fresh: boolean): Promise<Keys> {
    const privateKey = pem ? createPrivateKey(pem) : fresh || !processKey ? makeKey() : processKey
    if (!pem) processKey ??= privateKey
    return new Keys(privateKey, await exportJWK(createPublicKey(privateKey)))
  }

  jwks(issuer: string): { keys: (JWK & { issuer: string })[] } {
    return { keys: [{ ...this.#jwk, issuer }] }
  }

  /** @param claims complete payload; nothing is added */
  async sign(claims: JWTPayload): Promise<string> {
    return new SignJWT(claims)
      .setProtectedHeader({ typ: 'JWT', alg: 'RS256', kid: this.kid, x5t: this.kid })
      .sign(this.#privateKey)
  }

  /** A token only this Microsoft can read. */
  conceal(claims: AccessClaims): string {
    const token = `EwB${randomBytes(180).toString('base64')}`
    this.#remember(token, claims)
    return token
  }

  /** Claims of a token made here and not yet expired at `now` (milliseconds); null for every other text. */
  async read(token: string, now: number): Promise<AccessClaims | null> {
    const checked = this.#known.get(token)
    const claims = checked ?? (await this.#verify(token, now))
    if (!claims || claims.exp * 1000 <= now) return null
    if (!checked) this.#remember(token, claims)
    return claims
  }

  async #verify(token: string, now: number): Promise<AccessClaims | null> {
    try {
      const { payload } = await jwtVerify(token, this.#publicKey, { algorithms: ['RS256'], currentDate: new Date(now) })
      const { aud, tid, appid, exp, roles, scp } = payload
      if (typeof aud !== 'string' || typeof tid !== 'string' || typeof appid !== 'string' || !exp) return null
      return {
        aud,
        tid,
        appid,
        exp,
        roles: Array.isArray(roles) ? roles.map(String) : [],
        scp: typeof scp === 'string' ? scp : null,
      }
    } catch {
      return null
    }
  }

  #remember(token: string, claims: AccessClaims): void {
    this.#known.set(token, claims)
    const [oldest] = this.#known.keys()
    if (this.#known.size > 20_000 && oldest !== undefined) this.#known.delete(oldest)
  }
}
