// Makes public/css/base.css from styles/base.scss and Bootstrap's sources: `npm run css`. With --check it writes
// nothing and fails when the file that is committed is another than the one it would write.
import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { compile } from 'sass'

const path = (name) => fileURLToPath(new URL(name, import.meta.url))
const target = path('../public/css/base.css')

const { css } = compile(path('base.scss'), {
  style: 'compressed',
  loadPaths: [path('../node_modules/bootstrap/scss')],
  quietDeps: true,
  // Bootstrap 5.3 is written with what Sass 3 will no longer have.
  silenceDeprecations: ['import', 'global-builtin', 'color-functions', 'if-function'],
})
const text = `${css}\n`

if (process.argv.includes('--check')) {
  if (readFileSync(target, 'utf8') !== text) {
    console.error('public/css/base.css is not what styles/base.scss makes: run "npm run css".')
    process.exit(1)
  }
} else {
  writeFileSync(target, text)
}
