import type { Config } from '../../config/config.ts'
import { Refusal } from '../../model/refusal.ts'
import type { Send } from './http.ts'

/**
 * Milliseconds by which `now` is ahead of Microsoft's clock, negative when it is behind: from the `Date` of an answer,
 * which has whole seconds and was written somewhere on the way.
 * @throws Refusal when there is no answer, or none with a date
 */
export async function clockAhead({
  config,
  send,
  now,
}: {
  config: Pick<Config, 'authorityHost'>
  send: Send
  now: () => Date
}): Promise<number> {
  const askedAt = now().getTime()
  const answer = await send({
    url: `${config.authorityHost}/common/v2.0/.well-known/openid-configuration`,
    deadlineMs: 10_000,
    limitBytes: 200_000,
    tries: 2,
  })
  const answered = now()
  const theirs = Date.parse(answer.headers.get('date') ?? '')
  if (Number.isNaN(theirs)) {
    throw new Refusal('unexpected-answer', { at: answered.toISOString(), status: answer.status, error: 'no_date' })
  }
  return Math.round((askedAt + answered.getTime()) / 2 - (theirs + 500))
}
