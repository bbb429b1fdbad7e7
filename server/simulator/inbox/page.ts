import type { Response } from 'express'
import { html, type Markup } from '../pages/html.ts'
import { sendPage } from '../pages/login-pages.ts'
import { objectIn } from './checks.ts'
import type { Inbox, InboxItem } from './inbox.ts'

const names = new Map<string, string>([
  ['mail', 'Mail'],
  ['webhook', 'Webhook'],
  ['teams', 'Teams'],
  ['slack', 'Slack'],
  ['siem', 'SIEM'],
])

/** Everything that was sent to the demonstration's destinations since the start, newest first. */
export function sendInboxPage(inbox: Inbox, res: Response, kind: string | null): void {
  const items = inbox.list(kind)
  sendPage(
    res,
    200,
    'Inbox',
    html`<h1>What Muster sent</h1>
<p>A mail box and four receivers on this machine stand at the other end of the demonstration’s destinations. Kept until the demonstration stops.</p>
<p class="actions start"><a href="/_sim/inbox">All</a>${[...names].map(([one, name]) => html` <a href="/_sim/inbox?kind=${one}"${kind === one ? html` aria-current="page"` : null}>${name}</a>`)} <a href="/_sim">What happens at Microsoft</a></p>
${items.length === 0 ? html`<p>Nothing yet. Send a test from a destination’s page, or revoke a consent and wait for the alarm.</p>` : null}
<ul class="tenants">${items.map(line)}</ul>`,
  )
}

function line(item: InboxItem): Markup {
  return html`<li class="tenant">
<h2><a href="/_sim/inbox/${item.id}">${titleOf(item)}</a></h2>
<p class="note">${names.get(item.kind)} · ${time(item.at)}${item.kind === 'mail' ? html` · to ${item.to}` : null}</p>
${item.kind === 'mail' ? null : checkList(item)}
</li>`
}

/** One of them whole. */
export function sendItemPage(item: InboxItem | null, res: Response): void {
  if (item === null) {
    sendPage(res, 404, 'Not there', html`<h1>Not there any more</h1><p><a href="/_sim/inbox">What Muster sent</a></p>`)
    return
  }
  const headers = html`<details><summary>Headers</summary><dl>${item.headers.map(({ name, value }) => html`<dt>${name}</dt><dd>${value}</dd>`)}</dl></details>`
  const content =
    item.kind === 'mail'
      ? html`<dl><dt>From</dt><dd>${item.from}</dd><dt>To</dt><dd>${item.to}</dd></dl>
<h2>As it looks</h2>
<iframe class="mail" sandbox src="/_sim/inbox/${item.id}/html" title="The mail as HTML"></iframe>
<h2>As text</h2>
<pre>${item.text}</pre>`
      : html`${checkList(item)}
<h2>Body</h2>
<pre>${pretty(item.body)}</pre>`
  sendPage(
    res,
    200,
    titleOf(item),
    html`<p><a href="/_sim/inbox">What Muster sent</a></p>
<h1>${titleOf(item)}</h1>
<p class="note">${names.get(item.kind)} · ${time(item.at)}</p>
${content}
${headers}`,
  )
}

/** A mail's HTML, for the frame: it runs nothing, fetches nothing and is of no origin. */
export function sendMailFrame(item: InboxItem | null, res: Response): void {
  const mail = item?.kind === 'mail' ? item.html : ''
  res
    .status(mail === '' ? 404 : 200)
    .set({
      'Content-Security-Policy': "sandbox; default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'self'",
      'Cache-Control': 'no-store',
      'X-Content-Type-Options': 'nosniff',
    })
    .type('html')
    .send(mail)
}

function titleOf(item: InboxItem): string {
  if (item.kind === 'mail') return item.subject
  const posted = objectIn(item.kind === 'siem' ? (item.body.split('\n')[0] ?? '') : item.body)
  const told = [posted.type === 'message' ? null : posted.type, posted.text, posted.message].find(
    (one) => typeof one === 'string' && one !== '',
  )
  if (typeof told === 'string') return told.slice(0, 200)
  return (
    (/"size":"Large"[^}]*|"text":"([^"]*)","wrap":true,"size":"Large"/.exec(item.body)?.[1] ?? names.get(item.kind)) ||
    ''
  )
}

function checkList({ checks }: Exclude<InboxItem, { kind: 'mail' }>): Markup {
  return html`<ul class="states">${checks.map(({ what, holds }) => html`<li class="${holds ? 'good' : 'bad'}">${holds ? '✓' : '✗'} ${what}</li>`)}</ul>`
}

/** JSON and JSON lines, indented; whatever else it is, as it came. */
function pretty(body: string): string {
  const lines = body.split('\n').filter((one) => one !== '')
  try {
    return lines.map((one) => JSON.stringify(JSON.parse(one), null, 2)).join('\n')
  } catch {
    return body
  }
}

const time = (at: Date) => `${at.toISOString().slice(0, 19).replace('T', ' ')} UTC`
