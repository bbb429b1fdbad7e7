import { z } from 'zod'
import { operatorActor } from '../../http/access.ts'
import { pathValue, readQuery } from '../../http/forms.ts'
import type { Handler, OperatorRequest } from '../../http/route.ts'
import { dropSealed, type Sealed, seal, unseal } from '../../http/session/sealed.ts'
import { makeDestination, reviseDestination } from '../../notify/destinations.ts'
import { alarmKinds } from '../../store/notify/alarms.ts'
import { getDestination } from '../../store/notify/destinations.ts'
import { destinationKinds } from '../../store/notify/kinds.ts'
import type { MessageKey } from '../../words.ts'
import { page } from '../page/page.ts'
import { render } from '../page/render.ts'
import { everyDay, kindQuery, readDestination, typedOf } from './destination-form.ts'
import { type DestinationView, destinationView } from './destination-view.ts'
import { kindIcons } from './destinations.ts'

const destinationPage = page<DestinationView>('notify/destination')

export interface ChooseView {
  kinds: { href: string; icon: string; label: MessageKey; what: MessageKey }[]
}
const choosePage = page<ChooseView>('notify/destination-kinds')

/** A webhook's secret, for the one page after it was made. */
export const newSecret: Sealed<{ id: string; secret: string }> = {
  name: 'new-secret',
  schema: z.object({ id: z.string(), secret: z.string() }),
  seconds: 300,
}

export const showNewDestination: Handler<OperatorRequest> = async (portal, req, res) => {
  const { kind } = readQuery(kindQuery, req)
  if (kind === undefined) {
    const kinds = destinationKinds.map((one) => ({
      href: `/destinations/new?kind=${one}`,
      icon: kindIcons[one],
      label: `destinations.kind.${one}` as const,
      what: `destinations.kind.${one}.what` as const,
    }))
    return render(res, choosePage, { kinds })
  }
  const zone = req.operator.timeZone ?? 'UTC'
  const typed = { language: 'en', timeZone: zone, kinds: [...alarmKinds], days: everyDay, says: ['customers'] }
  await render(res, destinationPage, await destinationView(portal, req, kind, null, typed, null))
}

export const addNewDestination: Handler<OperatorRequest> = async (portal, req, res) => {
  const read = await readDestination(portal, req, null)
  if (read.faults) {
    return render(
      res,
      destinationPage,
      await destinationView(portal, req, read.kind, null, read.typed, read.faults),
      422,
    )
  }
  const result = await makeDestination(portal, operatorActor(req), read.kind, read.settings, read.address)
  if (result.secret !== null) await seal(portal, res, newSecret, { id: result.id, secret: result.secret })
  res.redirect(303, `/destinations/${result.id}`)
}

const shownQuery = z.object({ test: z.string().max(60).optional().catch(undefined) })

/** @throws PortalError NOT_FOUND */
export const showDestination: Handler<OperatorRequest> = async (portal, req, res) => {
  const destination = await getDestination(portal.db, pathValue(req, 'id'))
  const { test } = readQuery(shownQuery, req)
  const secret = await unseal(portal, req, newSecret)
  const view = await destinationView(portal, req, destination.kind, destination, typedOf(destination), null, test)
  if (view.there && secret?.id === destination.id) {
    view.there.newSecret = secret.secret
    dropSealed(portal, res, newSecret)
  }
  await render(res, destinationPage, view)
}

/** @throws PortalError NOT_FOUND */
export const editDestination: Handler<OperatorRequest> = async (portal, req, res) => {
  const destination = await getDestination(portal.db, pathValue(req, 'id'))
  const read = await readDestination(portal, req, destination)
  if (read.faults) {
    const view = await destinationView(portal, req, destination.kind, destination, read.typed, read.faults)
    return render(res, destinationPage, view, 422)
  }
  await reviseDestination(portal, operatorActor(req), destination.id, read.settings, read.address)
  res.redirect(303, `/destinations/${destination.id}`)
}
