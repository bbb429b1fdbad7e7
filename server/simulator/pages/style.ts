/** The one style sheet of all pages here: plain, light or dark as the reader's system is, narrow screens first. */
export const styleSheet = `
:root { color-scheme: light dark; --bg: light-dark(#f3f4f6, #121417); --card: light-dark(#fff, #1c2025); --fg: light-dark(#16191d, #e9ecef); --fg-2: light-dark(#4a535c, #b0b9c2); --line: light-dark(#d5dadf, #363e46); --accent: light-dark(#1e4fa3, #9cc0ff); --solid: light-dark(#1e4fa3, #2f63bd); --warn-bg: light-dark(#fff4d6, #3a3010); --warn-fg: light-dark(#5c4400, #f3dc94); --bad: light-dark(#a3161f, #ffa3a3); --good: light-dark(#165c33, #86d9a5); }
* { box-sizing: border-box; }
body { margin: 0; background: var(--bg); color: var(--fg); font: 16px/1.5 system-ui, "Segoe UI", "PingFang TC", "Noto Sans CJK TC", sans-serif; }
.banner { background: var(--warn-bg); color: var(--warn-fg); padding: .5rem 1rem; text-align: center; font-size: .875rem; }
.banner p { margin: 0; }
main { max-width: 70rem; margin: 0 auto; padding: 1rem; }
.card { max-width: 34rem; margin: 1rem auto; background: var(--card); border: 1px solid var(--line); border-radius: 6px; padding: 1.25rem; overflow-wrap: anywhere; }
h1 { font-size: 1.375rem; line-height: 1.3; margin: .25rem 0 .75rem; }
h2 { font-size: 1rem; margin: 1.25rem 0 .375rem; }
a { color: var(--accent); }
.note { color: var(--fg-2); font-size: .875rem; font-weight: normal; }
.tag { border: 1px solid var(--line); border-radius: 4px; padding: 0 .375rem; font-size: .8125rem; color: var(--fg-2); }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .125rem 1rem; font-size: .875rem; }
dt { color: var(--fg-2); } dd { margin: 0; }
button, select, input:not([type=checkbox]) { font: inherit; min-height: 2.5rem; border-radius: 4px; border: 1px solid var(--line); padding: .25rem .75rem; background: var(--card); color: var(--fg); max-width: 100%; }
button { cursor: pointer; background: var(--solid); border-color: var(--solid); color: #fff; }
button.quiet { background: var(--card); color: var(--accent); border-color: var(--line); }
button:focus-visible, select:focus-visible, input:focus-visible, a:focus-visible, summary:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
button.account { display: block; width: 100%; text-align: left; background: var(--card); color: var(--fg); border-color: var(--line); margin: .25rem 0; padding: .5rem .75rem; }
button.account:hover { border-color: var(--accent); }
button.account .name { display: block; font-weight: 600; }
button.account .role { display: block; font-size: .8125rem; color: var(--fg-2); }
.actions { display: flex; flex-wrap: wrap; gap: .5rem; justify-content: flex-end; margin-top: 1.25rem; }
.tenants { list-style: none; padding: 0; display: grid; gap: .75rem; grid-template-columns: repeat(auto-fill, minmax(min(100%, 30rem), 1fr)); }
.tenant { background: var(--card); border: 1px solid var(--line); border-radius: 6px; padding: 1rem; overflow-wrap: anywhere; }
.tenant h2 { margin-top: 0; }
.states { display: flex; flex-wrap: wrap; gap: .375rem; padding: 0; margin: .5rem 0; list-style: none; font-size: .8125rem; }
.states li { border: 1px solid var(--line); border-radius: 4px; padding: 0 .375rem; }
.states .bad { color: var(--bad); border-color: currentColor; } .states .good { color: var(--good); border-color: currentColor; }
.buttons { display: flex; flex-wrap: wrap; gap: .375rem; align-items: end; margin: .5rem 0; }
.buttons button { min-height: 2.25rem; font-size: .875rem; background: var(--card); color: var(--accent); border-color: var(--line); }
.buttons label { font-size: .8125rem; color: var(--fg-2); display: grid; gap: .125rem; }
.buttons input, .buttons select { min-height: 2.25rem; font-size: .875rem; }
.buttons input { width: 7rem; }
summary { cursor: pointer; color: var(--accent); font-size: .875rem; padding: .25rem 0; }
pre { white-space: pre-wrap; overflow-wrap: anywhere; background: var(--card); border: 1px solid var(--line); border-radius: 6px; padding: .75rem; font-size: .8125rem; }
iframe.mail { width: 100%; height: 42rem; border: 1px solid var(--line); border-radius: 6px; background: #fff; }
.actions.start { justify-content: flex-start; margin-top: .5rem; }
.done { border: 1px solid var(--good); color: var(--good); border-radius: 6px; padding: .5rem .75rem; }
`
