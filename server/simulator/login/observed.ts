import type { Told } from './aadsts.ts'

/** Refusals whose text was seen on the wire, by their number. */
export const observed: ReadonlyMap<number, Told> = new Map(
  Object.entries({
    7000218: {
      error: 'invalid_client',
      status: 401,
      message: "The request body must contain the following parameter: 'client_assertion' or 'client_secret'.",
    },
    53003: {
      error: 'invalid_grant',
      status: 400,
      message:
        'Access has been blocked by Conditional Access policies. The access policy does not allow token issuance.',
      suberror: 'message_only',
    },
    65001: {
      error: 'invalid_grant',
      status: 400,
      message:
        'The user or administrator has not consented to use the application. Send an interactive authorization request for this user and resource.',
      suberror: 'consent_required',
    },
    65004: { error: 'access_denied', status: 400, message: 'User declined to consent to access the app.' },
    90033: {
      error: 'temporarily_unavailable',
      status: 503,
      message: 'A transient error has occurred. Please try again.',
    },
    90024: { error: 'temporarily_unavailable', status: 503, message: 'The service is temporarily unavailable.' },
    90006: { error: 'server_error', status: 500, message: 'External service error. Retry the request.' },
    90055: {
      error: 'temporarily_unavailable',
      status: 429,
      message: 'The server terminated an operation because it encountered a tenant limit: too many requests.',
    },
    50196: {
      error: 'invalid_grant',
      status: 400,
      message:
        'The server terminated an operation because it encountered a client request loop. Please contact your app vendor.',
    },
    9001023: {
      error: 'invalid_request',
      status: 400,
      message:
        'The grant type is not supported over the /common or /consumers endpoints. Please use the /organizations or tenant-specific endpoint.',
    },
    90099: {
      error: 'invalid_grant',
      status: 400,
      message:
        'The application has not been authorized in the tenant. Applications must be authorized to access the external tenant before partner delegated administrators can use them.',
    },
    530034: {
      error: 'invalid_grant',
      status: 400,
      message:
        'A delegated administrator was blocked from accessing the tenant due to account risk in their home tenant.',
    },
    650057: {
      error: 'invalid_resource',
      status: 400,
      message:
        'Invalid resource. The client has requested access to a resource which is not listed in the requested permissions in the client’s application registration.',
    },
    90038: {
      error: 'invalid_request',
      status: 400,
      message:
        'The confidential client application is not allowed in this cloud. The tenant has been redirected to another cloud instance.',
    },
    700027: {
      error: 'invalid_client',
      status: 401,
      message:
        'The certificate with identifier used to sign the client assertion is not registered on application. [Reason - The key was not found.]',
    },
    700024: {
      error: 'invalid_client',
      status: 401,
      message: 'Client assertion is not within its valid time range.',
    },
    700023: {
      error: 'invalid_client',
      status: 401,
      message: 'Client assertion audience claim does not match Realm issuer.',
    },
    50027: { error: 'invalid_client', status: 401, message: 'JWT token is invalid or malformed.' },
    70008: {
      error: 'invalid_grant',
      status: 400,
      message:
        'The provided authorization code or refresh token has expired due to inactivity. Send a new interactive authorization request for this user and resource.',
    },
    54005: {
      error: 'invalid_grant',
      status: 400,
      message:
        'OAuth2 Authorization code was already redeemed, please retry with a new valid code or use an existing refresh token.',
      suberror: 'bad_token',
    },
    70000: {
      error: 'invalid_grant',
      status: 400,
      message: 'Provided grant is invalid or malformed.',
      suberror: 'bad_token',
    },
    501481: {
      error: 'invalid_grant',
      status: 400,
      message: 'The Code_Verifier does not match the code_challenge supplied in the authorization request.',
    },
    500112: {
      error: 'invalid_client',
      status: 400,
      message: 'The reply address does not match the reply address provided when requesting Authorization code.',
    },
    70003: { error: 'unsupported_grant_type', status: 400, message: 'The app requested an unsupported grant type.' },
  } satisfies Record<number, Told>).map(([code, told]) => [Number(code), told]),
)
