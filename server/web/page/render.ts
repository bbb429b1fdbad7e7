import { fileURLToPath } from 'node:url'
import ejs from 'ejs'
import type { Response } from 'express'
import type { Frame } from '../../http/frame/frame.ts'
import { escapeHtml } from '../../http/html.ts'
import { toolsFor } from './make-tools.ts'
import type { Page } from './page.ts'

const views = fileURLToPath(new URL('../../../views', import.meta.url))

/**
 * Answers with a page, in the operator’s frame when there is an operator. `status` is for pages that answer something
 * refused, such as a form with faults (422).
 */
export async function render<Facts extends object>(
  res: Response,
  page: Page<Facts>,
  facts: Facts,
  status = 200,
): Promise<void> {
  await send(res, page, facts, status, (await res.locals.frame?.()) ?? null)
}

/** Answers with a page that asks the database nothing: the ones that say what went wrong. */
export async function renderBare<Facts extends object>(
  res: Response,
  page: Page<Facts>,
  facts: Facts,
  status: number,
): Promise<void> {
  await send(res, page, facts, status, null)
}

async function send<Facts extends object>(
  res: Response,
  page: Page<Facts>,
  facts: Facts,
  status: number,
  frame: Frame | null,
): Promise<void> {
  const tools = toolsFor(res, frame)
  const text = await ejs.renderFile(
    `${views}/${page.template}.ejs`,
    { ...tools, ...page.view(facts, tools) },
    { escape: escapeHtml, cache: true, root: views, rmWhitespace: true },
  )
  res.status(status).type('html').send(text)
}
