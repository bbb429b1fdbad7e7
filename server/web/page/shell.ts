import type { Frame } from '../../http/frame/frame.ts'
import { type Html, html } from '../../http/html.ts'
import type { PageTools, ShellView } from './tools.ts'

export function shellView(frame: Frame, rolesHoldUntil: string | null, { t, number, reader }: PageTools): ShellView {
  const { fleet, operator, partnerName, avatar } = frame
  const open = html`${number(fleet.openIncidents)}<span class="visually-hidden"> ${t('shell.count.open')}</span>`
  const reviews = t('shell.count.reviews', { n: fleet.reviews })
  const unseen = html`${number(frame.newAlarms)}<span class="visually-hidden"> ${t('alarms.new')}</span>`
  const customers = fleet.customers > 0 ? number(fleet.customers) : null
  const counts: Partial<Record<Frame['places'][number]['name'], Html | string | null>> = {
    incidents: fleet.openIncidents > 0 ? open : null,
    customers: fleet.reviews > 0 ? reviews : customers,
    alarms: frame.newAlarms > 0 ? unseen : null,
  }
  return {
    partnerName,
    operatorName: operator.name || operator.username || '',
    role: t(`shell.role.${operator.role}`),
    avatar,
    places: frame.places.map((place) => ({
      ...place,
      label: t(`shell.place.${place.name}`),
      count: counts[place.name] ?? null,
    })),
    keys: frame.keys.map(({ name, keys, place }) => ({
      first: keys[0] ?? '',
      label: place ? t('shell.keys.go', { place: t(`shell.place.${place}`) }) : t(`shell.keys.${name}` as 'shell.keys'),
      keys,
    })),
    newAlarms: frame.newAlarms > 0 ? number(frame.newAlarms) : null,
    bell: t('alarms.bell', { n: frame.newAlarms }),
    blind: fleet.blind > 0 ? t('shell.watch.blind', { n: fleet.blind }) : null,
    read:
      fleet.tenants > 0
        ? t.rich('shell.watch.read', { read: number(fleet.read), tenants: number(fleet.tenants) }, { b: 'b' })
        : null,
    newestReadAt: fleet.newestReadAt,
    themes: (['auto', 'light', 'dark'] as const).map((name) => ({
      name,
      pressed: (reader.theme ?? 'auto') === name ? 'true' : 'false',
    })),
    writeFault: frame.writeFault && t(`shell.storage.${frame.writeFault}`),
    rolesHoldUntil,
    pause: frame.pause && { ...frame.pause, mayResume: frame.runs },
  }
}
