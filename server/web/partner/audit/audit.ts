import type { Handler, OperatorRequest } from '../../../http/route.ts'
import { listCustomers } from '../../../store/customers/customers.ts'
import { listOperators } from '../../../store/operators/operators.ts'
import { countRefusedSignIns } from '../../../store/operators/refused-sign-ins.ts'
import { findPlaceOfEvent, auditPage as readAuditPage } from '../../../store/partner/audit-log.ts'
import { sentenceOf } from '../../page/audit-sentence.ts'
import { page } from '../../page/page.ts'
import { render } from '../../page/render.ts'
import { filterOf, hrefOf, readAudit } from './audit-filter.ts'
import { auditView } from './audit-view.ts'

const auditPage = page('partner/audit', auditView)

const eventsPerPage = 100

/** Who did what to what, when and from where; newest first. */
export const showAudit: Handler<OperatorRequest> = async (portal, req, res) => {
  const { db } = portal
  const { scope } = req
  const asked = readAudit(req)
  const zone = res.locals.reader.timeZone ?? 'UTC'
  const after = asked.before === null ? null : await findPlaceOfEvent(db, asked.before)
  const [found, customers, operators] = await Promise.all([
    readAuditPage(db, filterOf(asked, zone), after, eventsPerPage, scope),
    listCustomers(db, undefined, res.locals.reader.alphabet, scope),
    listOperators(db),
  ])
  const counts = await countRefusedSignIns(
    db,
    found.events.flatMap(({ action, subjectId }) =>
      action === 'operator.sign-in-refused' && subjectId ? [subjectId] : [],
    ),
  )
  await render(res, auditPage, {
    sentences: found.events.map((event) => {
      const counted = counts.get(event.subjectId ?? '')
      return { ...sentenceOf(event, 'log'), ...(counted && counted.times > 1 ? { counted } : {}) }
    }),
    customers,
    operators,
    asked,
    older: asked.before !== null,
    next: found.next === null ? null : hrefOf('/audit', asked, { before: String(found.next.id) }),
    newest: hrefOf('/audit', asked),
    lookedBackTo: asked.q === null ? null : (found.next?.at ?? null),
  })
}
