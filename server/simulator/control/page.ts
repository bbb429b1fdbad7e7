import type { Response } from 'express'
import type { SimulatorRegistration } from '../login/registration.ts'
import { html, type Markup } from '../pages/html.ts'
import { sendPage } from '../pages/login-pages.ts'
import type { EnterpriseApp, Tenant } from '../world/directory.ts'
import type { World } from '../world/world.ts'

/** Every tenant with its state, and a button for everything that can happen to it. Works without scripts. */
export function sendControlPage(world: World, res: Response, message: string): void {
  const tenants = world.tenants()
  const app = [...world.registrations.values()].find(({ audience }) => audience === 'multi')
  sendPage(
    res,
    200,
    'Control',
    html`<h1>What happens at Microsoft</h1>
<p>${tenants.length} tenants. Each button changes this simulated world at once; the app notices when it asks the next time.</p>
${message ? html`<p class="done" role="status">${message}</p>` : null}
${everything(world, app)}
<ul class="tenants">${tenants.map((tenant) => card(world, tenant, app))}</ul>`,
  )
}

function button(action: string, label: string): Markup {
  return html`<button name="action" value="${action}">${label}</button>`
}

function form(tenant: string, content: Markup): Markup {
  return html`<form method="post" action="/_sim/press" class="buttons">${hidden('tenant', tenant)}${content}</form>`
}

function everything(world: World, app: SimulatorRegistration | undefined): Markup {
  const ended = app?.secrets.some(
    ({ expiresAt }) => expiresAt !== undefined && expiresAt.getTime() <= world.clock.now(),
  )
  return html`<section class="tenant" aria-labelledby="all">
<h2 id="all">Everywhere</h2>
<ul class="states">
<li>Clock ${new Date(world.clock.now()).toISOString().slice(0, 19).replace('T', ' ')} UTC</li>
${app ? (ended ? html`<li class="bad">Client secret expired</li>` : html`<li class="good">Client secret good</li>`) : null}
${weathers(world, '*')}
</ul>
${app ? form('*', ended ? button('renew-secrets', 'Renew the client secret') : button('expire-secrets', 'Expire the client secret')) : null}
${weatherForms('*')}
${form('*', html`${hidden('ms', '3600000')}${button('advance', 'Move the clock one hour on')}`)}
</section>`
}

function hidden(name: string, value: string): Markup {
  return html`<input type="hidden" name="${name}" value="${value}">`
}

function card(world: World, tenant: Tenant, registration: SimulatorRegistration | undefined): Markup {
  const app = registration ? tenant.apps.get(registration.clientId.toLowerCase()) : undefined
  const id = tenant.id
  return html`<li class="tenant" id="t-${id}">
<h2>${tenant.displayName}</h2>
<p class="note">${tenant.domains.join(' · ')}<br>${id}</p>
<ul class="states">${states(world, tenant, app)}</ul>
${form(id, html`${app ? button('revoke', 'Delete the app (revoke)') : button('consent', 'Consent')}${app ? (app.enabled ? button('disable-app', 'Disable the app') : button('enable-app', 'Enable the app')) : null}${tenant.licensed ? button('unlicense', 'Take the licence') : button('license', 'Give a licence')}${tenant.setUp ? button('take-down', 'Take Defender out of use') : button('set-up', 'Set Defender up')}${tenant.blockedBy === null ? button('block', 'Block by Conditional Access') : button('unblock', 'Unblock')}${tenant.deleted ? button('restore-tenant', 'Restore the tenant') : button('delete-tenant', 'Delete the tenant')}`)}
${
  app && app.grants.length > 0
    ? form(
        id,
        html`<label>Permission <select name="role">${app.grants.map(({ role }) => html`<option>${role}</option>`)}</select></label>${button('remove-role', 'Remove it')}`,
      )
    : null
}
<details><summary>Incidents</summary>
${form(id, html`${button('add-incident', 'Add an incident')}`)}
${form(id, html`<label>Incident <input name="incident" inputmode="numeric" value="${latestId(tenant)}"></label>${hidden('comment', 'Looked at in the Defender portal.')}${button('update-incident', 'Comment on it')}${button('add-alert', 'Add an alert')}`)}
${form(id, html`<label>Incidents <input name="ids" value="${latestTwo(tenant)}"></label>${button('merge-incidents', 'Merge them')}`)}
</details>
<details><summary>Weather</summary>${weatherForms(id)}</details>
</li>`
}

function states(world: World, tenant: Tenant, app: EnterpriseApp | undefined): Markup[] {
  const now = world.clock.now()
  const visible = app?.grants.filter(({ visibleAt }) => visibleAt <= now) ?? []
  return [
    app === undefined
      ? html`<li>No consent</li>`
      : !app.enabled
        ? html`<li class="bad">App disabled</li>`
        : visible.length < app.grants.length
          ? html`<li>Consent on its way</li>`
          : visible.length > 0
            ? html`<li class="good">Consent: ${visible.map(({ role }) => role).join(', ')}</li>`
            : html`<li class="bad">App without permissions</li>`,
    tenant.licensed ? html`<li>Licensed</li>` : html`<li class="bad">No Defender licence</li>`,
    tenant.setUp ? html`` : html`<li class="bad">Defender not set up</li>`,
    ...(tenant.blockedBy === null ? [] : [html`<li class="bad">Blocked by Conditional Access</li>`]),
    ...(tenant.deleted ? [html`<li class="bad">Deleted</li>`] : []),
    html`<li>${tenant.incidents.size} incidents</li>`,
    ...weathers(world, tenant.id),
  ]
}

function weathers(world: World, tenantId: string): Markup[] {
  return world.sky
    .active()
    .filter((weather) => weather.tenantId === tenantId)
    .map(({ kind, surface, left, endsAt }) => {
      const seconds = endsAt === null ? null : Math.ceil((endsAt - world.clock.now()) / 1000)
      return html`<li class="bad">${kind} on ${surface}${left === null ? null : html`, ${left} times`}${seconds === null ? null : html`, ${seconds} s`}</li>`
    })
}

const weatherButtons = [
  ['kind=throttle', 'Throttle (429)'],
  ['kind=outage&status=503', 'Outage (503)'],
  ['kind=slow&delayMs=5000', 'Slow (5 s)'],
  ['kind=html&status=503', 'HTML answers'],
  ['kind=reset', 'Broken connections'],
  ['kind=throttle&surface=token', 'Throttle tokens'],
] as const

function weatherForms(tenant: string): Markup {
  return html`<form method="post" action="/_sim/press" class="buttons">${hidden('tenant', tenant)}${hidden('action', 'weather')}<label>Seconds <input name="seconds" inputmode="numeric" value="60"></label>${weatherButtons.map(
    ([settings, label]) => html`<button name="with" value="${settings}">${label}</button>`,
  )}</form>
${form(tenant, button('clear-weather', 'Clear the weather'))}`
}

function latestId(tenant: Tenant): string {
  return String(tenant.incidents.all().at(-1)?.id ?? '')
}

function latestTwo(tenant: Tenant): string {
  const open = tenant.incidents.all().filter(({ status }) => status !== 'redirected' && status !== 'resolved')
  return open
    .slice(-2)
    .map(({ id }) => id)
    .join(', ')
}
