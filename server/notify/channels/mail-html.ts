import { escapeMarkup } from '../../markup.ts'
import type { Message } from '../message.ts'

/** Chinese has glyphs of its own wherever it stands: without the mark some readers draw Japanese ones. */
const marked = (text: string, language: string) =>
  language !== 'zh-Hant' && /\p{Script=Han}/u.test(text)
    ? `<span lang="zh-Hant">${escapeMarkup(text)}</span>`
    : escapeMarkup(text)

const font = "font-family:'Segoe UI',Arial,'PingFang TC','Microsoft JhengHei',sans-serif"
const bars: Record<Message['tone'], string> = { bad: '#c8303a', notice: '#b7791f', good: '#2f855a' }
const dark = `
:root { color-scheme: light dark; supported-color-schemes: light dark; }
@media (prefers-color-scheme: dark) {
  .page { background-color: #0b0d0f !important; }
  .card { background-color: #191d21 !important; border-color: #3a434b !important; }
  .fg { color: #e8ebed !important; }
  .fg2 { color: #aab3bb !important; }
  .link { color: #63c3d4 !important; }
  .rule { border-color: #3a434b !important; }
}`

/**
 * A message as HTML that mail programs draw alike: tables, inline styles, no more than 600 px, nothing that is loaded, and
 * no sense that lies in a style alone. Reads in light and dark, and from 320 px on.
 */
export function mailHtml(message: Message, partner: string): string {
  const { language, heading, text, kind, tone, rows, link, why } = message
  const textOf = (words: string) => marked(words, language)
  return `<!doctype html>
<html lang="${language}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="supported-color-schemes" content="light dark">
<title>${escapeMarkup(heading)}</title>
<style>${dark}
</style>
</head>
<body class="page" style="margin:0;padding:0;background-color:#f7f8f8">
<div role="main">
${table('page', 'background-color:#f7f8f8', '<tr><td align="center" style="padding:24px 12px">')}
${table('card', 'max-width:600px;background-color:#ffffff;border:1px solid #e3e6e9;text-align:left', '')}
<tr><td height="4" style="height:4px;line-height:4px;font-size:0;background-color:${bars[tone]}">&nbsp;</td></tr>
<tr><td style="padding:24px 20px 8px;${font}">
${paragraph('fg2', 'margin:0 0 4px;color:#4c555e;font-size:13px;line-height:20px', textOf([partner, kind].filter(Boolean).join(' · ')))}
<h1 class="fg" style="margin:0;color:#14181c;font-size:22px;line-height:30px;font-weight:bold">${textOf(heading)}</h1>
${paragraph('fg', 'margin:12px 0 0;color:#14181c;font-size:16px;line-height:24px', textOf(text))}
</td></tr>
${rows.length === 0 ? '' : `<tr><td style="padding:16px 20px 8px;${font}">\n${rowsTable(rows, textOf)}\n</td></tr>`}
${link === null ? '' : button(link, textOf)}
</table>
${why === null ? '' : footer(why, textOf)}
</td></tr></table>
</div>
</body>
</html>
`
}

const table = (name: string, style: string, inner: string) =>
  `<table role="presentation" class="${name}" width="100%" cellpadding="0" cellspacing="0" border="0" style="${style}">${inner}`

const paragraph = (name: string, style: string, inner: string) => `<p class="${name}" style="${style}">${inner}</p>`

function rowsTable(rows: Message['rows'], textOf: (words: string) => string): string {
  const edge = 'padding:8px 0;border-top:1px solid #e3e6e9'
  const lines = rows.map(
    ({ label, value }) => `<tr>
<th class="fg2 rule" scope="row" align="left" valign="top" width="110"
 style="${edge};padding-right:12px;color:#4c555e;font-weight:normal">${textOf(label)}</th>
<td class="fg rule" style="${edge};color:#14181c;word-break:break-word">${textOf(value)}</td>
</tr>`,
  )
  return `<table width="100%" cellpadding="0" cellspacing="0" border="0" style="font-size:15px;line-height:22px">
${lines.join('\n')}
</table>`
}

function button({ label, url }: NonNullable<Message['link']>, textOf: (words: string) => string): string {
  const look = 'display:inline-block;padding:12px 20px;color:#ffffff;font-size:16px;line-height:20px;font-weight:bold'
  return `<tr><td style="padding:16px 20px 28px;${font}">
<table role="presentation" cellpadding="0" cellspacing="0" border="0"><tr>
<td style="background-color:#0b6a7d;border-radius:6px"><a href="${escapeMarkup(url)}" style="${look};text-decoration:none">${textOf(label)}</a></td>
</tr></table>
<p class="fg2" style="margin:12px 0 0;color:#4c555e;font-size:13px;line-height:20px;word-break:break-all">
<a class="link" href="${escapeMarkup(url)}" style="color:#0a5f70">${escapeMarkup(url)}</a></p>
</td></tr>`
}

function footer({ text, url }: NonNullable<Message['why']>, textOf: (words: string) => string): string {
  return `${table('', 'max-width:600px', '')}<tr>
<td class="fg2" style="padding:16px 20px;color:#4c555e;${font};font-size:13px;line-height:20px;text-align:left">${textOf(text)}<br>
<a class="link" href="${escapeMarkup(url)}" style="color:#0a5f70;word-break:break-all">${escapeMarkup(url)}</a></td>
</tr></table>`
}

/** The same content as plain text. */
export function mailText({ kind, heading, text, rows, link, why }: Message, partner: string): string {
  const width = Math.max(0, ...rows.map(({ label }) => label.length))
  const parts = [
    [partner, kind].filter(Boolean).join(' - '),
    heading,
    text,
    rows.map(({ label, value }) => `${label.padEnd(width)}  ${value}`).join('\n'),
    link === null ? '' : `${link.label}:\n${link.url}`,
    why === null ? '' : `-- \n${why.text}\n${why.url}`,
  ]
  return `${parts.filter((part) => part !== '').join('\n\n')}\n`
}
