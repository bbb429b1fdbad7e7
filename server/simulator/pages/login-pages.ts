import type { Response } from 'express'
import { describe, type LoginRefusal, type Trace } from '../login/refusals.ts'
import { permissionTexts, type SimulatorRegistration } from '../login/registration.ts'
import type { Errand } from '../login/sessions.ts'
import type { SimulatorParts } from '../parts.ts'
import type { Person, Tenant } from '../world/directory.ts'
import { html, type Markup } from './html.ts'

/**
 * Sends a whole page. Nothing in it runs scripts, and nothing is fetched but the simulator's own style sheet. The
 * referrer policy is not `no-referrer`: browsers then post forms with `Origin: null`, and our own check refuses them.
 */
export function sendPage(res: Response, status: number, title: string, content: Markup, lang = 'en'): void {
  res
    .status(status)
    .set({
      'Content-Security-Policy':
        "default-src 'none'; style-src 'self'; img-src 'self' data:; frame-src 'self'; base-uri 'none'; frame-ancestors 'none'",
      'Cache-Control': 'no-store',
      'Referrer-Policy': 'same-origin',
      'X-Content-Type-Options': 'nosniff',
    })
    .type('html')
    .send(
      html`<!doctype html>
<html lang="${lang}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title} · Simulated Microsoft</title>
<link rel="stylesheet" href="/_sim/simulator.css">
<link rel="icon" href="data:,">
</head>
<body>
<header class="banner"><p><strong>Simulated Microsoft</strong> Not the real one: no password is asked for, nothing leaves this machine.</p></header>
<main>${content}</main>
</body>
</html>
`.text,
    )
}

/** In plain words, to whoever came with an account of another tenant; and back to the accounts, as Microsoft offers. */
export function elsewhereNote(errand: Errand, directory: string): Markup {
  const query = new URLSearchParams({ ...errand.params, prompt: 'select_account' })
  const version = errand.version === 2 ? '/v2.0' : ''
  return html`<p><strong>Only accounts of ${directory} can sign in here.</strong> People of other organisations have no access to this app at ${directory}.</p>
<p class="actions"><a href="/${errand.authority}/oauth2${version}/authorize?${query.toString()}">Use a different account</a></p>`
}

/** Every account there is, to click on: those of this browser first, then the tenant in question, then by tenant. */
export function sendAccountPage(
  parts: SimulatorParts,
  res: Response,
  errand: Errand,
  app: SimulatorRegistration,
  known: readonly Person[],
): void {
  const tenants = parts.world.tenants().filter((tenant) => !tenant.deleted)
  const pinned = parts.world.find(errand.authority)
  const first = (tenant: Tenant) => (tenant.id === pinned?.id ? 0 : tenant.id === app.homeTenantId ? 1 : 2)
  const groups = tenants.sort((a, b) => first(a) - first(b) || a.displayName.localeCompare(b.displayName))
  sendPage(
    res,
    200,
    'Pick an account',
    html`<section class="card">
<h1>Pick an account</h1>
<p>to continue to <strong>${app.displayName}</strong>${pinned ? html` at ${pinned.displayName}` : null}</p>
<form method="post" action="/${errand.authority}/login">
<input type="hidden" name="flow" value="${errand.id}">
${known.length > 0 ? accountList('Signed in in this browser', known, 'known') : null}
${groups.map((tenant) =>
  accountList(
    tenant.displayName,
    tenant.people.filter(({ home }) => home === null),
    tenant.id,
    tenant.domains.at(-1),
  ),
)}
<p class="actions"><button name="cancel" value="1" class="quiet">Back</button></p>
</form>
</section>`,
  )
}

function accountList(title: string, people: readonly Person[], key: string, note?: string): Markup {
  if (people.length === 0) return html``
  return html`<section class="group" aria-labelledby="g-${key}">
<h2 id="g-${key}">${title}${note ? html` <span class="note">${note}</span>` : null}</h2>
${people.map(
  (person) =>
    html`<button name="account" value="${person.id}" class="account"><span class="name">${person.name}</span> <span class="note">${person.username}</span> <span class="role">${person.directoryRole}${person.appRoles.length > 0 ? html` · ${person.appRoles.join(', ')}` : null}</span></button>`,
)}
</section>`
}

/** "Permissions requested", with what the tick box or the whole page grants. */
export function sendConsentPage(
  res: Response,
  errand: Errand,
  app: SimulatorRegistration,
  person: Person,
  form: 'organisation' | 'tick' | 'self',
): void {
  const roles = app.requiredResources.flatMap((required) => required.roles)
  sendPage(
    res,
    200,
    'Permissions requested',
    html`<section class="card">
<p class="note">${person.username}</p>
<h1>Permissions requested</h1>
${form === 'organisation' ? html`<p><strong>Review for your organization</strong></p>` : null}
<p class="app"><strong>${app.displayName}</strong><br>${app.publisher} <span class="tag">unverified</span><br><span class="note">${app.clientId}</span></p>
<p>This application is not published by Microsoft${form === 'organisation' ? ' or your organization' : ''}.</p>
<p>This app would like to:</p>
<ul>
${form === 'self' ? null : roles.map((role) => html`<li>${permissionTexts.get(role) ?? role} <span class="note">${role}</span></li>`)}
<li>Sign in and read user profile</li>
</ul>
${form === 'organisation' ? html`<p>If you accept, this app will get access to the specified resources for all users in your organization. No one else will be prompted to review these permissions.</p>` : null}
<p>Accepting these permissions means that you allow this app to use your data as specified in their terms of service and privacy statement. You can change these permissions at https://myapps.microsoft.com.</p>
<form method="post" action="/${errand.authority}/consent">
<input type="hidden" name="flow" value="${errand.id}">
${form === 'tick' ? html`<p><label><input type="checkbox" name="organisation" value="1"> Consent on behalf of your organization</label></p>` : null}
<p class="actions"><button name="decision" value="cancel" class="quiet">Cancel</button> <button name="decision" value="accept">Accept</button></p>
</form>
</section>`,
  )
}

/** AADSTS90094: Microsoft's own page, from which nothing returns to the app. */
export function sendApprovalPage(
  res: Response,
  errand: Errand,
  app: SimulatorRegistration,
  person: Person,
  requested: boolean,
): void {
  sendPage(
    res,
    200,
    'Need admin approval',
    html`<section class="card">
<p class="note">${person.username}</p>
${
  requested
    ? html`<h1>Request sent</h1>
<p>Your request for <strong>${app.displayName}</strong> was sent to your administrators. You may close this page.</p>`
    : html`<h1>Need admin approval</h1>
<p><strong>${app.displayName}</strong> <span class="tag">unverified</span></p>
<p>${app.displayName} needs permission to access resources in your organization that only an admin can grant. Please ask an admin to grant permission to this app before you can use it.</p>
<p class="note">AADSTS90094</p>
<form method="post" action="/${errand.authority}/consent">
<input type="hidden" name="flow" value="${errand.id}">
<p><label for="why">Reason for requesting this app</label><br><input id="why" name="why" autocomplete="off"></p>
<p class="actions"><button name="decision" value="another" class="quiet">Have an admin account? Sign in with that account</button> <button name="decision" value="request">Request approval</button></p>
</form>`
}
</section>`,
  )
}

/** A refusal that stays at Microsoft: no redirect, the code and the identifiers for support. */
export function sendErrorPage(
  parts: SimulatorParts,
  res: Response,
  refusal: LoginRefusal,
  trace: Trace,
  wayOn: Markup | null = null,
): void {
  sendPage(
    res,
    400,
    'Sign in',
    html`<section class="card">
<h1>Sorry, but we’re having trouble signing you in.</h1>
<p>${describe(parts.world, refusal, trace).split(/ ?Trace ID:|\r\n/)[0] ?? ''}</p>
${wayOn}
<h2>Troubleshooting details</h2>
<p class="note">If you contact your administrator, send this info to them.</p>
<dl>
<dt>Request Id</dt><dd>${trace.traceId}</dd>
<dt>Correlation Id</dt><dd>${trace.correlationId}</dd>
<dt>Timestamp</dt><dd>${trace.timestamp}</dd>
<dt>Message</dt><dd>AADSTS${refusal.code}</dd>
</dl>
</section>`,
  )
}

/** `response_mode=form_post` without a script: a button carries the fields home. */
export function sendPostBackPage(res: Response, target: string, fields: Record<string, string>): void {
  sendPage(
    res,
    200,
    'Continue',
    html`<section class="card"><h1>Almost there</h1>
<form method="post" action="${target}">
${Object.entries(fields).map(([name, value]) => html`<input type="hidden" name="${name}" value="${value}">`)}
<p class="actions"><button>Continue</button></p>
</form></section>`,
  )
}
